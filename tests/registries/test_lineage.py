"""Which run logged a version and which used it, as far as one may see those runs."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError

from projects.models import Project, User
from registries import lineage, versions
from registries.models import ArtifactUse
from tests import factories, uploading

AT = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_run_uses_a_version_once(project: Project, alice: User) -> None:
    version = factories.make_version(project)
    first, second = factories.make_run(project), factories.make_run(project)

    assert lineage.use(version.artifact, run=first, at=AT)
    assert not lineage.use(version.artifact, run=first, at=AT)
    assert lineage.use(version.artifact, run=second, at=AT)

    assert list(lineage.users_of(version.artifact, alice)) == [second, first]
    assert list(lineage.inputs_of(first, alice)) == [version.artifact]
    assert ArtifactUse.objects.count() == 2


def test_what_a_run_logged_are_its_outputs(project: Project, alice: User) -> None:
    run = factories.make_run(project)
    logged = [factories.make_version(project, name, run=run).artifact for name in ("a", "b")]
    uploading.begin(project, by=alice, run=run)
    deleted = factories.make_version(project, "c", run=run)
    versions.delete(deleted.artifact, with_aliases=True, by=alice, at=AT)

    assert list(lineage.outputs_of(run, alice)) == logged


def test_lineage_stops_where_one_may_not_look(project: Project, alice: User, charlie: User) -> None:
    version = factories.make_version(project)
    own = factories.make_run(factories.make_project(alice.personal_team), user=alice)
    lineage.use(version.artifact, run=own, at=AT)

    assert list(lineage.users_of(version.artifact, alice)) == [own]
    assert not lineage.users_of(version.artifact, charlie).exists()
    assert not lineage.inputs_of(own, charlie).exists()


def test_only_a_complete_version_is_used(project: Project, alice: User) -> None:
    with pytest.raises(ValidationError, match="not complete"):
        lineage.use(uploading.begin(project, by=alice), run=factories.make_run(project), at=AT)


def test_a_version_is_found_by_the_names_its_client_gave(project: Project, alice: User, charlie: User) -> None:
    version = uploading.log(project, {}, by=alice, client_id="c1", sequence_client_id="s1")
    newer = uploading.log(project, {}, by=alice, client_id="c2", sequence_client_id="s1")

    assert lineage.named_by_client("c1", alice) == version.artifact
    assert lineage.named_by_client("s1", alice) == newer.artifact
    assert lineage.named_by_client("c1", charlie) is None
    assert lineage.named_by_client("", alice) is None
