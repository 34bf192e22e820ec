"""`wandb.Api()` of the unmodified client: people, teams, registries, and what a stranger sees."""

from pathlib import Path

from tests.journeys import saying
from tests.journeys.server import Server


def test_people_teams_and_the_organization(server: Server, tmp_path: Path) -> None:
    saying.user(server, "bob", team="research", role="member")
    found = saying.said(
        server,
        tmp_path,
        """
api = wandb.Api()
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
say(deleted=fresh.delete_api_key("…" + key[-4:]), gone=refusal(lambda: wandb.Api(api_key=key).viewer))
say(service=vision.create_service_account("ci"))
say(user=refusal(lambda: api.create_user("new@example.com")))
""",
    )

    assert found["viewer"] == ["operator", "operator", True, ["operator", "research"]]
    assert found["bob"] == ["bob", ["bob", "research"], ["bob"]]
    assert found["nobody"] == [None, []]
    assert found["team"] == ["research", ["bob", "operator"], "team"]
    assert found["own"] == [["operator", "USER"]]
    assert found["organization"] == ["local", "local", "local"]
    assert found["made"] == ["vision", [["operator", True]]]
    assert found["invited"] == [True, False, False]
    assert found["removed"] == [True, False]
    assert found["key"] == [True, "operator"]
    assert found["deleted"] is True
    assert "not logged in" in found["gone"]
    assert found["service"] is None
    assert "provision" in found["user"]


def test_registries_are_made_saved_searched_and_deleted(server: Server, tmp_path: Path) -> None:
    found = saying.said(
        server,
        tmp_path,
        """
api = wandb.Api()
shelf = api.create_registry("shelf", "organization", "local", "good ones", ["model"])
say(made=[shelf.full_name, shelf.visibility, shelf.description, list(shelf.artifact_types)])
say(twice=refusal(lambda: api.create_registry("shelf", "organization", "local")))
say(found=api.registry("shelf", "local").organization)
shelf.description = "better ones"; shelf.artifact_types.append("dataset"); shelf.name = "bookcase"; shelf.save()
fresh = api.registry("bookcase", "local")
say(saved=[fresh.description, sorted(fresh.artifact_types)], old=refusal(lambda: api.registry("shelf", "local").load()))
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
fresh.delete()
say(deleted=sorted(one.name for one in api.registries("local")))
""",
    )

    assert found["made"] == ["wandb-registry-shelf", "organization", "good ones", ["model"]]
    assert "already exists" in found["twice"]
    assert found["found"] == "local"
    assert found["saved"] == ["better ones", ["dataset", "model"]]
    assert "Failed to load registry" in found["old"]
    assert found["listed"] == ["bookcase", "models"]
    assert found["filtered"] == found["named"] == ["bookcase"]
    assert (found["collections"], found["none"], found["all"]) == (["nets"], 0, ["nets"])
    assert found["versions"] == [["nets:v0", ["gold", "latest"], {"acc": 1}]]
    assert (found["gold"], found["lead"]) == (["nets:v0"], [])
    assert found["deleted"] == ["models"]


def test_people_and_teams_are_let_into_a_registry(server: Server, tmp_path: Path) -> None:
    saying.user(server, "bob", team="research", role="member")
    found = saying.said(
        server,
        tmp_path,
        """
api = wandb.Api()
fresh = api.create_registry("shared", "organization", "local")
bob, team = api.user("bob"), api.team("research")
fresh.add_members(bob, team)
fresh.update_member(bob, "admin"); fresh.update_member(team, "viewer")
people = [["user", one.user.username, str(getattr(one.role, "value", one.role))] for one in fresh.user_members()]
groups = [["team", one.team.name, str(getattr(one.role, "value", one.role))] for one in fresh.team_members()]
say(members=groups + people, kinds=sorted(one.kind.value for one in fresh.members()))
say(role=refusal(lambda: fresh.update_member(bob, "restricted_viewer")))
fresh.remove_members(bob, team)
say(left=[one.user.username for one in fresh.members()])
fresh.visibility = "restricted"; fresh.save()
say(hidden=api.registry("shared", "local").visibility)
fresh.delete()
""",
    )

    assert found["members"] == [["team", "research", "viewer"], ["user", "bob", "admin"], ["user", "operator", "admin"]]
    assert found["kinds"] == ["Entity", "User", "User"]
    assert "admin, member, viewer" in found["role"]
    assert found["left"] == ["operator"]
    assert found["hidden"] == "restricted"


def test_to_a_stranger_there_is_nothing(server: Server, tmp_path: Path) -> None:
    """AZ1, in words that are the same for what is hidden and what is not there."""
    with server.api() as api:
        made = api("POST", "projects/research/digits/runs/", {"display_name": "secret"})
    found = saying.said(
        server,
        tmp_path,
        f"""
api = wandb.Api()
def both(call):
    return [refusal(lambda: call("research", "local")), refusal(lambda: call("nowhere", "nowhere"))]
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
        WANDB_API_KEY=saying.user(server, "charlie"),
        WANDB_ENTITY="charlie",
    )

    assert found["viewer"] == ["charlie"]
    assert found["users"] == [None, 1]
    for name in ("project", "projects", "runs", "run", "organization", "registry", "create"):
        hidden, missing = found[name]
        assert hidden != "not refused"
        assert hidden.replace("research", "nowhere").replace("local", "nowhere") == missing, name
    assert found["own"] == ["mine"]
