"""Reading what is held of a person in memory."""

from collections.abc import Iterator

import msgspec

from tocsin.adapters.memory.queue import MemoryQueue
from tocsin.adapters.memory.tables import Hub, Inbox, Tables
from tocsin.adapters.memory.webhooks import MemoryWebhooks
from tocsin.model.inbox import Marks
from tocsin.ports.erasure import Held, HeldPage, Place
from tocsin.ports.preferences import encode_preferences


class MemoryHoldings:
    """What the tables and the queue hold of people."""

    def __init__(self, tables: Tables, queue: MemoryQueue, webhooks: MemoryWebhooks) -> None:
        self._tables = tables
        self._queue = queue
        self._webhooks = webhooks

    async def held(self, hub: str, user: str, place: Place, *, limit: int) -> HeldPage:
        """Read some of what is held of a person, in the order of the tables."""
        start = int(place.after or 0)
        rows = list(self._all(hub, user))
        page, end = rows[start : start + limit], start + limit
        return HeldPage(page, Place(0, end) if end < len(rows) else None)

    def _all(self, hub_name: str, user: str) -> Iterator[Held]:
        hub = self._tables.hub(hub_name)
        if user in hub.inboxes:
            yield from self._of_inbox(hub, hub.inboxes[user])
        for topic, users in hub.topics.items():
            if user in users:
                yield Held("subscription", {"topic": topic, "since_us": users[user]})
        queue = self._queue
        for kind, envelopes in (
            ("scheduled", list(queue.scheduled.values())),
            ("waiting", [row.envelope for row in queue.waiting.values()]),
            ("dead", [letter.envelope for letter in queue.dead.values()]),
        ):
            for told in envelopes:
                if told.hub == hub_name and user in told.audience.users:
                    fields = {"id": told.id, "accepted_us": told.accepted_us, "alert": told.content}
                    yield Held(kind, fields)

        for events in self._webhooks.events_about(hub_name, user):
            yield Held("webhook", {"events": events})

    def _of_inbox(self, hub: Hub, inbox: Inbox) -> Iterator[Held]:
        user = inbox.head.user
        yield from self._pushed(inbox)
        for item in inbox.items.values():
            fields = {
                "id": item.id,
                "sort": item.sort,
                "rev": item.rev,
                **_times(item.marks),
                "collapse_key": item.collapse_key,
                "expires_us": item.expires_us,
                "deleted_by": item.deleted_by,
                "alert_id": item.alert_id,
                "alert": item.content,
                "receipts": _receipts(hub, item.alert_id, user),
            }
            yield Held("item", fields)
        for alert_id, (by_alert_id, at_us) in inbox.collapses.items():
            alert = self._tables.alerts.get(alert_id)
            fields = {
                "alert_id": alert_id,
                "alert": None if alert is None else alert.envelope.content,
                "by_alert_id": by_alert_id,
                "at_us": at_us,
                "receipts": _receipts(hub, alert_id, user),
            }
            yield Held("collapse", fields)
        for state in inbox.states.values():
            said = hub.live.get(state.brev)
            fields = {
                "brev": state.brev,
                "rev": state.rev,
                "sort": state.sort,
                **_times(state.marks),
                "alert_id": None if said is None else said.alert_id,
                "alert": None if said is None else said.content,
            }
            yield Held("state", fields)
        for op_id, (outcome, at_us) in inbox.ops.items():
            outcome_json = msgspec.Raw(msgspec.json.encode(outcome))
            yield Held("operation", {"op_id": op_id, "outcome": outcome_json, "at_us": at_us})
        if inbox.preferences is not None:
            kept = inbox.preferences
            settings = msgspec.Raw(encode_preferences(kept.preferences))
            yield Held("preferences", {"settings": settings, "changed_us": kept.changed_us})
        head = inbox.head
        numbers = {"rev": head.rev, "b_start": head.b_start, "last_sort": head.last_sort}
        marks = msgspec.structs.asdict(head.watermarks) | msgspec.structs.asdict(head.counts)
        yield Held("inbox", {"user": user, **numbers, "floor": head.floor, **marks})

    def _pushed(self, inbox: Inbox) -> Iterator[Held]:
        for row in self._tables.pushes.values():
            if row.inbox is inbox:
                record = msgspec.structs.asdict(row.record)
                fields = {"id": row.id, **record, "push_end": record.pop("end")}
                yield Held("push", {**fields, "alert_id": row.alert_id})
        for device in inbox.devices.values():
            secret = {"hub", "user", "channel"}
            told = {"platform": device.platform, **msgspec.structs.asdict(device)}
            yield Held("device", {k: value for k, value in told.items() if k not in secret})


def _times(marks: Marks) -> dict[str, int | None]:
    return msgspec.structs.asdict(marks)


def _receipts(hub: Hub, alert_id: str, user: str) -> msgspec.Raw:
    said = [
        {"fact": r.fact, "action": r.action or "", "device": r.device or "", "at_us": r.at_us}
        for r in hub.receipts
        if (r.alert_id, r.user) == (alert_id, user)
    ]
    return msgspec.Raw(msgspec.json.encode(said))
