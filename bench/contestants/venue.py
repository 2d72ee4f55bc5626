"""What every contestant is: a server with a room in it, and how clients come in."""

import contextlib
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

import jwt
from bench.load.guest import Door, Speaker, Wire
from bench.process import Process, child, wait_ready

ROOM = "stage"
OTHER_ROOM = "hall"
TOKEN_S = 3_600
# What is installed for the bench alone: compiled servers, unpacked packages (``bench/install``).
CACHE = Path(__file__).parents[1] / ".cache"


class Venue(Protocol):
    """A running server."""

    @property
    def process(self) -> Process:
        """Its process."""

    @property
    def wire(self) -> Wire:
        """What its clients say."""

    def door(self, client: int, room: str) -> Door:
        """Return how a client with a token of its own comes into a room."""

    def speaker(self) -> Speaker:
        """Return how the one comes in who publishes to ``ROOM`` and hears nothing."""


class Contestant(NamedTuple):
    """``run`` starts it afresh if it is ``installed``; ``settings`` tells how it is set, for the results.

    ``version`` says what was measured, if that is not pinned.
    """

    name: str
    settings: str
    run: Callable[[], AbstractContextManager[Venue]]
    installed: Callable[[], bool]
    version: Callable[[], str] | None = None

    def note(self) -> str:
        """Return what one should know of it to read its figures."""
        version = f"{self.version()}; " if self.version else ""
        return f"{self.name}: {version}{self.settings}"

    def why_not(self) -> str:
        """Return why there are none."""
        why = "failed" if self.installed() else "not installed (make bench-peers)"
        return f"{self.name}: not measured, {why}"


class Secret:
    """The key that a peer checks the tokens of its clients with."""

    def __init__(self) -> None:
        self.text = secrets.token_hex(32)

    def admits(self, client: int, room: str) -> str:
        """Return a token for a client of a room."""
        return self.sign({"sub": f"user-{client:06}", "room": room})

    def lets_publish(self) -> str:
        """Return a token for the one who publishes."""
        return self.sign({"sub": "speaker", "publishes": True})

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return a token with these claims, for an hour."""
        said = {**claims, "exp": int(time.time()) + TOKEN_S}
        return jwt.encode(said, self.text, algorithm="HS256")


@contextlib.contextmanager
def peer(command: Sequence[str], secret: Secret) -> Iterator[Process]:
    """Run a peer that takes its secret and the room's name from the environment and logs where it listens."""
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        log = Path(folder) / "log"
        extra = {"BENCH_SECRET": secret.text, "BENCH_ROOM": ROOM}
        with child(command, extra, log) as process:
            yield Process(process, wait_ready(process, log))
