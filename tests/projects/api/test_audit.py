"""The audit log over REST: of a team and of an organization, filtered, for admins."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from projects import members
from projects.models import Role, Team, User
from tests import factories

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
LOG = "/api/teams/research/audit/"


@pytest.fixture(autouse=True)
def changed(team: Team, alice: User, bob: User) -> None:
    members.change_role(team.memberships.get(user=bob), role=Role.VIEW_ONLY, by=alice)


def test_admins_read_the_log_newest_first(api: Api, alice: User) -> None:
    newest = api(alice).get(LOG).json()["results"][0]
    del newest["at"], newest["object_id"]
    assert newest == {
        "actor": "alice",
        "team": "research",
        "place": "research",
        "kind": "member",
        "deed": "changed",
        "object_name": "bob",
        "before": {"role": "member"},
        "after": {"role": "view-only"},
    }


def test_the_log_is_filtered(api: Api, alice: User) -> None:
    def found(**filters: str) -> int:
        answer = api(alice).get(LOG, filters)
        assert answer.status_code == 200, answer.json()
        return len(answer.json()["results"])

    assert found(actor="alice", kind="member") == 1
    assert found(actor="nobody") == 0
    assert found(until="2020-01-01T00:00:00Z") == 0
    assert api(alice).get(LOG, {"since": "yesterday"}).status_code == 400


def test_az1_others_do_not_read_it(api: Api, bob: User, charlie: User) -> None:
    assert api(bob).get(LOG).status_code == 403
    assert api(charlie).get(LOG).status_code == 404
    assert api(bob).get("/api/organizations/acme/audit/").status_code == 403
    assert api(charlie).get("/api/organizations/acme/audit/").status_code == 404


def test_an_organizations_admins_read_the_log_of_all_its_teams(api: Api) -> None:
    boss = factories.make_user("dana")
    factories.make_organization(admin=boss)
    rows = api(boss).get("/api/organizations/acme/audit/").json()["results"]
    assert {row["team"] for row in rows} == {"research", None}
