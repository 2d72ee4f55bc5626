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
        self.reread(connection)

    def reread(self, connection: Connection) -> None:
        """Find the last number of each kind and count what waits, whoever wrote since."""
        self.user_no = _last(connection, _LAST_USER)
        self.alert_no = _last(connection, _LAST_ALERT)
        self.seq = _last(connection, _LAST_SEQ)
        self.key_no = _last(connection, _LAST_KEY)
        self.hub_no = max((row[0] for row in connection.execute(_ALL_HUBS)), default=0)
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
