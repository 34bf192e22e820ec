"""Addresses of projects and runs. They come last of all: `<team>/` catches whatever is left."""

from django.urls import path

from projects import run_pages, views

app_name = "projects"
urlpatterns = [
    path("projects/", views.project_list, name="list"),
    path("projects/new", views.create_project, name="create"),
    path("<str:team>/", views.team_page, name="team"),
    path("<str:team>/<str:project>/", views.project_page, name="project"),
    path("<str:team>/<str:project>/runs/<str:run_id>", run_pages.run_page, name="run"),
    path("<str:team>/<str:project>/runs/<str:run_id>/stop", run_pages.stop, name="stop_run"),
    path("<str:team>/<str:project>/runs/<str:run_id>/console", run_pages.console_text, name="run_console"),
    path("<str:team>/<str:project>/runs/<str:run_id>/files/<file:name>", run_pages.file, name="run_file"),
]
