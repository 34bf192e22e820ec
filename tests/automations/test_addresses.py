"""WH9: which addresses an outgoing request may reach."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automations.addresses import Policy, kind_of, refusal

NOBODY = Policy()


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("100.64.0.1", "CGNAT"),
        ("100.127.255.255", "CGNAT"),
        ("fd00::1", "unique-local"),
        ("fec0::1", "site-local"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("240.0.0.1", "reserved"),
        ("192.0.2.1", "reserved"),
        ("198.18.0.1", "reserved"),
        ("2001:db8::1", "reserved"),
        ("4000::1", "reserved"),
        ("168.63.129.16", "cloud platform"),
        ("::ffff:127.0.0.1", "IPv4-mapped address that carries 127.0.0.1"),
        ("::ffff:10.0.0.1", "IPv4-mapped address that carries 10.0.0.1"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("64:ff9b::a9fe:a9fe", "NAT64 address that carries 169.254.169.254"),
        ("64:ff9b:1::a00:1", "NAT64 address that carries 10.0.0.1"),
        ("2002:7f00:1::", "6to4 address that carries 127.0.0.1"),
        ("2002:a9fe:a9fe::1", "6to4 address that carries 169.254.169.254"),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", "Teredo address that carries 127.0.0.1"),
        ("::7f00:1", "IPv4-compatible address that carries 127.0.0.1"),
    ],
)
def test_wh9_addresses_behind_our_own_door_are_refused_by_their_kind(address: str, kind: str) -> None:
    reason = refusal(ipaddress.ip_address(address), NOBODY, "hooks.example.com")
    assert reason is not None
    assert kind in reason
    assert reason.startswith("hooks.example.com resolves to ")
    assert reason.endswith("an operator can allow networks or hosts with WEBHOOK_ALLOWED_NETWORKS.")


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
def test_public_addresses_are_let_out(address: str) -> None:
    assert refusal(ipaddress.ip_address(address), NOBODY, "example.com") is None


@given(st.ip_addresses(v=4).filter(lambda address: not address.is_global))
def test_wh9_no_address_that_python_calls_private_is_let_out(address: ipaddress.IPv4Address) -> None:
    assert kind_of(address) is not None


@given(st.ip_addresses(v=4))
def test_wh9_an_ipv4_address_in_ipv6_clothes_is_never_let_out(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for prefix, shift in (("::ffff:0:0", 0), ("64:ff9b::", 0), ("64:ff9b:1::", 0), ("2002::", 80)):
        dressed = ipaddress.IPv6Address(int(ipaddress.IPv6Address(prefix)) | (number << shift))
        assert kind_of(dressed) is not None


def test_operators_allow_networks_addresses_and_hosts() -> None:
    policy = Policy.parse(["10.0.0.0/8", "192.168.1.7", "::1", "hooks.internal", "*.corp.example"])
    for address, host in [
        ("10.9.9.9", "x"),
        ("192.168.1.7", "x"),
        ("::1", "x"),
        ("::ffff:10.9.9.9", "x"),
        ("169.254.169.254", "hooks.internal"),
        ("127.0.0.1", "A.b.Corp.Example."),
    ]:
        assert refusal(ipaddress.ip_address(address), policy, host) is None
    for address, host in [("192.168.1.8", "x"), ("127.0.0.1", "corp.example"), ("127.0.0.1", "evilcorp.example")]:
        assert refusal(ipaddress.ip_address(address), policy, host) is not None


def test_wh9_allowing_a_notation_does_not_allow_what_hides_in_it() -> None:
    nat64 = Policy.parse(["64:ff9b::/96"])
    assert refusal(ipaddress.ip_address("64:ff9b::808:808"), nat64, "x") is None
    assert "carries 169.254.169.254" in str(refusal(ipaddress.ip_address("64:ff9b::a9fe:a9fe"), nat64, "x"))
    both = Policy.parse(["64:ff9b::/96", "10.0.0.0/8"])
    assert refusal(ipaddress.ip_address("64:ff9b::a00:1"), both, "x") is None
    everything = Policy.parse(["::/0"])
    assert refusal(ipaddress.ip_address("::ffff:127.0.0.1"), everything, "x") is not None


@given(st.ip_addresses(v=6).filter(lambda address: not address.is_global))
def test_wh9_no_ipv6_address_that_python_calls_private_is_let_out(address: ipaddress.IPv6Address) -> None:
    assert kind_of(address) is not None


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "300.1.1.1", "not a host", "http://x", "::zz", "-"])
def test_an_entry_that_cannot_be_read_is_named(entry: str) -> None:
    if entry == "-":
        entry = "a..b"
    with pytest.raises(ValueError, match="WEBHOOK_ALLOWED_NETWORKS") as error:
        Policy.parse(["10.0.0.0/8", entry])
    assert entry in str(error.value)
