"""A push service for browsers: it verifies all that a real one does, and more, and misbehaves by path.

An endpoint is ``/BEHAVIOUR/ID``.  What breaks a rule is answered with 400 and kept in ``faults``; what keeps them all is
decrypted, kept in ``received``, and answered as its behaviour says, so a push that is refused was still a good one.
"""

import asyncio
import json
import os
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import jwt
from aiohttp import web
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from tests.push_services.receiving import CURVE, Browser, decode, encode

DAY_S = 86_400
SMALL_BYTES = 700
SLOW_S = 0.3


@dataclass(frozen=True)
class Reply:
    """What a behaviour answers."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def mozilla(status: int, errno: int, message: str, **headers: str) -> Reply:
    said = {"code": status, "errno": errno, "error": "Error", "message": message}
    return Reply(status, json.dumps(said), headers)


def apple(status: int, reason: str) -> Reply:
    return Reply(status, json.dumps({"reason": reason}))


REPLIES = {
    "ok": Reply(201, headers={"Location": "https://push.example/m/secret"}),
    "200": Reply(200),
    "202": Reply(202),
    "204": Reply(204),
    "400": Reply(400, "bad crypto"),
    "401": Reply(401, "no VAPID"),
    "403": Reply(403, "invalid VAPID"),
    "404": Reply(404),
    "405": Reply(405),
    "410": Reply(410),
    "413": Reply(413),
    "429": Reply(429),
    "429-seconds": Reply(429, headers={"Retry-After": "120"}),
    "500": Reply(500),
    "502": Reply(502),
    "503": Reply(503),
    "503-seconds": Reply(503, headers={"Retry-After": "7"}),
    "504": Reply(504),
    "mozilla-103": mozilla(404, 103, "Push subscription has expired."),
    "mozilla-106": mozilla(410, 106, "Subscription was removed."),
    "mozilla-109": mozilla(401, 109, "Request did not validate: expired token."),
    "mozilla-key": mozilla(401, 109, "VAPID public key mismatch"),
    "mozilla-201": mozilla(503, 201, "Use exponential back-off.", **{"Retry-After": "120"}),
    "mozilla-202": mozilla(500, 202, "Try again."),
    "apple-ttl": apple(400, "BadTtl"),
    "apple-urgency": apple(400, "BadUrgency"),
    "apple-jwt": apple(403, "BadJwtToken"),
    "apple-key": apple(400, "VapidPkHashMismatch"),
    "apple-key-403": apple(403, "VapidPkHashMismatch"),
    "fcm-key": Reply(
        403,
        "the VAPID credentials in the authorization header do not correspond to the credentials used "
        "to create the subscriptions.",
    ),
    "redirect": Reply(307, headers={"Location": "/canary"}),
    "redirect-303": Reply(303, headers={"Location": "/canary"}),
}


@dataclass
class Received:
    """A push that kept every rule; ``tries`` counts those to this endpoint with this plaintext."""

    behaviour: str
    id: str
    message: Any
    bytes: int
    ttl_s: int
    urgency: str
    topic: str | None
    content_type: str | None
    wns_type: str | None
    at_s: float


class WebPushService:
    """The service: subscriptions, and what came for them."""

    def __init__(self) -> None:
        self.origin = ""
        self.received: list[Received] = []
        self.faults: list[str] = []
        self.strayed: list[str] = []  # requests that followed a redirect
        self.requests: Counter[str] = Counter()  # by behaviour
        self.tokens: Counter[str] = Counter()
        self._browsers: dict[tuple[str, str], Browser] = {}
        self._ending = asyncio.Event()
        self._special: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
            "apple-topic": self._apple_topic,
            "small": self._small,
            "slow": self._slow,
            "hang": self._hang,
            "huge": self._huge,
            "cut": self._cut,
            "429-date": self._later,
            "flaky": self._flaky,
        }

    def subscribe(self, behaviour: str = "ok") -> dict[str, Any]:
        """Make a subscription, as ``JSON.stringify`` gives it in a browser."""
        assert behaviour in REPLIES or behaviour in self._special, behaviour
        browser, name = Browser(os.urandom(16)), f"s{len(self._browsers)}"
        self._browsers[behaviour, name] = browser
        keys = {"p256dh": encode(browser.p256dh), "auth": encode(browser.auth)}
        endpoint = f"{self.origin}/{behaviour}/{name}"
        return {"endpoint": endpoint, "expirationTime": None, "keys": keys}

    def adopt(self, browser: Browser, name: str, behaviour: str = "ok") -> str:
        """Take a subscription whose keys were made elsewhere; return its endpoint."""
        self._browsers[behaviour, name] = browser
        return f"{self.origin}/{behaviour}/{name}"

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1_000_000)
        app.router.add_post("/subscriptions", self._subscriptions)
        app.router.add_get("/report", self._report)
        app.router.add_route("*", "/canary", self._canary)
        app.router.add_post("/{behaviour}/{name}", self._push)
        return app

    def end(self) -> None:
        """Let go of what hangs."""
        self._ending.set()

    # --- told from another process ----------------------------------------------------------
    async def _subscriptions(self, request: web.Request) -> web.Response:
        count = int(request.query.get("count", "1"))
        behaviour = request.query.get("behaviour", "ok")
        return web.json_response([self.subscribe(behaviour) for _ in range(count)])

    async def _report(self, request: web.Request) -> web.Response:
        since = int(request.query.get("since", "0"))
        return web.json_response(
            {
                "received": [asdict(one) for one in self.received[since:]],
                "faults": self.faults,
                "strayed": self.strayed,
                "requests": self.requests,
            }
        )

    async def _canary(self, request: web.Request) -> web.Response:
        self.strayed.append(request.method)
        return web.Response(status=201)

    # --- a push -----------------------------------------------------------------------------
    async def _push(self, request: web.Request) -> web.StreamResponse:
        behaviour, name = request.match_info["behaviour"], request.match_info["name"]
        self.requests[behaviour] += 1
        try:
            self.received.append(self._verified(request, await request.read(), behaviour, name))
        except (AssertionError, InvalidTag, ValueError, KeyError, jwt.PyJWTError) as error:
            self.faults.append(f"{behaviour}/{name}: {type(error).__name__}: {error}")
            return web.Response(status=400, text=self.faults[-1])
        special = self._special.get(behaviour)
        if special is not None:
            return await special(request)
        reply = REPLIES[behaviour]
        return web.Response(status=reply.status, text=reply.body, headers=reply.headers)

    def _verified(self, request: web.Request, body: bytes, behaviour: str, name: str) -> Received:
        headers = request.headers
        for one in ("TTL", "Urgency", "Topic", "Content-Encoding", "Authorization"):
            assert len(headers.getall(one, [])) <= 1, f"{one} stands there twice"
        assert re.fullmatch("[0-9]{1,10}", headers["TTL"]), f"TTL {headers['TTL']!r}"
        urgency = headers.get("Urgency", "normal")
        assert urgency in ("very-low", "low", "normal", "high"), f"Urgency {urgency!r}"
        topic = headers.get("Topic")
        assert topic is None or re.fullmatch("[A-Za-z0-9_-]{32}", topic), f"Topic {topic!r}"
        assert headers["Content-Encoding"] == "aes128gcm", "Content-Encoding"
        assert headers.get("Content-Type") == "application/octet-stream", "Content-Type"
        assert "Cookie" not in headers
        self._verify_sender(headers["Authorization"])
        plain = self._browsers[behaviour, name].decrypt(body)
        return Received(
            behaviour,
            name,
            json.loads(plain),
            len(body),
            int(headers["TTL"]),
            urgency,
            topic,
            headers.get("Content-Type"),
            headers.get("X-WNS-Type"),
            time.time(),
        )

    def _verify_sender(self, authorization: str) -> None:
        """Check scheme, key, signature, audience, and that it expires within a day (RFC 8292)."""
        self.tokens[authorization] += 1
        if self.tokens[authorization] > 1:
            return
        match = re.fullmatch(r"vapid t=([\w.-]+),\s?k=([\w-]{87})", authorization, re.ASCII)
        assert match is not None, f"Authorization {authorization[:40]!r}"
        key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(match[2]))
        assert jwt.get_unverified_header(match[1]) == {"typ": "JWT", "alg": "ES256"}
        claims = jwt.decode(match[1], key, ["ES256"], audience=self.origin, leeway=1)
        assert claims["aud"] == self.origin, f"aud {claims['aud']!r}"
        assert claims["exp"] <= time.time() + DAY_S, "exp is more than 24 h ahead"
        contact = claims.get("sub", "https://")  # a service of Google's does not ask for one
        assert re.match(r"mailto:[^<> ]+@|https://", contact), f"sub {contact!r}"

    # --- behaviours that are no fixed answer ------------------------------------------------
    async def _apple_topic(self, request: web.Request) -> web.Response:
        bad = "Topic" in request.headers
        return web.json_response(
            {"reason": "BadWebPushTopic"} if bad else {}, status=400 if bad else 201
        )

    async def _small(self, request: web.Request) -> web.Response:
        return web.Response(status=413 if len(await request.read()) > SMALL_BYTES else 201)

    async def _slow(self, _request: web.Request) -> web.Response:
        await asyncio.sleep(SLOW_S)
        return web.Response(status=201)

    async def _hang(self, _request: web.Request) -> web.Response:
        await self._ending.wait()
        return web.Response(status=201)

    async def _huge(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=201)
        await response.prepare(request)
        while not self._ending.is_set():
            await response.write(b"a" * 65_536)
        return response

    async def _cut(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _later(self, _request: web.Request) -> web.Response:
        until = datetime.now(UTC) + timedelta(seconds=100)
        return web.Response(
            status=429, headers={"Retry-After": format_datetime(until, usegmt=True)}
        )

    async def _flaky(self, request: web.Request) -> web.Response:
        """Answer every other push to an endpoint with 503."""
        name = request.match_info["name"]
        count = sum(one.id == name for one in self.received)
        return web.Response(status=503 if count % 2 else 201)
