"""Raises the rules version of projects whose metric rules changed, by whatever door: pages, API, admin, cascades."""

from __future__ import annotations

from typing import Any

from django.db.models import F
from django.db.models.signals import post_delete, post_save

from automations.models import Automation
from automations.triggers import WATCHING_EVENTS
from projects.models import Project, Team


def connect() -> None:
    """Listen to every change of an automation, and of what contains a project."""
    post_save.connect(raise_stamp, sender=Automation, dispatch_uid="automations.stamps.save")
    post_delete.connect(raise_stamp, sender=Automation, dispatch_uid="automations.stamps.delete")
    post_save.connect(raise_stamps_of_team, sender=Team, dispatch_uid="automations.stamps.team")
    post_save.connect(raise_stamp_of_project, sender=Project, dispatch_uid="automations.stamps.project")


def raise_stamps_of_team(instance: Team, **kwargs: Any) -> None:
    """A team may have moved to another organization, whose rules are other ones."""
    if not kwargs.get("created"):
        Project.objects.filter(team=instance).update(rules_version=F("rules_version") + 1)


def raise_stamp_of_project(instance: Project, **kwargs: Any) -> None:
    """A project may have moved to another team."""
    if not kwargs.get("created"):
        Project.objects.filter(pk=instance.pk).update(rules_version=F("rules_version") + 1)


def raise_stamp(instance: Automation, **kwargs: Any) -> None:
    """Tell every process that the metric rules of the projects in the automation's scope are other ones now."""
    # An automation that was about metrics before the change has to be forgotten as well.
    if instance.event_type not in WATCHING_EVENTS and kwargs.get("created"):
        return
    projects = Project.objects.all()
    if instance.project_id is not None:
        projects = projects.filter(pk=instance.project_id)
    elif instance.team_id is not None:
        projects = projects.filter(team=instance.team_id)
    elif instance.organization_id is not None:
        projects = projects.filter(team__organization=instance.organization_id)
    else:
        return
    projects.update(rules_version=F("rules_version") + 1)
