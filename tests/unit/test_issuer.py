"""Tokens of an application's own issuer: which hold, what they say, and how its keys are read."""

import asyncio
import base64
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.unit.issuing import (
    AUDIENCE,
    EC_KEY,
    ISSUER,
    JWKS_URL,
    OTHER_RSA_KEY,
    RSA_KEY,
    issued,
    jwk,
    key_set,
)
from tests.unit.scripted_outbound import ScriptedOutbound
from tocsin.config import Hub, Settings, load
from tocsin.config import Issuer as IssuerSettings
from tocsin.errors import ConfigError, TocsinError, UnavailableError
from tocsin.ports.outbound import Answer, Failed, Outcome, Refused
from tocsin.realtime.doorkeeper import Doorkeeper
from tocsin.realtime.issuer import Issuer
from tocsin.realtime.key_set import KeySet, signing_key
from tocsin.realtime.tokens import Claims, sign_token
from tocsin.supervisor import Supervisor
from tocsin.testing import ManualClock

HOST = "https://alerts.example"
KEYS = (b"p" * 32, b"s" * 32)
PUBLISHED = Answer(200, (), key_set(jwk(RSA_KEY, "r"), jwk(EC_KEY, "e")))
AWAY = Failed("unreachable", "no connection")
SETTINGS = {"jwks_url": JWKS_URL, "issuer": ISSUER, "audience": AUDIENCE}


class Ring:
    """The hub's own keys; ``valid_from`` is the revocation of everybody's tokens."""

    valid_from = -1

    async def access_keys(self, hub: str) -> tuple[bytes, bytes]:
        return KEYS

    async def valid_from_us(self, hub: str, user: str) -> int:
        return self.valid_from


class House:
    """A doorkeeper with an issuer for the hub ``h``, whose key set is what the outbound script says."""

    def __init__(self, *outcomes: Outcome, **settings: Any) -> None:
        self.clock, self.outbound, self.ring = ManualClock(), ScriptedOutbound(*outcomes), Ring()
        said = IssuerSettings(**SETTINGS, **settings)
        keys = KeySet(JWKS_URL, said.algorithms, self.outbound, self.clock, Supervisor())
        issuers = {"h": Issuer("h", said, keys)}
        self.door = Doorkeeper(self.ring, [HOST], self.clock, issuers)

    def token(self, *args: Any, **changes: Any) -> str:
        return issued(self.clock.now_us(), *args, **changes)

    async def admit(self, token: str, hub: str = "h") -> Claims:
        return await self.door.admit(hub, token)

    async def code(self, token: str, hub: str = "h") -> str:
        with pytest.raises(TocsinError) as refused:
            await self.admit(token, hub)
        return refused.value.code


async def test_a_token_of_either_algorithm_is_good_and_opens_what_the_settings_say() -> None:
    house = House(PUBLISHED)
    claims = await house.admit(house.token(scope="inbox", role="webpubsub.sendToGroup"))
    assert (claims.hub, claims.user, claims.roles) == ("h", "ada", ())
    assert not claims.opens_inbox
    other = await house.admit(house.token(EC_KEY, "ES256", {"kid": "e"}))
    assert other.user == "ada"
    assert None not in {claims.signer, other.signer}
    assert claims.signer != other.signer
    [call] = house.outbound.calls
    assert (call.method, call.purpose, call.url) == ("GET", "key-set", JWKS_URL)


async def test_claims_are_read_under_the_names_that_the_settings_give() -> None:
    house = House(
        PUBLISHED,
        user_claim="email",
        inbox_claim="permissions",
        inbox_value="alerts:read",
        role_claim="tocsin_roles",
        group_claim="teams",
    )
    token = house.token(
        email="ada@example.org",
        permissions=["x", "alerts:read"],
        tocsin_roles="webpubsub.joinLeaveGroup",
        teams=["a", "b"],
        role="webpubsub.sendToGroup",
        scope="inbox",
    )
    claims = await house.admit(token)
    assert claims.user == "ada@example.org"
    assert claims.roles == ("webpubsub.joinLeaveGroup",)
    assert claims.groups == ("a", "b")
    assert claims.opens_inbox
    assert not (await house.admit(house.token(email="ben", scope="inbox"))).opens_inbox


async def test_the_inbox_api_finds_the_hub_by_issuer_and_audience() -> None:
    house = House(PUBLISHED)
    assert (await house.door.admit_anywhere(house.token(aud=["other", AUDIENCE]))).hub == "h"
    for changes in ({"aud": "other"}, {"iss": "https://other.example/"}):
        with pytest.raises(TocsinError) as refused:
            await house.door.admit_anywhere(house.token(**changes))
        assert refused.value.code == "token-malformed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://other.example/"}, "token-audience"),
        ({"iss": None}, "token-audience"),
        ({"aud": "other"}, "token-audience"),
        ({"aud": None}, "token-audience"),
        ({"exp": 1}, "token-expired"),
        ({"exp": None}, "token-malformed"),
        ({"nbf": 4_000_000_000}, "token-not-yet-valid"),
        ({"sub": "a\0"}, "token-malformed"),
    ],
)
async def test_a_token_that_says_something_else_is_refused(
    changes: dict[str, Any], code: str
) -> None:
    house = House(PUBLISHED)
    assert await house.code(house.token(**changes)) == code


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """Make a token that no library would sign: HMAC under a public key, or no signature."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in (header, claims)
    ]
    text = b".".join(parts)
    mac = b"" if secret is None else hmac.digest(secret, text, "sha256")
    return (text + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


@pytest.mark.parametrize("key", [RSA_KEY, EC_KEY])
async def test_a_public_key_is_no_secret_to_sign_with(key: Any) -> None:
    house = House(PUBLISHED)
    now_s = house.clock.now_us() // 1_000_000
    kid = "r" if key is RSA_KEY else "e"
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": now_s + 60}
    formats = serialization.PublicFormat
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, formats.SubjectPublicKeyInfo)
    der = key.public_key().public_bytes(serialization.Encoding.DER, formats.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), der, key_set(jwk(key, kid)), b""):
        for algorithm in ("HS256", "HS512", "RS256", "ES256", "none", "None", ""):
            token = by_hand({"alg": algorithm, "kid": kid}, claims, secret)
            assert await house.code(token) in {"token-signature", "token-malformed"}
    for algorithm in ("none", "NONE", "RS256"):
        token = by_hand({"alg": algorithm, "kid": kid}, claims, None)
        assert await house.code(token) == "token-signature"


async def test_a_key_verifies_its_own_algorithm_only() -> None:
    house = House(PUBLISHED)
    crossed = [
        house.token(RSA_KEY, "RS256", {"kid": "e"}),
        house.token(EC_KEY, "ES256", {"kid": "r"}),
        house.token(RSA_KEY, "RS512"),
        house.token(RSA_KEY, "PS256"),
        house.token(OTHER_RSA_KEY, "RS256"),
        house.token(RSA_KEY, "RS256", {"kid": "unknown"}),
        house.token(RSA_KEY, "RS256", {"typ": "JWT"}),
        house.token(RSA_KEY, "RS256", {"kid": "x", "jwk": jwk(RSA_KEY, "x")}),
        house.token(RSA_KEY, "RS256", {"kid": "x", "jku": JWKS_URL}),
    ]
    assert {await house.code(token) for token in crossed} == {"token-signature"}
    pinned = House(PUBLISHED, algorithms=["ES256"])
    assert await pinned.code(pinned.token()) == "token-signature"


async def test_the_hubs_own_tokens_and_other_hubs_are_as_they_were() -> None:
    house = House(PUBLISHED)
    now_us = house.clock.now_us()
    own, _ = sign_token(KEYS, endpoint=HOST, hub="h", user="ben", ttl_s=60, now_us=now_us)
    assert (await house.admit(own)).signer == "primary"
    assert await house.code(house.token(), "other") == "token-malformed"
    assert house.outbound.calls == []


async def test_revoked_tokens_of_an_issuer_are_void_and_one_without_iat_counts_as_old() -> None:
    house = House(PUBLISHED)
    house.ring.valid_from = house.clock.now_us() - 1
    assert (await house.admit(house.token())).user == "ada"
    assert await house.code(house.token(iat=None)) == "token-revoked"
    house.ring.valid_from = house.clock.now_us()
    assert await house.code(house.token()) == "token-revoked"


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"key_ops": ["sign"]},
        {"d": "AQAB"},
        {"n": "AQAB"},
        {"n": 7},
        {"e": None},
        {"kty": ["RSA"]},
        {"kid": 7},
        {"key_ops": 7},
    ],
)
def test_a_key_that_is_not_for_verifying_is_none(changes: dict[str, Any]) -> None:
    assert signing_key(jwk(RSA_KEY, "r"), ["RS256"]) is not None
    assert signing_key(jwk(RSA_KEY, "r") | changes, ["RS256"]) is None


def test_short_rsa_keys_and_other_curves_are_none() -> None:
    short = rsa.generate_private_key(public_exponent=65_537, key_size=1024)
    other = ec.generate_private_key(ec.SECP384R1())
    assert signing_key(jwk(short, "k"), ["RS256"]) is None
    assert signing_key(jwk(other, "k"), ["ES256"]) is None
    assert signing_key(jwk(EC_KEY, "k"), ["RS256"]) is None


async def test_without_a_key_id_the_only_key_counts() -> None:
    house = House(Answer(200, (), key_set(jwk(RSA_KEY, "r"))))
    assert (await house.admit(house.token(headers={"typ": "JWT"}))).user == "ada"


async def test_an_unknown_key_has_the_set_read_again_but_not_more_often_than_stated() -> None:
    new = Answer(200, (), key_set(jwk(OTHER_RSA_KEY, "n")))
    house = House(PUBLISHED, new)
    token = house.token(OTHER_RSA_KEY, "RS256", {"kid": "n"})
    for _ in range(50):
        assert await house.code(token) == "token-signature"
    assert len(house.outbound.calls) == 1
    house.clock.advance(31)
    assert (await house.admit(token)).user == "ada"
    assert await house.code(house.token()) == "token-signature"  # the old key is gone
    assert len(house.outbound.calls) == 2


async def test_many_who_wait_share_one_read_and_one_who_leaves_takes_nothing_away() -> None:
    house = House(PUBLISHED)
    waiting = [asyncio.create_task(house.admit(house.token())) for _ in range(20)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(told[0], asyncio.CancelledError)
    assert [claims.user for claims in told[1:] if isinstance(claims, Claims)] == ["ada"] * 19
    assert len(house.outbound.calls) == 1


@pytest.mark.parametrize(
    "outcome",
    [
        AWAY,
        Refused("private"),
        Answer(500),
        Answer(302, (("location", JWKS_URL),)),
        Answer(200, (), b"<html>"),
        Answer(200, (), b"\xff"),
        Answer(200, (), b'{"keys":7}'),
    ],
)
async def test_while_the_issuer_is_away_the_last_set_counts_for_a_day(outcome: Outcome) -> None:
    house = House(PUBLISHED, *[outcome] * 100)
    await house.admit(house.token())
    for _ in range(3):
        house.clock.advance(6 * 3600)
        assert (await house.admit(house.token())).user == "ada"
        await asyncio.sleep(0)  # the read behind the scenes
    house.clock.advance(6 * 3600 + 1)
    assert await house.code(house.token()) == "issuer-unreachable"
    assert len(house.outbound.calls) == 5


async def test_an_issuer_that_was_never_reached_is_tried_again_soon() -> None:
    house = House(AWAY, PUBLISHED)
    with pytest.raises(UnavailableError):
        await house.admit(house.token())
    assert await house.code(house.token()) == "issuer-unreachable"
    assert len(house.outbound.calls) == 1
    house.clock.advance(5)
    assert (await house.admit(house.token())).user == "ada"


async def test_an_old_set_is_used_while_it_is_read_anew() -> None:
    house = House(PUBLISHED, Answer(200, (), key_set(jwk(EC_KEY, "e"))))
    await house.admit(house.token())
    house.clock.advance(301)
    assert (await house.admit(house.token())).user == "ada"
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert await house.code(house.token()) == "token-signature"


async def read_behind_the_scenes() -> None:
    for _ in range(2):
        await asyncio.sleep(0)


async def test_a_key_is_known_until_a_set_was_read_without_it() -> None:
    renamed = Answer(200, (), key_set(jwk(RSA_KEY, "renamed"), jwk(EC_KEY, "e")))
    gone = Answer(200, (), key_set(jwk(OTHER_RSA_KEY, "r"), jwk(EC_KEY, "e")))
    house = House(PUBLISHED, AWAY, renamed, gone)
    signers = [
        (await house.admit(token)).signer or ""
        for token in (house.token(), house.token(EC_KEY, "ES256", {"kid": "e"}))
    ]
    for known in ([True, True], [True, True], [False, True]):
        house.clock.advance(301)
        [house.door.knows_key("h", signer) for signer in signers]
        await read_behind_the_scenes()
        assert [house.door.knows_key("h", signer) for signer in signers] == known
    assert len(house.outbound.calls) == 4


async def test_a_key_is_known_before_any_set_was_read_and_where_there_is_no_issuer() -> None:
    house = House(AWAY)
    assert house.door.knows_key("h", "of a connection that came from another gateway")
    assert house.door.knows_key("other", "any")
    await read_behind_the_scenes()
    assert len(house.outbound.calls) == 1


async def test_a_large_set_is_looked_at_up_to_its_bound() -> None:
    padding = [jwk(EC_KEY, f"k{number}") for number in range(64)]
    house = House(Answer(200, (), key_set(*padding, jwk(RSA_KEY, "r"))))
    assert await house.code(house.token()) == "token-signature"
    assert (await house.admit(house.token(EC_KEY, "ES256", {"kid": "k63"}))).user == "ada"


async def test_a_key_id_that_is_no_text_finds_nothing() -> None:
    house = House(PUBLISHED)
    now_s = house.clock.now_us() // 1_000_000
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": now_s + 60}
    kids: list[Any] = [7, ["r"], {}, True]
    for kid in kids:
        code = await house.code(by_hand({"alg": "RS256", "kid": kid}, claims, b"x"))
        assert code in {"token-signature", "token-malformed"}


def test_two_hubs_with_the_same_issuer_and_audience_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"hubs\.a\.issuer and hubs\.b\.issuer"):
        load({"hubs": {name: Hub(issuer=IssuerSettings(**SETTINGS)) for name in "ab"}})
    other = IssuerSettings(**SETTINGS | {"audience": "b"})
    loaded = load({"hubs": {"a": Hub(issuer=IssuerSettings(**SETTINGS)), "b": Hub(issuer=other)}})
    assert isinstance(loaded, Settings)


def test_no_symmetric_algorithm_can_be_configured() -> None:
    for algorithm in ("HS256", "none", "RS512"):
        with pytest.raises(ValueError, match="algorithms"):
            IssuerSettings(**SETTINGS, algorithms=[algorithm])


def test_our_tokens_are_made_by_a_library_that_knows_no_other_key() -> None:
    """The control of the confusion test: what it signs by hand verifies, where such a secret counts."""
    token = by_hand({"alg": "HS256"}, {"sub": "x"}, KEYS[0])
    assert jwt.decode(token, KEYS[0], algorithms=["HS256"]) == {"sub": "x"}
