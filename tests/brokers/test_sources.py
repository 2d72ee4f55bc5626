"""What a source promises, on every broker: at least once, bounded, and what is dead is kept with its reason."""

import asyncio
import contextlib
import itertools
import json
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import MakeServer, server_maker
from tests.acceptance.deadlines import until, until_async
from tests.acceptance.server_process import TOCSIN, ServerProcess, log_entries
from tests.brokers.broker import Broker, Sent
from tocsin.errors import LineLostError
from tocsin.ingest.sources.reader import LONGEST_PAUSE_S
from tocsin.ports.source import Depth, Message, SourceLine

pytestmark = [
    # The SDK of Service Bus forgets to close a socket that its peer has cut.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    # A broker may take a minute to start, and in one test it starts twice.
    pytest.mark.timeout(300),
]
HERE = Path(__file__).parent
# A source whose broker was away for half a minute pauses for as long again before it looks.
SOON_S = LONGEST_PAUSE_S + 30.0
_numbers = itertools.count(1)


def alert(title: str, user: str = "ada", **more: Any) -> Sent:
    body = {"to": {"users": [user]}, "title": title, **more}
    return Sent(json.dumps(body).encode(), id=f"m-{next(_numbers)}")


async def receive(line: SourceLine, count: int, *, most: int = 100) -> list[Message]:
    """Receive until there are ``count``."""
    found: list[Message] = []

    async def more() -> bool:
        asked = min(most, count - len(found))
        received = await line.receive(most=asked, wait_s=0.2)
        assert len(received) <= asked
        found.extend(received)
        return len(found) >= count

    await until_async(more, f"{count} messages come", SOON_S)
    return found


async def test_a_message_comes_with_all_that_its_sender_said(broker: Broker) -> None:
    queue = await broker.make_queue()
    said = {"kind": "note", "urgent": True, "number": 7}
    await broker.send(queue, Sent(b"\x00\xffhello", "m1", "text/plain", said), Sent(b"bare"))
    async with broker.source(queue).line() as line:
        told, bare = await receive(line, 2)
        assert (told.body, told.id, told.content_type) == (b"\x00\xffhello", "m1", "text/plain")
        assert {name: told.headers[name] for name in said} == broker.told(said)
        assert (told.deliveries, bare.body, bare.content_type) == (0, b"bare", "")
        await line.ack([told, bare])


async def test_no_more_is_held_than_was_asked_for(broker: Broker) -> None:
    queue = await broker.make_queue()
    await broker.send(queue, *(Sent(b"%d" % number, str(number)) for number in range(9)))
    async with broker.source(queue, held=4).line() as line:
        first = await receive(line, 4, most=3)
        assert not await line.receive(most=0, wait_s=0.0)
        await line.ack(first)
        rest = await receive(line, 4, most=4)
        await line.ack(rest)
        last = await receive(line, 1)
        assert {each.body for each in (*first, *rest, *last)} == {b"%d" % n for n in range(9)}


async def test_what_was_not_acknowledged_comes_again_on_the_next_line(broker: Broker) -> None:
    queue = await broker.make_queue()
    await broker.send(queue, Sent(b"done", "1"), Sent(b"undone", "2"))
    async with broker.source(queue).line() as line:
        done, _undone = sorted(await receive(line, 2), key=lambda message: message.body)
        await line.ack([done])
    async with broker.source(queue).line() as line:
        [again] = await receive(line, 1)
        assert again.body == b"undone"
        await line.ack([again])
    await until_async(lambda: nothing_left(broker, queue), "the queue is empty", SOON_S)


async def nothing_left(broker: Broker, queue: str) -> bool:
    return await broker.left(queue) == 0


async def test_what_is_given_back_comes_again_at_once(broker: Broker) -> None:
    queue = await broker.make_queue()
    await broker.send(queue, Sent(b"x", "1"))
    async with broker.source(queue).line() as line:
        await line.put_back(await receive(line, 1))
        await line.ack(await receive(line, 1))
    assert await broker.left(queue) == 0


async def test_how_often_a_message_failed_to_come_to_an_end_is_counted(broker: Broker) -> None:
    queue = await broker.make_queue()
    await broker.send(queue, Sent(b"x", "1"))
    counts = []
    for _ in range(3):
        async with broker.source(queue).line() as line:
            [message] = await receive(line, 1)
            counts.append(message.deliveries)
            await line.put_back([message])
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] >= 1


async def test_a_rejected_message_is_among_the_dead_letters_of_the_broker(broker: Broker) -> None:
    queue = await broker.make_queue()
    await broker.send(queue, Sent(b"bad", "1"), Sent(b"good", "2"))
    async with broker.source(queue).line() as line:
        good, bad = sorted(await receive(line, 2), key=lambda message: message.body, reverse=True)
        await line.reject(bad, reason="invalid-json", detail="it says nothing")
        await line.ack([good])
    [(body, reason)] = await dead_letters(broker, queue)
    assert body == b"bad"
    assert reason in {"", "invalid-json"}
    assert await broker.left(queue) == 0


async def dead_letters(broker: Broker, queue: str) -> Sequence[tuple[bytes, str]]:
    """Take a queue's dead letters, once there are any."""
    return await until_async(lambda: broker.dead(queue), "there is a dead letter", SOON_S)


async def test_what_waits_on_the_broker_is_told(broker: Broker) -> None:
    queue = await broker.make_queue()
    async with broker.source(queue, held=1).line() as line:
        await broker.send(queue, *(Sent(b"x", str(number)) for number in range(4)))
        [held] = await receive(line, 1, most=1)

        async def told() -> Depth | None:
            depth = await line.depth()
            return depth if depth.waiting in {3, None} else None

        # A consumer of NATS hears of messages after their sender has the acknowledgement.
        depth = await until_async(told, "three wait", SOON_S)
        assert depth != Depth()
        assert depth.oldest_age_s is None or 0 <= depth.oldest_age_s < 10 * SOON_S
        await line.ack([held])


async def test_a_queue_that_is_not_there_is_named(broker: Broker) -> None:
    with pytest.raises(LineLostError, match="no-such-queue"):
        async with broker.source("no-such-queue").line():
            pytest.fail("there is no such queue")


# Through a server


class Reading:
    """A server with sources, and the key of its administrator."""

    def __init__(self, server: ServerProcess, sources: Mapping[str, Mapping[str, Any]]) -> None:
        self.server = server
        server.env["TOCSIN_SOURCES"] = json.dumps(sources)
        self._key: Mapping[str, str] = {}

    def start(self) -> "Reading":
        self.server.start()
        self._key = self._key or self.server.key("admin")
        return self

    def ask(self, method: str, path: str, **more: Any) -> Any:
        return self.server.request(method, path, headers=self._key, **more)

    def titles(self, count: int, user: str = "ada") -> Sequence[str]:
        """Return a user's titles in order, once there are ``count``."""

        def look() -> Sequence[str]:
            return self.server.titles(self._key, user)

        until(lambda: len(look()) >= count, f"{count} alerts arrive", SOON_S)
        return sorted(look())

    def dead(self) -> Any:
        return self.ask("GET", "/v1/admin/dead").json()["dead"]

    def counts(self, outcome: str, source: str) -> bool:
        line = f'tocsin_source_messages_total{{outcome="{outcome}",source="{source}"}}'
        return line in self.ask("GET", "/metrics").text


MAPPING = {
    "title": "Order {order.number} was sent",
    "users": "{order.people}",
    "severity": "{header:level}",
    "severities": {"WARN": "warning"},
}


@pytest.fixture(scope="module")
def reading(broker: Broker) -> Iterator[tuple[Reading, Mapping[str, str]]]:
    """A server with three sources that differ, and the name of the queue of each."""
    instead: dict[str, dict[str, Any]] = {
        "ours": {"dead_letters": "tocsin"},
        "theirs": {"dead_letters": "broker"},
        "mapped": {"mapping": MAPPING},
    }
    queues = {name: asyncio.run(broker.make_queue()) for name in instead}
    sources = {name: {**broker.settings(queues[name]), **more} for name, more in instead.items()}
    with server_maker() as make:
        yield Reading(make(), sources).start(), queues


Served = tuple[Reading, Mapping[str, str]]


async def test_messages_of_every_form_become_alerts(broker: Broker, reading: Served) -> None:
    server, queues = reading
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "note", "subject": "eve"}
    structured = json.dumps({**event, "data": {"title": "structured"}}).encode()
    attributes = {f"cloudEvents_{name}": value for name, value in event.items()}
    attributes["cloudEvents_id"] = "2"
    await broker.send(
        queues["ours"],
        alert("plain", "eve"),
        Sent(structured, content_type="application/cloudevents+json"),
        Sent(b'{"title": "binary"}', None, "application/json", attributes),
    )
    assert server.titles(3, "eve") == ["binary", "plain", "structured"]


async def test_any_message_becomes_an_alert_by_a_mapping(broker: Broker, reading: Served) -> None:
    server, queues = reading
    body = {"order": {"number": 7, "people": ["dan", "bob"]}}
    sent = Sent(json.dumps(body).encode(), "m1", headers={"level": "WARN"})
    await broker.send(queues["mapped"], sent)
    assert server.titles(1, "dan") == server.titles(1, "bob") == ["Order 7 was sent"]
    inbox = server.ask("GET", "/v1/inbox", params={"user": "bob"}).json()
    assert [item["alert"]["severity"] for item in inbox["items"]] == ["warning"]


async def test_unreadable_messages_are_kept_with_their_reason_and_hold_up_nobody(
    broker: Broker, reading: Served
) -> None:
    server, queues = reading
    await broker.send(queues["ours"], Sent(b"nonsense", "bad"), alert("good", "joe"))
    assert server.titles(1, "joe") == ["good"]
    [letter] = until(server.dead, "the message is a dead letter", SOON_S)
    assert letter["reason"].startswith("invalid-json: ")
    shown = server.ask("GET", f"/v1/admin/dead/{letter['id']}").json()
    assert (shown["alert"]["data"]["body"], shown["to"]) == ("nonsense", {})
    again = server.ask("POST", f"/v1/admin/dead/{letter['id']}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "dead-letter-unreadable")
    assert server.ask("DELETE", f"/v1/admin/dead/{letter['id']}").status_code == 204
    await until_async(lambda: nothing_left(broker, queues["ours"]), "the queue is empty", SOON_S)
    assert await broker.dead(queues["ours"]) == []


async def test_unreadable_messages_go_to_the_dead_letters_of_the_broker_where_that_is_set(
    broker: Broker, reading: Served
) -> None:
    server, queues = reading
    await broker.send(queues["theirs"], Sent(b"nonsense", "bad"), alert("good", "kim"))
    assert server.titles(1, "kim") == ["good"]
    found = await dead_letters(broker, queues["theirs"])
    assert [body for body, _ in found] == [b"nonsense"]
    assert server.dead() == []


def die_with(server: ServerProcess, program: str) -> None:
    """Run a server that is to be killed by itself, and wait for that; then it is an honest one again, not started."""
    server._program = [str(HERE / program)]
    done = server.try_cli("serve", "--port", str(server.port))
    assert done.returncode == -signal.SIGKILL, done.stderr
    server._program = TOCSIN


async def test_a_server_killed_between_commit_and_acknowledgement_doubles_nothing(
    broker: Broker, make_server: MakeServer
) -> None:
    queue = await broker.make_queue()
    await broker.send(queue, alert("once"))
    server = Reading(make_server(), {"orders": broker.settings(queue)})
    die_with(server.server, "killed_server.py")
    server.start()
    until(lambda: server.counts("duplicate", "orders"), "the message comes again", SOON_S)
    await until_async(lambda: nothing_left(broker, queue), "the queue is empty", SOON_S)
    await broker.send(queue, alert("later"))
    assert server.titles(2) == ["later", "once"]


async def test_a_server_that_acknowledges_before_the_commit_is_seen_to_lose(
    broker: Broker, make_server: MakeServer
) -> None:
    queue = await broker.make_queue()
    await broker.send(queue, alert("lost"))
    server = Reading(make_server(), {"orders": broker.settings(queue)})
    die_with(server.server, "hasty_server.py")
    server.start()
    await broker.send(queue, alert("later"))
    server.titles(1)
    await until_async(lambda: nothing_left(broker, queue), "the queue is empty", SOON_S)
    assert server.titles(1) == ["later"]


async def test_an_outage_of_the_broker_loses_and_doubles_nothing(
    broker: Broker, make_server: MakeServer
) -> None:
    queue, other = await broker.make_queue(), await broker.make_queue()
    server = Reading(make_server(), {"orders": broker.settings(queue)}).start()
    await broker.send(other, Sent(b"held", "1"))
    await broker.send(queue, *(alert(f"before {number:02}") for number in range(60)))
    async with contextlib.AsyncExitStack() as stack:
        line = await stack.enter_async_context(broker.source(other).line())
        await receive(line, 1)
        broker.stop()
        with pytest.raises(LineLostError):
            await asyncio.wait_for(receive(line, 1), SOON_S)
    with pytest.raises(LineLostError):
        async with broker.source(other).line():
            pytest.fail("the broker is away")
    until(lambda: finding_of(server)["verdict"] == "fail", "the doctor tells", SOON_S)
    broker.start()
    await broker.send(queue, *(alert(f"after {number:02}") for number in range(60)))
    expected = [f"{when} {number:02}" for when in ("after", "before") for number in range(60)]
    assert server.titles(120) == expected
    await until_async(lambda: nothing_left(broker, queue), "the queue is empty", SOON_S)
    assert finding_of(server)["verdict"] == "ok"
    async with broker.source(other).line() as line:
        [again] = await receive(line, 1)
        assert again.body == b"held"
        await line.ack([again])
    events = [entry["event"] for entry in log_entries(server.server.log())]
    assert events.index("source.connected") < events.index("source.unavailable")


def finding_of(server: Reading) -> Any:
    findings = server.ask("GET", "/v1/admin/doctor").json()["findings"]
    return next(found for found in findings if found["check"] == "source orders")
