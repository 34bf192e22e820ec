from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from automations_site.clients import address_of


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "203.0.113.9", "10.0.0.1"),
        (0, "", "10.0.0.1"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (2, "spoofed, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (1, "", "10.0.0.1"),
        (3, "203.0.113.9", "10.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_wrote_is_believed(
    rf: RequestFactory, settings: Settings, proxies: int, header: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/login", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=header)
    assert address_of(request) == address
