from cryptography.fernet import InvalidToken
from django.db import migrations
from django.db.models import RestrictedError


def share_tokens(apps, schema_editor):
    """Until now each channel had a bot token of its own. Those of a team that have the same one are of the same
    workspace: they share the first secret, and the copies go, except where a webhook uses one."""
    SlackChannel = apps.get_model("automations", "SlackChannel")
    SlackWorkspace = apps.get_model("automations", "SlackWorkspace")
    connections = {}
    for channel in SlackChannel.objects.filter(kind="bot", connection=None).select_related("team").order_by("pk"):
        token = token_of(apps, channel)
        key = (channel.team_id, token) if token else (channel.team_id, channel.pk)
        if key not in connections:
            connections[key] = SlackWorkspace.objects.create(
                team=channel.team,
                name=channel.workspace,
                credential_id=channel.credential_id,
                created_by_id=channel.created_by_id,
            )
        connection = connections[key]
        copied = channel.credential_id
        channel.connection, channel.credential_id = connection, connection.credential_id
        channel.save(update_fields=["connection", "credential"])
        if copied != connection.credential_id:
            forget(apps, copied)


def token_of(apps, channel):
    try:
        return apps.get_model("secrets_vault", "Secret").objects.get(pk=channel.credential_id).value
    except InvalidToken:
        return None  # sealed with a key that is gone: nobody can say what it is the same as


def forget(apps, pk):
    try:
        apps.get_model("secrets_vault", "Secret").objects.defer("value").filter(pk=pk).delete()
    except RestrictedError:
        return


class Migration(migrations.Migration):
    dependencies = [
        ("automations", "0012_slack_workspaces"),
    ]

    operations = [migrations.RunPython(share_tokens, migrations.RunPython.noop, elidable=True)]
