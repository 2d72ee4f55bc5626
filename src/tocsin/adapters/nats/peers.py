"""The gateways of a deployment, over core NATS: each knows the others, tells them and asks them.

A gateway ``ID`` hears ``DEPLOYMENT.gateway.ID.*``, whose last token is the sender: one subject, so what one sends to another
keeps its order.  ``DEPLOYMENT.gateways`` is where they say that they are there: at the start, every beat, and when they go.

One that has been silent for three beats is forgotten.  One that died is known at once: the reply subject of each message is
the receiver's own place, and there NATS says when nobody has the subject any more.  For a beat after a broken line that means
nothing: the others may not be back yet.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Final

import msgspec
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from tocsin.adapters.nats.connection import Place, connect, settle
from tocsin.adapters.nats.parts import PART_BYTES, Joiner, Kind, Part, decode, parts
from tocsin.errors import OverloadedError, UnavailableError
from tocsin.ports.peers import Answers, Word
from tocsin.supervisor import Supervisor

log = structlog.get_logger()

BEAT_S: Final = 5.0
ANSWER_S: Final = 5.0
_BEATS_OF_SILENCE: Final = 3
MEET_S: Final = 0.3
# Beyond it nothing more is told or asked.
_OUTGOING_BYTES: Final = 33_554_432
# Beyond these NATS' client drops what came in.
_PENDING_MESSAGES: Final = 65_536
_PENDING_BYTES: Final = 134_217_728
# Of a message, beside what it carries.
_OVERHEAD_BYTES: Final = 256
_NO_RESPONDERS: Final = "503"


class Presence(msgspec.Struct, frozen=True, array_like=True):
    """Somebody says that it is a gateway, or (not ``serves``) that it is none any more; ``asks`` who else is there."""

    gateway: str
    serves: bool
    asks: bool = False


class _Question:
    """What was asked, and who has still to answer."""

    __slots__ = ("answered", "deadline", "given", "missing", "waits_for")

    def __init__(self, waits_for: set[str], answered: asyncio.Future[Answers]) -> None:
        self.waits_for = waits_for
        self.given: list[bytes] = []
        self.missing = 0
        self.answered = answered
        self.deadline: asyncio.TimerHandle | None = None

    def end(self) -> None:
        """Answer with what there is; who has not answered is missing."""
        if self.deadline is not None:
            self.deadline.cancel()
        if not self.answered.done():
            missing = self.missing + len(self.waits_for)
            self.answered.set_result(Answers(tuple(self.given), missing))


_encode = msgspec.msgpack.Encoder().encode
_decode_presence = msgspec.msgpack.Decoder(Presence).decode


class NatsPeers:
    """Tells and asks the gateways of other processes."""

    def __init__(
        self,
        url: str,
        supervisor: Supervisor,
        *,
        beat_s: float = BEAT_S,
        answer_s: float = ANSWER_S,
        meet_s: float = MEET_S,
    ) -> None:
        """Make it; nothing happens before ``start``.

        Args:
            url: Of the NATS servers and the deployment.
            supervisor: Runs what goes on.
            beat_s: How often it says that it is there.
            answer_s: How long those who are asked have.
            meet_s: How long those who are there have to say so when it starts.
        """
        self._place = Place.of(url)
        self._supervisor = supervisor
        self._beat_s = beat_s
        self._answer_s = answer_s
        self._meet_s = meet_s
        self._id = secrets.token_hex(8)
        self._client: Client | None = None
        self._others: dict[str, float] = {}
        self._joiners: dict[str, Joiner] = {}
        self._told: dict[str, int] = {self._id: 0}
        self._numbers = count(1)
        self._questions: dict[int, _Question] = {}
        self._outgoing: deque[tuple[str, bytes]] = deque()
        self._outgoing_bytes = 0
        self._wake = asyncio.Event()
        self._returned_s = -beat_s
        self._hears = True
        self._part_bytes = PART_BYTES
        self._heard: Callable[[Word], None] | None = None
        self._asked: Callable[[bytes], Awaitable[bytes]] | None = None

    # Life

    async def start(self) -> None:
        """Connect, and get to know the gateways that there are.

        Raises:
            ConfigError: No server was reached.
        """
        self._client = await connect(
            self._place,
            "gateway",
            failed=self._failed,
            parted=self._parted,
            returned=self._returned,
            echo=False,
        )
        await self._subscribe("gateways", self._presence)
        await self._subscribe(f"gateway.{self._id}.*", self._arrived)
        await settle(self._client)
        self._part_bytes = min(PART_BYTES, self._client.max_payload - _OVERHEAD_BYTES)
        await self._say(serves=False, asks=True)
        await asyncio.sleep(self._meet_s)
        self._supervisor.keep("peers.sender", self._send_all)

    def serve(
        self, heard: Callable[[Word], None], asked: Callable[[bytes], Awaitable[bytes]]
    ) -> None:
        """Be a gateway: say so, and go on saying it."""
        self._heard, self._asked = heard, asked
        self._supervisor.keep("peers.beat", self._beat)

    async def close(self) -> None:
        """Say farewell to the others, and end."""
        if self._client is not None and not self._client.is_closed:
            if self._heard is not None and self._client.is_connected:
                await self._say(serves=False)
            await self._client.close()

    # Telling and asking

    @property
    def has_others(self) -> bool:
        """Whether any other gateway is known."""
        return bool(self._others)

    def tell(self, body: bytes) -> Word:
        """Put a word on its way to every other gateway, and return it."""
        self._need_room(body)
        number = self._told[self._id] = self._told[self._id] + 1
        self._put("tell", number, body, self._others)
        return Word(self._id, number, body)

    def ask(self, body: bytes) -> Awaitable[Answers]:
        """Put a question on its way to every other gateway."""
        self._need_room(body)
        loop = asyncio.get_running_loop()
        number = next(self._numbers)
        question = _Question(set(self._others), loop.create_future())
        question.answered.add_done_callback(lambda _: self._questions.pop(number, None))
        if question.waits_for:
            question.deadline = loop.call_later(self._answer_s, question.end)
            self._questions[number] = question
            self._put("ask", number, body, self._others)
        else:
            question.end()
        return question.answered

    def told(self) -> Mapping[str, int]:
        """Return the number of the last word of each gateway."""
        return dict(self._told)

    def _need_room(self, body: bytes) -> None:
        if self._client is None or not self._client.is_connected:
            detail = "this gateway has no line to the others (NATS is away); try again later"
            raise UnavailableError(detail, code="gateways-unreachable")
        if self._outgoing and self._outgoing_bytes + len(body) > _OUTGOING_BYTES:
            detail = f"{self._outgoing_bytes} bytes wait to be sent to other gateways; try again"
            raise OverloadedError(detail, code="gateways-busy")

    def _put(self, kind: Kind, number: int, body: bytes, to: Mapping[str, object]) -> None:
        for data in parts(kind, number, body, self._part_bytes):
            for gateway in to:
                self._outgoing.append((gateway, data))
                self._outgoing_bytes += len(data)
        self._wake.set()

    async def _send_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outgoing:
                gateway, data = self._outgoing.popleft()
                self._outgoing_bytes -= len(data)
                await self._send(gateway, data)

    async def _send(self, gateway: str, data: bytes) -> None:
        if self._client is None:
            return
        bounce = self._subject(f"gateway.{self._id}.{gateway}")
        try:
            to = self._subject(f"gateway.{gateway}.{self._id}")
            await self._client.publish(to, data, reply=bounce)
        except (Error, OSError) as error:
            log.warning("peers.not_sent", reason=str(error) or type(error).__name__)

    # Hearing and answering

    async def _arrived(self, message: Msg) -> None:
        sender = message.subject.rpartition(".")[2]
        if message.headers is not None and message.headers.get("Status") == _NO_RESPONDERS:
            self._bounced(sender)
            return
        self._is_here(sender)
        part = self._joiners.setdefault(sender, Joiner()).take(decode(message.data))
        if part is not None:
            self._take(sender, part)

    def _take(self, sender: str, part: Part) -> None:
        match part.kind:
            case "tell":
                self._hear(Word(sender, part.number, part.body))
            case "ask":
                self._supervisor.start("peers.answer", self._answer(sender, part))
            case "answer" | "failed":
                self._answered(sender, part)
            case "here":
                pass

    def _hear(self, word: Word) -> None:
        last = self._told.get(word.teller)
        if last is not None and word.number > last + 1:
            log.warning("peers.lost", words=word.number - last - 1)
        self._told[word.teller] = word.number
        if self._heard is not None:
            self._heard(word)

    async def _answer(self, asker: str, question: Part) -> None:
        kind: Kind = "failed"
        body = b""
        try:
            if self._asked is not None:
                body, kind = await self._asked(question.body), "answer"
        finally:
            self._put(kind, question.number, body, {asker: None})

    def _answered(self, sender: str, part: Part) -> None:
        question = self._questions.get(part.number)
        if question is None or sender not in question.waits_for:
            return
        question.waits_for.discard(sender)
        if part.kind == "answer":
            question.given.append(part.body)
        else:
            question.missing += 1
        if not question.waits_for:
            question.end()

    # Who is there

    async def _beat(self) -> None:
        while True:
            if self._client is not None and self._client.is_connected:
                await self._say(serves=True)
                self._forget_silent()
            await asyncio.sleep(self._beat_s)

    async def _say(self, *, serves: bool, asks: bool = False) -> None:
        if self._client is not None:
            said = Presence(self._id, serves, asks)
            await self._client.publish(self._subject("gateways"), _encode(said))

    async def _presence(self, message: Msg) -> None:
        said = _decode_presence(message.data)
        if said.serves:
            self._is_here(said.gateway)
        elif not said.asks:
            self._forget(said.gateway)
        if said.asks and self._heard is not None:
            self._put("here", 0, b"", {said.gateway: None})

    def _is_here(self, gateway: str) -> None:
        if gateway not in self._others:
            log.info("peers.came", gateway=gateway)
        self._others[gateway] = self._now_s()

    def _bounced(self, gateway: str) -> None:
        """Take note that NATS knows a gateway no more; soon after a broken line it may only not be back yet."""
        if self._now_s() - self._returned_s > self._beat_s:
            self._forget(gateway)

    def _forget_silent(self) -> None:
        if not self._hears:  # the line may be back, and they were not asked yet
            return
        silent_s = _BEATS_OF_SILENCE * self._beat_s
        for gateway, heard_s in list(self._others.items()):
            if self._now_s() - heard_s > silent_s:
                self._forget(gateway)

    def _forget(self, gateway: str) -> None:
        """Forget a gateway that has gone, and its connections with it: nobody waits for its answers."""
        if self._others.pop(gateway, None) is not None:
            log.info("peers.gone", gateway=gateway)
        self._joiners.pop(gateway, None)
        self._told.pop(gateway, None)
        for question in list(self._questions.values()):
            question.waits_for.discard(gateway)
            if not question.waits_for:
                question.end()

    # The line

    async def _subscribe(self, subject: str, heard: Callable[[Msg], Awaitable[None]]) -> None:
        assert self._client is not None  # noqa: S101 -- start has made it
        await self._client.subscribe(
            self._subject(subject),
            cb=heard,
            pending_msgs_limit=_PENDING_MESSAGES,
            pending_bytes_limit=_PENDING_BYTES,
        )

    async def _failed(self, error: Exception) -> None:
        log.warning("peers.failed", reason=str(error) or type(error).__name__)

    async def _parted(self) -> None:
        log.warning("peers.parted", unsent=len(self._outgoing))
        self._hears = False
        self._outgoing.clear()
        self._outgoing_bytes = 0
        for question in list(self._questions.values()):
            question.end()

    async def _returned(self) -> None:
        log.info("peers.returned")
        self._returned_s = self._now_s()
        # Nobody could be heard meanwhile.
        self._others = dict.fromkeys(self._others, self._returned_s)
        self._hears = True
        await self._say(serves=self._heard is not None, asks=True)

    def _subject(self, name: str) -> str:
        return f"{self._place.deployment}.{name}"

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()
