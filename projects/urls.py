"""Addresses of projects and runs. They come last of all: `<team>/` catches whatever is left."""

from django.urls import path

from projects import views

app_name = "projects"
urlpatterns = [
    path("projects/", views.project_list, name="list"),
    path("projects/new", views.create_project, name="create"),
    path("<str:team>/", views.team_page, name="team"),
    path("<str:team>/<str:project>/", views.project_page, name="project"),
    path("<str:team>/<str:project>/runs/<str:run_id>", views.run_page, name="run"),
]
