"""`manage.py serve`: the whole server with one command, until Ctrl-C."""

import errno
import hashlib
import multiprocessing
import os
import socket
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException  # noqa: TID251 - asks only our own /healthz
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, SystemCheckError
from django.db import DEFAULT_DB_ALIAS, connection, connections

from automations.supervisor import Program, Supervisor
from automations.watchdog import Watchdog
from automations_site import VERSION

log = structlog.get_logger(__name__)

QUEUE = "queue"
LOOPBACK = ("127.0.0.0/8", "::1/128", "localhost")
_MIGRATION_LOCK = 4_018_237_115  # any number that nothing else on the database server uses


class Command(BaseCommand):
    help = "Migrates, then runs the web server and the queue workers until Ctrl-C; what dies is started again."
    requires_migrations_checks = False
    # They import every page, which takes up 40 MB: in the process that prepares the server, not in its supervisor.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--allow-loopback-webhooks",
            action="store_true",
            help="let webhooks reach this machine itself, for trying things out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.WEB_WORKERS == 0 and settings.QUEUE_WORKERS == 0:
            raise CommandError("WEB_WORKERS and QUEUE_WORKERS are both 0, so there is nothing to run.")
        if settings.WEB_WORKERS:
            _check_port(settings.HOST, settings.PORT)
        _in_a_process_of_its_own(self._check_and_prepare)
        environment = dict(os.environ)
        if options["allow_loopback_webhooks"]:
            allowed = [*settings.WEBHOOK_ALLOWED_NETWORKS, *LOOPBACK]
            environment["WEBHOOK_ALLOWED_NETWORKS"] = ",".join(dict.fromkeys(allowed))
            environment.pop("WEBHOOK_ALLOWED_NETWORKS_FILE", None)
        supervisor = Supervisor(_programs(environment))
        watch = _watching(supervisor)
        supervisor.start()
        try:
            self._announce(supervisor, loopback=options["allow_loopback_webhooks"])
            supervisor.run(watch=watch)
        finally:
            self._say("Stopping")
            supervisor.stop()
        self._say("Stopped")

    def _say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()  # a log file shall show it now, not when the server ends

    def _check_and_prepare(self) -> None:
        try:
            self.check()
            self._prepare()
        except SystemCheckError as problems:
            self.stderr.write(str(problems))
            sys.exit(1)

    def _prepare(self) -> None:
        """Bring database and static files up to date; make the first account on an empty database."""
        from projects import provisioning

        self._say("Bringing the database up to date")
        with _one_host_at_a_time():
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)
            login = provisioning.first_start()
        # Those that ask the database, such as whether the keys open what is sealed.
        self.check(databases=[DEFAULT_DB_ALIAS])
        if login:
            self._say(self.style.SUCCESS("First start: made a place to work and its admin. Shown once:"))
            for name, value in login.items():
                self._say(f"  {name.replace('_', ' ')}: {value}")
        if settings.WEB_WORKERS:
            collect_static()

    def _announce(self, supervisor: Supervisor, *, loopback: bool) -> None:
        if settings.WEB_WORKERS and not _wait_until_answering(supervisor, settings.HOST, settings.PORT):
            return
        if loopback:
            self._say(
                "Webhooks may reach this machine itself (127.0.0.0/8, ::1/128, localhost), "
                "because --allow-loopback-webhooks is set."
            )
        if settings.WEB_WORKERS:
            self._say(self.style.SUCCESS(f"Ready at {settings.PUBLIC_URL}"))
            first_login = Path(settings.DATA_DIR) / "first-login.json"
            if first_login.exists():
                self._say(f"The first sign-in is in {first_login}")
        else:
            self._say(self.style.SUCCESS("The queue workers are running"))


def _in_a_process_of_its_own(work: Callable[[], None]) -> None:
    """Migrating takes up a hundred megabytes, which the supervisor would keep for as long as it lives."""
    connections.close_all()  # the child opens its own
    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join()
    if child.exitcode:
        raise CommandError("The server could not be prepared; the lines above say why.")


def _programs(environment: dict[str, str]) -> list[Program]:
    web = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"),
        *("--host", settings.HOST, "--port", str(settings.PORT)),
        # One thread per worker: Python runs one at a time, and SQLite wants one writer per process.
        *("--workers", str(settings.WEB_WORKERS), "--blocking-threads", "1"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "5s"),
        *("--log-level", "warning", "automations_site.wsgi:application"),
    ]
    queue = [sys.executable, "manage.py", "qcluster", "--skip-checks"]
    programs = []
    if settings.WEB_WORKERS:
        programs.append(Program("web", web, folder=settings.BASE_DIR, environment=environment))
    if settings.QUEUE_WORKERS:
        programs.append(Program(QUEUE, queue, folder=settings.BASE_DIR, environment=environment))
    return programs


def _watching(supervisor: Supervisor) -> Callable[[], None]:
    """What starts queue workers afresh when they live but take no more work."""
    watchdog = Watchdog()

    def look() -> None:
        nonlocal watchdog
        for program in supervisor.programs:
            if program.name == QUEUE and watchdog.is_stuck(now=time.monotonic()):
                log.error("queue_stuck", program=program.name)
                program.restart()
                watchdog = Watchdog()

    return look


def _check_port(host: str, port: int, *, patience: float = 2.0) -> None:
    """Refuse a port that another program listens on; a server that is just stopping gets `patience` seconds.

    The web server shares its port among its workers, so without this look two servers would share it, too.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + patience
    while True:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as problem:
                if problem.errno != errno.EADDRINUSE:
                    raise CommandError(
                        f"The server cannot listen on {host}:{port} ({problem.strerror}). Set HOST and PORT."
                    ) from None
            else:
                return
        if time.monotonic() >= deadline:
            raise CommandError(
                f"Port {port} is taken by another program. Stop that one, or set PORT to another number."
            )
        time.sleep(0.2)


def _wait_until_answering(supervisor: Supervisor, host: str, port: int, *, patience: float = 60.0) -> bool:
    """Whether /healthz answered before a signal arrived; keeps the programs alive meanwhile."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound, only compared
    deadline = time.monotonic() + patience
    while not supervisor.is_stopping:
        probe = HTTPConnection(reachable, port, timeout=5)
        try:
            probe.request("GET", "/healthz", headers={"Host": settings.ALLOWED_HOSTS[0]})
            probe.getresponse().read()
        except (OSError, HTTPException):
            if time.monotonic() >= deadline:
                raise CommandError("The web server did not start; the lines above say why.") from None
            time.sleep(0.05)
        else:
            return True
        finally:
            probe.close()
        for program in supervisor.programs:
            program.revive()
    return False


def collect_static() -> None:
    """Gather static files with hashes in their names, unless nothing changed since the last time."""
    stamp = Path(settings.DATA_DIR) / "static-stamp"
    print_ = _static_fingerprint()
    if stamp.exists() and stamp.read_text() == print_ and Path(settings.STATIC_ROOT).is_dir():
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(print_)


def _static_fingerprint() -> str:
    """A digest of names, sizes and times of every static file: changes when one of them does."""
    digest = hashlib.sha256(VERSION.encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name} {found.st_size} {found.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@contextmanager
def _one_host_at_a_time() -> Iterator[None]:
    """Hosts that start together on one PostgreSQL migrate one after another."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATION_LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])
