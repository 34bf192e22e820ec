"""Is a webhook genuine? `is_genuine` needs nothing but the standard library."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

ENCODING = "{{ encoding }}"  # of X-Wandb-Signature: base64 or hex, as the webhook says
TOLERANCE = 5 * 60  # seconds that the clocks may differ, and that an old message is good for


def is_genuine(body: bytes, headers: Mapping[str, str], secret: str) -> bool:
    """Check the body as it arrived, before parsing it. Names of headers may be written in any case."""
    given = {name.lower(): value for name, value in headers.items()}
    names = ("x-wandb-signature", "webhook-id", "webhook-timestamp", "webhook-signature")
    if any(name not in given for name in names):
        return False
    timestamp = given["webhook-timestamp"]
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE:
        return False

    mac = hmac.new(secret.encode(), body, hashlib.sha256)
    wandb = mac.hexdigest() if ENCODING == "hex" else base64.b64encode(mac.digest()).decode()
    key = base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()
    signed = f"{given['webhook-id']}.{timestamp}.".encode() + body
    standard = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # While a secret is being rotated there are several signatures.
    fitting = sum(same(standard, one) for one in given["webhook-signature"].split(" "))
    return same(wandb, given["x-wandb-signature"]) and fitting > 0


def same(expected: str, received: str) -> bool:
    """Takes the same time wherever they differ."""
    return hmac.compare_digest(expected.encode(), received.encode())
