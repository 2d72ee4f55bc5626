"""A transport, a clock and a store that are turned by hand."""

from collections.abc import Callable, Sequence
from typing import Any

from tocsin.errors import OverloadedError, UnavailableError
from tocsin.model.position import Position
from tocsin.model.receipt import Told
from tocsin.ports.event_handlers import Client, Dealings, Line
from tocsin.realtime.dialects import JSON, Dialect
from tocsin.realtime.rights import NO_RIGHTS, Rights
from tocsin.realtime.session import Session


class FakeTransport:
    """Records what is written; with ``blocked`` it takes nothing more until it is told to."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.blocked = False
        self.protocol: Any = None
        self.is_aborted = False
        self.is_closed = False

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 0

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> Any:
        """Tell that there is neither a socket nor encryption."""

    def write(self, data: bytes) -> None:
        assert not self.is_aborted
        self.writes.append(data)
        if self.blocked:
            self.protocol.pause_writing()

    def take_all(self) -> None:
        """The peer has read everything."""
        self.blocked = False
        self.protocol.resume_writing()

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True


class Notes:
    """Takes receipts and keeps them to look at; with ``full`` it takes none."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.full = False

    def keeps(self, hub: str, fact: str) -> bool:
        return hub != "keeps-nothing"

    def record(self, told: Sequence[Told]) -> None:
        self.told += told

    async def note(self, told: Sequence[Told]) -> None:
        if self.full:
            raise OverloadedError("full")
        self.told += told


class NoHandlers:
    """No hub has event handlers."""

    def line(self, client: Client, before: Dealings | None = None) -> Line | None:
        return None


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.s = 1000.0

    def now_us(self) -> int:
        return int(self.s * 1_000_000)

    def monotonic_s(self) -> float:
        return self.s


class Turns:
    """The event loop's ``call_soon``, one turn at a time."""

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], None]] = []

    def __call__(self, callback: Callable[[], None]) -> None:
        self.callbacks.append(callback)

    def run_one(self) -> None:
        callbacks, self.callbacks = self.callbacks, []
        for callback in callbacks:
            callback()

    def run_all(self) -> int:
        count = 0
        while self.callbacks:
            self.run_one()
            count += 1
        return count


class FakeStore:
    """Positions by user; ``failures`` are raised first, one per read; ``refused`` users get no inbox."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], Position] = {}
        self.reads: list[tuple[str, list[str]]] = []
        self.first_contacts: list[str] = []
        self.failures: list[Exception] = []
        self.refused: set[str] = set()
        self.during_read: Callable[[], None] | None = None

    async def positions(self, hub: str, users: Sequence[str]) -> dict[str, Position]:
        self.reads.append((hub, list(users)))
        if self.failures:
            raise self.failures.pop(0)
        if self.during_read is not None:
            once, self.during_read = self.during_read, None
            once()
        return {user: self.of[hub, user] for user in users if (hub, user) in self.of}

    async def first_contact(self, hub: str, user: str) -> None:
        self.first_contacts.append(user)
        if user in self.refused:
            raise UnavailableError("no")
        self.of[hub, user] = Position("e", 0, 0)


def payloads(wire: bytes) -> list[bytes]:
    """Return what is in the server's frames."""
    found = []
    while wire:
        size, start = wire[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(wire[2:start])
        found.append(wire[start : start + size])
        wire = wire[start + size :]
    return found


class FakeSocket:
    """The socket side of a session: writes what waits, or nothing while ``stuck``."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.writes: list[bytes] = []
        self.stuck = False
        self.closed: tuple[int, str] | None = None
        session.socket = self
        session.sink = self

    def get_stuck(self) -> None:
        self.stuck = True
        self.session.sink = None

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def flush(self) -> None:
        while self.session.waiting and not self.stuck:
            messages, first = self.session.take(1000)
            self.write(self.session.dialect.encode(messages, first))

    def write_rest(self, data: bytes) -> None:
        self.writes.append(data)

    def answer(self, frame: bytes) -> None:
        self.writes.append(frame)

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)
        self.session.detach()
        self.session.ended = True

    def abort(self) -> None:
        self.closed = (1006, "")


def session(
    user: str = "u",
    *,
    dialect: Dialect = JSON,
    hub: str = "h",
    inbox: bool = True,
    rights: Rights = NO_RIGHTS,
    speaks_to: str | None = None,
) -> Session:
    """Make a session whose id is its user's name."""
    made = Session(f"c-{user}", hub=hub, user=user, dialect=dialect, inbox=inbox, rights=rights)
    made.speaks_to = speaks_to
    return made
