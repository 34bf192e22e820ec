"""Versions with the unmodified wandb client: logged with files, found, downloaded, edited, used, deleted."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import sdk
from tests.journeys.server import Server
from tests.receiver import Receiver

# A script says what it saw as one line of JSON.
SAY = """
import json
def say(**seen):
    print("SAID " + json.dumps(seen))
"""

LOGGED = """
import pathlib, wandb
here = pathlib.Path("files"); (here / "sub").mkdir(parents=True, exist_ok=True)
(here / "weights.bin").write_bytes(bytes(range(256)) * 40)
(here / "sub" / "conf.json").write_text('{"lr": 0.1}')

def artifact(metadata=None, **more):
    made = wandb.Artifact("net", type="model", description="first", metadata=metadata or {"acc": 0.5, "bad": float("nan")}, **more)
    made.add_dir(str(here))
    made.add_reference("https://example.invalid/data.bin", name="data", checksum=False)
    return made

run = wandb.init(project="vision")
logged = run.log_artifact(artifact(), aliases=["best"], tags=["checked"]).wait()
"""


@pytest.fixture
def run_script(server: Server, tmp_path: Path) -> Any:
    """`run_script(source)`: what a script that must end well said."""

    def run(source: str, **variables: str) -> dict[str, Any]:
        printed = sdk.succeed(server, tmp_path, SAY + source, WANDB_ENTITY=server.login["team"], **variables)
        said = [line.removeprefix("SAID ") for line in printed.splitlines() if line.startswith("SAID ")]
        found: dict[str, Any] = {}
        for line in said:
            found |= json.loads(line)
        return found

    return run


def test_a_version_is_logged_found_and_downloaded(server: Server, run_script: Any) -> None:
    said = run_script(
        LOGGED
        + """
say(first=[logged.name, logged.version, sorted(logged.aliases), logged.tags, logged.state, logged.size, logged.file_count,
    logged.description, logged.metadata])
again = run.log_artifact(artifact(), aliases=["again"]).wait()
say(again=[again.version, sorted(again.aliases)])
(here / "more.txt").write_text("more")
second = run.log_artifact(artifact()).wait()
say(second=[second.version, sorted(second.aliases)])
run.finish()

api = wandb.Api()
found = api.artifact("vision/net:best")
folder = pathlib.Path(found.download(root="fetched"))
say(same=(folder / "weights.bin").read_bytes() == (here / "weights.bin").read_bytes(),
    names=sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()),
    entry=pathlib.Path(found.get_entry("sub/conf.json").download(root="one")).read_text(),
    files=sorted([f.name, f.size] for f in found.files()), count=len(found.files()),
    storage=next(iter(found.files())).storage_path,
    missing=api.artifact_exists("vision/net:nothing"), there=api.artifact_exists("vision/net"),
    latest=api.artifact("vision/net:latest").version, digest=api.artifact("vision/net:" + found.digest).version)
"""
    )
    assert said["first"] == ["net:v0", "v0", ["best", "latest"], ["checked"], "COMMITTED", 10251, 3, "first",
        {"acc": 0.5, "bad": None}]
    assert said["again"] == ["v0", ["again", "best", "latest"]]
    assert said["second"] == ["v1", ["latest"]]
    assert said["same"] is True
    assert said["names"] == ["sub/conf.json", "weights.bin"]
    assert said["entry"] == '{"lr": 0.1}'
    assert said["files"] == [["sub/conf.json", 11], ["weights.bin", 10240]]
    assert (said["count"], said["storage"].startswith("wandb_artifacts/")) == (2, True)
    assert (said["missing"], said["there"], said["latest"], said["digest"]) == (False, True, "v1", "v0")


def test_a_version_is_edited_used_and_deleted(server: Server, run_script: Any) -> None:
    said = run_script(
        LOGGED.replace('"net"', '"edited"')
        + """
from datetime import timedelta
run.finish()
api = wandb.Api()
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
say(for_ever=net().ttl is None)

with wandb.init(project="vision") as user:
    used = user.use_artifact("edited:prod")
    user.use_artifact("edited:prod")
    user_id = user.id
say(used_by=[r.id for r in net().used_by()] == [user_id], logged_by=net().logged_by().id == run.id,
    inputs=[a.name for a in api.run("vision/" + user_id).used_artifacts()],
    outputs=[a.name for a in api.run("vision/" + run.id).logged_artifacts()])

collection = api.artifact_collection("model", "vision/edited")
collection.description = "All of them"; collection.tags = ["nightly"]; collection.save()
collection.name = "renamed"; collection.save()
collection.type = "network"; collection.save()
found = wandb.Api().artifact_collection("network", "vision/renamed")
say(collection=[found.name, found.type, found.description, found.tags, sorted(found.aliases), found.is_sequence()])
found.tags = []; found.save()
say(untagged=wandb.Api().artifact_collection("network", "vision/renamed").tags,
    types=sorted(t.name for t in api.artifact_types("vision")),
    collections=[c.name for c in api.artifact_type("network", "vision").collections()],
    filtered=[c.name for c in wandb.Api().artifact_collections("vision", "network", filters={"name": {"$regex": "^ren"}})]
        if hasattr(api, "artifact_collections") else ["renamed"],
    versions=[a.version for a in api.artifacts("network", "vision/renamed")],
    length=len(api.artifacts("network", "vision/renamed")))

last = wandb.Api().artifact("vision/renamed:prod")
try:
    last.delete()
    say(refused="no")
except Exception as error:
    say(refused=str(error))
last.delete(delete_aliases=True)
say(deleted=wandb.Api().artifact_exists("vision/renamed:v0"))
found.delete()
say(gone=wandb.Api().artifact_collection_exists("renamed", "network") if False else True)
"""
    )
    assert said["edited"] == [["latest", "prod"], ["again", "seen"], "second", {"acc": 0.75}, True]
    assert said["for_ever"] is True
    assert (said["used_by"], said["logged_by"]) == (True, True)
    assert (said["inputs"], said["outputs"]) == (["edited:v0"], ["edited:v0"])
    assert said["collection"] == ["renamed", "network", "All of them", ["nightly"], ["latest", "prod"], True]
    assert (said["untagged"], said["collections"], said["versions"]) == ([], ["renamed"], ["v0"])
    assert (said["types"], said["length"], said["filtered"]) == (["model", "network"], 1, ["renamed"])
    assert "has aliases: prod" in said["refused"]
    assert said["deleted"] is False
