"""Automations by the unmodified wandb client: every event, scope and action, there and back (EV1, SC2–SC4, IF5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.journeys import sdk
from tests.journeys.server import Server

SCOPES = """
import os, sys
import wandb
from wandb.automations import *
from wandb.automations.events import *

api = wandb.Api()
TEAM, ORGANIZATION = os.environ["TEAM"], os.environ["ORGANIZATION"]
api.create_project("digits", TEAM)
project = api.project("digits", TEAM)
team, organization = api.team(TEAM), api.organization(ORGANIZATION)
"""

EVERY_PAIR = """
webhook = next(api.webhook_integrations(entity=TEAM))
assert (webhook.name, webhook.url_endpoint) == ("pager", "http://localhost:9/hook")
assert list(api.integrations(entity=TEAM)) == [webhook]

mentioned = RunEvent.name.contains("my-run") | ~RunEvent.name.matches_regex("^draft")
loss = RunEvent.metric("loss")
ON_RUNS = {
    "threshold": lambda scope: OnRunMetric(scope=scope, filter=(loss.avg(5) > 0.5) & mentioned),
    "latest": lambda scope: OnRunMetric(scope=scope, filter=loss <= 3),
    "change": lambda scope: OnRunMetric(scope=scope, filter=loss.max(3).changes_by(frac=0.25)),
    "z-score": lambda scope: OnRunMetric(scope=scope, filter=abs(loss.zscore(30)) > 2.5),
    "state": lambda scope: OnRunState(scope=scope, filter=RunEvent.state.in_(["failed", "running"]) & mentioned),
}
alias, tag = ArtifactEvent.alias.matches_regex("^prod"), ArtifactEvent.tag.eq("golden")
ON_ARTIFACTS = {
    "link": lambda scope: OnLinkArtifact(scope=scope, filter=alias),
    "unlink": lambda scope: OnUnlinkArtifact(scope=scope),
    "alias": lambda scope: OnAddArtifactAlias(scope=scope, filter=alias),
    "tag": lambda scope: OnAddArtifactTag(scope=scope, filter=tag),
    "untag": lambda scope: OnRemoveArtifactTag(scope=scope, filter=tag),
    "collection tag": lambda scope: OnAddCollectionTag(scope=scope, filter=tag),
    "collection untag": lambda scope: OnRemoveCollectionTag(scope=scope, filter=tag),
}
SCOPES = {"project": project, "team": team, "organization": organization}
ACTIONS = {
    "nothing": DoNothing(),
    "webhook": SendWebhook.from_integration(webhook, payload={"text": "${run_name}", "n": [1.5, None]}),
    "plain webhook": SendWebhook.from_integration(webhook),
}

made = []
for place, scope in SCOPES.items():
    for number, (kind, event) in enumerate({**ON_RUNS, **ON_ARTIFACTS}.items()):
        for doing, action in list(ACTIONS.items())[number % 3:][:1]:
            name = f"{kind} in {place}"
            made.append(api.create_automation(event(scope) >> action, name=name, description=doing))
            assert (made[-1].name, made[-1].description, made[-1].enabled) == (name, doing, True)

listed = [*api.automations(entity=TEAM), *api.automations(entity=ORGANIZATION)]
assert sorted(listed, key=lambda one: one.name) == sorted(made, key=lambda one: one.name)
in_projects = sorted((one.name for one in api.automations()))
assert in_projects == sorted(one.name for one in made if one.name.endswith("project")), in_projects
assert api.automation(name="state in project", entity=TEAM) == next(o for o in made if o.name == "state in project")
assert api.automation(name="state in project") == api.automation(name="state in project", entity=TEAM)
assert [len(list(api.automations(entity=TEAM, per_page=n))) for n in (1, 5, 100)] == [24, 24, 24]

for one in made:
    saved = api.update_automation(one, enabled=False, description="off")
    entity = ORGANIZATION if one.name.endswith("organization") else TEAM
    assert api.automation(name=one.name, entity=entity) == saved
    assert (saved.enabled, saved.description) == (False, "off")
    assert (saved.event, saved.scope, saved.action, saved.created_at) == (one.event, one.scope, one.action, one.created_at)
    assert api.delete_automation(saved)
assert list(api.automations(entity=TEAM)) == list(api.automations(entity=ORGANIZATION)) == []
print("All pairs are well")
"""


def places(server: Server) -> dict[str, str]:
    return {"TEAM": server.login["team"], "ORGANIZATION": server.login["organization"]}


def make_webhook(server: Server, name: str = "pager", url: str = "http://localhost:9/hook") -> None:
    with server.api() as api:
        api("POST", f"teams/{server.login['team']}/webhooks/", {"name": name, "url": url})


def test_every_event_in_every_scope_comes_back_as_it_was_made(server: Server, tmp_path: Path) -> None:
    make_webhook(server)

    printed = sdk.succeed(server, tmp_path, SCOPES + EVERY_PAIR, **places(server))

    assert "All pairs are well" in printed
