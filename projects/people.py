"""Who knows whom: people are shown to those they share a team or an organization with, and to nobody else."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Prefetch, Q, QuerySet

from projects.models import Organization, OrganizationMember, Team, TeamMember, User


def known_to(user: User) -> QuerySet[User]:
    """The people the user may see: everybody to an admin of the server; without accounts that were closed."""
    everybody = User.objects.filter(is_active=True)
    if user.is_superuser:
        return everybody
    organizations = Organization.objects.visible_to(user)
    in_teams = TeamMember.objects.filter(
        Q(team__in=Team.objects.visible_to(user)) | Q(team__organization__in=organizations)
    )
    in_organizations = OrganizationMember.objects.filter(organization__in=organizations)
    return everybody.filter(
        Q(pk=user.pk) | Q(pk__in=in_teams.values("user")) | Q(pk__in=in_organizations.values("user"))
    )


def in_organization(organization: Organization) -> QuerySet[User]:
    """The people who are in the organization, by themselves or through one of its teams."""
    return User.objects.filter(
        Q(pk__in=OrganizationMember.objects.filter(organization=organization).values("user"))
        | Q(pk__in=TeamMember.objects.filter(team__organization=organization).values("user")),
        is_active=True,
    )


def found(text: str, *, by: User) -> QuerySet[User]:
    """People whose user name or e-mail address holds the text, who fit exactly first; with `shown_memberships`."""
    people = known_to(by)
    if "\x00" in text:  # which PostgreSQL cannot even be asked for
        return people.none()
    exact = Q(username__iexact=text) | Q(email__iexact=text)
    if people.filter(exact).exists():
        people = people.filter(exact)
    else:
        people = people.filter(Q(username__icontains=text) | Q(email__icontains=text))
    return people.prefetch_related(teams_shown_to(by)).order_by("username")


def teams_shown_to(user: User) -> Prefetch:
    """Fetches into `shown_memberships` which teams people are in, as far as the user may see these teams."""
    shown = TeamMember.objects.filter(team__in=Team.objects.visible_to(user)).select_related("team")
    return Prefetch("team_memberships", queryset=shown.order_by("team__name"), to_attr="shown_memberships")


def with_email(address: str) -> User:
    """The one person with this e-mail address.

    Raises:
        ValidationError: there is none, or more than one.
    """
    # Those who have no address are not all one and the same nobody.
    is_one = bool(address) and "\x00" not in address
    people = list(User.objects.filter(email__iexact=address, is_active=True)[:2]) if is_one else []
    if len(people) != 1:
        several = "More than one person has" if people else "Nobody has"
        raise ValidationError({"email": f"{several} the e-mail address “{address}”. Name the user instead."})
    return people[0]
