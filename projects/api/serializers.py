"""The shapes of users, teams, projects and runs in the API."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from projects.api.endpoints import Document, Text
from projects.api.roles import role_in_organization, role_in_team
from projects.models import Organization, Project, Role, Run, RunState, Team, User

# Bounds of a 32-bit column; operating systems use 0 to 255, Python programs also negative ones.
LEAST_EXIT_CODE, MOST_EXIT_CODE = -(2**31), 2**31 - 1
TEAM = {"name": "research", "organization": "acme", "is_personal": False, "language": "en", "role": "admin"}
PROJECT = {
    "team": "research",
    "name": "digits",
    "description": "Hand-written digits",
    "created_at": "2026-05-04T09:30:00Z",
}
RUN = {
    "run_id": "k3v9x2ab",
    "team": "research",
    "project": "digits",
    "display_name": "prod-baseline",
    "state": "running",
    "user": "bob",
    "config": {"lr": 0.1, "epochs": 20},
    "summary": {"loss": "NaN", "accuracy": 0.91},
    "tags": ["baseline"],
    "group": "",
    "job_type": "train",
    "notes": "",
    "exit_code": None,
    "created_at": "2026-05-04T09:30:00Z",
    "started_at": "2026-05-04T09:30:00Z",
    "heartbeat_at": "2026-05-04T09:31:12Z",
    "finished_at": None,
    "history_lines": 240,
}


@extend_schema_serializer(examples=[OpenApiExample("Organization", value={"name": "acme", "role": "member"})])
class OrganizationSerializer(serializers.Serializer):
    name = serializers.CharField()
    role = serializers.SerializerMethodField(
        help_text="Your role in the organization; null if you are only in one of its teams."
    )

    @extend_schema_field(serializers.ChoiceField(choices=Role.choices, allow_null=True))
    def get_role(self, organization: Organization) -> str | None:
        return role_in_organization(organization, self.context["user"])


@extend_schema_serializer(examples=[OpenApiExample("Team", value=TEAM)])
class TeamSerializer(serializers.Serializer):
    name = serializers.CharField()
    organization = serializers.SerializerMethodField(help_text="Null for a personal team.")
    is_personal = serializers.BooleanField()
    language = serializers.ChoiceField(choices=settings.LANGUAGES, help_text="Of e-mails and Slack messages.")
    role = serializers.SerializerMethodField(help_text="What you may do in the team.")

    def get_organization(self, team: Team) -> str | None:
        return team.organization.name if team.organization else None

    @extend_schema_field(serializers.ChoiceField(choices=Role.choices, allow_null=True))
    def get_role(self, team: Team) -> str | None:
        return role_in_team(team, self.context["user"])


@extend_schema_serializer(examples=[OpenApiExample("Language", value={"language": "ja"})])
class TeamChangesSerializer(serializers.Serializer):
    language = serializers.ChoiceField(choices=settings.LANGUAGES)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Me",
            value={
                "username": "alice",
                "is_instance_admin": False,
                "teams": [TEAM],
                "organizations": [{"name": "acme", "role": "member"}],
            },
        )
    ]
)
class MeSerializer(serializers.Serializer):
    username = serializers.CharField()
    is_instance_admin = serializers.BooleanField(source="is_superuser")
    teams = serializers.SerializerMethodField(help_text="The first 500 teams you may see; /api/teams/ has all.")
    organizations = serializers.SerializerMethodField(help_text="The first 500; /api/organizations/ has all.")

    @extend_schema_field(TeamSerializer(many=True))
    def get_teams(self, user: User) -> Any:
        return TeamSerializer(self.context["teams"], many=True, context={"user": user}).data

    @extend_schema_field(OrganizationSerializer(many=True))
    def get_organizations(self, user: User) -> Any:
        return OrganizationSerializer(self.context["organizations"], many=True, context={"user": user}).data


@extend_schema_serializer(examples=[OpenApiExample("Project", value=PROJECT, response_only=True)])
class ProjectSerializer(serializers.ModelSerializer[Project]):
    team = serializers.CharField(source="team.name")

    class Meta:
        model = Project
        fields = ["team", "name", "description", "created_at"]


@extend_schema_serializer(
    examples=[OpenApiExample("Project", value={"name": "digits", "description": "Hand-written digits"})]
)
class NewProjectSerializer(serializers.Serializer):
    name = Text()
    description = Text(required=False, allow_blank=True, max_length=10_000)


@extend_schema_serializer(examples=[OpenApiExample("Run", value=RUN)])
class RunSerializer(serializers.ModelSerializer[Run]):
    team = serializers.CharField(source="project.team.name")
    project = serializers.CharField(source="project.name")
    user = serializers.SerializerMethodField(help_text="Null once the user is gone.")
    state = serializers.ChoiceField(choices=RunState.choices)
    config = Document()
    summary = Document(help_text="Last value of every logged key; NaN and infinities as strings.")
    tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Run
        fields = list(RUN)

    def get_user(self, run: Run) -> str | None:
        return run.user.username if run.user else None


@extend_schema_field({"type": "string", "pattern": "^(running|pending)$"})
class FirstState(serializers.ChoiceField):
    """A state in which a run may begin."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[RunState.RUNNING.value, RunState.PENDING.value], **options)


class RunFields(serializers.Serializer):
    """What people may write on a run, when it starts and later."""

    display_name = Text(required=False, max_length=255)
    config = Document(required=False, help_text="Merged into what is there.")
    tags = serializers.ListField(child=Text(max_length=128), required=False, max_length=100)
    group = Text(required=False, allow_blank=True, max_length=255)
    job_type = Text(required=False, allow_blank=True, max_length=255)
    notes = Text(required=False, allow_blank=True, max_length=100_000)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A run",
            value={"display_name": "prod-baseline", "config": {"lr": 0.1}, "tags": ["baseline"]},
        )
    ]
)
class NewRunSerializer(RunFields):
    """Everything is optional: a run without an id gets one."""

    run_id = Text(required=False, max_length=128, help_text="Unique in the project; one is made up if missing.")
    state = FirstState(required=False, help_text="Running, unless it is to wait.")


@extend_schema_serializer(
    examples=[OpenApiExample("Changes", value={"notes": "Looks good", "tags": ["baseline", "kept"]})]
)
class RunChangesSerializer(RunFields):
    summary = Document(required=False, help_text="Merged into what is there.")


@extend_schema_serializer(examples=[OpenApiExample("Failed", value={"exit_code": 1})])
class RunEndSerializer(serializers.Serializer):
    exit_code = serializers.IntegerField(
        min_value=LEAST_EXIT_CODE,
        max_value=MOST_EXIT_CODE,
        help_text="0 finishes the run, anything else makes it failed.",
    )


@extend_schema_serializer(examples=[OpenApiExample("Stored", value={"lines": 240})])
class LinesSerializer(serializers.Serializer):
    lines = serializers.IntegerField(help_text="How many rows the run's history has now.")


@extend_schema_serializer(
    examples=[OpenApiExample("Points", value={"key": "loss", "points": [[0, 0.9], [1, "NaN"]], "next_after": None})]
)
class PointsSerializer(serializers.Serializer):
    """One metric of a run, oldest first."""

    key = serializers.CharField()
    points = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField(), min_length=2, max_length=2),
        help_text="Pairs of line and value; NaN and infinities as strings.",
    )
    next_after = serializers.IntegerField(
        allow_null=True, help_text="Send it as `after` for the following points; null at the end."
    )


@extend_schema_serializer(examples=[OpenApiExample("Alive", value={"state": "running"})])
class RunStateSerializer(serializers.Serializer):
    state = serializers.ChoiceField(choices=RunState.choices, help_text="A script that reads killed should stop.")
