"""The queue in the store itself, so that one commit serves both.

A lease names the process that has it.  What a process leaves leased when it ends was in its hands when it crashed, and is
made due again: by the next one that starts, or by one that works beside it.  Attempts and crashes are on disk (I11).
"""

import asyncio
import math
import time
from collections.abc import Callable, Sequence

import msgspec

from tocsin.adapters.sql import schedule, topics, turns, waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.deeds import changed, keep
from tocsin.adapters.sql.store.intake import Intake
from tocsin.adapters.sql.store.leasing import Due, next_due
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.peers import Peers
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import as_json
from tocsin.adapters.sql.store.schedule import enqueue_due, owner_columns
from tocsin.adapters.sql.store.text import Statement, sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import US_PER_S, Clock
from tocsin.model.alert import Envelope
from tocsin.ports.audit import Deed
from tocsin.ports.limits import StoreLimits
from tocsin.ports.producer_ids import IdRange, NamedAlert
from tocsin.ports.queue import DeadLetter, Leased, Published, QueueDepth

_ADD, _HIDE = sql(waiting.add_waiting), sql(waiting.hide)
_DROP, _PUT_OFF = sql(waiting.drop_waiting), sql(waiting.put_off)
_RETRY_LATER, _END_TURN = sql(waiting.retry_later), sql(turns.end_turn)
_IN_HAND, _BURY = sql(waiting.in_hand_by_seq), sql(waiting.bury)
_DEAD, _DEAD_PAGE, _DROP_DEAD = (
    sql(waiting.dead_letter),
    sql(waiting.dead_page),
    sql(waiting.drop_dead),
)
_OLDEST, _COUNT = sql(waiting.oldest_waiting), sql(waiting.count_waiting)
_NEXT_DUE, _NEXT_TIME = sql(waiting.next_due), sql(schedule.next_time)
_PUT_BACK, _END_EXPANSION_OF = sql(waiting.put_back), sql(topics.end_expansion_of)
_COUNT_DUE, _COUNT_SCHEDULED = sql(schedule.count_due), sql(schedule.count_all)
_GIVE_BACK, _ABANDONED = sql(waiting.give_back), sql(waiting.abandoned)
_SUSPECT_ALL, _SUSPECT_ONE = sql(waiting.suspect_all), sql(waiting.suspect_one)
_NAMED = sql(waiting.named_alerts)

decode_envelope = msgspec.json.Decoder(Envelope).decode
_TOP_US = 2**53  # after every time
# How long to leave be what waits for others of its batch.
_BEHIND_S = 0.05


class SqlQueue:
    """At least once: what was answered ``accepted`` is leased until it is acknowledged."""

    def __init__(
        self,
        writer: Writer,
        readers: Readers,
        numbers: Numbers,
        peers: Peers,
        check_room: Callable[[], None],
        clock: Clock,
        limits: StoreLimits,
        *,
        leases: Callable[[], None],
    ) -> None:
        """Make it; ``leases`` is called in the writing thread when what was leased before is done with."""
        self._writer = writer
        self._readers = readers
        self._numbers = numbers
        self._peers = peers
        self._next_look_s = time.monotonic() + peers.end_s
        self._check_room = check_room
        self._clock = clock
        self._limits = limits
        self._leases = leases
        self._ready = asyncio.Event()
        self._is_behind = False

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        """Put envelopes on disk, in one commit with whatever else waits; answered in order.

        Raises:
            UnavailableError: the disk is full, or nearly, or the store is away; nothing was stored.
        """
        self._check_room()
        now_us = self._clock.now_us()

        def job(connection: Connection) -> Sequence[Published]:
            return Intake(self._numbers, self._limits, now_us).run(connection, envelopes)

        answers = await self._writer.run(job)
        self._ready.set()
        return answers

    async def lease(self, *, limit: int, lease_s: float) -> Sequence[Leased]:
        """Take what is due, scheduled alerts too, and hide it for ``lease_s`` seconds; attempts are counted on disk.

        One whose audience expands is among it at most, as the last.
        """
        now_us = self._clock.now_us()
        until_us = now_us + round(lease_s * US_PER_S)

        def job(connection: Connection) -> list[Due]:
            self._leases()
            self._look_after_others(connection)
            enqueue_due(connection, self._numbers, now_us, limit)
            found, self._is_behind = next_due(connection, now_us, limit)
            connection.executemany(
                _HIDE,
                [
                    {
                        "at_seq": row.seq,
                        "attempts": row.attempts + 1,
                        "available_us": until_us,
                        "leased_us": now_us,
                        "holder": self._peers.holder,
                    }
                    for row in found
                ],
            )
            return found

        return [
            Leased(row.seq, decode_envelope(row.payload), row.attempts + 1, row.crashes or 0)
            for row in await self._writer.run(job)
        ]

    async def give_back(self) -> None:
        """Make everything that is leased due again, as if it never had been: this process ends in good order."""
        mine = {"holder": self._peers.holder}

        def job(connection: Connection) -> None:
            connection.execute(_GIVE_BACK, mine)
            connection.execute(_END_TURN, mine)

        await self._writer.run(job)

    def _look_after_others(self, connection: Connection) -> None:
        """Once in a while, make due again what a process held that is gone."""
        now_s = time.monotonic()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + self._peers.end_s
            void_leases(connection, self._numbers)

    async def wait_ready(self, timeout_s: float) -> None:
        """Return when something may be due, at the latest after ``timeout_s`` seconds.

        What another process publishes is noticed by looking again.
        """
        until_s = time.monotonic() + timeout_s
        while (left_s := until_s - time.monotonic()) > 0:
            if await self._is_ready(min(left_s, self._peers.publish_s)):
                return

    async def _is_ready(self, timeout_s: float) -> bool:
        """Tell whether something may be due, at the latest after ``timeout_s`` seconds."""
        self._ready.clear()

        def job(connection: Connection) -> list[int]:
            firsts = (
                connection.execute(_NEXT_DUE, {"expands": 0}).fetchone(),
                connection.execute(_NEXT_DUE, {"expands": 1}).fetchone(),
                connection.execute(_NEXT_TIME).fetchone(),
            )
            return [first[0] for first in firsts if first is not None]

        due_us = min(await self._readers.run(job), default=None)
        due_s = math.inf if due_us is None else (due_us - self._clock.now_us()) / US_PER_S
        if self._is_behind:  # what is due may not be leased yet
            due_s = max(due_s, _BEHIND_S)
        if due_s <= 0:
            return True
        try:
            await asyncio.wait_for(self._ready.wait(), min(timeout_s, due_s))
        except TimeoutError:
            return due_s <= timeout_s
        return True

    async def ack(self, receipts: Sequence[int]) -> None:
        """Remove what is done."""
        seqs = as_json(receipts)

        def job(connection: Connection) -> None:
            self._numbers.left(connection.execute(_DROP, {"seqs": seqs}).rowcount)

        await self._writer.run(job)

    async def retry_later(self, receipt: int, *, delay_s: float, reason: str) -> None:
        """Make one envelope due again after ``delay_s`` seconds; the reason is kept with it."""
        await self._put_off(_RETRY_LATER, [receipt], delay_s, reason)

    async def put_off(self, receipts: Sequence[int], *, delay_s: float, reason: str) -> None:
        """Make envelopes due again after ``delay_s`` seconds, in their order."""
        await self._put_off(_PUT_OFF, receipts, delay_s, reason)

    async def _put_off(
        self, how: Statement, receipts: Sequence[int], delay_s: float, reason: str
    ) -> None:
        values = {
            "seqs": as_json(receipts),
            "holder": self._peers.holder,
            "available_us": self._clock.now_us() + round(delay_s * US_PER_S),
            "last_error": reason,
        }
        await self._writer.run(lambda connection: connection.execute(how, values).rowcount)
        self._ready.set()

    async def put_back(self, receipt: int) -> None:
        """Move one envelope that came a part of its way to the end of the queue, with its attempts begun anew."""

        def job(connection: Connection) -> None:
            (seq,) = self._numbers.seqs(1)
            mine = {"at_seq": receipt, "holder": self._peers.holder}
            connection.execute(_PUT_BACK, {**mine, "seq": seq})

        await self._writer.run(job)
        self._ready.set()

    async def bury(self, receipt: int, *, reason: str) -> None:
        """Move one envelope to the dead letters, in one transaction."""
        now_us = self._clock.now_us()

        def job(connection: Connection) -> None:
            mine = {"seq": receipt, "holder": self._peers.holder}
            found = connection.execute(_IN_HAND, mine).fetchone()
            if found is None:
                return
            _, payload, attempts = found
            letter = DeadLetter(decode_envelope(payload), attempts, reason, now_us)
            connection.execute(_BURY, _letter_row(letter, payload))
            connection.execute(_DROP, {"seqs": as_json([receipt])})
            self._numbers.left(1)

        await self._writer.run(job)

    async def keep_dead(self, letter: DeadLetter) -> None:
        """Keep what never came onto the queue, once.

        Raises:
            UnavailableError: the disk is full, or nearly, or the store is away; it was not kept.
        """
        self._check_room()
        row = _letter_row(letter, msgspec.json.encode(letter.envelope))

        def job(connection: Connection) -> None:
            if connection.execute(_DEAD, {"id": letter.envelope.id}).fetchone() is None:
                connection.execute(_BURY, row)

        await self._writer.run(job)

    async def dead_letters(
        self, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadLetter]:
        """List dead letters of every hub, newest first."""
        at_us, alert_id = below or (_TOP_US, "")
        page = {"at_us": at_us, "id": alert_id, "limit": limit}
        found = await self._readers.run(lambda c: c.execute(_DEAD_PAGE, page).fetchall())
        return [_letter(row) for row in found]

    async def dead_letter(self, alert_id: str) -> DeadLetter | None:
        """Return one."""
        found = await self._readers.run(lambda c: c.execute(_DEAD, {"id": alert_id}).fetchone())
        return None if found is None else _letter(found)

    async def revive(self, alert_id: str, deed: Deed | None = None) -> bool:
        """Put one back on the queue, due at once and with no attempts, in one transaction."""
        row = {"id": alert_id, "attempts": 0, "available_us": 0, "batch": None}

        def job(connection: Connection) -> bool:
            found = connection.execute(_DEAD, {"id": alert_id}).fetchone()
            if found is None:
                return False
            connection.execute(_DROP_DEAD, {"id": alert_id})
            (seq,) = self._numbers.seqs(1)
            expands = int(decode_envelope(found[0]).audience.expands)
            connection.execute(_ADD, {**row, "seq": seq, "payload": found[0], "expands": expands})
            self._numbers.joined(1)
            keep(connection, deed)
            return True

        revived = await self._writer.run(job)
        self._ready.set()
        return revived

    async def drop_dead(self, alert_id: str, deed: Deed | None = None) -> bool:
        """Forget one for good; those whom it reached keep it."""
        row = {"id": alert_id}

        def job(connection: Connection) -> bool:
            dropped = changed(connection, _DROP_DEAD, row, deed)
            if dropped:
                connection.execute(_END_EXPANSION_OF, row)
            return dropped

        return await self._writer.run(job)

    async def named(self, ids: IdRange, *, limit: int) -> Sequence[NamedAlert]:
        """Return the alerts of a range of producer ids, the last id first."""
        asked = {**msgspec.structs.asdict(ids), "limit": limit}
        found = await self._readers.run(lambda c: c.execute(_NAMED, asked).fetchall())
        return [NamedAlert(*row) for row in found]

    async def depth(self) -> QueueDepth:
        """Tell how much is due, how old the oldest is, and how much waits for its time, all from one snapshot.

        The writer's own count is ahead of it: what is being delivered leaves that count before the commit.
        """
        now_us = self._clock.now_us()

        def job(connection: Connection) -> QueueDepth:
            oldest = connection.execute(_OLDEST).fetchone()
            time = connection.execute(_NEXT_TIME).fetchone()
            since_us = [] if oldest is None else [decode_envelope(oldest[0]).due_us]
            since_us += [] if time is None else [time[0]]
            due = connection.execute(_COUNT_DUE, {"now": now_us}).fetchone()[0]
            return QueueDepth(
                connection.execute(_COUNT).fetchone()[0] + due,
                max(0.0, (now_us - min(since_us, default=now_us)) / US_PER_S),
                connection.execute(_COUNT_SCHEDULED).fetchone()[0] - due,
            )

        return await self._readers.run(job)

    async def bring(self, alert_id: str) -> bool:  # noqa: ARG002 -- there is no other place
        """Do nothing: the store knows what is on its own queue."""
        return False

    async def check_writable(self) -> None:
        """Do nothing: the store is asked itself."""


def void_leases(connection: Connection, numbers: Numbers) -> None:
    """Make due again what processes held that are gone, and note of each whether it held one or several.

    Several are tried one by one from now on, and none is blamed.  One alone goes behind all that waits.
    """
    for holder, in_hand in connection.execute(_ABANDONED).fetchall():
        if in_hand == 1:
            (seq,) = numbers.seqs(1)
            connection.execute(_SUSPECT_ONE, {"holder": holder, "seq": seq})
        else:
            connection.execute(_SUSPECT_ALL, {"holder": holder})


def _letter_row(letter: DeadLetter, payload: bytes) -> dict[str, object]:
    return {
        "id": letter.envelope.id,
        "payload": payload,
        "attempts": letter.attempts,
        "reason": letter.reason,
        "at_us": letter.at_us,
        **owner_columns(letter.envelope),
    }


def _letter(row: tuple[bytes, int, str, int]) -> DeadLetter:
    payload, attempts, reason, at_us = row
    return DeadLetter(decode_envelope(payload), attempts, reason, at_us)
