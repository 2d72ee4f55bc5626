"""A store in plain dicts: everything the real ones do, for as long as the process lives.

For tests, demos and trials.  Each method runs without yielding to the event loop, so each is one transaction.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from tocsin.adapters.memory.actions import act
from tocsin.adapters.memory.arrivals import MemoryArrivals
from tocsin.adapters.memory.dead_pushes import MemoryDeadPushes
from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.devices import MemoryDevices
from tocsin.adapters.memory.editions import MemoryEditions
from tocsin.adapters.memory.erasure import MemoryErasures
from tocsin.adapters.memory.event_handlers import MemoryEventHandlers
from tocsin.adapters.memory.handover import MemoryHandover
from tocsin.adapters.memory.holdings import MemoryHoldings
from tocsin.adapters.memory.people import MemoryPeople
from tocsin.adapters.memory.preferences import MemoryPreferences
from tocsin.adapters.memory.published import alert_page
from tocsin.adapters.memory.pushes import MemoryPushes
from tocsin.adapters.memory.queue import MemoryQueue
from tocsin.adapters.memory.receipts import MemoryReceipts
from tocsin.adapters.memory.sweep import Sweep
from tocsin.adapters.memory.tables import Alert, Hub, Tables
from tocsin.adapters.memory.topics import MemoryTopics
from tocsin.adapters.memory.traces import MemoryTraces
from tocsin.adapters.memory.vapid import MemoryVapidKeys
from tocsin.adapters.memory.webhooks import MemoryWebhooks
from tocsin.clock import Clock
from tocsin.model.acting import storable
from tocsin.model.alert import Envelope
from tocsin.model.arrival import arrive, newest_by_key
from tocsin.model.commands import Command, Outcome
from tocsin.model.expansion import Chunk, next_chunk
from tocsin.model.inbox import (
    Broadcast,
    BroadcastEntry,
    Changes,
    ChangeSet,
    Entry,
    Head,
    InboxPage,
    MergedPage,
    OlderPage,
    OwnItem,
    Reload,
)
from tocsin.model.position import Position
from tocsin.model.reading import (
    broadcast_entry,
    item_entry,
    merge,
    must_reload,
    page_of,
    shows,
    total_counts,
)
from tocsin.model.rules import decide_item
from tocsin.model.stream import add_broadcast, new_epoch, too_many, withdraw_broadcasts
from tocsin.ports.audit import Deed
from tocsin.ports.care import Finding
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import (
    AccessKeys,
    AlertListing,
    AlertPage,
    AlertStatus,
    ApiKey,
    Delivered,
    KeyName,
    Listing,
    Swept,
    begun_state,
    processed_state,
)


class MemoryStore:
    """Inboxes, streams and keys in memory; ``queue``, ``receipts``, ``topics`` and ``webhooks`` are beside them."""

    def __init__(self, clock: Clock, limits: StoreLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or StoreLimits()
        self._tables = Tables()
        self._keys: dict[str, ApiKey] = {}
        self._access_keys: dict[str, AccessKeys] = {}
        self.deeds = MemoryDeeds()
        self.editions = MemoryEditions()
        self.receipts = MemoryReceipts(self._tables, clock, self._limits)
        self.queue = MemoryQueue(clock, self._limits, self._tables.alerts, self.deeds)
        self.handover = MemoryHandover(self.queue, self._tables.alerts, clock)
        self.topics = MemoryTopics(self._tables, clock, self._limits, self.deeds)
        self.arrivals = MemoryArrivals(self.alert)
        self.traces = MemoryTraces(self._tables, self.queue, self.alert)
        self.people = MemoryPeople(self.deeds, self.editions)
        self.preferences = MemoryPreferences(self._tables, clock, self.deeds)
        self.event_handlers = MemoryEventHandlers(self.deeds, self.editions)
        self.webhooks = MemoryWebhooks(self._tables, self.deeds)
        self.erasures = MemoryErasures(
            self._tables, self.queue, self.webhooks, clock, self.deeds, self.editions
        )
        self.holdings = MemoryHoldings(self._tables, self.queue, self.webhooks)
        self.devices = MemoryDevices(self._tables, clock)
        self.pushes = MemoryPushes(self._tables, self.devices, self.receipts, clock)
        self.dead_pushes = MemoryDeadPushes(self._tables, self.deeds)
        self.vapid_keys = MemoryVapidKeys(self.deeds, self.editions)

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        """Write what the envelopes say, own items first, then broadcasts."""
        alerts = self._tables.alerts
        spared = self.erasures.spared(envelopes)
        fresh = {e.id: e for e in spared if e.id not in alerts or alerts[e.id].after is not None}
        by_hub: defaultdict[str, list[Envelope]] = defaultdict(list)
        for envelope in fresh.values():
            by_hub[envelope.hub].append(envelope)
        return {hub: self._deliver(self._tables.hub(hub), some) for hub, some in by_hub.items()}

    def _deliver(self, hub: Hub, envelopes: Sequence[Envelope]) -> Delivered:
        now_us = self._clock.now_us()
        by_user: defaultdict[str, list[Envelope]] = defaultdict(list)
        unfinished: list[str] = []
        for envelope in envelopes:
            chunk = self._next_people(hub, envelope, now_us)
            self._keep_alert(envelope, chunk, now_us)
            if not chunk.is_last:
                unfinished.append(envelope.id)
            for user in chunk.users:
                by_user[user].append(envelope)
        changes = [self._arrive(hub, user, by_user[user], now_us) for user in sorted(by_user)]
        entries = [
            entry
            for envelope in envelopes
            if envelope.audience.all and not envelope.is_expired(now_us)
            for entry in self._broadcast(hub, envelope, now_us)
        ]
        told = tuple(c for c in changes if c is not None)
        return Delivered(told, tuple(entries), tuple(unfinished))

    def _next_people(self, hub: Hub, envelope: Envelope, now_us: int) -> Chunk:
        audience, alert = envelope.audience, self._tables.alerts.get(envelope.id)
        if envelope.is_expired(now_us):
            return Chunk(())
        if not audience.expands:
            return Chunk(tuple(dict.fromkeys(audience.users)))
        after = "" if alert is None or alert.after is None else alert.after
        subscribed = [[u for u in hub.topics.get(t, ()) if u > after] for t in audience.topics]
        return next_chunk(audience.users, subscribed, after, self._limits.expand_users)

    def _keep_alert(self, envelope: Envelope, chunk: Chunk, now_us: int) -> None:
        """Keep a new alert, or count the next people of one that expands."""
        alert = self._tables.alerts.get(envelope.id)
        if alert is None:
            late = now_us if envelope.is_expired(now_us) else None
            heard = envelope.audience.all and late is None
            alert = Alert(envelope, now_us, None if heard else 0, expired_us=late)
            self._tables.alerts[envelope.id] = alert
        if alert.recipients is not None:
            alert.recipients += len(chunk.users)
        alert.processed_us = now_us
        alert.after = None if chunk.is_last else chunk.users[-1]

    def _arrive(
        self, hub: Hub, user: str, envelopes: Sequence[Envelope], now_us: int
    ) -> ChangeSet | None:
        inbox = self._tables.inbox(hub.stream.hub, user)
        newest = newest_by_key(inbox.items.values())
        plan = arrive(inbox.head, envelopes, newest, now_us)
        if plan is None:
            return None
        inbox.write(plan)
        inbox.collapses.update((old, (new, now_us)) for old, new in plan.collapses)
        self.pushes.make(hub.stream.hub, inbox, (i.alert_id for i in plan.items), now_us)
        return plan.change_set(hub.stream.epoch)

    def _broadcast(self, hub: Hub, envelope: Envelope, now_us: int) -> list[BroadcastEntry]:
        limits = self._limits
        hub.stream, entry = add_broadcast(hub.stream, envelope, now_us, limits.broadcast_ttl_us)
        if entry.add is not None:
            hub.live[entry.brev] = entry.add
            hub.heard[envelope.id] = entry.brev
            self.pushes.begin_spread(hub, envelope.id, entry.brev, now_us)
        excess = too_many(list(hub.live), limits.broadcasts_per_hub)
        hub.stream, withdrawn = withdraw_broadcasts(hub.stream, excess)
        for brev in excess:
            del hub.live[brev]
        return [entry, *withdrawn]

    async def first_contact(self, hub: str, user: str) -> None:
        """Make the head row if there is none."""
        self._tables.inbox(hub, user)

    async def inbox(
        self, hub: str, user: str, *, limit: int, position: Position | None = None
    ) -> InboxPage | Reload:
        """Read the newest page and all that belongs to its position."""
        inbox, home = self._tables.inbox(hub, user), self._tables.hub(hub)
        head, stands = inbox.head, home.position(inbox.head)
        if must_reload(position, stands, head.floor):
            return Reload(stands)
        items, end = page_of(inbox.listed(), limit)
        live = home.visible(head)
        states = tuple(inbox.states[b.brev] for b in live if b.brev in inbox.states)
        return InboxPage(stands, items, end, tuple(live), states, head.watermarks, head.counts)

    async def older(
        self, hub: str, user: str, *, limit: int, before: int, position: Position | None = None
    ) -> OlderPage | Reload:
        """Read own listed items with ``sort < before``."""
        inbox, home = self._tables.inbox(hub, user), self._tables.hub(hub)
        stands = home.position(inbox.head)
        if must_reload(position, stands, inbox.head.floor):
            return Reload(stands)
        items, end = page_of([i for i in inbox.listed() if i.sort < before], limit)
        return OlderPage(stands, items, end, inbox.head.watermarks)

    async def changes(self, hub: str, user: str, since: Position) -> Changes | Reload:
        """Read everything after ``since`` in one piece."""
        inbox, home = self._tables.inbox(hub, user), self._tables.hub(hub)
        head, stands = inbox.head, home.position(inbox.head)
        items = [item for item in inbox.items.values() if item.rev > since.rev]
        states = [state for state in inbox.states.values() if state.rev > since.rev]
        too_much = len(items) + len(states) > self._limits.change_rows
        if too_much or must_reload(since, stands, head.floor):
            return Reload(stands)
        moved = stands.brev != since.brev
        return Changes(
            position=stands,
            items=tuple(item for item in items if item.marks.deleted_at is None),
            removed=tuple(item.id for item in items if item.marks.deleted_at is not None),
            states=tuple(states),
            watermarks=head.watermarks,
            counts=head.counts,
            broadcasts=tuple(home.visible(head, since.brev)) if moved else (),
            live=tuple(row.brev for row in home.visible(head)) if moved else None,
        )

    async def entries(self, hub: str, user: str, listing: Listing) -> MergedPage:
        """Read own items and broadcasts merged."""
        inbox, home = self._tables.inbox(hub, user), self._tables.hub(hub)
        shown = [
            entry
            for row, entry in self._merged(home, user)
            if shows(entry, listing.status)
            and listing.category in (None, row.category)
            and listing.severity in (None, row.severity)
        ]
        totals = total_counts(inbox.head, home.visible(inbox.head), inbox.states)
        return merge(shown, limit=listing.limit, cursor=listing.cursor, totals=totals)

    async def entry(self, hub: str, user: str, item_id: str) -> Entry | None:
        """Read one row of the merged view."""
        self._tables.inbox(hub, user)
        for _, entry in self._merged(self._tables.hub(hub), user):
            if entry.id == item_id and entry.marks.deleted_at is None:
                return entry
        return None

    def _merged(self, home: Hub, user: str) -> list[tuple[OwnItem | Broadcast, Entry]]:
        inbox = home.inboxes[user]
        marks = inbox.head.watermarks
        own = [(item, item_entry(item, marks)) for item in inbox.items.values()]
        heard = [
            (row, broadcast_entry(row, inbox.states.get(row.brev), marks))
            for row in home.visible(inbox.head)
        ]
        return [*own, *heard]

    async def act(self, hub: str, user: str, command: Command, op_id: str | None) -> Outcome:
        """Carry out a user's command, once per ``op_id``."""
        inbox, now_us = self._tables.inbox(hub, user), self._clock.now_us()
        if op_id is not None and op_id in inbox.ops:
            return inbox.ops[op_id][0]
        home = self._tables.hub(hub)
        outcome = act(home, inbox, command, now_us, self._limits.chunk_rows)
        if op_id is not None:
            inbox.ops[op_id] = (storable(outcome), now_us)
        return outcome

    async def withdraw(self, hub: str, alert_id: str, deed: Deed | None = None) -> Swept:
        """Take an alert back; one that still waits, or is dead, is delivered to nobody."""
        alerts, now_us = self._tables.alerts, self._clock.now_us()
        envelope = self.queue.find(alert_id)
        if envelope is not None and envelope.hub == hub and alert_id not in alerts:
            alerts[alert_id] = Alert(envelope, now_us, 0)
            self.queue.scheduled.pop(alert_id, None)
        alert = alerts.get(alert_id)
        if alert is not None and alert.envelope.hub == hub and alert.withdrawn_us is None:
            alert.withdrawn_us, alert.after = now_us, None
            self.deeds.keep(deed)
        return self._sweep(self._limits.chunk_rows).withdraw(hub, alert_id)

    async def sweep(self, *, limit: int = 500) -> Swept:
        """Wake, expire, retire and purge."""
        return self._sweep(limit).run(self.queue, self.deeds)

    def _sweep(self, limit: int) -> Sweep:
        return Sweep(self._tables, self._limits, self._clock.now_us(), limit)

    async def positions(self, hub: str, users: Sequence[str]) -> Mapping[str, Position]:
        """Tell where known users' inboxes stand."""
        home = self._tables.hub(hub)
        known = (user for user in users if user in home.inboxes)
        return {user: home.position(home.inboxes[user].head) for user in known}

    async def head(self, hub: str, user: str) -> tuple[Head, Position]:
        """Read the counter row."""
        head = self._tables.inbox(hub, user).head
        return head, self._tables.hub(hub).position(head)

    async def alert(self, hub: str, alert_id: str) -> AlertStatus | None:
        """Tell where an alert stands."""
        if (alert := self._tables.alerts.get(alert_id)) is not None:
            return self._begun(alert) if alert.envelope.hub == hub else None
        envelope = self.queue.find(alert_id)
        if envelope is None or envelope.hub != hub:
            return None
        status = AlertStatus(
            id=alert_id,
            hub=hub,
            key_id=envelope.key_id,
            state="scheduled" if alert_id in self.queue.scheduled else "accepted",
            accepted_us=envelope.accepted_us,
            deliver_us=envelope.deliver_us,
        )
        letter = self.queue.dead.get(alert_id)
        return status if letter is None else replace(status, state="dead", reason=letter.reason)

    def _begun(self, alert: Alert) -> AlertStatus:
        envelope = alert.envelope
        decided = [
            decide_item(item, inbox.head.watermarks)
            for inbox in self._tables.hub(envelope.hub).inboxes.values()
            for item in inbox.items.values()
            if item.alert_id == envelope.id
        ]
        expands = alert.after is not None
        letter = self.queue.dead.get(envelope.id) if expands else None
        return AlertStatus(
            id=envelope.id,
            hub=envelope.hub,
            key_id=envelope.key_id,
            state=begun_state(letter)
            if expands
            else processed_state(alert.withdrawn_us, alert.expired_us),
            accepted_us=envelope.accepted_us,
            deliver_us=envelope.deliver_us,
            processed_us=None if expands else alert.processed_us,
            withdrawn_us=alert.withdrawn_us,
            expired_us=alert.expired_us,
            recipients=alert.recipients,
            seen=sum(seen for seen, _ in decided),
            read=sum(read for _, read in decided),
            reason=None if letter is None else letter.reason,
        )

    async def alerts(self, hub: str, listing: AlertListing) -> AlertPage:
        """List alerts in one state, newest first."""
        return alert_page(self._tables.alerts.values(), self.queue, hub, listing)

    async def renew_epoch(self, hub: str | None = None) -> None:
        """Draw new epochs, of one hub or all: every position a client holds is void."""
        homes = self._tables.hubs.values() if hub is None else [self._tables.hub(hub)]
        for home in homes:
            home.stream = replace(home.stream, epoch=new_epoch())

    async def add_key(self, key: ApiKey, deed: Deed | None = None) -> None:
        """Keep a new key."""
        self._keys[key.id] = key
        self.deeds.keep(deed)
        self.editions.count("keys")

    async def keys(self, hub: str | None = None) -> Sequence[ApiKey]:
        """List keys, oldest first."""
        keys = (key for key in self._keys.values() if hub in (None, key.hub))
        return sorted(keys, key=lambda key: (key.created_us, key.id))

    async def revoke_key(self, key_id: str, now_us: int, deed: Deed | None = None) -> bool:
        """Revoke a key; repeating it changes nothing."""
        key = self._keys.get(key_id)
        if key is not None and key.revoked_us is None:
            self._keys[key_id] = replace(key, revoked_us=now_us)
            self.deeds.keep(deed)
            self.editions.count("keys")
        return key is not None

    async def access_keys(self, hub: str) -> AccessKeys | None:
        """Return the hub's sealed access keys, if it has any."""
        return self._access_keys.get(hub)

    async def open_hub(self, hub: str, fresh: AccessKeys) -> AccessKeys:
        """Return the hub's sealed access keys, keeping ``fresh`` if it has none yet."""
        return self._access_keys.setdefault(hub, fresh)

    async def replace_access_key(
        self, hub: str, which: KeyName, fresh: bytes, deed: Deed | None = None
    ) -> bool:
        """Put a sealed key in the place of one of the hub's two."""
        known = self._access_keys.get(hub)
        if known is None:
            return False
        self._access_keys[hub] = replace(known, **{which: fresh})
        self.deeds.keep(deed)
        self.editions.count("access-keys")
        return True

    async def findings(self) -> Sequence[Finding]:
        """Say that nothing here is durable."""
        remedy = "use a store on a disk for anything but trials"
        return [Finding("durability", "warn", "everything is gone when the process ends", remedy)]

    async def check_writable(self) -> None:
        """Memory is always writable, and never durable."""

    async def close(self) -> None:
        """Nothing is open."""
