"""`manage.py messages`: brings the catalogues of translations in step with the source."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from automations_site import collecting
from automations_site.catalogues import APPLICATIONS, catalogue_of


class Command(BaseCommand):
    help = "Writes the messages of Python files and templates into the catalogues and says what is not translated yet."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "applications", nargs="*", metavar="application", help=f"of {', '.join(APPLICATIONS)}; all by default"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        known = collecting.translations()
        for application in options["applications"] or APPLICATIONS:
            path = catalogue_of(application)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(collecting.up_to_date(application, known))
            missing = [message for message in collecting.read(path) if not message.string]
            self.stdout.write(f"{application}: {len(missing)} of its messages are not translated.")
            for message in missing if options["verbosity"] > 1 else []:
                self.stdout.write(f"  {message.id}")
