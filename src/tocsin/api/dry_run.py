"""A publish that is only tried: everything is checked, nothing is published, and the audience is counted."""

import msgspec

from tocsin.api.alerts import Alerts
from tocsin.api.auth import Authenticator
from tocsin.api.http import Handler, Request, Response, Streaming
from tocsin.errors import InvalidInputError
from tocsin.ports.topics import TopicStore


class DryRun:
    """Stands before the publish route."""

    def __init__(self, auth: Authenticator, alerts: Alerts, topics: TopicStore) -> None:
        self._auth = auth
        self._alerts = alerts
        self._topics = topics

    async def publish(self, request: Request) -> Response:
        """``POST /v1/alerts``: published, unless ``?dry_run=true``."""
        if not _wanted(request):
            return await self._alerts.publish(request)
        told = await self._alerts.read(self._auth.producer(request), request)
        recipients = await self._topics.audience_size(told.hub, told.audience)
        return Response(200, msgspec.json.encode({"dry_run": True, "recipients": recipients}))


def never(handler: Handler) -> Handler:
    """Return ``handler`` for a route that would publish all the same: there a dry run is refused."""

    async def checked(request: Request) -> Response | Streaming:
        refuse_dry_run(request)
        return await handler(request)

    return checked


def refuse_dry_run(request: Request) -> None:
    """Refuse a dry run on a route that knows none.

    Raises:
        InvalidInputError: It is asked for.
    """
    if _wanted(request):
        detail = "dry_run=true is not known here, and nothing was published; try each alert with POST /v1/alerts?dry_run=true"
        raise InvalidInputError(detail, code="invalid-query")


def _wanted(request: Request) -> bool:
    text = request.query("dry_run")
    if text not in (None, "true", "false"):
        detail = f"dry_run {text[:40]!r} is neither true nor false"
        raise InvalidInputError(detail, code="invalid-query")
    return text == "true"
