"""Two thousand live connections on one server: newcomers get in while everybody is being told something.

In which order the server wrote is read from the kernel, which stamps what comes for a socket.  So it does not matter how
late the test gets round to reading it, and a server that lets newcomers in only before and after a broadcast is seen.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from bench.load.client import upgrade

from tests.acceptance.open_files import allow_open_files
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.webpubsub_speech import client_url

pytestmark = pytest.mark.acceptance

CROWD = 2_000
PER_USER = 20
AT_ONCE = 100
NEWCOMERS = 8
TRIES = 5
PAD = "x" * 16_000
PATIENCE_S = 60.0
# Of Linux, for all machines that Tocsin has wheels for; Python has no name for it.
SO_TIMESTAMPNS = 35
GREETING = b'"event":"connected"'
HEAD = b'"kind":"head"'


class Heard(NamedTuple):
    """What came, and the kernel's stamp on the last of it."""

    data: bytes
    stamps: list[tuple[int, int, bytes]]

    @property
    def at_ns(self) -> int:
        """When the last of it came: nanoseconds since 1970."""
        [(_, _, stamp)] = self.stamps
        seconds, nanoseconds = struct.unpack("qq", stamp)
        return int(seconds * 10**9 + nanoseconds)


class Listener:
    """One connection; what comes waits in the kernel until it is asked for."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        address = (parts.hostname, parts.port)
        self._socket = socket.create_connection(address, timeout=PATIENCE_S)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        path = f"{parts.path}?{parts.query}"
        self._socket.sendall(upgrade(path, "json.webpubsub.azure.v1"))

    def hear(self, what: bytes) -> Heard:
        """Read until ``what`` has come."""
        data = b""
        stamps: list[tuple[int, int, bytes]] = []
        while what not in data:
            more, stamps, _, _ = self._socket.recvmsg(2**18, 64)
            assert more, f"the server hung up after {data[-300:]!r}"
            data += more
        return Heard(data, stamps)

    def close(self) -> None:
        self._socket.close()


class Crowd:
    """Everybody who is there, and the way in for those who are not."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._newcomer = client_url(server, "newcomer")
        self.listeners: list[Listener] = []

    def gather(self) -> None:
        for start in range(0, CROWD, AT_ONCE):
            some = [Listener(self._url(n)) for n in range(start, start + AT_ONCE)]
            self.listeners += some
            for listener in some:
                listener.hear(HEAD)

    def greet(self) -> Heard:
        """Let a newcomer in, up to its greeting."""
        newcomer = Listener(self._newcomer)
        try:
            return newcomer.hear(GREETING)
        finally:
            newcomer.close()

    def _url(self, number: int) -> str:
        return client_url(self._server, f"user-{number // PER_USER}", scope="inbox")


def greeted_meanwhile(crowd: Crowd, tell: Callable[[], None], what: bytes) -> int:
    """Tell everybody ``what`` while newcomers keep coming; count those who were greeted in the middle of it.

    The middle is when more than a tenth, and less than nine tenths, of the crowd had been written to.
    """
    over = threading.Event()

    def come() -> list[int]:
        came = []
        while not over.is_set():
            greeting = crowd.greet()
            if what not in greeting.data:  # else the stamp is that of what came after it
                came.append(greeting.at_ns)
        return came

    with ThreadPoolExecutor(NEWCOMERS) as pool:
        coming = [pool.submit(come) for _ in range(NEWCOMERS)]
        try:
            tell()
            told = sorted(listener.hear(what).at_ns for listener in crowd.listeners)
        finally:
            over.set()
    begun, ending = told[CROWD // 10], told[CROWD * 9 // 10]
    return sum(begun < at_ns < ending for came in coming for at_ns in came.result())


@pytest.fixture(scope="module")
def crowd(shared_server: ServerProcess) -> Iterator[Crowd]:
    allow_open_files(CROWD + 500)
    crowd = Crowd(shared_server)
    try:
        crowd.gather()
        yield crowd
    finally:
        for listener in crowd.listeners:
            listener.close()


@pytest.mark.parametrize("way", ["alert", "send"])
def test_newcomers_are_greeted_in_the_middle_of_a_broadcast_to_everybody(
    shared_server: ServerProcess, crowd: Crowd, way: str
) -> None:
    key = shared_server.key("server")
    for number in range(TRIES):
        mark = f"{way} {number} is over"
        data = {"pad": PAD, "mark": mark}

        def tell(data: dict[str, str] = data) -> None:
            if way == "alert":
                answer = shared_server.publish(key, to={"all": True}, data=data)
            else:
                path = "/api/hubs/default/:send"
                answer = shared_server.request("POST", path, json=data, headers=key)
            assert answer.status_code == 202, answer.text

        if greeted_meanwhile(crowd, tell, mark.encode()):
            return
    pytest.fail(f"no newcomer was greeted in the middle of {TRIES} broadcasts")
