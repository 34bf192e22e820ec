"""A team with everything in it that a page can show, with ordinary names or with the longest there can be."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO

from django.utils import timezone

from automations import editing, executions, redelivering, restoring, webhooks
from automations.access import version_for
from automations.models import Execution, Status, Webhook
from projects import alerts, metrics, reports, runfiles, runs, storage
from projects.models import AlertLevel, Project, Run, Team, User
from projects.reports import Printed, Report
from registries import labels, lineage
from registries.models import Membership
from tests import factories
from tests.receiver import Receiver

TOKEN = "canary-token-7f3a91"
SIGNING_KEY = "canary-signing-key-51c0de"
PAYLOAD = '{"text": "${artifact_collection_name}:${alias}", "token": "${ACCESS_TOKEN}"}'
ODD_ROWS = b'[{"loss": 0.3, "system.cpu": 41}, {"loss": NaN, "val": {"f1": 1e-9}}]'
STEPS = 120
NONFINITE = {"name": "loss", "agg_op": None, "window_size": 1, "cmp_op": "$nonfinite", "threshold": None}


@dataclass(frozen=True, slots=True)
class Naming:
    """What things are called: by their plain names, or by names that fill what a name may have."""

    long: bool = False

    def word(self, plain: str, length: int = 128) -> str:
        """Letters of the Latin alphabet without a place to break."""
        return f"{plain}{'m' * length}"[:length] if self.long else plain

    def text(self, plain: str, length: int = 128) -> str:
        """Japanese and Latin, of which neither has a place to break."""
        return f"{plain}-{'学習率の自動調整' * 8}{'m' * length}"[:length] if self.long else plain


def learning(number: int) -> bytes:
    """What the run of this number logs: it learns, each at a pace of its own."""
    rows = []
    for step in range(STEPS):
        left = math.exp(-step / (18 + 9 * number))
        wobble = math.sin(step * (number + 1.7)) * left / 12
        rows.append({"loss": round(0.2 + left + wobble, 4), "accuracy": round(0.93 - 0.8 * left + wobble, 4)})
        rows[-1]["system.cpu"] = round(60 + 30 * math.sin(step / 9 + number))
    return json.dumps(rows).encode()


@dataclass(slots=True)
class Showcase:
    """What was made, for a look at it."""

    by: User
    receiver: Receiver
    naming: Naming

    def furnish(self) -> dict[str, str]:
        """Make it all, and carry out what automations do about it. Returns the address of each page by its name."""
        team = factories.make_team(self.naming.word("vision"), admin=self.by)
        self._automate(team)
        run = self._train(team)
        version = self._log_versions(team, run)
        linked = self._link(version)
        for execution in Execution.objects.filter(status=Status.PENDING).order_by("pk"):
            executions.run(execution.pk)
        return self._settings(team) | _pages(run, version, linked) | self._redeliver()

    def _redeliver(self) -> dict[str, str]:
        """What failed is sent again, with a reason; it waits."""
        failed = Execution.objects.filter(status=Status.FAILED).exclude(webhook=None).latest("pk")
        wish = redelivering.Wish(reason=self.naming.text("The pager was down.", 255))
        made = redelivering.redeliver(failed, wish, by=self.by, at=timezone.now())
        assert made.redelivery is not None
        return {
            "redeliver dialog": f"{failed.get_absolute_url()}redeliver",
            "redelivery": made.redelivery.get_absolute_url(),
            "redelivered execution": made.get_absolute_url(),
        }

    def _automate(self, team: Team) -> None:
        """One of each event, one that is disabled, one whose webhook is refused, one in shadow mode, one that is
        invalid by now."""
        hook = self._webhook(team)
        refused = webhooks.create(team, by=self.by, name="refused", url=f"{self.receiver.url}/refused")
        project = factories.make_project(team, self.naming.text("mnist"))
        make, text = factories.make_automation, self.naming.text
        make(
            project,
            name=text("Run failure alert", 255),
            description=text("Tells whoever is on call.", 400),
            webhook=hook,
            filter={"display_name": {"$regex": f"^{text('night-41', 100)}"}},
            created_by=self.by,
        )
        make(project, "RUN_METRIC", name=text("Loss guard", 255), webhook=refused, condition=NONFINITE)
        make(project, "ADD_ARTIFACT_ALIAS", name=text("Deploy production", 255), webhook=hook, payload=PAYLOAD)
        make(project, "CREATE_ARTIFACT", name=text("Log of versions", 255))
        make(project, name=text("Off for now", 255), webhook=hook, enabled=False)
        make(project, name=text("Only rehearsed", 255), webhook=hook, shadow=True)
        make(project, "RUN_STALL", name=text("Turned invalid", 255), condition={text("minutes", 90): 0})
        self._edit(project)
        self._tell_slack(team, project)

    def _edit(self, project: Project) -> None:
        """Another payload and another name, and back again: three versions, the first restored."""
        automation = project.automations.get(event_type="ADD_ARTIFACT_ALIAS")
        payload = PAYLOAD.replace("{", '{\n  "from": "the registry",\n', 1)
        editing.change(automation, by=self.by, name=self.naming.text("Deploy", 255), payload=payload)
        restoring.restore(version_for(automation, 1), by=self.by)

    def _tell_slack(self, team: Team, project: Project) -> None:
        """A channel that works though it did not before, and what posts to it."""
        text = self.naming.text
        channel = factories.make_slack_channel(
            team,
            text("ml-alerts", 80),
            workspace=text("Acme", 80),
            credential=f"{self.receiver.url}/services",
            last_error=text("The channel is archived.", 255),
            failing_since=timezone.now(),
        )
        factories.make_automation(
            project,
            name=text("Tell the team", 255),
            slack_channel=channel,
            title=text("${run_name} needs you", 300),
            message=text("See the log.", 600),
            severity="ERROR",
        )
        factories.make_automation(
            team, "RUN_METRIC_ZSCORE", name=text("Far from the others", 255), slack_channel=channel
        )

    def _webhook(self, team: Team) -> Webhook:
        word = self.naming.word
        return webhooks.create(
            team,
            by=self.by,
            name=word("receiver", 64),
            url=self.receiver.url + word("/vision", 300),
            access_token=factories.make_secret(team, word("DEPLOY_TOKEN", 64), TOKEN),
            secret=factories.make_secret(team, word("SIGNING_KEY", 64), SIGNING_KEY),
            headers={word("X-Team", 64): word("vision", 200)},
        )

    def _train(self, team: Team) -> Run:
        """Runs in several states; the one returned failed after its loss became NaN."""
        now = timezone.now()
        project = factories.make_project(team, self.naming.text("mnist"))
        for number in range(3):
            day = self.naming.text(f"day-{number}", 255)
            run = factories.make_run(project, user=self.by, display_name=day, at=now - timedelta(minutes=number))
            if number:  # with a third to compare with, a run would be far from the others while it learns
                metrics.append(run, metrics.parse(learning(number)), at=now)
        first, second = project.runs.order_by("pk")[:2]
        runs.finish(first, exit_code=0, by=self.by, at=now + timedelta(minutes=12))
        runs.kill(second, by=self.by, at=now)
        run = factories.make_run(
            project,
            user=self.by,
            at=now - timedelta(minutes=34),
            display_name=self.naming.text("night-41", 255),
            config={self.naming.word("lr", 200): 0.1, "optimizer": self.naming.text("adam", 400)},
            tags=[self.naming.text("nightly", 60), "baseline"],
            notes=self.naming.text("The baseline with warm-up.", 400),
        )
        metrics.append(run, metrics.parse(learning(3)), at=now)
        metrics.append(run, metrics.parse(ODD_ROWS), at=now)
        self._report(run)
        self.receiver.behave(times=1, status=403, body=b'{"error": "not you"}')
        return runs.finish(run, exit_code=1, by=self.by, at=now)

    def _report(self, run: Run) -> None:
        """What a script of the wandb client leaves: printed lines, files, an alert, where it ran."""
        text, now = self.naming.text, timezone.now()
        run.host, run.program = text("gpu-7", 255), f"/home/{text('train', 400)}.py"
        run.save(update_fields=["host", "program"])
        lines = [text("epoch 1", 3_000), '{"level":"error","content":"RuntimeError: out of memory"}']
        reports.take(run, Report(printed=Printed(first=0, lines=lines)), at=now)
        for name in ("requirements.txt", f"media/{text('plot', 400)}.html", f"media/{text('guesses', 400)}.table.json"):
            storage.receive(runfiles.upload_token(run, name), BytesIO(b"hello"), length=5, at=now)
        title, wait = text("Loss is odd", 1_000), timedelta()
        alerts.raise_alert(run, title=title, text=title, level=AlertLevel.ERROR, wait=wait, by=self.by, at=now)

    def _log_versions(self, team: Team, run: Run) -> Membership:
        """Three versions of a model, the last of which has labels, made of images."""
        text, now = self.naming.text, timezone.now()
        images = factories.make_version(run.project, text("images"), "dataset", user=self.by)
        lineage.use(images.artifact, run=run, at=now)
        for number in range(3):
            version = factories.make_version(
                run.project,
                text("classifier"),
                user=self.by,
                run=run,
                metadata={text("accuracy", 100): 0.97, "classes": number, "notes": text("from a seed", 400)},
                description=text("Trained on digits.", 300),
            )
        labels.add_alias(version, "production", by=self.by, at=now)
        labels.add_alias(version, text("candidate"), by=self.by, at=now)
        labels.add_tag(version, text("reviewed"), by=self.by, at=now)
        return version

    def _link(self, version: Membership) -> Membership:
        organization = factories.make_organization(admin=self.by)
        registry = factories.make_registry(organization, self.naming.text("models"), admin=self.by)
        collection = factories.make_collection(registry, self.naming.text("digits"))
        factories.make_automation(registry, "LINK_MODEL", name=self.naming.text("Tell about links", 255))
        return factories.make_link(version, collection, user=self.by, aliases=["production"])

    def _settings(self, team: Team) -> dict[str, str]:
        factories.make_team(team.name, member=factories.make_user("bob"))
        factories.make_api_key(self.by)
        hook = team.webhooks.get(name="refused")
        return {"team": team.get_absolute_url(), "team settings": f"/teams/{team.name}/settings/"} | {
            "webhook dialog": f"/teams/{team.name}/settings/webhooks/{hook.pk}/edit",
            "Slack dialog": f"/teams/{team.name}/settings/slack/new",
            "team automations": f"/teams/{team.name}/automations",
        }


def _pages(run: Run, version: Membership, linked: Membership) -> dict[str, str]:
    project = run.project
    home = project.get_absolute_url()
    by_name = {execution.status: execution for execution in Execution.objects.exclude(webhook=None)}
    automation = project.automations.order_by("pk")[0]
    shadow = project.automations.get(shadow=True)
    posting = project.automations.get(slack_channel__isnull=False)
    edited = project.automations.get(event_type="ADD_ARTIFACT_ALIAS", version=3)
    return _registry_pages(linked) | {
        "home": "/",
        "design": "/design/",
        "projects": "/projects/",
        "workspace": home,
        "runs": f"{home}runs",
        "run": run.get_absolute_url(),
        "run's charts": f"{run.get_absolute_url()}/charts",
        "run's machine": f"{run.get_absolute_url()}/system",
        "run's log": f"{run.get_absolute_url()}/logs",
        "run's files": f"{run.get_absolute_url()}/files",
        "artifacts": f"{home}artifacts",
        "collection": version.collection.get_absolute_url(),
        "version": version.get_absolute_url(),
        "registries": "/registries/",
        "hub": "/automations/",
        "hub, nothing found": "/automations/?q=nothing",
        "place of a new automation": "/automations/new",
        "search": f"/search?q={project.name[:3]}",
        "runs with a value": f"{home}runs?where=loss+%3E+0.2&where=nothing",
        "automations": f"{home}automations",
        "history": f"{home}history",
        "automation": automation.get_absolute_url(),
        "why": f"{automation.get_absolute_url()}why?run={run.pk}",
        "why of a run": f"/automations/why-of-run/{run.pk}",
        "replay": f"{automation.get_absolute_url()}replay",
        "versions": f"{edited.get_absolute_url()}versions",
        "edit event": f"{automation.get_absolute_url()}edit",
        "edit message": f"{posting.get_absolute_url()}edit?step=2",
        "shadow automation": shadow.get_absolute_url(),
        "rehearsal": by_name[Status.SKIPPED].get_absolute_url(),
        "invalid automation": project.automations.get(event_type="RUN_STALL").get_absolute_url(),
        "posting automation": posting.get_absolute_url(),
        "posting execution": posting.executions.latest("pk").get_absolute_url(),
        "new automation": f"{home}automations/new",
        "finished execution": by_name[Status.FINISHED].get_absolute_url(),
        "failed execution": by_name[Status.FAILED].get_absolute_url(),
    }


def _registry_pages(linked: Membership) -> dict[str, str]:
    registry = linked.collection.registry
    assert registry is not None  # versions are linked in registries
    there = registry.get_absolute_url()
    return {
        "registry": there,
        "registry collection": linked.collection.get_absolute_url(),
        "linked version": linked.get_absolute_url(),
        "link dialog": f"{linked.collection.get_absolute_url()}link",
        "registry automations": f"{there}automations",
    }
