"""Every domain function that changes a setting leaves a record, in the transaction of the change (AZ2)."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from automations import ascode, breaker, editing, readymade, rearming, redelivering, restoring, snoozing, webhooks
from automations.access import version_for
from automations.models import ActionKind, Automation, Execution, SlackWorkspace, Webhook
from automations.slack import channels, limits, workspaces
from automations.slack.questions import Identity
from projects import invitations, keys, members, service_accounts, teams
from projects.models import AuditRecord, Invitation, Role, Team, TeamMember, User
from registries import curation, linking, roster, upkeep
from secrets_vault import secrets
from secrets_vault.models import Secret
from tests import factories

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("wandb_gateway", "automations", "registries", "secrets_vault", "projects")
# Interfaces make one call into the domain each, which is what is told of.
INTERFACES = {"api", "views", "admin.py", "management", "migrations", "team_settings", "resolvers", "forms"}
CANARY = "canary-5d1f-value-of-a-secret"

# What people do, not what they set: runs, versions and labels have histories of their own. And what only looks,
# or only writes down what another function does.
NOT_SETTINGS = {
    "automations.ascode.exporting",
    "automations.ascode.planning",
    "automations.auditing",
    "automations.breaker.probe_soon",
    "automations.notices",
    "automations.outcomes",
    "automations.pending",
    "automations.redelivering.divided",
    "automations.versions",
    "projects.alerts",
    "projects.audit",
    "projects.people",
    "projects.runs",
    "registries.artifacts",
    "registries.collections",
    "registries.commits",
    "registries.events",
    "registries.labels",
    "registries.provisioning",
    "registries.versions",
    "wandb_gateway.actions",
    "wandb_gateway.listing",
    "wandb_gateway.versionlists",
    # single functions
    "automations.editing.check",
    "automations.editing.check_action",
    "automations.changeover.try_out",
    "automations.slack.channels.test",
    "automations.slack.credentials",  # calls `secrets`
    "automations.slack.oauth",  # asks Slack, then calls `workspaces.keep`, as the next two do
    "automations.slack.workspaces.connect",
    "automations.slack.workspaces.rotate",
    "automations.webhooks.test",
    "registries.curation.record",
    "registries.linking.link",
    "registries.linking.link_by_name",
    "registries.linking.unlink",
}

Story = Callable[["World"], object]


class World:
    """alice, an admin of everything there is, with one of each thing that can be set."""

    def __init__(self) -> None:
        self.at = timezone.now()
        self.alice, self.bob, self.charlie = (factories.make_user(name) for name in ("alice", "bob", "charlie"))
        self.organization = factories.make_organization(admin=self.alice, member=self.bob)
        self.team: Team = factories.make_team(admin=self.alice, member=self.bob)
        self.project = factories.make_project(self.team)
        self.registry = factories.make_registry(self.organization, admin=self.alice)
        self.secret = factories.make_secret(self.team, value=CANARY)
        headers = {"X-Key": ("${TOKEN}", self.secret)}
        self.webhook: Webhook = factories.make_webhook(
            self.team, secret=self.secret, access_token=self.secret, headers=headers
        )
        self.unused = factories.make_webhook(self.team, name="unused")
        self.channel = factories.make_slack_channel(self.team, credential=f"xoxb-{CANARY}")
        assert self.channel.connection is not None
        self.workspace = self.channel.connection
        self.automation: Automation = factories.make_automation(self.project, webhook=self.webhook)

    def saved_webhook(self, **fields: Any) -> dict[str, Any]:
        return {
            "name": "pager",
            "url": "https://hooks.example.com/other",
            "access_token": self.secret,
            "secret": None,
            "signature_encoding": "hex",
            "headers": {"X-Other": "${TOKEN}"},
            **fields,
        }

    def idle_workspace(self) -> SlackWorkspace:
        identity = Identity("T0888", "Idle", "bot")
        return workspaces.keep(self.team, identity, token=f"xoxb-{CANARY}", by=self.alice, at=self.at)

    def draft(self) -> editing.Draft:
        return editing.Draft(
            name="New", event_type="RUN_STATE", action_kind=ActionKind.NO_OP, condition={"states": ["FAILED"]}
        )

    def alert(self) -> readymade.Switch:
        """A switch of the team that is on."""
        made = readymade.create(self.team, readymade.ALERTS[0], target=self.unused, by=self.alice)
        switch = readymade.named(self.team, readymade.ALERTS[0].key)
        assert switch is not None
        assert switch.shown == made
        return switch

    def silent_alert(self) -> readymade.Switch:
        readymade.switch_off(self.alert(), by=self.alice)
        switch = readymade.named(self.team, readymade.ALERTS[0].key)
        assert switch is not None
        return switch

    def broken(self) -> Webhook:
        Webhook.objects.filter(pk=self.webhook.pk).update(breaker_opened_at=self.at, next_probe_at=self.at)
        return self.webhook

    def snoozed(self) -> Automation:
        return snoozing.snooze(self.automation, until=self.at + timedelta(hours=1), by=self.alice, at=self.at)

    def protected(self) -> World:
        curation.protect_alias(self.registry, "production", by=self.alice)
        return self

    def execution(self) -> Execution:
        event = factories.make_event(factories.make_run(self.project))
        rule = {"name": "Tell the pager", "event_type": "RUN_STATE", "action_kind": ActionKind.WEBHOOK, "payload": ""}
        return factories.make_execution(self.automation, event, rule=rule)

    def redelivered(self) -> Execution:
        return redelivering.redeliver(self.execution(), redelivering.Wish(), by=self.alice, at=self.at)

    def account(self) -> TeamMember:
        return service_accounts.create(self.team, "research-ci", role=Role.MEMBER, by=self.alice)

    def invited(self) -> Invitation:
        return invitations.invite(self.team, role=Role.MEMBER, by=self.alice, at=self.at)[0]

    def joined(self) -> TeamMember:
        """alice, who may invite because she administers the organization, joins a team that she is not in."""
        team = teams.create_team("vision", organization=self.organization, by=self.alice)
        invitation, _ = invitations.invite(team, role=Role.MEMBER, by=self.alice, at=self.at)
        return invitations.accept(invitation, by=self.alice, at=self.at)

    def spare(self) -> Secret:
        return secrets.create(self.team, name="SPARE", value=CANARY, by=self.alice)

    def overlapping(self) -> Secret:
        return secrets.rotate(self.secret, value=f"{CANARY}-2", by=self.alice, at=self.at, overlap=timedelta(hours=1))

    def edited(self) -> Automation:
        return editing.change(self.automation, by=self.alice, description="Another one")

    def as_code(self) -> str:
        text = ascode.export(by=self.alice)
        return text.replace("Tell the pager", "Tell somebody")


STORIES: dict[str, Story] = {
    "automations.breaker.close": lambda w: breaker.close(w.broken(), by=w.alice, at=w.at),
    "automations.breaker.try_now": lambda w: breaker.try_now(w.broken(), by=w.alice, at=w.at),
    "automations.slack.limits.set_limits": lambda w: limits.set_limits(
        w.channel, limits.Limits(hourly_budget=20), by=w.alice, at=w.at
    ),
    "automations.snoozing.end": lambda w: snoozing.end(w.snoozed(), by=w.alice, at=w.at),
    "automations.snoozing.snooze": lambda w: w.snoozed(),
    "automations.ascode.applying.apply": lambda w: ascode.apply(w.as_code(), by=w.alice),
    "automations.editing.create": lambda w: editing.create(w.draft(), scope=w.project, by=w.alice),
    "automations.editing.update": lambda w: editing.update(w.automation, w.draft(), by=w.alice),
    "automations.editing.change": lambda w: editing.change(w.automation, by=w.alice, name="Other"),
    "automations.editing.set_enabled": lambda w: editing.set_enabled(w.automation, False, by=w.alice),
    "automations.editing.make_live": lambda w: editing.make_live(
        factories.make_automation(w.project, name="Shy", shadow=True), by=w.alice
    ),
    "automations.editing.duplicate": lambda w: editing.duplicate(w.automation, by=w.alice),
    "automations.editing.delete": lambda w: editing.delete(w.automation, by=w.alice),
    "automations.readymade.create": lambda w: w.alert(),
    "automations.readymade.switch_on": lambda w: readymade.switch_on(w.silent_alert(), by=w.alice),
    "automations.readymade.switch_off": lambda w: readymade.switch_off(w.alert(), by=w.alice),
    "automations.rearming.rearm": lambda w: rearming.rearm(w.automation, by=w.alice, at=w.at),
    "automations.redelivering.redeliver": lambda w: w.redelivered(),
    "automations.redelivering.redeliver_many": lambda w: redelivering.redeliver_many(
        w.project, [w.execution()], redelivering.Wish(), by=w.alice, at=w.at
    ),
    "automations.redelivering.cancel": lambda w: redelivering.cancel(w.redelivered().redelivery, by=w.alice, at=w.at),
    "automations.restoring.restore": lambda w: restoring.restore(version_for(w.edited(), 1), by=w.alice),
    "automations.slack.channels.add_by_bot": lambda w: channels.add_by_bot(
        w.workspace, by=w.alice, channel="#other", channel_id="C0123456780"
    ),
    "automations.slack.channels.add_by_webhook": lambda w: channels.add_by_webhook(
        w.team, by=w.alice, workspace="Acme", channel="#other", webhook_url=f"https://hooks.slack.com/{CANARY}"
    ),
    "automations.slack.channels.update": lambda w: channels.update(
        w.channel, by=w.alice, channel="#renamed", channel_id="C0123456780"
    ),
    "automations.slack.channels.delete": lambda w: channels.delete(w.channel, by=w.alice),
    "automations.slack.workspaces.keep": lambda w: workspaces.keep(
        w.team, Identity("T0777", "Umbrella", "bot"), token=f"xoxb-{CANARY}", by=w.alice, at=w.at
    ),
    "automations.slack.workspaces.disconnect": lambda w: workspaces.disconnect(w.idle_workspace(), by=w.alice),
    "automations.webhooks.create": lambda w: webhooks.create(w.team, by=w.alice, **w.saved_webhook(name="new")),
    "automations.webhooks.update": lambda w: webhooks.update(w.webhook, by=w.alice, **w.saved_webhook()),
    "automations.webhooks.change": lambda w: webhooks.change(
        w.webhook, by=w.alice, url="https://hooks.example.com/new"
    ),
    "automations.webhooks.delete": lambda w: webhooks.delete(w.unused, by=w.alice),
    "automations.webhooks.resume": lambda w: webhooks.resume(w.webhook, by=w.alice),
    "projects.invitations.invite": lambda w: w.invited(),
    "projects.invitations.revoke": lambda w: invitations.revoke(w.invited(), by=w.alice, at=w.at),
    "projects.invitations.accept": lambda w: w.joined(),
    "projects.keys.create": lambda w: keys.create(w.alice, by=w.alice, name="laptop"),
    "projects.keys.revoke": lambda w: keys.revoke(keys.create(w.alice, by=w.alice)[0], by=w.alice, at=w.at),
    "projects.members.add": lambda w: members.add(w.team, "charlie", role=Role.MEMBER, by=w.alice),
    "projects.members.change_role": lambda w: members.change_role(
        w.team.memberships.get(user=w.bob), role=Role.ADMIN, by=w.alice
    ),
    "projects.members.remove": lambda w: members.remove(w.team.memberships.get(user=w.bob), by=w.alice),
    "projects.service_accounts.create": lambda w: w.account(),
    "projects.service_accounts.close": lambda w: service_accounts.close(w.account().user, by=w.alice, at=w.at),
    "projects.service_accounts.create_key": lambda w: service_accounts.create_key(w.account().user, by=w.alice),
    "projects.service_accounts.revoke_key": lambda w: service_accounts.revoke_key(
        service_accounts.create_key(w.account().user, by=w.alice)[0], by=w.alice, at=w.at
    ),
    "projects.teams.create_organization": lambda w: teams.create_organization("umbrella", by=w.alice),
    "projects.teams.create_team": lambda w: teams.create_team("vision", organization=w.organization, by=w.alice),
    "projects.teams.open_team": lambda w: teams.open_team("vision", organization=w.organization, by=w.alice),
    "projects.teams.set_organization_role": lambda w: teams.set_organization_role(
        w.bob, organization=w.organization, role=Role.ADMIN, by=w.alice
    ),
    "projects.teams.set_role": lambda w: teams.set_role(w.bob, team=w.team, role=Role.ADMIN, by=w.alice),
    "projects.teams.set_language": lambda w: teams.set_language(w.team, "ja", by=w.alice),
    "projects.teams.rename_project": lambda w: teams.rename_project(w.project, "letters", by=w.alice),
    "projects.teams.delete_project": lambda w: teams.delete_project(w.project, by=w.alice),
    "registries.curation.change_registry": lambda w: curation.change_registry(
        w.registry, by=w.alice, description="New"
    ),
    "registries.curation.protect_alias": lambda w: curation.protect_alias(w.registry, "production", by=w.alice),
    "registries.curation.unprotect_alias": lambda w: curation.unprotect_alias(
        w.protected().registry, "production", by=w.alice
    ),
    "registries.linking.create_registry": lambda w: linking.create_registry(w.organization, "other", by=w.alice),
    "registries.roster.add": lambda w: roster.add(w.registry, teams=[w.team], role=Role.MEMBER, by=w.alice),
    "registries.roster.change_role": lambda w: roster.change_role(w.registry, w.alice, role=Role.VIEW_ONLY, by=w.alice),
    "registries.roster.remove": lambda w: roster.remove(w.registry, users=[w.alice], by=w.alice),
    "registries.upkeep.open_registry": lambda w: upkeep.open_registry(w.organization, "other", by=w.alice),
    "registries.upkeep.change": lambda w: upkeep.change(w.registry, by=w.alice, description="New"),
    "registries.upkeep.rename": lambda w: upkeep.rename(w.registry, "other", by=w.alice),
    "registries.upkeep.delete": lambda w: upkeep.delete(w.registry, by=w.alice),
    "registries.upkeep.delete_project": lambda w: upkeep.delete_project(w.project, by=w.alice, at=w.at),
    "secrets_vault.secrets.create": lambda w: secrets.create(w.team, name="NEW", value=CANARY, by=w.alice),
    "secrets_vault.secrets.rotate": lambda w: secrets.rotate(w.secret, value=f"{CANARY}-2", by=w.alice, at=w.at),
    "secrets_vault.secrets.end_old_value": lambda w: secrets.end_old_value(w.overlapping(), by=w.alice),
    "secrets_vault.secrets.delete": lambda w: secrets.delete(w.spare(), by=w.alice),
}


def functions_with_an_actor() -> set[str]:
    """Every public domain function that is told who acts, by its full name."""
    found = set()
    for path in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if INTERFACES & {*parts, path.name}:
            continue
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                arguments = (*node.args.args, *node.args.kwonlyargs)
                if any(argument.arg == "by" for argument in arguments):
                    found.add(".".join((*parts, node.name)))
    return found


def test_az2_no_domain_function_that_changes_settings_is_forgotten() -> None:
    told = {name for name in functions_with_an_actor() if not {name, name.rpartition(".")[0]} & NOT_SETTINGS}
    assert told == set(STORIES), "write the story of each, or say in NOT_SETTINGS why it changes no setting"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", STORIES)
def test_az2_a_change_leaves_a_record_in_its_transaction_and_no_secret(name: str) -> None:
    """AZ2: who, what, before and after, never a value. Outside of a transaction `record` refuses."""
    world = World()
    newest = AuditRecord.objects.order_by("pk").values_list("pk", flat=True).last() or 0
    STORIES[name](world)

    records = list(AuditRecord.objects.filter(pk__gt=newest))
    assert records
    assert {record.actor_name for record in records} == {"alice"}
    assert CANARY not in json.dumps(list(AuditRecord.objects.values("object_name", "before", "after")))


@pytest.mark.django_db
def test_a_switch_has_a_word_of_its_own(team: Team, alice: User) -> None:
    automation = factories.make_automation(factories.make_project(team))
    editing.set_enabled(automation, False, by=alice)
    assert str(AuditRecord.objects.first()) == "alice disabled automation Tell the pager"


@pytest.mark.django_db
def test_az1_the_log_does_not_name_a_webhook_of_another_team(team: Team, alice: User) -> None:
    foreign = factories.make_webhook(factories.make_team("elsewhere", admin=alice), name="hush-hush")
    automation = factories.make_automation(factories.make_project(team))
    editing.change(automation, by=alice, action_kind=ActionKind.WEBHOOK, webhook=foreign)

    record = AuditRecord.objects.filter(kind="automation").first()
    assert record is not None
    assert record.after["webhook"] == "of another team"
