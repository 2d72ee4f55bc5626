"""Sends, deeds and questions about connections, whichever gateway holds them.

What goes to connections goes to those of this gateway and, as one word, to every other gateway, which writes it to its own.
What is to be done or found out is asked of all of them, and their answers are put together.  Without other gateways nothing of this costs
anything.

A word may be lost on its way (``ports/peers.py``).  A deed that not every gateway has answered for is an error, after it was
done wherever it could be; each of them may be repeated.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from heapq import nsmallest
from itertools import chain
from typing import Final

from tocsin.errors import OverloadedError, UnavailableError
from tocsin.ports.peers import Answers, Peers, Word
from tocsin.realtime.carried import Carried
from tocsin.realtime.errands import (
    Asked,
    Errand,
    Find,
    Give,
    Listed,
    Listing,
    Outcome,
    Sending,
    Whom,
    decode_listed,
    decode_outcome,
    decode_question,
    decode_word,
    encode,
)
from tocsin.realtime.here import Here
from tocsin.realtime.message import Message
from tocsin.realtime.post import Where
from tocsin.realtime.request import AckError
from tocsin.realtime.session import Session

_RECORDED_BYTES: Final = 16_777_216
_WORD_BYTES: Final = 128  # beside its body


class Recording:
    """Words that were told while a connection is fetched; beyond a bound it is full, and worth nothing."""

    __slots__ = ("_size", "is_full", "words")

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.is_full = False
        self._size = 0

    def take(self, word: Word) -> None:
        """Keep a word."""
        self._size += len(word.body) + _WORD_BYTES
        self.is_full = self.is_full or self._size > _RECORDED_BYTES
        if not self.is_full:
            self.words.append(word)


class Everywhere:
    """The connections of all gateways."""

    def __init__(self, here: Here, peers: Peers, now_s: Callable[[], float]) -> None:
        self._here = here
        self._peers = peers
        self._now_s = now_s
        self._recordings: list[Recording] = []
        self._give: Callable[[Give], Awaitable[bytes]] = _nothing
        self._was_asked: Callable[[Asked], None] = _forget

    def start(self, give: Callable[[Give], Awaitable[bytes]]) -> None:
        """Begin to hear the other gateways, and to answer them; ``give`` is called for connections that they ask for."""
        self._give = give
        self._peers.serve(self._heard, self._answer)

    def tell_of_requests(self, was_asked: Callable[[Asked], None]) -> None:
        """Have ``was_asked`` called with each request that another gateway carries out by sends."""
        self._was_asked = was_asked

    def to_group(
        self, hub: str, group: str, message: Message, where: Where | None = None
    ) -> AckError | None:
        """Send to the members of a group; ``where`` picks among those of this gateway only.

        Returns:
            Why not, if the other gateways cannot be told; then nobody was sent anything.
        """
        try:
            self.send(Whom(hub, "group", group), message, where)
        except (UnavailableError, OverloadedError) as error:
            return AckError("InternalServerError", error.detail)
        return None

    def to_group_here(
        self, hub: str, group: str, message: Message, where: Where | None = None
    ) -> None:
        """Send to the members of a group that are connected to this gateway."""
        self._here.send(Whom(hub, "group", group), message, where)

    def send(
        self, whom: Whom, message: Message, where: Where | None, asked: Asked | None = None
    ) -> None:
        """Send to connections; ``where`` is who is meant by ``whom`` here.

        Raises:
            UnavailableError: The other gateways cannot be told, so nobody was sent anything.
            OverloadedError: Likewise.
        """
        if self._peers.has_others and not self._is_here(whom):
            carried = Carried.of(message, self._now_s())
            self._record(self._peers.tell(encode(Sending(whom, carried, asked))))
        self._here.send(whom, message, where)

    async def do(self, errand: Errand, where: Where | None = None) -> Outcome:
        """Carry an errand out; ``where`` is who is meant by its ``whom`` here.

        Raises:
            UnavailableError: Not all gateways did it, or the others were not asked and nobody did.
        """
        if not self._peers.has_others or self._is_here(errand.whom):
            return await self._here.do(errand, where)
        if isinstance(errand, Find) and (found := await self._here.do(errand)).found:
            return found
        answers = self._peers.ask(encode(errand))
        mine = await self._here.do(errand, where)
        return _joined(mine, await answers, errand)

    async def list(self, listing: Listing) -> Sequence[Listed]:
        """Return who is there, in the order of names; a user's connections are counted together.

        Raises:
            UnavailableError: Not all gateways said who is with them.
        """
        mine = self._here.list(listing)
        if not self._peers.has_others:
            return mine
        answers = await self._peers.ask(encode(listing))
        if answers.missing:
            raise _missing(answers.missing)
        found = {one.name: one for one in mine}
        for one in chain.from_iterable(map(decode_listed, answers.given)):
            known = found.get(one.name)
            count = one.connections + (0 if known is None else known.connections)
            found[one.name] = one._replace(connections=count)
        return nsmallest(listing.most, found.values())

    # Connections that move

    @property
    def has_others(self) -> bool:
        """Whether there are other gateways."""
        return self._peers.has_others

    def heard(self) -> Mapping[str, int]:
        """Return the number of the last word of each gateway that was done here, and of the last that was said from here."""
        return self._peers.told()

    async def ask_for(self, give: Give) -> bytes | None:
        """Return a connection that another gateway gave up; None if none did.

        Raises:
            UnavailableError: The others cannot be asked.
            OverloadedError: Likewise.
        """
        answers = await self._peers.ask(encode(give))
        return next((given for given in answers.given if given), None)

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """Keep what is told everywhere meanwhile, by others and from here."""
        recording = Recording()
        self._recordings.append(recording)
        try:
            yield recording
        finally:
            self._recordings.remove(recording)

    def missed(
        self, recording: Recording, session: Session, heard: Mapping[str, int]
    ) -> Iterator[Message]:
        """Go through what was told to a session after the words that were ``heard`` where it comes from."""
        for word in recording.words:
            sending = decode_word(word.body)
            where = sending.whom.where()
            if (
                word.number > heard.get(word.teller, 0)
                and sending.whom.means(session)
                and (where is None or where(session))
            ):
                yield sending.message.message(self._now_s())

    def _record(self, word: Word) -> None:
        for recording in self._recordings:
            recording.take(word)

    def _is_here(self, whom: Whom) -> bool:
        """Whether this is about one connection, and it is here: then the others do not have it."""
        return whom.kind == "connection" and self._here.has_any(whom)

    # What the others tell and ask

    def _heard(self, word: Word) -> None:
        self._record(word)
        sending = decode_word(word.body)
        if sending.asked is not None:
            self._was_asked(sending.asked)
        message = sending.message.message(self._now_s())
        where = sending.whom.where()
        if message.stream is not None and message.stream.ended:
            where = _knows_streams
        self._here.send(sending.whom, message, where)

    async def _answer(self, body: bytes) -> bytes:
        errand = decode_question(body)
        if isinstance(errand, Give):
            return await self._give(errand)
        if isinstance(errand, Listing):
            return encode(self._here.list(errand))
        return encode(await self._here.do(errand, errand.whom.where()))


async def _nothing(_give: Give) -> bytes:
    """Give nothing: connections do not move from here."""
    return b""


def _forget(_asked: Asked) -> None:
    """Keep nothing: this process answers no requests."""


def _knows_streams(session: Session) -> bool:
    """Whether a member is told the end of a stream; plain clients know data only."""
    return session.dialect.codec is not None


def _joined(mine: Outcome, answers: Answers, errand: Errand) -> Outcome:
    """Add up what came of an errand; that a gateway is missing does not matter where the others settle it."""
    total = sum(map(decode_outcome, answers.given), mine)
    is_settled = total.found and (isinstance(errand, Find) or errand.whom.kind == "connection")
    if answers.missing and not is_settled:
        raise _missing(answers.missing)
    return total


def _missing(count: int) -> UnavailableError:
    gateways = "1 other gateway" if count == 1 else f"{count} other gateways"
    detail = (
        f"{gateways} did not answer in time; what was asked for is done at the others: repeat it"
    )
    return UnavailableError(detail, code="gateway-missing")
