"""Clients that are broken, slow or hostile, against a real server: each is cut off, and nobody else is harmed."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import jwt
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.acceptance.conftest import MakeServer, server_maker
from tests.acceptance.deadlines import until
from tests.acceptance.open_files import allow_open_files
from tests.acceptance.server_process import ServerProcess, log_entries

pytestmark = pytest.mark.acceptance

HEAD_S = 2.0
BODY_S = 2.0
CUT_OFF_S = 60.0  # the limits above are looked at once a second
AT_ONCE = 32  # bad clients of each kind
SENT_BYTES = 4 * 1024 * 1024  # by each of them
MOST_BYTES = 48 * 1024 * 1024  # of server memory for all of them, who send ten times as much
IDLE_CONNECTIONS = 2_000
IDLE_BYTES = 32 * 1024  # of server memory for each; kernel buffers are not in it
CHUNK = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
SECRET_WORDS = "the-body-of-a-private-alert"


class Guarded(NamedTuple):
    """A server, and a server key of it."""

    server: ServerProcess
    key: Mapping[str, str]


@contextlib.contextmanager
def running(**env: str) -> Iterator[Guarded]:
    with server_maker() as make:
        server = make(env=env).start()
        yield Guarded(server, server.key("server"))


@pytest.fixture(scope="module")
def shared() -> Iterator[Guarded]:
    """One whose patience nothing here comes near, however slowly it is spoken to."""
    with running(TOCSIN_LIMITS__HEAD_S="300", TOCSIN_LIMITS__BODY_S="300") as made:
        yield made


@pytest.fixture(scope="module")
def impatient() -> Iterator[Guarded]:
    """One with short patience, for those who are slow."""
    with running(TOCSIN_LIMITS__HEAD_S=str(HEAD_S), TOCSIN_LIMITS__BODY_S=str(BODY_S)) as made:
        yield made


@pytest.fixture
def guarded(shared: Guarded) -> ServerProcess:
    return shared.server


@pytest.fixture
def key(shared: Guarded) -> Mapping[str, str]:
    return shared.key


@contextlib.contextmanager
def raw(server: ServerProcess) -> Iterator[socket.socket]:
    """Connect without any protocol."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=CUT_OFF_S) as connection:
        yield connection


def rest(connection: socket.socket) -> bytes:
    """Read until the server closes; it has to."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def trickled(connection: socket.socket, piece: bytes) -> bytes:
    """Send ``piece`` after ``piece`` until the server closes; return what it said."""
    said, began = b"", time.monotonic()
    connection.settimeout(0.1)
    with contextlib.suppress(ConnectionError):
        while time.monotonic() - began < CUT_OFF_S:
            connection.sendall(piece)
            with contextlib.suppress(TimeoutError):
                part = connection.recv(65_536)
                said += part
                if not part:
                    return said
    assert time.monotonic() - began < CUT_OFF_S, f"the server takes it all; it said {said!r}"
    return said


def problem(answer: bytes) -> tuple[int, str]:
    """Return status and code of the first answer in these bytes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    document = json.JSONDecoder().raw_decode(body.decode())[0]
    return int(head.split()[1]), document["code"]


def head(key: Mapping[str, str], *lines: str, path: str = "/v1/alerts") -> bytes:
    """Write a request head without its end."""
    fixed = [f"POST {path} HTTP/1.1", "Host: x", f"Authorization: {key['authorization']}"]
    return "\r\n".join([*fixed, *lines, ""]).encode()


@pytest.fixture(autouse=True)
def still_serving(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each bad client a good one is served."""
    yield
    for name in {"shared", "impatient"} & set(request.fixturenames):
        server, key = request.getfixturevalue(name)
        assert server.publish(key).status_code == 202


@pytest.mark.parametrize("size", [66_000, 5_000_000])
def test_an_oversized_head_is_refused(
    guarded: ServerProcess, key: Mapping[str, str], size: int
) -> None:
    with raw(guarded) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(head(key, "X-Much: " + "x" * size) + b"\r\n")
        assert problem(rest(connection)) == (431, "head-too-large")


def test_a_head_that_never_ends_is_refused(guarded: ServerProcess) -> None:
    with raw(guarded) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"GET / HTTP/1.1\r\n")
            for number in range(10_000):
                connection.sendall(b"X-%d: x\r\n" % number)
        assert problem(rest(connection)) == (431, "head-too-large")


def test_a_slow_head_is_cut_off(impatient: Guarded) -> None:
    with raw(impatient.server) as connection:
        connection.sendall(head(impatient.key))
        assert problem(rest(connection)) == (408, "head-timeout")


def test_a_head_that_trickles_is_cut_off_all_the_same(impatient: Guarded) -> None:
    with raw(impatient.server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        assert problem(trickled(connection, b"x")) == (408, "head-timeout")


def test_a_connection_that_says_nothing_is_closed(impatient: Guarded) -> None:
    with raw(impatient.server) as connection:
        assert rest(connection) == b""


def test_a_slow_body_is_cut_off(impatient: Guarded) -> None:
    with raw(impatient.server) as connection:
        connection.sendall(head(impatient.key, "Content-Length: 100") + b"\r\n{")
        assert problem(rest(connection)) == (408, "body-timeout")


@pytest.mark.parametrize(
    ("path", "size"), [("/v1/alerts", 10**12), ("/v1/alerts/batch", 9_000_000)]
)
def test_a_huge_body_is_refused_before_it_comes(
    guarded: ServerProcess, key: Mapping[str, str], path: str, size: int
) -> None:
    with raw(guarded) as connection:
        connection.sendall(head(key, f"Content-Length: {size}", path=path) + b"\r\n")
        answer = rest(connection)
    assert problem(answer) == (413, "body-too-large")
    assert answer.count(b"HTTP/1.1 ") == 1, "one request, one answer"


def test_a_refused_body_is_not_taken_in_for_ever(
    guarded: ServerProcess, key: Mapping[str, str]
) -> None:
    with raw(guarded) as connection:
        connection.sendall(head(key, f"Content-Length: {10**12}") + b"\r\n")
        assert problem(trickled(connection, b" " * 10_000)) == (413, "body-too-large")


def test_an_endless_chunked_body_is_refused(guarded: ServerProcess, key: Mapping[str, str]) -> None:
    with raw(guarded) as connection:
        connection.sendall(head(key, "Transfer-Encoding: chunked") + b"\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(8):
                connection.sendall(CHUNK)
        assert problem(rest(connection)) == (413, "body-too-large")


def test_many_oversized_heads_and_bodies_at_once_take_no_memory(
    guarded: ServerProcess, key: Mapping[str, str]
) -> None:
    stranger = {"authorization": "Bearer tsk_producer_of_nobody"}
    chunked = "Transfer-Encoding: chunked"
    kinds = (
        (head(key, "X-Much: "), b"x" * 65_536),
        (head(key, f"Content-Length: {10**12}") + b"\r\n", b" " * 65_536),
        (head(key, chunked) + b"\r\n", CHUNK),
        (head(stranger, chunked, path="/v1/alerts/batch") + b"\r\n", CHUNK),
    )
    before = guarded.rss_bytes()
    with ThreadPoolExecutor(len(kinds) * AT_ONCE) as threads:
        answers = [*threads.map(lambda kind: flooded(guarded, *kind), kinds * AT_ONCE)]
    assert guarded.peak_rss_bytes() - before < MOST_BYTES
    told = [{problem(answer)[1] for answer in answers[n :: len(kinds)] if answer} for n in range(4)]
    assert told == [{"head-too-large"}, {"body-too-large"}, {"body-too-large"}, {"unauthenticated"}]


def flooded(server: ServerProcess, begin: bytes, piece: bytes) -> bytes:
    """Send a beginning and then piece after piece until the server closes; return what it said, as far as that came."""
    with raw(server) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(begin)
            for _ in range(SENT_BYTES // len(piece)):
                connection.sendall(piece)
        return rest(connection)


def test_more_body_than_declared_is_no_second_alert(
    guarded: ServerProcess, key: Mapping[str, str]
) -> None:
    body = b'{"to":{"users":["smuggled"]},"title":"Declared"}'
    with raw(guarded) as connection:
        connection.sendall(head(key, f"Content-Length: {len(body)}") + b"\r\n" + body + body)
        answer = rest(connection)
    assert answer.startswith(b"HTTP/1.1 202 ")
    assert b"\r\nconnection: close\r\n" in answer
    assert answer.count(b"HTTP/1.1 ") == 1
    until(lambda: guarded.titles(key, "smuggled") == ["Declared"], "the declared one is there")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 64,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"\xff\xfe HTTP/9\r\n\r\n",
    ],
)
def test_garbage_is_no_request(guarded: ServerProcess, garbage: bytes) -> None:
    with raw(guarded) as connection:
        connection.sendall(garbage)
        connection.shutdown(socket.SHUT_WR)
        answer = rest(connection)
    assert answer == b"" or problem(answer) == (400, "bad-request")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid-json"),
        (b"\xff", 400, "invalid-json"),
        (b"[" * 50_000, 400, "invalid-field"),
        (
            b'{"to":{"users":["a"]},"title":"x","data":' + b"[" * 100 + b"]" * 100 + b"}",
            413,
            "too-deep",
        ),
        (b'{"to":{"users":["a"]},"title":"x","colour":"red"}', 400, "invalid-field"),
        (b'{"to":{"users":["a"]},"title":7}', 400, "invalid-field"),
        (
            b'{"to":{"users":["a"]},"title":"x","body":"' + b"y" * 70_000 + b'"}',
            413,
            "body-too-large",
        ),
    ],
    ids=["cut", "no UTF-8", "brackets", "deep data", "unknown field", "wrong type", "too large"],
)
def test_a_bad_alert_is_a_problem_and_nothing_is_stored(
    guarded: ServerProcess, key: Mapping[str, str], body: bytes, status: int, code: str
) -> None:
    answer = guarded.request("POST", "/v1/alerts", content=body, headers=key)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) < 500


def refused_upgrade(url: str) -> tuple[int, str]:
    """Try to connect; return status and code of the refusal."""
    with pytest.raises(InvalidStatus) as refusal, connect(url):
        pass
    response = refusal.value.response
    return response.status_code, json.loads(response.body)["code"]


def client_url(server: ServerProcess, token: str, hub: str = "default") -> str:
    """Build the URL that a client with this token connects to."""
    return f"ws://127.0.0.1:{server.port}/client/hubs/{hub}?access_token={token}"


def test_an_expired_token_does_not_connect(guarded: ServerProcess, key: Mapping[str, str]) -> None:
    issued = guarded.client_token(key, ttl_s=1)
    until(lambda: is_refused(issued["url"]), "the token expires")
    assert refused_upgrade(issued["url"]) == (401, "token-expired")


def is_refused(url: str) -> bool:
    """Whether a client is not let in."""
    try:
        with connect(url):
            return False
    except InvalidStatus:
        return True


def test_a_token_signed_by_somebody_else_does_not_connect(
    guarded: ServerProcess, key: Mapping[str, str]
) -> None:
    claims = jwt.decode(guarded.client_token(key)["token"], options={"verify_signature": False})
    forged = jwt.encode(claims, "k" * 64, algorithm="HS256")
    unsigned = jwt.encode(claims, "", algorithm="none")
    assert refused_upgrade(client_url(guarded, forged)) == (401, "token-signature")
    assert refused_upgrade(client_url(guarded, unsigned))[0] == 401
    assert refused_upgrade(client_url(guarded, "no-token")) == (401, "token-malformed")
    assert refused_upgrade(client_url(guarded, "")) == (401, "token-missing")


def test_a_token_of_one_hub_does_not_open_another(
    guarded: ServerProcess, key: Mapping[str, str]
) -> None:
    guarded.key("server", hub="other")
    guarded.cli("connection-string", "--hub", "other")
    token = guarded.client_token(key)["token"]
    assert refused_upgrade(client_url(guarded, token, "other"))[0] == 401


def test_another_hubs_key_sees_nothing_of_this_one(
    guarded: ServerProcess, key: Mapping[str, str]
) -> None:
    other = guarded.key("server", hub="elsewhere")
    published = guarded.publish(key, to={"users": ["grace"]}, title="Of the default hub").json()
    until(lambda: guarded.titles(key, "grace"), "the alert arrives")
    assert guarded.titles(other, "grace") == []
    assert guarded.request("GET", f"/v1/alerts/{published['id']}", headers=other).status_code == 404
    producer = guarded.key("producer")
    refusal = guarded.request("POST", "/v1/client-tokens", json={"user_id": "x"}, headers=producer)
    assert (refusal.status_code, refusal.json()["code"]) == (403, "wrong-role")


async def test_two_thousand_idle_connections_are_cheap_and_go_away(impatient: Guarded) -> None:
    allow_open_files(IDLE_CONNECTIONS + 500)
    server, key = impatient
    before = server.rss_bytes()
    idle = []
    try:
        for _ in range(IDLE_CONNECTIONS // 100):
            opening = (asyncio.open_connection("127.0.0.1", server.port) for _ in range(100))
            idle += await asyncio.gather(*opening)
        assert (await asyncio.to_thread(server.publish, key)).status_code == 202
        assert server.rss_bytes() - before < IDLE_CONNECTIONS * IDLE_BYTES
        async with asyncio.timeout(CUT_OFF_S):
            assert all([await reader.read() == b"" for reader, _ in idle])
    finally:
        for _, writer in idle:
            writer.close()


def test_the_log_has_no_token_key_or_text_of_an_alert(make_server: MakeServer) -> None:
    server = make_server().start()
    keys = [server.key(role) for role in ("producer", "server", "admin")]
    issued = server.client_token(keys[1])
    server.publish(keys[0], title=SECRET_WORDS, body=SECRET_WORDS, data={"note": SECRET_WORDS})
    until(lambda: server.titles(keys[1]) == [SECRET_WORDS], "the alert arrives")
    assert not is_refused(issued["url"])
    refused_upgrade(issued["url"].replace("/default", "/other"))
    bearer = {"authorization": f"Bearer {issued['token']}"}
    server.request("GET", "/v1/inbox", headers=bearer)
    server.request("POST", "/v1/alerts", content=SECRET_WORDS.encode(), headers=keys[0])
    server.request("POST", "/v1/alerts", json={"title": SECRET_WORDS}, headers=bearer)
    server.request("GET", f"/v1/inbox?access_token={issued['token']}")
    with raw(server) as connection:
        connection.sendall(f"{SECRET_WORDS}\r\n\r\n".encode())
        rest(connection)
    server.stop()
    text = server.log() + server.out_file.read_text()
    assert "serve.ready" in {entry["event"] for entry in log_entries(text)}
    secrets = [SECRET_WORDS, issued["token"], issued["token"].rpartition(".")[2]]
    secrets += [key["authorization"].split("_", 3)[3] for key in keys]
    secrets.append("access_token")
    assert [secret for secret in secrets if secret in text] == []


def test_a_full_disk_is_said_and_nothing_is_stored(make_server: MakeServer) -> None:
    server = make_server()
    key = server.key("server")
    server.env["TOCSIN_LIMITS__FREE_DISK_BYTES"] = str(2**60)
    server.start()
    assert server.request("GET", "/healthz").status_code == 200
    ready = server.request("GET", "/readyz")
    assert (ready.status_code, ready.json()["code"]) == (503, "disk-full")
    refusal = server.publish(key, title="No room")
    assert (refusal.status_code, refusal.json()["code"]) == (503, "disk-full")
    assert int(refusal.headers["retry-after"]) > 0
    batch = {"alerts": [{"to": {"all": True}, "title": "No room either"}]}
    assert server.request("POST", "/v1/alerts/batch", json=batch, headers=key).status_code == 503
    assert server.titles(key) == [], "reading goes on"
    server.stop()
    del server.env["TOCSIN_LIMITS__FREE_DISK_BYTES"]
    server.start()
    assert server.request("GET", "/readyz").status_code == 200
    server.publish(key, title="Room again")
    until(lambda: server.titles(key) == ["Room again"], "only what was accepted is there")
