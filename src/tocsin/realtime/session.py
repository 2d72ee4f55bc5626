"""One client as the protocol sees it: its identity, its messages under way, and how far its inbox was told.

A session outlives its socket: a reliable one waits for the recovery window with nothing attached, and goes on with the
next socket.  Tens of thousands of these exist, so it holds no task, no timer and no container it does not need.
"""

from typing import Final, Protocol

from tocsin.realtime.dialects import EVENT_STREAM, Dialect
from tocsin.realtime.outbox import Outbox
from tocsin.realtime.rights import NO_RIGHTS, Action, Rights
from tocsin.realtime.sink import Sink
from tocsin.realtime.talk import Talk

_NO_GROUPS: Final[frozenset[str]] = frozenset()
# As many as Microsoft's emulator keeps.
_REMEMBERED: Final = 1000


class Socket(Protocol):
    """The attached transport's side of a session."""

    def flush(self) -> None:
        """Write what waits in the outbox, as far as the transport takes it."""
        ...

    def write_rest(self, data: bytes) -> None:
        """Look after bytes that the session's sink did not take; nothing may overtake them."""
        ...

    def answer(self, frame: bytes) -> None:
        """Keep a frame that is written with the next flush, after the messages."""
        ...

    def close(self, code: int, reason: str) -> None:
        """End socket and session with a close frame."""
        ...

    def abort(self) -> None:
        """End the socket at once, without a word; the session is not told."""
        ...


class Session(Outbox):
    """The state of one connection, its outbox included.

    ``sink`` takes frames to the client, and is None while nothing may be written: without a socket, while the
    peer does not read, and once closing has begun.  ``epoch``, ``rev`` and ``brev`` are the position last sent on it, ``head_at_s``
    when its last head was; ``dirty`` is the writer's.  ``device`` is the installation the client named, or the
    connection, ``signer`` the key that signed the token it came with, ``ask_token_us`` when to ask for another, 0 for never.  ``brings_alerts``: a message that brought alerts waits for its acknowledgement, perhaps.  ``inbox`` sessions are those that get inbox frames.  ``groups`` are joined, ``rights`` is what it may do with them.
    ``speaks_to`` is the group that all of a plain client's frames go to, None if they are events.
    ``talk`` is with its event handlers, None if it has none.
    """

    __slots__ = (
        "_done",
        "ask_token_us",
        "brev",
        "brings_alerts",
        "device",
        "dialect",
        "dirty",
        "ended",
        "epoch",
        "expires_us",
        "groups",
        "head_at_s",
        "hub",
        "id",
        "inbox",
        "rev",
        "rights",
        "signer",
        "sink",
        "socket",
        "speaks_to",
        "talk",
        "user",
    )

    def __init__(
        self,
        connection_id: str,
        *,
        hub: str,
        user: str | None,
        dialect: Dialect,
        inbox: bool = False,
        expires_us: int = 0,
        device: str | None = None,
        rights: Rights = NO_RIGHTS,
    ) -> None:
        super().__init__(reliable=dialect.reliable)
        self.place = dialect.place
        self.id = connection_id
        self.hub = hub
        self.user = user
        self.dialect = dialect
        self.inbox = inbox
        self.expires_us = expires_us
        self.device = device or connection_id
        self.brings_alerts = False
        self.groups: frozenset[str] = _NO_GROUPS
        self.rights = rights
        self.signer: str | None = None
        self.speaks_to: str | None = None
        self.talk: Talk | None = None
        self.ask_token_us = 0
        self._done: dict[int, None] | None = None
        self.socket: Socket | None = None
        self.sink: Sink | None = None
        self.dirty = False
        self.ended = False
        self.epoch = ""
        self.rev = -1
        self.brev = -1
        self.head_at_s = 0.0

    @property
    def is_connection(self) -> bool:
        """Whether it speaks Web PubSub; an event stream hears of its inbox and of nothing else."""
        return self.dialect is not EVENT_STREAM

    def grant(self, action: Action, group: str) -> bool:
        """Let the client do something with a group; False if it has too many grants."""
        if self.rights is NO_RIGHTS:
            self.rights = Rights()
        return self.rights.grant(action, group)

    def withdraw_grant(self, action: Action, group: str) -> None:
        """Take a grant for a group back; membership stays."""
        if self.rights is not NO_RIGHTS:
            self.rights.revoke(action, group)

    def has_done(self, ack_id: int) -> bool:
        """Whether the request with this ack id succeeded, as far as is remembered."""
        return self._done is not None and ack_id in self._done

    def remember(self, ack_id: int) -> None:
        """Keep an ack id, so that its repeat is told as one; the oldest of 1000 is forgotten."""
        done = self._done
        if done is None:
            done = self._done = {}
        done[ack_id] = None
        if len(done) > _REMEMBERED:
            del done[next(iter(done))]

    def done(self) -> tuple[int, ...]:
        """Return the ack ids of requests that succeeded, as far as they are remembered, oldest first."""
        return () if self._done is None else tuple(self._done)

    def detach(self) -> Socket | None:
        """Take the socket away and return it."""
        socket, self.socket, self.sink = self.socket, None, None
        return socket
