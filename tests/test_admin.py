"""The admin: a page for every model, the same checks as elsewhere, history only shown, secrets never."""

import json
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from automations.models import Attempt, Automation, Cooldown, Event, Execution, Webhook, WebhookHeader
from projects import keys, metrics
from projects.models import (
    ApiKey,
    MetricChunk,
    MetricWindow,
    Organization,
    Project,
    Role,
    Run,
    Team,
    TeamMember,
    User,
)
from registries import labels
from registries.models import Alias, Artifact, Collection, CollectionTag, Membership, Registry, RegistryMember, Tag
from secrets_vault.models import Secret
from tests import factories

CANARY = "canary-3f9c-value-that-must-not-sing"
OURS = ("projects", "registries", "secrets_vault", "automations")
MODELS: list[type[models.Model]] = [model for label in OURS for model in apps.get_app_config(label).get_models()]
ONLY_SHOWN = [Event, Execution, Attempt, Cooldown, MetricChunk, MetricWindow, WebhookHeader]
WRITTEN_BY_SCRIPTS = [Run, Artifact, Membership, Alias, Tag, CollectionTag]

by_name = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.fixture
def operator(db: None, client: Client) -> Client:
    """A browser in which an admin of the whole server is signed in."""
    client.force_login(factories.make_user("operator", superuser=True, is_staff=True))
    return client


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
    MetricWindow.objects.get_or_create(run=run, metric="acc", defaults={"capacity": 1, "next_line": 1})
    registry = factories.make_registry(organization, admin=user)
    collection = factories.make_collection(registry)
    CollectionTag.objects.create(collection=collection, name="reviewed")
    version = factories.make_version(project, user=user, run=run, tags=["good"])
    factories.make_link(version, collection, user=user)
    labels.add_alias(version, "production", by=user, at=at)
    secret = factories.make_secret(team, value=CANARY)
    webhook = factories.make_webhook(
        team, access_token=secret, secret=secret, headers={"X-Token": ("${TOKEN}", secret)}
    )
    automation = factories.make_automation(project, webhook=webhook)
    event = factories.make_event(run, dedupe_key=f"world:{number}")
    execution = factories.make_execution(automation, event)
    Attempt.objects.create(execution=execution, number=1, started_at=at, url=webhook.url, status_code=204)
    Cooldown.objects.create(automation=automation, run=run, state="failed", fired_at=at)


@pytest.fixture
def world(db: None) -> None:
    make_world()


def page(model: type[models.Model], name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def shown(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.content.decode())


# --- every page ---------------------------------------------------------------------------------------------


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


# --- people and places --------------------------------------------------------------------------------------


def test_a_new_user_gets_a_personal_team(operator: Client) -> None:
    """SC5."""
    answer = operator.post(
        page(User, "add"),
        {"username": "dora", "usable_password": "true", "password1": "a long phrase", "password2": "a long phrase"},
    )

    assert answer.status_code == 302
    assert Team.objects.get(name="dora").owner == User.objects.get(username="dora")


@pytest.mark.parametrize("name", ["research", "api", "with space"])
def test_a_user_name_that_cannot_be_a_team_is_refused(operator: Client, team: Team, name: str) -> None:
    answer = operator.post(
        page(User, "add"),
        {"username": name, "usable_password": "true", "password1": "a long phrase", "password2": "a long phrase"},
    )

    assert "username" in answer.context["adminform"].form.errors
    assert not User.objects.filter(username=name).exists()


def test_a_team_needs_an_organization(operator: Client) -> None:
    answer = operator.post(page(Team, "add"), {"name": "research", **empty_inline("memberships")})

    assert answer.context["adminform"].form.errors == {"organization": ["Choose the organization the team belongs to."]}


def test_nobody_joins_a_personal_team(operator: Client, alice: User, bob: User) -> None:
    personal = Team.objects.get(name="alice")
    answer = operator.post(page(TeamMember, "add"), {"user": bob.pk, "team": personal.pk, "role": Role.MEMBER})

    assert answer.context["adminform"].form.errors == {
        "team": ["alice is a personal team: its owner is its only member."]
    }
    own = personal.memberships.get()
    assert operator.post(page(TeamMember, "change", own.pk), {"role": Role.VIEW_ONLY}).status_code == 403
    operator.post(page(Team, "delete", personal.pk), {"post": "yes"})
    assert Team.objects.filter(pk=personal.pk).exists()


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


# --- keys ---------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_works(operator: Client, alice: User) -> None:
    """AZ2."""
    answer = operator.post(page(ApiKey, "add"), {"user": alice.pk, "name": "laptop"}, follow=True)

    row = ApiKey.objects.get()
    message = str(next(iter(answer.context["messages"])))
    key = next(word for word in message.split() if word.endswith(row.hint))
    assert keys.user_of(key) == alice
    assert row.name == "laptop"
    for url in (page(ApiKey, "changelist"), page(ApiKey, "change", row.pk), reverse("admin:index")):
        assert key not in shown(operator.get(url))
        assert row.digest not in shown(operator.get(url))
    assert key not in json.dumps(list(LogEntry.objects.values("object_repr", "change_message")))


def test_only_the_name_of_a_key_changes(operator: Client, alice: User, bob: User) -> None:
    key = factories.make_api_key(alice)
    row = ApiKey.objects.get()

    operator.post(page(ApiKey, "change", row.pk), {"name": "desktop", "user": bob.pk, "digest": "0" * 64})

    row.refresh_from_db()
    assert row.name == "desktop"
    assert keys.user_of(key) == alice


def test_a_key_is_revoked(operator: Client, alice: User) -> None:
    key = factories.make_api_key(alice)

    operator.post(page(ApiKey, "changelist"), {"action": "revoke", "_selected_action": [ApiKey.objects.get().pk]})

    assert keys.user_of(key) is None


# --- secrets ------------------------------------------------------------------------------------------------


def value_of(secret: Secret) -> str:
    return str(Secret.objects.defer(None).get(pk=secret.pk).value)


def test_a_secret_goes_in_and_never_comes_out(operator: Client, team: Team) -> None:
    """SE1, also for the log of what was done in the admin."""
    added = operator.post(page(Secret, "add"), {"team": team.pk, "name": "TOKEN", "new_value": CANARY}, follow=True)
    secret = Secret.objects.get()
    assert value_of(secret) == CANARY
    assert secret.created_by == User.objects.get(username="operator")
    rotated = operator.post(page(Secret, "change", secret.pk), {"new_value": f"{CANARY}-two"}, follow=True)
    assert value_of(secret) == f"{CANARY}-two"
    secret.refresh_from_db()
    assert secret.rotated_at is not None

    pages = [added, rotated, operator.get(page(Secret, "history", secret.pk)), operator.get(reverse("admin:index"))]
    assert all(CANARY not in shown(answer) for answer in pages)
    assert CANARY not in json.dumps(list(LogEntry.objects.values("object_repr", "change_message")))
    assert LogEntry.objects.count() == 2


def test_a_refused_form_does_not_repeat_the_value(operator: Client, team: Team) -> None:
    answer = operator.post(page(Secret, "add"), {"team": team.pk, "name": "not a name", "new_value": CANARY})

    assert "name" in answer.context["adminform"].form.errors
    assert CANARY not in shown(answer)


def test_a_secret_keeps_its_name_and_needs_a_value(operator: Client, team: Team) -> None:
    secret = factories.make_secret(team, value=CANARY)

    answer = operator.post(page(Secret, "change", secret.pk), {"name": "OTHER", "new_value": ""})

    assert "new_value" in answer.context["adminform"].form.errors
    secret.refresh_from_db()
    assert secret.name == "TOKEN"
    assert value_of(secret) == CANARY


def test_a_secret_name_is_free_once_per_team(operator: Client, team: Team) -> None:
    factories.make_secret(team)
    answer = operator.post(page(Secret, "add"), {"team": team.pk, "name": "TOKEN", "new_value": "x"})

    assert answer.context["adminform"].form.errors
    assert Secret.objects.count() == 1


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_secret_in_use_stays(operator: Client, team: Team, way: str) -> None:
    """SE3."""
    secret = factories.make_secret(team)
    factories.make_webhook(team, access_token=secret)
    unused = factories.make_secret(team, name="UNUSED")

    def delete(one: Secret) -> Any:
        if way == "page":
            return operator.post(page(Secret, "delete", one.pk), {"post": "yes"})
        chosen = {"action": "delete_selected", "_selected_action": [one.pk], "post": "yes"}
        return operator.post(page(Secret, "changelist"), chosen)

    assert "Webhook: pager" in shown(delete(secret))
    delete(unused)
    assert list(Secret.objects.values_list("name", flat=True)) == ["TOKEN"]


# --- webhooks and automations -------------------------------------------------------------------------------


def empty_inline(prefix: str) -> dict[str, str]:
    return {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}


@pytest.fixture
def webhook_fields(team: Team) -> dict[str, Any]:
    return {
        "team": team.pk,
        "name": "pager",
        "url": "https://hooks.example.com/x",
        "signature_encoding": "base64",
        "extra_headers": "",
    }


def test_a_webhook_is_made_and_changed(operator: Client, team: Team, webhook_fields: dict[str, Any]) -> None:
    secret = factories.make_secret(team)
    webhook_fields |= {"secret": secret.pk, "extra_headers": "X-Team: research\nX-Key: Bearer ${TOKEN}"}

    assert operator.post(page(Webhook, "add"), webhook_fields).status_code == 302
    webhook = Webhook.objects.get()
    assert webhook.created_by == User.objects.get(username="operator")
    assert [(h.name, h.value, h.secret) for h in webhook.headers.order_by("name")] == [
        ("X-Key", "Bearer ${TOKEN}", secret),
        ("X-Team", "research", None),
    ]

    webhook_fields |= {"name": "siren", "secret": "", "extra_headers": ""}
    assert operator.post(page(Webhook, "change", webhook.pk), webhook_fields).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.name, webhook.secret, webhook.headers.count()) == ("siren", None, 0)
    assert LogEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "http://169.254.169.254/latest/meta-data"),
        ("url", "ftp://hooks.example.com"),
        ("name", "-bad/name"),
        ("extra_headers", "no colon"),
        ("extra_headers", "Host: elsewhere"),
        ("extra_headers", "X-Key: ${MISSING}"),
        ("extra_headers", "A: 1\nA: 2"),
        ("secret", "of another team"),
    ],
)
def test_a_webhook_is_checked_as_everywhere(
    operator: Client, webhook_fields: dict[str, Any], field: str, value: str
) -> None:
    other = factories.make_secret(factories.make_team("other"), name="FOREIGN")
    webhook_fields[field] = other.pk if field == "secret" else value

    answer = operator.post(page(Webhook, "add"), webhook_fields)

    assert list(answer.context["adminform"].form.errors) == [field]
    assert not Webhook.objects.exists()


def test_a_paused_webhook_is_resumed(operator: Client, team: Team) -> None:
    webhook = factories.make_webhook(team, paused_at=timezone.now(), paused_reason="410 Gone")

    operator.post(page(Webhook, "changelist"), {"action": "resume", "_selected_action": [webhook.pk]})

    webhook.refresh_from_db()
    assert webhook.paused_at is None


@pytest.fixture
def automation_fields(project: Project) -> dict[str, Any]:
    return {
        "project": project.pk,
        "name": "Tell the pager",
        "enabled": "on",
        "event_type": "RUN_STATE",
        "filter": "{}",
        "condition": '{"states": ["FAILED"]}',
        "action_kind": "NO_OP",
    }


def test_an_automation_is_made_and_changed(
    operator: Client, project: Project, automation_fields: dict[str, Any]
) -> None:
    webhook = factories.make_webhook(project.team)

    assert operator.post(page(Automation, "add"), automation_fields).status_code == 302
    automation = Automation.objects.get()
    assert (automation.scope, automation.created_by) == (project, User.objects.get(username="operator"))

    automation_fields |= {"action_kind": "GENERIC_WEBHOOK", "webhook": webhook.pk, "payload": '{"run": "${run_name}"}'}
    assert operator.post(page(Automation, "change", automation.pk), automation_fields).status_code == 302
    automation.refresh_from_db()
    assert (automation.webhook, automation.payload) == (webhook, '{"run": "${run_name}"}')


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"event_type": "LINK_MODEL", "condition": '{"states": []}'}, "condition"),
        ({"condition": '{"states": ["SLEEPING"]}'}, "condition"),
        ({"condition": "[]"}, "condition"),
        ({"condition": "{"}, "condition"),
        ({"filter": '{"display_name": {"$regex": "(?=x)"}}'}, "filter"),
        ({"filter": '{"nonsense": 1}'}, "filter"),
        ({"action_kind": "GENERIC_WEBHOOK"}, "webhook"),
        ({"name": "Taken"}, "name"),
        ({"name": ""}, "name"),
        ({"project": ""}, "__all__"),
        ({"team": "research"}, "__all__"),
        (
            {
                "event_type": "RUN_METRIC",
                "condition": '{"name": "loss", "agg_op": null, "window_size": 1, "cmp_op": "$gt", "threshold": NaN}',
            },
            "condition",
        ),
    ],
    ids=str,
)
def test_an_automation_is_checked_as_everywhere(
    operator: Client, automation_fields: dict[str, Any], changes: dict[str, str], field: str
) -> None:
    """SC2, SC4, EV10."""
    taken = factories.make_automation(name="Taken")
    if "team" in changes:
        changes = {"team": str(Team.objects.get(name="research").pk)}

    answer = operator.post(page(Automation, "add"), automation_fields | changes)

    assert list(answer.context["adminform"].form.errors) == [field]
    assert Automation.objects.get() == taken


def test_an_automation_keeps_its_scope(operator: Client, project: Project, automation_fields: dict[str, Any]) -> None:
    automation = factories.make_automation(project)
    other = factories.make_project(project.team, "other")

    operator.post(page(Automation, "change", automation.pk), automation_fields | {"project": other.pk})

    automation.refresh_from_db()
    assert automation.project == project


@pytest.mark.parametrize(("action", "enabled"), [("enable", True), ("disable", False)])
def test_automations_are_switched(operator: Client, action: str, enabled: bool) -> None:
    automation = factories.make_automation(enabled=not enabled)

    operator.post(page(Automation, "changelist"), {"action": action, "_selected_action": [automation.pk]})

    automation.refresh_from_db()
    assert automation.enabled is enabled


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
