"""Every address of the server. The order matters: the last include catches `/<team>/<project>/`."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.utils.functional import lazy
from django.views.generic import RedirectView
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from automations import exposition, health
from automations.home import home, show_first_steps
from automations.views import search

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
    path("metrics", exposition.show, name="metrics"),
    # Pages name their icon; browsers ask here for that of plain text.
    path("favicon.ico", RedirectView.as_view(url=lazy(static, str)("img/favicon.svg"))),
    path("login", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("i18n/language", set_language, name="set_language"),
    path("admin/", admin.site.urls),
    path("api/", include(api)),
    path("", home, name="home"),
    path("home/first-steps", show_first_steps, name="first_steps"),
    path("search", search.show, name="search"),
    path("", include("wandb_gateway.urls")),
    path("", include("automations.settings_urls")),
    path("", include("registries.urls")),
    path("", include("automations.urls")),
    path("", include("projects.urls")),
]
