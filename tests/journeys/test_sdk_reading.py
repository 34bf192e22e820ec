"""`wandb.Api()` of the unmodified client: runs are listed, read, changed and deleted."""

from pathlib import Path

import pytest

from tests.journeys import saying, sdk
from tests.journeys.server import Server

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


# The names of the runs that are found, and how many the server counts.
NAMES = """
api = wandb.Api()
def names(**asked):
    runs = api.runs("research/public", **asked)
    return [[run.name for run in runs], len(runs)]
"""


@pytest.fixture(scope="module")
def logged(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """The server, with three runs that a script logged."""
    sdk.succeed(server, tmp_path_factory.mktemp("log"), LOG, WANDB_ENTITY=server.login["team"])
    return server


def test_projects_and_runs_are_listed(logged: Server, tmp_path: Path) -> None:
    found = saying.said(
        logged,
        tmp_path,
        NAMES
        + """
say(projects=sorted(project.name for project in api.projects("research")))
api.create_project("fresh", "research"); api.create_project("fresh", "research")
say(fresh=api.project("fresh", "research").name, lost=refusal(lambda: api.project("lost", "research").id))
say(all=names(), newest=names(order="-created_at"), paged=names(per_page=2, order="+config.lr"))
say(byname=names(filters={"display_name": {"$regex": "^prod"}}), bytag=names(filters={"tags": {"$in": ["t2"]}}))
say(byconfig=names(filters={"config.lr.value": {"$lt": 0.5}}), bysummary=names(filters={"summary_metrics.rare": 30}))
say(bystate=names(filters={"$and": [{"state": "finished"}, {"username": "operator"}, {"group": "y"}]}))
say(bytime=names(filters={"created_at": {"$lt": "2020-01-01"}}), badly=refusal(lambda: names(filters={"luck": 1})))
""",
    )

    assert {"digits", "public"} <= set(found["projects"])
    assert found["fresh"] == "fresh"
    assert "not found" in found["lost"]
    assert found["all"] == [["prod-a", "prod-b", "try"], 3]
    assert found["newest"] == [["try", "prod-b", "prod-a"], 3]
    assert found["paged"] == [["try", "prod-b", "prod-a"], 3]
    assert found["byname"] == [["prod-a", "prod-b"], 2]
    assert found["bytag"] == found["bystate"] == [["try"], 1]
    assert found["byconfig"] == [["prod-b", "try"], 2]
    assert found["bysummary"] == found["all"]
    assert found["bytime"] == [[], 0]
    assert "luck" in found["badly"]


def test_a_run_is_read(logged: Server, tmp_path: Path) -> None:
    found = saying.said(
        logged,
        tmp_path,
        """
api = wandb.Api()
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
""",
    )

    assert found["run"] == ["run0", "prod-a", "finished", "x", "train", ["kept", "t0"], "operator"]
    assert found["config"] == {"lr": 1.0, "model": {"depth": 0}}
    assert found["summary"] == [30, 0.975]
    assert found["history"] == [40, 0, 39, "nan"]
    assert found["sample"] == 7
    assert found["keys"] == {"_step": 10, "rare": 10, "val.acc": 0.25}
    assert found["scan"] is True
    assert (found["scanned"], found["part"]) == ([0, 10, 20, 30], 4)
    assert found["nan"] == ["NaN"]
    assert found["system"] is True
    assert {"note.txt", "config.yaml", "wandb-summary.json"} <= set(found["files"])
    assert found["note"] == "kept"
    assert "line of prod-a" in found["logs"]
    assert found["tail"] == [len(found["logs"]) - 1]


def test_rows_logged_over_rest_are_scanned_by_their_lines(server: Server, tmp_path: Path) -> None:
    with server.api() as api:
        made = api("POST", "projects/research/digits/runs/", {"display_name": "by rest"})
        path = f"projects/research/digits/runs/{made['run_id']}/"
        api("POST", f"{path}metrics/", [{"loss": line} for line in range(5)])
        api("POST", f"{path}finish/", {"exit_code": 0})

    found = saying.said(
        server,
        tmp_path,
        f"""
api = wandb.Api()
run = api.run("research/digits/{made["run_id"]}")
say(rows=list(run.scan_history()), some=list(run.scan_history(keys=["loss"], min_step=3)), last=run.lastHistoryStep)
""",
    )

    assert found["rows"] == [{"_step": line, "loss": line} for line in range(5)]
    assert found["some"] == [{"_step": line, "loss": line} for line in (3, 4)]
    assert found["last"] == 4


def test_runs_are_changed_made_and_deleted(logged: Server, tmp_path: Path) -> None:
    """Last: it leaves two runs."""
    found = saying.said(
        logged,
        tmp_path,
        NAMES
        + """
run = api.run("research/public/run0")
api.create_project("fresh", "research")
run.notes = "looked at"; run.tags.append("seen"); run.config["lr"] = 5; run.summary["best"] = 0.25; run.update()
again = wandb.Api().run("research/public/run0")
say(changed=[again.notes, sorted(again.tags), again.config["lr"], again.summary["best"], again.state])
made = api.create_run(project="fresh", entity="research")
say(made=[made.state, wandb.Api().run(f"research/fresh/{made.id}").state])
again.delete(); api.flush()
say(left=names(), lostrun=refusal(lambda: wandb.Api().run("research/public/run0")))
say(lostproject=refusal(lambda: list(api.runs("research/nowhere"))))
""",
    )

    assert found["changed"] == ["looked at", ["kept", "seen", "t0"], 5, 0.25, "finished"]
    assert found["made"] == ["running", "running"]
    assert found["left"] == [["prod-b", "try"], 2]
    assert "Could not find run" in found["lostrun"]
    assert "Could not find project" in found["lostproject"]
