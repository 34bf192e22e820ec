"""Addresses of registries, and of the artifacts in projects."""

from django.urls import path, re_path

from registries.views import browse, change, files, labels, lineage, roster, upkeep

REGISTRY = "registries/<str:organization>/<str:registry>/"
COLLECTION = f"{REGISTRY}collections/<str:collection>"
PROJECT_COLLECTION = "<str:team>/<str:project>/artifacts/<str:type>/<str:collection>"
VERSION = "artifacts/versions/<int:pk>/"

app_name = "registries"
urlpatterns = [
    path("registries/", browse.registry_list, name="list"),
    path("registries/new", change.create_registry, name="create"),
    path(REGISTRY, browse.registry_page, name="registry"),
    re_path(
        r"^registries/(?P<organization>[^/]+)/(?P<registry>[^/]+)/protected/(?P<change>add|remove)$",
        labels.change_protection,
        name="change_protection",
    ),
    path("registries/<int:pk>/settings", upkeep.change, name="change_registry"),
    path("registries/<int:pk>/delete", upkeep.delete, name="delete_registry"),
    path(f"{REGISTRY}people/add", roster.add, name="let_in"),
    path(f"{REGISTRY}people/<str:name>/role", roster.change_role, name="change_registry_role"),
    path(f"{REGISTRY}people/<str:name>/remove", roster.remove, name="let_out"),
    path(f"{REGISTRY}collections/new", change.create_collection, name="create_collection"),
    # Where the wandb client says that a linked version is.
    path("orgs/<str:organization>/registry/<str:registry>", browse.as_the_client_links_it, name="client_link"),
    path(f"{COLLECTION}/", browse.collection_page, name="registry_collection"),
    path(f"{COLLECTION}/link", change.link_into, name="link_into"),
    path(f"{COLLECTION}/versions/<str:version>", browse.version_page, name="registry_version"),
    path(f"{VERSION}files", files.version_files, name="version_files"),
    path(f"{VERSION}files/<file:path>", files.version_file, name="version_file"),
    path(f"{VERSION}lineage", lineage.of_version, name="version_lineage"),
    path(f"{VERSION}link", change.link_version, name="link_version"),
    path(f"{VERSION}unlink", change.unlink_version, name="unlink_version"),
    re_path(
        r"^artifacts/versions/(?P<pk>[0-9]{1,18})/(?P<kind>aliases|tags)/(?P<change>add|remove)$",
        labels.change_label,
        name="change_label",
    ),
    re_path(
        r"^artifacts/collections/(?P<pk>[0-9]{1,18})/tags/(?P<change>add|remove)$",
        labels.change_collection_tag,
        name="change_collection_tag",
    ),
    path("artifacts/runs/<int:pk>", browse.run_artifacts, name="run_artifacts"),
    path("artifacts/runs/<int:pk>/lineage", lineage.of_run, name="run_lineage"),
    path("<str:team>/<str:project>/artifacts", browse.artifacts, name="artifacts"),
    path(PROJECT_COLLECTION, browse.collection_page, name="collection"),
    path(f"{PROJECT_COLLECTION}/<str:version>", browse.version_page, name="version"),
]
