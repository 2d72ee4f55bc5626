"""The receipts of the memory store."""

from collections.abc import Sequence
from itertools import islice

from tocsin.adapters.memory.tables import Alert, Hub, Tables
from tocsin.clock import Clock
from tocsin.model.receipt import (
    Receipt,
    Tally,
    Told,
    by_copy,
    by_hub,
    news,
    offered_actions,
    tally_of,
)
from tocsin.model.sketch import EMPTY, people_in, with_people
from tocsin.ports.limits import StoreLimits


class MemoryReceipts:
    """Keeps receipts in each hub's list, in order of their numbers."""

    def __init__(self, tables: Tables, clock: Clock, limits: StoreLimits) -> None:
        self._tables = tables
        self._clock = clock
        self._room = limits.receipts_per_copy

    async def note(self, told: Sequence[Told]) -> None:
        """Keep what is new."""
        for name, some in by_hub(told).items():
            hub = self._tables.hub(name)
            for (alert_id, user), facts in by_copy(some).items():
                alert = self._tables.alerts.get(alert_id)
                if alert is not None and alert.envelope.hub == name and user in hub.inboxes:
                    self._note_copy(hub, alert, user, facts)

    def _note_copy(self, hub: Hub, alert: Alert, user: str, told: Sequence[Told]) -> None:
        alert_id, inbox = alert.envelope.id, hub.inboxes[user]
        offered = offered_actions(alert.envelope.content)
        facts = [one for one in told if one.action is None or one.action in offered]
        own = any(item.alert_id == alert_id for item in inbox.items.values())
        if own or alert_id in inbox.collapses:
            known = {
                (r.fact, r.action or "", r.device or "")
                for r in hub.receipts
                if (r.alert_id, r.user) == (alert_id, user)
            }
            accepted_us, now_us = alert.envelope.accepted_us, self._clock.now_us()
            for one in news(facts, known, self._room, accepted_us, now_us):
                self._add(hub, one)
        elif hub.heard.get(alert_id, 0) > inbox.head.b_start:
            for one in facts:
                self._sketch(hub, one, "")
                if one.action is not None:
                    self._sketch(hub, one, one.action)

    @staticmethod
    def _add(hub: Hub, one: Told) -> None:
        hub.last_receipt += 1
        hub.receipts.append(
            Receipt(
                hub.last_receipt,
                one.hub,
                one.alert_id,
                one.user,
                one.device,
                one.fact,
                one.action,
                one.at_us,
            )
        )

    @staticmethod
    def _sketch(hub: Hub, one: Told, action: str) -> None:
        key = (one.alert_id, one.fact, action)
        hub.sketches[key] = with_people(hub.sketches.get(key, EMPTY), {one.user})

    async def receipts_after(self, hub: str, number: int, limit: int) -> Sequence[Receipt]:
        """List receipts of a hub above a number, lowest first."""
        home = self._tables.hub(hub)
        told = (r for r in home.receipts if r.number > number and r.user in home.inboxes)
        return list(islice(told, limit))

    async def receipts_of(self, hub: str, alert_id: str, user: str) -> Sequence[Receipt]:
        """List the receipts of one copy."""
        copy = (alert_id, user)
        return [r for r in self._tables.hub(hub).receipts if (r.alert_id, r.user) == copy]

    async def tally(self, hub: str, alert_id: str) -> Tally:
        """Count different people per fact and per action."""
        home = self._tables.hub(hub)
        people: dict[tuple[str, str], set[str]] = {}
        for receipt in home.receipts:
            if receipt.alert_id == alert_id:
                for action in {"", receipt.action or ""}:
                    people.setdefault((receipt.fact, action), set()).add(receipt.user)
        counted = [(fact, action, len(users)) for (fact, action), users in people.items()]
        counted += [
            (fact, action, people_in(sketch))
            for (of_alert, fact, action), sketch in home.sketches.items()
            if of_alert == alert_id
        ]
        return tally_of(counted)
