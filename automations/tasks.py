"""What workers run: an id comes in, one call goes out. Every task tolerates being run twice."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from automations import executions, silence
from projects import runs, storage
from registries import expiry

log = structlog.get_logger(__name__)


def run_execution(pk: int) -> None:
    """Try to carry out one execution, if it is due and nobody else does."""
    executions.run(pk)


def sweep() -> int:
    """Queue again what is due and was lost: by a killed worker, a flushed queue, a crash between commit and enqueue.
    And remove what killed web servers left of uploads."""
    storage.forget_unfinished(at=timezone.now())
    found = executions.requeue_overdue(at=timezone.now())
    if found:
        log.info("sweep", requeued=found)
    return found


def detect_crashed_runs() -> int:
    """Give up runs whose script was not heard of for `CRASHED_AFTER` seconds."""
    crashed = runs.mark_crashed(silent_for=timedelta(seconds=settings.CRASHED_AFTER), at=timezone.now())
    if crashed:
        log.info("runs_crashed", count=len(crashed))
    return len(crashed)


def detect_silence() -> int:
    """Fire what waits for something that did not happen: runs that stand still, versions that did not come."""
    found = silence.detect(at=timezone.now())
    if found:
        log.info("silence_found", count=found)
    return found


def release_unused_bytes() -> int:
    """Delete bytes that only deleted versions used."""
    released = storage.release_unused()
    if released:
        log.info("bytes_released", count=released)
    return released


def delete_expired_versions() -> int:
    """Delete versions of artifacts that were to be kept for a time only, and uploads nobody ended."""
    deleted = expiry.delete_expired(at=timezone.now())
    if deleted:
        log.info("versions_expired", count=deleted)
    return deleted
