"""Settings of sources that cannot work are named, with the remedy, before anything connects."""

import sys
from typing import Any

import pytest

from tocsin.config import Settings
from tocsin.errors import ConfigError
from tocsin.node.sources import check_sources

GOOD = {"url": "amqp://user:secret@127.0.0.1:1/shop", "queue": "orders"}


def check(**source: Any) -> None:
    check_sources(Settings.model_validate({"sources": {"orders": {**GOOD, **source}}}))


def test_a_source_that_can_work_is_taken_without_a_look_at_the_broker() -> None:
    check()


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ({"url": "redis://x"}, "sources.orders: url is of no broker"),
        ({"queue": None}, "sources.orders: queue is missing"),
        ({"hub": "9"}, "sources.orders: hub '9' is no hub name"),
        ({"mapping": {"title": "t"}}, "sources.orders: mapping: say who gets it"),
    ],
)
def test_a_source_that_cannot_work_is_named(source: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        check(**source)


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "tocsin.adapters.rabbitmq.source", raising=False)
    monkeypatch.setitem(sys.modules, "aio_pika", None)
    with pytest.raises(ConfigError, match=r"pip install 'tocsin\[rabbitmq\]'"):
        check()
