"""The parts of a node that take an alert on its way, each with spans around what it does for those that are recorded.

Each keeps the port of the part that it stands in front of, and changes nothing of what that does.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec.structs import replace
from opentelemetry.trace import SpanKind

from tocsin.adapters.otel.spans import Spans, Step
from tocsin.clock import Clock
from tocsin.model.alert import Envelope
from tocsin.model.device import Channel, Platform
from tocsin.model.ids import made_us
from tocsin.model.receipt import Fact, Told
from tocsin.model.trace import TraceParent, read_trace_parent
from tocsin.ports.fanout import Announcement, Announcer
from tocsin.ports.push import Accepted, Push, PushOutcome, PushProvider
from tocsin.ports.queue import Intake, Published
from tocsin.ports.receipts import Recorder
from tocsin.ports.store import Delivered, Deliveries


class TracedIntake:
    """Begins traces: from admission until the alert is durable."""

    def __init__(self, intake: Intake, spans: Spans, clock: Clock) -> None:
        self._intake = intake
        self._spans = spans
        self._clock = clock

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        """Publish; an alert whose producer records its own trace gets an id that is recorded, too."""
        named = [self._named(envelope) for envelope in envelopes]
        published = await self._intake.publish(named)
        now_us = self._clock.now_us()
        for envelope, answer in zip(named, published, strict=True):
            if self._spans.sampling.takes(answer.id):
                self._tell(envelope, answer, now_us)
        return published

    async def bring(self, alert_id: str) -> bool:
        """Pass it on."""
        return await self._intake.bring(alert_id)

    def _named(self, envelope: Envelope) -> Envelope:
        cause = _cause(envelope)
        if cause is None or not cause.sampled:
            return envelope
        return replace(envelope, id=self._spans.sampling.among(envelope.id))

    def _tell(self, envelope: Envelope, answer: Published, now_us: int) -> None:
        accepted = answer.outcome == "accepted"
        step = Step(
            name="accept" if accepted else "repeat",
            begin_us=envelope.accepted_us,
            end_us=now_us,
            about={
                "tocsin.alert_id": answer.id,
                "tocsin.hub": envelope.hub,
                "tocsin.outcome": answer.outcome,
            },
            kind=SpanKind.SERVER,
            fault=None if answer.outcome in ("accepted", "duplicate") else answer.outcome,
        )
        if accepted:
            self._spans.first(answer.id, step, _cause(envelope))
        else:
            self._spans.after(answer.id, step)


class TracedDeliveries:
    """Tells how long alerts waited, and of the transaction that brought them into inboxes."""

    def __init__(self, deliveries: Deliveries, spans: Spans, clock: Clock) -> None:
        self._deliveries = deliveries
        self._spans = spans
        self._clock = clock

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        """Deliver."""
        takes = self._spans.sampling.takes
        recorded = [envelope for envelope in envelopes if takes(envelope.id)]
        if not recorded:
            return await self._deliveries.deliver(envelopes)
        begin_us = self._clock.now_us()
        try:
            delivered = await self._deliveries.deliver(envelopes)
        except Exception as error:
            self._tell(recorded, begin_us, {}, f"{type(error).__name__}: {error}")
            raise
        self._tell(recorded, begin_us, delivered, None)
        return delivered

    def _tell(
        self,
        recorded: Sequence[Envelope],
        begin_us: int,
        delivered: Mapping[str, Delivered],
        fault: str | None,
    ) -> None:
        end_us = self._clock.now_us()
        people = Counter(
            item.alert_id
            for result in delivered.values()
            for change in result.changes
            for item in change.items
        )
        for envelope in recorded:
            due_us = min(envelope.due_us, begin_us)
            waited = Step(name="queue", begin_us=due_us, end_us=begin_us)
            step = Step(
                name="deliver",
                begin_us=begin_us,
                end_us=end_us,
                about={"tocsin.people": people[envelope.id]},
                kind=SpanKind.CONSUMER,
                fault=fault,
            )
            self._spans.after(envelope.id, waited)
            self._spans.after(envelope.id, step)


class TracedAnnouncer:
    """Tells of what is announced to the gateways."""

    def __init__(self, announcer: Announcer, spans: Spans, clock: Clock) -> None:
        self._announcer = announcer
        self._spans = spans
        self._clock = clock

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Announce."""
        takes = self._spans.sampling.takes
        people = Counter(
            alert_id for each in announcements for alert_id in each.alert_ids if takes(alert_id)
        )
        begin_us = self._clock.now_us()
        self._announcer.announce(announcements)
        end_us = self._clock.now_us()
        for alert_id, count in people.items():
            step = Step(
                name="announce",
                begin_us=begin_us,
                end_us=end_us,
                about={"tocsin.people": count},
                kind=SpanKind.PRODUCER,
            )
            self._spans.after(alert_id, step)


class TracedRecorder:
    """Tells of receipts: what gateways wrote, and what devices got and people did.  It names devices and no people."""

    def __init__(self, recorder: Recorder, spans: Spans, clock: Clock) -> None:
        self._recorder = recorder
        self._spans = spans
        self._clock = clock

    def keeps(self, hub: str, fact: Fact) -> bool:
        """Pass it on: what is not kept is not told here either."""
        return self._recorder.keeps(hub, fact)

    def record(self, told: Sequence[Told]) -> None:
        """Record."""
        self._recorder.record(told)
        self._tell(told)

    async def note(self, told: Sequence[Told]) -> None:
        """Note."""
        await self._recorder.note(told)
        self._tell([one for one in told if self.keeps(one.hub, one.fact)])

    def _tell(self, told: Sequence[Told]) -> None:
        takes = self._spans.sampling.takes
        for one in told:
            if takes(one.alert_id):
                # A device's clock may be wrong.
                at_us = max(made_us(one.alert_id), min(one.at_us, self._clock.now_us()))
                about = {"tocsin.device": one.device, "tocsin.action": one.action}
                said = {name: value for name, value in about.items() if value is not None}
                step = Step(name=one.fact, begin_us=at_us, end_us=at_us, about=said)
                self._spans.after(one.alert_id, step)


class TracedProvider:
    """Tells of each try to push to a device."""

    def __init__(
        self, provider: PushProvider, platform: Platform, spans: Spans, clock: Clock
    ) -> None:
        self._provider = provider
        self._platform = platform
        self._spans = spans
        self._clock = clock

    def host(self, channel: Channel) -> str:
        """Pass it on."""
        return self._provider.host(channel)

    async def send(self, push: Push) -> PushOutcome:
        """Send."""
        if not self._spans.sampling.takes(push.alert_id):
            return await self._provider.send(push)
        begin_us = self._clock.now_us()
        outcome = await self._provider.send(push)
        step = Step(
            name="withdraw" if push.withdraws else "push",
            begin_us=begin_us,
            end_us=self._clock.now_us(),
            about={
                "tocsin.platform": self._platform,
                "tocsin.push": push.delivery_id,
                "tocsin.outcome": type(outcome).__name__.lower(),
            },
            kind=SpanKind.CLIENT,
            fault=None if isinstance(outcome, Accepted) else outcome.reason,
        )
        self._spans.after(push.alert_id, step)
        return outcome


def _cause(envelope: Envelope) -> TraceParent | None:
    said = envelope.traceparent
    return None if said is None else read_trace_parent(said)
