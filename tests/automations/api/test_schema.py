"""The OpenAPI document: complete, valid, and true to what the server says."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.core.management import call_command
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from projects.models import Project, User
from tests import factories

Api = Callable[[User | None], APIClient]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_made_without_a_warning(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_every_operation_is_described_with_examples(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    missing = []
    for name, operation in operations(document):
        bodies = {"request": operation.get("requestBody", {})} | operation["responses"]
        missing += [f"{name}: {what}" for what in ("summary", "description", "tags") if not operation.get(what)]
        missing += [
            f"{name}: example of {which}"
            for which, body in bodies.items()
            for content in body.get("content", {}).values()
            if not content.get("examples")
        ]
        if "application/problem+json" not in operation["responses"]["default"]["content"]:
            missing.append(f"{name}: problem document")

    assert missing == []


def test_examples_are_what_the_document_says(document: dict[str, Any]) -> None:
    checked = 0
    for name, operation in operations(document):
        bodies = {"request": operation.get("requestBody", {})} | operation["responses"]
        for which, body in bodies.items():
            for content in body.get("content", {}).values():
                schema = {**content["schema"], "components": document["components"]}
                for example in content["examples"].values():
                    checked += 1
                    try:
                        jsonschema.validate(example["value"], schema)
                    except jsonschema.ValidationError as error:
                        pytest.fail(f"{name}, {which}: {error.message}")

    assert checked > 100


@pytest.mark.parametrize(
    "address",
    [
        "/api/me/",
        "/api/teams/",
        "/api/projects/research/digits/runs/",
        "/api/projects/research/digits/collections/model/versions/",
        "/api/teams/research/webhooks/",
        "/api/teams/research/secrets/",
        "/api/automations/",
        "/api/executions/",
    ],
)
def test_answers_are_what_the_document_says(
    api: Api, bob: User, project: Project, document: dict[str, Any], address: str
) -> None:
    factories.make_version(project, run=factories.make_run(project))
    factories.make_secret(project.team)
    webhook = factories.make_webhook(project.team)
    factories.make_execution(factories.make_automation(project, webhook=webhook))
    route = address.replace("research/digits", "{team}/{project}").replace("/model/", "/{collection}/")
    route = route.replace("research", "{team}")
    schema = document["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]["schema"]

    answer = api(bob).get(address).json()

    assert answer.get("results", [answer])
    jsonschema.validate(answer, {**schema, "components": document["components"]})


def test_document_and_page_need_no_key(db: None) -> None:
    assert Client().get("/api/schema/?format=json").json()["info"]["title"]
    assert Client().get("/api/docs/").status_code == 200


def test_a_form_that_there_is_not_is_not_found(db: None) -> None:
    assert Client().get("/api/schema/?format=xml").status_code == 404
