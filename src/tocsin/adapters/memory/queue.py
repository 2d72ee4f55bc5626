"""The queue beside the memory store: a dict in order of acceptance."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.tables import Alert
from tocsin.clock import US_PER_S, Clock
from tocsin.model.alert import Envelope
from tocsin.ports.audit import Deed
from tocsin.ports.limits import StoreLimits
from tocsin.ports.producer_ids import IdRange, NamedAlert
from tocsin.ports.queue import DeadLetter, Leased, Published, QueueDepth

ProducerKey = tuple[str, str, str, str]
_BEHIND_S = 0.05


@dataclass
class Waiting:
    """One envelope on the queue."""

    envelope: Envelope
    due_us: int = 0  # the time it was put off to; 0 is at once, whatever the clock says
    attempts: int = 0
    failure: str | None = None
    batch: int | None = None
    is_leased: bool = False


@dataclass
class Remembered:
    """What stands under a producer's id."""

    alert_id: str
    fingerprint: bytes
    at_us: int
    keeps: bool = False
    renewed: bool = False


class MemoryQueue:
    """At least once, for as long as the process lives."""

    def __init__(
        self,
        clock: Clock,
        limits: StoreLimits,
        alerts: Mapping[str, Alert],
        deeds: MemoryDeeds,
    ) -> None:
        self._alerts = alerts
        self._deeds = deeds
        self._clock = clock
        self._limits = limits
        self._receipts = 0
        self._ready = asyncio.Event()
        self._is_behind = False  # what is due waits for others of its batch
        self.waiting: dict[int, Waiting] = {}
        self.scheduled: dict[str, Envelope] = {}
        self.dead: dict[str, DeadLetter] = {}
        self.keys: dict[ProducerKey, Remembered] = {}

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        """Take envelopes in, each answered in order."""
        now_us = self._clock.now_us()
        answers = [self._publish(envelope, now_us) for envelope in envelopes]
        self._ready.set()
        return answers

    def _publish(self, envelope: Envelope, now_us: int) -> Published:
        if (stands := self.remembered(envelope)) is not None:
            same = stands.fingerprint == envelope.fingerprint
            return Published("duplicate" if same else "conflict", stands.alert_id)
        if envelope.is_late:
            return Published("expired", envelope.id)
        later = envelope.is_scheduled(now_us)
        if later and len(self.scheduled) >= self._limits.scheduled_rows:
            return Published("schedule_full", envelope.id)
        if not later and len(self.waiting) >= self._limits.queue_rows:
            return Published("full", envelope.id)
        self.take(envelope, now_us)
        return Published("accepted", envelope.id)

    def remembered(self, envelope: Envelope) -> Remembered | None:
        """Return what stands under the producer's id of an envelope."""
        key = _producer_key(envelope)
        return None if key is None else self.keys.get(key)

    def take(self, envelope: Envelope, now_us: int) -> None:
        """Take one in, whatever the bounds."""
        key = _producer_key(envelope)
        if key is not None:
            self.keys[key] = Remembered(
                envelope.id, envelope.fingerprint, now_us, envelope.keeps_id
            )
        if envelope.is_scheduled(now_us):
            self.scheduled[envelope.id] = envelope
        else:
            self._add(envelope)

    def _add(self, envelope: Envelope) -> None:
        self._receipts += 1
        self.waiting[self._receipts] = Waiting(envelope, batch=envelope.batch)

    def _due_scheduled(self, now_us: int) -> list[Envelope]:
        due = (told for told in self.scheduled.values() if told.due_us <= now_us)
        return sorted(due, key=lambda told: (told.due_us, told.id))

    async def lease(self, *, limit: int, lease_s: float) -> Sequence[Leased]:
        """Take what is due and hide it for ``lease_s`` seconds, at most one that expands, the last."""
        now_us = self._clock.now_us()
        for told in self._due_scheduled(now_us)[:limit]:
            self._add(self.scheduled.pop(told.id))
        due = [receipt for receipt, row in self.waiting.items() if row.due_us <= now_us]
        due.sort(
            key=lambda receipt: (not self.waiting[receipt].due_us, self.waiting[receipt].due_us)
        )
        one = [receipt for receipt in due if self._expands(receipt)][:1]
        others = [receipt for receipt in due if not self._expands(receipt)]
        taken = self._in_order(others, limit - len(one)) + one
        self._is_behind = bool(due and not taken)
        leased = []
        for receipt in taken:
            row = self.waiting[receipt]
            row.due_us = now_us + round(lease_s * US_PER_S)
            row.attempts += 1
            row.is_leased = True
            leased.append(Leased(receipt, row.envelope, row.attempts))
        return leased

    def _in_order(self, due: Sequence[int], limit: int) -> list[int]:
        """Return what does not come behind others of its batch that are not taken with it."""
        left = self._batches()
        taken: list[int] = []
        for receipt in due:
            batch = self.waiting[receipt].batch
            if len(taken) < limit and (batch is None or left[batch][0] == receipt):
                taken.append(receipt)
                if batch is not None:
                    left[batch].popleft()
        return taken

    def _batches(self) -> defaultdict[int, deque[int]]:
        """Return what waits of each batch, in its order."""
        members: defaultdict[int, deque[int]] = defaultdict(deque)
        for receipt, row in self.waiting.items():  # they were added in the order of their numbers
            if row.batch is not None:
                members[row.batch].append(receipt)
        return members

    def _expands(self, receipt: int) -> bool:
        return self.waiting[receipt].envelope.audience.expands

    async def wait_ready(self, timeout_s: float) -> None:
        """Return when something may be due, at the latest after ``timeout_s`` seconds."""
        self._ready.clear()
        due_us = [row.due_us for row in self.waiting.values()]
        due_us += [told.due_us for told in self.scheduled.values()]
        if due_us:
            due_s = (min(due_us) - self._clock.now_us()) / US_PER_S
            timeout_s = min(timeout_s, max(due_s, _BEHIND_S) if self._is_behind else due_s)
        if timeout_s <= 0:
            return
        try:
            await asyncio.wait_for(self._ready.wait(), timeout_s)
        except TimeoutError:
            return

    async def ack(self, receipts: Sequence[int]) -> None:
        """Remove what is done."""
        for receipt in receipts:
            self.waiting.pop(receipt, None)

    async def retry_later(self, receipt: int, *, delay_s: float, reason: str) -> None:
        """Make one envelope due again after ``delay_s`` seconds."""
        if (row := self.waiting.get(receipt)) is not None:
            row.batch = None
            self._put_off(row, delay_s, reason)

    async def put_off(self, receipts: Sequence[int], *, delay_s: float, reason: str) -> None:
        """Make envelopes due again after ``delay_s`` seconds, in their order."""
        for receipt in receipts:
            row = self.waiting.get(receipt)
            if row is not None and row.is_leased:
                self._put_off(row, delay_s, reason)

    def _put_off(self, row: Waiting, delay_s: float, reason: str) -> None:
        row.due_us = self._clock.now_us() + round(delay_s * US_PER_S)
        row.failure = reason
        row.is_leased = False
        self._ready.set()

    async def put_back(self, receipt: int) -> None:
        """Move one envelope that came a part of its way to the end of the queue, with its attempts begun anew."""
        if (row := self.waiting.pop(receipt, None)) is not None:
            self._add(row.envelope)
            self._ready.set()

    async def bury(self, receipt: int, *, reason: str) -> None:
        """Move one envelope to the dead letters."""
        if (row := self.waiting.pop(receipt, None)) is not None:
            now_us = self._clock.now_us()
            self.dead[row.envelope.id] = DeadLetter(row.envelope, row.attempts, reason, now_us)

    async def dead_letters(
        self, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadLetter]:
        """List dead letters, newest first."""
        keyed = ((letter.at_us, alert_id) for alert_id, letter in self.dead.items())
        newest = sorted((key for key in keyed if below is None or key < below), reverse=True)
        return [self.dead[alert_id] for _, alert_id in newest[:limit]]

    async def dead_letter(self, alert_id: str) -> DeadLetter | None:
        """Return one."""
        return self.dead.get(alert_id)

    async def keep_dead(self, letter: DeadLetter) -> None:
        """Keep what never came onto the queue, once."""
        self.dead.setdefault(letter.envelope.id, letter)

    async def revive(self, alert_id: str, deed: Deed | None = None) -> bool:
        """Put one back on the queue, with no attempts."""
        letter = self.dead.pop(alert_id, None)
        if letter is not None:
            self._add(letter.envelope)
            self._deeds.keep(deed)
            self._ready.set()
        return letter is not None

    async def drop_dead(self, alert_id: str, deed: Deed | None = None) -> bool:
        """Forget one for good; those whom it reached keep it."""
        if self.dead.pop(alert_id, None) is None:
            return False
        if (alert := self._alerts.get(alert_id)) is not None:
            alert.after = None
        self._deeds.keep(deed)
        return True

    async def named(self, ids: IdRange, *, limit: int) -> Sequence[NamedAlert]:
        """Return the alerts of a range of producer ids, the last id first."""
        owner = (ids.hub, ids.key_id, ids.source)
        found = sorted(
            (
                NamedAlert(key[3], row.alert_id)
                for key, row in self.keys.items()
                if key[:3] == owner and ids.low <= key[3] < ids.high
            ),
            key=lambda one: one.producer_id,
            reverse=True,
        )
        return found[:limit]

    async def depth(self) -> QueueDepth:
        """Tell how much is due, how old the oldest is, and how much waits for its time."""
        now_us = self._clock.now_us()
        due = [row.envelope for row in self.waiting.values()] + self._due_scheduled(now_us)
        age_us = max((now_us - envelope.due_us for envelope in due), default=0)
        later = len(self.waiting) + len(self.scheduled) - len(due)
        return QueueDepth(len(due), max(0.0, age_us / US_PER_S), later)

    async def bring(self, alert_id: str) -> bool:  # noqa: ARG002 -- there is no other place
        """Do nothing: the store knows what is on its own queue."""
        return False

    async def check_writable(self) -> None:
        """Do nothing: the store is asked itself."""

    def find(self, alert_id: str) -> Envelope | None:
        """Return an alert that waits, for its turn or its time, or is dead."""
        if alert_id in self.scheduled:
            return self.scheduled[alert_id]
        if alert_id in self.dead:
            return self.dead[alert_id].envelope
        waiting = (row.envelope for row in self.waiting.values())
        return next((envelope for envelope in waiting if envelope.id == alert_id), None)

    def forget_keys(self, before_us: int, limit: int) -> int:
        """Forget the oldest producer ids from before a time, but for what is kept; return how many were looked at."""
        old = [key for key, row in self.keys.items() if row.at_us < before_us][:limit]
        for key in old:
            row = self.keys.pop(key)
            if row.keeps and self._stands(row.alert_id) and (row.renewed or self._has_room(key[0])):
                row.at_us, row.renewed = self._clock.now_us(), True
                self.keys[key] = row
        return len(old)

    def _stands(self, alert_id: str) -> bool:
        alert = self._alerts.get(alert_id)
        return self.find(alert_id) is not None if alert is None else alert.withdrawn_us is None

    def _has_room(self, hub: str) -> bool:
        renewed = sum(row.renewed for key, row in self.keys.items() if key[0] == hub)
        return renewed < self._limits.kept_ids_per_hub


def _producer_key(envelope: Envelope) -> ProducerKey | None:
    if envelope.producer_id is None:
        return None
    return (envelope.hub, envelope.key_id, envelope.source, envelope.producer_id)
