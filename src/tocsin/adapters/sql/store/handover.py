"""What a broker accepted comes onto the queue of the store."""

import math
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from tocsin.adapters.sql import handover, turns, waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.intake import Intake
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.peers import Peers
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import as_json
from tocsin.adapters.sql.store.schedule import owner_columns
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import US_PER_S, Clock
from tocsin.model.alert import Envelope
from tocsin.ports.handover import reason, verdict
from tocsin.ports.limits import StoreLimits
from tocsin.ports.queue import Published

_HERE, _STANDING = sql(handover.here), sql(handover.standing)
_BURY, _TAKE_TURN = sql(waiting.bury), sql(turns.take_turn)
_NO_BOUND = 2**53
# How long it is a process's turn, unless it renews that, and how often the others look.
_TURN_S = 10.0
_TRY_S = 1.0

_encode = msgspec.json.Encoder().encode


class SqlHandover:
    """Takes over in one commit with whatever else waits."""

    def __init__(
        self,
        writer: Writer,
        readers: Readers,
        numbers: Numbers,
        clock: Clock,
        limits: StoreLimits,
        peers: Peers,
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._numbers = numbers
        self._peers = peers
        self._turn: int | None = None
        self._ask_again_s = -math.inf
        self._clock = clock
        self._limits = replace(limits, queue_rows=_NO_BOUND, scheduled_rows=_NO_BOUND)

    async def take_turn(self) -> int | None:
        """Take or renew the turn; where nobody else may come, it is this process's for ever."""
        if not self._peers.may_come:
            return 1
        now_s = time.monotonic()
        if now_s >= self._ask_again_s:
            self._turn = None
            self._turn = await self._writer.run(self._ask_for_turn)
            self._ask_again_s = now_s + (_TRY_S if self._turn is None else _TURN_S / 2)
        return self._turn

    def _ask_for_turn(self, connection: Connection) -> int | None:
        now_us = self._clock.now_us()
        asked = {
            "what": "handover",
            "holder": self._peers.holder,
            "now": now_us,
            "until_us": now_us + round(_TURN_S * US_PER_S),
        }
        row = connection.execute(_TAKE_TURN, asked).fetchone()
        return None if row is None else int(row[0])

    async def standing(self, envelopes: Sequence[Envelope]) -> Sequence[Published | None]:
        """Tell what stands under the producers' ids, by one statement for each source."""
        sources: defaultdict[tuple[str, str, str], list[Envelope]] = defaultdict(list)
        for envelope in envelopes:
            if envelope.producer_id is not None:
                sources[envelope.hub, envelope.key_id, envelope.source].append(envelope)
        if not sources:
            return [None] * len(envelopes)
        found = await self._readers.run(lambda connection: dict(_repeats(connection, sources)))
        return [found.get(envelope.id) for envelope in envelopes]

    async def take_over(self, envelopes: Sequence[Envelope]) -> None:
        """Put envelopes on the queue that the store does not know yet."""
        now_us = self._clock.now_us()
        once = {envelope.id: envelope for envelope in envelopes}

        def job(connection: Connection) -> None:
            known = {row[0] for row in connection.execute(_HERE, {"ids": as_json(once)})}
            new = [envelope for alert_id, envelope in once.items() if alert_id not in known]
            answers = Intake(self._numbers, self._limits, now_us).run(connection, new)
            for envelope, answer in zip(new, answers, strict=True):
                if answer.outcome != "accepted" and answer.id != envelope.id:
                    _bury(connection, envelope, answer, now_us)

        await self._writer.run(job)


def _repeats(
    connection: Connection, sources: Mapping[tuple[str, str, str], Sequence[Envelope]]
) -> Iterable[tuple[str, Published]]:
    for (hub, key_id, source), envelopes in sources.items():
        asked = {
            "hub": hub,
            "key_id": key_id,
            "source": source,
            "producer_ids": as_json({envelope.producer_id or "" for envelope in envelopes}),
        }
        found = {row[0]: row[1:] for row in connection.execute(_STANDING, asked)}
        for envelope in envelopes:
            if envelope.producer_id in found:
                yield envelope.id, verdict(envelope, *found[envelope.producer_id])


def _bury(connection: Connection, envelope: Envelope, answer: Published, now_us: int) -> None:
    connection.execute(
        _BURY,
        {
            "id": envelope.id,
            "payload": _encode(envelope),
            "attempts": 0,
            "reason": reason(answer),
            "at_us": now_us,
            **owner_columns(envelope),
        },
    )
