"""Links with the unmodified wandb client: to registries and to projects, and who may do and see what."""

from http.client import HTTPConnection
from pathlib import Path

from tests.journeys.saying import said, user, watch
from tests.journeys.server import Server
from tests.receiver import Receiver

LOGGED = """
run = wandb.init(project="vision")
made = wandb.Artifact(NAME, "model")
with made.new_file("weights.txt") as file:
    file.write("secret weights of " + NAME)
source = run.log_artifact(made).wait()
"""


def logging(name: str) -> str:
    """A script that logs a version with one file."""
    return f"NAME = {name!r}\n{LOGGED}"


def test_a_version_is_linked_to_a_registry_and_unlinked(server: Server, tmp_path: Path, receiver: Receiver) -> None:
    watch(server, receiver, "LINK_MODEL", "ADD_ARTIFACT_ALIAS", "UNLINK_ARTIFACT", collection="shelf")

    seen = said(
        server,
        tmp_path,
        logging("net")
        + """
run.finish()
linked = source.link("wandb-registry-models/shelf", aliases=["staging"])
say(linked=[linked.name, sorted(linked.aliases), linked.is_link, linked.qualified_name, linked.source_name])
again = source.link("wandb-registry-models/shelf", aliases=["staging"])
say(again=again.version)
found = wandb.Api().artifact("local/wandb-registry-models/shelf:staging")
say(content=(pathlib.Path(found.download(root="fetched")) / "weights.txt").read_text(),
    source=found.source_qualified_name,
    places=sorted(a.qualified_name for a in wandb.Api().artifact("vision/net:v0").linked_artifacts))
found.aliases.append("production"); found.tags.append("good"); found.save()
say(tags=wandb.Api().artifact("vision/net:v0").tags, aliases=wandb.Api().artifact("vision/net:v0").aliases)
found.unlink()
api = wandb.Api()
say(gone=api.artifact_exists("local/wandb-registry-models/shelf:v0"), stays=api.artifact_exists("vision/net:v0"),
    nowhere=refusal(source.link, "wandb-registry-nothing/shelf"), wrong=refusal(source.unlink))
""",
    )

    assert seen["linked"] == ["shelf:v0", ["latest", "staging"], True, "local/wandb-registry-models/shelf:v0", "net:v0"]
    assert (seen["again"], seen["content"]) == ("v0", "secret weights of net")
    assert (seen["source"], seen["places"]) == ("research/vision/net:v0", ["local/wandb-registry-models/shelf:v0"])
    assert (seen["tags"], seen["aliases"]) == (["good"], ["latest"])
    assert (seen["gone"], seen["stays"]) == (False, True)
    assert "There is no registry “nothing” in local" in seen["nowhere"]
    heard = sorted((one.json()["event"], one.json()["alias"]) for one in receiver.wait_for(4))
    assert heard == [
        ("ADD_ARTIFACT_ALIAS", "production"),
        ("ADD_ARTIFACT_ALIAS", "staging"),
        ("LINK_ARTIFACT", ""),
        ("UNLINK_ARTIFACT", ""),
    ]


def test_a_version_is_linked_to_another_project_by_its_run(server: Server, tmp_path: Path) -> None:
    seen = said(
        server,
        tmp_path,
        logging("local-net")
        + """
run.link_artifact(source, "chosen/best", aliases=["live"])
run.finish()
api = wandb.Api()
found = api.artifact("chosen/best:live")
say(found=[found.version, found.is_link, found.source_qualified_name],
    kind=api.artifact_collection("model", "chosen/best").is_sequence(),
    shared=refusal(wandb.init(project="chosen").log_artifact(wandb.Artifact("best", "model")).wait))
""",
    )
    assert seen["found"] == ["v0", True, "research/vision/local-net:v0"]
    assert seen["kind"] is False
    assert "linked, not logged" in seen["shared"]


def test_a_protected_alias_is_refused_with_a_sentence(server: Server, tmp_path: Path) -> None:
    member = user(server, "bob", team=server.login["team"], role="member")
    with server.api() as api:
        api("POST", "registries/local/models/protected-aliases/", {"alias": "golden"})

    seen = said(
        server,
        tmp_path,
        logging("guarded")
        + """
run.finish()
linked = source.link("wandb-registry-models/guarded")
linked.aliases.append("golden")
say(moved=refusal(linked.save), born=refusal(source.link, "wandb-registry-models/guarded", aliases=["golden"]))
linked.aliases.remove("golden"); linked.aliases.append("fine"); linked.save()
say(now=sorted(wandb.Api().artifact("local/wandb-registry-models/guarded:v0").aliases))
""",
        WANDB_API_KEY=member,
    )

    for refused in (seen["moved"], seen["born"]):
        assert "only admins of the registry may change protected aliases" in refused
    assert seen["now"] == ["fine", "latest"]


def test_a_stranger_sees_nothing_and_forged_addresses_open_nothing(server: Server, tmp_path: Path) -> None:
    """AZ1; the addresses of files are permissions, which only the server gives out."""
    seen = said(
        server,
        tmp_path,
        logging("hidden") + "run.finish()\nsay(id=source.id, url=next(iter(source.files())).direct_url)",
    )
    stranger = user(server, "charlie")

    refused = said(
        server,
        tmp_path / "charlie",
        f"""
team, id = {server.login["team"]!r}, {seen["id"]!r}
api = wandb.Api()
say(there=api.artifact_exists(f"{{team}}/vision/hidden:v0"),
    fetched=refusal(api.artifact, f"{{team}}/vision/hidden:v0"),
    files=refusal(wandb.Artifact._from_id, id, api._service_api))
""",
        WANDB_API_KEY=stranger,
        WANDB_ENTITY="charlie",
    )

    assert refused["there"] is False
    assert "not found" in refused["fetched"]
    path = seen["url"].partition(f"{server.port}")[2]
    connection = HTTPConnection("127.0.0.1", server.port, timeout=10)
    for address, status in ((path, 200), (f"{path[:-3]}abc", 403)):
        connection.request("GET", address)
        response = connection.getresponse()
        assert (response.status, b"secret weights" in response.read()) == (status, status == 200)
    connection.close()
