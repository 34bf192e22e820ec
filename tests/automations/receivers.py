"""What receivers of the presets accept, as JSON schemas written from their public documentation."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "minLength": 1}

# https://docs.github.com/en/rest/repos/repos#create-a-repository-dispatch-event
GITHUB = {
    "type": "object",
    "required": ["event_type"],
    "properties": {
        "event_type": {"type": "string", "minLength": 1, "maxLength": 100},
        "client_payload": {"type": "object", "maxProperties": 10},
    },
    "additionalProperties": False,
}

# https://learn.microsoft.com/en-us/connectors/teams/#when-a-teams-webhook-request-is-received and
# https://adaptivecards.io/explorer/: the elements that are used here
TEAMS = {
    "type": "object",
    "required": ["type", "attachments"],
    "properties": {
        "type": {"const": "message"},
        "attachments": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["contentType", "content"],
                "properties": {
                    "contentType": {"const": "application/vnd.microsoft.card.adaptive"},
                    "contentUrl": {"type": ["string", "null"]},
                    "content": {"$ref": "#/$defs/card"},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
    "$defs": {
        "card": {
            "type": "object",
            "required": ["type", "version", "body"],
            "properties": {
                "$schema": {"const": "http://adaptivecards.io/schemas/adaptive-card.json"},
                "type": {"const": "AdaptiveCard"},
                "version": {"enum": ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]},
                "body": {"type": "array", "items": {"oneOf": [{"$ref": "#/$defs/text"}, {"$ref": "#/$defs/facts"}]}},
            },
            "additionalProperties": False,
        },
        "text": {
            "type": "object",
            "required": ["type", "text"],
            "properties": {
                "type": {"const": "TextBlock"},
                "text": TEXT,
                "wrap": {"type": "boolean"},
                "weight": {"enum": ["Default", "Lighter", "Bolder"]},
                "size": {"enum": ["Default", "Small", "Medium", "Large", "ExtraLarge"]},
            },
            "additionalProperties": False,
        },
        "facts": {
            "type": "object",
            "required": ["type", "facts"],
            "properties": {
                "type": {"const": "FactSet"},
                "facts": {
                    "type": "array",
                    "minItems": 1,
                    "items": {
                        "type": "object",
                        "required": ["title", "value"],
                        "properties": {"title": TEXT, "value": {"type": "string"}},
                        "additionalProperties": False,
                    },
                },
            },
            "additionalProperties": False,
        },
    },
}

# https://discord.com/developers/docs/resources/webhook#execute-webhook and
# https://discord.com/developers/docs/resources/message#embed-object-embed-limits
DISCORD = {
    "type": "object",
    "anyOf": [{"required": ["content"]}, {"required": ["embeds"]}],
    "properties": {
        "content": {"type": "string", "minLength": 1, "maxLength": 2_000},
        "username": {"type": "string", "minLength": 1, "maxLength": 80},
        "allowed_mentions": {
            "type": "object",
            "properties": {"parse": {"type": "array", "items": {"enum": ["roles", "users", "everyone"]}}},
        },
        "embeds": {
            "type": "array",
            "minItems": 1,
            "maxItems": 10,
            "items": {
                "type": "object",
                "properties": {
                    "title": {"type": "string", "minLength": 1, "maxLength": 256},
                    "description": {"type": "string", "minLength": 1, "maxLength": 4_096},
                    "url": {"type": "string", "format": "uri"},
                    "color": {"type": "integer", "minimum": 0, "maximum": 0xFFFFFF},
                    "fields": {
                        "type": "array",
                        "maxItems": 25,
                        "items": {
                            "type": "object",
                            "required": ["name", "value"],
                            "properties": {
                                "name": {"type": "string", "minLength": 1, "maxLength": 256},
                                "value": {"type": "string", "minLength": 1, "maxLength": 1_024},
                                "inline": {"type": "boolean"},
                            },
                            "additionalProperties": False,
                        },
                    },
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}

# https://developer.pagerduty.com/docs/send-alert-event
PAGERDUTY = {
    "type": "object",
    "required": ["routing_key", "event_action", "payload"],
    "properties": {
        "routing_key": {"type": "string", "minLength": 32, "maxLength": 32},
        "event_action": {"enum": ["trigger", "acknowledge", "resolve"]},
        "dedup_key": {"type": "string", "minLength": 1, "maxLength": 255},
        "payload": {
            "type": "object",
            "required": ["summary", "source", "severity"],
            "properties": {
                "summary": {"type": "string", "minLength": 1, "maxLength": 1_024},
                "source": TEXT,
                "severity": {"enum": ["critical", "error", "warning", "info"]},
                "timestamp": {"type": "string", "format": "date-time"},
                "component": {"type": "string"},
                "group": {"type": "string"},
                "class": {"type": "string"},
                "custom_details": {"type": "object"},
            },
            "additionalProperties": False,
        },
        "client": {"type": "string"},
        "client_url": {"type": "string"},
    },
    "additionalProperties": False,
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "github": GITHUB,
    "teams": TEAMS,
    "discord": DISCORD,
    "pagerduty": PAGERDUTY,
    # a receiver of one's own takes what one sends
    "generic": {"type": "object", "minProperties": 6, "additionalProperties": {"type": "string"}},
}
LARGEST = {
    "github": 64 * 1024,  # of the client_payload
    "teams": 28 * 1024,  # https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams
    "pagerduty": 512 * 1024,
}
LONGEST_EMBEDS = 6_000  # characters of all embeds of a Discord message
