from django.urls import path
from django.urls.resolvers import URLPattern

from registries.api import labels, protection, roster, versions, views

PROJECT = "projects/<str:team>/<str:project>/"
REGISTRY = "registries/<str:organization>/<str:registry>/"


def collection_urls(home: str) -> list[URLPattern]:
    """What collections of projects and of registries have in common."""
    version = f"{home}collections/<str:collection>/versions/<str:version>/"
    return [
        path(f"{home}collections/<str:collection>/", versions.OneCollection.as_view()),
        path(f"{home}collections/<str:collection>/tags/", labels.CollectionTags.as_view()),
        path(f"{home}collections/<str:collection>/tags/<str:tag>/", labels.OneCollectionTag.as_view()),
        path(f"{home}collections/<str:collection>/versions/", versions.Versions.as_view()),
        path(f"{version}aliases/", labels.Aliases.as_view()),
        path(f"{version}aliases/<str:alias>/", labels.OneAlias.as_view()),
        path(f"{version}tags/", labels.Tags.as_view()),
        path(f"{version}tags/<str:tag>/", labels.OneTag.as_view()),
    ]


urlpatterns = [
    path(f"{PROJECT}artifacts/", versions.Artifacts.as_view()),
    path(f"{PROJECT}collections/", versions.ProjectCollections.as_view()),
    *collection_urls(PROJECT),
    path(
        f"{PROJECT}collections/<str:collection>/versions/<str:version>/",
        versions.OneVersion.as_view(),
    ),
    path("registries/", views.Registries.as_view()),
    path("registries/<str:organization>/", views.OrganizationRegistries.as_view()),
    path(REGISTRY, views.OneRegistry.as_view()),
    path(f"{REGISTRY}members/", roster.RegistryMembers.as_view()),
    path(f"{REGISTRY}members/<str:member>/", roster.OneRegistryMember.as_view()),
    path(f"{REGISTRY}teams/", roster.RegistryTeams.as_view()),
    path(f"{REGISTRY}teams/<str:member>/", roster.OneRegistryTeam.as_view()),
    path(f"{REGISTRY}protected-aliases/", protection.ProtectedAliases.as_view()),
    path(f"{REGISTRY}protected-aliases/<str:alias>/", protection.OneProtectedAlias.as_view()),
    path(f"{REGISTRY}collections/", views.RegistryCollections.as_view()),
    *collection_urls(REGISTRY),
    path(f"{REGISTRY}collections/<str:collection>/links/", views.Links.as_view()),
    path(
        f"{REGISTRY}collections/<str:collection>/versions/<str:version>/",
        views.OneLinkedVersion.as_view(),
    ),
]
