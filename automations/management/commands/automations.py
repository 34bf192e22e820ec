"""`manage.py automations export|plan|apply`: automations as code, for operators and their pipelines."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.http import Http404
from django.utils import timezone

from automations import ascode
from projects.models import User


class Command(BaseCommand):
    help = "Writes automations as YAML, says what applying such a text would change, and applies it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--user",
            metavar="NAME",
            help="whose permissions count, and who is noted as the author; unless said, the one superuser there is",
        )
        deeds = parser.add_subparsers(dest="deed", required=True)
        export = deeds.add_parser("export", help="print automations as YAML")
        export.add_argument(
            "--scope",
            action="append",
            default=[],
            metavar="KIND:NAME",
            help="only of this scope, such as project:research/digits; may be given more than once",
        )
        for deed, words in (("plan", "print what applying a file would change"), ("apply", "do it")):
            subparser = deeds.add_parser(deed, help=words)
            subparser.add_argument("file", help="a file of YAML, or - for the standard input")
            subparser.add_argument(
                "--prune", action="store_true", help="delete automations of the named scopes that are not in the file"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        user = self._user(options["user"])
        try:
            self.stdout.write(self._answer(user, options), ending="")
        except (ascode.UnreadableText, ascode.InvalidDeclaration) as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except (PermissionDenied, Http404) as error:
            raise CommandError(str(error)) from None

    def _answer(self, user: User, options: dict[str, Any]) -> str:
        if options["deed"] == "export":
            return ascode.export(by=user, scopes=ascode.scopes_asked(options["scope"]))
        text = self._read(options["file"])
        if options["deed"] == "plan":
            return ascode.text_of(ascode.plan(text, by=user, prune=options["prune"], at=timezone.now()))
        return ascode.text_of(ascode.apply(text, by=user, prune=options["prune"]), applied=True)

    def _user(self, name: str | None) -> User:
        if name is not None:
            found = User.objects.filter(username=name, is_active=True).first()
            if found is None:
                raise CommandError(f"There is no user “{name}”.")
            return found
        superusers = list(User.objects.filter(is_superuser=True, is_active=True)[:2])
        if len(superusers) != 1:
            raise CommandError("Say whose permissions count: add --user NAME.")
        return superusers[0]

    def _read(self, file: str) -> str:
        try:
            return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise CommandError(f"{file} cannot be read: it is not UTF-8.") from None
