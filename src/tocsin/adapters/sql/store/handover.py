"""What a broker accepted comes onto the queue of the store."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from tocsin.adapters.sql import handover, waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.intake import Intake
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import as_json
from tocsin.adapters.sql.store.schedule import owner_columns
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.model.alert import Envelope
from tocsin.ports.handover import reason, verdict
from tocsin.ports.limits import StoreLimits
from tocsin.ports.queue import Published

_HERE, _STANDING = sql(handover.here), sql(handover.standing)
_BURY = sql(waiting.bury)
_NO_BOUND = 2**53

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
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._numbers = numbers
        self._clock = clock
        self._limits = replace(limits, queue_rows=_NO_BOUND, scheduled_rows=_NO_BOUND)

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
