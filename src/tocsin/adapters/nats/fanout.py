"""The fan-out between nodes, over core NATS: at most once, in no order, and each loss that can be known is told.

Every gateway has one subject, ``DEPLOYMENT.node.ID``.  Who announces looks up who holds the user (``roster.py``) and sends to
these alone; to ``DEPLOYMENT.all`` goes what is for everybody of a hub, and everything while the roster is young.  Listeners of
this process are called at once and without NATS.

What may have been lost is told as trouble, so that anti-entropy looks at once and not with the next beat: a broken line, a
reader that was too slow, a hole in the numbers that each sender gives to each subject, and what the sender itself could not
send, which it says as soon as it can.
"""

import asyncio
import contextlib
import math
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Final

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error, SlowConsumerError

from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.adapters.nats.connection import DEAD_LINE_S, Place, connect, settle
from tocsin.adapters.nats.roster import Holdings, Roster, Said, mark
from tocsin.ports.fanout import Announcement
from tocsin.supervisor import Supervisor

log = structlog.get_logger()

BEAT_S: Final = 5.0
# Longer than a dead line of one's own goes unnoticed: that makes doubt, and must not look as if nobody else were there.
_SILENCE_S: Final = DEAD_LINE_S + 2 * BEAT_S
# Changes of what is held are gathered for so long.
_GATHER_S: Final = 0.02
# After which the others have heard of them, or nothing can be said.
_HEARD_S: Final = 1.0
# Between two looks at everybody: each reads the positions of all who are connected.
_CALM_S: Final = 1.0
# Beyond these announcements are dropped, in the sender and in the reader.
_OUTGOING_BYTES: Final = 8_388_608
_PENDING_MESSAGES: Final = 10_000
_PENDING_BYTES: Final = 33_554_432
# Of one message; servers take 1 MiB unless told otherwise.
_MESSAGE_BYTES: Final = 262_144
_SENDERS: Final = 1_024

Held = tuple[str, str]


class Sent(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """Announcements from one process; ``number`` counts what it sent to this subject, ``lost`` what it could not send."""

    sender: str
    number: int
    announcements: tuple[Announcement, ...] = ()
    lost: bool = False


class Ask(msgspec.Struct, frozen=True, array_like=True, tag="q"):
    """Asks a gateway to tell everything that it holds, with its next beat."""


_encode = msgspec.msgpack.Encoder().encode
_decode_sent = msgspec.msgpack.Decoder(Sent | Ask).decode
_decode_said = msgspec.msgpack.Decoder(Said).decode


class NatsFanout:
    """Announces to the gateways that hold a user, of which this process may be one."""

    def __init__(self, url: str, supervisor: Supervisor, beat_s: float = BEAT_S) -> None:
        """Make it; nothing happens before ``start``.  Gateways tell what they hold every ``beat_s`` seconds."""
        self._place = Place.of(url)
        self._supervisor = supervisor
        self._beat_s = beat_s
        self._here = MemoryFanout()
        self._id = secrets.token_hex(8)
        self._holdings = Holdings(self._id)
        self._roster = Roster(_SILENCE_S)
        self._client: Client | None = None
        self._young_until_s = 0.0
        self._numbers: dict[str, count[int]] = {}
        self._last: dict[tuple[str, str], int] = {}
        self._outgoing: deque[tuple[str, Sent, int]] = deque()
        self._outgoing_bytes = 0
        self._lost: set[str] = set()
        self._unknown: list[Held] = []
        self._wake, self._changed = asyncio.Event(), asyncio.Event()
        self._asked = self._is_gateway = False
        self._trouble: list[Callable[[], None]] = []
        self._known: list[Callable[[Sequence[Held]], None]] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._alarmed_again = False

    # Life

    async def start(self) -> None:
        """Connect, and begin to pass announcements on and to hear those of others.

        Raises:
            ConfigError: No server was reached.
        """
        self._client = await connect(
            self._place,
            "fanout",
            failed=self._failed,
            parted=self._parted,
            returned=self._returned,
            echo=False,
        )
        await self._subscribe("all", self._heard)
        await self._subscribe(f"node.{self._id}", self._heard)
        await self._subscribe("held", self._told)
        await settle(self._client)
        self._grow_young()
        self._supervisor.keep("fanout.sender", self._send_all)
        self._supervisor.keep("fanout.holdings", self._tell_holdings)

    async def close(self) -> None:
        """Say farewell to the others, and end."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._client is not None and not self._client.is_closed:
            if self._is_gateway and self._client.is_connected:
                await self._client.publish(
                    self._subject("held"), _encode(self._holdings.farewell())
                )
            await self._client.close()

    # Announcing

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Call the listeners here, and pass on to the gateways that hold the users."""
        self._here.announce(announcements)
        by_subject: dict[str, list[Announcement]] = {}
        for one in announcements:
            for subject in self._subjects(one):
                by_subject.setdefault(subject, []).append(one)
        for subject, some in by_subject.items():
            for part in _parts(some):
                self._pass_on(subject, tuple(part))

    def _subjects(self, one: Announcement) -> Iterable[str]:
        if one.user is None or self._is_young():
            return ("all",)
        return (f"node.{name}" for name in self._roster.holders(mark(one.hub, one.user)))

    def _pass_on(self, subject: str, announcements: tuple[Announcement, ...]) -> None:
        """Put a message on its way; one for which there is no room, or no line, is dropped and counted as lost."""
        size = sum(len(one.body) for one in announcements)
        fits = size <= self._most_bytes() and self._outgoing_bytes + size <= _OUTGOING_BYTES
        number = next(self._numbers.setdefault(subject, count(1)))
        if not (fits and self._is_connected()):
            self._lost.add(subject)
        else:
            self._outgoing.append((subject, Sent(self._id, number, announcements), size))
            self._outgoing_bytes += size
        self._wake.set()

    async def _send_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing and self._is_connected():
                subject, message, size = self._outgoing.popleft()
                self._outgoing_bytes -= size
                await self._publish(subject, message)
            while self._lost and not self._outgoing and self._is_connected():
                subject = self._lost.pop()
                number = next(self._numbers.setdefault(subject, count(1)))
                await self._publish(subject, Sent(self._id, number, lost=True))

    async def _publish(self, subject: str, message: Sent | Said | Ask) -> None:
        if self._client is None:
            return
        try:
            await self._client.publish(self._subject(subject), _encode(message))
        except (Error, OSError) as error:
            log.warning("fanout.not_sent", reason=str(error) or type(error).__name__)
            self._lost.add("all")

    # Hearing

    def listen(
        self,
        heard: Callable[[Sequence[Announcement]], None],
        trouble: Callable[[], None],
        known: Callable[[Sequence[Held]], None] | None = None,
    ) -> None:
        """Add a listener."""
        self._here.listen(heard, trouble)
        self._trouble.append(trouble)
        if known is not None:
            self._known.append(known)

    async def _heard(self, message: Msg) -> None:
        sent = _decode_sent(message.data)
        if isinstance(sent, Ask):
            self._asked = True
            return
        if sent.announcements:
            self._here.announce(sent.announcements)
        line = (sent.sender, message.subject)
        last = self._last.pop(line, None)
        self._last[line] = sent.number
        while len(self._last) > _SENDERS:
            del self._last[next(iter(self._last))]
        if sent.lost or (last is not None and sent.number > last + 1):
            self._alarm_soon()

    def _alarm_soon(self) -> None:
        """Tell of trouble: at once, or where that was done a moment ago, once more after a while."""
        if self._alarm is not None:
            self._alarmed_again = True
            return
        self._alarmed_again = False
        log.warning("fanout.trouble")
        for trouble in self._trouble:
            trouble()
        self._alarm = asyncio.get_running_loop().call_later(_CALM_S, self._calm)

    def _calm(self) -> None:
        self._alarm = None
        if self._alarmed_again:
            self._alarm_soon()

    # Who holds whom

    def hold(self, hub: str, user: str) -> None:
        """Tell the others to send what is announced for a user here."""
        self._is_gateway = True
        if self._holdings.add(mark(hub, user)):
            self._unknown.append((hub, user))
            self._changed.set()

    def let_go(self, hub: str, user: str) -> None:
        """Tell the others that nobody here is the user any more."""
        self._holdings.drop(mark(hub, user))
        self._changed.set()

    def may_be_elsewhere(self, hub: str, user: str) -> bool:
        """Tell whether another gateway holds a user, or may."""
        return self._is_young() or any(self._roster.holders(mark(hub, user)))

    async def _tell_holdings(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._beat_s):
                    await self._changed.wait()
            await asyncio.sleep(_GATHER_S)
            self._changed.clear()
            self._roster.forget_silent(self._now_s())
            if self._is_gateway and self._is_connected():
                await self._tell()

    async def _tell(self) -> None:
        said = self._holdings.whole() if self._asked else self._holdings.changes()
        self._asked = False
        for part in said:
            await self._publish("held", part)
        users, self._unknown = self._unknown, []
        if users:
            asyncio.get_running_loop().call_later(_HEARD_S, self._now_known, users)

    def _now_known(self, users: Sequence[Held]) -> None:
        for known in self._known:
            known(users)

    async def _told(self, message: Msg) -> None:
        said = _decode_said(message.data)
        if self._roster.hear(said, self._now_s()):
            await self._publish(f"node.{said.gateway}", Ask())

    # The line

    async def _subscribe(self, subject: str, heard: Callable[[Msg], object]) -> None:
        assert self._client is not None  # noqa: S101 -- start has made it
        await self._client.subscribe(
            self._subject(subject),
            cb=heard,  # type: ignore[arg-type]
            pending_msgs_limit=_PENDING_MESSAGES,
            pending_bytes_limit=_PENDING_BYTES,
        )

    async def _failed(self, error: Exception) -> None:
        log.warning("fanout.failed", reason=str(error) or type(error).__name__)
        if isinstance(error, SlowConsumerError):
            self._grow_young()
            self._alarm_soon()

    async def _parted(self) -> None:
        log.warning("fanout.parted")
        self._young_until_s = math.inf  # until it has returned
        self._lost |= {"all"} | {subject for subject, _, _ in self._outgoing}
        self._outgoing.clear()
        self._outgoing_bytes = 0

    async def _returned(self) -> None:
        log.info("fanout.returned")
        self._grow_young()
        self._asked = True
        self._changed.set()
        self._wake.set()
        self._alarm_soon()

    def _grow_young(self) -> None:
        """Know nothing of the others for two beats, in which everything goes to everybody."""
        self._roster.doubt()
        self._young_until_s = self._now_s() + 2 * self._beat_s

    def _is_young(self) -> bool:
        return not self._is_connected() or self._now_s() < self._young_until_s

    def _is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    def _most_bytes(self) -> int:
        # What else a message has beside the bodies is small.
        return self._client.max_payload * 3 // 4 if self._client is not None else 0

    def _subject(self, name: str) -> str:
        return f"{self._place.deployment}.{name}"

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _parts(announcements: Iterable[Announcement]) -> list[list[Announcement]]:
    """Split announcements into messages of bounded size; one that is larger goes alone."""
    parts: list[list[Announcement]] = []
    room = 0
    for one in announcements:
        size = len(one.body)
        if not parts or size > room:
            parts.append([])
            room = _MESSAGE_BYTES
        parts[-1].append(one)
        room -= size
    return parts
