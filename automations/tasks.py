"""What workers run: an id comes in, one call goes out. Every task tolerates being run twice."""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from automations import clocks, delivering, digests, mailing, redelivering, retention, silence, wake
from automations.records import in_english
from projects import audit, drawing, runs, storage
from registries import expiry
from secrets_vault import secrets

log = structlog.get_logger(__name__)


@in_english
def deliver(number: int) -> None:
    """Carry out what is due, for as long as the queue runs and at most for a while."""
    if number == 0:
        clocks.heed(at=timezone.now())
    delivering.deliver(number, is_wanted=lambda: wake.is_heard(wake.QUEUE))


def sweep() -> int:
    """Carry on with redeliveries that a crash cut short, and remove what killed web servers left of uploads."""
    return (
        redelivering.prepare_left_over(at=timezone.now())
        + digests.appoint_carriers(at=timezone.now())
        + storage.forget_unfinished(at=timezone.now())
    )


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


def purge_history() -> int:
    """Delete what is older than history is kept. Says how many executions went; `retention` keeps the rest."""
    done = retention.purge(at=timezone.now())
    return done.executions if done else 0


def mail_notices() -> int:
    """Send notices by e-mail to those who want them so."""
    sent = mailing.send_due(at=timezone.now())
    if sent:
        log.info("notices_mailed", count=sent)
    return sent


def release_unused_bytes() -> int:
    """Delete bytes that only deleted versions used."""
    released = storage.release_unused()
    if released:
        log.info("bytes_released", count=released)
    return released


def draw_curves() -> int:
    """Draw on the curves of plots, so that whoever opens a workspace need not wait for what was logged. Deliveries
    wait for the same workers: a few seconds a minute are its share."""
    return drawing.catch_up_with_all(seconds=4)


def delete_expired_versions() -> int:
    """Delete versions of artifacts that were to be kept for a time only, and uploads nobody ended."""
    deleted = expiry.delete_expired(at=timezone.now())
    if deleted:
        log.info("versions_expired", count=deleted)
    return deleted


def forget_old_values() -> int:
    """Delete what secrets were before a rotation, once that has stopped signing."""
    forgotten = secrets.forget_old_values(at=timezone.now())
    if forgotten:
        log.info("old_values_forgotten", count=forgotten)
    return forgotten


def forget_old_audit_records() -> int:
    """Delete what the audit log has kept for `AUDIT_RETENTION_DAYS`."""
    forgotten = audit.forget_old(before=timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS))
    if forgotten:
        log.info("audit_records_forgotten", count=forgotten)
    return forgotten
