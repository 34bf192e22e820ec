"""Which addresses an outgoing request may reach (WH9). Pure Python.

Users choose the addresses that this server calls, so the ones behind its own door are refused: loopback, private
networks, the cloud's metadata service, and every notation that carries such an address inside another one. Operators
allow networks and hosts with `WEBHOOK_ALLOWED_NETWORKS`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SETTING = "WEBHOOK_ALLOWED_NETWORKS"

# From the IANA special-purpose registries; the first that holds an address names it.
REFUSED: tuple[tuple[str, tuple[Network, ...]], ...] = tuple(
    (name, tuple(ipaddress.ip_network(text) for text in networks.split()))
    for name, networks in (
        ("an unspecified address", "0.0.0.0/8 ::/128"),
        ("a loopback address", "127.0.0.0/8 ::1/128"),
        ("a link-local address", "169.254.0.0/16 fe80::/10"),
        ("a private address", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"),
        ("a shared (CGNAT) address", "100.64.0.0/10"),
        ("a unique-local address", "fc00::/7"),
        ("a site-local address", "fec0::/10"),
        ("a multicast address", "224.0.0.0/4 ff00::/8"),
        ("a broadcast address", "255.255.255.255/32"),
        # Azure's machines reach their host there: public in form only.
        ("a cloud platform's internal address", "168.63.129.16/32"),
        (
            "a reserved address",
            (
                "192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4"
                " 100::/64 2001::/23 2001:db8::/32 3fff::/20 5f00::/16"
            ),
        ),
    )
)

IN_USE = ipaddress.IPv6Network("2000::/3")  # what of IPv6 has been given out

# IPv6 notations that carry an IPv4 address, and where in the 128 bits it stands (bits to the right of it).
CARRIERS: tuple[tuple[str, ipaddress.IPv6Network, int], ...] = (
    ("an IPv4-mapped address", ipaddress.IPv6Network("::ffff:0:0/96"), 0),
    ("an IPv4-translated address", ipaddress.IPv6Network("::ffff:0:0:0/96"), 0),
    ("a NAT64 address", ipaddress.IPv6Network("64:ff9b::/96"), 0),
    ("a NAT64 address", ipaddress.IPv6Network("64:ff9b:1::/48"), 0),
    ("a 6to4 address", ipaddress.IPv6Network("2002::/16"), 80),
    ("a Teredo address", ipaddress.IPv6Network("2001::/32"), 0),
    ("an IPv4-compatible address", ipaddress.IPv6Network("::/96"), 0),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator allows beside public addresses. A host beginning with `*.` stands for all names below it."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Policy:
        """Read CIDRs, addresses and host names.

        Raises:
            ValueError: a sentence that names the entry.
        """
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in (text.strip() for text in entries):
            if not entry:
                continue
            if _looks_like_an_address(entry):
                networks.append(_network(entry))
            elif _is_host(entry.removeprefix("*.")):
                hosts.add(entry.lower().rstrip("."))
            else:
                raise ValueError(f"{SETTING}: “{entry}” is neither a network, an address nor a host name.")
        return cls(tuple(networks), frozenset(hosts))

    def allows_host(self, host: str) -> bool:
        """Whether every address of this name is allowed."""
        name = host.lower().rstrip(".")
        if name in self.hosts:
            return True
        labels = name.split(".")
        return any("*." + ".".join(labels[start:]) in self.hosts for start in range(1, len(labels)))

    def allows_address(self, address: Address) -> bool:
        """Whether the address, or the IPv4 address mapped into it, is in an allowed network."""
        candidates: list[Address] = [address]
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            candidates.append(address.ipv4_mapped)
        return any(candidate in network for candidate in candidates for network in self.networks)


def refusal(address: Address, policy: Policy, host: str) -> str | None:
    """Why a request to `host` must not connect to this address of it, as a sentence; None if it may.

    Allowing a whole notation, such as 64:ff9b::/96 where NAT64 is in use, does not allow what hides in it: the IPv4
    address inside has to be public or allowed too.
    """
    if policy.allows_host(host):
        return None
    carried = _carried_by(address)
    hides = carried is not None and kind_of(carried[1]) is not None and not policy.allows_address(carried[1])
    if policy.allows_address(address) and not hides:
        return None
    kind = kind_of(address)
    if kind is None:
        return None
    leads = f"The endpoint is {address}" if host.strip("[]") == str(address) else f"{host} resolves to {address}"
    return f"{leads}, {kind}. Addresses like this are refused; an operator can allow networks or hosts with {SETTING}."


def kind_of(address: Address) -> str | None:
    """What makes an address one to refuse (“a link-local address”), or None for a public one."""
    for name, networks in REFUSED:
        # Teredo lies inside a reserved block and has a name of its own.
        if any(address.version == network.version and address in network for network in networks):
            return _carrier_of(address) or name
    if isinstance(address, ipaddress.IPv6Address) and address not in IN_USE:
        return _carrier_of(address) or "a reserved address"
    return _carrier_of(address)


def _carrier_of(address: Address) -> str | None:
    """Refused whatever it carries: nobody needs such a notation to reach a public receiver."""
    carried = _carried_by(address)
    return f"{carried[0]} that carries {carried[1]}" if carried else None


def _carried_by(address: Address) -> tuple[str, ipaddress.IPv4Address] | None:
    if not isinstance(address, ipaddress.IPv6Address) or int(address) <= 1:
        return None
    for name, network, shift in CARRIERS:
        if address in network:
            bits = (int(address) >> shift) & 0xFFFFFFFF
            return name, ipaddress.IPv4Address(bits ^ 0xFFFFFFFF if "Teredo" in name else bits)
    return None


def _looks_like_an_address(entry: str) -> bool:
    return ":" in entry or "/" in entry or entry.replace(".", "").isdigit()


def _network(entry: str) -> Network:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError as error:
        raise ValueError(f"{SETTING}: “{entry}” is not a network: {error}.") from error


def _is_host(name: str) -> bool:
    labels = name.rstrip(".").split(".")
    return len(name) <= 253 and all(
        label and len(label) <= 63 and label.isascii() and label.replace("-", "").replace("_", "").isalnum()
        for label in labels
    )
