"""The documentation says what is: links lead somewhere, names it uses exist, snippets work."""

from __future__ import annotations

import ast
import base64
import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from automations import ascode, filters, signing
from automations.documents import default_document
from automations.models import EventType, Execution
from automations.triggers import TRIGGERS, trigger_for
from projects import runs
from tests import factories

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.md")])
EVENT_PATH = ROOT / "docs" / "event-path.md"
WEBHOOKS = ROOT / "docs" / "webhooks.md"
CONDITIONS = ROOT / "docs" / "conditions.md"
AS_CODE = ROOT / "docs" / "as-code.md"

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
REFERENCE = re.compile(r"`([\w/]+\.py):([\w.]+)`")
PATH = re.compile(
    r"`((?:automations|automations_site|projects|registries|secrets_vault|tests|examples|docs)/[\w/.-]+)`"
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def defined_in(path: Path) -> set[str]:
    """Functions, classes, methods and module-level names of a file, methods as `Class.method`."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{child.name}" for child in node.body if isinstance(child, ast.FunctionDef)}
        if isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def variables_of_example() -> set[str]:
    return set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))


def test_there_are_pages() -> None:
    assert len(PAGES) > 10


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files(page: Path) -> None:
    targets = [link for link in LINK.findall(page.read_text()) if not re.match(r"[a-z]+:", link)]

    missing = [link for link in targets if not (page.parent / link.partition("#")[0]).exists()]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_that_are_named_exist(page: Path) -> None:
    missing = [path for path in PATH.findall(page.read_text()) if not list(ROOT.glob(path.rstrip("/")))]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_functions_that_are_named_exist(page: Path) -> None:
    references = REFERENCE.findall(page.read_text())

    missing = [f"{file}:{symbol}" for file, symbol in references if symbol not in defined_in(ROOT / file)]

    assert missing == []


def test_the_event_path_names_its_functions() -> None:
    """Guards the test above against a page whose references no longer look like references."""
    assert len(REFERENCE.findall(EVENT_PATH.read_text())) > 40


def test_every_variable_is_read_by_the_settings_and_the_other_way_round() -> None:
    settings = (ROOT / "automations_site" / "settings.py").read_text()
    read = set(re.findall(r"\benv\.\w+\(\s*\"([A-Z_]+)\"", settings))

    assert read == variables_of_example()


def test_operations_lists_every_variable() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()

    assert {variable for variable in variables_of_example() if f"`{variable}`" not in text} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    commands = {path.stem for app in ROOT.glob("*/management/commands") for path in app.glob("*.py")}
    known_to_django = {"check", "makemigrations", "migrate"}

    assert set(re.findall(r"(?:`|^)make ([a-z]+)(?=`|\s)", text, flags=re.MULTILINE)) - targets == set()
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) - commands - known_to_django == set()


def test_json_in_the_docs_is_json() -> None:
    for page in PAGES:
        for block in blocks(page, "json"):
            json.loads(block)


# --- docs/webhooks.md -----------------------------------------------------------------------------------------


BODY = '{"type":"RUN_STATE","run":{"name":"prüfung"}}'.encode()
SECRETS = ["plain text secret", signing.STANDARD_PREFIX + base64.b64encode(b"twenty-four random bytes").decode()]


def signed(secret: str, *, timestamp: int) -> dict[str, str]:
    made = signing.headers(BODY, secret=secret, message_id="msg_1", timestamp=timestamp)
    return {name.lower(): value for name, value in made.items()}


@pytest.mark.parametrize("secret", SECRETS)
def test_the_python_snippet_verifies_what_is_sent(secret: str) -> None:
    snippet: dict[str, Any] = {}
    exec(blocks(WEBHOOKS, "python")[0], snippet)  # noqa: S102 - the documentation's own code
    headers = signed(secret, timestamp=int(time.time()))

    assert snippet["is_genuine"](BODY, headers, secret)
    assert snippet["is_signed_for_wandb"](BODY, headers, secret)
    assert not snippet["is_genuine"](BODY + b" ", headers, secret)
    assert not snippet["is_genuine"](BODY, headers, "another secret")
    assert not snippet["is_genuine"](BODY, signed(secret, timestamp=int(time.time()) - 400), secret)
    assert not snippet["is_signed_for_wandb"](BODY + b" ", headers, secret)


def test_the_shell_snippet_computes_both_signatures(tmp_path: Path) -> None:
    (tmp_path / "body.json").write_bytes(BODY)
    headers = signed(SECRETS[0], timestamp=1_700_000_000)
    script = next(block for block in blocks(WEBHOOKS, "sh") if "openssl" in block)
    variables = {"SECRET": SECRETS[0], "WEBHOOK_ID": "msg_1", "WEBHOOK_TIMESTAMP": "1700000000"}

    outcome = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=True,
    )

    wandb, standard = outcome.stdout.split()
    assert wandb == headers["x-wandb-signature"]
    assert f"v1,{standard}" == headers["webhook-signature"]


def test_the_table_of_variables_is_that_of_the_triggers() -> None:
    rows = re.findall(r"^\| `([\w.*]+)` \|((?: ✓? ?\|){9})", WEBHOOKS.read_text(), flags=re.MULTILINE)
    columns = (
        (EventType.RUN_STATE,),
        (EventType.RUN_METRIC, EventType.RUN_METRIC_CHANGE, EventType.RUN_METRIC_ZSCORE),
        (EventType.RUN_ALERT,),
        (EventType.RUN_STALL,),
        (EventType.CREATE_ARTIFACT, EventType.LINK_ARTIFACT, EventType.UNLINK_ARTIFACT),
        (EventType.ADD_ARTIFACT_ALIAS,),
        (EventType.ADD_ARTIFACT_TAG, EventType.REMOVE_ARTIFACT_TAG),
        (EventType.ADD_COLLECTION_TAG, EventType.REMOVE_COLLECTION_TAG),
        (EventType.ARTIFACT_ABSENCE,),
    )
    assert {event_type for column in columns for event_type in column} == set(TRIGGERS)
    for index, column in enumerate(columns):
        listed = {variable for variable, marks in rows if "✓" in marks.split("|")[index]}
        for event_type in column:
            assert listed == set(trigger_for(event_type).variables), event_type


@pytest.mark.django_db
def test_the_default_document_is_the_one_shown(settings: Any) -> None:
    """WH2: what receivers are told is what they get, but for ids and times."""
    settings.PUBLIC_URL = "https://automations.example.com"
    team = factories.make_team(admin=factories.make_user("alice"), member=factories.make_user("bob"))
    project = factories.make_project(team)
    factories.make_automation(
        project,
        name="Page on failed production runs",
        filter={"display_name": {"$regex": "^prod-"}},
        webhook=factories.make_webhook(team),
    )
    bob = factories.make_user("bob")
    run = factories.make_run(project, user=bob, run_id="ilnu5kb2", display_name="prod-baseline")
    runs.finish(run, exit_code=1, by=bob, at=timezone.now())
    execution = Execution.objects.get()

    sent = json.loads(default_document(execution.event, execution.rule, execution=execution))
    shown = json.loads(blocks(WEBHOOKS, "json")[0])

    for document in (sent, shown):
        del document["occurred_at"]
        document["execution"] = re.sub(r"[0-9a-f-]{36}", "ID", json.dumps(document["execution"]))
    assert sent == shown
    assert list(sent) == list(shown)


# --- docs/conditions.md ---------------------------------------------------------------------------------------


def test_every_operator_and_field_of_conditions_is_described() -> None:
    text = CONDITIONS.read_text()
    words = {*filters.OPERATORS, *filters.JOINTS, "$not"}
    words |= {field.name for field in (*filters.RUN_FIELDS, *filters.ARTIFACT_FIELDS, *filters.COLLECTION_FIELDS)}

    assert {word for word in words if f"`{word}`" not in text} == set()


def test_every_example_of_a_filter_can_be_saved() -> None:
    examples = re.findall(r"\| `(\{.*\})` \|$", CONDITIONS.read_text(), flags=re.MULTILINE)
    assert len(examples) == 11
    for example in examples:
        document = json.loads(example)
        accepted = [_compiles(document, fields) for fields in (filters.RUN_FIELDS, filters.ARTIFACT_FIELDS)]
        assert any(accepted), example


# --- docs/as-code.md ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_example_of_automations_as_code_is_applied_and_exported_as_it_is() -> None:
    admin = factories.make_user("operator", superuser=True)
    project = factories.make_project()
    factories.make_webhook(project.team)
    factories.make_slack_channel(project.team)
    factories.make_collection(factories.make_registry(project.team.organization), "champion")
    (example,) = blocks(AS_CODE, "yaml")

    ascode.apply(example, by=admin)
    assert ascode.export(by=admin) == example
    plan = ascode.plan(example.replace("- FAILED", "- FINISHED\n        - FAILED"), by=admin)

    shown = re.sub(r" +In the last 30 days.*\n", "", blocks(AS_CODE, "text")[0])
    assert ascode.text_of(plan) == shown


def _compiles(document: object, fields: filters.Fields) -> bool:
    try:
        filters.compile(document, fields=fields)
    except filters.InvalidFilter:
        return False
    return True
