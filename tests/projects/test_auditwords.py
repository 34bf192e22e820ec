"""The audit log in words: every deed, kind and field has some, in both languages."""

import pytest
from django.utils import translation

from automations_site import collecting
from projects import audit, auditwords
from projects.audit import Deed
from projects.models import AuditRecord, Team

TRANSLATED = {word for _context, word in collecting.translations()}


@pytest.mark.parametrize("deed", Deed)
def test_every_deed_is_said(deed: Deed) -> None:
    record = AuditRecord(kind="secret", deed=deed, object_name="TOKEN <b>")
    assert auditwords.sentence(record) == f"{deed} secret <b>TOKEN &lt;b&gt;</b>"


def test_kinds_and_fields_are_in_the_catalogues() -> None:
    fields = {field for kind in audit.KINDS.values() for field in kind.fields} - audit.WORDINGS.keys()
    words = set(audit.KINDS) | {field.replace("_", " ") for field in fields}
    assert words - TRANSLATED == set()


def test_ui6_a_record_is_read_in_japanese(team: Team) -> None:
    record = AuditRecord(kind="secret", deed="rotated", object_name="TOKEN", after={"old_value_until": None})
    with translation.override("ja"):
        assert auditwords.sentence(record) == "シークレット <b>TOKEN</b> をローテーション"
        (difference,) = audit.differences(record)
    assert (difference.field, difference.after) == ("古い値の期限", "なし")
