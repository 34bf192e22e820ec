"""Pages of automations and their history."""

from django.urls import path

from automations.views import detail, execution, explanations, history, listing, versions, wizard

app_name = "automations"

PROJECT = "<str:team>/<str:project>/"
REGISTRY = "registries/<str:organization>/<str:registry>/"

urlpatterns = [
    path("automations/<int:pk>/", detail.show, name="detail"),
    path("automations/<int:pk>/edit", wizard.edit, name="edit"),
    path("automations/<int:pk>/enable", detail.enable, name="enable"),
    path("automations/<int:pk>/disable", detail.disable, name="disable"),
    path("automations/<int:pk>/make-live", detail.make_live, name="make_live"),
    path("automations/<int:pk>/rearm", detail.rearm, name="rearm"),
    path("automations/<int:pk>/duplicate", detail.duplicate, name="duplicate"),
    path("automations/<int:pk>/delete", detail.delete, name="delete"),
    path("automations/<int:pk>/versions", versions.show, name="versions"),
    path("automations/<int:pk>/versions/<int:number>/restore", versions.restore, name="restore"),
    path("automations/<int:pk>/why", explanations.why, name="why"),
    path("automations/<int:pk>/replay", explanations.replay, name="replay"),
    path("automations/replay", explanations.replay_draft, name="replay_draft"),
    path("automations/why-of-run/<int:pk>", explanations.of_run, name="why_of_run"),
    path("automations/why-of-version/<int:pk>", explanations.of_version, name="why_of_version"),
    path("executions/<uuid:key>/", execution.show, name="execution"),
    path("executions/of-run/<int:pk>", history.of_run, name="run_executions"),
    path("executions/of-version/<int:pk>", history.of_version, name="version_executions"),
    path("teams/<str:team>/automations", listing.of_team, name="team_automations"),
    path("teams/<str:team>/automations/new", wizard.create_in_team, name="team_new_automation"),
    path("orgs/<str:organization>/automations", listing.of_organization, name="organization_automations"),
    path("orgs/<str:organization>/automations/new", wizard.create_in_organization, name="organization_new_automation"),
    path(f"{REGISTRY}automations", listing.of_registry, name="registry_automations"),
    path(f"{REGISTRY}automations/new", wizard.create_in_registry, name="registry_new_automation"),
    path(f"{REGISTRY}history", history.of_registry, name="registry_history"),
    path(f"{PROJECT}automations", listing.of_project, name="project_automations"),
    path(f"{PROJECT}automations/new", wizard.create_in_project, name="project_new_automation"),
    path(f"{PROJECT}history", history.of_project, name="project_history"),
]
