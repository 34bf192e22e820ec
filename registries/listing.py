"""What the lists of registries, collections and versions show: read once for all rows, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from projects.models import Organization, OrganizationMember, Project, Role, Run, TeamMember, User
from registries.access import VERSION_NUMBER, memberships_of
from registries.models import (
    Alias,
    ArtifactUse,
    Collection,
    CollectionKind,
    Membership,
    Registry,
    RegistryMember,
    RegistryTeam,
    Visibility,
)

MEMBER_ROLES = (Role.MEMBER, Role.ADMIN)
MOST_WORDS = 8


def registries_of(user: User) -> QuerySet[Registry]:
    """The registries the user may see, with `collection_count` and `link_count`, by organization and name."""
    collections = Collection.objects.filter(registry=OuterRef("pk")).order_by().values("registry")
    links = Membership.objects.filter(collection__registry=OuterRef("pk")).order_by()
    return (
        Registry.objects.visible_to(user)
        .select_related("organization")
        .annotate(
            collection_count=Coalesce(Subquery(collections.annotate(n=Count("pk")).values("n")), 0),
            link_count=Coalesce(Subquery(links.values("collection__registry").annotate(n=Count("pk")).values("n")), 0),
        )
        .order_by("organization__name", "name")
    )


def collections_in(home: Project | Registry, *, search: str = "") -> QuerySet[Collection]:
    """The collections of a project or registry by type and name, with `version_count`, `latest_index`, `latest_at`."""
    rows = Collection.objects.filter(**({"project": home} if isinstance(home, Project) else {"registry": home}))
    if search:
        rows = rows.filter(name__icontains=search)
    versions = Membership.objects.filter(collection=OuterRef("pk")).order_by().values("collection")
    return rows.annotate(
        version_count=Coalesce(Subquery(versions.annotate(n=Count("pk")).values("n")), 0),
        latest_index=Subquery(versions.annotate(n=Max("version_index")).values("n")),
        latest_at=Subquery(versions.annotate(at=Max("created_at")).values("at")),
    ).order_by("type", "name")


def with_aliases(collections: Sequence[Collection], home: Project | Registry) -> list[tuple[Collection, list[str]]]:
    """Each collection with the names of its aliases; the collections know where they are."""
    names: dict[int, list[str]] = defaultdict(list)
    for alias in Alias.objects.filter(collection__in=[row.pk for row in collections]).order_by("name"):
        names[alias.collection_id].append(alias.name)
    for row in collections:
        if isinstance(home, Project):
            row.project = home
        else:
            row.registry = home
    return [(row, names[row.pk]) for row in collections]


def latest_of(collection: Collection) -> int | None:
    """The number of the version that is `latest`; None in an empty collection."""
    latest: int | None = collection.memberships.aggregate(index=Max("version_index"))["index"]
    return latest


def versions_logged_by(run: Run) -> QuerySet[Membership]:
    """The versions a run logged, in the collections it logged them to, the newest first."""
    return (
        Membership.objects.filter(artifact__run=run, collection__project=run.project_id)
        .select_related("collection__project__team", "artifact")
        .prefetch_related("aliases")
        .order_by("-pk")
    )


def versions_used_by(run: Run, user: User) -> list[Membership]:
    """The versions a run used, as far as the user may see them, in the order of use."""
    used = list(ArtifactUse.objects.filter(run=run).order_by("pk").values_list("artifact_id", flat=True))
    places = places_of(used, user)
    return [places[artifact] for artifact in used if artifact in places]


def places_of(artifacts: Iterable[int], user: User) -> dict[int, Membership]:
    """Each version where it was logged, or, if the user may not see that, where it was linked first."""
    places = (
        Membership.objects.filter(artifact__in=list(artifacts), collection__in=Collection.objects.visible_to(user))
        .select_related("collection__project__team", "collection__registry__organization", "artifact__collection")
        .prefetch_related("aliases")
        .order_by("pk")
    )
    first: dict[int, Membership] = {}
    for place in places:
        if place.artifact_id not in first or not place.is_link:
            first[place.artifact_id] = place
    return first


def other_places_of(membership: Membership, user: User) -> QuerySet[Membership]:
    """Where else the same version is, as far as the user may see: its source, and its links."""
    return (
        Membership.objects.filter(artifact=membership.artifact_id, collection__in=Collection.objects.visible_to(user))
        .exclude(pk=membership.pk)
        .select_related("collection__project__team", "collection__registry__organization")
        .prefetch_related("aliases")
        .order_by("pk")
    )


def collections_open_to(user: User, *, type: str) -> QuerySet[Collection]:
    """The registry collections of this type that the user may link versions to."""
    return (
        Collection.objects.filter(registry__in=registries_open_to(user), type=type)
        .select_related("registry__organization")
        .order_by("registry__organization__name", "registry__name", "name")
    )


def linkable_into(collection: Collection, user: User, *, search: str = "", count: int) -> list[Membership]:
    """Versions that the user sees and that could be linked to a registry's collection, the newest first. Each word of
    the search is in the name of the team, project or collection or is an alias; or it is a number such as v3."""
    assert collection.registry is not None  # links between projects are made by scripts
    organization = collection.registry.organization_id
    versions = Membership.objects.filter(
        Q(collection__project__team__organization=organization) | Q(collection__project__team__organization=None),
        collection__project__in=Project.objects.visible_to(user),
        collection__kind=CollectionKind.SEQUENCE,
        collection__type=collection.type,
    )
    for word in search.replace("/", " ").replace(":", " ").split()[:MOST_WORDS]:
        named = Q(collection__project__team__name__icontains=word) | Q(collection__project__name__icontains=word)
        named |= Q(collection__name__icontains=word)
        named |= Q(pk__in=Alias.objects.filter(name__icontains=word).values("membership"))
        number = VERSION_NUMBER.match(word)
        versions = versions.filter(named | Q(version_index=int(number[1])) if number else named)
    listed = versions.select_related("collection__project__team", "artifact").prefetch_related("aliases")
    return list(listed.order_by("-pk")[:count])


def linked_in(collection: Collection, artifacts: Iterable[int]) -> dict[int, Membership]:
    """Of these versions those that are in the collection already, by the artifact."""
    rows = Membership.objects.filter(collection=collection, artifact__in=list(artifacts))
    return {row.artifact_id: row for row in rows}


def registries_open_to(user: User) -> QuerySet[Registry]:
    """The registries whose collections the user may change: the same roles as `access.role_in`, for many at once."""
    registries = Registry.objects.visible_to(user)
    if user.is_superuser:
        return registries
    administered = OrganizationMember.objects.filter(user=user, role=Role.ADMIN).values("organization")
    own = OrganizationMember.objects.filter(user=user, role__in=MEMBER_ROLES).values("organization")
    by_team = TeamMember.objects.filter(user=user, role__in=MEMBER_ROLES).values("team__organization")
    here = RegistryMember.objects.filter(user=user, role__in=MEMBER_ROLES).values("registry")
    teams = TeamMember.objects.filter(user=user, role__in=MEMBER_ROLES).values("team")
    here_by_team = RegistryTeam.objects.filter(team__in=teams, role__in=MEMBER_ROLES).values("registry")
    by_membership = Q(organization__in=own) | Q(organization__in=by_team)
    return registries.filter(
        Q(organization__in=administered)
        | Q(pk__in=here)
        | Q(pk__in=here_by_team)
        | Q(by_membership, visibility=Visibility.ORGANIZATION)
    )


def organizations_administered_by(user: User) -> QuerySet[Organization]:
    """The organizations in which the user may create registries."""
    if user.is_superuser:
        return Organization.objects.all()
    return Organization.objects.filter(memberships__user=user, memberships__role=Role.ADMIN)


def membership_seen_by(user: User, pk: int) -> Membership | None:
    """A version in a collection that the user may see, with all that its page shows."""
    collection = Collection.objects.visible_to(user).filter(memberships__pk=pk).first()
    return memberships_of(collection).filter(pk=pk).first() if collection else None
