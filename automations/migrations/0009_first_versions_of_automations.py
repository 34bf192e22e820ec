from django.db import migrations

BATCH = 500
FIELDS = (
    "name",
    "description",
    "event_type",
    "filter",
    "condition",
    "action_kind",
    "payload",
    "title",
    "message",
    "severity",
)
RELATED = (
    "organization",
    "team",
    "project__team",
    "registry__organization",
    "collection__project__team",
    "collection__registry__organization",
    "webhook__team",
    "slack_channel__team",
)


def write_first_versions(apps, schema_editor):
    """What automations are now is their version 1: nobody knows what they were before."""
    Automation = apps.get_model("automations", "Automation")
    AutomationVersion = apps.get_model("automations", "AutomationVersion")
    batch = []
    for automation in Automation.objects.filter(version=0).select_related(*RELATED).order_by("pk").iterator(BATCH):
        batch.append(
            AutomationVersion(
                automation=automation, number=1, rule=rule_of(automation), created_by_id=automation.created_by_id
            )
        )
        if len(batch) == BATCH:
            AutomationVersion.objects.bulk_create(batch)
            batch = []
    AutomationVersion.objects.bulk_create(batch)
    Automation.objects.filter(version=0).update(version=1)


def rule_of(automation):
    """As `versions.document_of` wrote it when this migration was made."""
    rule = {name: getattr(automation, name) for name in FIELDS}
    webhook, channel = automation.webhook, automation.slack_channel
    return rule | {
        "scope": scope_of(automation),
        "webhook": f"{webhook.team.name}/{webhook.name}" if webhook else None,
        "webhook_id": webhook.pk if webhook else None,
        "webhook_team": webhook.team_id if webhook else None,
        "slack_channel": f"{channel.team.name}/{channel.channel}" if channel else None,
        "slack_channel_id": channel.pk if channel else None,
        "slack_channel_team": channel.team_id if channel else None,
    }


def scope_of(automation):
    if automation.organization_id:
        return named("organization", automation.organization)
    if automation.team_id:
        return named("team", automation.team)
    if automation.project_id:
        return named("project", automation.project, automation.project.team)
    if automation.registry_id:
        return named("registry", automation.registry, automation.registry.organization)
    collection = automation.collection
    if collection.registry_id:
        return named("registry_collection", collection, collection.registry.organization, collection.registry)
    return named("collection", collection, collection.project.team, collection.project)


def named(kind, scope, *above):
    return {"kind": kind, "name": "/".join(part.name for part in (*above, scope)), "id": scope.pk}


class Migration(migrations.Migration):

    dependencies = [
        ("automations", "0008_versions_of_automations"),
        ("projects", "0001_initial"),
        ("registries", "0001_initial"),
    ]

    operations = [migrations.RunPython(write_first_versions, migrations.RunPython.noop, elidable=True)]
