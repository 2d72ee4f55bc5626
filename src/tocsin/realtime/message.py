"""What the server sends to clients, encoded once per codec however many get it; no I/O."""

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from tocsin.model import data_type as content

DataType = content.DataType
NEVER_S: Final = math.inf
_ITEM_BYTES: Final = 64  # of a state's connection, user and time


class StreamFault(NamedTuple):
    """Why a stream ended before its time; ``code`` is an application's own, and may be empty."""

    name: str
    message: str
    code: str = ""


class StreamMark(NamedTuple):
    """Which part of a stream a message is, from 1; the one that ends it has the next number, and no data."""

    stream_id: str
    number: int
    ended: bool = False
    fault: StreamFault | None = None


class StateItem(NamedTuple):
    """What one connection says of itself in a group, and since when (Unix time, ms); None: nothing any more."""

    connection_id: str
    user: str | None
    state: Mapping[str, str] | None
    updated_ms: int


class States(NamedTuple):
    """What members of a group say of themselves: all of them (``whole``), or who changed it."""

    items: Sequence[StateItem]
    whole: bool


def size_of(entries: Mapping[str, str]) -> int:
    """Return how many characters are in a map of strings."""
    return sum(len(key) + len(value) for key, value in entries.items())


class Writing(Protocol):
    """How data messages look on the wire."""

    def start(self, message: "Message", tail_bytes: int) -> bytes:
        """Return a message's WebSocket frame up to its tail, which has ``tail_bytes``."""
        ...

    def tail(self, message: "Message", sequence_id: int | None) -> bytes:
        """Return the end of the frame, which is all that differs between connections."""
        ...


class Message:
    """One data message, shared by all who get it.

    ``data`` is the content as it was given: JSON text for ``json``, UTF-8 for ``text``, the bytes themselves for
    ``binary``, a packed ``google.protobuf.Any`` for ``protobuf``.  ``group`` is the group it was sent to, None if it
    comes from the server; ``sender`` the user who sent it, if that was a client with a name.  ``stream`` is there if it is
    part of a stream; with ``states`` it tells these instead of data.  After ``expires_s`` (of the
    monotonic clock) it is not written any more.  ``alert_ids`` are the alerts it brings.  ``size`` is what it counts for
    in every bound, in bytes; never 0, since what waits is known by its bytes.
    """

    __slots__ = (
        "_starts",
        "alert_ids",
        "data",
        "data_type",
        "expires_s",
        "group",
        "metadata",
        "sender",
        "size",
        "states",
        "stream",
    )

    def __init__(
        self,
        data: bytes,
        alert_ids: tuple[str, ...] = (),
        *,
        data_type: DataType = "json",
        group: str | None = None,
        sender: str | None = None,
        metadata: dict[str, str] | None = None,
        expires_s: float = NEVER_S,
        stream: StreamMark | None = None,
    ) -> None:
        self.data = data
        self.data_type = data_type
        self.group = group
        self.sender = sender
        self.metadata = metadata
        self.alert_ids = alert_ids
        self.expires_s = expires_s
        self.stream = stream
        self.states: States | None = None
        self.size = max(1, len(data))
        if metadata:
            self.size += size_of(metadata)
        self._starts: dict[tuple[Writing, int], bytes] = {}

    @classmethod
    def telling(cls, states: States, group: str) -> "Message":
        """Make a message that tells what members of a group say of themselves."""
        message = cls(b"", group=group)
        message.states = states
        message.size = sum(_ITEM_BYTES + size_of(item.state or {}) for item in states.items) or 1
        return message

    def start(self, writing: Writing, tail_bytes: int) -> bytes:
        """Return the frame up to its tail, built at the first call."""
        key = (writing, tail_bytes)
        start = self._starts.get(key)
        if start is None:
            start = self._starts[key] = writing.start(self, tail_bytes)
        return start
