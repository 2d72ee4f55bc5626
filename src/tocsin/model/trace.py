"""The trace of an alert: it has the alert's own id, so whoever knows the alert knows its trace and whether it is recorded.

Nothing has to travel with the alert for that, through whatever queue, store and process it goes: of a UUIDv7 the last 56 bits
are random, and they decide alike everywhere.

Source: https://www.w3.org/TR/trace-context-2/ (traceparent, 3.2; the 56 random bits, 3.2.2.3) and
        https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/ (what is at or above a threshold)
"""

import re
from typing import Final, NamedTuple

_TRACE_PARENT = re.compile(
    # A later version may say more behind a hyphen; ff is none.
    r"(?:00(?=.{53}\Z)|(?!00|ff)[0-9a-f]{2})"
    r"-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
)
_ALERT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_CHANCE_BITS: Final = 56
# The least share that is recorded, so that an id can be among them and still be random.
_LEAST: Final = 1 << 40
_SAMPLED: Final = 1
_LENGTH: Final = 55


class TraceParent(NamedTuple):
    """The span of somebody else that led to an alert: its trace, itself, and whether they are recorded there."""

    trace_id: int
    span_id: int
    sampled: bool


def read_trace_parent(text: str) -> TraceParent:
    """Read what :func:`well_formed` returned."""
    _, trace, span, flags = text.split("-")
    return TraceParent(int(trace, 16), int(span, 16), bool(int(flags, 16) & _SAMPLED))


def well_formed(text: str) -> str | None:
    """Return the ``traceparent`` as it is kept, without what later versions add; None if it is none."""
    return text[:_LENGTH] if _TRACE_PARENT.fullmatch(text) else None


def trace_id(alert_id: str) -> int:
    """Return the 128 bits of an alert's id; the lower half is the id of the trace's first span, and never 0."""
    return int(alert_id.replace("-", ""), 16)


class Sampling:
    """Which alerts are recorded: a share of all, told by the last bits of their ids.

    Every process with the same share takes the same ones.
    """

    def __init__(self, share: float) -> None:
        """Make it; ``share`` is from 0 to 1, and less than one in 65,536 counts as that."""
        self._first = min(round((1 - share) * (1 << _CHANCE_BITS)), (1 << _CHANCE_BITS) - _LEAST)
        # Texts of one length compare as the numbers do, and nearly all that is asked is not taken.
        self._least = f"{self._first:014x}"
        self._least = f"{self._least[:2]}-{self._least[2:]}"

    def takes(self, alert_id: str) -> bool:
        """Tell whether an alert is recorded; what is no alert's id is not."""
        return alert_id[21:] >= self._least and _ALERT_ID.fullmatch(alert_id) is not None

    def among(self, alert_id: str) -> str:
        """Return the id, or if it is not taken one like it that is."""
        if self.takes(alert_id):
            return alert_id
        chance = int(alert_id[21:].replace("-", ""), 16)
        room = (1 << _CHANCE_BITS) - self._first
        text = f"{self._first + chance % room:014x}"
        return f"{alert_id[:21]}{text[:2]}-{text[2:]}"
