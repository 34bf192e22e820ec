"""Every address of the server. The order matters: the last include catches `/<team>/<project>/`."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from automations import health
from automations.home import home

handler500 = "automations_site.failures.answer"

api: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("", include("projects.api.urls")),
    path("", include("registries.api.urls")),
    path("", include("secrets_vault.api.urls")),
    path("", include("automations.api.urls")),
]

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("admin/", admin.site.urls),
    path("api/", include(api)),
    path("", home, name="home"),
    path("", include("wandb_gateway.urls")),
    path("", include("automations.settings_urls")),
    path("", include("registries.urls")),
    path("", include("automations.urls")),
    path("", include("projects.urls")),
]
