"""Settings of sources that cannot work are named, with the remedy, before anything connects."""

import sys
from typing import Any

import pytest

from tocsin.config import Settings
from tocsin.errors import ConfigError
from tocsin.node.sources import check_sources

GOOD = {"url": "amqp://user:secret@127.0.0.1:1/shop", "queue": "orders"}


NATS = {"url": "nats://ann:s3cret@one:4222,two:4222", "queue": None, "stream": "S", "consumer": "c"}
BUS = "Endpoint=sb://x.test/;SharedAccessKeyName=n;SharedAccessKey=c2VjcmV0"


def check(**source: Any) -> None:
    check_sources(Settings.model_validate({"sources": {"orders": {**GOOD, **source}}}))


def test_sources_that_can_work_are_taken_without_a_look_at_the_broker() -> None:
    check()
    check(url=BUS)
    check(url=BUS, queue=None, topic="t", subscription="s")
    check(**NATS)
    check(**NATS, subject="orders.>")


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ({"url": "redis://x"}, "sources.orders: url is of no broker"),
        ({"queue": None}, "sources.orders: queue is missing"),
        ({"topic": "t"}, "sources.orders: RabbitMQ has no topic"),
        ({"url": BUS, "topic": "t"}, "sources.orders: name the queue; or instead"),
        ({"url": BUS, "queue": None, "topic": "t"}, "sources.orders: name the queue; or instead"),
        ({"url": BUS, "queue": None}, "sources.orders: name the queue; or instead"),
        ({"url": "Endpoint=sb://x"}, "sources.orders: url is no connection string"),
        ({**NATS, "stream": None}, "sources.orders: stream is missing"),
        ({**NATS, "consumer": None}, "sources.orders: consumer is missing"),
        ({**NATS, "queue": "q", "topic": "t"}, "sources.orders: NATS has no queue and no topic"),
        ({**NATS, "url": "nats://one/place"}, "sources.orders: url is of no broker"),
        ({"hub": "9"}, "sources.orders: hub '9' is no hub name"),
        ({"mapping": {"title": "t"}}, "sources.orders: mapping: say who gets it"),
    ],
)
def test_a_source_that_cannot_work_is_named(source: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        check(**source)


@pytest.mark.parametrize(
    ("source", "driver", "extra"),
    [
        (GOOD, "aio_pika", "rabbitmq"),
        ({"url": BUS}, "azure.servicebus", "servicebus"),
        (NATS, "nats.errors", "nats"),
    ],
)
def test_a_driver_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, source: Any, driver: str, extra: str
) -> None:
    monkeypatch.delitem(sys.modules, f"tocsin.adapters.{extra}.source", raising=False)
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(ConfigError, match=rf"pip install 'tocsin\[{extra}\]'"):
        check(**source)
