from django.apps import AppConfig


class SecretsVaultConfig(AppConfig):
    """Named team secrets, sealed."""

    default_auto_field = "django.db.models.BigAutoField"
    name = "secrets_vault"
    verbose_name = "Team secrets"
