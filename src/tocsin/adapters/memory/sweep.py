"""Waking, expiring, retiring and purging the memory store's rows, at most so many at a time."""

from collections.abc import Callable, Sequence
from itertools import islice

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.queue import MemoryQueue
from tocsin.adapters.memory.tables import Hub, Inbox, Tables
from tocsin.model.inbox import BroadcastEntry, ChangeSet, OwnItem
from tocsin.model.plan import Plan
from tocsin.model.stream import withdraw_broadcasts
from tocsin.model.upkeep import Reason, bury, purge, retirable, wake, withdrawable
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import Swept


class Sweep:
    """One round: ``left`` rows may still be touched; what was changed is collected."""

    def __init__(self, tables: Tables, limits: StoreLimits, now_us: int, limit: int) -> None:
        self._tables = tables
        self._limits = limits
        self._now_us = now_us
        self._left = limit
        self._changes: list[tuple[str, ChangeSet]] = []
        self._broadcasts: list[BroadcastEntry] = []

    def run(self, queue: MemoryQueue, deeds: MemoryDeeds) -> Swept:
        """Do everything that is due, the urgent first."""
        self._wake()
        self._bury("expired", lambda _, item: _is_due(item.expires_us, self._now_us))
        for hub in self._tables.hubs.values():
            due = [b.brev for b in hub.live.values() if _is_due(b.expires_us, self._now_us)]
            self._withdraw_broadcasts(hub, due[: self._room()])
        before_us = self._now_us - self._limits.read_retention_us
        for hub_name, alert_id in sorted(self._tables.withdrawals):
            self.withdraw(hub_name, alert_id)
        self._bury("retired", lambda inbox, item: retirable(item, inbox.head.watermarks, before_us))
        self._purge()
        self._drop_unused(before_us)
        self._left -= queue.forget_keys(self._now_us - self._limits.key_memory_us, self._room())
        self._left -= deeds.forget(self._now_us - self._limits.audit_us, self._room())
        self._forget_pushes(self._now_us - self._limits.push_memory_us)
        return self._swept()

    def _forget_pushes(self, before_us: int) -> None:
        rows = self._tables.pushes
        old = [n for n, row in rows.items() if (row.record.ended_us or before_us) < before_us]
        for number in old[: self._room()]:
            self._tables.drop_push(number)
            self._left -= 1

    def withdraw(self, hub_name: str, alert_id: str) -> Swept:
        """Take one alert back."""
        hub = self._tables.hub(hub_name)
        live = [row.brev for row in hub.live.values() if row.alert_id == alert_id]
        self._withdraw_broadcasts(hub, live)
        self._bury(
            "withdrawn",
            lambda inbox, item: (
                item.alert_id == alert_id and withdrawable(item, inbox.head.watermarks)
            ),
            [hub],
        )
        if self._left > 0:
            self._tables.withdrawals.discard((hub_name, alert_id))
        else:
            self._tables.withdrawals.add((hub_name, alert_id))
        return self._swept()

    def _swept(self) -> Swept:
        return Swept(tuple(self._changes), tuple(self._broadcasts), more=self._left <= 0)

    def _room(self) -> int:
        return max(0, self._left)

    def _inboxes(self, hubs: Sequence[Hub] | None = None) -> list[tuple[Hub, Inbox]]:
        homes = self._tables.hubs.values() if hubs is None else hubs
        return [(hub, inbox) for hub in homes for inbox in hub.inboxes.values()]

    def _write(self, hub: Hub, inbox: Inbox, plan: Plan | None) -> None:
        if plan is None:
            return
        inbox.write(plan)
        self._left -= len(plan.items) + len(plan.states)
        self._changes.append((hub.stream.hub, plan.change_set(hub.stream.epoch)))

    def _wake(self) -> None:
        for hub, inbox in self._inboxes():
            items = [
                row
                for row in inbox.items.values()
                if row.marks.deleted_at is None and _is_due(row.marks.snoozed_until, self._now_us)
            ][: self._room()]
            states = [
                row
                for row in inbox.states.values()
                if row.brev in hub.live
                and row.marks.deleted_at is None
                and _is_due(row.marks.snoozed_until, self._now_us)
            ][: self._room() - len(items)]
            self._write(hub, inbox, wake(inbox.head, items, states, self._now_us))

    def _bury(
        self,
        reason: Reason,
        takes: Callable[[Inbox, OwnItem], bool],
        hubs: Sequence[Hub] | None = None,
    ) -> None:
        for hub, inbox in self._inboxes(hubs):
            standing = (i for i in inbox.items.values() if i.marks.deleted_at is None)
            taken = list(islice((i for i in standing if takes(inbox, i)), self._room()))
            self._write(hub, inbox, bury(inbox.head, taken, reason, self._now_us))

    def _withdraw_broadcasts(self, hub: Hub, brevs: Sequence[int]) -> None:
        hub.stream, entries = withdraw_broadcasts(hub.stream, brevs)
        for brev in brevs:
            hub.live.pop(brev)
        self._left -= len(brevs)
        self._broadcasts.extend(entries)

    def _purge(self) -> None:
        before_us = self._now_us - self._limits.tombstone_us
        for hub, inbox in self._inboxes():
            old = [
                item
                for item in inbox.items.values()
                if item.marks.deleted_at is not None and item.marks.deleted_at < before_us
            ][: self._room()]
            for item in old:
                del inbox.items[item.id]
            gone = {(item.alert_id, inbox.head.user) for item in old}
            hub.receipts = [r for r in hub.receipts if (r.alert_id, r.user) not in gone]
            inbox.head = purge(inbox.head, [item.rev for item in old])
            dead = [brev for brev in inbox.states if brev not in hub.live]
            for brev in dead:
                del inbox.states[brev]
            forgotten = [op for op, (_, at_us) in inbox.ops.items() if at_us < before_us]
            for op in forgotten:
                del inbox.ops[op]
            self._left -= len(old) + len(dead) + len(forgotten)

    def _drop_unused(self, before_us: int) -> None:
        """Forget old alerts that no row says any more."""
        old = [
            id_
            for id_, row in self._tables.alerts.items()
            if row.processed_us < before_us and row.after is None
        ]
        if not old:
            return
        said = {item.alert_id for _, inbox in self._inboxes() for item in inbox.items.values()}
        said |= {row.alert_id for hub in self._tables.hubs.values() for row in hub.live.values()}
        unused = [alert_id for alert_id in old if alert_id not in said][: self._room()]
        for alert_id in unused:
            del self._tables.alerts[alert_id]
            self._forget_what_became_of(alert_id)
        self._left -= len(unused)

    def _forget_what_became_of(self, alert_id: str) -> None:
        for hub, inbox in self._inboxes():
            inbox.collapses.pop(alert_id, None)
            hub.heard.pop(alert_id, None)
            hub.receipts = [receipt for receipt in hub.receipts if receipt.alert_id != alert_id]
            hub.sketches = {key: s for key, s in hub.sketches.items() if key[0] != alert_id}


def _is_due(at_us: int | None, now_us: int) -> bool:
    return at_us is not None and at_us <= now_us
