from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils import translation


class AutomationsConfig(AppConfig):
    """The product: events, conditions, actions, history."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "automations"

    def ready(self) -> None:
        from automations import intake, schedules, stamps, words
        from projects.events import announced

        words.translate_with(translation.gettext)
        announced.connect(intake.hear, dispatch_uid="automations.intake")
        stamps.connect()
        post_migrate.connect(schedules.ensure, dispatch_uid="automations.schedules")
