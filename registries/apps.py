from django.apps import AppConfig


class RegistriesConfig(AppConfig):
    """What runs produce: artifacts in collections, and registries they are linked to."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "registries"
    verbose_name = "Registries and artifacts"

    def ready(self) -> None:
        from registries import (  # noqa: F401
            provisioning,  # hears of the first start
            uploads,  # takes files of versions
        )
