"""Writing alerts into inboxes and streams: one job, a few statements however many alerts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tocsin.adapters.sql import alerts, collapses, inboxes, items, stream, waiting
from tocsin.adapters.sql.store.contact import open_heads, open_hub
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.expansion import count_reached, keep_place, read_chunk
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.pushes import begin_spread, write_pushes
from tocsin.adapters.sql.store.rows import (
    HeadRow,
    HubRow,
    as_json,
    item_of,
    lock_hub,
    marks_values,
    write_heads,
)
from tocsin.adapters.sql.store.text import sql
from tocsin.model.alert import Envelope
from tocsin.model.arrival import arrive, owned_collapse_key
from tocsin.model.expansion import Chunk
from tocsin.model.inbox import BroadcastEntry, ChangeSet, OwnItem
from tocsin.model.plan import Plan
from tocsin.model.stream import Stream, add_broadcast, too_many, withdraw_broadcasts
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import Delivered, Fate

_KNOWN, _ADD_ALERT = sql(alerts.known), sql(alerts.add_alert)
_LOCK_ALERTS = sql(alerts.lock_alerts)
_NEWEST_OF_KEY = sql(items.newest_of_key)
_ADD_ITEM, _REPLACE_ITEM = sql(items.add_item), sql(items.replace_item)
_LIVE_BREVS, _ADD_BROADCAST = sql(stream.live_brevs), sql(stream.add_broadcast)
_DROP_DELIVERED = sql(waiting.drop_delivered)
_ADD_COLLAPSE = sql(collapses.add_collapse)
_WITHDRAW, _MOVE_STREAM = sql(stream.withdraw_broadcast), sql(inboxes.move_stream)


class Delivery:
    """One delivery on the writing connection."""

    def __init__(
        self, connection: Connection, numbers: Numbers, limits: StoreLimits, now_us: int
    ) -> None:
        self._connection = connection
        self._numbers = numbers
        self._limits = limits
        self._now_us = now_us
        self._alert_nos: dict[str, int] = {}
        self._places: dict[str, str] = {}
        # Items that are in the table and may say something new.
        self._standing: set[tuple[int, str]] = set()

    def run(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        """Write what was not delivered before; the result is per hub.

        What the queue of this very store holds of it goes in the same transaction: one commit does for both, and the
        acknowledgement that follows finds nothing left to write.
        """
        by_hub: defaultdict[str, list[Envelope]] = defaultdict(list)
        for envelope in self._fresh(envelopes):
            by_hub[envelope.hub].append(envelope)
        delivered = {name: self._deliver(name, by_hub[name]) for name in sorted(by_hub)}
        unfinished = {id_ for result in delivered.values() for id_ in result.unfinished}
        ids = as_json(e.id for e in envelopes if e.id not in unfinished)
        self._numbers.left(self._connection.execute(_DROP_DELIVERED, {"ids": ids}).rowcount)
        return delivered

    def _fresh(self, envelopes: Sequence[Envelope]) -> Iterable[Envelope]:
        """Return what is not delivered, or not to everybody: then its number and place are noted."""
        once = {envelope.id: envelope for envelope in envelopes}
        ids = {"ids": as_json(once)}
        known = self._connection.execute(_KNOWN, ids).fetchall()
        if any(after is not None for *_, after in known):
            # Another process may be at it, or take it back: the place counts that it has under the lock.
            self._connection.execute(_LOCK_ALERTS, ids).fetchall()
            known = self._connection.execute(_KNOWN, ids).fetchall()
        for alert_id, alert_no, after in known:
            if after is None:
                del once[alert_id]
            else:
                self._alert_nos[alert_id] = alert_no
                self._places[alert_id] = after
        return once.values()

    def _deliver(self, name: str, envelopes: Sequence[Envelope]) -> Delivered:
        hub = open_hub(self._connection, self._numbers, name)
        late = [envelope for envelope in envelopes if self._is_late(envelope)]
        if late:
            self.add_alerts(hub, [(envelope, 0) for envelope in late], "expired")
            envelopes = [envelope for envelope in envelopes if not self._is_late(envelope)]
        told = [(envelope, self._next_people(hub, envelope)) for envelope in envelopes]
        self._keep_alerts(hub, told)
        by_user: defaultdict[str, list[Envelope]] = defaultdict(list)
        for envelope, chunk in told:
            for user in chunk.users:
                by_user[user].append(envelope)
        changes = self._arrive(hub, by_user) if by_user else ()
        broadcasts = self._broadcast(hub, envelopes)
        unfinished = tuple(envelope.id for envelope, chunk in told if not chunk.is_last)
        return Delivered(tuple(changes), tuple(broadcasts), unfinished)

    def _is_late(self, envelope: Envelope) -> bool:
        return envelope.id not in self._places and envelope.is_expired(self._now_us)

    def _next_people(self, hub: HubRow, envelope: Envelope) -> Chunk:
        audience = envelope.audience
        if envelope.is_expired(
            self._now_us
        ):  # on its way, so the rest of its audience is not to have it
            return Chunk(())
        if not audience.expands:
            return Chunk(tuple(dict.fromkeys(audience.users)))
        after = self._places.get(envelope.id, "")
        limit = self._limits.expand_users
        return read_chunk(self._connection, hub.hub_no, audience, after, limit)

    def _keep_alerts(self, hub: HubRow, told: Sequence[tuple[Envelope, Chunk]]) -> None:
        """Keep what new alerts say, and how far those have come that expand."""
        fresh = [(e, _recipients(e, chunk)) for e, chunk in told if e.id not in self._places]
        self.add_alerts(hub, fresh)
        for envelope, chunk in told:
            alert_no, begun = self._alert_nos[envelope.id], envelope.id in self._places
            if begun:
                count_reached(self._connection, alert_no, len(chunk.users), self._now_us)
            if begun or not chunk.is_last:
                keep_place(self._connection, alert_no, chunk)

    def add_alerts(
        self,
        hub: HubRow,
        told: Sequence[tuple[Envelope, int | None]],
        fate: Fate | None = None,
    ) -> None:
        """Keep the contents, once per alert, each with the number of its recipients until now."""
        fresh = self._numbers.next_alerts(self._connection, len(told))
        for (envelope, _), alert_no in zip(told, fresh, strict=True):
            self._alert_nos[envelope.id] = alert_no
        self._connection.executemany(
            _ADD_ALERT,
            [
                {
                    "alert_no": self._alert_nos[envelope.id],
                    "id": envelope.id,
                    "hub_no": hub.hub_no,
                    "key_id": envelope.key_id,
                    "accepted_us": envelope.accepted_us,
                    "deliver_us": envelope.deliver_us,
                    "processed_us": self._now_us,
                    "recipients": recipients,
                    "category": envelope.category,
                    "severity": envelope.severity,
                    "content": bytes(envelope.content),
                    "withdrawn_us": self._now_us if fate == "withdrawn" else None,
                    "expired_us": self._now_us if fate == "expired" else None,
                }
                for envelope, recipients in told
            ],
        )

    def _arrive(
        self, hub: HubRow, by_user: Mapping[str, Sequence[Envelope]]
    ) -> Iterable[ChangeSet]:
        users = sorted(by_user)
        heads = open_heads(self._connection, self._numbers, hub, users)
        plans: list[tuple[HeadRow, Plan]] = []
        for user in users:
            row = heads[user]
            newest = self._newest(row.user_no, by_user[user])
            plan = arrive(row.head, by_user[user], newest, self._now_us)
            if plan is not None:
                plans.append((row, plan))
        write_heads(self._connection, [(row.user_no, plan.head) for row, plan in plans])
        self._write_items(plans)
        self._write_collapses(plans)
        self._write_pushes(plans)
        return [plan.change_set(hub.stream.epoch) for _, plan in plans]

    def _newest(self, user_no: int, envelopes: Sequence[Envelope]) -> dict[str, OwnItem]:
        newest = {}
        for envelope in envelopes:
            key = owned_collapse_key(envelope)
            if key is None or key in newest:
                continue
            found = self._connection.execute(
                _NEWEST_OF_KEY, {"user_no": user_no, "collapse_key": key}
            ).fetchone()
            if found is not None:
                newest[key] = item_of(found)
                self._standing.add((user_no, newest[key].id))
        return newest

    def _write_items(self, plans: Iterable[tuple[HeadRow, Plan]]) -> None:
        added, replaced = [], []
        for row, plan in plans:
            for item in plan.items:
                columns = self._columns(item)
                if (row.user_no, item.id) in self._standing:
                    replaced.append({"at_user": row.user_no, "at_id": item.id, **columns})
                else:
                    added.append({"user_no": row.user_no, "id": item.id, **columns})
        self._connection.executemany(_ADD_ITEM, added)
        self._connection.executemany(_REPLACE_ITEM, replaced)

    def _write_collapses(self, plans: Iterable[tuple[HeadRow, Plan]]) -> None:
        self._connection.executemany(
            _ADD_COLLAPSE,
            [
                {"user_no": row.user_no, "id": alert_id, "by_id": by_id, "at_us": self._now_us}
                for row, plan in plans
                for alert_id, by_id in plan.collapses
            ],
        )

    def _write_pushes(self, plans: Iterable[tuple[HeadRow, Plan]]) -> None:
        copies = [
            (row.user_no, self._alert_nos[item.alert_id])
            for row, plan in plans
            for item in plan.items
        ]
        write_pushes(self._connection, copies, self._now_us)

    def _columns(self, item: OwnItem) -> dict[str, int | str | None]:
        return {
            "alert_no": self._alert_nos[item.alert_id],
            "sort": item.sort,
            "rev": item.rev,
            **marks_values(item.marks),
            "collapse_key": item.collapse_key,
            "expires_us": item.expires_us,
            "deleted_by": item.deleted_by,
        }

    def _broadcast(self, hub: HubRow, envelopes: Sequence[Envelope]) -> Sequence[BroadcastEntry]:
        said = [envelope for envelope in envelopes if envelope.audience.all]
        if not said:
            return ()
        hub = lock_hub(self._connection, hub.hub_no)
        live = [
            row[0]
            for row in self._connection.execute(_LIVE_BREVS, {"hub_no": hub.hub_no, "above": 0})
        ]
        now_stream, entries = hub.stream, list[BroadcastEntry]()
        for envelope in said:
            now_stream, added = add_broadcast(
                now_stream, envelope, self._now_us, self._limits.broadcast_ttl_us
            )
            live.append(added.brev)
            excess = too_many(live, self._limits.broadcasts_per_hub)
            now_stream, withdrawn = withdraw_broadcasts(now_stream, excess)
            live = live[len(excess) :]
            entries.extend((added, *withdrawn))
        self._write_stream(hub.hub_no, now_stream, entries)
        return entries

    def _write_stream(self, hub_no: int, after: Stream, entries: Sequence[BroadcastEntry]) -> None:
        self._connection.executemany(
            _ADD_BROADCAST,
            [
                {
                    "hub_no": hub_no,
                    "brev": entry.add.brev,
                    "alert_no": self._alert_nos[entry.add.alert_id],
                    "sort": entry.add.sort,
                    "expires_us": entry.add.expires_us,
                    "withdrawn": None,
                }
                for entry in entries
                if entry.add is not None
            ],
        )
        for entry in entries:
            if entry.add is not None:
                alert_no = self._alert_nos[entry.add.alert_id]
                begin_spread(self._connection, hub_no, alert_no, entry.brev, self._now_us)
        write_withdrawals(self._connection, hub_no, after, entries)


def write_withdrawals(
    connection: Connection, hub_no: int, after: Stream, entries: Sequence[BroadcastEntry]
) -> None:
    """Write ``withdraw`` entries and where the stream stands now."""
    connection.executemany(
        _WITHDRAW,
        [
            {"at_hub": hub_no, "at_brev": entry.withdraw, "withdrawn": entry.brev}
            for entry in entries
            if entry.withdraw is not None
        ],
    )
    connection.execute(
        _MOVE_STREAM, {"at_hub": hub_no, "brev": after.brev, "last_sort": after.last_sort}
    )


def _recipients(envelope: Envelope, chunk: Chunk) -> int | None:
    return None if envelope.audience.all else len(chunk.users)
