"""Start-up: registers the checks that look at settings."""

from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "automations_site"
    verbose_name = "Site"

    def ready(self) -> None:
        from automations_site import checks  # noqa: F401 - importing registers them
