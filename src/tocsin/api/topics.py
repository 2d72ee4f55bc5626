"""Topics: who subscribes to what, for backends."""

import msgspec
from msgspec.structs import replace

from tocsin.api.auth import Authenticator
from tocsin.api.http import Request, Response
from tocsin.api.name_list import read_names
from tocsin.api.paging import limit_of, name_after, name_page
from tocsin.clock import to_rfc3339
from tocsin.config import Limits
from tocsin.model.ids import check_id
from tocsin.ports.audit import Deed
from tocsin.ports.topics import TopicStore


class Topics:
    """The routes of topics; server and admin keys only."""

    def __init__(self, auth: Authenticator, store: TopicStore, limits: Limits) -> None:
        self._auth = auth
        self._limits = limits
        self._store = store

    async def list(self, request: Request) -> Response:
        """``GET /v1/topics``: the hub's topics, each with the number of its subscribers."""
        hub = self._auth.server(request).hub
        limit, after = limit_of(request), name_after(request)
        found = await self._store.topics(hub, after=after, limit=limit + 1)
        rows = [{"topic": row.topic, "subscribers": row.subscribers} for row in found]
        return name_page("topics", "topic", rows, limit)

    async def subscribers(self, request: Request) -> Response:
        """``GET /v1/topics/{topic}/subscribers``: who, and since when."""
        hub, topic = self._auth.server(request).hub, check_id(request.params["topic"], "topic")
        limit, after = limit_of(request), name_after(request)
        found = await self._store.subscribers(hub, topic, after=after, limit=limit + 1)
        rows = [{"user": r.user, "subscribed_at": to_rfc3339(r.since_us)} for r in found]
        return name_page("subscribers", "user", rows, limit)

    async def topics_of(self, request: Request) -> Response:
        """``GET /v1/users/{user}/topics``: what somebody subscribes to, and since when."""
        hub, user = self._auth.server(request).hub, check_id(request.params["user"], "user")
        limit, after = limit_of(request), name_after(request)
        found = await self._store.topics_of(hub, user, after=after, limit=limit + 1)
        rows = [{"topic": r.topic, "subscribed_at": to_rfc3339(r.since_us)} for r in found]
        return name_page("topics", "topic", rows, limit)

    async def subscribe(self, request: Request, deed: Deed) -> Response:
        """``PUT /v1/topics/{topic}/subscribers/{user}``; repeating it changes nothing."""
        hub, topic, user = self._named(request)
        await self._store.subscribe(hub, topic, [user], deed=_on(deed, topic))
        return Response(204)

    async def subscribe_many(self, request: Request, deed: Deed) -> Response:
        """``POST /v1/topics/{topic}/subscribers``: all of a list in one transaction, or none of it."""
        hub, topic = self._auth.server(request).hub, check_id(request.params["topic"], "topic")
        users = await read_names(request, "user", self._limits.subscribers_per_request)
        added = await self._store.subscribe(hub, topic, users, deed=deed)
        answer = {"subscribed": added, "already": len(set(users)) - added}
        return Response(200, msgspec.json.encode(answer))

    async def unsubscribe(self, request: Request, deed: Deed) -> Response:
        """``DELETE /v1/topics/{topic}/subscribers/{user}``; repeating it changes nothing."""
        hub, topic, user = self._named(request)
        await self._store.unsubscribe(hub, topic, [user], _on(deed, topic))
        return Response(204)

    def _named(self, request: Request) -> tuple[str, str, str]:
        hub = self._auth.server(request).hub
        topic, user = request.params["topic"], request.params["user"]
        return hub, check_id(topic, "topic"), check_id(user, "user")


def _on(deed: Deed, topic: str) -> Deed:
    """Name the topic beside the person, who is the target."""
    return replace(deed, detail={"topic": topic})
