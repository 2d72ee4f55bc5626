"""What is taken in: each envelope of a publish is judged, and what is accepted is written."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from tocsin.adapters.sql import waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.schedule import put_on_schedule
from tocsin.adapters.sql.store.text import sql
from tocsin.model.alert import Envelope
from tocsin.ports.limits import StoreLimits
from tocsin.ports.queue import Published

_REMEMBERED, _REMEMBER = sql(waiting.remembered), sql(waiting.remember)
_ADD = sql(waiting.add_waiting)

_encode = msgspec.json.Encoder().encode
ProducerKey = tuple[str, str, str, str]


class _Taken(NamedTuple):
    """What this publish put under a producer's id."""

    alert_id: str
    fingerprint: bytes
    keeps: bool


class Intake:
    """One publish on the writing connection: few Python steps per envelope, two statements for all."""

    def __init__(self, numbers: Numbers, limits: StoreLimits, now_us: int) -> None:
        self._numbers = numbers
        self._limits = limits
        self._now_us = now_us
        self._taken: dict[ProducerKey, _Taken] = {}
        self._due: list[Envelope] = []
        self._later: list[Envelope] = []

    def run(self, connection: Connection, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        """Answer each envelope and write those that are accepted."""
        waiting_, scheduled = self._numbers.lengths(connection)
        room = self._limits.queue_rows - waiting_
        room_later = self._limits.scheduled_rows - scheduled
        answers = []
        for envelope in envelopes:
            answer = self._repeat(connection, envelope)
            if answer is None and envelope.is_late:
                answer = Published("expired", envelope.id)
            elif answer is None and envelope.is_scheduled(self._now_us):
                answer = self._take(envelope, self._later, room_later, "schedule_full")
            elif answer is None:
                answer = self._take(envelope, self._due, room, "full")
            answers.append(answer)
        self._write(connection)
        return answers

    def _repeat(self, connection: Connection, envelope: Envelope) -> Published | None:
        """Return what stands under the producer's id, if anything does."""
        key = _producer_key(envelope)
        if key is None:
            return None
        stands = self._taken.get(key)
        if stands is None:
            hub, key_id, source, producer_id = key
            stands = connection.execute(
                _REMEMBERED,
                {"hub": hub, "key_id": key_id, "source": source, "producer_id": producer_id},
            ).fetchone()
        if stands is None:
            return None
        alert_id, fingerprint = stands[:2]
        same = fingerprint == envelope.fingerprint
        return Published("duplicate" if same else "conflict", alert_id)

    def _take(
        self,
        envelope: Envelope,
        into: list[Envelope],
        room: int,
        refusal: Literal["full", "schedule_full"],
    ) -> Published:
        if len(into) >= room:
            return Published(refusal, envelope.id)
        into.append(envelope)
        key = _producer_key(envelope)
        if key is not None:
            self._taken[key] = _Taken(envelope.id, envelope.fingerprint, envelope.keeps_id)
        return Published("accepted", envelope.id)

    def _write(self, connection: Connection) -> None:
        numbers = self._numbers
        connection.executemany(
            _ADD,
            [
                {
                    "seq": seq,
                    "id": envelope.id,
                    "payload": _encode(envelope),
                    "attempts": 0,
                    "available_us": 0,
                    "expands": int(envelope.audience.expands),
                    "batch": envelope.batch,
                }
                for seq, envelope in zip(numbers.seqs(len(self._due)), self._due, strict=True)
            ],
        )
        put_on_schedule(
            connection,
            numbers,
            [(told, _encode(told)) for told in self._later],
        )
        connection.executemany(
            _REMEMBER,
            [
                {
                    "key_no": key_no,
                    "hub": hub,
                    "key_id": key_id,
                    "source": source,
                    "producer_id": producer_id,
                    "alert_id": taken.alert_id,
                    "fingerprint": taken.fingerprint,
                    "at_us": self._now_us,
                    "keeps": int(taken.keeps),
                }
                for key_no, ((hub, key_id, source, producer_id), taken) in zip(
                    numbers.key_nos(len(self._taken)), self._taken.items(), strict=True
                )
            ],
        )
        numbers.joined(len(self._due))


def _producer_key(envelope: Envelope) -> ProducerKey | None:
    if envelope.producer_id is None:
        return None
    return (envelope.hub, envelope.key_id, envelope.source, envelope.producer_id)
