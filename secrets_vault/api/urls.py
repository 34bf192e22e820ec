from django.urls import path

from secrets_vault.api import views

urlpatterns = [
    path("teams/<str:team>/secrets/", views.Secrets.as_view()),
    path("teams/<str:team>/secrets/<str:name>/", views.OneSecret.as_view()),
    path("teams/<str:team>/secrets/<str:name>/end-old-value/", views.OldValueEnd.as_view()),
]
