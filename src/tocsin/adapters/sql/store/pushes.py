"""Pushes in the store: made on the writing thread beside the items, leased in batches, decided on snapshots."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tocsin.adapters.sql import devices, pushes, stream
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.devices import device_row, note_outcome
from tocsin.adapters.sql.store.peers import Peers
from tocsin.adapters.sql.store.queries import Snapshot
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.receipts import note_told
from tocsin.adapters.sql.store.rows import (
    Row,
    as_json,
    heads_of,
    hub_named,
)
from tocsin.adapters.sql.store.standings import snapshots_of, standing, standings
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.model.device import WITHDRAWING
from tocsin.model.ids import uuid7
from tocsin.model.push import (
    Ending,
    PushJob,
    PushKind,
    PushRecord,
    PutBack,
    Standing,
    outlived,
)
from tocsin.model.receipt import Told, by_hub
from tocsin.ports.limits import StoreLimits

_TO_PUSH, _SOME_OF_HUB = sql(devices.to_push), sql(devices.some_of_hub)
_DEVICE = sql(pushes.device_of)
_ADD, _NEXT_DUE, _VOID = sql(pushes.add_push), sql(pushes.next_due), sql(pushes.void_leases)
_LEASE, _LEASED = sql(pushes.lease), sql(pushes.leased)
_HELD_BESIDE, _HELD_ELSEWHERE = sql(pushes.held_beside), sql(pushes.held_elsewhere)
_PUT_BACK, _END, _END_LATE = sql(pushes.put_back), sql(pushes.end), sql(pushes.end_late)
_END_OF_COPY, _WAITING_OF_COPY = sql(pushes.end_of_copy), sql(pushes.waiting_of_copy)
_BEGIN_SPREAD, _OLDEST_SPREAD = sql(pushes.begin_spread), sql(pushes.oldest_spread)
_SPREAD_OF, _NEXT_DEVICES = sql(pushes.spread_of), sql(pushes.next_devices)
_MOVE_SPREAD, _END_SPREAD = sql(pushes.move_spread), sql(pushes.end_spread)
_SHOWN_TO, _NEXT_SHOWING = sql(pushes.shown_to), sql(pushes.next_showing)
_UNSHOW = sql(pushes.unshow)
_COUNT, _OF_COPY = sql(pushes.count_waiting), sql(pushes.of_copy)
_HEARD = sql(stream.heard_of_alert)
_ALERTS = sql(pushes.alerts_named)
_NOBODY: Final = 0  # no process has this number


class SqlPushes:
    """The pushes of one store."""

    def __init__(
        self, writer: Writer, readers: Readers, peers: Peers, clock: Clock, limits: StoreLimits
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._holder = peers.holder
        self._look_s = peers.end_s
        self._next_look_s = time.monotonic() + peers.end_s
        self._clock = clock
        self._limits = limits

    async def resume_pushes(self, now_us: int) -> None:
        """Make due at once what an ended process had leased."""
        await self._void(now_us, self._holder)

    async def _void(self, now_us: int, holder: int) -> None:
        """Make due what processes had leased that are gone, and what this one had."""
        row = {"now_us": now_us, "holder": holder}
        await self._writer.run(lambda c: c.execute(_VOID, row).rowcount)

    async def _look_after_others(self) -> None:
        """Once in a while, make due what a process had leased that is gone."""
        now_s = time.monotonic()
        if now_s >= self._next_look_s:
            self._next_look_s = now_s + self._look_s
            await self._void(self._clock.now_us(), _NOBODY)

    async def next_push_us(self) -> int | None:
        """Tell when the next push is due, also of those that others left when they ended."""
        await self._look_after_others()

        def look(connection: Connection) -> int | None:
            if connection.execute(_OLDEST_SPREAD).fetchone() is not None:
                return 0
            row = connection.execute(_NEXT_DUE).fetchone()
            return None if row is None else int(row[0])

        return await self._readers.run(look)

    async def waiting_pushes(self) -> int:
        """Count what has not ended."""
        return await self._readers.run(lambda c: int(c.execute(_COUNT).fetchone()[0]))

    async def spread_pushes(self, limit: int) -> int:
        """Make pushes of the oldest waiting broadcast for its next devices."""
        return await self._writer.run(lambda c: _spread(c, limit))

    async def lease_pushes(self, now_us: int, until_us: int, limit: int) -> Sequence[PushJob]:
        """Take pushes that are due, the longest due first."""

        def job(connection: Connection) -> list[PushJob]:
            bounds = {
                "now_us": now_us,
                "until_us": until_us,
                "holder": self._holder,
                "limit": limit,
                "one": 1,
            }
            numbers = [row[0] for row in connection.execute(_LEASE, bounds).fetchall()]
            found = connection.execute(_LEASED, {"push_nos": as_json(numbers)})
            return sorted(map(_job, found), key=lambda one: (one.made_us, one.number))

        return await self._writer.run(job)

    async def standings(self, numbers: Sequence[int]) -> Mapping[int, Standing | None]:
        """Tell how the inboxes stand to these pushes."""
        return await self._readers.run(lambda c: standings(c, numbers))

    async def held_elsewhere(self, number: int) -> bool:
        """Tell whether another process has a held push to the same device in hand."""
        which = {"push_no": number, "holder": self._holder}
        found = await self._readers.run(lambda c: c.execute(_HELD_ELSEWHERE, which).fetchone())
        return found is not None

    async def held_beside(self, number: int, limit: int) -> Sequence[int]:
        """Return the other held pushes to the same device."""
        which = {"push_no": number, "limit": limit}
        found = await self._readers.run(lambda c: c.execute(_HELD_BESIDE, which).fetchall())
        return [row[0] for row in found]

    async def put_back_pushes(self, back: Sequence[PutBack]) -> None:
        """Make leased pushes due at other times."""
        now_us = self._clock.now_us()
        rows = [
            {
                "at_push": one.number,
                "due_us": one.due_us,
                "reason": one.reason,
                "untried": int(not one.tried),
                "held_us": now_us if one.held else None,
            }
            for one in back
        ]
        if rows:
            await self._writer.run(lambda c: c.executemany(_PUT_BACK, rows).rowcount)

    async def end_push(
        self, job: PushJob, ending: Ending, told: Sequence[Told], summed: Mapping[int, str]
    ) -> None:
        """End a push, and note what became of it."""
        room = self._limits.receipts_per_copy

        def write(connection: Connection) -> None:
            _end(connection, job, ending, summed)
            for hub, some in by_hub(told).items():
                note_told(connection, hub, some, room, ending.at_us)

        await self._writer.run(write)

    async def withdraw_pushes(self, users: Sequence[tuple[str, str]], now_us: int) -> int:
        """Make withdrawals for devices of these users that show what has outlived itself."""
        found = await self._readers.run(lambda c: _who_is_shown(c, users))
        if not found:
            return 0
        return await self._writer.run(lambda c: _withdraw(c, found, now_us))

    async def withdraw_after(self, place: int, now_us: int, limit: int) -> int | None:
        """Do so for the next users who have such devices."""
        page = {"after": place, "limit": limit}
        rows = await self._readers.run(lambda c: c.execute(_NEXT_SHOWING, page).fetchall())
        found = [row[0] for row in rows]
        if found:
            await self._writer.run(lambda c: _withdraw(c, found, now_us))
        return found[-1] if len(found) == limit else None

    async def cancel_shown(self, told: Sequence[Told]) -> None:
        """End pushes about copies that were shown; a disk that nothing is written to is not troubled."""
        if not told or not await self._readers.run(lambda c: bool(_copies_shown(c, told))):
            return
        now_us = self._clock.now_us()

        def job(connection: Connection) -> None:
            for alert_no, user_no in _copies_shown(connection, told):
                _cancel_shown(connection, alert_no, user_no, now_us)

        await self._writer.run(job)


def write_pushes(connection: Connection, copies: Sequence[tuple[int, int]], now_us: int) -> None:
    """Make pushes of new items, given as numbers of user and alert, for the devices that their users have."""
    users = as_json({user_no for user_no, _ in copies})
    found = connection.execute(_TO_PUSH, {"user_nos": users}).fetchall()
    if not found:
        return
    of_user: dict[int, list[Row]] = {}
    for row in found:
        of_user.setdefault(row[0], []).append(row)
    rows = [
        _fresh(alert_no, user_no, device[1:], now_us)
        for user_no, alert_no in copies
        for device in of_user.get(user_no, ())
    ]
    connection.executemany(_ADD, rows)


def begin_spread(
    connection: Connection, hub_no: int, alert_no: int, brev: int, now_us: int
) -> None:
    """Note that a broadcast is to be pushed, if its hub has any device."""
    if connection.execute(_SOME_OF_HUB, {"hub_no": hub_no}).fetchone() is not None:
        row = {"alert_no": alert_no, "hub_no": hub_no, "brev": brev, "after": 0, "made_us": now_us}
        connection.execute(_BEGIN_SPREAD, row)


def records_of_copy(connection: Connection, alert_no: int, user_no: int) -> tuple[PushRecord, ...]:
    """Read what became of the pushes of one copy."""
    found = connection.execute(_OF_COPY, {"alert_no": alert_no, "user_no": user_no})
    names = PushRecord.__struct_fields__
    return tuple(PushRecord(**dict(zip(names, row, strict=True))) for row in found)


def has_device(connection: Connection, user_no: int) -> bool:
    """Tell whether a user has a device that is reached."""
    return connection.execute(_TO_PUSH, {"user_nos": as_json([user_no])}).fetchone() is not None


def _fresh(
    alert_no: int, user_no: int, device: Sequence[Any], made_us: int, kind: PushKind = "show"
) -> dict[str, Any]:
    device_no, device_id, platform = device
    return {
        "id": uuid7(made_us),
        "alert_no": alert_no,
        "user_no": user_no,
        "device_no": device_no,
        "device": device_id,
        "platform": platform,
        "kind": kind,
        "made_us": made_us,
        "attempts": 0,
        "due_us": made_us,
        "leased_us": None,
        "leased_by": None,
        "push_end": None,
        "reason": None,
        "ended_us": None,
        "held_us": None,
        "showing": None,
        "tag": None,
    }


def _spread(connection: Connection, limit: int) -> int:
    spread = connection.execute(_OLDEST_SPREAD).fetchone()
    if spread is None:
        return 0
    alert_no, hub_no, brev, after, made_us = spread
    page = {"hub_no": hub_no, "after": after, "limit": limit}
    found = connection.execute(_NEXT_DEVICES, page).fetchall()
    connection.executemany(
        _ADD,
        [
            _fresh(alert_no, user_no, (device_no, *told), made_us)
            for device_no, user_no, *told, b_start in found
            if b_start < brev
        ],
    )
    if len(found) < limit:
        connection.execute(_END_SPREAD, {"at_alert": alert_no})
    else:
        connection.execute(_MOVE_SPREAD, {"at_alert": alert_no, "place": found[-1][0]})
    return max(1, len(found))


def _job(row: Row) -> PushJob:
    number, delivery_id, hub, user, alert_id, severity, kind, made_us, attempts, held_us = row[:10]
    tag, device = row[10], row[11:]
    return PushJob(
        number=number,
        delivery_id=delivery_id,
        hub=hub,
        user=user,
        alert_id=alert_id,
        severity=severity,
        device=device_row(device, hub, user).device,
        kind=kind,
        made_us=made_us,
        attempts=attempts,
        held=held_us is not None,
        tag=tag,
    )


def _who_is_shown(connection: Connection, users: Sequence[tuple[str, str]]) -> list[int]:
    """Find those of the users who have devices that show something, by their numbers."""
    by_name: dict[str, list[str]] = {}
    for hub, user in users:
        by_name.setdefault(hub, []).append(user)
    found: set[int] = set()
    for hub, some in by_name.items():
        home = hub_named(connection, hub)
        if home is not None:
            named = heads_of(connection, home.hub_no, some).values()
            user_nos = as_json(row.user_no for row in named)
            found |= {row[1] for row in connection.execute(_SHOWN_TO, {"user_nos": user_nos})}
    return sorted(found)


def _withdraw(connection: Connection, user_nos: Sequence[int], now_us: int) -> int:
    at = snapshots_of(connection, user_nos)
    notifications: dict[int, list[Row]] = {}
    for row in connection.execute(_SHOWN_TO, {"user_nos": as_json(user_nos)}).fetchall():
        notifications.setdefault(row[10], []).append(row)
    return sum(_take_back(connection, at, rows, now_us) for rows in notifications.values())


def _take_back(
    connection: Connection, at: Mapping[int, Snapshot], rows: Sequence[Row], now_us: int
) -> int:
    """Make the withdrawal of what one notification shows, if all of that has outlived itself."""
    found = [standing(at[row[1]], row[2:7]) for row in rows]
    if not all(outlived(one, now_us) for one in found):
        return 0
    connection.executemany(_UNSHOW, [{"at_push": row[0]} for row in rows])
    (_, user_no, alert_no, *_), tag = rows[0], rows[0][11]
    # Where another alert took the place of one, its push took the place of the other's.
    if tag or found[0] is not None or at[user_no].rows(_HEARD, alert_no=alert_no):
        fresh = _fresh(alert_no, user_no, rows[0][7:10], now_us, "withdraw")
        return connection.execute(_ADD, {**fresh, "tag": tag}).rowcount
    return 0


def _end(connection: Connection, job: PushJob, ending: Ending, summed: Mapping[int, str]) -> None:
    shows = ending.end == "accepted" and job.kind == "show" and job.device.platform in WITHDRAWING
    both = {"at_us": ending.at_us, "showing": job.number if shows else None}
    row = {**both, "at_push": job.number, "push_end": ending.end, "reason": ending.reason}
    row["tag"] = job.summary_tag if summed else job.tag
    ended = connection.execute(_END, row).rowcount
    if not ended and ending.end == "accepted":
        connection.execute(_END_LATE, {**row, "cancelled": "cancelled"})
    others = {**both, "push_end": "summed", "tag": None}
    connection.executemany(
        _END, [{**others, "at_push": number, "reason": why} for number, why in summed.items()]
    )
    found = connection.execute(_DEVICE, {"push_no": job.number}).fetchone()
    if found is not None:
        note_outcome(connection, found[0], job.device.registered_us, ending)


def _copies_shown(connection: Connection, told: Iterable[Told]) -> list[tuple[int, int]]:
    """Find the copies, as numbers of alert and user, about which something is still to be pushed."""
    copies: list[tuple[int, int]] = []
    for hub, some in by_hub(told).items():
        home = hub_named(connection, hub)
        if home is None:
            continue
        here = {"hub_no": home.hub_no}
        ids, users = {one.alert_id for one in some}, {one.user for one in some}
        alerts = {r[0]: r[1] for r in connection.execute(_ALERTS, {**here, "ids": as_json(ids)})}
        heads = {u: row.user_no for u, row in heads_of(connection, home.hub_no, users).items()}
        named = {(alerts.get(one.alert_id), heads.get(one.user)) for one in some}
        copies += [
            (alert_no, user_no)
            for alert_no, user_no in named
            if alert_no is not None
            and user_no is not None
            and _is_waiting(connection, alert_no, user_no)
        ]
    return copies


def _is_waiting(connection: Connection, alert_no: int, user_no: int) -> bool:
    copy = {"alert_no": alert_no, "user_no": user_no}
    return any(
        connection.execute(query, copy).fetchone() is not None
        for query in (_WAITING_OF_COPY, _SPREAD_OF)
    )


def _cancel_shown(connection: Connection, alert_no: int, user_no: int, now_us: int) -> None:
    over = {"push_end": "cancelled", "reason": "shown", "at_us": now_us, "showing": None}
    copy = {"at_alert": alert_no, "at_user": user_no, "kind": "show"}
    connection.execute(_END_OF_COPY, {**copy, **over})
    if connection.execute(_SPREAD_OF, {"alert_no": alert_no}).fetchone() is None:
        return
    # The spread has not come to this person's devices, perhaps; it passes over those that have a push.
    found = connection.execute(_TO_PUSH, {"user_nos": as_json([user_no])}).fetchall()
    ended = {"due_us": None, "push_end": "cancelled", "reason": "shown", "ended_us": now_us}
    connection.executemany(
        _ADD, [{**_fresh(alert_no, user_no, row[1:], now_us), **ended} for row in found]
    )
