from django.urls import path, re_path

from automations.api import (
    ascode,
    executions,
    explanations,
    exports,
    holding,
    notices,
    presets,
    rearming,
    redelivering,
    secrets,
    slack,
    slackworkspaces,
    snoozing,
    versions,
    views,
    webhooks,
)
from projects.api.views import nothing_here

WEBHOOK = "teams/<str:team>/webhooks/<str:name>/"
VERSION = "automations/<int:pk>/versions/<int:number>/"
EXECUTION = "executions/<uuid:key>/"
CHANNEL = "teams/<str:team>/slack-channels/<str:name>/"
WORKSPACE = "teams/<str:team>/slack-workspaces/<int:pk>/"

urlpatterns = [
    path("presets/", presets.Presets.as_view()),
    path("teams/<str:team>/webhooks/", webhooks.Webhooks.as_view()),
    path(WEBHOOK, webhooks.OneWebhook.as_view()),
    path(f"{WEBHOOK}test/", webhooks.WebhookTest.as_view()),
    path(f"{WEBHOOK}try-new-value/", secrets.WebhookTryNewValue.as_view()),
    path("teams/<str:team>/secrets/<str:name>/uses/", secrets.SecretUses.as_view()),
    path(f"{WEBHOOK}resume/", webhooks.WebhookResume.as_view()),
    path(f"{WEBHOOK}breaker/", holding.WebhookBreaker.as_view()),
    path(f"{WEBHOOK}breaker/probe/", holding.WebhookBreakerProbe.as_view()),
    path(f"{WEBHOOK}breaker/close/", holding.WebhookBreakerClose.as_view()),
    path("teams/<str:team>/slack-workspaces/", slackworkspaces.SlackWorkspaces.as_view()),
    path(WORKSPACE, slackworkspaces.OneSlackWorkspace.as_view()),
    path(f"{WORKSPACE}channels/", slackworkspaces.ChannelsOfSlackWorkspace.as_view()),
    path("teams/<str:team>/slack-channels/", slack.SlackChannels.as_view()),
    path(CHANNEL, slack.OneSlackChannel.as_view()),
    path(f"{CHANNEL}limits/", holding.SlackChannelLimits.as_view()),
    path(f"{CHANNEL}spending/", holding.SlackChannelSpending.as_view()),
    path(f"{CHANNEL}test/", slack.SlackChannelTest.as_view()),
    path("automations/", views.Automations.as_view()),
    path("automations/export/", ascode.AutomationsExport.as_view()),
    path("automations/plan/", ascode.AutomationsPlan.as_view()),
    path("automations/apply/", ascode.AutomationsApply.as_view()),
    path("automations/backtest/", explanations.DraftBacktest.as_view()),
    path("automations/<int:pk>/", views.OneAutomation.as_view()),
    path("automations/<int:pk>/rearm/", rearming.Rearm.as_view()),
    path("automations/<int:pk>/snooze/", snoozing.Snooze.as_view()),
    path("automations/<int:pk>/versions/", versions.Versions.as_view()),
    path(VERSION, versions.OneVersion.as_view()),
    path(f"{VERSION}diff/", versions.VersionDifference.as_view()),
    path(f"{VERSION}restore/", versions.VersionRestore.as_view()),
    path("automations/<int:pk>/backtest/", explanations.AutomationBacktest.as_view()),
    path("automations/<int:pk>/trace/", explanations.AutomationTrace.as_view()),
    path("notices/", notices.Notices.as_view()),
    path("notices/preferences/", notices.NoticePreferences.as_view()),
    path("notices/read/", notices.NoticesRead.as_view()),
    path("notices/<int:pk>/read/", notices.NoticeRead.as_view()),
    path("executions/export.csv", exports.ExportCsv.as_view()),
    path("executions/export.json", exports.ExportJson.as_view()),
    path("executions/", executions.Executions.as_view()),
    path("executions/redeliver/", redelivering.RedeliverMany.as_view()),
    path(EXECUTION, executions.OneExecution.as_view()),
    path(f"{EXECUTION}kit/", executions.ReceiverKit.as_view()),
    path(f"{EXECUTION}redeliver/", redelivering.Redeliver.as_view()),
    path(f"{EXECUTION}try-now/", redelivering.TryNow.as_view()),
    path(f"{EXECUTION}cancel/", redelivering.Cancel.as_view()),
    path("redeliveries/<uuid:key>/", redelivering.OneRedelivery.as_view()),
    path("redeliveries/<uuid:key>/cancel/", redelivering.RedeliveryCancel.as_view()),
    # the last addresses of the API: whatever none of the applications knows
    re_path(r"^.*$", nothing_here),
]
