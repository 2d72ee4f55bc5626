"""Publishing in batches that form by themselves (I1)."""

import asyncio
from collections.abc import Sequence

import pytest
from msgspec import Raw

from tocsin.errors import OverloadedError, UnavailableError, UnknownOutcomeError
from tocsin.ingest import publisher as publishing
from tocsin.ingest.publisher import Publisher
from tocsin.model.alert import Audience, Envelope
from tocsin.ports.queue import Published
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics


def _envelope(alert_id: str) -> Envelope:
    return Envelope(
        id=alert_id,
        hub="default",
        key_id="k",
        audience=Audience(all=True),
        content=Raw(b"{}"),
        accepted_us=1,
    )


class GatedQueue:
    """Keeps each batch until the gate opens; ``fault`` is raised instead of an answer."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = asyncio.Event()
        self.fault: Exception | None = None

    async def publish(self, envelopes: Sequence[Envelope]) -> Sequence[Published]:
        self.batches.append([envelope.id for envelope in envelopes])
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return [Published("accepted", envelope.id) for envelope in envelopes]


def _publisher(queue: GatedQueue) -> Publisher:
    return Publisher(queue, Supervisor(), Metrics())  # type: ignore[arg-type]  # only publish is asked


async def test_what_comes_while_a_batch_is_on_its_way_forms_the_next() -> None:
    queue = GatedQueue()
    publisher = _publisher(queue)
    tasks = [asyncio.ensure_future(publisher.publish([_envelope("1")]))]
    while not queue.batches:  # noqa: ASYNC110 -- the queue is a fake
        await asyncio.sleep(0)
    tasks += [asyncio.ensure_future(publisher.publish([_envelope(i)])) for i in "234"]
    await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    queue.gate.set()
    answers = await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert [published[0].id for published in answers] == ["1", "2", "3", "4"]
    assert queue.batches == [["1"], ["2", "3", "4"]]


async def test_a_failed_batch_fails_its_own_and_the_next_goes_on() -> None:
    queue = GatedQueue()
    publisher = _publisher(queue)
    queue.gate.set()
    queue.fault = UnavailableError("disk full", code="disk-full")
    with pytest.raises(UnavailableError, match="disk full"):
        await publisher.publish([_envelope("1")])
    queue.fault = None
    assert (await publisher.publish([_envelope("2")]))[0].outcome == "accepted"


async def test_an_unexpected_failure_leaves_the_outcome_unknown() -> None:
    queue = GatedQueue()
    queue.gate.set()
    queue.fault = ZeroDivisionError()
    with pytest.raises(UnknownOutcomeError):
        await _publisher(queue).publish([_envelope("1")])


async def test_too_many_waiting_are_refused_before_anything_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "MAX_WAITING", 1)
    queue = GatedQueue()
    with pytest.raises(OverloadedError):
        await _publisher(queue).publish([_envelope("1"), _envelope("2")])
    assert queue.batches == []


async def test_no_answer_in_time_leaves_the_outcome_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "DEADLINE_S", 0.01)
    with pytest.raises(UnknownOutcomeError, match="no answer from the queue"):
        await _publisher(GatedQueue()).publish([_envelope("1")])


async def test_a_burst_asks_others_for_patience_until_it_ends() -> None:
    queue = GatedQueue()
    publisher = _publisher(queue)
    loop = asyncio.get_running_loop()
    first = asyncio.ensure_future(publisher.publish([_envelope("1")]))
    while not queue.batches:  # noqa: ASYNC110 -- the queue is a fake
        await asyncio.sleep(0)
    rest = [
        asyncio.ensure_future(publisher.publish([_envelope(str(number))]))
        for number in range(publishing.BURST)
    ]
    await asyncio.sleep(0)
    began = loop.time()
    queue.gate.set()
    await asyncio.wait_for(asyncio.gather(first, *rest), 5)
    await publisher.calm(5)
    assert began <= publisher._burst_s <= loop.time() - publishing.CALM_S


async def test_nobody_waits_for_a_burst_longer_than_he_likes() -> None:
    publisher = _publisher(GatedQueue())
    publisher._burst_s = float("inf")  # a burst without an end
    await asyncio.wait_for(publisher.calm(0.01), 5)
    await asyncio.wait_for(publisher.calm(-1), 5)


async def test_each_waits_for_its_own_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "DEADLINE_S", 0.05)
    publisher = _publisher(GatedQueue())
    loop = asyncio.get_running_loop()

    async def wait() -> float:
        began = loop.time()
        with pytest.raises(UnknownOutcomeError):
            await publisher.publish([_envelope("1")])
        return loop.time() - began

    assert await wait() > 0.045
    assert await wait() > 0.045
