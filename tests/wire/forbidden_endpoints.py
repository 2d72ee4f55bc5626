"""Endpoints by which somebody who registers a device would have this server call what only it can reach.

``PORT`` stands for the port of a server on this machine that must not be called.  Names resolve as ``LOOKUP`` says.
"""

import socket
from typing import Any

# Names that an attacker has a name server for; and names of this machine.
LOOKUP: dict[str, tuple[str, ...]] = {
    "localhost": ("127.0.0.1", "::1"),
    "localhost.localdomain": ("127.0.0.1",),
    "canary.evil.example": ("127.0.0.1",),
    "six.evil.example": ("::1",),
    "mapped.evil.example": ("::ffff:127.0.0.1",),
    "private.evil.example": ("10.0.0.1",),
    "both.evil.example": ("10.0.0.1", "127.0.0.1"),
    "nat64.evil.example": ("64:ff9b::7f00:1",),
    "6to4.evil.example": ("2002:7f00:1::1",),
    "metadata.google.internal": ("169.254.169.254",),
    "metadata.azure.internal": ("168.63.129.16",),
    "cgnat.evil.example": ("100.64.0.1",),
    "any.evil.example": ("0.0.0.0",),
    "linklocal.evil.example": ("fe80::1",),
    "unique.evil.example": ("fd12::1",),
    "evil.push.apple.com": ("127.0.0.1",),
    "xn--bcher-kva.example": ("127.0.0.1",),
}

# Whatever an administrator allows as hosts: these stand for addresses that are called only if ``outbound.allow`` says so.
ADDRESSES = (
    "https://127.0.0.1:PORT/",
    "https://127.0.0.1:PORT/fcm/send/x",
    "https://127.8.9.10:PORT/",
    "https://127.1:PORT/",
    "https://127.0.1:PORT/",
    "https://0:PORT/",
    "https://0.0.0.0:PORT/",
    "https://2130706433:PORT/",
    "https://017700000001:PORT/",
    "https://0x7f000001:PORT/",
    "https://0x7f.0.0.1:PORT/",
    "https://0177.0.0.1:PORT/",
    "https://0x7f.1:PORT/",
    "https://0177.0.0.0x1:PORT/",
    "https://127.0.0.01:PORT/",
    "https://[::1]:PORT/",
    "https://[0:0:0:0:0:0:0:1]:PORT/",
    "https://[::]:PORT/",
    "https://[::127.0.0.1]:PORT/",
    "https://[::ffff:127.0.0.1]:PORT/",
    "https://[::ffff:7f00:1]:PORT/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
    "https://[64:ff9b::7f00:1]:PORT/",
    "https://[64:ff9b::127.0.0.1]:PORT/",
    "https://[2002:7f00:1::1]:PORT/",
    "https://[2001:0:7f00:1::]:PORT/",
    "https://[fe80::1]:PORT/",
    "https://[fc00::1]:PORT/",
    "https://[fec0::1]:PORT/",
    "https://[ff02::1]:PORT/",
    "https://[fd00:ec2::254]/latest/meta-data/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://168.63.129.16/",
    "https://100.100.100.200/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    *(f"https://{name}:PORT/" for name in LOOKUP),
)

# What no list of hosts can name, for it is no plain URL, or read differently by different programs.
TRICKS = (
    "http://127.0.0.1:PORT/",
    "http://fcm.googleapis.com/fcm/send/x",
    "HTTP://web.push.apple.com/x",
    "ws://127.0.0.1:PORT/",
    "ftp://127.0.0.1:PORT/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:PORT/_x",
    "javascript:alert(1)",
    "//127.0.0.1:PORT/",
    "127.0.0.1:PORT",
    "https:127.0.0.1:PORT/",
    "https:///127.0.0.1:PORT/",
    "https://",
    "",
    "https://fcm.googleapis.com@127.0.0.1:PORT/",
    "https://fcm.googleapis.com:443@127.0.0.1:PORT/",
    "https://user:word@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT#@fcm.googleapis.com/",
    "https://127.0.0.1:PORT\\@fcm.googleapis.com/",
    "https://fcm.googleapis.com\\@127.0.0.1:PORT/",
    "https://127.0.0.1:PORT%2f.push.apple.com/",
    "https://127.0.0.1%00.push.apple.com:PORT/",
    "https://127.0.0.1 .push.apple.com:PORT/",
    "https://127.0.0.1\t:PORT/",
    "https://127.0.0.1:PORT/\r\nHost: fcm.googleapis.com",
    "https://\uff11\uff12\uff17.0.0.1:PORT/",
    "https://\u2460\u2461\u2466.0.0.1:PORT/",
    "https://127\u30020\u30020\u30021:PORT/",
    "https://127.0.0.1\uff1aPORT/",
    "https://loc\u0430lhost:PORT/",
    "https://[::1%25lo]:PORT/",
    "https://[::1%lo]:PORT/",
    "https://[::1:PORT/",
    "https://[v1.x]:PORT/",
    "https://127.0.0.1:0/",
    "https://127.0.0.1:-1/",
    "https://127.0.0.1:99999999/",
    "https://127.0.0.1:PORTa/",
    "https://fcm.googleapis.com:PORT/",
    "https://fcm.googleapis.com:22/",
    "https://fcm.googleapis.com.:443/x",
    "https://fcm.googleapis.com.evil.example:PORT/",
    "https://evil.example/fcm.googleapis.com",
    "https://evil.example?fcm.googleapis.com",
    "https://evil.example#fcm.googleapis.com",
    "https://push.apple.com.evil.example/",
    "https://push.services.mozilla.com/",
    "https://.push.apple.com/",
    "https://*.push.apple.com/",
    "https://web.push.apple.com/" + "a" * 2_048,
)


def lookup(host: str, port: int) -> list[tuple[Any, ...]]:
    """Stand in for the name server."""
    texts = LOOKUP.get(host.lower().removesuffix("."))
    if texts is None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return [address(text, port) for text in texts]


def address(text: str, port: int) -> tuple[Any, ...]:
    """Return what ``getaddrinfo`` says of one address."""
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    return (family, socket.SOCK_STREAM, 6, "", (text, port))
