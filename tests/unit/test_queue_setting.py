"""Which queue the settings name."""

import sys
from pathlib import Path

import pytest

from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.clock import SystemClock
from tocsin.config import load
from tocsin.errors import ConfigError
from tocsin.node.queue import opened_queue
from tocsin.ports.limits import StoreLimits


@pytest.mark.parametrize("named", ["amqp://ann:s3cret@host", "nats://", "nats://ann:s3cret@h/a/b"])
def test_a_queue_that_there_is_none_of_is_refused_without_telling_its_password(named: str) -> None:
    with pytest.raises(ConfigError, match="queue is neither store nor") as refused:
        load({"queue": named})
    assert "s3cret" not in refused.value.detail


def test_the_url_of_a_queue_is_in_no_text_of_the_settings() -> None:
    assert "s3cret" not in repr(load({"queue": "nats://ann:s3cret@one:4222,two:4222/shop"}))


def test_the_replicas_of_the_queue_can_be_said_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOCSIN_QUEUE_REPLICAS", "3")
    assert load({}).queue_replicas == 3
    monkeypatch.setenv("TOCSIN_QUEUE_REPLICAS", "2")
    with pytest.raises(ConfigError, match="1, 3 or 5"):
        load({})


async def test_without_the_driver_it_is_said_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tocsin.adapters.nats.line", None)
    store = await SqliteStore.open(tmp_path, SystemClock(), StoreLimits())
    try:
        with pytest.raises(ConfigError, match=r"pip install 'tocsin\[nats\]'"):
            async with opened_queue(load({"queue": "nats://host"}), store, SystemClock()):
                pass
    finally:
        await store.close()
