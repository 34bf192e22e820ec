"""WH3: both signatures, computed here independently."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations import signing

BODY = b'{"test": 2432232314}'


def test_the_published_example_of_standard_webhooks_verifies() -> None:
    """The example message that libraries of the Standard Webhooks project test themselves with."""
    signature = signing.standard_signature(
        BODY,
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("encoding", ["base64", "hex"])
def test_wh3_the_wandb_signature_is_an_hmac_of_the_exact_body(encoding: str) -> None:
    mac = hmac.new(b"s3cret", BODY, hashlib.sha256)
    expected = mac.hexdigest() if encoding == "hex" else base64.b64encode(mac.digest()).decode()
    assert signing.wandb_signature(BODY, secret="s3cret", encoding=encoding) == expected


@given(st.binary(max_size=200), st.text(min_size=1, max_size=40), st.sampled_from(["base64", "hex"]))
def test_what_is_signed_verifies(body: bytes, secret: str, encoding: str) -> None:
    headers = signing.headers(body, secret=secret, message_id="msg_1", timestamp=1000, encoding=encoding)
    assert signing.verify(body, headers, secret=secret, now=1010) == []


def test_every_tampering_is_named() -> None:
    headers = signing.headers(BODY, secret="s3cret", message_id="msg_1", timestamp=1000)
    assert len(signing.verify(BODY + b" ", headers, secret="s3cret", now=1000)) == 2
    assert len(signing.verify(BODY, headers, secret="other", now=1000)) == 2
    assert "301 s away" in signing.verify(BODY, headers, secret="s3cret", now=1301)[0]
    assert "webhook-signature" in signing.verify(BODY, {**headers, "webhook-id": "msg_2"}, secret="s3cret", now=1000)[0]
    assert signing.verify(BODY, {}, secret="s3cret", now=1000) == [
        "X-Wandb-Signature is missing.",
        "webhook-id is missing.",
        "webhook-timestamp is missing.",
        "webhook-signature is missing.",
    ]
    nonsense = {**headers, "webhook-timestamp": "noon"}
    assert signing.verify(BODY, nonsense, secret="s3cret", now=1000) == [
        "webhook-timestamp is not a number of seconds."
    ]


def test_one_of_several_signatures_is_enough() -> None:
    headers = signing.headers(BODY, secret="new", message_id="msg_1", timestamp=1000)
    headers["webhook-signature"] = "v1,bm90IHRoaXMgb25l " + headers["webhook-signature"]
    assert signing.verify(BODY, headers, secret="new", now=1000) == []
