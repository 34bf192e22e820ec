"""Tells a Slack channel when a training fails: a script makes the automation, and then fails to show it.

The team needs a Slack channel first (Team settings → Slack), and you have to be one of its admins.

    pip install wandb
    export WANDB_BASE_URL=http://localhost:8000 WANDB_API_KEY=…
    python examples/alert_on_failed_runs.py --entity research --project digits --channel alerts

What is not given is taken from WANDB_ENTITY and WANDB_PROJECT; without a channel, the team's first one is used.
"""

from __future__ import annotations

import argparse
import os

import wandb
from executions import History
from wandb.automations import Automation, OnRunState, RunEvent, SendNotification, SlackIntegration

NAME = "Tell us when a run fails"


def channel_of(api: wandb.Api, entity: str, wanted: str) -> SlackIntegration:
    """The Slack channel of this name that the team can post to."""
    channels = list(api.slack_integrations(entity=entity))
    for channel in channels:
        if wanted.lstrip("#") in {"", channel.channel_name}:
            return channel
    known = ", ".join(channel.channel_name for channel in channels) or "none at all"
    raise SystemExit(f"{entity} has no Slack channel “{wanted}”, but {known}. Add one in the team's settings.")


def watch(api: wandb.Api, entity: str, project: str, channel: SlackIntegration) -> Automation:
    """When a run of the project fails, post to the channel; if that is so already, it stays."""
    event = OnRunState(scope=api.project(project, entity), filter=RunEvent.state == "failed")
    action = SendNotification.from_integration(
        channel, title="${run_name} failed", text="Somebody should look into ${project_name}.", level="ERROR"
    )
    return api.create_automation(event >> action, name=NAME, description="Made by an example.", fetch_existing=True)


def train(entity: str, project: str) -> None:
    """A training that goes well until its data runs out."""
    with wandb.init(entity=entity, project=project, config={"lr": 0.1}) as run:
        for step in range(20):
            run.log({"loss": 1 / (step + 1)})
        raise EOFError("the data ends after 20 steps")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make an automation that posts to Slack when a run fails; then fail.")
    parser.add_argument("--entity", default=os.environ.get("WANDB_ENTITY"), help="the team; also WANDB_ENTITY")
    parser.add_argument("--project", default=os.environ.get("WANDB_PROJECT", "digits"), help="also WANDB_PROJECT")
    parser.add_argument("--channel", default="", help="name of the Slack channel, as the team's settings list it")
    options = parser.parse_args()

    api = wandb.Api()
    entity = options.entity or api.default_entity
    api.create_project(options.project, entity)
    automation = watch(api, entity, options.project, channel_of(api, entity, options.channel))
    print(f"“{automation.name}” watches {entity}/{options.project}.")

    history = History(api, automation.name, project=f"{entity}/{options.project}")
    try:
        train(entity, options.project)
    except EOFError as error:
        print(f"The training failed, as it should: {error}.")
    history.tell(history.wait())


if __name__ == "__main__":
    main()
