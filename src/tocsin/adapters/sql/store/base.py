"""The store in a SQL database: one writing thread in each process.

Writes are jobs on the writer (``writer.py``) and durable when their call returns; reads run beside them on snapshots.
"""

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from msgspec.structs import replace

from tocsin.adapters.sql import inboxes, secrets
from tocsin.adapters.sql.store import actions, queries
from tocsin.adapters.sql.store.arrivals import SqlArrivals
from tocsin.adapters.sql.store.contact import open_heads, open_hub
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.dead_pushes import SqlDeadPushes
from tocsin.adapters.sql.store.deeds import SqlDeeds
from tocsin.adapters.sql.store.delivery import Delivery
from tocsin.adapters.sql.store.devices import SqlDevices
from tocsin.adapters.sql.store.editions import SqlEditions
from tocsin.adapters.sql.store.erasure import SqlErasures
from tocsin.adapters.sql.store.event_handlers import SqlEventHandlers
from tocsin.adapters.sql.store.handover import SqlHandover
from tocsin.adapters.sql.store.holdings import SqlHoldings
from tocsin.adapters.sql.store.keyring import SqlKeyring
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.peers import NOBODY, Peers
from tocsin.adapters.sql.store.people import SqlPeople
from tocsin.adapters.sql.store.preferences import SqlPreferences
from tocsin.adapters.sql.store.published import alert_page
from tocsin.adapters.sql.store.pushes import SqlPushes
from tocsin.adapters.sql.store.queries import Snapshot
from tocsin.adapters.sql.store.queue import SqlQueue
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.receipts import SqlReceipts
from tocsin.adapters.sql.store.sparing import ErasedMeanwhileError, Sparing
from tocsin.adapters.sql.store.status import alert_status
from tocsin.adapters.sql.store.sweep import Sweep, Walk
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.topics import SqlTopics
from tocsin.adapters.sql.store.traces import SqlTraces
from tocsin.adapters.sql.store.vapid import SqlVapidKeys
from tocsin.adapters.sql.store.webhooks import SqlWebhooks
from tocsin.adapters.sql.store.withdrawal import Withdrawal
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.errors import UnavailableError, UnknownOutcomeError
from tocsin.model.alert import Envelope
from tocsin.model.commands import Command, Done, Outcome
from tocsin.model.inbox import (
    Changes,
    ChangeSet,
    Entry,
    Head,
    InboxPage,
    MergedPage,
    OlderPage,
    Reload,
)
from tocsin.model.position import Position
from tocsin.model.stream import new_epoch
from tocsin.ports.audit import Deed
from tocsin.ports.care import Finding
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import AlertListing, AlertPage, AlertStatus, Delivered, Listing, Swept

T = TypeVar("T")
# So often another process may erase somebody while a delivery is written.
_ERASURES_MEANWHILE = 8
_ALL_HUBS, _RENEW = sql(inboxes.all_hubs), sql(inboxes.renew_epoch)
_WRITE_PROBE = sql(secrets.write_probe)


class SqlStore(SqlKeyring, ABC):
    """Inboxes, streams and keys in one database; ``queue``, ``receipts``, ``topics`` and the others are in the same one."""

    def __init__(
        self,
        writer: Writer,
        readers: Readers,
        numbers: Numbers,
        clock: Clock,
        limits: StoreLimits,
        *,
        check_room: Callable[[], None],
        peers: Peers = NOBODY,
    ) -> None:
        super().__init__(writer, readers)
        self._numbers = numbers
        self._clock = clock
        self._limits = limits
        self._check_room = check_room
        self._walk = Walk()
        self.arrivals = SqlArrivals(readers)
        self.traces = SqlTraces(readers)
        self.receipts = SqlReceipts(writer, readers, clock, limits)
        self.people = SqlPeople(writer, readers)
        self.preferences = SqlPreferences(writer, readers, numbers, clock)
        self.webhooks = SqlWebhooks(writer, readers, peers.holder)
        self.event_handlers = SqlEventHandlers(writer, readers)
        self._sparing = Sparing(shared=peers.may_come)
        self.queue = SqlQueue(
            writer, readers, numbers, peers, check_room, clock, limits, leases=self._sparing.leases
        )
        self.handover = SqlHandover(writer, readers, numbers, clock, limits, peers)
        self.topics = SqlTopics(writer, readers, numbers, clock, limits)
        self.erasures = SqlErasures(
            writer, readers, numbers, self._sparing, clock, limits.chunk_rows
        )
        self.holdings = SqlHoldings(readers)
        self.deeds = SqlDeeds(writer, readers)
        self.editions = SqlEditions(readers)
        self.devices = SqlDevices(writer, readers, numbers, clock)
        self.dead_pushes = SqlDeadPushes(writer, readers)
        self.pushes = SqlPushes(writer, readers, peers, clock, limits)
        self.vapid_keys = SqlVapidKeys(writer, readers)

    @abstractmethod
    async def findings(self) -> Sequence[Finding]:
        """Tell whether what is answered is durable."""

    async def close(self) -> None:
        """Finish what was begun, give back what is leased, and let go of the database."""
        await self._readers.close()
        with contextlib.suppress(
            UnavailableError, UnknownOutcomeError
        ):  # then it counts as a crash
            await self.queue.give_back()
        await self._writer.close()

    async def check_writable(self) -> None:
        """Commit a row that has to reach the disk.

        Raises:
            UnavailableError: A publish would not be durable now; the detail says why.
        """
        self._check_room()
        row = {"probe_no": 1, "at_us": self._clock.now_us()}
        await self._writer.run(lambda connection: connection.execute(_WRITE_PROBE, row).rowcount)

    async def renew_epoch(self, hub: str | None = None) -> None:
        """Draw new epochs, of one hub or all: every position a client holds is void."""

        def job(connection: Connection) -> None:
            for hub_no, name, *_ in connection.execute(_ALL_HUBS).fetchall():
                if hub in (None, name):
                    connection.execute(_RENEW, {"at_hub": hub_no, "epoch": new_epoch()})

        await self._writer.run(job)

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        """Write alerts, items, revisions and counts in one transaction; the result is per hub."""
        now_us = self._clock.now_us()

        def job(connection: Connection) -> Mapping[str, Delivered]:
            told = self._sparing.spared(connection, envelopes)
            delivery = Delivery(connection, self._numbers, self._limits, now_us)
            delivered = delivery.run(told)
            self._sparing.check(connection)
            return delivered

        for _ in range(_ERASURES_MEANWHILE):
            with contextlib.suppress(ErasedMeanwhileError):
                return await self._writer.run(job)
        raise UnavailableError("people are being erased all the time; try again")

    async def withdraw(self, hub: str, alert_id: str, deed: Deed | None = None) -> Swept:
        """Take an alert back; call again while the answer says ``more``."""
        withdrawal = Withdrawal(self._numbers, self._limits, self._clock.now_us())
        return await self._writer.run(
            lambda connection: withdrawal.run(connection, hub, alert_id, deed)
        )

    async def sweep(self, *, limit: int = 500) -> Swept:
        """Wake what is due, expire, retire and purge, at most ``limit`` rows."""
        now_us = self._clock.now_us()
        return await self._writer.run(
            lambda connection: Sweep(connection, self._limits, now_us, limit).run(
                self._walk, self._numbers
            )
        )

    async def first_contact(self, hub: str, user: str) -> None:
        """Make the head row if there is none."""
        await self._writer.run(lambda connection: self._made(connection, hub, user).head)

    def _made(self, connection: Connection, hub: str, user: str) -> Snapshot:
        """Find an inbox on the writing connection, made if there is none."""
        home = open_hub(connection, self._numbers, hub)
        heads = open_heads(connection, self._numbers, home, [user])
        return Snapshot(connection, home, heads[user])

    async def _read(self, hub: str, user: str, query: Callable[[Snapshot], T]) -> T:
        """Answer a query from a snapshot; the head is made first if this is first contact."""

        def look(connection: Connection) -> tuple[T] | None:
            found = queries.snapshot(connection, hub, user)
            return None if found is None else (query(found),)

        answer = await self._readers.run(look)
        if answer is None:
            await self.first_contact(hub, user)
            answer = await self._readers.run(look)
        if answer is None:
            msg = f"the head of {user!r} in {hub!r} is gone right after it was made"
            raise RuntimeError(msg)
        return answer[0]

    async def inbox(
        self, hub: str, user: str, *, limit: int, position: Position | None = None
    ) -> InboxPage | Reload:
        """Read the newest page and all that belongs to its position."""
        return await self._read(hub, user, lambda at: queries.newest_page(at, limit, position))

    async def older(
        self, hub: str, user: str, *, limit: int, before: int, position: Position | None = None
    ) -> OlderPage | Reload:
        """Read own listed items with ``sort < before``."""
        return await self._read(
            hub, user, lambda at: queries.older_page(at, limit, before, position)
        )

    async def changes(self, hub: str, user: str, since: Position) -> Changes | Reload:
        """Read everything after ``since`` in one piece."""
        bound = self._limits.change_rows
        return await self._read(hub, user, lambda at: queries.changes_since(at, since, bound))

    async def entries(self, hub: str, user: str, listing: Listing) -> MergedPage:
        """Read own items and broadcasts merged, newest first, seen and read decided."""
        return await self._read(hub, user, lambda at: queries.merged_page(at, listing))

    async def entry(self, hub: str, user: str, item_id: str) -> Entry | None:
        """Read one row of the merged view."""
        return await self._read(hub, user, lambda at: queries.merged_entry(at, item_id))

    async def head(self, hub: str, user: str) -> tuple[Head, Position]:
        """Read the counter row, made if it was not there."""
        return await self._read(hub, user, lambda at: (at.head, at.position))

    async def positions(self, hub: str, users: Sequence[str]) -> Mapping[str, Position]:
        """Tell where known users' inboxes stand, in one snapshot."""
        return await self._readers.run(lambda c: queries.positions_of(c, hub, users))

    async def alert(self, hub: str, alert_id: str) -> AlertStatus | None:
        """Tell where an alert stands, from the moment its publish was answered."""
        return await self._readers.run(lambda c: alert_status(c, hub, alert_id))

    async def alerts(self, hub: str, listing: AlertListing) -> AlertPage:
        """List alerts in one state, newest first."""
        return await self._readers.run(lambda c: alert_page(c, hub, listing))

    async def act(self, hub: str, user: str, command: Command, op_id: str | None) -> Outcome:
        """Carry out a user's command; a repeat under the same ``op_id`` gets the stored answer."""
        now_us = self._clock.now_us()

        def job(connection: Connection) -> Outcome | actions.Chunk:
            at = self._made(connection, hub, user)
            known = actions.remembered(at, op_id)
            if known is not None:
                return known
            outcome = actions.act(at, command, now_us)
            if isinstance(outcome, actions.Chunk):
                return outcome
            return actions.remember(at, op_id, outcome, now_us)

        outcome = await self._writer.run(job)
        if isinstance(outcome, actions.Chunk):
            return await self._mark_category(hub, user, outcome, op_id)
        return outcome

    async def _mark_category(
        self, hub: str, user: str, chunk: actions.Chunk, op_id: str | None
    ) -> Outcome:
        """Mark chunk after chunk, each in a transaction of its own; the op-id is stored with the last."""
        now_us = self._clock.now_us()
        changes: tuple[ChangeSet, ...] = ()

        def job(connection: Connection) -> tuple[Outcome, actions.Chunk | None]:
            at = self._made(connection, hub, user)
            known = actions.remembered(at, op_id)
            if known is not None:  # a repeat that ran beside this one came to its end first
                return known, None
            done, rest = actions.mark_chunk(at, chunk, now_us, self._limits.chunk_rows)
            done = replace(done, changes=(*changes, *done.changes))
            if rest is None:
                actions.remember(at, op_id, done, now_us)
            return done, rest

        while True:
            outcome, rest = await self._writer.run(job)
            if rest is None or not isinstance(outcome, Done):
                return outcome
            chunk, changes = rest, outcome.changes
