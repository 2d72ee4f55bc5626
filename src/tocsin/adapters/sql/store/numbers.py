"""Numbers given out by the one process that holds the store; a number lost to a rollback leaves a harmless gap."""

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
        self.user_no = self.alert_no = self.seq = self.key_no = self.hub_no = 0
        self.reread(connection)

    def reread(self, connection: Connection) -> None:
        """Count what waits, and go on behind the last number of each kind, whoever wrote it.

        None goes back, though its row is gone: an acknowledgement of that row may still be on its way.
        """
        self.user_no = max(self.user_no, _last(connection, _LAST_USER))
        self.alert_no = max(self.alert_no, _last(connection, _LAST_ALERT))
        self.seq = max(self.seq, _last(connection, _LAST_SEQ))
        self.key_no = max(self.key_no, _last(connection, _LAST_KEY))
        hubs = connection.execute(_ALL_HUBS)
        self.hub_no = max(self.hub_no, *(row[0] for row in hubs), 0)
        self.recount(connection)

    def recount(self, connection: Connection) -> None:
        """Count what waits anew, after a rollback."""
        self.waiting = connection.execute(_COUNT_WAITING).fetchone()[0]
        self.scheduled = connection.execute(_COUNT_SCHEDULED).fetchone()[0]

    def next_user(self) -> int:
        """Give out a user's number."""
        self.user_no += 1
        return self.user_no

    def next_alert(self) -> int:
        """Give out an alert's number."""
        self.alert_no += 1
        return self.alert_no

    def next_hub(self) -> int:
        """Give out a hub's number."""
        self.hub_no += 1
        return self.hub_no


def _last(connection: Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row[0])
