"""Automations by the unmodified wandb client: every event, scope and action, there and back (EV1, SC2–SC4, IF5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.journeys import sdk
from tests.journeys.server import Server

BEGIN = """
import os, sys
import wandb
from wandb.automations import *
from wandb.automations.events import *

api = wandb.Api()
TEAM, ORGANIZATION = os.environ["TEAM"], os.environ["ORGANIZATION"]
api.create_project("digits", TEAM)
project = api.project("digits", TEAM)
registry = api.registry("models", ORGANIZATION)
team, organization = api.team(TEAM), api.organization(ORGANIZATION)
"""

EVERY_PAIR = """
webhook = next(api.webhook_integrations(entity=TEAM))
assert (webhook.name, webhook.url_endpoint) == ("pager", "http://localhost:9/hook")
channel = next(api.slack_integrations(entity=TEAM))
assert (channel.team_name, channel.channel_name) == ("Acme", "ml-alerts")
assert list(api.integrations(entity=TEAM)) == [webhook, channel]

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
with wandb.init(entity=TEAM, project="digits") as run:
    model = wandb.Artifact("classifier", type="model", metadata={"accuracy": 0.9})
    run.log_artifact(model).wait()
    run.link_artifact(model, "wandb-registry-models/shelf")
logged = api.artifact_collection("model", f"{TEAM}/digits/classifier")
linked = api.artifact_collection("model", f"{ORGANIZATION}/wandb-registry-models/shelf")
ON_COLLECTIONS = ON_ARTIFACTS | {"version": lambda scope: OnCreateArtifact(scope=scope)}
EVERYTHING = ON_RUNS | ON_ARTIFACTS
SCOPES = {
    "project": (project, EVERYTHING),
    "team": (team, EVERYTHING),
    "organization": (organization, EVERYTHING),
    "registry": (registry, ON_ARTIFACTS),
    "collection of the project": (logged, ON_COLLECTIONS),
    "collection of the registry": (linked, ON_COLLECTIONS),
}
ACTIONS = {
    "nothing": DoNothing(),
    "webhook": SendWebhook.from_integration(webhook, payload={"text": "${run_name}", "n": [1.5, None]}),
    "plain webhook": SendWebhook.from_integration(webhook),
    "slack": SendNotification.from_integration(channel, title="${run_name}", text="look: ${run_id}", level="WARN"),
}

made = []
for place, (scope, events) in SCOPES.items():
    for kind, event in events.items():
        for doing, action in ACTIONS.items():
            name = f"{doing} on {kind} in {place}"
            made.append(api.create_automation(event(scope) >> action, name=name, description=doing))
            assert (made[-1].name, made[-1].description, made[-1].enabled) == (name, doing, True)

listed = [*api.automations(entity=TEAM), *api.automations(entity=ORGANIZATION)]
assert sorted(listed, key=lambda one: one.name) == sorted(made, key=lambda one: one.name)
in_projects = sorted((one.name for one in api.automations()))
assert in_projects == sorted(one.name for one in made if one.name.endswith(("project", "registry"))), in_projects
one = "slack on state in project"
assert api.automation(name=one, entity=TEAM) == next(o for o in made if o.name == one)
assert api.automation(name=one) == api.automation(name=one, entity=TEAM)
assert [len(list(api.automations(entity=TEAM, per_page=n))) for n in (7, 50, 200)] == [128, 128, 128]

for one in made:
    saved = api.update_automation(one, enabled=False, description="off")
    entity = ORGANIZATION if one.name.endswith(("organization", "registry")) else TEAM
    assert api.automation(name=one.name, entity=entity) == saved
    assert (saved.enabled, saved.description) == (False, "off")
    assert (saved.event, saved.scope, saved.action) == (one.event, one.scope, one.action)
    assert api.delete_automation(saved)
assert list(api.automations(entity=TEAM)) == list(api.automations(entity=ORGANIZATION)) == []
print("All of them are well")
"""


def places(server: Server) -> dict[str, str]:
    return {"TEAM": server.login["team"], "ORGANIZATION": server.login["organization"]}


def make_webhook(server: Server, name: str = "pager", url: str = "http://localhost:9/hook") -> None:
    with server.api() as api:
        api("POST", f"teams/{server.login['team']}/webhooks/", {"name": name, "url": url})


def make_slack_channel(server: Server) -> None:
    channel = {"workspace": "Acme", "channel": "ml-alerts", "webhook_url": "http://localhost:9/services/x"}
    with server.api() as api:
        api("POST", f"teams/{server.login['team']}/slack-channels/", channel)


def test_every_action_on_every_event_in_every_scope_comes_back_as_it_was_made(server: Server, tmp_path: Path) -> None:
    make_webhook(server)
    make_slack_channel(server)

    printed = sdk.succeed(server, tmp_path, BEGIN + EVERY_PAIR, **places(server))

    assert "All of them are well" in printed


MISTAKES = """
from wandb.errors import CommError

def refused(call, *words):
    try:
        call()
    except Exception as error:
        assert all(word in str(error) for word in words), error
        return
    raise AssertionError(f"nothing refused it: {words}")

failing = OnRunState(scope=project, filter=RunEvent.state == "failed") >> DoNothing()
first = api.create_automation(failing, name="twice")
refused(lambda: api.create_automation(failing, name="twice"), "'twice' exists")
assert api.create_automation(failing, name="twice", fetch_existing=True) == first
assert api.create_automation(OnRunState(scope=team, filter=RunEvent.state == "failed") >> DoNothing(), name="twice")

gone = api.create_automation(failing, name="gone")
assert api.delete_automation(gone.id)
refused(lambda: api.delete_automation(gone), "There is no automation")
refused(lambda: api.delete_automation("junk"), "“junk” is not the id of Trigger")
refused(lambda: api.update_automation(gone, enabled=False), "not found")

first.scope = registry
refused(lambda: api.update_automation(first), "“Run state” does not happen in a registry")
linked = api.create_automation(OnLinkArtifact(scope=registry) >> DoNothing(), name="linked")
assert linked.scope.name == "wandb-registry-models"
assert api.automation(name="linked", entity=ORGANIZATION) == api.automation(name="linked") == linked
moved = api.update_automation(linked, scope=project)
assert (moved.scope.name, moved.event) == ("digits", linked.event)
print("All mistakes are told")
"""


def test_mistakes_are_told_in_our_words(server: Server, tmp_path: Path) -> None:
    printed = sdk.succeed(server, tmp_path, BEGIN + MISTAKES, **places(server))

    assert "All mistakes are told" in printed


FOUND = """
found = {one.name: one for one in api.automations(entity=TEAM) if one.name.startswith("browser")}
kinds = ("alias", "plain", "shadow", "threshold", "version")
assert sorted(found) == sorted(f"browser {kind}" for kind in kinds), sorted(found)
for one in found.values():
    saved = api.update_automation(one, description="seen by a script")
    assert (saved.event.event_type, saved.scope, saved.action) == (one.event.event_type, one.scope, one.action)
    assert api.automation(name=one.name, entity=TEAM) == saved
print("All are seen")
"""


def test_what_people_make_in_the_browser_scripts_see_and_save_again_without_loss(
    server: Server, tmp_path: Path
) -> None:
    make_webhook(server, "browser")
    threshold = {"name": "loss", "agg_op": "MIN", "window_size": 7, "cmp_op": "$lt", "threshold": 0.25}
    kinds: dict[str, dict[str, Any]] = {
        "plain": {"event_type": "RUN_STATE", "condition": {"states": ["FAILED"]}},
        "threshold": {
            "event_type": "RUN_METRIC",
            "condition": threshold,
            "filter": {"group": {"$regex": "^prod-"}, "job_type": "train"},
        },
        "version": {"event_type": "CREATE_ARTIFACT", "filter": {"collection": {"$regex": "x"}, "type": "model"}},
        "alias": {
            "event_type": "ADD_ARTIFACT_ALIAS",
            "filter": {"alias": {"$regex": "^production$"}},
            "action_kind": "GENERIC_WEBHOOK",
            "webhook": "browser",
            "payload": '{"alias": "${alias}"}',
        },
        "unseen: not a number": {
            "event_type": "RUN_METRIC",
            "condition": {**threshold, "agg_op": None, "cmp_op": "$nonfinite", "threshold": None},
        },
        "unseen: an alert": {"event_type": "RUN_ALERT", "condition": {}},
        "unseen: a stall": {"event_type": "RUN_STALL", "condition": {"source": "STEP", "minutes": 30}},
        "shadow": {"event_type": "RUN_STATE", "condition": {"states": ["FAILED"]}, "shadow": True},
    }
    project = {"kind": "project", "name": f"{server.login['team']}/digits"}
    with server.api() as api:
        for name, fields in kinds.items():
            made = {"name": f"browser {name}", "scope": project, "action_kind": "NO_OP", **fields}
            api("POST", "automations/", made)
        before = {one["name"]: one for one in api("GET", "automations/?search=browser")["results"]}

        assert "All are seen" in sdk.succeed(server, tmp_path, BEGIN + FOUND, **places(server))

        after = {one["name"]: one for one in api("GET", "automations/?search=browser")["results"]}
    assert after.keys() == before.keys()
    for name, one in after.items():
        for field in ("event_type", "condition", "action_kind", "webhook", "scope", "shadow"):
            assert one[field] == before[name][field]
        assert one["summary"] == before[name]["summary"]
        assert (one["description"] == "") is ("unseen" in name)
        assert one["version"] == (1 if "unseen" in name else 2)
