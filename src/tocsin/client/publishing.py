"""What a producer sends, and how it reads the answers: plans without I/O (``attempts.py``), run by both producers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

import msgspec

from tocsin.client.alert import Alert
from tocsin.client.attempts import Attempts, Patience, Plan, Request
from tocsin.client.refusal import Problem, RefusedError, UnsettledError
from tocsin.clock import Clock
from tocsin.model.ids import uuid7

BATCH_ALERTS = 1_000
BATCH_BYTES = 8 * 1024 * 1024
NDJSON = "application/x-ndjson"
_TOO_LARGE = frozenset({"batch-too-large", "body-too-large"})


class Accepted(msgspec.Struct, frozen=True):
    """The alert is on the server's disk.

    ``id`` is the server's: it names the alert in ``status`` and ``withdraw``.  ``is_repeat``: it was accepted before, perhaps by
    an attempt whose answer was lost.
    """

    id: str
    is_repeat: bool


Outcome = Accepted | RefusedError | UnsettledError
Standing = dict[str, Any]


class _Result(msgspec.Struct, frozen=True):
    status: Literal["accepted", "duplicate", "refused", "unknown"]
    id: str = ""
    error: Problem | None = None


class _Results(msgspec.Struct, frozen=True):
    results: list[_Result]


class _Line(NamedTuple):
    place: int
    alert_id: str
    body: bytes


class Publishing:
    """Makes the plans of one producer."""

    def __init__(self, patience: Patience, clock: Clock, random: Callable[[], float]) -> None:
        """Take what plans need instead of I/O; ``random`` draws from [0, 1)."""
        self._patience = patience
        self._clock = clock
        self._random = random

    def publish(self, alert: Alert) -> Plan[Accepted]:
        """Publish one alert."""
        line = self._line(0, alert)
        request = Request("POST", "/v1/alerts", line.body)
        try:
            result = yield from self._attempts().settle(request, _Result)
        except UnsettledError as error:
            error.alert_id = line.alert_id
            raise
        return _accepted(result)

    def publish_many(self, alerts: Iterable[Alert]) -> Plan[list[Outcome]]:
        """Publish alerts in batches; each has its own outcome, in order."""
        outcomes: dict[int, Outcome] = {}
        lines = [self._line(place, alert) for place, alert in enumerate(alerts)]
        for batch in _batches(lines):
            yield from self._publish_batch(batch, outcomes)
        return [outcomes[line.place] for line in lines]

    def status(self, alert_id: str) -> Plan[Standing]:
        """Ask where an alert stands."""
        return self._attempts().settle(Request("GET", _path(alert_id)), Standing)

    def withdraw(self, alert_id: str) -> Plan[Standing]:
        """Take an alert back; that can be repeated without harm."""
        return self._attempts().settle(Request("DELETE", _path(alert_id)), Standing)

    def _attempts(self) -> Attempts:
        return Attempts(self._patience, self._clock, self._random)

    def _line(self, place: int, alert: Alert) -> _Line:
        alert_id = alert.get("id") or uuid7(self._clock.now_us())
        return _Line(place, alert_id, msgspec.json.encode({**alert, "id": alert_id}))

    def _publish_batch(self, batch: Sequence[_Line], outcomes: dict[int, Outcome]) -> Plan[None]:
        """Send a batch until each alert has its outcome; only what was put off is sent again."""
        attempts, waiting = self._attempts(), batch
        try:
            while waiting:
                body = b"\n".join(line.body for line in waiting)
                request = Request("POST", "/v1/alerts/batch", body, NDJSON)
                results = (yield from attempts.settle(request, _Results)).results
                for line, result in zip(waiting, results, strict=True):
                    outcomes[line.place] = _outcome(result)
                put_off = [
                    (line, result.error)
                    for line, result in zip(waiting, results, strict=True)
                    if result.error is not None and result.error.retryable
                ]
                waiting = [line for line, _ in put_off]
                for _, problem in put_off[:1]:
                    attempts.again(problem.detail, code=problem.code)
        except RefusedError as error:
            if error.code in _TOO_LARGE and len(waiting) > 1:  # its limits are not the default ones
                half = len(waiting) // 2
                yield from self._publish_batch(waiting[:half], outcomes)
                yield from self._publish_batch(waiting[half:], outcomes)
            else:
                outcomes |= {line.place: error for line in waiting}
        except UnsettledError as error:
            for line in waiting:
                outcomes[line.place] = UnsettledError(
                    error.detail, code=error.code, alert_id=line.alert_id
                )


def _batches(lines: Sequence[_Line]) -> Iterator[Sequence[_Line]]:
    """Split alerts, in order, into batches that keep both limits."""
    begin = size = 0
    for place, line in enumerate(lines):
        size += len(line.body) + 1
        if place - begin == BATCH_ALERTS or (size > BATCH_BYTES and place > begin):
            yield lines[begin:place]
            begin, size = place, len(line.body) + 1
    if begin < len(lines):
        yield lines[begin:]


def _outcome(result: _Result) -> Outcome:
    problem = result.error
    if problem is None:
        return _accepted(result)
    return RefusedError(problem.detail, code=problem.code, pointer=_within_alert(problem.pointer))


def _accepted(result: _Result) -> Accepted:
    return Accepted(result.id, is_repeat=result.status == "duplicate")


def _within_alert(pointer: str | None) -> str | None:
    """Turn a pointer into the batch (``/3/title``) into one into the alert (``/title``)."""
    return None if pointer is None else "".join(pointer[1:].partition("/")[1:])


def _path(alert_id: str) -> str:
    return "/v1/alerts/" + quote(alert_id, safe="")
