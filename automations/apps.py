from django.apps import AppConfig


class AutomationsConfig(AppConfig):
    """The product: events, conditions, actions, history."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "automations"

    def ready(self) -> None:
        from automations import checks, intake  # noqa: F401  registers the system checks
        from projects.events import announced

        announced.connect(intake.hear, dispatch_uid="automations.intake")
