"""How often, and how long, something is tried until an answer settles it: pure, for every kind of I/O.

A plan is a generator: it yields an :class:`Attempt`, is sent what came of it (a :class:`Reply`, or :class:`Lost` where there was
none), and returns its result.  It reads the clock and draws the jitter, but never waits or sends.
"""

from collections.abc import Callable, Generator
from typing import TypeVar

import msgspec

from tocsin.client.backoff import longest_pause_s
from tocsin.client.refusal import UnsettledError, problem_in, refusal_of
from tocsin.clock import Clock

JSON = "application/json"
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 10.0
_WAIT_AND_SEE = (408, 425, 429)
_SUCCESS = range(200, 300)
_SERVER_FAULT = 500

T = TypeVar("T")


class Request(msgspec.Struct, frozen=True):
    """What is sent."""

    method: str
    path: str
    body: bytes | None = None
    content_type: str = JSON


class Attempt(msgspec.Struct, frozen=True):
    """Wait ``after_s`` seconds, send the request, and wait ``timeout_s`` for the answer."""

    request: Request
    after_s: float
    timeout_s: float


class Reply(msgspec.Struct, frozen=True):
    """A whole answer; ``retry_after`` is the header of that name."""

    status: int
    body: bytes
    retry_after: str | None = None


class Lost(msgspec.Struct, frozen=True):
    """No answer came, so nobody knows what was done."""

    reason: str


Plan = Generator[Attempt, Reply | Lost, T]


class Patience(msgspec.Struct, frozen=True):
    """How long one answer is waited for, and how long one request is tried, in seconds."""

    timeout_s: float = 10.0
    deadline_s: float = 60.0


class Attempts:
    """The attempts at one thing: they share a deadline, and the pauses between them grow."""

    def __init__(self, patience: Patience, clock: Clock, random: Callable[[], float]) -> None:
        """Begin; ``random`` draws from [0, 1)."""
        self._patience = patience
        self._clock = clock
        self._random = random
        self._until_s = clock.monotonic_s() + patience.deadline_s
        self._failures = 0
        self._pause_s = 0.0

    def settle(self, request: Request, answer: type[T]) -> Plan[T]:
        """Send the request until it is answered, and return the answer as ``answer``.

        Raises:
            RefusedError: The server said no.
            UnsettledError: The deadline came first.
        """
        while True:
            reply = yield self._next(request)
            if isinstance(reply, Lost):
                self.again(reply.reason)
            elif reply.status in _SUCCESS:
                try:
                    return msgspec.json.decode(reply.body, type=answer)
                except msgspec.DecodeError as error:
                    self.again(f"the answer is not Tocsin's; is it the right address? {error}")
            elif reply.status in _WAIT_AND_SEE or reply.status >= _SERVER_FAULT:
                problem = problem_in(reply.status, reply.body)
                self.again(problem.detail, code=problem.code, retry_after=reply.retry_after)
            else:
                raise refusal_of(reply.status, reply.body)

    def again(
        self, reason: str, *, code: str = "no-answer", retry_after: str | None = None
    ) -> None:
        """Note a failure: what is sent next waits for the time that the server asked for, and a jittered one.

        Raises:
            UnsettledError: That would be after the deadline.
        """
        longest_s = longest_pause_s(FIRST_PAUSE_S, LONGEST_PAUSE_S, self._failures)
        self._failures += 1
        self._pause_s = longest_s * (0.5 + self._random() / 2) + _seconds(retry_after)
        if self._clock.monotonic_s() + self._pause_s >= self._until_s:
            detail = (
                f"not settled by {self._failures} attempts within {self._patience.deadline_s:g} s, "
                f"so it may have been done: repeat it with the same id. The last: {reason}"
            )
            raise UnsettledError(detail, code=code)

    def _next(self, request: Request) -> Attempt:
        pause_s, self._pause_s = self._pause_s, 0.0
        left_s = self._until_s - self._clock.monotonic_s() - pause_s
        return Attempt(request, pause_s, min(self._patience.timeout_s, left_s))


def _seconds(retry_after: str | None) -> float:
    """Read ``Retry-After``; a date is not understood, and the backoff has to do."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0
