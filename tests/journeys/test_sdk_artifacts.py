"""Versions with the unmodified wandb client: logged with files, found, downloaded, edited, used, deleted."""

from pathlib import Path

from tests.journeys import sdk
from tests.journeys.saying import said, watch
from tests.journeys.server import Server
from tests.receiver import Receiver

LOGGED = """
here = pathlib.Path("files"); (here / "sub").mkdir(parents=True, exist_ok=True)
(here / "weights.bin").write_bytes(bytes(range(256)) * 40)
(here / "sub" / "conf.json").write_text('{"lr": 0.1}')

def artifact():
    made = wandb.Artifact("net", "model", description="first", metadata={"acc": 0.5, "bad": float("nan")})
    made.add_dir(str(here))
    made.add_reference((here / "sub" / "conf.json").resolve().as_uri(), name="data")
    return made

run = wandb.init(project="vision")
logged = run.log_artifact(artifact(), aliases=["best"], tags=["checked"]).wait()
"""


def test_a_version_is_logged_found_and_downloaded(server: Server, tmp_path: Path) -> None:
    seen = said(
        server,
        tmp_path,
        LOGGED
        + """
say(first=[logged.name, logged.version, sorted(logged.aliases), logged.tags, logged.state, logged.size,
    logged.file_count, logged.description, logged.metadata])
again = run.log_artifact(artifact(), aliases=["again"]).wait()
say(again=[again.version, sorted(again.aliases)])
(here / "more.txt").write_text("more")
second = run.log_artifact(artifact()).wait()
say(second=[second.version, sorted(second.aliases)])
run.finish()
""",
    ) | said(server, tmp_path / "elsewhere", DOWNLOADED)

    assert seen["first"] == [
        "net:v0",
        "v0",
        ["best", "latest"],
        ["checked"],
        "COMMITTED",
        10262,
        3,
        "first",
        {"acc": 0.5, "bad": None},
    ]
    assert seen["again"] == ["v0", ["again", "best", "latest"]]
    assert seen["second"] == ["v1", ["latest"]]
    assert seen["same"] is True
    assert seen["names"] == ["data", "sub/conf.json", "weights.bin"]
    assert seen["entry"] == '{"lr": 0.1}'
    assert seen["files"] == [["data", 11], ["sub/conf.json", 11], ["weights.bin", 10240]]
    assert (seen["count"], seen["storage"].startswith("wandb_artifacts/")) == (3, True)
    assert (seen["missing"], seen["there"], seen["latest"], seen["digest"]) == (False, True, "v1", "v0")


# On another machine, where no cache knows the files.
DOWNLOADED = """
api = wandb.Api()
found = api.artifact("vision/net:best")
say(entry=pathlib.Path(found.get_entry("sub/conf.json").download(root="one")).read_text())
folder = pathlib.Path(found.download(root="fetched"))
say(same=(folder / "weights.bin").read_bytes() == bytes(range(256)) * 40,
    names=sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()),
    files=sorted([f.name, f.size] for f in found.files()), count=len(found.files()),
    storage=next(iter(found.files())).storage_path,
    missing=api.artifact_exists("vision/net:nothing"), there=api.artifact_exists("vision/net"),
    latest=api.artifact("vision/net:latest").version, digest=api.artifact("vision/net:" + found.digest).version)
"""

EDITED = """
from datetime import timedelta
run.finish()
def net(alias="latest"):
    wandb.sdk.artifacts.artifact_instance_cache.artifact_instance_cache.clear()
    return wandb.Api().artifact("vision/edited:" + alias)

found = net()
found.aliases.append("prod"); found.aliases.remove("best")
found.tags = ["seen", "again"]
found.description = "second"; found.metadata = {"acc": 0.75}; found.ttl = timedelta(days=2)
found.save()
now = net()
say(edited=[sorted(now.aliases), sorted(now.tags), now.description, now.metadata, now.ttl == timedelta(days=2)])
now.ttl = None; now.save()
say(for_ever=net().ttl is None, refused=refusal(net("prod").delete))

api = wandb.Api()
with wandb.init(project="vision") as user:
    used = user.use_artifact("edited:prod")
    user.use_artifact("edited:prod")
    user_id = user.id
say(used_by=[r.id for r in net().used_by()] == [user_id], logged_by=net().logged_by().id == run.id,
    inputs=[a.name for a in api.run("vision/" + user_id).used_artifacts()],
    outputs=[a.name for a in api.run("vision/" + run.id).logged_artifacts()])
net().delete(delete_aliases=True)
say(deleted=wandb.Api().artifact_exists("vision/edited:v0"))
"""

COLLECTED = """
run.finish()
api = wandb.Api()
collection = api.artifact_collection("model", "vision/collected")
collection.description = "All of them"; collection.tags = ["nightly"]; collection.save()
collection.name = "renamed"; collection.save()
collection.type = "network"; collection.save()
found = wandb.Api().artifact_collection("network", "vision/renamed")
say(collection=[found.name, found.type, found.description, found.tags, sorted(found.aliases), found.is_sequence()])
found.tags = []; found.save()
say(untagged=wandb.Api().artifact_collection("network", "vision/renamed").tags,
    types=sorted(t.name for t in api.artifact_types("vision")),
    collections=[c.name for c in api.artifact_type("network", "vision").collections()],
    filtered=[c.name for c in api.artifact_type("network", "vision").collections(filters={"name": {"$regex": "^net"}})],
    versions=[a.version for a in api.artifacts("network", "vision/renamed")],
    length=len(api.artifacts("network", "vision/renamed")))
found.delete()
say(gone=api.artifact_collection_exists("vision/renamed", "network"))
"""


def test_a_version_is_edited_used_and_deleted(server: Server, tmp_path: Path) -> None:
    seen = said(server, tmp_path, LOGGED.replace('"net"', '"edited"') + EDITED)

    assert seen["edited"] == [["latest", "prod"], ["again", "seen"], "second", {"acc": 0.75}, True]
    assert seen["for_ever"] is True
    assert "has aliases: prod" in seen["refused"]
    assert (seen["used_by"], seen["logged_by"]) == (True, True)
    assert (seen["inputs"], seen["outputs"]) == (["edited:v0"], ["edited:v0"])
    assert seen["deleted"] is False


def test_a_collection_is_described_tagged_renamed_moved_and_deleted(server: Server, tmp_path: Path) -> None:
    seen = said(server, tmp_path, LOGGED.replace('"net"', '"collected"') + COLLECTED)

    assert seen["collection"] == ["renamed", "network", "All of them", ["nightly"], ["best", "latest"], True]
    assert (seen["untagged"], seen["collections"], seen["versions"]) == ([], ["renamed"], ["v0"])
    assert (set(seen["types"]) >= {"network"}, seen["length"], seen["filtered"]) == (True, 1, [])
    assert seen["gone"] is False


def test_versions_are_made_of_others(server: Server, tmp_path: Path) -> None:
    """Additions to a version, drafts of one, references to files of another, models, tables."""
    seen = said(
        server,
        tmp_path,
        """
run = wandb.init(project="made")
def log(artifact, **files):
    for name, text in files.items():
        with artifact.new_file(name) as file:
            file.write(text)
    return run.log_artifact(artifact).wait()

def names(artifact):
    wandb.sdk.artifacts.artifact_instance_cache.artifact_instance_cache.clear()
    return sorted(wandb.Api().artifact("made/" + artifact.name).manifest.entries)

first = log(wandb.Artifact("inc", "dataset"), one="1")
added = log(wandb.Artifact("inc", "dataset", incremental=True), two="2")
draft = added.new_draft()
draft.remove("one")
drafted = log(draft, three="3")
say(added=names(added), drafted=names(drafted))

chained = wandb.Artifact("chained", "dataset")
chained.add_reference(drafted.get_entry("three").ref_url(), "copied")
chained.add(wandb.Table(columns=["a"], data=[[5]]), "table")
chained = log(chained)
say(copied=(pathlib.Path(chained.download()) / "copied").read_text(), table=chained.get("table").data)

run.log({"rows": wandb.Table(columns=["a"], data=[[1]])})
model = run.log_model("script.py", name="net")
run.finish()
api = wandb.Api()
say(model=api.artifact("made/net:latest").type,
    logged=sorted({a.type for a in api.run("made/" + run.id).logged_artifacts()}))
""",
    )
    assert (seen["added"], seen["drafted"]) == (["one", "two"], ["three", "two"])
    assert (seen["copied"], seen["table"]) == ("3", [[5]])
    assert (seen["model"], seen["logged"]) == ("model", ["dataset", "model", "run_table"])


def test_automations_hear_of_what_a_script_does(server: Server, tmp_path: Path, receiver: Receiver) -> None:
    """A version is announced when it is committed, then each of its aliases and tags."""
    watch(server, receiver, "CREATE_ARTIFACT", "ADD_ARTIFACT_ALIAS", "ADD_ARTIFACT_TAG", collection="heard")

    said(server, tmp_path, LOGGED.replace('"net"', '"heard"') + "run.finish()")

    heard = sorted((one.json()["event"], one.json()["alias"], one.json()["tag"]) for one in receiver.wait_for(3))
    assert heard == [
        ("ADD_ARTIFACT_ALIAS", "best", ""),
        ("ADD_ARTIFACT_TAG", "", "checked"),
        ("CREATE_ARTIFACT", "", ""),
    ]


def test_scripts_that_log_to_one_collection_at_once_get_numbers_without_gaps(server: Server, tmp_path: Path) -> None:
    source = """
    import os, wandb
    run = wandb.init(project="busy", entity=os.environ["TEAM"])
    for number in range(3):
        made = wandb.Artifact("shared", type="model")
        with made.new_file("n.txt") as file:
            file.write(f"{run.id} {number}")
        run.log_artifact(made)
    run.finish()
    """
    scripts = [sdk.Running(server, tmp_path / str(one), source, TEAM=server.login["team"]) for one in range(2)]
    assert [script.end() for script in scripts] == [0, 0], "\n".join(script.printed for script in scripts)

    with server.api() as api:
        versions = api("GET", f"projects/{server.login['team']}/busy/collections/shared/versions/")["results"]
    assert [one["version_index"] for one in versions] == [5, 4, 3, 2, 1, 0]
