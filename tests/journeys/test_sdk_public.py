"""`wandb.Api()` of the unmodified client: people, projects, runs and registries, read and changed from Python."""

import json
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import sdk
from tests.journeys.server import ROOT, Server

# A script says what it saw as lines of JSON; `refused` is what was said to something that did not work.
BEGIN = """
import json, wandb
def say(**seen):
    print("SAID " + json.dumps(seen))
def refused(call):
    try:
        return ["no refusal", repr(call())]
    except Exception as error:
        return [type(error).__name__, str(error)]
api = wandb.Api()
"""

# The machine is looked at ten times a second, so the first run takes a moment.
LOG = """
import time, wandb
for number, (name, group) in enumerate([("prod-a", "x"), ("prod-b", "x"), ("try", "y")]):
    run = wandb.init(project="public", id=f"run{number}", name=name, group=group, tags=["kept", f"t{number}"],
                     job_type="train", settings=wandb.Settings(x_stats_sampling_interval=0.1),
                     config={"lr": 10.0 ** -number, "model": {"depth": number}})
    for step in range(40):
        row = {"loss": 1 / (step + 1) + number, "val": {"acc": step / 40}}
        if step % 10 == 0:
            row["rare"] = step
        run.log(row if step else {**row, "loss": float("nan")})
    print(f"line of {name}")
    time.sleep(0 if number else 1)
    with open("note.txt", "w") as note:
        note.write("kept")
    run.save("note.txt", policy="now")
    run.finish()
"""


def key_of(server: Server, user: str, *options: str) -> str:
    """The API key of a user who is made for it."""
    key = f"local-{secrets.token_hex(24)}"
    command = [sys.executable, "manage.py", "provision", "--user", user, "--api-key", key, *options]
    subprocess.run(command, cwd=ROOT, env=server.environment, check=True, capture_output=True)
    return key


@pytest.fixture
def run_script(server: Server, tmp_path: Path) -> Any:
    """`run_script(source)`: what a script that must end well said."""

    def run(source: str, **variables: str) -> dict[str, Any]:
        printed = sdk.succeed(server, tmp_path, BEGIN + source, **{"WANDB_ENTITY": server.login["team"]} | variables)
        said = [line.removeprefix("SAID ") for line in printed.splitlines() if line.startswith("SAID ")]
        return {name: value for line in said for name, value in json.loads(line).items()}

    return run


def test_people_teams_and_the_organization(server: Server, run_script: Any) -> None:
    key_of(server, "bob", "--team", "research")
    said = run_script("""
me = api.viewer
say(viewer=[me.username, me.entity, me.admin, me.teams], default=wandb.Api().default_entity)
say(bob=[api.user("bob").username, api.user("bob").teams, [user.username for user in api.users("bo")]])
say(nobody=[api.user("nobody"), api.users("nobody")])
team = api.team("research")
say(team=[team.name, sorted(member.username for member in team.members), team.entity_type])
own = api.team("operator")
say(own=[(member.username, member.account_type) for member in own.members])
organization = api.organization("local")
say(organization=[organization.name, organization.org_entity.name, api.organization().name])
vision = api.create_team("vision")
say(made=[vision.name, [(member.username, member.admin) for member in vision.members]])
say(invited=[vision.invite("bob"), vision.invite("bob"), vision.invite("nobody")])
vision.load(force=True)
bob = next(member for member in vision.members if member.username == "bob")
say(removed=[bob.delete(), bob.delete()])
key = me.generate_api_key("for a test")
say(key=[len(key) >= 40, wandb.Api(api_key=key).viewer.username])
fresh = wandb.Api().viewer
say(deleted=fresh.delete_api_key("…" + key[-4:]), gone=refused(lambda: wandb.Api(api_key=key).viewer))
say(service=vision.create_service_account("ci"))
say(user=refused(lambda: api.create_user("new@example.com")))
""")

    assert said["viewer"] == ["operator", "operator", True, ["operator", "research"]]
    assert said["bob"] == ["bob", ["bob", "research"], ["bob"]]
    assert said["nobody"] == [None, []]
    assert said["team"] == ["research", ["bob", "operator"], "team"]
    assert said["own"] == [["operator", "USER"]]
    assert said["organization"] == ["local", "local", "local"]
    assert said["made"] == ["vision", [["operator", True]]]
    assert said["invited"] == [True, False, False]
    assert said["removed"] == [True, False]
    assert said["key"] == [True, "operator"]
    assert said["deleted"] is True
    assert "not logged in" in said["gone"][1]
    assert said["service"] is None
    assert "provision" in said["user"][1]


def test_runs_are_listed_read_changed_and_deleted(server: Server, tmp_path: Path, run_script: Any) -> None:
    sdk.succeed(server, tmp_path / "log", LOG, WANDB_ENTITY=server.login["team"])
    said = run_script("""
say(projects=sorted(project.name for project in api.projects("research")))
api.create_project("fresh", "research"); api.create_project("fresh", "research")
say(fresh=api.project("fresh", "research").name, lost=refused(lambda: api.project("lost", "research").id))
def names(**asked):
    runs = api.runs("research/public", **asked)
    return [[run.name for run in runs], len(runs)]
say(all=names(), newest=names(order="-created_at"), paged=names(per_page=2, order="+config.lr"))
say(byname=names(filters={"display_name": {"$regex": "^prod"}}), bytag=names(filters={"tags": {"$in": ["t2"]}}))
say(byconfig=names(filters={"config.lr.value": {"$lt": 0.5}}), bysummary=names(filters={"summary_metrics.rare": 30}))
say(bystate=names(filters={"$and": [{"state": "finished"}, {"username": "operator"}, {"group": "y"}]}))
say(bytime=names(filters={"created_at": {"$lt": "2020-01-01"}}), badly=refused(lambda: names(filters={"luck": 1})))
run = api.run("research/public/run0")
say(run=[run.id, run.name, run.state, run.group, run.job_type, sorted(run.tags), run.user.username])
say(config=run.config, depth=run.config["model"]["depth"], summary=[run.summary["rare"], run.summary["val"]["acc"]])
history = run.history(pandas=False)
say(history=[len(history), history[0]["_step"], history[-1]["_step"], str(history[0]["loss"])])
say(sample=len(run.history(samples=7, pandas=False)), keys=run.history(keys=["rare", "val.acc"], pandas=False)[1])
say(scan=[row["_step"] for row in run.scan_history(page_size=7)] == list(range(40)))
say(scanned=[row["rare"] for row in run.scan_history(keys=["rare"])])
say(part=len(list(run.scan_history(min_step=5, max_step=9))))
say(nan=[str(row["loss"]) for row in run.scan_history(keys=["loss"], max_step=1)])
say(system=len(run.history(stream="system", pandas=False)) > 0)
say(files=sorted(file.name for file in run.files()), note=run.file("note.txt").download(replace=True).read())
say(logs=[line.content for line in run.console_logs()], tail=[line.number for line in run.console_logs(last=1)])
run.notes = "looked at"; run.tags.append("seen"); run.config["lr"] = 5; run.summary["best"] = 0.25; run.update()
again = wandb.Api().run("research/public/run0")
say(changed=[again.notes, sorted(again.tags), again.config["lr"], again.summary["best"], again.state])
made = api.create_run(project="fresh", entity="research")
say(made=[made.state, wandb.Api().run(f"research/fresh/{made.id}").state])
again.delete(); api.flush()
say(left=names(), lostrun=refused(lambda: wandb.Api().run("research/public/run0")))
say(lostproject=refused(lambda: list(api.runs("research/nowhere"))))
""")

    assert {"digits", "public"} <= set(said["projects"])
    assert said["fresh"] == "fresh"
    assert "not found" in said["lost"][1]
    assert said["all"] == [["prod-a", "prod-b", "try"], 3]
    assert said["newest"] == [["try", "prod-b", "prod-a"], 3]
    assert said["paged"] == [["try", "prod-b", "prod-a"], 3]
    assert said["byname"] == [["prod-a", "prod-b"], 2]
    assert said["bytag"] == said["bystate"] == [["try"], 1]
    assert said["byconfig"] == [["prod-b", "try"], 2]
    assert said["bysummary"] == said["all"]
    assert said["bytime"] == [[], 0]
    assert "luck" in said["badly"][1]
    assert said["run"] == ["run0", "prod-a", "finished", "x", "train", ["kept", "t0"], "operator"]
    assert said["config"] == {"lr": 1.0, "model": {"depth": 0}}
    assert said["summary"] == [30, 0.975]
    assert said["history"] == [40, 0, 39, "nan"]
    assert said["sample"] == 7
    assert said["keys"] == {"_step": 10, "rare": 10, "val.acc": 0.25}
    assert said["scan"] is True
    assert (said["scanned"], said["part"]) == ([0, 10, 20, 30], 4)
    assert said["nan"] == ["NaN"]
    assert said["system"] is True
    assert {"note.txt", "config.yaml", "wandb-summary.json"} <= set(said["files"])
    assert said["note"] == "kept"
    assert "line of prod-a" in said["logs"]
    assert said["tail"] == [len(said["logs"]) - 1]
    assert said["changed"] == ["looked at", ["kept", "seen", "t0"], 5, 0.25, "finished"]
    assert said["made"] == ["running", "running"]
    assert said["left"] == [["prod-b", "try"], 2]
    assert "Could not find run" in said["lostrun"][1]
    assert "Could not find project" in said["lostproject"][1]


def test_rows_logged_over_rest_are_scanned_by_their_lines(server: Server, run_script: Any) -> None:
    with server.api() as api:
        made = api("POST", "projects/research/digits/runs/", {"display_name": "by rest"})
        path = f"projects/research/digits/runs/{made['run_id']}/"
        api("POST", f"{path}metrics/", [{"loss": line} for line in range(5)])
        api("POST", f"{path}finish/", {"exit_code": 0})

    said = run_script(f"""
run = api.run("research/digits/{made["run_id"]}")
say(rows=list(run.scan_history()), some=list(run.scan_history(keys=["loss"], min_step=3)), last=run.lastHistoryStep)
""")

    assert said["rows"] == [{"_step": line, "loss": line} for line in range(5)]
    assert said["some"] == [{"_step": line, "loss": line} for line in (3, 4)]
    assert said["last"] == 4


def test_registries_are_made_saved_searched_and_deleted(server: Server, run_script: Any) -> None:
    key_of(server, "bob", "--team", "research")
    said = run_script("""
shelf = api.create_registry("shelf", "organization", "local", "good ones", ["model"])
say(made=[shelf.full_name, shelf.visibility, shelf.description, list(shelf.artifact_types)])
say(twice=refused(lambda: api.create_registry("shelf", "organization", "local")))
say(found=api.registry("shelf", "local").organization)
shelf.description = "better ones"; shelf.artifact_types.append("dataset"); shelf.name = "bookcase"; shelf.save()
fresh = api.registry("bookcase", "local")
say(saved=[fresh.description, sorted(fresh.artifact_types)], old=refused(lambda: api.registry("shelf", "local").load()))
run = wandb.init(project="shelved")
logged = run.log_artifact(wandb.Artifact("net", type="model", metadata={"acc": 1})).wait()
logged.link("wandb-registry-bookcase/nets", aliases=["gold"])
run.finish()
say(listed=sorted(one.name for one in api.registries("local")))
say(filtered=[one.name for one in api.registries("local", filter={"name": {"$regex": "case$"}})])
say(named=[one.name for one in api.registries("local", filter={"name": "bookcase"})])
say(collections=[one.name for one in fresh.collections()], none=len(list(fresh.collections(filter={"name": "x"}))))
say(all=[one.name for one in api.registries("local").collections()])
say(versions=[[one.name, sorted(one.aliases), one.metadata] for one in fresh.versions()])
say(gold=[one.name for one in api.registries("local").collections().versions(filter={"alias": "gold"})])
say(lead=[one.name for one in fresh.versions(filter={"alias": "lead"})])
bob, team = api.user("bob"), api.team("research")
fresh.add_members(bob, team)
fresh.update_member(bob, "admin"); fresh.update_member(team, "viewer")
people = [["user", one.user.username, str(getattr(one.role, "value", one.role))] for one in fresh.user_members()]
groups = [["team", one.team.name, str(getattr(one.role, "value", one.role))] for one in fresh.team_members()]
say(members=groups + people, kinds=sorted(one.kind.value for one in fresh.members()))
say(role=refused(lambda: fresh.update_member(bob, "restricted_viewer")))
fresh.remove_members(bob, team)
say(left=[one.user.username for one in fresh.members()])
fresh.visibility = "restricted"; fresh.save()
say(hidden=api.registry("bookcase", "local").visibility)
fresh.delete()
say(deleted=sorted(one.name for one in api.registries("local")))
""")

    assert said["made"] == ["wandb-registry-shelf", "organization", "good ones", ["model"]]
    assert "already exists" in said["twice"][1]
    assert said["found"] == "local"
    assert said["saved"] == ["better ones", ["dataset", "model"]]
    assert "Failed to load registry" in said["old"][1]
    assert said["listed"] == ["bookcase", "models"]
    assert said["filtered"] == said["named"] == ["bookcase"]
    assert (said["collections"], said["none"], said["all"]) == (["nets"], 0, ["nets"])
    assert said["versions"] == [["nets:v0", ["gold", "latest"], {"acc": 1}]]
    assert (said["gold"], said["lead"]) == (["nets:v0"], [])
    assert (
        said["members"]
        == [
            ["Entity", "research", "viewer"],
            ["User", "bob", "admin"],
            ["User", "operator", "admin"],
        ]
        or said["members"]
    )
    assert "admin, member, viewer" in said["role"][1]
    assert said["left"] == ["operator"]
    assert said["hidden"] == "restricted"
    assert said["deleted"] == ["models"]


def test_to_a_stranger_there_is_nothing(server: Server, run_script: Any) -> None:
    """AZ1, in words that are the same for what is hidden and what is not there."""
    with server.api() as api:
        made = api("POST", "projects/research/digits/runs/", {"display_name": "secret"})
    said = run_script(
        f"""
def both(call):
    return [refused(lambda: call("research", "local")), refused(lambda: call("nowhere", "nowhere"))]
say(viewer=api.viewer.teams, users=[api.user("operator"), len(api.users(""))])
say(project=both(lambda team, _: api.project("digits", team).id))
say(projects=both(lambda team, _: list(api.projects(team))))
say(runs=both(lambda team, _: list(api.runs(f"{{team}}/digits"))))
say(run=both(lambda team, _: api.run(f"{{team}}/digits/{made["run_id"]}").state))
say(organization=both(lambda _, name: api.organization(name)))
say(registry=both(lambda _, name: api.registry("models", name).description))
say(create=both(lambda team, _: api.create_project("mine", team)))
api.create_project("mine", "charlie")
say(own=[project.name for project in api.projects("charlie")])
""",
        WANDB_API_KEY=key_of(server, "charlie"),
        WANDB_ENTITY="charlie",
    )

    assert said["viewer"] == ["charlie"]
    assert said["users"] == [None, 1]
    for name in ("project", "projects", "runs", "run", "organization", "registry", "create"):
        hidden, missing = said[name]
        assert hidden[0] != "no refusal"
        there = hidden[1].replace("research", "nowhere").replace("local", "nowhere")
        assert there == missing[1], name
    assert said["own"] == ["mine"]
