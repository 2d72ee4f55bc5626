"""Spans of alerts, made when a step is over: nothing is kept of an alert between its steps.

An alert's first span has an id that follows from the alert's own, so every process can name it as the parent of a step.
Times are microseconds since 1970.
"""

from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tocsin.model.trace import Sampling, TraceParent, trace_id

# Of one alert, so that one to many people does not push the others out of the queue of spans.
MOST: Final = 500
# So many alerts are counted at once; of older ones nothing more is expected.
_COUNTED: Final = 4_096
_HALF: Final = (1 << 64) - 1
_RECORDED: Final = TraceFlags(TraceFlags.SAMPLED)
_SCOPE: Final = InstrumentationScope("tocsin")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, from when to when; ``fault`` says why it failed."""

    name: str
    begin_us: int
    end_us: int
    about: Mapping[str, str | int] = {}
    kind: SpanKind = SpanKind.INTERNAL
    fault: str | None = None


class Spans:
    """Makes the spans of the alerts that are recorded, and gives them to whatever takes them away."""

    def __init__(
        self, sampling: Sampling, resource: Resource, take: Callable[[ReadableSpan], None]
    ) -> None:
        """Make it.

        Args:
            sampling: Which alerts are recorded.
            resource: What this process is.
            take: Takes a span at once and never fails.
        """
        self.sampling = sampling
        self._resource = resource
        self._take = take
        self._new_id = RandomIdGenerator().generate_span_id
        self._counts: dict[str, int] = {}

    def first(self, alert_id: str, step: Step, cause: TraceParent | None) -> None:
        """Begin an alert's trace.  The trace of its producer gets a span of it, too, and each names the other."""
        own = _first(alert_id)
        if cause is None:
            self._make(step, own, None)
            return
        theirs = _context(cause.trace_id, cause.span_id)
        self._make(step, own, None, link=theirs)
        if cause.sampled:
            self._make(step, _context(cause.trace_id, self._new_id()), theirs, link=own)

    def after(self, alert_id: str, step: Step) -> None:
        """Tell of a further step of an alert that is recorded; of more than 500 nothing is told."""
        if self._counted(alert_id) <= MOST:
            first = _first(alert_id)
            self._make(step, _context(first.trace_id, self._new_id()), first)

    def _counted(self, alert_id: str) -> int:
        """Count a step of an alert; the alerts that were told of last are remembered."""
        count = self._counts[alert_id] = self._counts.pop(alert_id, 0) + 1
        if len(self._counts) > _COUNTED:
            del self._counts[next(iter(self._counts))]
        return count

    def _make(
        self,
        step: Step,
        own: SpanContext,
        parent: SpanContext | None,
        *,
        link: SpanContext | None = None,
    ) -> None:
        fault = step.fault
        self._take(
            ReadableSpan(
                step.name,
                own,
                parent,
                self._resource,
                dict(step.about),
                links=() if link is None else (Link(link),),
                kind=step.kind,
                instrumentation_scope=_SCOPE,
                status=Status() if fault is None else Status(StatusCode.ERROR, fault),
                start_time=step.begin_us * 1_000,
                end_time=max(step.begin_us, step.end_us) * 1_000,
            )
        )


def _first(alert_id: str) -> SpanContext:
    whole = trace_id(alert_id)
    return _context(whole, whole & _HALF)


def _context(trace: int, span: int) -> SpanContext:
    return SpanContext(trace, span, is_remote=True, trace_flags=_RECORDED)
