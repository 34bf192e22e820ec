"""Addresses of projects and runs. They come last of all: `<team>/` catches whatever is left."""

from django.urls import path

from projects import design, join_pages, run_pages, views

app_name = "projects"
RUN = "<str:team>/<str:project>/runs/<str:run_id>"
urlpatterns = [
    path("design/", design.show, name="design"),
    path("accounts/join/<str:token>", join_pages.join, name="join"),
    path("projects/", views.project_list, name="list"),
    path("projects/new", views.create_project, name="create"),
    path("<str:team>/", views.team_page, name="team"),
    path("<str:team>/<str:project>/", views.workspace, name="project"),
    path("<str:team>/<str:project>/runs", views.project_runs, name="runs"),
    path("<str:team>/<str:project>/runs-columns", views.choose_columns, name="choose_columns"),
    path(RUN, run_pages.overview, name="run"),
    path(f"{RUN}/charts", run_pages.charts, name="run_charts"),
    path(f"{RUN}/system", run_pages.system, name="run_system"),
    path(f"{RUN}/logs", run_pages.logs, name="run_logs"),
    path(f"{RUN}/files", run_pages.files, name="run_files"),
    path(f"{RUN}/stop", run_pages.stop, name="stop_run"),
    path(f"{RUN}/console", run_pages.console_text, name="run_console"),
    path(f"{RUN}/tables/<file:name>", run_pages.table, name="run_table"),
    path(f"{RUN}/files/<file:name>", run_pages.file, name="run_file"),
]
