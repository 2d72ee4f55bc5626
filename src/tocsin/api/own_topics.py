"""The topics that people choose themselves, out of those that the hub opens; others look as if they were not there."""

from collections.abc import Mapping, Sequence

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.api.paging import limit_of, name_after, name_page
from tocsin.clock import to_rfc3339
from tocsin.config import Hub, Limits
from tocsin.errors import NotFoundError
from tocsin.model.ids import check_id
from tocsin.ports.topics import Subscription, TopicStore

_NO_SETTINGS = Hub()
_STEP = 200


class OwnTopics:
    """The routes of a user's own subscriptions: a client token, or a server key with ``?user=``."""

    def __init__(
        self, auth: Authenticator, store: TopicStore, hubs: Mapping[str, Hub], limits: Limits
    ) -> None:
        self._auth = auth
        self._store = store
        self._hubs = hubs
        self._limits = limits

    async def list(self, request: Request) -> Response:
        """``GET /v1/inbox/topics``: what this user chose, and what the hub opens."""
        hub, user = await self._auth.inbox(request)
        limit = limit_of(request)
        found = await self._chosen(hub, user, name_after(request), limit + 1)
        rows = [{"topic": r.topic, "subscribed_at": to_rfc3339(r.since_us)} for r in found]
        return name_page("topics", "topic", rows, limit, open=self._hub(hub).open_topics)

    async def subscribe(self, request: Request) -> Response:
        """``PUT /v1/inbox/topics/{topic}``; repeating it changes nothing."""
        hub, user, topic = await self._named(request)
        most = self._limits.topics_per_user
        await self._store.subscribe(hub, topic, [user], most=most)
        return Response(204)

    async def unsubscribe(self, request: Request) -> Response:
        """``DELETE /v1/inbox/topics/{topic}``; repeating it changes nothing."""
        hub, user, topic = await self._named(request)
        await self._store.unsubscribe(hub, topic, [user])
        return Response(204)

    async def _named(self, request: Request) -> tuple[str, str, str]:
        hub, user = await self._auth.inbox(request)
        topic = check_id(request.params["topic"], "topic")
        if not self._hub(hub).opens(topic):
            detail = f"there is no topic {topic[:80]!r} to choose"
            raise NotFoundError(detail, code="topic-not-found")
        return hub, user, topic

    def _hub(self, name: str) -> Hub:
        return self._hubs.get(name, _NO_SETTINGS)

    async def _chosen(self, hub: str, user: str, after: str, limit: int) -> Sequence[Subscription]:
        """Read the subscriptions to open topics; a closed one is passed over, and its name is told by no cursor."""
        chosen: list[Subscription] = []
        while len(chosen) < limit:
            found = await self._store.topics_of(hub, user, after=after, limit=_STEP)
            chosen += [row for row in found if self._hub(hub).opens(row.topic)]
            if len(found) < _STEP:
                break
            after = found[-1].topic
        return chosen[:limit]
