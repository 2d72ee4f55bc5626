"""What is held of a person, in the store: read page by page, dropped chunk by chunk."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import msgspec

from tocsin.adapters.sql import holdings, inboxes
from tocsin.adapters.sql.holdings import HOLDINGS, SUBSCRIPTIONS, WAITING, Holding, Waiting
from tocsin.adapters.sql.store.contact import open_hub
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.deeds import keep
from tocsin.adapters.sql.store.editions import count_edition
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.queue import decode_envelope
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import Row, lock_heads
from tocsin.adapters.sql.store.sparing import Sparing
from tocsin.adapters.sql.store.text import Statement, sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.model.erasure import events_about, without
from tocsin.ports.audit import Deed
from tocsin.ports.erasure import Erasure, ErasureRequest

_LOCK_HUB_WHOLE = sql(inboxes.lock_hub_whole)
_RAISE_FLOOR, _RENAME = sql(holdings.raise_floor), sql(holdings.rename_head)
_ADD, _BY_ID = sql(holdings.add_erasure), sql(holdings.erasure_by_id)
_LOCKED = sql(holdings.lock_erasure)
_OPEN, _FINISH = sql(holdings.open_erasures), sql(holdings.finish_erasure)
_NOTE_COUNTS = sql(holdings.note_counts)
_OF_HUB, _OF_ALL = sql(holdings.erasures_of_hub), sql(holdings.erasures_of_all)

_NEWEST: Final = "~"  # above every id
_encode, _decode = msgspec.json.encode, msgspec.json.decode


class _Begun(NamedTuple):
    """A row of the table; ``user`` and ``user_no`` only until it is finished."""

    id: str
    hub: str
    pseudonym: str
    key_id: str
    at_us: int
    finished_us: int | None
    user_no: int | None
    user: str | None
    counts: str

    def record(self) -> Erasure:
        counts = _decode(self.counts, type=dict[str, int])
        return Erasure(
            self.id, self.hub, self.pseudonym, self.key_id, self.at_us, self.finished_us, counts
        )


class _Drop(NamedTuple):
    """The statements that drop a holding, as text."""

    kind: str
    drop: str
    then: tuple[tuple[str, Statement], ...]

    @classmethod
    def of(cls, holding: Holding) -> "_Drop":
        then = tuple((kind, sql(statement)) for kind, statement in holding.then)
        return cls(holding.kind, sql(holding.drop), then)


class _Way(NamedTuple):
    """The statements that find and change alerts on their way, as text."""

    kind: str
    named: str
    payload: str
    rewrite: str
    drop: str

    @classmethod
    def of(cls, way: Waiting) -> "_Way":
        return cls(way.kind, sql(way.named), sql(way.payload), sql(way.rewrite), sql(way.drop))


_DROPS: Final = tuple(map(_Drop.of, HOLDINGS))
_UNSUBSCRIBE: Final = _Drop.of(SUBSCRIPTIONS)
_ON_THEIR_WAY: Final = tuple(map(_Way.of, WAITING))


class SqlErasures:
    """The erasures of one store."""

    def __init__(
        self,
        writer: Writer,
        readers: Readers,
        numbers: Numbers,
        sparing: Sparing,
        clock: Clock,
        chunk_rows: int,
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._numbers = numbers
        self._sparing = sparing
        self._clock = clock
        self._chunk_rows = chunk_rows

    async def begin_erasure(self, request: ErasureRequest, deed: Deed | None = None) -> Erasure:
        """Take the name away from what is held, end the subscriptions, and record the request."""
        now_us = self._clock.now_us()
        whom = (request.hub, request.user)

        def job(connection: Connection) -> Erasure:
            self._sparing.remember(whom, now_us)
            keep(connection, deed)
            return _begin(connection, self._numbers, request, now_us)

        try:
            return await self._writer.run(job)
        except BaseException:
            self._sparing.forget(whom)
            raise

    async def finish_erasure(self, erasure_id: str) -> Erasure:
        """Drop what is held chunk by chunk, and what waits for that person alone."""
        begun = await self._begun(erasure_id)
        if begun.user is not None:
            await self._forget_waiting(begun, begun.user)
            while await self._writer.run(lambda connection: self._drop_some(connection, begun)):
                pass
            begun = await self._begun(erasure_id)
        return begun.record()

    async def unfinished_erasures(self) -> Sequence[str]:
        """Return the ids of what was begun, and remember their names for what is delivered from now on."""
        found = await self._readers.run(lambda c: c.execute(_OPEN).fetchall())
        for _, hub, user, at_us in found:
            self._sparing.remember((hub, user), at_us)
        return [row[0] for row in found]

    async def erasures(
        self, hub: str | None, *, limit: int, below: str | None = None
    ) -> Sequence[Erasure]:
        """List records, newest first."""
        page = {"hub": hub, "below": below or _NEWEST, "limit": limit}
        query = _OF_ALL if hub is None else _OF_HUB
        found = await self._readers.run(lambda c: c.execute(query, page).fetchall())
        return [_Begun(*row).record() for row in found]

    async def _begun(self, erasure_id: str) -> _Begun:
        row = await self._readers.run(lambda c: c.execute(_BY_ID, {"id": erasure_id}).fetchone())
        return _Begun(*row)

    async def _forget_waiting(self, begun: _Begun, user: str) -> None:
        """Take the name out of alerts on their way; who names it is looked up beside the writer, a page at a time."""
        for way in _ON_THEIR_WAY:
            page = {"name": _encode(user), "after": "", "limit": self._chunk_rows}
            while ids := await self._readers.run(_ids(way.named, page)):
                await self._writer.run(partial(self._rewrite, begun, user, way, ids))
                page["after"] = ids[-1]

    def _rewrite(
        self,
        begun: _Begun,
        user: str,
        way: _Way,
        ids: Sequence[str],
        connection: Connection,
    ) -> None:
        changed = sum(_rewrite(connection, begun, user, way, alert_id) for alert_id in ids)
        _count(connection, begun.id, Counter({way.kind: changed}))
        self._numbers.recount(connection)

    def _drop_some(self, connection: Connection, begun: _Begun) -> bool:
        """Drop one chunk; True if there may be more.

        The last one takes the inbox and the name out of the record together, since the number of an inbox that is gone
        may be given to somebody else.
        """
        left = self._chunk_rows
        counts: Counter[str] = Counter()
        for drop in _DROPS:
            if left <= 0:
                _count(connection, begun.id, counts)
                return True
            left -= _drop(connection, drop, {"user_no": begun.user_no, "limit": left}, counts)
        _count(connection, begun.id, counts)
        row = {"at_id": begun.id, "finished_us": self._clock.now_us()}
        connection.execute(_FINISH, row)
        return False


def _begin(
    connection: Connection, numbers: Numbers, request: ErasureRequest, now_us: int
) -> Erasure:
    home = open_hub(connection, numbers, request.hub)
    found = lock_heads(connection, home.hub_no, [request.user]).get(request.user)
    if found is None:  # or a delivery of another process is just making it
        connection.execute(_LOCK_HUB_WHOLE, {"hub_no": home.hub_no}).fetchone()
        found = lock_heads(connection, home.hub_no, [request.user]).get(request.user)
    if found is not None:
        floor = {"at_hub": home.hub_no, "rev": found.head.rev + 1}
        connection.execute(_RAISE_FLOOR, floor)
        # A control character is in no user's name, so this is nobody's.
        nobody = f"\x1f{found.user_no}"
        connection.execute(_RENAME, {"at_user": found.user_no, "nobody": nobody})
    counts: Counter[str] = Counter()
    whose = {"hub_no": home.hub_no, "user": request.user}
    _drop(connection, _UNSUBSCRIBE, whose, counts)
    begun = _Begun(
        request.id,
        request.hub,
        request.pseudonym,
        request.key_id,
        now_us,
        None,
        None if found is None else found.user_no,
        request.user,
        _encode(counts).decode(),
    )
    connection.execute(_ADD, begun._asdict())
    count_edition(connection, "erasures")
    return begun.record()


def _drop(connection: Connection, drop: _Drop, whose: dict[str, Any], counts: Counter[str]) -> int:
    """Drop rows, and what goes with them; return how many."""
    cursor = connection.execute(drop.drop, whose)
    names = [column[0] for column in cursor.description]
    gone = [{**whose, **dict(zip(names, row, strict=True))} for row in cursor.fetchall()]
    if gone:
        counts[drop.kind] += len(gone)
    for kind, statement in drop.then:
        more = connection.executemany(statement, gone).rowcount
        if kind and more > 0:
            counts[kind] += more
    return len(gone)


def _ids(query: str, page: dict[str, Any]) -> Any:  # noqa: ANN401 -- a query for Readers.run
    return lambda connection: [row[0] for row in connection.execute(query, page)]


def _rewrite(connection: Connection, begun: _Begun, user: str, way: _Way, alert_id: str) -> bool:
    """Take a person out of one alert on its way, if it is for that person; False if it only has the word in it."""
    row: Row | None = connection.execute(way.payload, {"at_id": alert_id}).fetchone()
    if row is None:
        return False
    spare = _spare_message if way.kind == "webhook" else _spare_alert
    payload: bytes = row[0]
    left = spare(payload, begun, user)
    if left is None:
        connection.execute(way.drop, {"at_id": alert_id})
    elif left != payload:
        connection.execute(way.rewrite, {"at_id": alert_id, "payload": left})
    return left != payload


def _spare_alert(payload: bytes, begun: _Begun, user: str) -> bytes | None:
    told = decode_envelope(payload)
    left = without(told, user, begun.at_us) if told.hub == begun.hub else told
    if left is None:
        return None
    return payload if left is told else _encode(left)


def _spare_message(payload: bytes, begun: _Begun, user: str) -> bytes | None:
    about, others = events_about(payload, begun.hub, user)
    if not others:
        return None
    return _encode(others) if about else payload


def _count(connection: Connection, erasure_id: str, more: Counter[str]) -> None:
    """Add to the counts of a record."""
    row = _Begun(*connection.execute(_LOCKED, {"id": erasure_id}).fetchone())
    counts = Counter(_decode(row.counts, type=dict[str, int])) + more
    connection.execute(_NOTE_COUNTS, {"at_id": erasure_id, "counts": _encode(counts).decode()})
