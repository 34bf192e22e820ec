"""Protected aliases in the API."""

from collections.abc import Callable

from rest_framework.test import APIClient

from projects.models import Project, User
from registries.models import Registry
from tests import factories

Api = Callable[[User | None], APIClient]
ADDRESS = "/api/registries/acme/models/protected-aliases/"


def test_admins_protect_aliases_and_members_are_refused(
    project: Project, registry: Registry, alice: User, bob: User, api: Api
) -> None:
    admin, member = api(alice), api(bob)
    assert admin.post(ADDRESS, {"alias": "production"}).status_code == 201
    assert admin.post(ADDRESS, {"alias": "production"}).status_code == 200
    assert member.get(ADDRESS).json()["results"] == [{"alias": "production"}]

    shelf = factories.make_collection(registry)
    factories.make_link(factories.make_version(project), shelf, user=alice, aliases=["production"])
    version = "/api/registries/acme/models/collections/classifier/versions/v0/"
    for answer in (
        member.post(f"{version}aliases/", {"alias": "production"}),
        member.delete(f"{version}aliases/production/"),
        member.delete(version),
        member.post(ADDRESS, {"alias": "golden"}),
        member.delete(f"{ADDRESS}production/"),
    ):
        assert answer.status_code == 403, answer.json()
    assert "only admins of the registry may change protected" in member.delete(version).json()["detail"]


def test_protection_ends(registry: Registry, alice: User, charlie: User, api: Api) -> None:
    admin = api(alice)
    assert admin.post(ADDRESS, {"alias": "v1"}).status_code == 400
    admin.post(ADDRESS, {"alias": "production"})
    assert api(charlie).get(ADDRESS).status_code == 404
    assert admin.delete(f"{ADDRESS}production/").status_code == 204
    assert admin.delete(f"{ADDRESS}production/").status_code == 404
