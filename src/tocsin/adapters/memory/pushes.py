"""The pushes of the memory store."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from tocsin.adapters.memory.devices import MemoryDevices
from tocsin.adapters.memory.receipts import MemoryReceipts
from tocsin.adapters.memory.tables import Hub, Inbox, PushRow, Spread, Tables
from tocsin.clock import Clock
from tocsin.model.device import WITHDRAWING, Device
from tocsin.model.ids import uuid7
from tocsin.model.inbox import Entry
from tocsin.model.push import Ending, PushJob, PushKind, PushRecord, PutBack, Standing, outlived
from tocsin.model.reading import broadcast_entry, item_entry, total_counts
from tocsin.model.receipt import Told


class MemoryPushes:
    """Keeps pushes by their numbers, and broadcasts that wait to be spread."""

    def __init__(
        self, tables: Tables, devices: MemoryDevices, receipts: MemoryReceipts, clock: Clock
    ) -> None:
        self._tables = tables
        self._devices = devices
        self._receipts = receipts
        self._clock = clock

    def make(self, hub: str, inbox: Inbox, alert_ids: Iterable[str], now_us: int) -> None:
        """Make pushes of new items for the devices that their user has."""
        for alert_id in alert_ids:
            for device in inbox.devices.values():
                if device.gone_us is None:
                    self._add(hub, inbox, alert_id, device, now_us)

    def begin_spread(self, hub: Hub, alert_id: str, brev: int, now_us: int) -> None:
        """Note that a broadcast is to be pushed, if its hub has any device."""
        if any(inbox.devices for inbox in hub.inboxes.values()):
            self._tables.spreads[alert_id] = Spread(hub.stream.hub, brev, now_us)

    async def resume_pushes(self, now_us: int) -> None:
        """Make due at once what an ended process had leased; memory outlives no process."""
        for row in self._tables.pushes.values():
            if row.leased and row.record.end is None:
                row.record, row.leased = replace(row.record, due_us=now_us), False

    async def next_push_us(self) -> int | None:
        """Tell when the next push is due."""
        if self._tables.spreads:
            return 0
        due = [r.record.due_us for r in self._tables.pushes.values() if r.record.due_us is not None]
        return min(due, default=None)

    async def waiting_pushes(self) -> int:
        """Count what has not ended."""
        return sum(row.record.end is None for row in self._tables.pushes.values())

    async def spread_pushes(self, limit: int) -> int:
        """Make pushes of the oldest waiting broadcast for its next devices."""
        if not self._tables.spreads:
            return 0
        alert_id, spread = next(iter(self._tables.spreads.items()))
        ordered = sorted(
            (
                ((device.user, device.id), inbox, device)
                for inbox in self._tables.hub(spread.hub).inboxes.values()
                for device in inbox.devices.values()
                if device.gone_us is None and (device.user, device.id) > spread.after
            ),
            key=lambda found: found[0],
        )
        for _, inbox, device in ordered[:limit]:
            if inbox.head.b_start < spread.brev:
                self._add(spread.hub, inbox, alert_id, device, spread.made_us)
        if len(ordered) <= limit:
            del self._tables.spreads[alert_id]
        else:
            spread.after = ordered[limit - 1][0]
        return max(1, min(limit, len(ordered)))

    async def lease_pushes(self, now_us: int, until_us: int, limit: int) -> Sequence[PushJob]:
        """Take pushes that are due, the longest due first."""
        due = sorted(
            (row.record.due_us, number)
            for number, row in self._tables.pushes.items()
            if row.record.due_us is not None
            and row.record.due_us <= now_us
            and self._tables.is_standing(row)
        )
        return [self._leased(number, until_us) for _, number in due[:limit]]

    def _leased(self, number: int, until_us: int) -> PushJob:
        row = self._tables.pushes[number]
        attempts = row.record.attempts + 1
        row.record, row.leased = replace(row.record, due_us=until_us, attempts=attempts), True
        return PushJob(
            number=number,
            delivery_id=row.id,
            hub=row.hub,
            user=row.inbox.head.user,
            alert_id=row.alert_id,
            severity=self._tables.alerts[row.alert_id].envelope.severity,
            device=row.inbox.devices[row.record.device],
            kind=row.record.kind,
            made_us=row.record.made_us,
            attempts=attempts,
            held=row.record.held_us is not None,
            tag=row.tag,
        )

    async def standings(self, numbers: Sequence[int]) -> Mapping[int, Standing | None]:
        """Tell how the inboxes stand to these pushes."""
        rows = {number: self._tables.pushes.get(number) for number in numbers}
        return {
            number: self._standing(row)
            for number, row in rows.items()
            if row is not None and row.record.end is None
        }

    def _standing(self, row: PushRow) -> Standing | None:
        home, inbox = self._tables.hub(row.hub), row.inbox
        live = home.visible(inbox.head)
        found: tuple[Entry, int | None] | None = None
        collapses = False
        for item in inbox.items.values():
            if item.alert_id == row.alert_id:
                found = item_entry(item, inbox.head.watermarks), item.expires_us
                collapses = item.collapse_key is not None
        for told in live:
            if told.alert_id == row.alert_id:
                state = inbox.states.get(told.brev)
                found = broadcast_entry(told, state, inbox.head.watermarks), told.expires_us
        if found is None:
            return None
        entry, expires_us = found
        alert = self._tables.alerts[row.alert_id]
        return Standing(
            entry=entry,
            category=alert.envelope.category,
            severity=alert.envelope.severity,
            expires_us=expires_us,
            withdrawn=alert.withdrawn_us is not None,
            unread=total_counts(inbox.head, live, inbox.states).unread,
            collapses=collapses,
        )

    async def held_elsewhere(self, number: int) -> bool:  # noqa: ARG002 -- one process has this store
        """Say no: there is no other process."""
        return False

    async def held_beside(self, number: int, limit: int) -> Sequence[int]:
        """Return the other held pushes to the same device."""
        pushes = self._tables.pushes
        mine = pushes[number]
        beside = [
            other
            for other, row in pushes.items()
            if other != number
            and row.inbox is mine.inbox
            and row.record.device == mine.record.device
            and row.record.held_us is not None
            and row.record.end is None
        ]
        return sorted(beside, reverse=True)[:limit]

    async def put_back_pushes(self, back: Sequence[PutBack]) -> None:
        """Make leased pushes due at other times."""
        for one in back:
            row = self._tables.pushes.get(one.number)
            if row is not None and row.record.end is None:
                row.leased, held_us = False, row.record.held_us
                row.record = replace(
                    row.record,
                    due_us=one.due_us,
                    reason=one.reason,
                    attempts=row.record.attempts - (not one.tried),
                    held_us=self._clock.now_us() if held_us is None and one.held else held_us,
                )

    async def end_push(
        self, job: PushJob, ending: Ending, told: Sequence[Told], summed: Mapping[int, str]
    ) -> None:
        """End a push, and note what became of it."""
        row = self._tables.pushes.get(job.number)
        if row is not None and not row.end(ending) and ending.end == "accepted":
            row.end_late(ending)
        for number, reason in summed.items():
            self._tables.pushes[number].end(Ending("summed", reason, ending.at_us))
        if row is not None and ending.end == "accepted":
            self._note_shown(row, job, summed)
        await self._devices.note_outcome(job.device, ending)
        await self._receipts.note(told)

    def _note_shown(self, row: PushRow, job: PushJob, summed: Iterable[int]) -> None:
        if job.kind == "show" and job.device.platform in WITHDRAWING:
            row.tag = job.summary_tag if summed else None
            for number in (job.number, *summed):
                self._tables.pushes[number].shown_by = job.number

    async def withdraw_pushes(self, users: Sequence[tuple[str, str]], now_us: int) -> int:
        """Make withdrawals for devices of these users that show what has outlived itself."""
        shown = {
            row.shown_by: None
            for row in self._tables.pushes.values()
            if (row.hub, row.inbox.head.user) in users
        }
        return sum(self._withdraw(number, now_us) for number in shown if number is not None)

    async def withdraw_after(self, place: int, now_us: int, limit: int) -> int | None:
        """Do so for the next users who have such devices: here the next pushes."""
        found = {row.shown_by for row in self._tables.pushes.values()}
        shown = sorted(number for number in found if number is not None and number > place)[:limit]
        for number in shown:
            self._withdraw(number, now_us)
        return shown[-1] if len(shown) == limit else None

    def _withdraw(self, number: int, now_us: int) -> bool:
        """Make the withdrawal of what one notification shows, if all of that has outlived itself."""
        rows = [row for row in self._tables.pushes.values() if row.shown_by == number]
        first, device = rows[0], rows[0].inbox.devices.get(rows[0].record.device)
        if device is None or device.gone_us is not None or not self._tables.is_standing(first):
            return False
        standings = [self._standing(row) for row in rows]
        if not all(outlived(standing, now_us) for standing in standings):
            return False
        tag = self._tables.pushes[number].tag
        for row in rows:
            row.shown_by = None
        # Where another alert took the place of one, its push took the place of the other's.
        is_heard = first.alert_id in self._tables.hub(first.hub).heard
        if not tag and standings[0] is None and not is_heard:
            return False
        self._add(first.hub, first.inbox, first.alert_id, device, now_us, "withdraw", tag)
        return True

    async def cancel_shown(self, told: Sequence[Told]) -> None:
        """End pushes about copies that were shown, also those that a broadcast is still to make."""
        now_us = self._clock.now_us()
        for one in told:
            inbox = self._tables.hub(one.hub).inboxes.get(one.user)
            if inbox is None:
                continue
            if one.alert_id in self._tables.spreads:
                self.make(one.hub, inbox, [one.alert_id], now_us)
            for row in self._tables.pushes.values():
                if (
                    row.inbox is inbox
                    and row.alert_id == one.alert_id
                    and row.record.kind == "show"
                ):
                    row.end(Ending("cancelled", "shown", now_us))

    def _add(
        self,
        hub: str,
        inbox: Inbox,
        alert_id: str,
        device: Device,
        made_us: int,
        kind: PushKind = "show",
        tag: str | None = None,
    ) -> None:
        record = PushRecord(
            device=device.id,
            platform=device.platform,
            kind=kind,
            made_us=made_us,
            attempts=0,
            due_us=made_us,
        )
        self._tables.add_push(PushRow(uuid7(made_us), hub, inbox, alert_id, record, tag=tag))
