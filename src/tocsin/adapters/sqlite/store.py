"""The embedded store: one SQLite file, one process, one writing thread.

Writes are jobs on the writer (``writer.py``) and durable when their call returns; reads run beside them on snapshots.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeVar

from msgspec.structs import replace

from tocsin.adapters.sql import inboxes, secrets
from tocsin.adapters.sqlite import actions, queries
from tocsin.adapters.sqlite.audit import sqlite_version
from tocsin.adapters.sqlite.connection import connect_writer, warn_if_old
from tocsin.adapters.sqlite.contact import open_heads, open_hub
from tocsin.adapters.sqlite.deeds import SqliteDeeds
from tocsin.adapters.sqlite.delivery import Delivery
from tocsin.adapters.sqlite.devices import SqliteDevices
from tocsin.adapters.sqlite.erasure import SqliteErasures
from tocsin.adapters.sqlite.event_handlers import SqliteEventHandlers
from tocsin.adapters.sqlite.folder import DataFolder
from tocsin.adapters.sqlite.holdings import SqliteHoldings
from tocsin.adapters.sqlite.keyring import SqliteKeyring
from tocsin.adapters.sqlite.migrate import migrate
from tocsin.adapters.sqlite.numbers import Numbers
from tocsin.adapters.sqlite.people import SqlitePeople
from tocsin.adapters.sqlite.preferences import SqlitePreferences
from tocsin.adapters.sqlite.published import alert_page
from tocsin.adapters.sqlite.pushes import SqlitePushes
from tocsin.adapters.sqlite.queries import Snapshot
from tocsin.adapters.sqlite.queue import SqliteQueue, void_leases
from tocsin.adapters.sqlite.readers import Readers
from tocsin.adapters.sqlite.receipts import SqliteReceipts
from tocsin.adapters.sqlite.status import alert_status
from tocsin.adapters.sqlite.sweep import Sweep, Walk
from tocsin.adapters.sqlite.text import sql
from tocsin.adapters.sqlite.topics import SqliteTopics
from tocsin.adapters.sqlite.traces import SqliteTraces
from tocsin.adapters.sqlite.vapid import SqliteVapidKeys
from tocsin.adapters.sqlite.vitals import durability
from tocsin.adapters.sqlite.webhooks import SqliteWebhooks
from tocsin.adapters.sqlite.withdrawal import Withdrawal
from tocsin.adapters.sqlite.writer import Writer
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
_ALL_HUBS, _RENEW = sql(inboxes.all_hubs), sql(inboxes.renew_epoch)
_WRITE_PROBE = sql(secrets.write_probe)


class SqliteStore(SqliteKeyring):
    """Inboxes, streams and keys in one file; ``queue``, ``receipts``, ``topics`` and ``webhooks`` are in the same file.

    Made by :meth:`open`; it holds the data folder until :meth:`close`.
    """

    def __init__(
        self,
        folder: DataFolder,
        writer: Writer,
        numbers: Numbers,
        clock: Clock,
        limits: StoreLimits,
    ) -> None:
        readers = Readers(folder.file)
        super().__init__(writer, readers)
        self._folder = folder
        self._numbers = numbers
        self._clock = clock
        self._limits = limits
        self._walk = Walk()
        self.traces = SqliteTraces(readers)
        self.receipts = SqliteReceipts(writer, readers, clock, limits)
        self.people = SqlitePeople(writer, readers)
        self.preferences = SqlitePreferences(writer, readers, numbers, clock)
        self.webhooks = SqliteWebhooks(writer, readers)
        self.event_handlers = SqliteEventHandlers(writer, readers)
        self.queue = SqliteQueue(writer, readers, numbers, folder, clock, limits)
        self.topics = SqliteTopics(writer, readers, numbers, clock, limits)
        self.erasures = SqliteErasures(writer, readers, numbers, clock, limits.chunk_rows)
        self.holdings = SqliteHoldings(readers)
        self.deeds = SqliteDeeds(writer, readers)
        self.devices = SqliteDevices(writer, readers, numbers, clock)
        self.pushes = SqlitePushes(writer, readers, clock, limits)
        self.vapid_keys = SqliteVapidKeys(writer, readers)

    @classmethod
    async def open(cls, folder: Path, clock: Clock, limits: StoreLimits | None = None) -> Self:
        """Take the data folder, migrate its file, and start the writer.

        Raises:
            ConfigError: another process holds the folder, or a newer release wrote the file.
        """
        warn_if_old()
        held = await asyncio.to_thread(DataFolder, folder)
        try:
            connection, numbers = await asyncio.to_thread(_begin, held.file)
        except BaseException:
            held.release()
            raise
        writer = Writer(held.file, connection, numbers.recount)
        return cls(held, writer, numbers, clock, limits or StoreLimits())

    async def close(self) -> None:
        """Finish what was begun, give back what is leased, fold the log into the file, and let the folder go."""
        await self._readers.close()
        with contextlib.suppress(
            UnavailableError, UnknownOutcomeError
        ):  # then it counts as a crash
            await self.queue.give_back()
        await self._writer.close()
        self._folder.release()

    async def check_writable(self) -> None:
        """Commit a row with an fsync.

        Raises:
            UnavailableError: A publish would not be durable now; the detail says why.
        """
        self._folder.check_room(self._limits.low_water_bytes)
        row = {"probe_no": 1, "at_us": self._clock.now_us()}
        await self._writer.run(lambda connection: connection.execute(_WRITE_PROBE, row).rowcount)

    async def findings(self) -> Sequence[Finding]:
        """Tell whether what is answered is durable."""
        return [sqlite_version(), await self._writer.run(durability)]

    async def renew_epoch(self, hub: str | None = None) -> None:
        """Draw new epochs, of one hub or all: every position a client holds is void."""

        def job(connection: sqlite3.Connection) -> None:
            for hub_no, name, *_ in connection.execute(_ALL_HUBS).fetchall():
                if hub in (None, name):
                    connection.execute(_RENEW, {"at_hub": hub_no, "epoch": new_epoch()})

        await self._writer.run(job)

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        """Write alerts, items, revisions and counts in one transaction; the result is per hub."""
        now_us = self._clock.now_us()
        return await self._writer.run(
            lambda connection: Delivery(connection, self._numbers, self._limits, now_us).run(
                self.erasures.spared(envelopes)
            )
        )

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

    def _made(self, connection: sqlite3.Connection, hub: str, user: str) -> Snapshot:
        """Find an inbox on the writing connection, made if there is none."""
        home = open_hub(connection, self._numbers, hub)
        heads = open_heads(connection, self._numbers, home, [user])
        return Snapshot(connection, home, heads[user])

    async def _read(self, hub: str, user: str, query: Callable[[Snapshot], T]) -> T:
        """Answer a query from a snapshot; the head is made first if this is first contact."""

        def look(connection: sqlite3.Connection) -> tuple[T] | None:
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

        def job(connection: sqlite3.Connection) -> Outcome | actions.Chunk:
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

        def job(connection: sqlite3.Connection) -> tuple[Outcome, actions.Chunk | None]:
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


def _begin(file: Path) -> tuple[sqlite3.Connection, Numbers]:
    """Bring the file up to date and count what is in it; leases of an earlier process are void."""
    migrate(file)
    connection = connect_writer(file)
    void_leases(connection)
    return connection, Numbers(connection)
