"""Seal every secret again with the newest key, so that older ones can be taken out of FERNET_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from secrets_vault import secrets


class Command(BaseCommand):
    help = "Seal every secret again with the first of FERNET_KEYS; older keys can be removed afterwards."

    def handle(self, *args: Any, **options: Any) -> None:
        count = secrets.reseal_all()
        noun = "secret is" if count == 1 else "secrets are"
        self.stdout.write(f"{count} {noun} sealed with the newest key. Older keys can be taken out of FERNET_KEYS.")
