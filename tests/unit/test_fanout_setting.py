"""Which fan-out the settings name."""

import sys

import pytest

from tocsin.config import load
from tocsin.errors import ConfigError
from tocsin.node.fanout import opened_fanout
from tocsin.supervisor import Supervisor


@pytest.mark.parametrize("named", ["redis://ann:s3cret@host", "nats://", "nats://ann:s3cret@h/a/b"])
def test_a_fanout_that_there_is_none_of_is_refused_without_telling_its_password(
    named: str,
) -> None:
    with pytest.raises(ConfigError, match="nats://USER") as refused:
        load({"fanout": named})
    assert "s3cret" not in refused.value.detail


def test_the_url_of_a_fanout_is_in_no_text_of_the_settings() -> None:
    settings = load({"fanout": "nats://ann:s3cret@one:4222,two:4222/shop"})
    assert "s3cret" not in repr(settings)


async def test_without_the_driver_it_is_said_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "tocsin.adapters.nats.fanout", None)
    with pytest.raises(ConfigError, match=r"pip install 'tocsin\[nats\]'"):
        async with opened_fanout(load({"fanout": "nats://host"}), Supervisor()):
            pass
