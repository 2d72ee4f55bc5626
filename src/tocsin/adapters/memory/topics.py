"""Topics and their subscribers in the memory store's rows."""

from collections.abc import Sequence
from itertools import islice

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.tables import Tables
from tocsin.clock import Clock
from tocsin.model.alert import Audience
from tocsin.ports.audit import Deed
from tocsin.ports.limits import StoreLimits
from tocsin.ports.topics import Subscription, Topic, check_most, check_room


class MemoryTopics:
    """Who subscribes to what."""

    def __init__(
        self, tables: Tables, clock: Clock, limits: StoreLimits, deeds: MemoryDeeds
    ) -> None:
        self._deeds = deeds
        self._tables = tables
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
        """Subscribe users to a topic; return how many were not before."""
        if not users:
            return 0
        home = self._tables.hub(hub)
        if topic not in home.topics:
            check_room(len(home.topics), self._limits.topics_per_hub)
        for user in users:
            theirs = {name for name, them in home.topics.items() if user in them}
            if most is not None:
                check_most(len(theirs | {topic}), most)
        there = home.topics.setdefault(topic, {})
        before = len(there)
        for user in users:
            self._tables.inbox(hub, user)
            there.setdefault(user, self._clock.now_us())
        if added := len(there) - before:
            self._deeds.keep(deed, count=added)
        return added

    async def unsubscribe(
        self, hub: str, topic: str, users: Sequence[str], deed: Deed | None = None
    ) -> int:
        """End subscriptions; return how many there were."""
        topics = self._tables.hub(hub).topics
        there = topics.get(topic, {})
        ended = [there.pop(user) for user in set(users) & there.keys()]
        if not there:
            topics.pop(topic, None)
        if ended:
            self._deeds.keep(deed, count=len(ended))
        return len(ended)

    async def topics(self, hub: str, *, after: str, limit: int) -> Sequence[Topic]:
        """List the topics of a hub after the name ``after``."""
        topics = sorted(self._tables.hub(hub).topics.items())
        found = (Topic(topic, len(users)) for topic, users in topics if topic > after)
        return list(islice(found, limit))

    async def subscribers(
        self, hub: str, topic: str, *, after: str, limit: int
    ) -> Sequence[Subscription]:
        """List the subscriptions to a topic of users after the name ``after``."""
        users = sorted(self._tables.hub(hub).topics.get(topic, {}).items())
        found = (Subscription(topic, user, since) for user, since in users if user > after)
        return list(islice(found, limit))

    async def topics_of(
        self, hub: str, user: str, *, after: str, limit: int
    ) -> Sequence[Subscription]:
        """List a user's subscriptions to topics after the name ``after``."""
        topics = sorted(self._tables.hub(hub).topics.items())
        found = (
            Subscription(topic, user, users[user])
            for topic, users in topics
            if topic > after and user in users
        )
        return list(islice(found, limit))

    async def audience_size(self, hub: str, audience: Audience) -> int:
        """Count the people that an alert would reach now."""
        home = self._tables.hub(hub)
        if audience.all:
            return len(home.inboxes)
        subscribed = (home.topics.get(topic, {}) for topic in audience.topics)
        return len(set(audience.users).union(*subscribed))
