"""The page of one run: what scripts printed, uploaded and told; downloads; the Stop button."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects import alerts, reports, runfiles, storage
from projects.models import AlertLevel, Project, Run, RunState, User
from projects.reports import Printed, Report
from tests import factories

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

    page = signed_in(bob).get(run.get_absolute_url()).content.decode()
    assert EVIL not in page
    assert page.count("&lt;script&gt;alert(1)") >= 5
    assert "\x1b" not in page
    assert '<span class="to-errors">to stderr&#10;</span>' in page
    assert "train.py" in page


def test_a_page_takes_as_many_queries_however_much_there_is(signed_in: SignedIn, run: Run, bob: User) -> None:
    client = signed_in(bob)

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(run.get_absolute_url()).status_code == 200
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


def test_of_much_the_last_lines_and_the_first_files_are_shown(signed_in: SignedIn, run: Run, bob: User) -> None:
    prints(run, *(f"line {number:05}" for number in range(1_000)))
    for number in range(102):
        put(run, f"{number:03}.txt")
    page = signed_in(bob).get(run.get_absolute_url()).content.decode()
    assert "line 00999" in page
    assert "line 00799" not in page
    assert "The last 200 lines." in page
    assert "099.txt" in page
    assert "100.txt" not in page


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
    page = signed_in(bob).get(run.get_absolute_url())
    assert page.status_code == 200
    for address in ("two%0Alines.txt", "a%0D%0Ab%3F%23%252f.html"):
        assert f"/files/{address}" in page.content.decode()
        answer = signed_in(bob).get(f"{run.get_absolute_url()}/files/{address}")
        assert answer["Content-Disposition"].startswith("attachment; ")
        assert answer.getvalue() == b"x"


@pytest.mark.parametrize("page", ["", "/console", "/files/a", "/stop"])
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
