"""Which addresses are no part of the public internet, and why.

Source:  the IANA special-purpose address registries for IPv4 and IPv6, and the addresses at which clouds give out
credentials.  The tables are our own, so that all versions of Python judge alike.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_IPV4: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cloud metadata", ("168.63.129.16/32", "169.254.169.254/32", "100.100.100.200/32")),
    ("unspecified", ("0.0.0.0/8",)),
    ("loopback", ("127.0.0.0/8",)),
    ("link-local", ("169.254.0.0/16",)),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    ("shared with a carrier's NAT", ("100.64.0.0/10",)),
    ("multicast", ("224.0.0.0/4",)),
    (
        "reserved",
        (
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "240.0.0.0/4",
        ),
    ),
)
_IPV6: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("cloud metadata", ("fd00:ec2::254/128",)),
    ("unspecified", ("::/128",)),
    ("loopback", ("::1/128",)),
    (
        "another address in disguise",
        ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16"),
    ),
    ("link-local", ("fe80::/10",)),
    ("private", ("fc00::/7", "fec0::/10")),
    ("multicast", ("ff00::/8",)),
    ("reserved", ("2001::/23", "2001:db8::/32", "3fff::/20")),
)
_KINDS_4 = tuple((kind, tuple(map(IPv4Network, nets))) for kind, nets in _IPV4)
_KINDS_6 = tuple((kind, tuple(map(IPv6Network, nets))) for kind, nets in _IPV6)
_GLOBAL_UNICAST = IPv6Network("2000::/3")


def kind_of(address: Address) -> str | None:
    """Say what kind of address it is if it is not on the public internet, None if it is."""
    if isinstance(address, IPv4Address):
        return next((kind for kind, nets in _KINDS_4 if any(address in n for n in nets)), None)
    for kind, nets in _KINDS_6:
        if any(address in net for net in nets):
            return kind
    return None if address in _GLOBAL_UNICAST else "reserved"
