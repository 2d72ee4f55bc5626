"""Opening requests taken apart, and refused where they are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.api.upgrade import (
    Handshake,
    accept_head,
    check_origin,
    check_websocket,
    hub_of,
    parse_handshake,
    plain_group,
)
from tocsin.errors import ForbiddenError, InvalidInputError, NotFoundError, TocsinError

OWN = ("https://alerts.example",)


def asked(path: str = "/client/hubs/chat", query: str = "", **headers: str) -> Handshake:
    lines = [f"GET {path}{query} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return parse_handshake("\r\n".join([*lines, "", ""]).encode("latin-1"))


def test_query_token_wins_over_the_header_and_the_first_of_several_counts() -> None:
    both = asked(query="?access_token=a&access_token=b", authorization="Bearer c")
    assert both.token == "a"
    assert asked(query="?access_token=", authorization="bearer  c ").token == "c"
    assert asked(authorization="Basic eDp5").token is None


def test_offered_subprotocols_are_joined_over_several_headers() -> None:
    head = b"GET / HTTP/1.1\r\nsec-websocket-protocol: a, b\r\nSec-WebSocket-Protocol: c,\r\n\r\n"
    assert parse_handshake(head).subprotocols == ["a", "b", "c"]


def test_hub_is_named_by_path_or_query_in_any_case() -> None:
    assert hub_of(asked("/client/hubs/Chat%5Bx%5D")) == "chat[x]"
    assert hub_of(asked("/client", "?hub=Chat")) == "chat"
    with pytest.raises(InvalidInputError):
        hub_of(asked("/client/hubs/a%2Fb"))
    for path in ("/client/", "/client/hubs", "/clients/mqtt/hubs/chat", "/"):
        with pytest.raises(NotFoundError):
            hub_of(asked(path))


def test_a_plain_client_names_its_mode_and_its_group() -> None:
    assert plain_group(asked()) is None
    assert plain_group(asked(query="?webpubsub_mode=sendEvent&group=g")) is None
    assert plain_group(asked(query="?webpubsub_mode=SendToGroup&group=a%20b")) == "a b"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?webpubsub_mode=", "invalid-query"),
        ("?webpubsub_mode=sendAll", "invalid-query"),
        ("?webpubsub_mode=sendToGroup", "invalid-group"),
        ("?webpubsub_mode=sendToGroup&group=%20", "invalid-group"),
        (f"?webpubsub_mode=sendToGroup&group={'g' * 1025}", "invalid-group"),
    ],
)
def test_a_plain_client_with_a_bad_query_is_refused(query: str, code: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        plain_group(asked(query=query))
    assert refused.value.code == code


@pytest.mark.parametrize(
    "wrong",
    [{"sec-websocket-key": "short"}, {"sec-websocket-key": "é"}, {"sec-websocket-version": "8"}],
)
def test_what_is_no_websocket_is_refused(wrong: dict[str, str]) -> None:
    good = {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13"}
    check_websocket(asked(**good))
    with pytest.raises(InvalidInputError):
        check_websocket(asked(**(good | wrong)))


def test_accept_is_that_of_the_rfc_and_a_subprotocol_is_echoed() -> None:
    handshake = asked(**{"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="})
    answer = accept_head(handshake, "json.webpubsub.azure.v1")
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer
    assert b"\r\nSec-WebSocket-Protocol: json.webpubsub.azure.v1\r\n" in answer
    assert b"Protocol" not in accept_head(handshake, None).replace(b"Protocols", b"")


@pytest.mark.parametrize(
    "origin",
    [
        "https://alerts.example",
        "https://ALERTS.example:443",
        "http://box:8080",
        "https://shop.example",
    ],
)
def test_own_and_allowed_origins_pass(origin: str) -> None:
    check_origin(asked(host="box:8080", origin=origin), OWN, ("https://shop.example/",))


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://box", "http://box:81", "https://evil.example", "http://[bad", "file://"],
)
def test_other_origins_are_refused(origin: str) -> None:
    with pytest.raises(ForbiddenError):
        check_origin(asked(host="box:8080", origin=origin), OWN, ("https://shop.example",))


@given(st.binary(max_size=300))
def test_noise_is_refused_or_taken_apart_but_never_breaks(noise: bytes) -> None:
    try:
        handshake = parse_handshake(noise)
        check_origin(handshake, OWN, ())
        check_websocket(handshake)
        hub_of(handshake)
    except TocsinError:
        pass
