"""What operators provision, and what the first start makes."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from projects import keys
from projects.models import Organization, OrganizationMember, Project, Team, TeamMember, User
from projects.provisioning import CannotProvision, Request, first_start, provision
from registries.models import Registry, RegistryMember
from tests import factories

KEY = "local-" + "0123456789abcdef" * 3
EVERYTHING: dict[str, Any] = {
    "organization": "acme",
    "team": "research",
    "project": "digits",
    "user": "alice",
    "role": "admin",
    "password": factories.PASSWORD,
    "api_key": KEY,
}


def counts() -> list[int]:
    models = (Organization, Team, Project, User, OrganizationMember, TeamMember)
    return [model.objects.count() for model in models]


@pytest.fixture
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.mark.django_db
def test_everything_asked_for_is_made() -> None:
    outcome = provision(Request(**EVERYTHING))

    alice = User.objects.get(username="alice")
    team = Team.objects.get(name="research")
    assert team.organization == Organization.objects.get(name="acme")
    assert team.memberships.get(user=alice).role == "admin"
    assert Project.objects.get(team=team).name == "digits"
    assert alice.check_password(factories.PASSWORD)
    assert keys.user_of(KEY) == alice
    assert not alice.is_superuser
    assert "Made organization acme." in outcome.sentences
    assert outcome.made_up == {}


@pytest.mark.django_db
def test_asking_again_changes_nothing() -> None:
    provision(Request(**EVERYTHING))
    before, password = counts(), User.objects.get(username="alice").password

    outcome = provision(Request(**EVERYTHING))

    assert counts() == before
    assert User.objects.get(username="alice").password == password
    assert all("already" in sentence for sentence in outcome.sentences), outcome.sentences


@pytest.mark.django_db
def test_a_role_without_a_team_is_the_one_in_the_organization() -> None:
    provision(Request(organization="acme", user="alice", role="admin"))

    assert OrganizationMember.objects.get(user__username="alice").role == "admin"


@pytest.mark.django_db
def test_a_role_with_a_team_leaves_the_organization_alone() -> None:
    provision(Request(organization="acme", team="research", user="bob", role="view-only"))

    assert TeamMember.objects.get(team__name="research").role == "view-only"
    assert not OrganizationMember.objects.exists()


@pytest.mark.django_db
def test_a_role_is_changed_only_when_one_is_given(team: Team, bob: User) -> None:
    provision(Request(team="research", user="bob"))
    assert team.memberships.get(user=bob).role == "member"

    outcome = provision(Request(team="research", user="bob", role="admin"))
    assert team.memberships.get(user=bob).role == "admin"
    assert "bob is now an admin of research (was a member)." in outcome.sentences


@pytest.mark.django_db
def test_a_new_user_without_a_password_is_told_so() -> None:
    outcome = provision(Request(user="alice"))

    assert not User.objects.get().has_usable_password()
    assert "alice has no password and cannot sign in to the pages; give one with --password." in outcome.sentences


@pytest.mark.django_db
def test_a_password_and_a_key_are_made_up_once() -> None:
    asked = Request(user="alice", password=True, api_key=True)
    made_up = provision(asked).made_up

    alice = User.objects.get()
    assert alice.check_password(made_up["password"])
    assert keys.user_of(made_up["api key"]) == alice
    assert provision(asked).made_up == {}
    assert alice.api_keys.count() == 1


@pytest.mark.django_db
def test_another_password_replaces_the_old_one(alice: User) -> None:
    provision(Request(user="alice", password="another long password"))

    alice.refresh_from_db()
    assert alice.check_password("another long password")


@pytest.mark.django_db
def test_a_weak_password_is_set_and_called_weak() -> None:
    outcome = provision(Request(user="alice", password="12345"))

    assert User.objects.get().check_password("12345")
    assert any(sentence.startswith("The password is weak: ") for sentence in outcome.sentences)


@pytest.mark.django_db
def test_a_superuser_may_enter_the_admin() -> None:
    provision(Request(user="alice", superuser=True))
    provision(Request(user="alice"))

    alice = User.objects.get()
    assert alice.is_superuser
    assert alice.is_staff


@pytest.mark.django_db
def test_a_personal_team_can_have_a_project() -> None:
    provision(Request(user="alice", team="alice", project="scratch"))

    assert str(Project.objects.get()) == "alice/scratch"
    assert TeamMember.objects.get().role == "admin"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (Request(), "Nothing was asked for"),
        (Request(superuser=True), "Nothing was asked for"),
        (Request(organization="acme", role="admin"), "--role needs --user"),
        (Request(organization="acme", password="x"), "--password needs --user"),
        (Request(organization="acme", api_key=KEY), "--api-key needs --user"),
        (Request(organization="acme", superuser=True), "--superuser needs --user"),
        (Request(user="charlie", role="admin"), "--role needs --team or --organization"),
        (Request(organization="acme", project="digits"), "--project needs --team"),
        (Request(organization="acme", user="charlie", role="boss"), "There is no role “boss”"),
        (Request(user="charlie", password=""), "The password is empty"),
        (Request(user="charlie", team="nowhere"), "There is no team “nowhere”"),
        (Request(user="charlie", organization="no spaces"), "Organization “no spaces” cannot be made"),
        (Request(user="charlie", organization="acme", team="api"), "is the address of a page"),
        (Request(organization="acme", team="research", project="a/b"), "Project “a/b” cannot be made"),
        (Request(organization="acme", user="login"), "User “login” cannot be made"),
        (Request(organization="acme", user="research"), "There is a team or a user with this name already."),
        (Request(organization="other", team="research"), "Team research belongs to organization acme"),
        (Request(organization="acme", user="charlie", team="charlie"), "Team charlie is a personal team"),
        (Request(user="charlie", team="alice"), "alice is a personal team"),
        (Request(user="alice", team="alice", role="member"), "alice is a personal team"),
        (Request(organization="other", user="charlie", api_key="short"), "An API key has 40 or more"),
        (Request(organization="other", user="charlie", api_key=KEY), "belongs to another user"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_cannot_be_made_is_said_and_leaves_nothing(
    request_: Request, sentence: str, team: Team, alice: User
) -> None:
    factories.make_api_key(alice, KEY)
    before = counts()

    with pytest.raises(CannotProvision, match=sentence):
        provision(request_)

    assert counts() == before


@pytest.mark.django_db(transaction=True)
def test_many_provisioners_at_once_make_everything_once() -> None:
    def ask(_: int) -> None:
        try:
            provision(Request(**EVERYTHING))
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(ask, range(6)))

    # Two teams: research, and alice's own.
    assert counts() == [1, 2, 1, 1, 0, 2]
    assert User.objects.get().api_keys.count() == 1


@pytest.mark.django_db
def test_the_first_start_makes_an_admin_and_a_place_to_work(data_dir: Path) -> None:
    login = first_start()

    assert login is not None
    admin = User.objects.get()
    assert (admin.username, admin.is_superuser, admin.is_staff) == ("operator", True, True)
    assert admin.check_password(login["password"])
    assert keys.user_of(login["api_key"]) == admin
    assert OrganizationMember.objects.get(organization__name="local").role == "admin"
    assert TeamMember.objects.get(team__name="research").role == "admin"
    assert str(Project.objects.get()) == "research/digits"
    assert str(Registry.objects.get()) == "local/models"
    assert RegistryMember.objects.get().user == admin


@pytest.mark.django_db
def test_the_first_login_is_written_for_the_owner_alone(data_dir: Path) -> None:
    login = first_start()

    file = data_dir / "first-login.json"
    assert json.loads(file.read_text()) == login
    assert list(json.loads(file.read_text())) == [
        *("url", "username", "password", "api_key", "organization", "team", "project")
    ]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in data_dir.iterdir()] == ["first-login.json"]


@pytest.mark.django_db
def test_where_there_is_a_user_nothing_is_made_up(data_dir: Path, alice: User) -> None:
    assert first_start() is None
    assert not list(data_dir.iterdir())
    assert not Organization.objects.exists()


@pytest.mark.django_db
def test_the_first_start_uses_what_an_operator_made_before(data_dir: Path) -> None:
    provision(Request(organization="acme", team="research", project="digits"))

    login = first_start()

    assert login is not None
    assert login["organization"] == "acme"
    assert Organization.objects.count() == 1


@pytest.mark.django_db
def test_a_first_start_that_cannot_write_the_file_makes_nothing(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "missing"

    with pytest.raises(FileNotFoundError):
        first_start()

    assert not User.objects.exists()
    assert not Organization.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_first_starts_one_makes_the_admin(data_dir: Path) -> None:
    def start(_: int) -> object:
        try:
            return first_start()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        logins = [login for login in pool.map(start, range(4)) if login]

    assert len(logins) == 1
    assert User.objects.count() == 1
    assert json.loads((data_dir / "first-login.json").read_text()) == logins[0]
