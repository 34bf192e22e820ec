"""`manage.py provision`: organizations, teams, projects and users for operators, as often as one likes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, OperationalError, ProgrammingError

from projects import provisioning


class Command(BaseCommand):
    help = (
        "Makes what is missing of an organization, a team, a project and a user, and leaves alone what is "
        "there. All of it is made, or nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="NAME", help="organization; made if there is none yet")
        parser.add_argument("--team", metavar="NAME", help="team; made in the organization if there is none yet")
        parser.add_argument("--project", metavar="NAME", help="project of the team")
        parser.add_argument("--user", metavar="NAME", help="user; made if there is none yet")
        parser.add_argument(
            "--role",
            metavar="ROLE",
            help="admin, member or view-only: the user's role in the team, or without --team in the organization",
        )
        parser.add_argument(
            "--password",
            nargs="?",
            const=True,
            help="the user's password; without a value one is made up and shown, unless the user has one",
        )
        parser.add_argument(
            "--api-key",
            nargs="?",
            const=True,
            metavar="KEY",
            help="an API key of the user, stored as given; without a value one is made up and shown, unless "
            "the user has one",
        )
        parser.add_argument("--superuser", action="store_true", help="make the user an admin of the whole server")

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("organization", "team", "project", "user", "role", "password", "api_key", "superuser")
        request = provisioning.Request(**{name: options[name] for name in names})
        try:
            outcome = provisioning.provision(request)
        except provisioning.CannotProvision as problem:
            raise CommandError(str(problem)) from None
        except IntegrityError:
            raise CommandError("Somebody else made the same at this moment. Run the command again.") from None
        except (OperationalError, ProgrammingError) as problem:
            raise CommandError(
                f"The database cannot be used ({problem}). If it is new, run “manage.py migrate” first."
            ) from None
        for sentence in outcome.sentences:
            self.stdout.write(sentence)
        for name, value in outcome.made_up.items():
            self.stdout.write(f"  {name}: {value}")
        if outcome.made_up:
            self.stdout.write("This is shown only now; keep it somewhere safe.")
