"""Numbers given out by the one process that holds the store; a number lost to a rollback leaves a harmless gap."""

from collections.abc import Iterable

from tocsin.adapters.sql import alerts, inboxes, schedule, waiting
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.text import sql

_LAST_USER, _LAST_ALERT = sql(inboxes.last_user_no), sql(alerts.last_alert_no)
_LAST_SEQ, _LAST_KEY = sql(waiting.last_seq), sql(waiting.last_key_no)
_COUNT_WAITING, _COUNT_SCHEDULED = sql(waiting.count_waiting), sql(schedule.count_all)
_ALL_HUBS = sql(inboxes.all_hubs)


class Numbers:
    """The next number of each kind, and how many envelopes wait, on the queue or for their time; touched in the writer's thread only."""

    def __init__(self, connection: Connection) -> None:
        self._user_no = self._alert_no = self._seq = self._key_no = self._hub_no = 0
        self.reread(connection)

    def reread(self, connection: Connection) -> None:
        """Count what waits, and go on behind the last number of each kind, whoever wrote it.

        None goes back, though its row is gone: an acknowledgement of that row may still be on its way.
        """
        self._user_no = max(self._user_no, _last(connection, _LAST_USER))
        self._alert_no = max(self._alert_no, _last(connection, _LAST_ALERT))
        self._seq = max(self._seq, _last(connection, _LAST_SEQ))
        self._key_no = max(self._key_no, _last(connection, _LAST_KEY))
        hubs = connection.execute(_ALL_HUBS)
        self._hub_no = max(self._hub_no, *(row[0] for row in hubs), 0)
        self.recount(connection)

    def recount(self, connection: Connection) -> None:
        """Count what waits anew, after a rollback."""
        self._waiting = connection.execute(_COUNT_WAITING).fetchone()[0]
        self._scheduled = connection.execute(_COUNT_SCHEDULED).fetchone()[0]

    def lengths(self, connection: Connection) -> tuple[int, int]:  # noqa: ARG002 -- nobody else changes them
        """Tell how much is on the queue, and how much waits for its time."""
        return self._waiting, self._scheduled

    def joined(self, more: int) -> None:
        """Count what came onto the queue."""
        self._waiting += more

    def left(self, fewer: int) -> None:
        """Count what left the queue."""
        self._waiting -= fewer

    def planned(self, more: int) -> None:
        """Count what came to wait for its time, or with a negative number what does not any more."""
        self._scheduled += more

    def next_users(self, connection: Connection, count: int) -> Iterable[int]:  # noqa: ARG002 -- of others they come from it
        """Give out numbers of users."""
        self._user_no += count
        return range(self._user_no - count + 1, self._user_no + 1)

    def next_alerts(self, connection: Connection, count: int) -> Iterable[int]:  # noqa: ARG002 -- as above
        """Give out numbers of alerts."""
        self._alert_no += count
        return range(self._alert_no - count + 1, self._alert_no + 1)

    def next_hub(self, connection: Connection) -> int:  # noqa: ARG002 -- as above
        """Give out a hub's number."""
        self._hub_no += 1
        return self._hub_no

    def seqs(self, count: int) -> Iterable[int]:
        """Give out places on the queue; a database that has several writers counts these by itself (``Counted``)."""
        self._seq += count
        return range(self._seq - count + 1, self._seq + 1)

    def key_nos(self, count: int) -> Iterable[int]:
        """Give out numbers of producers' ids, likewise."""
        self._key_no += count
        return range(self._key_no - count + 1, self._key_no + 1)


def _last(connection: Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row[0])
