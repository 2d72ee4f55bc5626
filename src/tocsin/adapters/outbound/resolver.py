"""Names become addresses that were checked, and the connection goes to these and no others.

The HTTP client connects to what this resolver returns and asks nobody again, so a name cannot change its mind between
check and connect.
"""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

from tocsin.adapters.outbound.addresses import Address
from tocsin.adapters.outbound.guard import Guard, NotAllowedError

# Threads of their own: a name server that does not answer holds one of them, and nobody else's.
_THREADS = 16

Lookup = Callable[[str, int], list[tuple[Any, ...]]]


def system_lookup(host: str, port: int) -> list[tuple[Any, ...]]:
    """Ask the machine's resolver.

    Raises:
        OSError: The name has no address, or nobody could say.
    """
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label of more than 63 characters
        raise OSError(socket.EAI_NONAME, f"this can be no host name: {error}") from error


class GuardedResolver(AbstractResolver):
    """Leaves out the addresses that may not be called, and refuses a name that has no others."""

    def __init__(self, guard: Guard, lookup: Lookup) -> None:
        self._guard = guard
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_THREADS, "outbound-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Resolve a name.

        Raises:
            OSError: It has no address.
            NotAllowedError: None of its addresses may be called.
        """
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, self._lookup, host, port)
        checked, refused = [], None
        for kind, _, proto, _, address in found:
            if family not in (socket.AF_UNSPEC, kind):
                continue
            text = str(address[0])
            try:
                self._guard.check_address(host, _address(text))
            except NotAllowedError as error:
                refused = error
                continue
            flags = socket.AI_NUMERICHOST
            checked.append(
                ResolveResult(
                    hostname=host, host=text, port=port, family=kind, proto=proto, flags=flags
                )
            )
        if checked:
            return checked
        raise refused or OSError(socket.EAI_NONAME, "the name has no address")

    async def close(self) -> None:
        """Begin no other lookup; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _address(text: str) -> Address:
    return ip_address(text)
