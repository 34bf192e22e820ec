"""Where versions come from and what they are used for: the runs that logged them, and those that used them."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from projects.models import Run, User
from registries.models import Artifact, ArtifactState, ArtifactUse


def use(artifact: Artifact, *, run: Run, at: datetime) -> bool:
    """Note that the run uses the version; False if that is known already.

    Raises:
        ValidationError: the version is not complete.
    """
    if artifact.state != ArtifactState.COMMITTED:
        raise ValidationError(f"{artifact} is not complete; a run can use it once it is logged.")
    _, created = ArtifactUse.objects.get_or_create(run=run, artifact=artifact, defaults={"created_at": at})
    return created


def named_by_client(client_id: str, user: User) -> Artifact | None:
    """The version that a client named so, or the newest of the collection it named so, before either had an id."""
    if not client_id or "\x00" in client_id:
        return None
    visible = Artifact.objects.visible_to(user).order_by("-pk")
    return visible.filter(client_id=client_id).first() or visible.filter(sequence_client_id=client_id).first()


def users_of(artifact: Artifact, user: User) -> QuerySet[Run]:
    """The runs that used the version, as far as the user may see them, the newest first."""
    return Run.objects.visible_to(user).filter(artifact_uses__artifact=artifact).order_by("-artifact_uses__pk")


def inputs_of(run: Run, user: User) -> QuerySet[Artifact]:
    """The versions the run used, as far as the user may see them, in the order of use."""
    return Artifact.objects.visible_to(user).filter(uses__run=run).order_by("uses__pk")


def outputs_of(run: Run, user: User) -> QuerySet[Artifact]:
    """The versions the run logged, as far as the user may see them, the oldest first."""
    return Artifact.objects.visible_to(user).filter(run=run).order_by("pk")
