"""Signatures of what is sent (WH3). Pure Python.

Two schemes at once: `X-Wandb-Signature`, the HMAC-SHA256 of the body that W&B's receivers check, and the three headers
of Standard Webhooks (https://www.standardwebhooks.com), which also cover the message id and the time, so that an old
message cannot be played again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

STANDARD_PREFIX = "whsec_"
TOLERANCE = 300  # seconds a timestamp may differ from the receiver's clock


def headers(
    body: bytes, *, secret: str, message_id: str, timestamp: int, encoding: str = "base64", old_secret: str = ""
) -> dict[str, str]:
    """Both signatures, and the id and time the standard one covers. `encoding` (base64 or hex) is W&B's.

    The standard header holds several signatures, so that of an `old_secret` follows; W&B's holds one, by the new.
    """
    keys = [secret, old_secret] if old_secret else [secret]
    standard = (standard_signature(body, secret=key, message_id=message_id, timestamp=timestamp) for key in keys)
    return {
        "X-Wandb-Signature": wandb_signature(body, secret=secret, encoding=encoding),
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(standard),
    }


def wandb_signature(body: bytes, *, secret: str, encoding: str = "base64") -> str:
    """HMAC-SHA256 of the exact body, with the secret's UTF-8 bytes as key."""
    mac = hmac.new(secret.encode(), body, hashlib.sha256)
    return mac.hexdigest() if encoding == "hex" else base64.b64encode(mac.digest()).decode()


def standard_signature(body: bytes, *, secret: str, message_id: str, timestamp: int) -> str:
    """`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    mac = hmac.new(standard_key(secret), signed, hashlib.sha256)
    return "v1," + base64.b64encode(mac.digest()).decode()


def standard_key(secret: str) -> bytes:
    """The key a secret stands for: what follows `whsec_` is base64; any other secret is its own UTF-8 bytes."""
    if secret.startswith(STANDARD_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(STANDARD_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            return secret.encode()
    return secret.encode()


def verify(body: bytes, headers: Mapping[str, str], *, secret: str, now: float) -> list[str]:
    """What is wrong with a received message, as sentences; empty when both signatures and the time are right."""
    given = {name.lower(): value for name, value in headers.items()}
    return [
        *_wandb_problems(body, given.get("x-wandb-signature"), secret),
        *_standard_problems(body, given, secret),
        *_time_problems(given.get("webhook-timestamp", ""), now),
    ]


def _wandb_problems(body: bytes, signature: str | None, secret: str) -> list[str]:
    if signature is None:
        return ["X-Wandb-Signature is missing."]
    expected = (wandb_signature(body, secret=secret, encoding=encoding) for encoding in ("base64", "hex"))
    if any(hmac.compare_digest(one.encode(), signature.encode()) for one in expected):
        return []
    return ["X-Wandb-Signature does not fit the body and the secret."]


def _standard_problems(body: bytes, given: Mapping[str, str], secret: str) -> list[str]:
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if name not in given]
    if missing:
        return [f"{name} is missing." for name in missing]
    if not given["webhook-timestamp"].isdecimal():
        return []  # said by the check of the time
    expected = standard_signature(
        body, secret=secret, message_id=given["webhook-id"], timestamp=int(given["webhook-timestamp"])
    )
    signatures = given["webhook-signature"].split(" ")
    if any(hmac.compare_digest(expected.encode(), one.encode()) for one in signatures):
        return []
    return ["webhook-signature does not fit the id, the time, the body and the secret."]


def _time_problems(timestamp: str, now: float) -> list[str]:
    if not timestamp:
        return []  # said to be missing already
    if not timestamp.isdecimal():
        return ["webhook-timestamp is not a number of seconds."]
    if abs(now - int(timestamp)) > TOLERANCE:
        return [f"webhook-timestamp is {abs(now - int(timestamp)):.0f} s away from now, more than {TOLERANCE} s."]
    return []
