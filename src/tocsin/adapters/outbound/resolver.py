"""Names become addresses that were checked, and the connection goes to these and no others.

The client connects to what this returns and asks nobody again, so a name cannot change its mind between check and connect.
"""

import asyncio
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from typing import Any, Final

from tocsin.adapters.outbound.guard import Guard, NotAllowedError

# Threads of their own: a name server that does not answer holds one of them, and nobody else's.
_THREADS: Final = 16
# Connections made at once to one name share a lookup.
REMEMBERED_S: Final = 5.0
_REMEMBERED: Final = 1_024

Found = list[tuple[Any, ...]]
Lookup = Callable[[str, int], Found]


def system_lookup(host: str, port: int) -> Found:
    """Ask the machine's resolver.

    Raises:
        OSError: The name has no address, or nobody could say.
    """
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label of more than 63 characters
        raise OSError(socket.EAI_NONAME, f"this can be no host name: {error}") from error


class GuardedResolver:
    """Leaves out the addresses that may not be called, and refuses a name that has no others."""

    def __init__(self, guard: Guard, lookup: Lookup) -> None:
        self._guard = guard
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_THREADS, "outbound-dns")
        self._asked: dict[tuple[str, int], asyncio.Future[Found]] = {}

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses to connect to, in the order to try them; what was found is remembered for a moment.

        Raises:
            OSError: There is none.
            NotAllowedError: None may be called.
        """
        if _is_address(host):
            return self._checked(host, [host])
        asked = self._asked.get((host, port))
        if asked is None:
            asked = self._ask(host, port)
            self._remember((host, port), asked)
        return self._checked(host, _texts(await asyncio.shield(asked)))

    async def look_up(self, host: str, port: int) -> Sequence[str]:
        """Return the same, and ask anew.

        Raises:
            OSError: As above.
            NotAllowedError: As above.
        """
        if _is_address(host):
            return self._checked(host, [host])
        return self._checked(host, _texts(await self._ask(host, port)))

    def close(self) -> None:
        """Begin no other lookup; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, host: str, port: int) -> asyncio.Future[Found]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._threads, self._lookup, host, port)

    def _remember(self, place: tuple[str, int], asked: asyncio.Future[Found]) -> None:
        if len(self._asked) >= _REMEMBERED:
            self._asked.clear()
        self._asked[place] = asked

        def forget() -> None:
            if self._asked.get(place) is asked:
                del self._asked[place]

        def found(_: object) -> None:
            if asked.cancelled() or asked.exception() is not None:
                forget()
            else:
                asyncio.get_running_loop().call_later(REMEMBERED_S, forget)

        asked.add_done_callback(found)

    def _checked(self, host: str, found: Sequence[str]) -> Sequence[str]:
        """Return which addresses may be called, those of the two families by turns (RFC 8305 section 4)."""
        checked, refused = list[str](), None
        for address in found:
            try:
                self._guard.check_address(host, ip_address(address))
            except NotAllowedError as error:
                refused = error
            else:
                checked.append(address)
        if not checked:
            raise refused or OSError(socket.EAI_NONAME, "the name has no address")
        return _by_turns(checked)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _texts(found: Found) -> list[str]:
    return [str(address[0]) for _, _, _, _, address in found]


def _by_turns(addresses: Sequence[str]) -> Sequence[str]:
    """Put the two families in turns, that of the first address first."""
    families = (
        [one for one in addresses if ":" in one],
        [one for one in addresses if ":" not in one],
    )
    first = ":" in addresses[0]
    ranked = sorted(
        (place, (":" in one) != first, one)
        for family in families
        for place, one in enumerate(dict.fromkeys(family))
    )
    return [one for _, _, one in ranked]
