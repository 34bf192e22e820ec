"""The page of one run: what scripts printed, uploaded and told; downloads; the Stop button."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects import alerts, console, reports, run_pages, runfiles, storage
from projects.models import AlertLevel, Project, Run, RunState, User
from projects.reports import Printed, Report
from tests import factories

TABS = ("", "/charts", "/system", "/logs", "/files")
SignedIn = Callable[[User], Client]
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def signed_in(db: None) -> SignedIn:
    def open_browser(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return open_browser


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    return factories.make_run(project, user=bob, run_id="first", display_name="baseline")


def put(run: Run, name: str, content: bytes = b"hello") -> None:
    token = runfiles.upload_token(run, name)
    storage.receive(token, BytesIO(content), length=len(content), at=timezone.now())


def prints(run: Run, *lines: str) -> None:
    reports.take(run, Report(printed=Printed(first=0, lines=list(lines))), at=timezone.now())


def tell(run: Run, title: str) -> None:
    now = timezone.now()
    alerts.raise_alert(run, title=title, text=EVIL, level=AlertLevel.ERROR, wait=timedelta(), by=None, at=now)


def test_what_a_script_says_is_shown_as_text(signed_in: SignedIn, run: Run, bob: User) -> None:
    prints(run, f"\x1b[31m{EVIL}\x1b[0m", '{"level":"error","content":"to stderr"}')
    put(run, f"media/{EVIL.replace('/', '')}.html")
    tell(run, EVIL)
    Run.objects.update(host=EVIL, program="train.py")

    client = signed_in(bob)
    pages = {tab: client.get(f"{run.get_absolute_url()}{tab}").content.decode() for tab in TABS}
    for page in pages.values():
        assert EVIL not in page
        assert "\x1b" not in page
    assert pages[""].count("&lt;script&gt;alert(1)") >= 3
    for tab in ("/logs", "/files"):
        assert "&lt;script&gt;alert(1)" in pages[tab]
    assert '<span class="to-errors"><i>2</i>to stderr&#10;</span>' in pages["/logs"]
    assert "train.py" in pages[""]


def test_a_page_takes_as_many_queries_however_much_there_is(signed_in: SignedIn, run: Run, bob: User) -> None:
    client = signed_in(bob)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            for tab in TABS:
                assert client.get(f"{run.get_absolute_url()}{tab}").status_code == 200
        return len(asked)

    put(run, "a")
    tell(run, "a")
    prints(run, "a")
    before = queries()
    for number in range(5):
        put(run, f"file{number}", b"%d" % number)
        tell(run, f"alert {number}")
        prints(run, *map(str, range(300)))
    assert queries() <= before


def test_of_much_the_last_lines_and_the_first_files_are_shown(
    signed_in: SignedIn, run: Run, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_pages, "FILES_SHOWN", 3)
    prints(run, *(f"line {number:05}" for number in range(1_000)))
    for number in range(4):
        put(run, f"{number:03}.txt")
    log = signed_in(bob).get(f"{run.get_absolute_url()}/logs").content.decode()
    assert "line 00999" in log
    assert "line 00499" not in log
    assert "The last 500 of 1,000 lines" in log
    files = signed_in(bob).get(f"{run.get_absolute_url()}/files").content.decode()
    assert "002.txt" in files
    assert "003.txt" not in files


def test_a_log_is_searched_from_its_end(signed_in: SignedIn, run: Run, bob: User) -> None:
    prints(run, *(f"line {number}" for number in range(300)), "CUDA out of memory", "done")
    client = signed_in(bob)
    found = client.get(f"{run.get_absolute_url()}/logs?q=cuda").content.decode()
    assert "1 line with “cuda”" in found
    assert "<i>301</i>CUDA out of memory" in found
    assert "done" not in found
    assert "No line has this text." in client.get(f"{run.get_absolute_url()}/logs?q=nothing").content.decode()
    run.refresh_from_db()
    assert len(console.search(run, "LINE", count=7).lines) == 7
    assert not console.search(run, "LINE", count=7).is_all
    assert console.search(run, "line 29", count=50).is_all


def test_pictures_are_shown_and_what_could_hold_a_script_is_not(signed_in: SignedIn, run: Run, bob: User) -> None:
    """Nothing uploaded ever runs here."""
    for name in ("a.PNG", "b.svg", "c.html", "d.jpeg"):
        put(run, name)
    page = signed_in(bob).get(f"{run.get_absolute_url()}/files").content.decode()
    assert [name for name in ("a.PNG", "b.svg", "c.html", "d.jpeg") if f'/files/{name}" alt=""' in page] == [
        "a.PNG",
        "d.jpeg",
    ]


def test_tables_are_downloaded_as_csv(signed_in: SignedIn, run: Run, bob: User, charlie: User) -> None:
    """As a spreadsheet shows them and never runs them."""
    name = 'media/table/a "b"_1.table.json'
    content = b'{"columns": ["id", "=x"], "data": [[1, "=1+1"], [null, {"_type": "image-file", "path": "p"}], "odd"]}'
    put(run, name, content)
    put(run, "media/table/broken.table.json", b"{")
    put(run, "media/table/list.table.json", b"[]")
    client = signed_in(bob)
    page = client.get(f"{run.get_absolute_url()}/files").content.decode()
    assert page.count("/tables/") == 3

    answer = client.get(f"{run.get_absolute_url()}/tables/{name}")
    assert answer["Content-Disposition"] == 'attachment; filename="a__b__1.csv"'
    csv = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]  # it streams
    assert csv == ["id,'=x", "1,'=1+1", ',"{""_type"":""image-file"",""path"":""p""}"', "odd"]
    for odd in ("media/table/broken.table.json", "media/table/list.table.json", "gone"):
        assert client.get(f"{run.get_absolute_url()}/tables/{odd}").status_code == 404
    assert signed_in(charlie).get(f"{run.get_absolute_url()}/tables/{name}").status_code == 404


def test_plots_of_a_run_are_its_scripts_or_its_machines(signed_in: SignedIn, run: Run, bob: User) -> None:
    Run.objects.update(summary={"loss": 1}, system_metrics={"system.cpu": 2})
    client = signed_in(bob)
    charts, machine = (client.get(f"{run.get_absolute_url()}/{tab}").content.decode() for tab in ("charts", "system"))
    for page, metric, other in ((charts, "loss", "system.cpu"), (machine, "system.cpu", "loss")):
        assert f'data-metric="{metric}"' in page
        assert f'data-metric="{other}"' not in page
    assert '<option value="step"' not in machine


@pytest.mark.parametrize(
    ("tab", "part"),
    [("", "run-facts"), ("", "run-values"), ("/charts", "plotted-runs"), ("/charts", "plots"), ("/logs", "run-log")],
)
def test_parts_of_a_page_are_live_until_the_run_is_over(
    signed_in: SignedIn, run: Run, bob: User, tab: str, part: str
) -> None:
    """UI5: live while a run logs."""
    prints(run, "a")
    client, htmx = signed_in(bob), {"HX-Request": "true", "HX-Target": part}
    page = client.get(f"{run.get_absolute_url()}{tab}", headers=htmx).content.decode()
    assert f'id="{part}"' in page
    assert "<h1" not in page
    assert ("data-live" in page) == (part != "plots")
    Run.objects.update(state=RunState.FINISHED)
    assert "data-live>" not in client.get(f"{run.get_absolute_url()}{tab}", headers=htmx).content.decode()


def test_the_console_is_read_as_plain_text(signed_in: SignedIn, run: Run, bob: User) -> None:
    prints(run, EVIL, "ünicode")
    answer = signed_in(bob).get(f"{run.get_absolute_url()}/console")
    assert b"".join(answer.streaming_content).decode() == f"{EVIL}\nünicode\n"
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_file_is_downloaded_and_never_runs_here(signed_in: SignedIn, run: Run, bob: User) -> None:
    put(run, "media/html/page.html", EVIL.encode())
    answer = signed_in(bob).get(f"{run.get_absolute_url()}/files/media/html/page.html")
    assert b"".join(answer.streaming_content).decode() == EVIL
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert signed_in(bob).get(f"{run.get_absolute_url()}/files/other.html").status_code == 404


def test_bytes_that_are_missing_are_said_to_be(signed_in: SignedIn, run: Run, bob: User) -> None:
    put(run, "a")
    blob = run.files.get().blob
    blob.path = "1/ab/nowhere"
    blob.save()
    assert signed_in(bob).get(f"{run.get_absolute_url()}/files/a").status_code == 404


def test_a_file_may_have_any_name_a_script_gives_it(signed_in: SignedIn, run: Run, bob: User) -> None:
    for name in ("two\nlines.txt", "a\r\nb?#%2f.html"):
        put(run, name, b"x")
    page = signed_in(bob).get(f"{run.get_absolute_url()}/files")
    assert page.status_code == 200
    for address in ("two%0Alines.txt", "a%0D%0Ab%3F%23%252f.html"):
        assert f"/files/{address}" in page.content.decode()
        answer = signed_in(bob).get(f"{run.get_absolute_url()}/files/{address}")
        assert answer["Content-Disposition"].startswith("attachment; ")
        assert answer.getvalue() == b"x"


@pytest.mark.parametrize("page", [*TABS, "/console", "/files/a", "/stop"])
def test_strangers_find_nothing(signed_in: SignedIn, run: Run, charlie: User, page: str) -> None:
    put(run, "a")
    assert signed_in(charlie).get(run.get_absolute_url() + page).status_code == 404
    assert Client().get(run.get_absolute_url() + page).status_code == 302


def test_who_may_log_may_stop_a_run(signed_in: SignedIn, run: Run, bob: User) -> None:
    client = signed_in(bob)
    assert "Stop run" in client.get(run.get_absolute_url()).content.decode()
    assert "ends as if somebody had pressed" in client.get(f"{run.get_absolute_url()}/stop").content.decode()
    run.refresh_from_db()
    assert run.stop_requested_at is None

    assert client.post(f"{run.get_absolute_url()}/stop").status_code == 302
    run.refresh_from_db()
    assert run.stop_requested_at is not None
    page = client.get(run.get_absolute_url()).content.decode()
    assert "asked to stop" in page
    assert "Stop run" not in page


def test_who_may_only_look_may_not_stop(signed_in: SignedIn, run: Run, charlie: User) -> None:
    factories.make_team(viewer=charlie)
    client = signed_in(charlie)
    assert "Stop run" not in client.get(run.get_absolute_url()).content.decode()
    assert client.post(f"{run.get_absolute_url()}/stop").status_code == 403


def test_a_run_that_is_over_is_not_stopped(signed_in: SignedIn, run: Run, bob: User) -> None:
    Run.objects.update(state=RunState.FINISHED)
    signed_in(bob).post(f"{run.get_absolute_url()}/stop")
    run.refresh_from_db()
    assert run.stop_requested_at is None
    assert "Stop run" not in signed_in(bob).get(run.get_absolute_url()).content.decode()


def test_the_summary_tells_media_by_their_type_and_leaves_out_the_clients_own_keys(
    signed_in: SignedIn, run: Run, bob: User
) -> None:
    table = {"_type": "table-file", "path": "media/table/t.json", "sha256": "0" * 64, "size": 42}
    own = {"_step": 7, "_wandb": {"runtime": 3}}
    reports.take(run, Report(summary={"samples": table, "eval": {"loss": 0.5}, **own}), at=timezone.now())

    page = signed_in(bob).get(run.get_absolute_url())

    assert page.context["summary"] == [("eval.loss", 0.5), ("samples", "table-file")]


def test_an_empty_system_tab_speaks_of_the_machine(signed_in: SignedIn, run: Run, bob: User) -> None:
    page = signed_in(bob).get(f"{run.get_absolute_url()}/system").content.decode()
    assert "What the machine does (CPU, memory, GPUs)" in page
    assert "wandb.log" not in page
