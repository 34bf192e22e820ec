"""Addresses of team settings, beside the namespace of automations: a team's settings are more than automations."""

from django.urls import path

from automations.team_settings import keys, members, page, secrets, slack, webhooks

SETTINGS = "teams/<str:team>/settings/"

urlpatterns = [
    path(SETTINGS, page.show, name="team_settings"),
    path(f"{SETTINGS}members/add", members.add, name="team_settings_add_member"),
    path(f"{SETTINGS}members/<int:pk>/role", members.change_role, name="team_settings_member_role"),
    path(f"{SETTINGS}members/<int:pk>/remove", members.remove, name="team_settings_remove_member"),
    path(f"{SETTINGS}webhooks/new", webhooks.create, name="team_settings_create_webhook"),
    path(f"{SETTINGS}webhooks/<int:pk>/edit", webhooks.edit, name="team_settings_edit_webhook"),
    path(f"{SETTINGS}webhooks/<int:pk>/test", webhooks.test, name="team_settings_test_webhook"),
    path(f"{SETTINGS}webhooks/<int:pk>/resume", webhooks.resume, name="team_settings_resume_webhook"),
    path(f"{SETTINGS}webhooks/<int:pk>/delete", webhooks.delete, name="team_settings_delete_webhook"),
    path(f"{SETTINGS}slack/new", slack.create, name="team_settings_add_slack_channel"),
    path(f"{SETTINGS}slack/<int:pk>/edit", slack.edit, name="team_settings_edit_slack_channel"),
    path(f"{SETTINGS}slack/<int:pk>/test", slack.test, name="team_settings_test_slack_channel"),
    path(f"{SETTINGS}slack/<int:pk>/delete", slack.delete, name="team_settings_delete_slack_channel"),
    path(f"{SETTINGS}secrets/new", secrets.create, name="team_settings_create_secret"),
    path(f"{SETTINGS}secrets/<int:pk>/rotate", secrets.rotate, name="team_settings_rotate_secret"),
    path(f"{SETTINGS}secrets/<int:pk>/delete", secrets.delete, name="team_settings_delete_secret"),
    path(f"{SETTINGS}keys/new", keys.create, name="team_settings_create_key"),
    path(f"{SETTINGS}keys/<int:pk>/revoke", keys.revoke, name="team_settings_revoke_key"),
]
