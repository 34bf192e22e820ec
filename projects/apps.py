from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Who and what: users, teams, projects, runs, metrics."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "projects"

    def ready(self) -> None:
        from projects import (  # noqa: F401
            checks,  # registers the system check
            runfiles,  # takes uploads, and frees bytes of deleted files
        )
