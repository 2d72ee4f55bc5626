"""What the gateway asks of a hub's event handlers: the applications that decide about connections and their events.

Guarantee: what is told of one connection is told one after the other, in the order it happened, whatever other
connections wait for.  Each question is answered exactly once, within a bounded time, and never by an exception; what
waits is bounded, and what finds no room is answered with :class:`Trouble`.  A handler may be asked the same twice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from tocsin.model.data_type import DataType


class Client(msgspec.Struct, frozen=True):
    """A connection as its handlers know it; ``subprotocol`` is the one that was agreed on."""

    hub: str
    connection_id: str
    user: str | None = None
    subprotocol: str | None = None


class Opening(msgspec.Struct, frozen=True):
    """A client's wish to connect: its token's claims, and its request without anything secret.

    ``subprotocols`` are those it offers.
    """

    claims: Mapping[str, Sequence[str]]
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, Sequence[str]]
    subprotocols: Sequence[str]


class Welcome(msgspec.Struct, frozen=True):
    """The client may connect; None leaves what the token or the gateway says.  ``groups`` are joined besides."""

    user: str | None = None
    groups: Sequence[str] = ()
    roles: Sequence[str] | None = None
    subprotocol: str | None = None


class Rejection(msgspec.Struct, frozen=True):
    """The handler does not want the client; ``status`` is 400 to 499, ``reason`` what it says to the client."""

    status: int
    reason: str


class UserEvent(msgspec.Struct, frozen=True):
    """What a client tells its application; ``data`` as it is in a message."""

    name: str
    data_type: DataType
    data: bytes
    metadata: Mapping[str, str] = {}


class Reply(msgspec.Struct, frozen=True):
    """The handler took the event; without a ``data_type`` it has nothing to say."""

    data_type: DataType | None = None
    data: bytes = b""


class Trouble(msgspec.Struct, frozen=True):
    """No handler took it; ``reason`` is for the client, the server's log knows more."""

    reason: str


class Dealings(msgspec.Struct, frozen=True, array_like=True):
    """What a connection and its handlers came to, for another process to go on from.

    ``events`` were told so far, ``state`` is what the handlers keep on it, ``cookies`` are their origin, name and value.
    """

    events: int = 0
    state: str = ""
    cookies: tuple[tuple[str, str, str], ...] = ()


Answered = Callable[[Reply | Trouble], None]


class Pending(Protocol):
    """An event that was not answered yet."""

    def cancel(self) -> None:
        """Forget it: it is not answered, and not sent if it still waits."""
        ...


class Line(Protocol):
    """One connection's way to its event handlers."""

    async def connect(self, opening: Opening) -> Welcome | Rejection | Trouble:
        """Ask whether a client may connect; without a handler for it everybody may."""
        ...

    def connected(self, client: Client) -> None:
        """Tell that it is connected, as ``client`` from now on."""
        ...

    def raise_event(self, event: UserEvent, answered: Answered) -> Pending:
        """Tell what the client says; ``answered`` is called later, never from within."""
        ...

    def dealings(self) -> Dealings | None:
        """Return what it came to so far; None while anything is under way, or waits."""
        ...

    def disconnected(self, reason: str) -> None:
        """Tell that the connection has ended for good; nothing follows."""
        ...


class EventHandlers(Protocol):
    """The event handlers of all hubs."""

    def line(self, client: Client, before: Dealings | None = None) -> Line | None:
        """Return a connection's line; None if its hub has no event handlers.

        One that comes from another process goes on from what was ``before``.
        """
        ...
