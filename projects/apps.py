from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Who and what: users, teams, projects, runs, metrics."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "projects"

    def ready(self) -> None:
        from projects import checks  # noqa: F401  registers the system check
