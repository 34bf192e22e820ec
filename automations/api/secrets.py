"""What of team secrets their integrations tell: where they are used, and who takes a new value."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations import changeover
from automations.api.webhooks import webhook_to_change
from automations.changeover import Verdict
from automations.uses import uses_of
from projects.api.endpoints import Endpoint
from secrets_vault.api.views import secret_for

AUTOMATION = {"id": 7, "name": "Page on failed production runs", "scope": "research/digits", "in_payload": False}
USE = {"kind": "webhook", "name": "pager", "ways": ["signing secret"], "automations": [AUTOMATION]}
FINDING = {
    "webhook": "pager",
    "verdict": "needs the old value",
    "sentence": "Still needs the old value: it answered 401 Unauthorized to the new alone and 200 OK to both.",
}


class AutomationUseSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="automation.pk")
    name = serializers.CharField(source="automation.name")
    scope = serializers.CharField(source="automation.scope")
    in_payload = serializers.BooleanField(help_text="Whether its payload template names the secret.")


@extend_schema_serializer(examples=[OpenApiExample("A webhook that signs with it", value=USE)])
class UseSerializer(serializers.Serializer):
    kind = serializers.CharField(help_text="“webhook”, “Slack channel” or “Slack workspace”.")
    name = serializers.CharField()
    ways = serializers.ListField(child=serializers.CharField(), help_text="What the secret is there.")
    automations = AutomationUseSerializer(many=True)


@extend_schema_serializer(examples=[OpenApiExample("One that has not changed over", value=FINDING)])
class FindingSerializer(serializers.Serializer):
    webhook = serializers.CharField(source="webhook.name")
    verdict = serializers.ChoiceField(choices=[one.value for one in Verdict])
    sentence = serializers.CharField()


class SecretUses(Endpoint):
    pagination_class = None

    @extend_schema(summary="Show where a secret is used", responses=UseSerializer(many=True))
    def get(self, request: Request, team: str, name: str) -> Response:
        """Integrations that use it and, through them, automations; of those that you may not see, admins of the team
        alone are told. While there is any, it cannot be deleted."""
        uses = uses_of(secret_for(self.user, team, name), reader=self.user)
        return Response(UseSerializer(uses, many=True).data)


class WebhookTryNewValue(Endpoint):
    @extend_schema(summary="Try a new signing secret", request=None, responses=FindingSerializer)
    def post(self, request: Request, team: str, name: str) -> Response:
        """Sends the receiver a test message signed with the new value alone and, if it refuses that, with both.

        One test runs at a time; another is refused meanwhile (429).
        """
        finding = changeover.try_out(webhook_to_change(self.user, team, name), by=self.user)
        return Response(FindingSerializer(finding).data)
