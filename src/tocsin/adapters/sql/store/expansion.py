"""Expanding the topics of an alert: the next people of its audience, and the place where it stands."""

from tocsin.adapters.sql import alerts, topics
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.text import sql
from tocsin.model.alert import Audience
from tocsin.model.expansion import Chunk, next_chunk

_NEXT_SUBSCRIBERS = sql(topics.next_subscribers)
_KEEP_PLACE, _END, _REACHED = sql(topics.keep_place), sql(topics.end_expansion), sql(alerts.reached)


def read_chunk(
    connection: Connection, hub_no: int, audience: Audience, after: str, limit: int
) -> Chunk:
    """Read the next people as the topics are now; each topic costs at most ``limit`` and one rows."""
    page = {"hub_no": hub_no, "after": after, "limit": limit + 1}
    subscribed = [
        [row[0] for row in connection.execute(_NEXT_SUBSCRIBERS, {"topic": topic, **page})]
        for topic in dict.fromkeys(audience.topics)
    ]
    return next_chunk(audience.users, subscribed, after, limit)


def keep_place(connection: Connection, alert_no: int, chunk: Chunk) -> None:
    """Note the last of a chunk, or forget the place after the last chunk."""
    if chunk.is_last:
        connection.execute(_END, {"alert_no": alert_no})
    else:
        connection.execute(_KEEP_PLACE, {"alert_no": alert_no, "after": chunk.users[-1]})


def count_reached(connection: Connection, alert_no: int, more: int, now_us: int) -> None:
    """Add the people of a later chunk to those whom the alert reached."""
    connection.execute(_REACHED, {"at_alert": alert_no, "more": more, "processed_us": now_us})
