"""The payload to edit (HI4, PL4)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.utils import timezone

from automations import prefilling
from automations.models import Execution
from automations.redaction import MASK
from projects import runs
from tests import factories

pytestmark = pytest.mark.django_db


def execution_of(template: str, name: str, **fields: Any) -> Execution:
    token = factories.make_secret(name="TOKEN", value="t0ken-canary")
    hook = factories.make_webhook(access_token=token)
    factories.make_automation(webhook=hook, payload=template)
    run = factories.make_run(display_name=name)
    runs.finish(run, exit_code=1, by=run.user, at=timezone.now())
    execution = Execution.objects.get()
    Execution.objects.update(**fields)
    execution.refresh_from_db()
    return execution


def test_values_are_filled_in_and_secrets_are_named() -> None:
    """PL4"""
    execution = execution_of(
        '{"run": "${run_name}", "token": "${ACCESS_TOKEN}"}', "夜間", payload=f'{{"token":"{MASK}"}}'
    )
    text = prefilling.payload_to_edit(execution)
    assert json.loads(text) == {"run": "夜間", "token": "${ACCESS_TOKEN}"}
    assert "夜間" in text


@pytest.mark.parametrize("payload", ["", '{"run": "${run_name}"}'])
@pytest.mark.parametrize("sent", ["", '{"run":"${ACCESS_TOKEN}"}'])
def test_a_run_that_is_called_like_a_secret_does_not_become_it(payload: str, sent: str) -> None:
    """PL4: what is typed into a name must not be replaced by a secret because somebody edits the payload."""
    execution = execution_of(payload, "${ACCESS_TOKEN}", payload=sent)
    text = prefilling.payload_to_edit(execution)
    assert "$ {ACCESS_TOKEN}" in text
    assert "${ACCESS_TOKEN}" not in text


def test_what_cannot_be_rendered_is_an_empty_editor() -> None:
    execution = execution_of("", "x")
    execution.rule["payload"] = "{not json"
    assert prefilling.payload_to_edit(execution) == ""
