"""The admin: a page for every model, the same checks as elsewhere, history only shown, secrets never."""

import math
from datetime import timedelta
from io import BytesIO

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from automations import editing, notices
from automations.models import (
    Allowance,
    Attempt,
    Automation,
    AutomationSwitch,
    AutomationVersion,
    ChannelPost,
    Content,
    Cooldown,
    Digest,
    Event,
    Execution,
    HeldFor,
    Notice,
    NoticeKind,
    NoticeMail,
    NoticeReading,
    Purge,
    Redelivery,
    SlackChannel,
    SlackWorkspace,
    WebhookHeader,
)
from projects import alerts, console, drawing, invitations, metrics, run_table, runfiles, storage
from projects.models import (
    AlertLevel,
    AuditRecord,
    Blob,
    ChosenColumns,
    ConsoleChunk,
    DrawnUpTo,
    Invitation,
    MetricChunk,
    MetricCurve,
    MetricWindow,
    Organization,
    Project,
    Role,
    Run,
    RunAlert,
    RunFile,
    Team,
    User,
)
from projects.models.history import Stream
from registries import curation, labels, lineage, roster
from registries.models import (
    Alias,
    Artifact,
    ArtifactFile,
    ArtifactManifest,
    ArtifactUse,
    Collection,
    CollectionTag,
    Membership,
    Registry,
    RegistryMember,
    Tag,
)
from secrets_vault import secrets
from secrets_vault.models import OldValue
from tests import factories, uploading
from tests.admin_pages import page, shown

CANARY = "canary-3f9c-value-that-must-not-sing"
OURS = ("projects", "registries", "secrets_vault", "automations")
MODELS: list[type[models.Model]] = [model for label in OURS for model in apps.get_app_config(label).get_models()]
FROM_SCRIPTS = [
    MetricChunk,
    MetricCurve,
    DrawnUpTo,
    MetricWindow,
    ConsoleChunk,
    RunAlert,
    RunFile,
    Blob,
    ArtifactFile,
    ArtifactManifest,
    ArtifactUse,
]
TOLD = [Notice, NoticeMail, NoticeReading, Purge]
KEPT_FOR_SOMEBODY = [ChosenColumns]
KEPT_OF_EDITS = [AutomationVersion, AutomationSwitch]
ONLY_SHOWN = [
    Event,
    Execution,
    Attempt,
    Cooldown,
    Allowance,
    AuditRecord,
    ChannelPost,
    Digest,
    Invitation,
    OldValue,
    Redelivery,
    SlackChannel,
    SlackWorkspace,
    WebhookHeader,
    *KEPT_FOR_SOMEBODY,
    *KEPT_OF_EDITS,
    *TOLD,
    *FROM_SCRIPTS,
]
WRITTEN_BY_SCRIPTS = [Run, Artifact, Membership, Alias, Tag, CollectionTag]

by_name = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


def make_world(number: int = 0) -> None:
    """One row of every model, none shared with another world."""
    at = timezone.now()
    user = factories.make_user(f"user{number}")
    factories.make_api_key(user)
    organization = factories.make_organization(f"org{number}", admin=user)
    team = factories.make_team(f"team{number}", organization, admin=user)
    project = factories.make_project(team)
    run = factories.make_run(project, user=user)
    metrics.append(run, metrics.parse(b'[{"loss": 1.5}]'), at=at)
    drawing.catch_up(Run.objects.get(pk=run.pk), Stream.HISTORY, deadline=math.inf)
    run_table.choose_columns(project, ["loss"], reader=user)
    console.keep(run, ["hello"], first_line=0, at=at)
    alerts.raise_alert(run, title="Odd", text="", level=AlertLevel.WARN, wait=timedelta(), by=user, at=at)
    storage.receive(runfiles.upload_token(run, "notes.txt"), BytesIO(b"hi"), length=2, at=at)
    MetricWindow.objects.get_or_create(run=run, metric="acc", defaults={"capacity": 1, "next_line": 1})
    registry = factories.make_registry(organization, admin=user)
    collection = factories.make_collection(registry)
    CollectionTag.objects.create(collection=collection, name="reviewed")
    version = factories.make_version(project, user=user, run=run, tags=["good"])
    factories.make_link(version, collection, user=user)
    labels.add_alias(version, "production", by=user, at=at)
    lineage.use(uploading.log(project, {"w": b"1"}, by=user, collection="files").artifact, run=run, at=at)
    curation.change_registry(registry, accept=["model"])
    curation.protect_alias(registry, "production", by=None)
    roster.add(registry, teams=[team], role=Role.MEMBER, by=user)
    secret = factories.make_secret(team, value=CANARY)
    invitations.invite(team, role=Role.MEMBER, by=user, at=at)
    secrets.rotate(secret, value=CANARY, by=user, at=at, overlap=timedelta(days=1))
    webhook = factories.make_webhook(
        team, access_token=secret, secret=secret, headers={"X-Token": ("${TOKEN}", secret)}
    )
    channel = factories.make_slack_channel(team, credential=f"xoxb-{CANARY}")
    SlackWorkspace.objects.create(team=team, workspace_id=f"T{number}", name="acme", credential=channel.credential)
    automation = factories.make_automation(project, webhook=webhook)
    editing.set_enabled(automation, False, by=user)
    event = factories.make_event(run, dedupe_key=f"world:{number}")
    execution = factories.make_execution(automation, event)
    Attempt.objects.create(execution=execution, number=1, started_at=at, url=webhook.url, status_code=204)
    Redelivery.objects.create(
        project=project, asked_by=user, asked_at=at, token="once", content=Content.AS_SENT, origins=[execution.pk]
    )
    Digest.objects.create(channel=channel, reason=HeldFor.NOISE_BUDGET, opened_at=at, due_at=at)
    ChannelPost.objects.create(channel=channel, execution=execution, at=at)
    Cooldown.objects.create(automation=automation, run=run, state="failed", fired_at=at)
    notices.tell(NoticeKind.BROKEN, webhook, sentence="It failed.", at=at, execution=execution)
    notices.mark_read(Notice.objects.all(), by=user, at=at)
    NoticeMail.objects.create(notice=Notice.objects.get(webhook=webhook), user=user, said=NoticeKind.BROKEN, due_at=at)
    Purge.objects.create(started_at=at, executions_before=at, events_before=at)
    Allowance.objects.create(automation=automation, minute_began_at=at, in_minute=1, hour_began_at=at, in_hour=1)


@pytest.fixture
def world(db: None) -> None:
    make_world()


@by_name
@pytest.mark.usefixtures("world")
def test_every_model_has_its_pages_and_none_shows_a_secret(model: type[models.Model], operator: Client) -> None:
    """SE1: a canary sealed as a secret is on no page."""
    row = model._default_manager.order_by("pk").first()
    assert row is not None, "the world has none of these"
    urls = [page(model, "changelist"), page(model, "changelist") + "?q=team0", page(model, "change", row.pk)]
    if model not in ONLY_SHOWN + WRITTEN_BY_SCRIPTS:
        urls.append(page(model, "add"))

    for url in urls:
        assert CANARY not in shown(operator.get(url)), url


@by_name
@pytest.mark.usefixtures("world")
def test_a_list_asks_as_often_for_many_rows_as_for_one(model: type[models.Model], operator: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            shown(operator.get(page(model, "changelist")))
        return len(asked)

    queries()  # what is looked up once for each process, such as content types, does not count
    before = queries()
    for number in (1, 2, 3):
        make_world(number)

    assert queries() <= before


@pytest.mark.parametrize("model", ONLY_SHOWN, ids=lambda model: model.__name__)
@pytest.mark.usefixtures("world")
def test_what_happened_is_only_shown(model: type[models.Model], operator: Client) -> None:
    row = model._default_manager.first()
    assert row is not None
    count = model._default_manager.count()

    assert operator.get(page(model, "add")).status_code == 403
    assert operator.post(page(model, "change", row.pk), {}).status_code == 403
    assert operator.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    operator.post(page(model, "changelist"), chosen)
    assert model._default_manager.count() == count


@pytest.mark.parametrize("model", WRITTEN_BY_SCRIPTS, ids=lambda model: model.__name__)
@pytest.mark.usefixtures("world")
def test_what_scripts_write_is_not_edited(model: type[models.Model], operator: Client) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row is not None

    assert operator.get(page(model, "add")).status_code == 403
    assert operator.post(page(model, "change", row.pk), {}).status_code == 403


@pytest.mark.usefixtures("world")
def test_staff_who_are_not_superusers_see_nothing(client: Client) -> None:
    """AZ1: the admin is no way around the teams."""
    client.force_login(factories.make_user("bob", is_staff=True))

    assert "team0" not in shown(client.get(reverse("admin:index")))
    for model in MODELS:
        assert client.get(page(model, "changelist")).status_code == 403


@pytest.mark.usefixtures("world")
def test_a_project_is_deleted_with_all_that_is_in_it(operator: Client) -> None:
    project = Project.objects.get()

    summary = shown(operator.get(page(Project, "delete", project.pk)))
    assert "Metric chunks: 1" in summary
    assert "Executions: 1" in summary

    operator.post(page(Project, "delete", project.pk), {"post": "yes"})
    assert not Run.objects.exists()
    assert not Execution.objects.exists()
    assert LogEntry.objects.get().object_repr == "team0/digits"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("model", [Team, Project, Registry, Collection, User, Organization], ids=lambda m: m.__name__)
def test_pick_lists_ask_as_often_for_many_rows_as_for_one(operator: Client, model: type[models.Model]) -> None:
    uses: dict[type[models.Model], tuple[type[models.Model], str]] = {
        Team: (Project, "team"),
        Project: (Automation, "project"),
        Registry: (Automation, "registry"),
        Collection: (Automation, "collection"),
        User: (RegistryMember, "user"),
        Organization: (Team, "organization"),
    }
    asking, field = uses[model]
    names = {"app_label": asking._meta.app_label, "model_name": asking._meta.model_name, "field_name": field}

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert operator.get(reverse("admin:autocomplete"), names).status_code == 200
        return len(asked)

    before = queries()
    make_world(1)
    make_world(2)

    assert queries() == before
