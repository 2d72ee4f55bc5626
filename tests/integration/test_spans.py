"""Spans around the parts of a node: what fails is told and raised, and one alert to many does not fill the queue."""

from collections.abc import Mapping, Sequence

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan

from tests.ports.world import envelope
from tests.unit.scripted_provider import ScriptedProvider
from tocsin.adapters.otel.parts import TracedDeliveries, TracedIntake, TracedProvider
from tocsin.adapters.otel.spans import MOST, Spans, Step
from tocsin.errors import UnavailableError
from tocsin.model.alert import Envelope
from tocsin.model.device import FcmChannel
from tocsin.model.ids import uuid7
from tocsin.model.trace import Sampling
from tocsin.ports.push import Later, Push
from tocsin.ports.queue import Published
from tocsin.ports.store import Delivered
from tocsin.testing import START_US, ManualClock

STEP = Step(name="step", begin_us=START_US, end_us=START_US)


class Taken:
    """What keeps spans, and what makes them for all alerts."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.found: list[ReadableSpan] = []
        self.spans = Spans(Sampling(1), Resource.get_empty(), self.found.append)

    @property
    def told(self) -> list[tuple[str, bool]]:
        """Return the name of each span, and whether it is well."""
        return [(span.name, span.status.is_ok) for span in self.found]


@pytest.fixture
def taken() -> Taken:
    return Taken()


def test_of_one_alert_many_steps_are_told_but_not_all_and_of_others_none_the_less(
    taken: Taken,
) -> None:
    to_many, to_few = uuid7(START_US), uuid7(START_US)
    for _ in range(2 * MOST):
        taken.spans.after(to_many, STEP)
    assert len(taken.found) == MOST
    taken.spans.after(to_few, STEP)
    assert len(taken.found) == MOST + 1


class Answering:
    """Where every publish is answered alike."""

    def __init__(self, *outcomes: Published) -> None:
        self._outcomes = outcomes

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        assert len(envelopes) == len(self._outcomes)
        return self._outcomes

    async def bring(self, alert_id: str) -> bool:
        raise AssertionError(alert_id)


async def test_a_repeat_is_in_the_trace_of_the_alert_that_stands_and_a_refusal_is_a_fault(
    taken: Taken,
) -> None:
    stands, refused = uuid7(START_US), uuid7(START_US)
    outcomes = Published("duplicate", stands), Published("full", refused)
    intake = TracedIntake(Answering(*outcomes), taken.spans, taken.clock)
    sent = [envelope("ada", id=uuid7(START_US)), envelope("ada", id=refused)]
    assert list(await intake.publish(sent)) == list(outcomes)
    assert taken.told == [("repeat", True), ("repeat", False)]
    assert [span.parent is not None for span in taken.found] == [True, True]
    [first, _] = taken.found
    assert first.context is not None
    assert first.context.trace_id == int(stands.replace("-", ""), 16)


class Away:
    """A store that is not there."""

    async def deliver(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        raise UnavailableError(f"not now, for {len(envelopes)} alerts")


async def test_a_delivery_that_fails_is_told_and_raised(taken: Taken) -> None:
    deliveries = TracedDeliveries(Away(), taken.spans, taken.clock)
    with pytest.raises(UnavailableError):
        await deliveries.deliver([envelope("ada", id=uuid7(START_US), accepted_us=START_US)])
    assert taken.told == [("queue", True), ("deliver", False)]


async def test_a_push_that_is_not_taken_is_told_with_its_reason(taken: Taken) -> None:
    provider = ScriptedProvider()
    provider.outcomes = [Later("busy")]
    pushes = TracedProvider(provider, "fcm", taken.spans, taken.clock)
    push = Push(
        delivery_id="d",
        alert_id=uuid7(START_US),
        channel=FcmChannel("token"),
        payload=b"{}",
        ttl_s=60,
    )
    assert await pushes.send(push) == Later("busy")
    assert taken.told == [("push", False)]
    assert taken.found[0].status.description == "busy"
    assert provider.sent == [push]
