"""Client tokens: ours and those of Microsoft's SDKs, and every way they fail to hold."""

import base64
import hmac
import json
from typing import Any

import jwt
import msgspec
import pytest

from tocsin.errors import UnauthenticatedError
from tocsin.realtime.tokens import Claims, sign_token, verify_token

KEYS = (b"primary-" * 4, b"secondary" * 4)
NOW_S = 1_800_000_000
ENDPOINTS = ("https://alerts.example", "http://127.0.0.1:8080", "http://proxy.example/base/")
GOOD = {"aud": "http://127.0.0.1:8080/client/hubs/chat", "exp": NOW_S + 60, "sub": "u1"}


def check(token: str, now_s: float = NOW_S) -> Claims:
    return verify_token(token, keys=KEYS, endpoints=ENDPOINTS, hub="chat", now_us=int(now_s * 1e6))


def signed(_key: bytes = KEYS[0], /, **changes: Any) -> str:
    claims = {k: v for k, v in (GOOD | changes).items() if v is not None}
    return jwt.encode(claims, _key, algorithm="HS256")


def usual(body: bytes) -> str:
    """Return a token with the usual header and a good signature, whatever its body is."""
    parts = [base64.urlsafe_b64encode(part) for part in (b'{"alg":"HS256","typ":"JWT"}', body)]
    said = b".".join(part.rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(KEYS[0], said, "sha256")).rstrip(b"=")
    return f"{said.decode()}.{signature.decode()}"


def code_of(token: str) -> str:
    with pytest.raises(UnauthenticatedError) as error:
        check(token)
    return error.value.code


def test_own_token_says_what_it_was_signed_with() -> None:
    token, exp = sign_token(
        KEYS,
        endpoint="https://alerts.example/",
        hub="chat",
        user="ada",
        ttl_s=60,
        now_us=NOW_S * 1_000_000,
        scope="inbox",
        roles=("webpubsub.sendToGroup",),
        groups=("g1", "g2"),
    )
    claims = check(token)
    assert exp == NOW_S + 60
    assert claims.said["role"] == ["webpubsub.sendToGroup"]
    assert msgspec.structs.replace(claims, said={}) == Claims(
        hub="chat",
        user="ada",
        expires_us=exp * 1_000_000,
        signer="primary",
        issued_us=NOW_S * 1_000_000,
        scopes=("inbox",),
        roles=("webpubsub.sendToGroup",),
        groups=("g1", "g2"),
    )
    assert claims.opens_inbox


def test_token_of_an_sdk_holds_and_opens_no_inbox() -> None:
    claims = check(signed(role="webpubsub.joinLeaveGroup", **{"webpubsub.group": ["g"]}))
    assert (claims.user, claims.roles, claims.groups) == (
        "u1",
        ("webpubsub.joinLeaveGroup",),
        ("g",),
    )
    assert not claims.opens_inbox


def test_scope_without_a_user_opens_no_inbox() -> None:
    claims = check(signed(sub=None, scope="inbox"))
    assert claims.user is None
    assert not claims.opens_inbox


@pytest.mark.parametrize("subject", ["a\0b", "u" * 257, "\ud800", 5, 0, []])
def test_a_subject_that_can_be_no_user_is_refused(subject: Any) -> None:
    assert code_of(signed(sub=subject, scope="inbox")) == "token-malformed"


def test_either_key_may_have_signed() -> None:
    assert check(signed(KEYS[1])).user == "u1"
    assert code_of(signed(b"another-" * 4)) == "token-signature"


@pytest.mark.parametrize(
    "audience",
    [
        "https://127.0.0.1:8080/client/hubs/CHAT",
        "http://alerts.example/client/hubs/chat",
        "https://ALERTS.example:443/Client/Hubs/Chat/",
        "http://proxy.example:80/base/client/hubs/chat",
        ["https://elsewhere/client/hubs/chat", "https://alerts.example/client/hubs/chat"],
    ],
)
def test_audience_may_be_any_public_address_of_the_hub(audience: Any) -> None:
    assert check(signed(aud=audience)).hub == "chat"


@pytest.mark.parametrize(
    "audience",
    [
        None,
        17,
        [],
        "http://127.0.0.1:8080/client/hubs/other",
        "http://127.0.0.1:8080/client/hubs/chat/more",
        "http://127.0.0.1:8080/api/hubs/chat/:send",
        "http://127.0.0.1:9090/client/hubs/chat",
        "ws://127.0.0.1:8080/client/hubs/chat",
        "http://evil@127.0.0.1:8080.evil/client/hubs/chat",
        "http://[::bad/client/hubs/chat",
        "http://127.0.0.1:99999999/client/hubs/chat",
    ],
)
def test_audience_of_anything_else_is_refused(audience: Any) -> None:
    assert code_of(signed(aud=audience)) == "token-audience"


def test_times_are_judged_by_the_given_clock_with_skew_for_the_beginning_only() -> None:
    assert check(signed(nbf=NOW_S + 299, iat=NOW_S + 299)).user == "u1"
    assert code_of(signed(nbf=NOW_S + 302)) == "token-not-yet-valid"
    assert code_of(signed(iat=NOW_S + 302)) == "token-not-yet-valid"
    assert code_of(signed(exp=NOW_S)) == "token-expired"
    assert check(signed(exp=NOW_S + 0.5)).expires_us == NOW_S * 1_000_000 + 500_000


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"exp": "soon"},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"exp": -1},
        {"iat": float("-inf")},
        {"nbf": [1]},
        {"sub": 7},
    ],
)
def test_claims_of_a_wrong_kind_are_malformed(changes: dict[str, Any]) -> None:
    claims = {k: v for k, v in (GOOD | changes).items() if v is not None}
    assert code_of(usual(json.dumps(claims).encode())) == "token-malformed"


@pytest.mark.parametrize("body", [b"[1]", b"7", b"", b"{", b"\xff", b"[" * 100_000])
def test_a_good_signature_over_no_claims_is_malformed(body: bytes) -> None:
    assert code_of(usual(body)) == "token-malformed"


def test_a_signature_that_is_wrong_in_one_character_is_refused() -> None:
    token = usual(json.dumps(GOOD).encode())
    assert check(token).user == "u1"
    assert (
        code_of(f"{token[:-5]}{'B' if token[-5] == 'A' else 'A'}{token[-4:]}") == "token-signature"
    )


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 100_000, "é.é.é", "." * 3])
def test_what_is_no_token_is_malformed(token: str) -> None:
    assert code_of(token) == "token-malformed"


def test_unsigned_and_otherwise_signed_tokens_are_refused() -> None:
    assert code_of(jwt.encode(GOOD, "", algorithm="none")) == "token-malformed"
    assert code_of(jwt.encode(GOOD, KEYS[0] * 2, algorithm="HS512")) == "token-malformed"
