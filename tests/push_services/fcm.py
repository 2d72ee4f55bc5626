"""Firebase's HTTP v1 API and the OAuth endpoint that opens it: they verify everything, and misbehave by handle.

A handle is ``BEHAVIOUR:ANYTHING``.  What breaks a rule is kept in ``faults`` and answered with 400 of google.rpc.
"""

import asyncio
import json
import re
import secrets
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

PROJECT = "tocsin-test"
EMAIL = f"push@{PROJECT}.iam.gserviceaccount.com"
KEY_ID = "0123456789abcdef0123456789abcdef01234567"
SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_S = 3599
LIMIT_BYTES = 4096
MESSAGE_KEYS = {"token", "fid", "notification", "data", "android", "apns"}
ANDROID_KEYS = {"collapse_key", "priority", "ttl", "notification"}
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"


@dataclass(frozen=True)
class Reply:
    """An error as Firebase words it."""

    http: int
    status: str
    code: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = FCM_ERROR

    def response(self) -> web.Response:
        detail = {"@type": self.kind} | ({"errorCode": self.code} if self.code else {})
        details = [detail] if self.code or self.kind != FCM_ERROR else []
        said = {"code": self.http, "message": "said so", "status": self.status, "details": details}
        return web.json_response({"error": said}, status=self.http, headers=self.headers)


REPLIES = {
    "unregistered": Reply(404, "NOT_FOUND", "UNREGISTERED"),
    "not-found": Reply(404, "NOT_FOUND"),
    "bad-token": Reply(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
    "bad-request": Reply(400, "INVALID_ARGUMENT", kind=BAD_REQUEST),
    "sender": Reply(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
    "quota": Reply(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    "quota-seconds": Reply(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", {"Retry-After": "90"}),
    "unavailable": Reply(503, "UNAVAILABLE", "UNAVAILABLE"),
    "unavailable-seconds": Reply(503, "UNAVAILABLE", "UNAVAILABLE", {"Retry-After": "33"}),
    "internal": Reply(500, "INTERNAL", "INTERNAL"),
    "third-party": Reply(401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
    "denied": Reply(403, "PERMISSION_DENIED"),
    "unauthenticated": Reply(401, "UNAUTHENTICATED"),
    "teapot": Reply(418, "UNKNOWN"),
}


@dataclass
class Received:
    """A message that kept every rule."""

    handle: str
    message: dict[str, Any]
    at_s: float


@cache
def signing_key() -> rsa.RSAPrivateKey:
    """Make the account's key, once: it takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


class FcmService:
    """The API and its token endpoint; ``token_behaviour`` is how the latter answers."""

    def __init__(self) -> None:
        self.origin = ""
        self.received: list[Received] = []
        self.faults: list[str] = []
        self.strayed: list[str] = []
        self.requests: Counter[str] = Counter()
        self.grants = 0
        self.token_behaviour = "ok"
        self._key = signing_key()
        self._tokens: dict[str, float] = {}
        self._ending = asyncio.Event()

    def service_account(self) -> dict[str, str]:
        """Return the key file, as the Firebase console gives it out."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": KEY_ID,
            "private_key": pem.decode(),
            "client_email": EMAIL,
            "client_id": "123456789012345678901",
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": f"{self.origin}/token",
            "universe_domain": "googleapis.com",
        }

    def revoke(self) -> None:
        """Void every access token."""
        self._tokens.clear()

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/service-account", self._service_account)
        app.router.add_get("/report", self._report)
        app.router.add_post("/token-behaviour/{name}", self._set_token_behaviour)
        app.router.add_route("*", "/canary", self._canary)
        app.router.add_post("/token", self._token)
        app.router.add_post("/v1/projects/{project}/messages:send", self._send)
        return app

    def end(self) -> None:
        """Let go of what hangs."""
        self._ending.set()

    # --- told from another process ----------------------------------------------------------
    async def _service_account(self, _request: web.Request) -> web.Response:
        return web.json_response(self.service_account())

    async def _set_token_behaviour(self, request: web.Request) -> web.Response:
        self.token_behaviour = request.match_info["name"]
        return web.Response(status=204)

    async def _report(self, request: web.Request) -> web.Response:
        since = int(request.query.get("since", "0"))
        return web.json_response(
            {
                "received": [asdict(one) for one in self.received[since:]],
                "faults": self.faults,
                "strayed": self.strayed,
                "requests": self.requests,
                "grants": self.grants,
            }
        )

    async def _canary(self, request: web.Request) -> web.Response:
        self.strayed.append(request.method)
        return web.json_response({"access_token": "stolen", "expires_in": 3600})

    # --- OAuth ------------------------------------------------------------------------------
    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.requests["token"] += 1
        try:
            self._verify_assertion(request, await request.post())
        except (AssertionError, KeyError, jwt.PyJWTError) as error:
            self.faults.append(f"token: {type(error).__name__}: {error}")
            return web.json_response({"error": "invalid_grant"}, status=400)
        if self.token_behaviour in ("ok", "short"):
            return self._granted(TOKEN_S if self.token_behaviour == "ok" else 226)
        if self.token_behaviour == "hang":
            await self._ending.wait()
        return denial(self.token_behaviour)

    def _granted(self, life_s: int) -> web.Response:
        token = secrets.token_urlsafe(24)
        self._tokens[token] = time.time() + life_s
        self.grants += 1
        said = {"access_token": token, "expires_in": life_s, "token_type": "Bearer"}
        return web.json_response(said)

    def _verify_assertion(self, request: web.Request, form: Any) -> None:
        assert request.content_type == "application/x-www-form-urlencoded"
        assert form["grant_type"] == GRANT
        assertion = str(form["assertion"])
        head = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        assert jwt.get_unverified_header(assertion) == head
        key, audience = self._key.public_key(), f"{self.origin}/token"
        claims = jwt.decode(assertion, key, ["RS256"], audience=audience, leeway=2)
        assert claims["iss"] == EMAIL
        assert claims["scope"] == SCOPE
        assert claims["aud"] == audience
        assert abs(claims["iat"] - time.time()) < 5
        assert claims["exp"] <= claims["iat"] + 3600

    # --- messages ---------------------------------------------------------------------------
    async def _send(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._tokens.get(token, 0) < time.time():
            self.requests["unknown token"] += 1
            return REPLIES["unauthenticated"].response()
        try:
            assert request.match_info["project"] == PROJECT
            assert request.content_type == "application/json"
            message = verified(await request.json())
        except (AssertionError, KeyError, ValueError, TypeError) as error:
            self.faults.append(f"send: {type(error).__name__}: {error}")
            return REPLIES["bad-request"].response()
        handle = str(message.get("token") or message.get("fid"))
        behaviour = handle.partition(":")[0]
        self.requests[behaviour] += 1
        self.received.append(Received(handle, message, time.time()))
        return await self._reply(request, behaviour)

    async def _reply(self, request: web.Request, behaviour: str) -> web.StreamResponse:
        if behaviour == "hang":
            await self._ending.wait()
        if behaviour == "cut":
            assert request.transport is not None
            request.transport.abort()
        if behaviour in REPLIES:
            return REPLIES[behaviour].response()
        if behaviour in ("nonsense", "huge", "redirect"):
            return strange(behaviour)
        return web.json_response({"name": f"projects/{PROJECT}/messages/{len(self.received)}"})


def strange(behaviour: str) -> web.Response:
    """Answer what no API answers."""
    if behaviour == "redirect":
        return web.Response(status=307, headers={"Location": "/canary"})
    return web.Response(body=b"<html>" * (200_000 if behaviour == "huge" else 1))


def denial(behaviour: str) -> web.Response:
    """Answer without a token: a status, or something of a name."""
    if behaviour.isdigit():
        return web.Response(status=int(behaviour), headers={"Retry-After": "11"})
    if behaviour == "denied":
        said = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        return web.json_response(said, status=400)
    return strange(behaviour)


def verified(body: Any) -> dict[str, Any]:
    """Return the message of a request if it keeps every rule of the reference; an AssertionError names the one it breaks."""
    assert body.keys() == {"message"}
    message: dict[str, Any] = body["message"]
    assert message.keys() <= MESSAGE_KEYS, message.keys()
    assert ("token" in message) != ("fid" in message), "exactly one addressee"
    said = message.get("notification", {})
    assert all(isinstance(text, str) for text in said.values())
    data = message.get("data", {})
    for key, value in data.items():
        assert isinstance(value, str), f"data.{key} is no string"
        assert key not in ("from", "message_type"), key
        assert not key.startswith(("google.", "gcm.notification.")), key
    size = sum(len(k.encode()) + len(v.encode()) for k, v in [*data.items(), *said.items()])
    assert size <= LIMIT_BYTES, f"{size} bytes"
    android = message["android"]
    assert android.keys() <= ANDROID_KEYS, android.keys()
    assert android["priority"] in ("normal", "high")
    assert re.fullmatch(r"\d+s", android["ttl"]), android["ttl"]
    assert int(android["ttl"][:-1]) <= 2_419_200
    _verify_apple(message, is_shown=bool(said))
    return message


def _verify_apple(message: dict[str, Any], *, is_shown: bool) -> None:
    headers = message["apns"]["headers"]
    assert all(isinstance(value, str) for value in headers.values())
    assert len(headers.get("apns-collapse-id", "").encode()) <= 64
    assert headers["apns-push-type"] == ("alert" if is_shown else "background")
    assert headers["apns-priority"] in (("5", "10") if is_shown else ("5",))
    assert 0 <= int(headers["apns-expiration"]) - time.time() + 5 <= 2_419_210
    aps = message["apns"]["payload"]["aps"]
    assert is_shown or aps["content-available"] == 1, "a background push"
    assert len(json.dumps(message["apns"])) <= LIMIT_BYTES
