"""The queue on JetStream: accepted by a stream, worked on in the store.

``publish`` answers when the stream has the alert on disk; the store need not be reachable for that.  ``lease`` first has the
store take over what is there (``ports/handover.py``), in one commit, and then acknowledges it; from there on everything is the
business of the store's own queue: leases, attempts, crashes, times to come, dead letters, producers' ids.  So a message is in
the stream until the store has it, and a broker decides nothing about an alert but that it is safe.  One process at a time
carries (``porter.py``), and all work on what it brought.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog
from nats.errors import Error
from nats.js.errors import NotFoundError

from tocsin.adapters.nats.intake import Intake
from tocsin.adapters.nats.line import Line
from tocsin.adapters.nats.porter import Porter
from tocsin.clock import US_PER_S, Clock
from tocsin.errors import UnavailableError
from tocsin.model.alert import Envelope
from tocsin.ports.audit import Deed
from tocsin.ports.handover import Handover
from tocsin.ports.producer_ids import IdRange, NamedAlert
from tocsin.ports.queue import DeadLetter, Leased, Published, Queue, QueueDepth

log = structlog.get_logger()

# One of a batch that is asked for is left to its turn for so long, and then taken over before the others.
_FETCH_LOOK_S: Final = 0.05
_FETCH_LOOKS: Final = 40
# How many leases are carried to the store at once: others work on the rest.
_AHEAD: Final = 4

_decode = msgspec.json.Decoder(Envelope).decode


class NatsQueue:
    """At least once: what was answered ``accepted`` is in the stream until the store has it."""

    def __init__(self, line: Line, kept: Queue, handover: Handover, clock: Clock) -> None:
        """Make it; ``kept`` is the store's own queue."""
        self._line = line
        self._kept = kept
        self._handover = handover
        self._clock = clock
        self._intake = Intake(line, kept, handover, clock)
        self._porter = Porter(line, handover)
        self._known = (0, 0)
        self._was_full = False

    async def check_writable(self) -> None:
        """See that a publish would be durable now."""
        await self._line.check()

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        """Put envelopes into the stream; those whose time is to come, or whose ids are kept, onto the store's queue."""
        return await self._intake.run(envelopes)

    async def bring(self, alert_id: str) -> bool:
        """Have the store take over one alert out of its turn, so that what is asked of it can be answered."""
        found = await self._line.find(alert_id)
        if found is None:
            return False
        envelope = _decode(found)
        if envelope.batch is None or not await self._is_fetched(alert_id):
            await self._handover.take_over([envelope])
        return True

    async def _is_fetched(self, alert_id: str) -> bool:
        """Tell whether an alert was taken over in its turn, for which it waits a moment."""
        for _ in range(_FETCH_LOOKS):
            await asyncio.sleep(_FETCH_LOOK_S)
            if await self._line.find(alert_id) is None:
                return True
        return False

    # Out

    async def lease(self, *, limit: int, lease_s: float) -> Sequence[Leased]:
        """Have the store take over what is there, and lease from the store's queue."""
        self._porter.pause()
        leased: Sequence[Leased] = ()
        if self._was_full:  # then what the store has comes first, or its queue would grow
            leased = await self._kept.lease(limit=limit, lease_s=lease_s)
        if not leased:
            await self._porter.carry(_AHEAD * limit)
            leased = await self._kept.lease(limit=limit, lease_s=lease_s)
        self._was_full = len(leased) >= limit
        if leased and not self._was_full:
            self._porter.go_on(limit)
        return leased

    async def wait_ready(self, timeout_s: float) -> None:
        """Return when something may be due, here or in the store, at the latest after ``timeout_s`` seconds."""
        self._porter.pause()
        waits = [
            asyncio.ensure_future(self._kept.wait_ready(timeout_s)),
            asyncio.ensure_future(self._porter.wait(timeout_s)),
        ]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in done:
                wait.result()
        finally:
            for wait in waits:
                wait.cancel()

    async def close(self) -> None:
        """Carry nothing more to the store."""
        await self._porter.close()

    async def depth(self) -> QueueDepth:
        """Tell of the stream and of the store's queue together; while NATS is away, what was last known of the stream."""
        kept = await self._kept.depth()
        try:
            self._known = await self._in_stream()
        except (Error, TimeoutError, UnavailableError) as error:
            log.warning("queue.depth_unknown", reason=str(error) or type(error).__name__)
        waiting, since_us = self._known
        if not waiting:
            return kept
        age_s = max(0.0, (self._clock.now_us() - since_us) / US_PER_S)
        return QueueDepth(kept.waiting + waiting, max(kept.oldest_age_s, age_s), kept.scheduled)

    async def _in_stream(self) -> tuple[int, int]:
        """Count what is in the stream, and tell since when the oldest is due."""
        state = await self._line.state()
        if not state.messages:
            return 0, 0
        try:
            oldest = _decode(await self._line.read(state.first_seq)).due_us
        except (NotFoundError, msgspec.DecodeError):  # taken over just now, or not ours
            oldest = self._clock.now_us()
        return state.messages, oldest

    # What the store's queue does alone

    async def ack(self, receipts: Sequence[int]) -> None:
        """Remove what is done."""
        await self._kept.ack(receipts)

    async def retry_later(self, receipt: int, *, delay_s: float, reason: str) -> None:
        """Make one envelope due again after ``delay_s`` seconds."""
        await self._kept.retry_later(receipt, delay_s=delay_s, reason=reason)

    async def put_off(self, receipts: Sequence[int], *, delay_s: float, reason: str) -> None:
        """Make envelopes due again after ``delay_s`` seconds, in their order."""
        await self._kept.put_off(receipts, delay_s=delay_s, reason=reason)

    async def put_back(self, receipt: int) -> None:
        """Make one envelope due again at once."""
        await self._kept.put_back(receipt)

    async def bury(self, receipt: int, *, reason: str) -> None:
        """Move one envelope to the dead letters."""
        await self._kept.bury(receipt, reason=reason)

    async def dead_letters(
        self, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadLetter]:
        """List dead letters, newest first."""
        return await self._kept.dead_letters(limit=limit, below=below)

    async def dead_letter(self, alert_id: str) -> DeadLetter | None:
        """Return one."""
        return await self._kept.dead_letter(alert_id)

    async def keep_dead(self, letter: DeadLetter) -> None:
        """Keep what never came onto the queue."""
        await self._kept.keep_dead(letter)

    async def revive(self, alert_id: str, deed: Deed | None = None) -> bool:
        """Put one back on the store's queue."""
        return await self._kept.revive(alert_id, deed)

    async def drop_dead(self, alert_id: str, deed: Deed | None = None) -> bool:
        """Forget one for good."""
        return await self._kept.drop_dead(alert_id, deed)

    async def named(self, ids: IdRange, *, limit: int) -> Sequence[NamedAlert]:
        """Return the alerts of a range of producer ids: those the store knows, and ids that are kept are never elsewhere."""
        return await self._kept.named(ids, limit=limit)
