"""Topics and their subscribers, in the store."""

from collections.abc import Sequence

from tocsin.adapters.sql import topics
from tocsin.adapters.sql.store.contact import open_heads, open_hub
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.deeds import keep
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import HubRow, Row, as_json, hub_named
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.model.alert import Audience
from tocsin.ports.audit import Deed
from tocsin.ports.limits import StoreLimits
from tocsin.ports.topics import Subscription, Topic, check_most, check_room

_KNOWN, _COUNT_TOPICS, _ADD_TOPIC = (
    sql(topics.known_topic),
    sql(topics.count_topics),
    sql(topics.add_topic),
)
_SUBSCRIBE, _UNSUBSCRIBE = sql(topics.subscribe), sql(topics.unsubscribe)
_COUNT_SUBSCRIBERS, _DROP_EMPTY = sql(topics.count_subscribers), sql(topics.drop_empty_topic)
_TOPICS, _SUBSCRIBERS = sql(topics.topics_page), sql(topics.subscribers_page)
_TOPICS_OF, _COUNT_TOPICS_OF = sql(topics.topics_of_user), sql(topics.count_topics_of_user)
_COUNT_AUDIENCE, _COUNT_USERS = sql(topics.count_audience), sql(topics.count_users)


class SqlTopics:
    """Who subscribes to what."""

    def __init__(
        self, writer: Writer, readers: Readers, numbers: Numbers, clock: Clock, limits: StoreLimits
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._numbers = numbers
        self._clock = clock
        self._limits = limits

    async def subscribe(
        self,
        hub: str,
        topic: str,
        users: Sequence[str],
        *,
        most: int | None = None,
        deed: Deed | None = None,
    ) -> int:
        """Subscribe users to a topic, in one transaction; return how many were not before."""
        now_us = self._clock.now_us()

        def job(connection: Connection) -> int:
            home = open_hub(connection, self._numbers, hub)
            self._open_topic(connection, home, topic)
            open_heads(connection, self._numbers, home, sorted(set(users)))
            row = {"hub_no": home.hub_no, "topic": topic, "since_us": now_us}
            added = connection.executemany(_SUBSCRIBE, [{"user": u, **row} for u in users]).rowcount
            _count(connection, home, topic, added)
            if most is not None:
                _check_users(connection, home, users, most)
            if added:
                keep(connection, deed, count=added)
            return added

        return await self._writer.run(job) if users else 0

    def _open_topic(self, connection: Connection, home: HubRow, topic: str) -> None:
        row = {"hub_no": home.hub_no, "topic": topic}
        if connection.execute(_KNOWN, row).fetchone() is None:
            there = connection.execute(_COUNT_TOPICS, {"hub_no": home.hub_no}).fetchone()[0]
            check_room(there, self._limits.topics_per_hub)
            connection.execute(_ADD_TOPIC, {**row, "subscribers": 0})

    async def unsubscribe(
        self, hub: str, topic: str, users: Sequence[str], deed: Deed | None = None
    ) -> int:
        """End subscriptions, in one transaction; return how many there were."""

        def job(connection: Connection) -> int:
            home = hub_named(connection, hub)
            if home is None:
                return 0
            gone = {"hub_no": home.hub_no, "topic": topic, "users": as_json(users)}
            ended = connection.execute(_UNSUBSCRIBE, gone).rowcount
            _count(connection, home, topic, -ended)
            if ended:
                keep(connection, deed, count=ended)
            return ended

        return await self._writer.run(job)

    async def topics(self, hub: str, *, after: str, limit: int) -> Sequence[Topic]:
        """List the topics of a hub after the name ``after``."""
        found = await self._page(_TOPICS, hub, after=after, limit=limit)
        return [Topic(*row) for row in found]

    async def subscribers(
        self, hub: str, topic: str, *, after: str, limit: int
    ) -> Sequence[Subscription]:
        """List the subscriptions to a topic of users after the name ``after``."""
        found = await self._page(_SUBSCRIBERS, hub, topic=topic, after=after, limit=limit)
        return [Subscription(*row) for row in found]

    async def topics_of(
        self, hub: str, user: str, *, after: str, limit: int
    ) -> Sequence[Subscription]:
        """List a user's subscriptions to topics after the name ``after``."""
        found = await self._page(_TOPICS_OF, hub, user=user, after=after, limit=limit)
        return [Subscription(*row) for row in found]

    async def _page(self, query: str, hub: str, **parameters: object) -> list[Row]:
        def look(connection: Connection) -> list[Row]:
            home = hub_named(connection, hub)
            if home is None:
                return []
            return connection.execute(query, {"hub_no": home.hub_no, **parameters}).fetchall()

        return await self._readers.run(look)

    async def audience_size(self, hub: str, audience: Audience) -> int:
        """Count the people that an alert would reach now."""
        query = _COUNT_USERS if audience.all else _COUNT_AUDIENCE
        named = {"topics": as_json(audience.topics), "users": as_json(audience.users)}

        def look(connection: Connection) -> int:
            # Where there is no hub yet there are no topics; users are counted as they are named.
            home = hub_named(connection, hub)
            here = {"hub_no": 0 if home is None else home.hub_no}
            count: int = connection.execute(query, {**here, **named}).fetchone()[0]
            return count

        return await self._readers.run(look)


def _check_users(connection: Connection, home: HubRow, users: Sequence[str], most: int) -> None:
    for user in users:
        row = {"hub_no": home.hub_no, "user": user}
        check_most(connection.execute(_COUNT_TOPICS_OF, row).fetchone()[0], most)


def _count(connection: Connection, home: HubRow, topic: str, more: int) -> None:
    """Keep the number of subscribers; a topic without any is gone."""
    if more == 0:
        return
    at = {"at_hub": home.hub_no, "at_topic": topic}
    connection.execute(_COUNT_SUBSCRIBERS, {**at, "more": more})
    connection.execute(_DROP_EMPTY, at)
