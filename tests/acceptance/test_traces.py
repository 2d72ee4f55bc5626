"""One trace for each alert, over every process that it passes, at a collector that speaks OTLP."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.acceptance.collector import Collector, Span
from tests.acceptance.conftest import MakeServer, server_maker
from tests.acceptance.deadlines import until
from tests.acceptance.push_browsers import Browsers, push_environment
from tests.acceptance.server_process import ServerProcess
from tests.acceptance.test_processes import beside, nats, postgres, shared
from tests.acceptance.test_receipts import hear_and_acknowledge
from tests.ports.nats_server import NatsServer
from tests.push_services.running import process

__all__ = ["nats", "postgres", "shared"]

pytestmark = pytest.mark.acceptance

RELIABLE = Subprotocol("json.reliable.webpubsub.azure.v1")
TOLD = ("shown", "seen", "read", "acted")
STEPS = {"accept", "queue", "deliver", "announce", "written", "received", *TOLD}
PRODUCER_TRACE, PRODUCER_SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = (f"00-{PRODUCER_TRACE}-{PRODUCER_SPAN}-{flags}" for flags in ("01", "00"))
PUBLISHES = 20
STOPS_S = 60.0


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def reluctant(shared_collector: Collector) -> Iterator[ServerProcess]:
    """A server that traces as little by itself as there is."""
    with server_maker() as make:
        yield make(env=traced(shared_collector, share="0")).start()


def traced(collector: Collector, share: str = "1", **more: str) -> dict[str, str]:
    return {
        "TOCSIN_TRACES__ENDPOINT": collector.url,
        "TOCSIN_TRACES__SHARE": share,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        **more,
    }


def published(server: ServerProcess, key: Mapping[str, str], **alert: Any) -> str:
    answer = server.publish(key, **{"actions": [{"id": "ack", "label": "Yes"}], **alert})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def use(socket: ClientConnection, alert_id: str) -> None:
    """Get an alert, and tell all that a person can do with it."""
    hear_and_acknowledge(socket, alert_id)
    receipts = [{"alert_id": alert_id, "fact": fact} for fact in TOLD]
    receipts[-1]["action"] = "ack"
    event = {"type": "event", "event": "tocsin.receipts", "dataType": "json"}
    socket.send(json.dumps({**event, "data": {"receipts": receipts}}))


def check(trace: Mapping[str, list[Span]]) -> None:
    """See that all is below the first span, and in order."""
    [first] = trace["accept"]
    assert first.parent == ""
    others = [span for name, spans in trace.items() if name != "accept" for span in spans]
    assert {span.parent for span in others} == {first.id}
    assert len({span.id for span in others} | {first.id}) == len(others) + 1
    queue, deliver, announce = (trace[name][0] for name in ("queue", "deliver", "announce"))
    assert first.begin_us == queue.begin_us
    assert queue.end_us <= deliver.begin_us <= deliver.end_us <= announce.begin_us
    received = trace["received"][0].begin_us
    assert announce.begin_us <= trace["written"][0].begin_us <= received
    assert all(received <= trace[name][0].begin_us for name in TOLD)
    assert not any(span.failed for span in (first, *others))


def test_each_alert_has_one_trace_from_publish_to_pushes_and_what_its_reader_did(
    make_server: MakeServer, collector: Collector
) -> None:
    with process("web-push") as origin:
        env = push_environment(origin, **traced(collector), TOCSIN_PUSH__GRACE_S="0")
        server = make_server(env=env).start()
        key = server.key("server")
        Browsers(server, origin, key).register("ada", "ben")
        url = server.cli("client-token", "ada").strip()
        with connect(f"{url}&device=phone", subprotocols=[RELIABLE]) as socket:
            socket.recv(timeout=30)
            alerts = []
            for _ in range(2):
                alert_id = published(server, key, to={"users": ["ada", "ben"]})
                alerts.append(alert_id)
                # What is shown is not pushed any more, so the pushes come first.
                until(lambda: len(collector.trace(alerts[-1]).get("push", ())) == 2, "two pushes")
                use(socket, alert_id)
                collector.has(alert_id, STEPS)
    for alert_id in alerts:
        check_one_process(alert_id, collector.trace(alert_id))
    said = {value for span in collector.spans for value in span.about.values()}
    assert not {"ada", "ben"} & said, "traces name no people"


def check_one_process(alert_id: str, trace: Mapping[str, list[Span]]) -> None:
    """See that each step is told once, with what is known of it."""
    check(trace)
    pushes = trace["push"]
    assert all(len(spans) == 1 for spans in trace.values() if spans is not pushes)
    assert trace["accept"][0].about["tocsin.alert_id"] == alert_id
    assert trace["deliver"][0].about["tocsin.people"] == 2
    assert {trace[name][0].about["tocsin.device"] for name in ("received", *TOLD)} == {"phone"}
    assert len({push.about["tocsin.push"] for push in pushes}) == 2
    for push in pushes:
        said = (push.about["tocsin.platform"], push.about["tocsin.outcome"])
        assert said == ("webpush", "accepted")
        assert push.begin_us >= trace["deliver"][0].end_us


def test_a_trace_passes_processes_that_share_nothing_but_database_and_nats(
    make_server: MakeServer, shared: dict[str, str], nats: NatsServer, collector: Collector
) -> None:
    gateway = make_server()
    common = {
        **shared,
        **traced(collector),
        "TOCSIN_PUBLIC_URL": gateway.url,
        "TOCSIN_QUEUE": shared["TOCSIN_FANOUT"],
        "TOCSIN_QUEUE_MONITORS": json.dumps([nats.monitor]),
    }
    api = make_server(env={**common, "TOCSIN_ROLES": "api"}).start()
    beside(api, make_server, {**common, "TOCSIN_ROLES": "processor,dispatcher"}).start()
    port, gateway = gateway.port, beside(api, make_server, {**common, "TOCSIN_ROLES": "gateway"})
    gateway.port = port
    gateway.start()
    key = api.key("server")
    with connect(api.client_token(key)["url"], subprotocols=[RELIABLE]) as socket:
        socket.recv(timeout=30)
        alert_id = first_announced(api, key, collector)
        use(socket, alert_id)
        collector.has(alert_id, STEPS)
    trace = collector.trace(alert_id)
    check(trace)
    assert {tuple(trace[name][0].roles) for name in ("queue", "deliver", "announce")} == {
        ("dispatcher", "processor")
    }
    assert trace["accept"][0].roles == ["api"]
    assert {tuple(trace[name][0].roles) for name in ("written", "received")} == {("gateway",)}


def first_announced(api: ServerProcess, key: Mapping[str, str], collector: Collector) -> str:
    """Publish until the processor knows where Ada is: before that, a head brings the news and no announcement."""
    while not (alert_id := written(api, key, collector)):
        pass
    return alert_id


def written(api: ServerProcess, key: Mapping[str, str], collector: Collector) -> str | None:
    """Publish an alert; return its id if it is written to a socket soon."""
    alert_id = published(api, key)
    collector.has(alert_id, {"announce"})
    try:
        collector.has(alert_id, {"written"}, within_s=3)
    except AssertionError:
        return None
    return alert_id


def test_the_trace_of_a_producer_is_continued_and_recorded_whatever_the_share(
    reluctant: ServerProcess, shared_collector: Collector
) -> None:
    key = reluctant.key("producer")
    alert = {"to": {"users": ["ada"]}, "title": "Hello"}
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "sold", "data": alert}
    kinds: list[tuple[str, dict[str, str], Any]] = [
        ("/v1/alerts", {"traceparent": SAMPLED}, alert),
        ("/v1/alerts/batch", {"traceparent": SAMPLED}, {"alerts": [alert]}),
        ("/v1/events", {"ce-traceparent": SAMPLED, **binary(event)}, alert),
        ("/v1/events", STRUCTURED, {**event, "id": "2", "traceparent": SAMPLED}),
        ("/v1/events", {**BATCH, "traceparent": SAMPLED}, [{**event, "id": "3"}]),
    ]
    for path, headers, body in kinds:
        answer = reluctant.request("POST", path, json=body, headers={**key, **headers})
        assert answer.status_code == 202, answer.text
        said = answer.json()
        alert_id = said["id"] if "id" in said else said["results"][0]["id"]
        shared_collector.has(alert_id, {"accept", "deliver"})
        [first] = shared_collector.trace(alert_id)["accept"]
        assert first.links == [(PRODUCER_TRACE, PRODUCER_SPAN)]
        [there] = [span for span in shared_collector.spans if (first.trace, first.id) in span.links]
        assert (there.trace, there.parent) == (PRODUCER_TRACE, PRODUCER_SPAN)
        assert (there.begin_us, there.end_us) == (first.begin_us, first.end_us)


STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


def binary(event: Mapping[str, Any]) -> dict[str, str]:
    return {f"ce-{name}": value for name, value in event.items() if name != "data"}


def test_of_a_producer_that_records_nothing_no_more_is_traced_than_of_others(
    reluctant: ServerProcess, shared_collector: Collector
) -> None:
    key = reluctant.key("producer")
    alert = {"to": {"users": ["ada"]}, "title": "Hello"}
    ids = set[str]()
    for given in (UNSAMPLED, "no traceparent", f"{SAMPLED}-more"):
        answer = reluctant.request(
            "POST",
            "/v1/alerts/batch",
            json={"alerts": [alert] * PUBLISHES},
            headers={**key, "traceparent": given},
        )
        ids |= {result["id"] for result in answer.json()["results"]}
    last = reluctant.request(
        "POST", "/v1/alerts", json=alert, headers={**key, "traceparent": SAMPLED}
    )
    shared_collector.has(last.json()["id"], {"deliver"})
    assert len(ids) == 3 * PUBLISHES
    # One in 65,536 is taken all the same.
    assert sum(bool(shared_collector.trace(each)) for each in ids) <= 1


def test_a_collector_that_does_not_answer_holds_up_neither_alerts_nor_the_end(
    make_server: MakeServer, collector: Collector
) -> None:
    env = traced(
        collector,
        OTEL_BSP_MAX_QUEUE_SIZE="64",
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE="16",
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
    )
    server = make_server(env=env).start()
    key = server.key("server")
    collector.answers.clear()
    titles = [f"Hello {number}" for number in range(PUBLISHES)]
    for title in titles:
        assert server.publish(key, title=title).status_code == 202
    until(collector.asked.is_set, "the collector is asked")
    until(lambda: sorted(server.titles(key)) == sorted(titles), "all have arrived")
    until(lambda: "traces.trouble" in server.log(), "the log says so")
    began_s = time.monotonic()
    server.stop()
    assert time.monotonic() - began_s < STOPS_S


def test_a_server_without_traces_imports_nothing_of_opentelemetry(folder: Path) -> None:
    program = """
import asyncio, sys
from tocsin.config import load
from tocsin.node.life import Node

async def main():
    async with Node.opened(load({"data_dir": "data", "port": 0})) as node:
        node.start()
        print([name for name in sys.modules if name.startswith("opentelemetry")])

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
