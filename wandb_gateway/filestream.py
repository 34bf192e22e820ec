"""`POST /files/…/file_stream`: what a script logs, prints and measures, every few seconds. The hot path of the client.

Whatever is refused here with a 4xx is the end of all uploading for that run, so only what cannot be a run's report is.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from projects import access, metrics, reports
from projects.api import bodies
from projects.api.authentication import key_in
from projects.api.fastlane import run_and_wish
from projects.jsonvalues import mended
from projects.models import Run
from projects.reports import Lines, Printed, Report
from wandb_gateway import refusals
from wandb_gateway.auth import signed_in

# The client sends about 10 MiB at once, but a single line over that goes out alone, whatever its size.
MOST_BYTES = 100_000_000
MOST_LINES = 1_000_000
# Lines are counted by the client; what it cannot have counted to is a mistake.
LAST_LINE = 2**40
# Exit codes beyond 32 bits exist in no operating system.
MOST_EXIT_CODE = 2**31 - 1

HISTORY = "wandb-history.jsonl"
SYSTEM = "wandb-events.jsonl"
SUMMARY = "wandb-summary.json"
CONSOLE = "output.log"


@csrf_exempt  # signed in by key alone, never by cookie
@require_POST
def take(request: HttpRequest, **path: str) -> HttpResponse:
    """Take one report; the answer says whether the script is to end."""
    try:
        run, is_to_stop = _run_of(request, path)
        reports.take(run, _report(bodies.read(request, most=MOST_BYTES)), at=timezone.now())
    except Run.DoesNotExist:
        return refusals.answer(Http404(f"The run {path['run_id']} was deleted."))
    except Exception as error:  # noqa: BLE001  # whatever it is, the client is told in its own form
        return refusals.answer(error)
    return HttpResponse(b'{"stopped":true}' if is_to_stop else b"{}", content_type="application/json")


def _run_of(request: HttpRequest, path: dict[str, str]) -> tuple[Run, bool]:
    found = run_and_wish(key_in(request), **path)
    if found is not None:
        return found
    # Whoever the short cut does not know is told why.
    run = access.run_to_log_to(signed_in(request), **path)
    return run, run.is_to_stop


def _report(body: bytes) -> Report:
    """The report in a body.

    Raises:
        BadRequest, InvalidRows: it is none.
    """
    try:
        sent = metrics.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    if not isinstance(sent, dict):
        raise BadRequest("A report is an object, for example {} for a heartbeat.")
    files = sent.get("files") or {}
    if not isinstance(files, dict):
        raise BadRequest("“files” is an object of names and lines.")
    return Report(
        history=_lines(files, HISTORY),
        system=_lines(files, SYSTEM),
        printed=_printed(files),
        summary=_summary(files),
        preempting=sent.get("preempting") is True,
        exit_code=_exit_code(sent) if sent.get("complete") is True else None,
    )


def _content(files: dict[str, Any], name: str) -> tuple[int, list[str]] | None:
    chunk = files.get(name)
    if chunk is None:
        return None
    offset, content = (chunk.get("offset", 0), chunk.get("content")) if isinstance(chunk, dict) else (None, None)
    if not isinstance(offset, int) or not 0 <= offset <= LAST_LINE:
        raise BadRequest(f"“offset” of {name} is the number of its first line, 0 or more.")
    if not isinstance(content, list) or not all(isinstance(line, str) for line in content):
        raise BadRequest(f"“content” of {name} is a list of lines.")
    if len(content) > MOST_LINES:
        raise bodies.BodyTooLarge(f"{len(content):,} lines of {name} at once; send at most {MOST_LINES:,}.")
    return offset, content


def _lines(files: dict[str, Any], name: str) -> Lines | None:
    found = _content(files, name)
    return Lines(first=found[0], batch=metrics.parse_lines(found[1])) if found else None


def _printed(files: dict[str, Any]) -> Printed | None:
    found = _content(files, CONSOLE)
    return Printed(first=found[0], lines=found[1]) if found else None


def _summary(files: dict[str, Any]) -> dict[str, Any] | None:
    """The summary is sent whole: the last line is the one that counts."""
    found = _content(files, SUMMARY)
    if found is None or not found[1]:
        return None
    summary: dict[str, Any] = mended(metrics.parse_lines(found[1][-1:]).rows[0])
    return summary


def _exit_code(sent: dict[str, Any]) -> int:
    code = sent.get("exitcode")
    if not isinstance(code, int):
        return 0
    return max(-MOST_EXIT_CODE, min(code, MOST_EXIT_CODE))
