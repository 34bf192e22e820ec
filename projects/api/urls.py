from django.urls import path

from projects.api import audit, curves, invitations, metrics, runs, views
from projects.api import service_accounts as accounts

RUN = "projects/<str:team>/<str:project>/runs/<str:run_id>/"
ACCOUNT = "teams/<str:team>/service-accounts/<str:name>/"

urlpatterns = [
    path("me/", views.Me.as_view()),
    path("organizations/", views.Organizations.as_view()),
    path("organizations/<str:organization>/audit/", audit.OrganizationAudit.as_view()),
    path("teams/", views.Teams.as_view()),
    path("teams/<str:team>/", views.OneTeam.as_view()),
    path("teams/<str:team>/audit/", audit.TeamAudit.as_view()),
    path("teams/<str:team>/invitations/", invitations.Invitations.as_view()),
    path("teams/<str:team>/invitations/<int:pk>/", invitations.OneInvitation.as_view()),
    path("teams/<str:team>/service-accounts/", accounts.ServiceAccounts.as_view()),
    path(ACCOUNT, accounts.OneServiceAccount.as_view()),
    path(f"{ACCOUNT}keys/", accounts.ServiceKeys.as_view()),
    path(f"{ACCOUNT}keys/<int:pk>/", accounts.OneServiceKey.as_view()),
    path("teams/<str:team>/projects/", views.Projects.as_view()),
    path("projects/<str:team>/<str:project>/", views.OneProject.as_view()),
    path("projects/<str:team>/<str:project>/runs/", runs.Runs.as_view()),
    path("projects/<str:team>/<str:project>/curves/", curves.Curves.as_view(), name="curves"),
    path(RUN, runs.OneRun.as_view()),
    path(f"{RUN}finish/", runs.RunFinish.as_view()),
    path(f"{RUN}kill/", runs.RunKill.as_view()),
    path(f"{RUN}start/", runs.RunStart.as_view()),
    path(f"{RUN}heartbeat/", runs.RunHeartbeat.as_view()),
    path(f"{RUN}metrics/", metrics.RunMetrics.as_view()),
]
