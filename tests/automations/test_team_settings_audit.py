"""The pages of the audit log: for admins, filtered by person, kind and day."""

import csv

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from projects import audit, members
from projects.models import AuditRecord, Role, Team, User
from tests import factories

pytestmark = pytest.mark.django_db


def opened(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def url(team: Team, alice: User, bob: User) -> str:
    """The log, after alice made bob an admin, and bob made a secret."""
    members.change_role(team.memberships.get(user=bob), role=Role.ADMIN, by=alice)
    page = opened(bob)
    page.post(reverse("team_settings_create_secret", args=[team.name]), {"name": "TOKEN", "value": "canary-77"})
    return reverse("team_settings_audit", args=[team.name])


def shown(user: User, url: str, **filters: str) -> str:
    text = opened(user).get(url, filters).content.decode()
    return " ".join(text.partition('id="audit-records"')[2].split())


def test_the_page_tells_who_did_what_before_and_after(url: str, alice: User) -> None:
    page = shown(alice, url)
    assert "changed member <b>bob</b>" in page
    assert "<del>member</del> → admin" in page
    assert "created secret <b>TOKEN</b>" in page
    assert "canary-77" not in page


def test_filters_by_person_kind_and_day(url: str, alice: User) -> None:
    today = f"{timezone.now():%Y-%m-%d}"
    assert "TOKEN" in shown(alice, url, actor="bob", kind="secret", since=today, until=today)
    assert "TOKEN" not in shown(alice, url, actor="alice")
    assert "TOKEN" not in shown(alice, url, kind="member")
    assert "No change matches" in shown(alice, url, until="2020-01-01")
    # What makes no sense is left out.
    assert "TOKEN" in shown(alice, url, since="yesterday", until="2026-13-77", kind="nonsense", page="x")
    # There is no day after the last.
    assert "TOKEN" in shown(alice, url, until="9999-12-31")


def test_a_log_of_many_changes_has_pages(url: str, team: Team, alice: User) -> None:
    AuditRecord.objects.bulk_create(
        AuditRecord(team=team, kind="member", deed="added", object_name=f"guest{number}") for number in range(60)
    )
    assert "guest59" in shown(alice, url)
    assert "guest0<" in shown(alice, url, page="2")


def test_az1_who_is_no_admin_reads_no_log(url: str, team: Team, charlie: User) -> None:
    viewer = factories.make_user("dana")
    factories.make_team(viewer=viewer)
    assert opened(viewer).get(url).status_code == 403
    assert opened(charlie).get(url).status_code == 404
    assert "Audit log" not in opened(viewer).get(reverse("team_settings", args=[team.name])).content.decode()


def test_team_settings_show_the_newest_changes_to_admins(url: str, team: Team, alice: User) -> None:
    page = opened(alice).get(reverse("team_settings", args=[team.name])).content.decode()
    assert "created secret <b>TOKEN</b>" in page
    assert url in page
    assert reverse("organization_audit", args=["acme"]) not in page


def test_admins_of_an_organization_find_the_log_of_all_its_teams(url: str, team: Team) -> None:
    boss = factories.make_user("dana")
    factories.make_organization(admin=boss)
    whole = reverse("organization_audit", args=["acme"])
    assert whole in opened(boss).get(reverse("team_settings", args=[team.name])).content.decode()

    page = shown(boss, whole)
    assert "added organization member <b>dana</b>" in page
    assert "created secret <b>TOKEN</b>" in page


def test_a_change_in_the_django_admin_is_recorded_by_the_names_of_its_fields(team: Team, operator: Client) -> None:
    url = reverse("admin:projects_team_change", args=[team.pk])
    rows = {f"memberships-{name}_FORMS": "0" for name in ("TOTAL", "INITIAL", "MIN_NUM", "MAX_NUM")}
    fields = {
        "name": team.name,
        "organization": team.organization_id,
        "members_edit_automations": "on",
        "language": "en",
    }
    assert operator.post(url, {**fields, **rows}).status_code == 302

    record = AuditRecord.objects.first()
    assert record is not None
    assert str(record) == "operator changed admin page Team: research"
    assert record.team == team
    assert "edit automations" in record.after["change"]


def test_times_and_answers_are_told_in_words(url: str, team: Team, alice: User) -> None:
    AuditRecord.objects.create(
        team=team,
        kind="automation",
        deed="snoozed",
        object_name="Loss guard",
        before={"snoozed_until": None},
        after={"snoozed_until": "2026-11-26 08:30:00.123456+00:00"},
    )
    AuditRecord.objects.create(
        team=team, kind="redelivery", deed="asked for", object_name="in digits", after={"for_real": False}
    )
    page = shown(alice, url)
    assert "snoozed until: <del>none</del> → 2026-11-26 08:30 UTC" in page
    assert "rehearsals in shadow mode: are left out" in page
    assert "for real" not in page


def test_the_log_is_exported_as_it_is_filtered(url: str, alice: User) -> None:
    client = opened(alice)
    answer = client.get(f"{url}.csv", {"kind": "member"})
    assert answer["Content-Disposition"] == 'attachment; filename="research-audit.csv"'
    rows = list(csv.reader(b"".join(answer.streaming_content).decode().splitlines()))  # type: ignore[attr-defined]
    assert rows[0] == ["at", "actor", "place", "deed", "kind", "object", "before", "after"]
    changed = next(row for row in rows if row[3] == "changed")
    assert changed[1:] == ["alice", "research", "changed", "member", "bob", '{"role": "member"}', '{"role": "admin"}']
    assert all(row[4] == "member" for row in rows[1:])
    assert f"{url}.csv?kind=member" in client.get(url, {"kind": "member"}).content.decode()


def test_a_long_log_is_exported_whole_and_in_order(url: str, team: Team, alice: User) -> None:
    AuditRecord.objects.all().delete()
    AuditRecord.objects.bulk_create(
        AuditRecord(team=team, kind="member", deed="added", object_name=f"g{number}")
        for number in range(2 * audit.READ_AT_ONCE)
    )
    rows = [
        row[5] for row in csv.reader(b"".join(opened(alice).get(f"{url}.csv").streaming_content).decode().splitlines())
    ]  # type: ignore[attr-defined]
    assert rows[1:] == [f"g{number}" for number in reversed(range(2 * audit.READ_AT_ONCE))]


def test_a_cell_that_a_spreadsheet_would_run_is_text(url: str, team: Team, alice: User) -> None:
    AuditRecord.objects.create(team=team, kind="project", deed="created", object_name="=HYPERLINK(1)")
    content = b"".join(opened(alice).get(f"{url}.csv").streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=HYPERLINK(1)" in content


def test_members_and_strangers_export_nothing(url: str, team: Team, bob: User, charlie: User) -> None:
    """AZ1, AZ2"""
    team.memberships.filter(user=bob).update(role=Role.MEMBER)
    assert opened(bob).get(f"{url}.csv").status_code == 403
    assert opened(charlie).get(f"{url}.csv").status_code == 404
    assert opened(charlie).get("/orgs/acme/audit.csv").status_code == 404
