"""The guarded way out, against servers that mean no good."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.wire.certificates import authority_and_server
from tests.wire.gateway_fixture import eventually
from tests.wire.hostile_server import (
    OK,
    Behaviour,
    hangs,
    listening,
    nobody_listening,
    repeats,
    resets,
    says,
)
from tocsin.adapters.outbound.client import OutboundClient
from tocsin.config import Outbound as Settings
from tocsin.errors import ConfigError
from tocsin.ports.outbound import Answer, Call, Failed, Outcome, Refused
from tocsin.telemetry import Metrics

LOOPBACK = ("127.0.0.1",)
PATIENT = {"connect_s": 60, "total_s": 60}
Lookup = Callable[[str, int], list[tuple[Any, ...]]]


def addresses(*texts: str) -> Callable[[str, int], list[tuple[Any, ...]]]:
    """Stand in for the name server: every name has these addresses."""

    def lookup(_host: str, port: int) -> list[tuple[Any, ...]]:
        return [
            (
                socket.AF_INET6 if ":" in text else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (text, port),
            )
            for text in texts
        ]

    return lookup


@asynccontextmanager
async def client(
    allow: tuple[str, ...] = LOOPBACK, *, lookup: Lookup | None = None, **settings: Any
) -> AsyncIterator[OutboundClient]:
    checked = Settings.model_validate({"allow": allow, **PATIENT, **settings})
    more = {} if lookup is None else {"lookup": lookup}
    outbound = OutboundClient(checked, Metrics(), **more)
    try:
        yield outbound
    finally:
        await outbound.close()


def call(url: str, **more: Any) -> Call:
    return Call(**{"purpose": "webhook", "url": url, "body": b"{}", **more})


async def outcome_of(behaviour: Behaviour, **settings: Any) -> Outcome:
    async with listening(behaviour) as server, client(**settings) as outbound:
        return await outbound.send(call(server.url))


async def test_an_answer_comes_with_status_headers_and_body() -> None:
    answer = await outcome_of(says(OK))
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.header("content-length")) == (200, b"ok", "2")
    assert answer.header("x-none") is None


async def test_a_request_says_who_calls_and_nothing_that_was_not_asked_for() -> None:
    async with listening(says(OK)) as server, client() as outbound:
        await outbound.send(call(server.url, headers=[("webhook-id", "1")]))
    head = server.heads[0].lower()
    names = {line.partition(":")[0] for line in head.splitlines()[1:-1]}
    assert names == {
        "host",
        "user-agent",
        "accept-encoding",
        "content-length",
        "webhook-id",
    }
    assert "user-agent: tocsin/" in head


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with listening(says(OK)) as target:
        there = f"HTTP/1.1 307 X\r\nlocation: {target.url}\r\ncontent-length: 0\r\n\r\n"
        answer = await outcome_of(says(there.encode()))
    assert isinstance(answer, Answer)
    assert (answer.status, target.accepted) == (307, 0)


async def test_cookies_are_not_kept() -> None:
    cookie = b"HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n"
    async with listening(says(cookie)) as server, client() as outbound:
        for _ in range(2):
            await outbound.send(call(server.url))
    assert "cookie" not in server.heads[1].lower()


async def test_a_packed_body_stays_packed() -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n"
    answer = await outcome_of(says(head + b"\x1f\x8b"))
    assert isinstance(answer, Answer)
    assert answer.body == b"\x1f\x8b"


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (repeats(b"HTTP/1.1 200 OK\r\n", b"x-more: " + b"a" * 1000 + b"\r\n"), "malformed"),
        (repeats(b"HTTP/1.1 200 OK\r\nx-long: ", b"a" * 1000), "malformed"),
        (repeats(b"HTTP/1.1 200 ", b"a" * 1000), "malformed"),
        (repeats(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 1000), "too-large"),
        (
            repeats(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"2\r\nab\r\n"),
            "too-large",
        ),
        (says(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n" + b"a" * 70_000), "too-large"),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), "malformed"),
        (says(b"\x00" * 64), "malformed"),
        (says(b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n"), "malformed"),
        (resets, "broken"),
    ],
    ids=[
        "endless-fields",
        "endless-field",
        "endless-reason",
        "endless-body",
        "endless-chunks",
        "long-body",
        "another-protocol",
        "zeros",
        "negative-length",
        "reset",
    ],
)
async def test_a_hostile_answer_is_a_typed_failure(behaviour: Behaviour, kind: str) -> None:
    failure = await outcome_of(behaviour, answer_bytes=65_536)
    assert isinstance(failure, Failed)
    assert failure.kind == kind, failure
    assert len(failure.reason) <= 500


async def test_the_reason_of_a_failure_does_not_tell_the_url() -> None:
    async def drop(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(drop, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, client() as outbound:
        for body in (b"", *[b"a" * 1_000_000] * 10):
            failure = await outbound.send(call(f"http://127.0.0.1:{port}/s%7Ecret", body=body))
            assert isinstance(failure, Failed)
            assert failure.kind == "broken"
            assert "cret" not in failure.reason


async def test_an_answer_that_ends_early_is_broken() -> None:
    async def stops(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
        await writer.drain()
        writer.close()

    failure = await outcome_of(stops)
    assert isinstance(failure, Failed)
    assert failure.kind == "broken"


@pytest.mark.parametrize(
    "behaviour",
    [
        hangs,
        repeats(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n", pause_s=0.05),
        repeats(b"HTTP/1.1 200 OK\r\n\r\n", b"a", pause_s=0.01),
        repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause_s=0.01),
    ],
    ids=["nothing", "slow-head", "slow-body", "endless-continue"],
)
async def test_a_slow_answer_ends_with_the_bound_on_the_whole_call(behaviour: Behaviour) -> None:
    failure = await outcome_of(behaviour, total_s=0.5)
    assert failure == Failed("timeout", "no whole answer within 0.5 s")


async def test_a_call_can_shorten_the_bound_and_not_lengthen_it() -> None:
    async with listening(hangs) as server, client(total_s=0.3) as outbound:
        short = await outbound.send(call(server.url, total_s=0.2))
        long = await outbound.send(call(server.url, total_s=60))
    assert short == Failed("timeout", "no whole answer within 0.2 s")
    assert long == Failed("timeout", "no whole answer within 0.3 s")


async def test_nobody_listening_is_unreachable() -> None:
    with nobody_listening() as url:
        async with client() as outbound:
            failure = await outbound.send(call(url))
    assert isinstance(failure, Failed)
    assert failure.kind == "unreachable"


async def test_a_private_address_is_refused_and_nobody_is_called() -> None:
    async with listening(says(OK)) as server, client(()) as outbound:
        for url in (server.url, server.url.replace("http:", "https:")):
            refused = await outbound.send(call(url))
            assert isinstance(refused, Refused)
            assert "loopback" in refused.reason
            assert await outbound.refusal(url) == refused
        assert server.accepted == 0


async def test_a_name_that_resolves_to_a_private_address_is_refused() -> None:
    lookup = addresses("127.0.0.1", "::1", "10.0.0.1")
    async with listening(says(OK)) as server, client((), lookup=lookup) as outbound:
        url = f"https://evil.example:{server.port}/"
        refused = await outbound.send(call(url))
        assert isinstance(refused, Refused)
        assert "'evil.example'" in refused.reason
        assert await outbound.refusal(url) == refused
        assert server.accepted == 0


async def test_an_allowed_name_is_called_by_http_wherever_it_lies() -> None:
    lookup = addresses("127.0.0.1")
    async with (
        listening(says(OK)) as server,
        client(("hooks.internal",), lookup=lookup) as outbound,
    ):
        url = f"http://Hooks.internal.:{server.port}/"
        assert await outbound.refusal(url) is None
        answer = await outbound.send(call(url))
    assert isinstance(answer, Answer)


async def test_of_several_addresses_only_those_that_may_be_called_are(tmp_path: Path) -> None:
    authority, tls = authority_and_server(tmp_path, "mixed.example")
    lookup = addresses("::1", "10.0.0.1", "127.0.0.1")
    async with (
        listening(says(OK), tls=tls) as server,
        client(lookup=lookup, ca_file=authority) as outbound,
    ):
        answer = await outbound.send(call(f"https://mixed.example:{server.port}/"))
    assert isinstance(answer, Answer)


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    asked = 0

    def rebinding(host: str, port: int) -> list[tuple[Any, ...]]:
        nonlocal asked
        asked += 1
        return addresses("127.0.0.1" if asked == 1 else "127.0.0.2")(host, port)

    async with (
        listening(says(OK)) as server,
        client(("hooks.internal",), lookup=rebinding) as outbound,
    ):
        answer = await outbound.send(call(f"http://hooks.internal:{server.port}/"))
    assert isinstance(answer, Answer)
    assert asked == 1


async def test_a_name_without_an_address_is_unresolved_and_not_refused_beforehand() -> None:
    def nobody(_host: str, _port: int) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with client(lookup=nobody) as outbound:
        failure = await outbound.send(call("https://nobody.example/"))
        assert await outbound.refusal("https://nobody.example/") is None
    assert isinstance(failure, Failed)
    assert failure.kind == "unresolved"


async def test_a_name_with_an_impossible_label_is_unresolved() -> None:
    async with client() as outbound:
        failure = await outbound.send(call(f"https://{'a' * 64}.example/"))
    assert isinstance(failure, Failed)
    assert failure.kind == "unresolved"


async def test_a_name_server_that_hangs_delays_nobody_else() -> None:
    stuck = asyncio.Event()
    loop = asyncio.get_running_loop()
    release = threading.Event()

    def slow(host: str, port: int) -> list[tuple[Any, ...]]:
        if host == "slow.example":
            loop.call_soon_threadsafe(stuck.set)
            release.wait(30)
        return addresses("127.0.0.1")(host, port)

    async with (
        listening(says(OK)) as server,
        client(("slow.example", "quick.example"), lookup=slow) as outbound,
        asyncio.TaskGroup() as group,
    ):
        waiting = group.create_task(outbound.send(call("http://slow.example/", total_s=1)))
        await stuck.wait()
        answer = await outbound.send(call(f"http://quick.example:{server.port}/"))
        assert isinstance(answer, Answer)
        assert isinstance(await waiting, Failed)
        release.set()


async def test_a_slow_server_leaves_room_for_the_others() -> None:
    async with (
        listening(hangs) as slow,
        listening(says(OK)) as quick,
        client(connections_per_host=2, connections=3) as outbound,
    ):
        stuck = [asyncio.create_task(outbound.send(call(slow.url))) for _ in range(10)]
        await eventually(lambda: len(slow.heads) == 2)
        answers = [await outbound.send(call(quick.url)) for _ in range(20)]
        assert all(isinstance(answer, Answer) for answer in answers)
        assert slow.accepted == 2
        assert not any(one.done() for one in stuck)
        for one in stuck:
            one.cancel()
        await asyncio.wait(stuck)


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(says(OK)) as proxy, listening(says(OK)) as server, client() as outbound:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert isinstance(await outbound.send(call(server.url)), Answer)
        assert proxy.accepted == 0


async def test_tls_is_verified_and_an_authority_of_ones_own_can_be_added(tmp_path: Path) -> None:
    authority, tls = authority_and_server(tmp_path, "hooks.internal")
    lookup = addresses("127.0.0.1")
    names = ("hooks.internal", "other.internal")
    async with listening(says(OK), tls=tls) as server:
        url = f"https://hooks.internal:{server.port}/"
        async with client(names, lookup=lookup) as outbound:
            unknown = await outbound.send(call(url))
        async with client(names, lookup=lookup, ca_file=authority) as outbound:
            answer = await outbound.send(call(url))
            wrong_name = await outbound.send(call(url.replace("hooks", "other")))
    assert isinstance(answer, Answer)
    assert isinstance(unknown, Failed)
    assert isinstance(wrong_name, Failed)
    assert (unknown.kind, wrong_name.kind) == ("tls", "tls")


async def test_a_file_without_certificates_is_named_at_the_start(tmp_path: Path) -> None:
    for file in (tmp_path / "none.pem", tmp_path / "empty.pem"):
        if file.name == "empty.pem":
            file.write_text("nothing")
        with pytest.raises(ConfigError, match=file.name):
            OutboundClient(Settings(ca_file=file), Metrics())


async def test_every_call_is_counted_by_purpose_and_outcome() -> None:
    metrics = Metrics()
    outbound = OutboundClient(Settings.model_validate({"allow": LOOPBACK, **PATIENT}), metrics)
    async with listening(says(OK)) as server:
        await outbound.send(call(server.url))
        await outbound.send(call("https://10.0.0.1/"))
    with nobody_listening() as url:
        await outbound.send(call(url))
    await outbound.close()

    def counted(outcome: str) -> float | None:
        labels = {"purpose": "webhook", "outcome": outcome}
        return metrics.registry.get_sample_value("tocsin_outbound_calls_total", labels)

    assert [counted(name) for name in ("2xx", "refused", "unreachable")] == [1, 1, 1]
