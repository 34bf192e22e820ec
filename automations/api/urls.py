from django.urls import path, re_path

from automations.api import ascode, executions, explanations, rearming, slack, versions, views, webhooks
from projects.api.views import nothing_here

WEBHOOK = "teams/<str:team>/webhooks/<str:name>/"
VERSION = "automations/<int:pk>/versions/<int:number>/"
CHANNEL = "teams/<str:team>/slack-channels/<str:name>/"

urlpatterns = [
    path("teams/<str:team>/webhooks/", webhooks.Webhooks.as_view()),
    path(WEBHOOK, webhooks.OneWebhook.as_view()),
    path(f"{WEBHOOK}test/", webhooks.WebhookTest.as_view()),
    path(f"{WEBHOOK}resume/", webhooks.WebhookResume.as_view()),
    path("teams/<str:team>/slack-channels/", slack.SlackChannels.as_view()),
    path(CHANNEL, slack.OneSlackChannel.as_view()),
    path(f"{CHANNEL}test/", slack.SlackChannelTest.as_view()),
    path("automations/", views.Automations.as_view()),
    path("automations/export/", ascode.AutomationsExport.as_view()),
    path("automations/plan/", ascode.AutomationsPlan.as_view()),
    path("automations/apply/", ascode.AutomationsApply.as_view()),
    path("automations/backtest/", explanations.DraftBacktest.as_view()),
    path("automations/<int:pk>/", views.OneAutomation.as_view()),
    path("automations/<int:pk>/rearm/", rearming.Rearm.as_view()),
    path("automations/<int:pk>/versions/", versions.Versions.as_view()),
    path(VERSION, versions.OneVersion.as_view()),
    path(f"{VERSION}diff/", versions.VersionDifference.as_view()),
    path(f"{VERSION}restore/", versions.VersionRestore.as_view()),
    path("automations/<int:pk>/backtest/", explanations.AutomationBacktest.as_view()),
    path("automations/<int:pk>/trace/", explanations.AutomationTrace.as_view()),
    path("executions/", executions.Executions.as_view()),
    path("executions/<uuid:key>/", executions.OneExecution.as_view()),
    # the last addresses of the API: whatever none of the applications knows
    re_path(r"^.*$", nothing_here),
]
