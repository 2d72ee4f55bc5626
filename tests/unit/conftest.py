"""Fixtures of the unit tests."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.api_server import Server, running


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """An application on the memory store, with default limits."""
    async with running() as server:
        yield server
