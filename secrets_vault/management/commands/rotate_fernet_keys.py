"""Seal every secret again with the newest key, so that older ones can be taken out of FERNET_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from secrets_vault import secrets


class Command(BaseCommand):
    help = (
        "Seal every secret again with the first of FERNET_KEYS; older keys can be removed afterwards. May be"
        " interrupted and run again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        resealed = secrets.reseal_all()
        noun = "value is" if resealed.count == 1 else "values are"
        self.stdout.write(f"{resealed.count} {noun} sealed with the newest key.")
        if resealed.unopened:
            raise CommandError(
                f"No key in FERNET_KEYS opens {', '.join(resealed.unopened)}. Bring back the key they were sealed with"
                " and run this again, or rotate them to enter their values anew."
            )
        self.stdout.write("Older keys can be taken out of FERNET_KEYS.")
