"""Topics: durable named sets of subscribed users.

Guarantee: every change is one transaction, durable when its call returns, and repeating it changes nothing.  A topic exists
while it has subscribers; a user exists from the first subscription on.  Lists are in the order of names.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from tocsin.errors import ConflictError
from tocsin.model.alert import Audience
from tocsin.ports.audit import Deed


class Topic(msgspec.Struct, frozen=True):
    """A topic and how many subscribe to it."""

    topic: str
    subscribers: int


class Subscription(msgspec.Struct, frozen=True):
    """Somebody's subscription to a topic, and since when."""

    topic: str
    user: str
    since_us: int


def check_room(topics: int, limit: int) -> None:
    """Refuse one more topic than a hub may have.

    Raises:
        ConflictError: There are ``limit`` already.
    """
    if topics >= limit:
        detail = (
            f"the hub has {topics} topics; at most {limit} are allowed (limits.topics_per_hub); "
            "a topic goes with its last subscriber"
        )
        raise ConflictError(detail, code="too-many-topics")


def check_most(topics: int, most: int) -> None:
    """Refuse more topics than one user may have.

    Raises:
        ConflictError: They would be more than ``most``.
    """
    if topics > most:
        detail = f"at most {most} topics are allowed for one user (limits.topics_per_user); leave one first"
        raise ConflictError(detail, code="too-many-subscriptions")


class TopicStore(Protocol):
    """Who subscribes to what."""

    async def subscribe(
        self,
        hub: str,
        topic: str,
        users: Sequence[str],
        *,
        most: int | None = None,
        deed: Deed | None = None,
    ) -> int:
        """Subscribe users to a topic, all of them or none; return how many were not before.

        Args:
            hub: The hub of both.
            topic: Made if there is none of that name.
            users: They begin to exist if they do not.
            most: How many topics each of them may have afterwards, if there is a bound.
            deed: Who subscribes them, if not they themselves; kept with ``count``, how many were not before.

        Raises:
            ConflictError: The hub has as many topics as it may have, and this would be one more; or a user has.
            UnavailableError: Nothing was changed.
        """
        ...

    async def unsubscribe(
        self, hub: str, topic: str, users: Sequence[str], deed: Deed | None = None
    ) -> int:
        """End subscriptions, all of them or none; return how many there were, the ``count`` of the deed."""
        ...

    async def topics(self, hub: str, *, after: str, limit: int) -> Sequence[Topic]:
        """List the topics of a hub after the name ``after``."""
        ...

    async def subscribers(
        self, hub: str, topic: str, *, after: str, limit: int
    ) -> Sequence[Subscription]:
        """List the subscriptions to a topic of users after the name ``after``."""
        ...

    async def topics_of(
        self, hub: str, user: str, *, after: str, limit: int
    ) -> Sequence[Subscription]:
        """List a user's subscriptions to topics after the name ``after``."""
        ...

    async def audience_size(self, hub: str, audience: Audience) -> int:
        """Count the people that an alert would reach now; for ``all`` the known users of the hub."""
        ...
