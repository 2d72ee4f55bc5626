"""What time does to the rows: wake, expire, retire, purge; a bounded number of rows per transaction.

Rows come from small partial indexes over what is due.  Only retention walks: from the oldest alert on, a few rows per round,
with its place kept in memory; after a whole walk it rests for an hour.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tocsin.adapters.sql import (
    alerts,
    collapses,
    deeds,
    inboxes,
    items,
    pushes,
    receipts,
    stream,
    withdrawals,
)
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.delivery import write_withdrawals
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.producer_ids import Forgetting
from tocsin.adapters.sql.store.rows import (
    HeadRow,
    HubRow,
    Row,
    as_json,
    hub_numbered,
    item_of,
    lock_heads_by_no,
    lock_hub,
    state_of,
    write_heads,
    write_marked,
)
from tocsin.adapters.sql.store.text import sql
from tocsin.clock import US_PER_S
from tocsin.model.inbox import BroadcastEntry, ChangeSet, OwnItem, StateRow
from tocsin.model.plan import Plan
from tocsin.model.stream import withdraw_broadcasts
from tocsin.model.upkeep import Reason, bury, purge, retirable, wake
from tocsin.ports.limits import StoreLimits
from tocsin.ports.store import Swept

_TO_WAKE, _STATES_TO_WAKE = sql(items.to_wake), sql(stream.states_to_wake)
_TO_EXPIRE, _BROADCASTS_TO_EXPIRE = sql(items.to_expire), sql(stream.to_expire)
_OLD_TOMBSTONES, _DROP_ITEM = sql(items.old_tombstones), sql(items.drop_item)
_DEAD, _DROP_BROADCAST = sql(stream.dead), sql(stream.drop_broadcast)
_STATES_OF_BROADCAST, _DROP_STATE = sql(stream.states_of_broadcast), sql(stream.drop_state)
_OLDEST_OPS, _DROP_OPS = sql(inboxes.oldest_ops), sql(inboxes.drop_ops)
_OLDEST_DEEDS, _DROP_DEEDS = sql(deeds.oldest), sql(deeds.drop)
_OLDEST_PUSHES, _DROP_PUSHES = sql(pushes.oldest_ended), sql(pushes.drop_pushes)
_NEXT_PROCESSED, _DROP_UNUSED = sql(alerts.next_processed), sql(alerts.drop_unused)
_UNUSED, _DROP_OF_COPY = sql(alerts.unused), sql(receipts.drop_of_copy)
_SOME_RECEIPTS, _DROP_RECEIPT = sql(receipts.some_of_alert), sql(receipts.drop_receipt)
_SOME_COLLAPSES, _DROP_COLLAPSE = sql(collapses.some_of_alert), sql(collapses.drop_collapse)
_DROP_SKETCHES = sql(receipts.drop_sketches)
_OF_ALERT, _STILL_UNREAD = sql(items.of_alert), sql(items.still_unread)
_LIVE_OF_ALERT, _LIVE_BREVS = sql(stream.live_of_alert), sql(stream.live_brevs)
_OLDEST_OPEN = sql(withdrawals.oldest_open)
_NOTE_PLACE, _FINISH = sql(withdrawals.note_place), sql(withdrawals.finish)

_REST_US = 3600 * US_PER_S
_USER_NO = 16  # where the user's number stands after an item's own columns


class Walk:
    """Where retention stands: every alert up to ``alert_no`` is done, and of the next the users up to ``user_no``."""

    def __init__(self) -> None:
        self.alert_no = 0
        self.user_no = 0
        self.rests_until_us = 0


class Sweep:
    """One round on the writing connection: ``limit`` rows at most."""

    def __init__(
        self, connection: Connection, limits: StoreLimits, now_us: int, limit: int
    ) -> None:
        self._connection = connection
        self._limits = limits
        self._now_us = now_us
        self._left = limit
        self._hubs: dict[int, HubRow] = {}
        self._changes: list[tuple[str, ChangeSet]] = []
        self._broadcasts: list[BroadcastEntry] = []

    def run(self, walk: Walk, numbers: Numbers) -> Swept:
        """Do what is due, the urgent first."""
        self._wake()
        self._expire()
        self._expire_broadcasts()
        self._resume_withdrawals()
        self._purge_tombstones()
        self._drop_dead_states()
        before_us = self._now_us - self._limits.tombstone_us
        self._forget(_OLDEST_OPS, _DROP_OPS, "op_nos", before_us)
        self._forget_ids(numbers)
        before_us = self._now_us - self._limits.audit_us
        self._forget(_OLDEST_DEEDS, _DROP_DEEDS, "deed_nos", before_us)
        before_us = self._now_us - self._limits.push_memory_us
        self._forget(_OLDEST_PUSHES, _DROP_PUSHES, "push_nos", before_us)
        self._retire(walk)
        return self._swept()

    def withdraw(self, alert_no: int, hub_no: int, after_user: int) -> Swept:
        """Take one alert back from those who have not read it, and from everybody if it is a broadcast.

        ``after_user`` is the last user who is done.  Where this stopped is noted in the same transaction, so that a later
        round goes on there, whoever asks for it.
        """
        live = self._connection.execute(_LIVE_OF_ALERT, {"alert_no": alert_no})
        self._withdraw_broadcasts(hub_no, [row[0] for row in live])
        found, standing = self._take_own(_STILL_UNREAD, alert_no=alert_no, after=after_user)
        self._bury(standing, "withdrawn")
        if self._left > 0:
            self._connection.execute(_FINISH, {"alert_no": alert_no})
        else:
            place = found[-1][_USER_NO] if found else after_user
            self._connection.execute(_NOTE_PLACE, {"alert_no": alert_no, "after_user": place})
        return self._swept()

    def _swept(self) -> Swept:
        return Swept(tuple(self._changes), tuple(self._broadcasts), more=self._left <= 0)

    def _take(self, query: str, **parameters: object) -> list[Row]:
        """Run a bounded query and pay for its rows."""
        if self._left <= 0:
            return []
        found = self._connection.execute(query, {"limit": self._left, **parameters}).fetchall()
        self._left -= len(found)
        return found

    def _take_own(
        self, query: str, **parameters: object
    ) -> tuple[list[Row], dict[int, list[OwnItem]]]:
        """Take rows of items and lock their inboxes; returns the rows, and what the query finds there by now.

        Between the look and the lock another process may have changed what it is about.
        """
        found = self._take(query, **parameters)
        if not found:
            return [], {}
        locked = lock_heads_by_no(self._connection, {row[_USER_NO] for row in found})
        return found, _by_user(self._again(query, found, locked, _USER_NO, **parameters))

    def _again(
        self,
        query: str,
        found: Sequence[Row],
        locked: Mapping[int, HeadRow],
        user_no: int,
        **parameters: object,
    ) -> list[Row]:
        """Run a query again, for as many rows as before, and return those of locked inboxes."""
        bound = {"limit": len(found), **parameters}
        rows = self._connection.execute(query, bound).fetchall()
        return [row for row in rows if row[user_no] in locked]

    def _hub(self, hub_no: int) -> HubRow:
        if hub_no not in self._hubs:
            self._hubs[hub_no] = hub_numbered(self._connection, hub_no)
        return self._hubs[hub_no]

    def _write(self, row: HeadRow, plan: Plan | None) -> None:
        if plan is not None:
            write_marked(self._connection, row, plan)
            stream_ = self._hub(row.hub_no).stream
            self._changes.append((stream_.hub, plan.change_set(stream_.epoch)))

    def _wake(self) -> None:
        now = {"now": self._now_us}
        items_, states_ = self._take(_TO_WAKE, **now), self._take(_STATES_TO_WAKE, **now)
        if not items_ and not states_:
            return
        due = {row[_USER_NO] for row in items_} | {row[-1] for row in states_}
        locked = lock_heads_by_no(self._connection, due)
        own = _by_user(self._again(_TO_WAKE, items_, locked, _USER_NO, **now))
        heard: defaultdict[int, list[StateRow]] = defaultdict(list)
        for row in self._again(_STATES_TO_WAKE, states_, locked, -1, **now):
            heard[row[-1]].append(state_of(row))
        for user_no, head in locked.items():
            states = heard.get(user_no, [])
            self._write(head, wake(head.head, own.get(user_no, []), states, self._now_us))

    def _expire(self) -> None:
        self._bury(self._take_own(_TO_EXPIRE, now=self._now_us)[1], "expired")

    def _bury(self, own: dict[int, list[OwnItem]], reason: Reason) -> None:
        """Delete items whose inboxes are locked already."""
        for user_no, head in lock_heads_by_no(self._connection, own).items() if own else ():
            self._write(head, bury(head.head, own[user_no], reason, self._now_us))

    def _expire_broadcasts(self) -> None:
        by_hub: defaultdict[int, list[int]] = defaultdict(list)
        for hub_no, brev in self._take(_BROADCASTS_TO_EXPIRE, now=self._now_us):
            by_hub[hub_no].append(brev)
        for hub_no, brevs in by_hub.items():
            self._withdraw_broadcasts(hub_no, sorted(brevs))

    def _resume_withdrawals(self) -> None:
        """Go on with withdrawals that nobody finished, because the process ended or the disk was away."""
        while self._left > 0:
            unfinished = self._connection.execute(_OLDEST_OPEN).fetchone()
            if unfinished is None:
                return
            self.withdraw(*unfinished)

    def _withdraw_broadcasts(self, hub_no: int, brevs: Sequence[int]) -> None:
        if not brevs:
            return
        stream_ = lock_hub(self._connection, hub_no).stream
        all_ = self._connection.execute(_LIVE_BREVS, {"hub_no": hub_no, "above": 0})
        live = {row[0] for row in all_}
        after, entries = withdraw_broadcasts(stream_, [brev for brev in brevs if brev in live])
        write_withdrawals(self._connection, hub_no, after, entries)
        self._hubs[hub_no] = HubRow(hub_no, after)
        self._broadcasts.extend(entries)

    def _purge_tombstones(self) -> None:
        before_us = self._now_us - self._limits.tombstone_us
        before = {"before": before_us}
        found = self._take(_OLD_TOMBSTONES, **before)
        if not found:
            return
        heads = lock_heads_by_no(self._connection, {row[0] for row in found})
        found = self._again(_OLD_TOMBSTONES, found, heads, 0, **before)
        revs: defaultdict[int, list[int]] = defaultdict(list)
        for user_no, _, rev, _ in found:
            revs[user_no].append(rev)
        self._connection.executemany(
            _DROP_ITEM, [{"user_no": row[0], "id": row[1]} for row in found]
        )
        self._connection.executemany(
            _DROP_OF_COPY, [{"user_no": row[0], "alert_no": row[3]} for row in found]
        )
        write_heads(
            self._connection,
            [(user_no, purge(heads[user_no].head, some)) for user_no, some in revs.items()],
        )

    def _drop_dead_states(self) -> None:
        """Drop what users did to dead broadcasts, and each dead broadcast after its last state."""
        dead = self._connection.execute(_DEAD, {"limit": max(0, self._left)}).fetchall()
        for hub_no, brev in dead:
            found = self._take(_STATES_OF_BROADCAST, hub_no=hub_no, brev=brev)
            self._connection.executemany(
                _DROP_STATE, [{"user_no": user_no, "brev": brev} for (user_no,) in found]
            )
            if self._left <= 0:
                return
            self._connection.execute(_DROP_BROADCAST, {"hub_no": hub_no, "brev": brev})
            self._left -= 1

    def _forget(self, oldest: str, drop: str, name: str, before_us: int) -> None:
        """Drop the oldest remembered rows; looking at one that is young enough costs nothing."""
        if self._left <= 0:
            return
        found = self._connection.execute(oldest, {"limit": self._left})
        old = [number for number, at_us in found if at_us < before_us]
        self._connection.execute(drop, {name: as_json(old)})
        self._left -= len(old)

    def _forget_ids(self, numbers: Numbers) -> None:
        if self._left > 0:
            most = self._limits.kept_ids_per_hub
            forgetting = Forgetting(self._connection, numbers, self._now_us, most)
            before_us = self._now_us - self._limits.key_memory_us
            self._left -= forgetting.run(before_us, self._left)

    def _retire(self, walk: Walk) -> None:
        """Walk on: bury old read items, and drop alerts that no row says any more."""
        if walk.rests_until_us > self._now_us:
            return
        before_us = self._now_us - self._limits.read_retention_us
        retired: defaultdict[int, list[OwnItem]] = defaultdict(list)
        while self._left > 0:
            after = {"after": walk.alert_no}
            found = self._connection.execute(_NEXT_PROCESSED, after).fetchone()
            if found is None or found[1] >= before_us:
                walk.alert_no, walk.rests_until_us = 0, self._now_us + _REST_US
                break
            self._retire_alert(walk, found[0], before_us, retired)
        self._bury(retired, "retired")

    def _retire_alert(
        self, walk: Walk, alert_no: int, before_us: int, retired: dict[int, list[OwnItem]]
    ) -> None:
        """Look at the next rows of one alert; after its last one, go on to the next alert."""
        found, own = self._take_own(_OF_ALERT, alert_no=alert_no, after=walk.user_no)
        for user_no, row in lock_heads_by_no(self._connection, own).items() if own else ():
            marks = row.head.watermarks
            old = [item for item in own[user_no] if retirable(item, marks, before_us)]
            if old:
                retired[user_no] += old
        if self._left <= 0:
            walk.user_no = found[-1][_USER_NO]
            return
        if self._connection.execute(_UNUSED, {"alert_no": alert_no}).fetchone() is not None:
            self._forget_what_became_of(alert_no)
            if self._left <= 0:
                return
            self._connection.execute(_DROP_UNUSED, {"alert_no": alert_no})
        walk.alert_no, walk.user_no = alert_no, 0
        self._left -= 1

    def _forget_what_became_of(self, alert_no: int) -> None:
        """Drop what is known of copies that others took the place of, and the counts of a broadcast."""
        for some, drop, names in (
            (_SOME_RECEIPTS, _DROP_RECEIPT, ("hub_no", "number")),
            (_SOME_COLLAPSES, _DROP_COLLAPSE, ("user_no", "alert_no")),
        ):
            found = self._take(some, alert_no=alert_no)
            rows = [dict(zip(names, row, strict=True)) for row in found]
            self._connection.executemany(drop, rows)
        self._connection.execute(_DROP_SKETCHES, {"alert_no": alert_no})


def _by_user(rows: Iterable[Row]) -> dict[int, list[OwnItem]]:
    own: defaultdict[int, list[OwnItem]] = defaultdict(list)
    for row in rows:
        own[row[_USER_NO]].append(item_of(row))
    return own
