"""Messages to the connections of a group, a user, a hub, or to one of them.

Few get theirs within this turn of the loop, many in slices (:mod:`tocsin.realtime.writer`).  What is sent to the same
sessions keeps its order.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Final

import msgspec

from tocsin.realtime.hub import Hubs
from tocsin.realtime.message import Message
from tocsin.realtime.session import Session
from tocsin.realtime.writer import Writer

Where = Callable[[Session], bool]
# So many sessions get a message within one turn.
_FEW: Final = 64


class OthersThan(msgspec.Struct, frozen=True):
    """Picks everybody but the sender, who wants no echo; equal for the same sender."""

    sender: Session

    def __call__(self, session: Session) -> bool:
        """Tell whether ``session`` is another."""
        return session is not self.sender


class Post:
    """Sends; who is not connected gets nothing, and dropped connections get theirs when they recover."""

    def __init__(self, hubs: Hubs, writer: Writer) -> None:
        self._hubs = hubs
        self._writer = writer

    def to_group(self, hub: str, group: str, message: Message, where: Where | None = None) -> None:
        """Send to the members of a group, as they are when their slice is written; ``where`` picks among them."""
        self._send(("group", hub, group), lambda: self._hubs.of_group(hub, group), message, where)

    def to_user(self, hub: str, user: str, message: Message, where: Where | None = None) -> None:
        """Send to the connections of a user."""
        sessions = _connections(self._hubs.of_user(hub, user))
        self._send(("user", hub, user), lambda: sessions, message, where)

    def to_all(self, hub: str, message: Message, where: Where | None = None) -> None:
        """Send to every connection of a hub."""
        self._send(("all", hub), lambda: _connections(self._hubs.of_hub(hub)), message, where)

    def to_watchers(
        self, hub: str, group: str, watchers: Iterable[Session], message: Message
    ) -> None:
        """Send to those who watch a group's states, as they are when their slice is written."""
        self._send(("watchers", hub, group), lambda: list(watchers), message, None)

    def to_connection(self, session: Session, message: Message) -> None:
        """Send to one connection."""
        self._send(None, lambda: (session,), message, None)

    def _send(
        self,
        name: Hashable | None,
        audience: Callable[[], Sequence[Session]],
        message: Message,
        where: Where | None,
    ) -> None:
        sessions = audience()
        if len(sessions) > _FEW or self._writer.is_spreading:
            # What goes to the same people by an equal filter is written together.
            joined = None if name is None else (name, where)
            self._writer.spread(joined, audience, message, where)
        else:
            self._writer.send(sessions if where is None else filter(where, sessions), message)


def _connections(sessions: Sequence[Session]) -> list[Session]:
    return [session for session in sessions if session.is_connection]
