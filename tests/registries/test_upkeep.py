"""Registries opened, changed, renamed and deleted; and projects that registries have versions of."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404
from django.utils import timezone

from projects import teams
from projects.events import Fact
from projects.models import Organization, Project, Role, Team, User
from registries import curation, labels, upkeep
from registries.models import Artifact, Membership, Registry, RegistryMember, Visibility
from tests import factories
from tests.rivals import raised_by_loser


@pytest.fixture
def olga(team: Team) -> User:
    """Admin of the organization acme."""
    olga = factories.make_user("olga")
    teams.set_organization_role(olga, organization=Organization.objects.get(), role=Role.ADMIN)
    return olga


def test_whoever_opens_a_registry_is_its_admin(olga: User) -> None:
    opened = upkeep.open_registry(
        Organization.objects.get(), "shelf", by=olga, visibility=Visibility.RESTRICTED, accept=["model"]
    )

    assert RegistryMember.objects.get(registry=opened, user=olga).role == Role.ADMIN
    assert opened.visibility == Visibility.RESTRICTED
    assert [accepted.name for accepted in opened.accepted_types.all()] == ["model"]


def test_a_registry_that_cannot_be_as_asked_is_not_opened(olga: User) -> None:
    for wrong in ({"visibility": "secret"}, {"accept": ["a/b"]}):
        with pytest.raises(ValidationError):
            upkeep.open_registry(Organization.objects.get(), "shelf", by=olga, **wrong)  # type: ignore[arg-type]

    assert not Registry.objects.exists()


def test_what_is_for_admins_of_the_organization(registry: Registry, alice: User) -> None:
    """Alice is an admin of the registry alone."""
    with pytest.raises(PermissionDenied, match="create registries in acme"):
        upkeep.open_registry(registry.organization, "shelf", by=alice)
    with pytest.raises(PermissionDenied, match="change who sees registries"):
        upkeep.change(registry, by=alice, visibility=Visibility.RESTRICTED)
    with pytest.raises(PermissionDenied, match="delete registries"):
        upkeep.delete(registry, by=alice)

    assert upkeep.change(registry, by=alice, visibility=Visibility.ORGANIZATION, description="x").description == "x"


def test_what_is_for_admins_of_the_registry(registry: Registry, bob: User) -> None:
    with pytest.raises(PermissionDenied, match="change the registry"):
        upkeep.change(registry, by=bob, description="mine")
    with pytest.raises(PermissionDenied, match="change the registry"):
        upkeep.rename(registry, "mine", by=bob)


def test_a_name_is_taken_once(registry: Registry, alice: User) -> None:
    factories.make_registry(registry.organization, "taken")

    with pytest.raises(ValidationError):
        upkeep.rename(registry, "taken", by=alice)
    with pytest.raises(ValidationError):
        upkeep.change(Registry.objects.get(name="models"), by=alice, name="a/b", description="x")

    assert {(one.name, one.description) for one in Registry.objects.all()} == {("models", ""), ("taken", "")}


def test_a_deleted_registry_leaves_the_versions_where_they_were_logged(
    registry: Registry, project: Project, olga: User
) -> None:
    factories.make_link(factories.make_version(project), factories.make_collection(registry))
    factories.make_automation(registry, "LINK_MODEL")

    upkeep.delete(registry, by=olga)

    assert not Registry.objects.exists()
    assert Artifact.objects.count() == Membership.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_registries_renamed_alike_at_once_one_gets_the_name() -> None:
    admin = factories.make_user("olga", superuser=True)
    rivals = iter([factories.make_registry(name=name, admin=admin) for name in ("one", "two")])

    def rename() -> object:
        return upkeep.rename(next(rivals), "best", by=admin)

    assert isinstance(raised_by_loser(rename, over=Registry), ValidationError)
    assert sorted(Registry.objects.values_list("name", flat=True).filter(name="best")) == ["best"]


def test_a_project_takes_no_protected_alias_with_it(
    project: Project, team: Team, registry: Registry, alice: User, facts: list[Fact]
) -> None:
    """Dora is an admin of the team, Alice of the registry as well."""
    dora = factories.make_user("dora")
    teams.set_role(dora, team=team, role=Role.ADMIN)
    link = factories.make_link(factories.make_version(project), factories.make_collection(registry), user=alice)
    curation.protect_alias(registry, "production", by=None)
    labels.add_alias(link, "production", by=alice, at=timezone.now())
    facts.clear()

    with pytest.raises(PermissionDenied, match="production"):
        upkeep.delete_project(project, by=dora, at=timezone.now())
    assert (Project.objects.count(), Membership.objects.count(), facts) == (1, 2, [])

    upkeep.delete_project(project, by=alice, at=timezone.now())
    assert [(fact.kind, fact.scopes.registry) for fact in facts] == [("UNLINK_ARTIFACT", registry.pk)]
    assert (Project.objects.count(), Membership.objects.count()) == (0, 0)


def test_only_admins_of_the_team_delete_its_projects(project: Project, bob: User, charlie: User) -> None:
    with pytest.raises(PermissionDenied):
        upkeep.delete_project(project, by=bob, at=timezone.now())
    with pytest.raises(Http404):
        upkeep.delete_project(project, by=charlie, at=timezone.now())
    assert Project.objects.exists()
