from django.urls import path

from projects.api import metrics, runs, views

RUN = "projects/<str:team>/<str:project>/runs/<str:run_id>/"

urlpatterns = [
    path("me/", views.Me.as_view()),
    path("organizations/", views.Organizations.as_view()),
    path("teams/", views.Teams.as_view()),
    path("teams/<str:team>/", views.OneTeam.as_view()),
    path("teams/<str:team>/projects/", views.Projects.as_view()),
    path("projects/<str:team>/<str:project>/", views.OneProject.as_view()),
    path("projects/<str:team>/<str:project>/runs/", runs.Runs.as_view()),
    path(RUN, runs.OneRun.as_view()),
    path(f"{RUN}finish/", runs.RunFinish.as_view()),
    path(f"{RUN}kill/", runs.RunKill.as_view()),
    path(f"{RUN}start/", runs.RunStart.as_view()),
    path(f"{RUN}heartbeat/", runs.RunHeartbeat.as_view()),
    path(f"{RUN}metrics/", metrics.RunMetrics.as_view()),
]
