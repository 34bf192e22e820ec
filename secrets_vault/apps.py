from django.apps import AppConfig


class SecretsVaultConfig(AppConfig):
    """Named team secrets, sealed."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "secrets_vault"
    verbose_name = "Team secrets"

    def ready(self) -> None:
        from secrets_vault import checks  # noqa: F401  registers the system check
