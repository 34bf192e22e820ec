"""Reads settings from environment variables and turns every bad value into one sentence.

A variable `NAME` may also be given as a file: `NAME_FILE=/run/secrets/name`, which is how containers hand
over secrets. An empty value counts as not set. Values are taken as they are: a key that begins with `$` stays
a key.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from environ import FileAwareEnv

KEY_LENGTH = 32
"""Fewest characters of a key that is used for signing or sealing."""

# Ways to a mail server, and the ports they mean.
MAIL_PORTS = {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}

_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


class Environment:
    """The variables of one process, or of a test.

    Every method raises `ImproperlyConfigured` with a sentence that names the variable, what is wrong and what
    is accepted.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        env = FileAwareEnv()
        if variables is not None:
            env.ENVIRON = type(env.ENVIRON)(dict(variables))
        self._env = env

    def text(self, name: str, default: str = "") -> str:
        """The value without surrounding white space (secret files end with a newline), or `default`."""
        try:
            value = str(self._env.ENVIRON.get(name, "")).strip()
        except (OSError, UnicodeDecodeError) as problem:
            path = os.environ.get(f"{name}_FILE", "")
            reason = problem.strerror if isinstance(problem, OSError) else "it is not text"
            raise ImproperlyConfigured(
                f"{name}_FILE names {path}, which cannot be read ({reason}). "
                f"Name a readable file, or set {name} itself."
            ) from None
        return value or default

    def words(self, name: str) -> list[str]:
        """A comma-separated list; blanks are dropped."""
        return [word.strip() for word in self.text(name).split(",") if word.strip()]

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name)
        if not value:
            return default
        if value.lower() in _YES:
            return True
        if value.lower() in _NO:
            return False
        raise ImproperlyConfigured(f"{name} is {value!r}, which is neither true nor false. Set it to one of these two.")

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        """A whole number from `least` to `most`, both included."""
        value = self.text(name, str(default))
        if not re.fullmatch(r"-?[0-9]{1,12}", value):
            raise ImproperlyConfigured(
                f"{name} is {value!r}, which is not a whole number. Set it to a number from {least} to {most}."
            )
        number = int(value)
        if not least <= number <= most:
            raise ImproperlyConfigured(f"{name} is {number}. Set it to a number from {least} to {most}.")
        return number

    def choice(self, name: str, default: str, *, of: tuple[str, ...]) -> str:
        given = self.text(name, default)
        value = next((choice for choice in of if choice.lower() == given.lower()), None)
        if value is None:
            raise ImproperlyConfigured(f"{name} is {given!r}. Set it to one of {', '.join(of)}.")
        return value

    def url(self, name: str, default: str, *, schemes: tuple[str, ...]) -> str:
        """An absolute URL without a trailing slash. Errors never repeat it: it may hold a password."""
        value = self.text(name, default).rstrip("/")
        if not value:
            return value
        accepted = " or ".join(f"{scheme}://" for scheme in schemes)
        try:
            parts = urlsplit(value)
            usable = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            usable = False
        if not usable:
            raise ImproperlyConfigured(
                f"{name} is not a URL that can be used. Set it to one that starts with {accepted}."
            )
        return value

    def database(self, name: str) -> dict[str, Any] | None:
        """Django's description of the database that the URL names, or None when the variable is not set."""
        value = self.text(name)
        if not value:
            return None
        if not value.startswith(("postgresql://", "postgres://", "sqlite:///")):
            raise ImproperlyConfigured(
                f"{name} names a kind of database that is not supported. "
                "Set it to postgresql://user:password@host:5432/name or sqlite:////path/to/file, or "
                "leave it out."
            )
        try:
            database: dict[str, Any] = self._env.db_url_config(value)
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} cannot be read as a URL. Write it as postgresql://user:password@host:5432/name; "
                "special characters in the password must be percent-encoded."
            ) from None
        if not database["NAME"]:
            raise ImproperlyConfigured(f"{name} does not name a database. Add its name after the last slash.")
        return database

    def email(self, name: str) -> dict[str, Any]:
        """Django's settings for the mail server that the URL names; none when the variable is not set. Errors never
        repeat it: it holds a password."""
        value = self.text(name)
        if not value:
            return {}
        try:
            found: dict[str, Any] = self._env.email_url_config(value)
        except (ValueError, KeyError, ImproperlyConfigured):
            found = {}
        scheme = value.partition("://")[0]
        if scheme not in MAIL_PORTS or not found.get("EMAIL_HOST"):
            raise ImproperlyConfigured(
                f"{name} is not a mail server that can be used. Set it to smtp+tls://user:password@host:587 "
                "(STARTTLS), smtp+ssl://user:password@host:465 or smtp://host:25; special characters must be "
                "percent-encoded."
            )
        found["EMAIL_PORT"] = found["EMAIL_PORT"] or MAIL_PORTS[scheme]
        return {key: setting for key, setting in found.items() if setting is not None and key != "EMAIL_FILE_PATH"}

    def keys(self, name: str, *, generated_in: Path | None) -> list[str]:
        """Secret keys, newest first: from the variable, else from a file in `generated_in`, made on first
        use.

        With `generated_in=None` a missing variable is an error: several hosts must share their keys.
        """
        keys = self.words(name)
        if not keys and generated_in is None:
            raise ImproperlyConfigured(
                f"{name} is not set. With DATABASE_URL no keys are made up, because every host must use the "
                f"same: set {name} (or {name}_FILE) to a random text of {KEY_LENGTH} characters or more."
            )
        if not keys and generated_in is not None:
            keys = _kept_keys(generated_in / name.lower().replace("_", "-"))
        for key in keys:
            if len(key) < KEY_LENGTH:
                raise ImproperlyConfigured(
                    f"{name} holds a key of {len(key)} characters, which can be guessed. "
                    f"Use random text of {KEY_LENGTH} characters or more."
                )
        return keys


def private_folder(path: Path, *, named_by: str) -> Path:
    """Make the folder (mode 0700) unless it exists, and check that it can be written."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise ImproperlyConfigured(
            f"{named_by} is {path}, which cannot be made ({problem.strerror}). "
            "Name a folder that the server may write to."
        ) from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(
            f"{named_by} is {path}, which cannot be written. Name a folder that the server may write to."
        )
    return path


def private_file(path: Path) -> Path:
    """Make the file (mode 0600) unless it exists: whatever fills it keeps the mode, also of files beside it."""
    path.touch(mode=0o600, exist_ok=True)
    return path


def _kept_keys(path: Path) -> list[str]:
    """The comma-separated keys in the file, which is made with one random key if there is none.

    Several processes may start at once. Each writes a file of its own and links it to the final name, which
    only the first can do, so nobody ever reads half a key.
    """
    import secrets

    if not path.exists():
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its key is the one
        finally:
            draft.unlink()
    keys = [key.strip() for key in path.read_text(encoding="ascii").split(",") if key.strip()]
    if not keys:
        raise ImproperlyConfigured(
            f"{path} is empty. Put the keys back from a backup, or delete the file to start anew."
        )
    return keys
