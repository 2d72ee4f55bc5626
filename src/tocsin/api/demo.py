"""What the demo page needs instead of keys: sessions of demo users and publishing.  Only with ``--demo``.

It gives away inboxes of the default hub, so it answers this machine only, or an admin key.
"""

from urllib.parse import urlsplit

import msgspec

from tocsin.api.alerts import Alerts
from tocsin.api.auth import DEFAULT_HUB, Authenticator
from tocsin.api.client_tokens import ClientTokens, TokenRequest
from tocsin.api.endpoints import Endpoints
from tocsin.api.http import Request, Response
from tocsin.api.receipts import Receipts
from tocsin.errors import InvalidInputError
from tocsin.ingest.admission import Producer

PEOPLE = ("ada", "ben", "chloe")
PRODUCER = Producer("demo", DEFAULT_HUB, "Demo")


class Demo:
    """The routes of the demo page."""

    def __init__(
        self,
        auth: Authenticator,
        alerts: Alerts,
        receipts: Receipts,
        tokens: ClientTokens,
        endpoints: Endpoints,
    ) -> None:
        self._auth = auth
        self._own = {urlsplit(address).netloc for address in endpoints.accepted}
        self._alerts = alerts
        self._receipts = receipts
        self._tokens = tokens

    async def session(self, request: Request) -> Response:
        """``POST /demo/session?user=``: sign in as a demo user; an address, as a ``token-url`` is."""
        self._check(request)
        user = request.query("user")
        if user not in PEOPLE:
            detail = f"{(user or '')[:80]!r} is nobody of the demo; name one of those on its page"
            raise InvalidInputError(detail, code="invalid-query")
        issued = await self._tokens.issue(DEFAULT_HUB, TokenRequest(user))
        return Response(200, msgspec.json.encode({**issued, "user": user}))

    async def publish(self, request: Request) -> Response:
        """``POST /demo/alerts``: as ``POST /v1/alerts``."""
        self._check(request)
        return await self._alerts.publish_as(PRODUCER, request)

    async def status(self, request: Request) -> Response:
        """``GET /demo/alerts/{id}``: where an alert of the default hub stands."""
        self._check(request)
        return await self._alerts.answer(await self._alerts.status_in(DEFAULT_HUB, request))

    async def trace(self, request: Request) -> Response:
        """``GET /demo/alerts/{id}/trace?user=``: as ``GET /v1/alerts/{id}/trace``, of the default hub."""
        self._check(request)
        return await self._receipts.trace_in(DEFAULT_HUB, request)

    def _check(self, request: Request) -> None:
        if request.is_local or (request.from_loopback and self._from_own_page(request)):
            return
        self._auth.admin(request)

    def _from_own_page(self, request: Request) -> bool:
        """Whether host and origin are ours: a browser on this machine also opens other people's pages."""
        origin = request.header(b"origin")
        return request.header(b"host") in self._own and (
            origin is None or urlsplit(origin).netloc in self._own
        )
