"""Where translations are kept, and how they become what Django reads.

Each application has a catalogue, `<application>/locale/ja/LC_MESSAGES/django.po`, which `manage.py messages` keeps in
step with the source. Compiled files are no part of the source: whoever reads the settings first after a change writes
them below `DATA_DIR`, all catalogues in one file, so that there is no step to forget after a clone or an upgrade.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LANGUAGE = "ja"
# A message that several applications use is in the catalogue of the first of them.
APPLICATIONS = ("projects", "secrets_vault", "registries", "automations")


def catalogue_of(application: str) -> Path:
    return ROOT / application / "locale" / LANGUAGE / "LC_MESSAGES" / "django.po"


def compiled(*, into: Path) -> Path:
    """The folder with the compiled messages, for LOCALE_PATHS. Its name is the digest of the catalogues: processes of
    two releases that share a DATA_DIR each find their own."""
    catalogues = [path for application in APPLICATIONS if (path := catalogue_of(application)).exists()]
    digest = hashlib.sha256(b"\0".join(path.read_bytes() for path in catalogues)).hexdigest()
    folder = into / digest[:16]
    target = folder / LANGUAGE / "LC_MESSAGES" / "django.mo"
    if not target.exists():
        _compile(catalogues, target)
    return folder


def _compile(catalogues: list[Path], target: Path) -> None:
    # Babel is only needed here and by `manage.py messages`; starting a process need not wait for its import.
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    merged = Catalog(locale=LANGUAGE)
    for path in catalogues:
        with path.open("rb") as file:
            for message in read_po(file, locale=LANGUAGE):
                if message.id:
                    merged[message.id] = message
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Moved in place when it is whole: several processes may start at once.
    handle, name = tempfile.mkstemp(dir=target.parent)
    with os.fdopen(handle, "wb") as file:
        write_mo(file, merged)
    Path(name).replace(target)
