"""What is held of a person, in memory: erased in one step, since every step is one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.editions import MemoryEditions
from tocsin.adapters.memory.queue import MemoryQueue
from tocsin.adapters.memory.tables import Hub, Inbox, Tables
from tocsin.adapters.memory.webhooks import MemoryWebhooks
from tocsin.clock import Clock
from tocsin.model.alert import Envelope
from tocsin.model.erasure import without
from tocsin.ports.audit import Deed
from tocsin.ports.erasure import Erasure, ErasureRequest


@dataclass
class _Begun:
    record: Erasure
    user: str
    inbox: Inbox | None


class MemoryErasures:
    """Erasures and their records, newest last."""

    def __init__(
        self,
        tables: Tables,
        queue: MemoryQueue,
        webhooks: MemoryWebhooks,
        clock: Clock,
        deeds: MemoryDeeds,
        editions: MemoryEditions,
    ) -> None:
        self._deeds = deeds
        self._editions = editions
        self._tables = tables
        self._queue = queue
        self._webhooks = webhooks
        self._clock = clock
        self._begun: dict[str, _Begun] = {}

    async def begin_erasure(self, request: ErasureRequest, deed: Deed | None = None) -> Erasure:
        """Take the inbox away from its name, end the subscriptions, and record the request."""
        hub, counts = self._tables.hub(request.hub), Counter[str]()
        inbox = hub.inboxes.pop(request.user, None)
        if inbox is not None:
            hub.rev_floor = max(hub.rev_floor, inbox.head.rev + 1)
        for topic in [topic for topic, users in hub.topics.items() if request.user in users]:
            del hub.topics[topic][request.user]
            counts["subscription"] += 1
            if not hub.topics[topic]:
                del hub.topics[topic]
        record = Erasure(
            request.id,
            request.hub,
            request.pseudonym,
            request.key_id,
            self._clock.now_us(),
            None,
            dict(counts),
        )
        self._begun[request.id] = _Begun(record, request.user, inbox)
        self._editions.count("erasures")
        self._deeds.keep(deed)
        return record

    async def finish_erasure(self, erasure_id: str) -> Erasure:
        """Drop the inbox, its receipts, and what is for that person alone."""
        begun = self._begun[erasure_id]
        if begun.record.finished_us is None:
            counts = Counter(begun.record.counts) + self._forget_waiting(begun)
            if begun.inbox is not None:
                counts += self._drop(self._tables.hub(begun.record.hub), begun.user, begun.inbox)
            begun.inbox = None
            now_us = self._clock.now_us()
            begun.record = replace(begun.record, finished_us=now_us, counts=dict(counts))
        return begun.record

    def _drop(self, hub: Hub, user: str, inbox: Inbox) -> Counter[str]:
        ids = {item.alert_id for item in inbox.items.values()} | set(inbox.collapses)
        kept = [r for r in hub.receipts if r.user != user or r.alert_id not in ids]
        for device in inbox.devices.values():
            hub.handles.pop(device.digest, None)
        counts = Counter(
            push=self._drop_pushes(inbox),
            device=len(inbox.devices),
            item=len(inbox.items),
            collapse=len(inbox.collapses),
            state=len(inbox.states),
            operation=len(inbox.ops),
            preferences=int(inbox.preferences is not None),
            receipts=len(hub.receipts) - len(kept),
            inbox=1,
        )
        hub.receipts = kept
        held = {
            alert_id
            for other in hub.inboxes.values()
            for alert_id in (*(item.alert_id for item in other.items.values()), *other.collapses)
        }
        unheld = ids - held - set(hub.heard)
        for alert_id in unheld:
            counts["alerts"] += self._tables.alerts.pop(alert_id, None) is not None
        return counts

    def _drop_pushes(self, inbox: Inbox) -> int:
        numbers = [number for number, row in self._tables.pushes.items() if row.inbox is inbox]
        for number in numbers:
            self._tables.drop_push(number)
        return len(numbers)

    def _forget_waiting(self, begun: _Begun) -> Counter[str]:
        queue, counts = self._queue, Counter[str]()
        for alert_id, told in list(queue.scheduled.items()):
            left = self._spare(begun, told)
            counts["scheduled"] += left is not told
            if left is None:
                del queue.scheduled[alert_id]
            else:
                queue.scheduled[alert_id] = left
        for receipt, row in list(queue.waiting.items()):
            left = self._spare(begun, row.envelope)
            counts["waiting"] += left is not row.envelope
            if left is None:
                del queue.waiting[receipt]
            else:
                row.envelope = left
        for alert_id, letter in list(queue.dead.items()):
            left = self._spare(begun, letter.envelope)
            counts["dead"] += left is not letter.envelope
            if left is None:
                del queue.dead[alert_id]
            else:
                queue.dead[alert_id] = replace(letter, envelope=left)
        counts["webhook"] += self._webhooks.forget_person(begun.record.hub, begun.user)
        return counts

    @staticmethod
    def _spare(begun: _Begun, told: Envelope) -> Envelope | None:
        record = begun.record
        return without(told, begun.user, record.at_us) if told.hub == record.hub else told

    def spared(self, envelopes: Sequence[Envelope]) -> Sequence[Envelope]:
        """Return what may still be delivered, without people who were erased since it was accepted."""
        kept = envelopes
        for begun in self._begun.values():
            spared = (self._spare(begun, told) for told in kept)
            kept = [told for told in spared if told is not None]
        return kept

    async def unfinished_erasures(self) -> Sequence[str]:
        """Return the ids of what was begun."""
        return [one.record.id for one in self._begun.values() if one.record.finished_us is None]

    async def erasures(
        self, hub: str | None, *, limit: int, below: str | None = None
    ) -> Sequence[Erasure]:
        """List records, newest first."""
        records = (begun.record for begun in self._begun.values())
        found = [
            record
            for record in records
            if hub in (None, record.hub) and (below is None or record.id < below)
        ]
        return sorted(found, key=lambda record: record.id, reverse=True)[:limit]
