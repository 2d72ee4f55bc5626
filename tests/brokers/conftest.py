"""Every test here runs on every broker; each is started once for a file of tests."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.acceptance.conftest import make_server
from tests.brokers.broker import Broker
from tests.brokers.jetstream import NatsBroker
from tests.brokers.rabbitmq import RabbitBroker
from tests.brokers.servicebus import ServiceBusBroker

__all__ = ["make_server"]
KINDS: dict[str, Callable[[], Any]] = {
    "rabbitmq": RabbitBroker,
    "servicebus": ServiceBusBroker,
    "nats": NatsBroker,
}


@contextmanager
def running(broker: Any) -> Iterator[Any]:
    """Run a broker, and take it away."""
    try:
        broker.start()
        yield broker
    finally:
        broker.remove()
        gc.collect()  # of sockets that the SDK left open is told here, and in no test of others


@pytest.fixture(scope="module", params=list(KINDS))
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with running(KINDS[request.param]()) as broker:
        yield broker


@pytest.fixture(scope="module")
def service_bus() -> Iterator[ServiceBusBroker]:
    with running(ServiceBusBroker()) as made:
        yield made
