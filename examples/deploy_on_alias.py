"""Calls a webhook when a model goes into production: a registry's automation waits for the alias `production`.

The registry and the team's webhook have to be there first (Team settings → Webhooks), and you have to be an admin of
that team. The script then logs a model, links it to a collection of the registry, and gives it the alias.

    pip install wandb
    export WANDB_BASE_URL=http://localhost:8000 WANDB_API_KEY=…
    python examples/deploy_on_alias.py --entity research --registry acme/models --webhook deploy

What is not given is taken from WANDB_ENTITY and WANDB_PROJECT; without a webhook, the team's first one is used.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import wandb
from executions import History
from wandb.automations import (
    ArtifactEvent,
    Automation,
    OnAddArtifactAlias,
    SendWebhook,
    WebhookIntegration,
)

NAME = "Deploy what goes into production"
COLLECTION = "digits-classifier"
# Each ${name} is filled in when the webhook is called.
PAYLOAD = {
    "event_type": "deploy",
    "client_payload": {
        "model": "${artifact_version_string}",
        "version": "${artifact_version_index}",
        "alias": "${alias}",
        "accuracy": "${artifact_metadata.accuracy}",
        "asked_by": "${event_author}",
    },
}


def webhook_of(api: wandb.Api, entity: str, wanted: str) -> WebhookIntegration:
    """The team's webhook of this name."""
    webhooks = list(api.webhook_integrations(entity=entity))
    for webhook in webhooks:
        if wanted in {"", webhook.name}:
            return webhook
    known = ", ".join(webhook.name for webhook in webhooks) or "none at all"
    raise SystemExit(f"{entity} has no webhook “{wanted}”, but {known}. Add one in the team's settings.")


def watch(api: wandb.Api, organization: str, registry: str, webhook: WebhookIntegration) -> Automation:
    """When a version in the registry gets the alias, call the webhook; if that is so already, it stays."""
    event = OnAddArtifactAlias(
        scope=api.registry(registry, organization=organization), filter=ArtifactEvent.alias.eq("production")
    )
    action = SendWebhook.from_integration(webhook, payload=PAYLOAD)
    return api.create_automation(event >> action, name=NAME, description="Made by an example.", fetch_existing=True)


def log_model(entity: str, project: str, registry: str) -> None:
    """A very small model: logged by a run, and linked to the registry."""
    with tempfile.TemporaryDirectory() as folder, wandb.init(entity=entity, project=project) as run:
        file = Path(folder) / "weights.json"
        file.write_text(json.dumps({"trained_at": time.time()}))  # the same file again would be the same version
        model = wandb.Artifact(COLLECTION, type="model", metadata={"accuracy": 0.973})
        model.add_file(str(file))
        run.log_artifact(model).wait()
        run.link_artifact(model, f"wandb-registry-{registry}/{COLLECTION}")


def promote(api: wandb.Api, organization: str, registry: str) -> str:
    """Give the version that was linked last the alias, which takes it from the one before."""
    linked = api.artifact(f"{organization}/wandb-registry-{registry}/{COLLECTION}:latest")
    linked.aliases.append("production")
    linked.save()
    return f"{COLLECTION}:{linked.version}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make an automation that deploys a model by its alias; then set it.")
    parser.add_argument("--entity", default=os.environ.get("WANDB_ENTITY"), help="the team; also WANDB_ENTITY")
    parser.add_argument("--project", default=os.environ.get("WANDB_PROJECT", "digits"), help="also WANDB_PROJECT")
    parser.add_argument("--registry", required=True, metavar="ORG/NAME", help="the registry that is watched")
    parser.add_argument("--webhook", default="", help="name of the webhook, as the team's settings list it")
    options = parser.parse_args()
    organization, slash, registry = options.registry.partition("/")
    if not slash:
        parser.error("--registry names organization/registry.")

    api = wandb.Api()
    entity = options.entity or api.default_entity
    automation = watch(api, organization, registry, webhook_of(api, entity, options.webhook))
    print(f"“{automation.name}” watches the registry {options.registry}.")

    history = History(api, automation.name, registry=options.registry)
    log_model(entity, options.project, registry)
    print(f"{promote(api, organization, registry)} is in production now.")
    history.tell(history.wait())


if __name__ == "__main__":
    main()
