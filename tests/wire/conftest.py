"""The wire tests run on uvloop, as the server does."""

from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], uvloop.Loop]]:
    """Give every asynchronous test of this folder the loop of production."""
    return {"uvloop": uvloop.new_event_loop}
