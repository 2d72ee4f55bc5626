"""What the server sends to clients, encoded once per codec however many get it; no I/O."""

import math
from typing import Final, Protocol

from tocsin.model import data_type as content

DataType = content.DataType
NEVER_S: Final = math.inf


class Writing(Protocol):
    """How data messages look on the wire."""

    def start(self, message: "Message", tail_bytes: int) -> bytes:
        """Return a message's WebSocket frame up to its tail, which has ``tail_bytes``."""
        ...

    def tail(self, sequence_id: int | None) -> bytes:
        """Return the end of the frame, which is all that differs between connections."""
        ...


class Message:
    """One data message, shared by all who get it.

    ``data`` is the content as it was given: JSON text for ``json``, UTF-8 for ``text``, the bytes themselves for
    ``binary``, a packed ``google.protobuf.Any`` for ``protobuf``.  ``group`` is the group it was sent to, None if it
    comes from the server; ``sender`` the user who sent it, if that was a client with a name.  After ``expires_s`` (of the
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
    ) -> None:
        self.data = data
        self.data_type = data_type
        self.group = group
        self.sender = sender
        self.metadata = metadata
        self.alert_ids = alert_ids
        self.expires_s = expires_s
        self.size = max(1, len(data))
        if metadata:
            self.size += sum(len(key) + len(value) for key, value in metadata.items())
        self._starts: dict[tuple[Writing, int], bytes] = {}

    def start(self, writing: Writing, tail_bytes: int) -> bytes:
        """Return the frame up to its tail, built at the first call."""
        key = (writing, tail_bytes)
        start = self._starts.get(key)
        if start is None:
            start = self._starts[key] = writing.start(self, tail_bytes)
        return start
