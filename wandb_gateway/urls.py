"""Addresses the client calls. It follows no redirects: none of them ends with a slash."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from wandb_gateway import entries, files, filestream, graphql, refusals


@csrf_exempt
def nothing_here(request: HttpRequest, **path: str) -> HttpResponse:
    """The client's telemetry probes: a 404 switches them off."""
    return refusals.nothing_here("This server takes no telemetry.")


ENTRY = (
    "artifactsV2/<str:region>/<str:entity>/<str:project>/<str:collection>/<str:artifact_id>/<str:birth_id>/<str:md5>/"
    "<str:name>"
)

app_name = "wandb_gateway"
urlpatterns = [
    path("graphql", graphql.answer, name="graphql"),
    path("files/<str:team>/<str:project>/<str:run_id>/file_stream", filestream.take, name="filestream"),
    path("storage/<str:token>", files.bytes_at, name="storage"),
    path(ENTRY, entries.entry, name="entry"),
    path("sdk/<path:rest>", nothing_here),
]
