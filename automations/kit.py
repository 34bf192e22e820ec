"""What helps whoever writes a receiver of webhooks: a `curl` that sends a message once more, and code that checks it.

No secret is in either: they are named as variables of the shell, which the reader sets.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from shlex import quote as quoted_word

from django.template.loader import render_to_string

from automations import templating
from automations.actions.webhook import again, message_id
from automations.documents import default_document
from automations.models import ActionKind, Attempt, Execution, Webhook
from automations.models.integration import SignatureEncoding
from automations.redaction import MASK
from automations.unsealing import SECRET_REFERENCE
from automations.variables import values_of

LANGUAGES = {
    "python": ("Python", "py"),
    "javascript": ("JavaScript", "js"),
    "go": ("Go", "go"),
    "shell": ("Shell", "sh"),
}
TOKEN, SECRET = "ACCESS_TOKEN", "WEBHOOK_SECRET"
# Made anew by the command, or meant for this server alone.
COMPUTED = frozenset(
    {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "x-wandb-signature",
        "x-automation-cause",
        "content-length",
    }
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """Code that verifies the signatures of a webhook, in one language."""

    language: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Kit:
    """For one execution: the command, and the snippets, none if the webhook does not sign."""

    curl: str
    snippets: list[Snippet]


def of(execution: Execution) -> Kit | None:
    """The kit of a webhook's execution; None of any other, and where nothing is known of the webhook any more."""
    attempt = execution.attempts.last()
    webhook = execution.webhook
    if execution.rule.get("action_kind") != ActionKind.WEBHOOK or (attempt is None and webhook is None):
        return None
    sent = {name.lower() for name in attempt.request_headers} if attempt else set()
    signed = "x-wandb-signature" in sent if attempt else bool(webhook and webhook.secret_id)
    encoding = _encoding(webhook, attempt)
    snippets = [Snippet(key, label, snippet(key, encoding)) for key, (label, _) in LANGUAGES.items()] if signed else []
    return Kit(_curl(execution, attempt, encoding=encoding, signed=signed), snippets)


def snippet(language: str, encoding: str) -> str:
    """The code in one of `LANGUAGES`, for a webhook that signs in this encoding."""
    return render_to_string(f"automations/kit/verify.{LANGUAGES[language][1]}", {"encoding": encoding})


def _encoding(webhook: Webhook | None, attempt: Attempt | None) -> str:
    if webhook is not None:
        return str(webhook.signature_encoding)
    sent = {name.lower(): value for name, value in attempt.request_headers.items()} if attempt else {}
    hexadecimal = re.fullmatch(r"[0-9a-f]{64}", sent.get("x-wandb-signature", ""))
    return SignatureEncoding.HEX.value if hexadecimal else SignatureEncoding.BASE64.value


class Shell:
    """Text for the shell in which a mark stands for a variable. Nobody can know the mark, and put one into a name."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(16)
        self._marks = re.compile(f"{self._mark}([A-Za-z0-9_]+){self._mark}")

    def variable(self, name: str) -> str:
        return f"{self._mark}{name}{self._mark}"

    def masked(self, text: str) -> str:
        """As the history has it."""
        return self._marks.sub(MASK, text)

    def names(self, text: str) -> set[str]:
        return set(self._marks.findall(text))

    def quoted(self, text: str) -> str:
        """One word of the shell."""
        parts = enumerate(self._marks.split(text))
        words = [f'"${{{part}}}"' if place % 2 else quoted_word(part) for place, part in parts]
        return "".join(word for word in words if word != "''") or "''"


def _curl(execution: Execution, attempt: Attempt | None, *, encoding: str, signed: bool) -> str:
    shell = Shell()
    body, headers = _body(execution, shell), _headers(execution, attempt, shell)
    url = attempt.url if attempt else execution.webhook.url  # type: ignore[union-attr]  # one of both is there
    names = set().union(*map(shell.names, (body, *headers))) | ({SECRET} if signed else set())
    lines = ["# Sends this message once more. Secrets are not in here: set these variables first."] if names else []
    lines += [f': "${{{name}:?is not set}}"' for name in sorted(names)]
    if any(MASK in text for text in (body, *headers)):
        lines.append(f"# {MASK} stands for what the history does not keep: put it in by hand.")
    lines += [f"body={shell.quoted(body)}", f"id={message_id(execution)}", "timestamp=$(date +%s)"]
    options = [f"-H {shell.quoted(header)}" for header in headers]
    options += ['-H "webhook-id: $id"', '-H "webhook-timestamp: $timestamp"']
    if signed:
        lines += _signing(encoding)
        options += ['-H "X-Wandb-Signature: $wandb"', '-H "webhook-signature: v1,$standard"']
    lines.append(f'printf %s "$body" | curl -sS -i {quoted_word(url)} \\')
    lines += [f"  {option} \\" for option in options]
    return "\n".join([*lines, "  --data-binary @-"])


def _signing(encoding: str) -> list[str]:
    """Lines that sign `$body` as the server does."""
    written = "hex" if encoding == SignatureEncoding.HEX else "openssl base64 -A"
    return [
        "hex() { od -An -v -tx1 | tr -d ' \\n'; }",
        'mac() { openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -binary; }',
        f'key=$(printf %s "${SECRET}" | hex)',
        f'wandb=$(printf %s "$body" | mac "$key" | {written})',
        f'case ${SECRET} in whsec_*) key=$(printf %s "${{{SECRET}#whsec_}}" | openssl base64 -d -A | hex) ;; esac',
        'standard=$(printf %s "$id.$timestamp.$body" | mac "$key" | openssl base64 -A)',
    ]


def _headers(execution: Execution, attempt: Attempt | None, shell: Shell) -> list[str]:
    """Every header but those that the command makes itself, with variables where the history has masks."""
    webhook = execution.webhook
    extra = {header.name: header.value for header in webhook.headers.all()} if webhook else {}
    if attempt is not None:
        sent = dict(attempt.request_headers)
    else:
        sent = {"Content-Type": "application/json"} | extra | again(execution)
        sent |= {"Authorization": MASK} if webhook and webhook.access_token_id else {}
    for name in sent:
        if name in extra and (MASK in sent[name] or attempt is None):
            sent[name] = SECRET_REFERENCE.sub(lambda match: shell.variable(match[1]), extra[name])
        elif name.lower() == "authorization":
            sent[name] = f"Bearer {shell.variable(TOKEN)}"
    return [f"{name}: {value}" for name, value in sent.items() if name.lower() not in COMPUTED]


def _body(execution: Execution, shell: Shell) -> str:
    """The body as it was sent, or would be, with variables where the history has masks."""
    webhook, text = execution.webhook, str(execution.rule.get("payload", ""))
    if execution.payload and MASK not in execution.payload:
        return execution.payload
    names = {TOKEN: shell.variable(TOKEN)} if webhook and webhook.access_token_id else {}
    if webhook and webhook.secret:
        names[webhook.secret.name] = shell.variable(SECRET)
    try:
        if not text.strip():
            return execution.payload or default_document(execution.event, execution.rule, execution=execution).decode()
        marked = templating.parse(text).render(values_of(execution.event, execution.rule) | names).decode()
    except (templating.InvalidTemplate, templating.RenderedTooLarge):
        return execution.payload
    return marked if shell.masked(marked) == execution.payload or not execution.payload else execution.payload
