"""Pages of projects and runs: who sees them, what they show, how many queries they take."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from projects import runs, service_accounts
from projects.models import Project, Role, Run, RunState, Team, User
from tests import factories

SignedIn = Callable[[User], Client]
LONG = "損失が発散した実験" * 14 + "ab"


@pytest.fixture
def signed_in(db: None) -> SignedIn:
    """`signed_in(user)`: a browser in which the user is signed in."""

    def open_browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_browser


def pages_of(project: Project, run: Run) -> list[str]:
    return [
        project.team.get_absolute_url(),
        project.get_absolute_url(),
        f"{project.get_absolute_url()}runs",
        f"{project.get_absolute_url()}automations/marks",
        run.get_absolute_url(),
        f"{project.get_absolute_url()}artifacts",
        f"/artifacts/runs/{run.pk}",
    ]


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_every_role_sees_the_pages_of_its_team(signed_in: SignedIn, role: str) -> None:
    """Spec §8: everybody in the team may look."""
    user = factories.make_user("bob")
    team = factories.make_team(**{role: user})
    project = factories.make_project(team)
    run = factories.make_run(project)
    for url in pages_of(project, run):
        assert signed_in(user).get(url).status_code == 200, url


def test_strangers_find_nothing(signed_in: SignedIn, project: Project, charlie: User) -> None:
    """AZ1"""
    for url in pages_of(project, factories.make_run(project)):
        assert signed_in(charlie).get(url).status_code == 404, url
    listed = signed_in(charlie).get("/projects/").content.decode()
    assert project.name not in listed


def test_whoever_is_not_signed_in_is_asked_to(client: Client, project: Project) -> None:
    for url in ["/", "/projects/", *pages_of(project, factories.make_run(project))]:
        answer = client.get(url)
        assert answer.status_code == 302, url
        assert answer["Location"].startswith("/login?next="), url


def test_runs_are_searched_and_filtered_by_state(signed_in: SignedIn, project: Project, bob: User) -> None:
    now = timezone.now()
    for name in ("baseline", "wide network", "損失なし"):
        factories.make_run(project, user=bob, display_name=name)
    failed = factories.make_run(project, user=bob, display_name="wide failed")
    runs.finish(failed, exit_code=1, by=bob, at=now)
    browser = signed_in(bob)

    def shown(query: str) -> set[str]:
        table = browser.get(f"{project.get_absolute_url()}runs?{query}").context["table"]
        return {run.display_name for run in table.page.object_list}

    assert shown("q=wide") == {"wide network", "wide failed"}
    assert shown("q=損失") == {"損失なし"}
    assert shown("state=failed") == {"wide failed"}
    assert shown("q=wide&state=running") == {"wide network"}
    assert shown(f"q={failed.run_id}") == {"wide failed"}


def test_nonsense_in_the_query_string_is_harmless(signed_in: SignedIn, project: Project, bob: User) -> None:
    factories.make_run(project)
    for query in ("page=x", "page=-4", "page=99999", "state=gone", "column=nothing"):
        assert signed_in(bob).get(f"{project.get_absolute_url()}runs?{query}").status_code == 200, query


def test_summary_values_most_runs_have_are_the_columns_unless_others_are_chosen(
    signed_in: SignedIn, project: Project, bob: User
) -> None:
    factories.make_run(project, summary={"loss": 0.25, "accuracy": 0.9, "val": {"loss": 0.3}, "_step": 4})
    factories.make_run(project, summary={"loss": 0.5, "lr": 0.001})
    browser = signed_in(bob)
    table = browser.get(f"{project.get_absolute_url()}runs").context["table"]
    assert table.columns == ["loss", "accuracy", "lr"]
    assert table.offered == ["accuracy", "loss", "lr", "val.loss"]
    chosen = browser.get(f"{project.get_absolute_url()}runs?column=val.loss").context["table"]
    assert [[cell.value for cell in cells] for _, cells in chosen.rows] == [[None], [0.3]]


def test_htmx_gets_the_table_alone(signed_in: SignedIn, project: Project, bob: User) -> None:
    factories.make_run(project, display_name="baseline")
    answer = signed_in(bob).get(
        f"{project.get_absolute_url()}runs", headers={"HX-Request": "true", "HX-Target": "runs"}
    )
    assert b"baseline" in answer.content
    assert b"<h1" not in answer.content


def test_columns_are_chosen_once_and_the_table_goes_on_as_it_is_filtered(
    signed_in: SignedIn, project: Project, bob: User, charlie: User
) -> None:
    factories.make_run(project, display_name="low", summary={"loss": 0.1, "val": 1})
    factories.make_run(project, display_name="high", summary={"loss": 9, "val": 2})
    address = f"{project.get_absolute_url()}runs"
    where = f"http://testserver{address}?where=loss+%3C+1&column=loss"
    headers = {"HX-Request": "true", "HX-Target": "runs", "HX-Current-URL": where}
    browser = signed_in(bob)
    answer = browser.post(f"{address}-columns", {"column": ["", "val"]}, headers=headers)

    assert answer["HX-Replace-Url"] == f"{address}?where=loss+%3C+1"
    assert [run.display_name for run in answer.context["table"].page.object_list] == ["low"]
    assert answer.context["table"].columns == ["val"]
    assert browser.get(address).context["table"].columns == ["val"]
    assert browser.post(f"{address}-columns", {"column": ""})["Location"] == address
    assert browser.get(address).context["table"].columns == []
    assert signed_in(charlie).post(f"{address}-columns", {"column": ""}).status_code == 404


def test_what_is_asked_of_values_stands_above_the_table(signed_in: SignedIn, project: Project, bob: User) -> None:
    factories.make_run(project, display_name="low", summary={"loss": 0.1})
    browser, address = signed_in(bob), f"{project.get_absolute_url()}runs"
    page = browser.get(address, {"where": ["loss<1", "loss < x"]}).content.decode()
    assert 'name="where" value="loss &lt; 1"' in page
    assert 'aria-label="Leave out loss &lt; 1"' in page
    assert "is no number" in page
    assert ">low</a>" in page
    nothing = browser.get(address, {"where": "loss > 1"}).content.decode()
    assert "No run matches." in nothing
    assert 'aria-label="Leave out loss &gt; 1"' in nothing


def test_a_page_of_runs_takes_as_many_queries_however_many_runs(
    signed_in: SignedIn, project: Project, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = signed_in(bob)
    factories.make_run(project, user=bob, summary={"loss": 1.0})
    browser.get(f"{project.get_absolute_url()}runs")
    with CaptureQueriesContext(connection) as first:
        browser.get(f"{project.get_absolute_url()}runs")
    now = timezone.now()
    Run.objects.bulk_create(
        Run(
            project=project,
            run_id=f"r{number}",
            display_name=f"run {number}",
            state=RunState.FINISHED,
            user=bob,
            created_at=now - timedelta(minutes=number),
            heartbeat_at=now,
            summary={"loss": number},
        )
        for number in range(120)
    )
    with django_assert_num_queries(len(first)):
        answer = browser.get(f"{project.get_absolute_url()}runs")
    assert answer.context["table"].page.paginator.num_pages == 3


def test_lists_of_projects_take_as_many_queries_however_many_projects(
    signed_in: SignedIn, team: Team, bob: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = signed_in(bob)
    urls = ("/projects/", team.get_absolute_url(), "/")
    factories.make_automation(factories.make_run(factories.make_project(team, "first"), user=bob).project)
    counts = {}
    for url in urls:
        with CaptureQueriesContext(connection) as first:
            browser.get(url)
        counts[url] = len(first)
    for number in range(20):
        factories.make_run(factories.make_project(team, f"project {number}"), user=bob)
    for url in urls:
        with django_assert_num_queries(counts[url]):
            assert browser.get(url).status_code == 200


def test_a_run_page_shows_the_first_500_values(signed_in: SignedIn, project: Project, bob: User) -> None:
    run = factories.make_run(
        project, user=bob, summary={f"m{number:04}": 1 for number in range(1_502)}, config={"a": 1}
    )
    page = signed_in(bob).get(run.get_absolute_url()).content.decode()
    assert "m0499" in page
    assert "m0500" not in page
    assert page.count("more; read them over the API.") == 1
    assert "… and 1002 more; read them over the API." in page


def test_a_run_shows_what_it_was_given_and_what_it_logged(signed_in: SignedIn, project: Project, bob: User) -> None:
    run = factories.make_run(
        project,
        user=bob,
        display_name=LONG,
        config={"optimizer": {"lr": 0.001}, "layers": [64, 32], "note": "<script>"},
        summary={"loss": "NaN", "big": 1e20, "huge": 10**400, "seed": 20261123},
        tags=["baseline"],
        notes="第一段\n第二段",
    )
    page = signed_in(bob).get(run.get_absolute_url()).content.decode()
    for text in (
        LONG,
        "optimizer.lr",
        "0.001",
        "[64, 32]",
        "&lt;script&gt;",
        "NaN",
        "1e+20",
        "1e+400",
        "20261123",
        "baseline",
        "第二段",
    ):
        assert text in page, text
    assert f"/executions/of-run/{run.pk}" in page
    assert f"/artifacts/runs/{run.pk}" in page


def test_a_run_page_lists_the_versions_the_run_logged(signed_in: SignedIn, project: Project, bob: User) -> None:
    run = factories.make_run(project, user=bob)
    factories.make_version(project, "digits-net", user=bob, run=run, aliases=["best"])
    factories.make_version(project, "other-net", user=bob)
    part = signed_in(bob).get(f"/artifacts/runs/{run.pk}").content.decode()
    assert "digits-net:v0" in part
    assert "best" in part
    assert "other-net" not in part


def test_members_create_projects_and_viewers_do_not(signed_in: SignedIn, team: Team, bob: User) -> None:
    created = signed_in(bob).post("/projects/new", {"team": team.name, "name": "手書き数字"})
    assert created.status_code == 302
    assert Project.objects.filter(team=team, name="手書き数字").exists()
    viewer = factories.make_user("charlie")
    factories.make_team(viewer=viewer)
    refused = signed_in(viewer).post("/projects/new", {"team": team.name, "name": "mine"})
    assert refused.status_code == 422
    assert not Project.objects.filter(name="mine").exists()


@pytest.mark.parametrize(
    ("name", "said"),
    [("digits", "already exists"), ("a/b", "may not contain"), ("", "required"), ("x" * 129, "at most 128")],
)
def test_a_bad_project_name_is_refused_beside_its_field(
    signed_in: SignedIn, project: Project, bob: User, name: str, said: str
) -> None:
    answer = signed_in(bob).post(
        "/projects/new", {"team": project.team.name, "name": name}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 422
    problems = answer.context["form"].errors
    assert said in str(problems)
    assert Project.objects.count() == 1


def test_empty_pages_say_what_to_do_next(signed_in: SignedIn, project: Project, bob: User) -> None:
    browser = signed_in(bob)
    for tab in ("", "runs"):
        assert "No runs yet" in browser.get(f"{project.get_absolute_url()}{tab}").content.decode()
    assert "No artifacts yet" in browser.get(f"{project.get_absolute_url()}artifacts").content.decode()


def test_the_people_of_a_team_are_no_service_accounts(signed_in: SignedIn, team: Team, alice: User) -> None:
    service_accounts.create(team, "nightly", role=Role.MEMBER, by=alice)
    page = signed_in(alice).get("/research/").content.decode()
    assert 'People <span class="count">2</span>' in page
    assert "nightly" not in page
