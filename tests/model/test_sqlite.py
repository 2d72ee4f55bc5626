"""The same random histories on SQLite, with writers that run at the same time."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model.history import run_history
from tests.model.seeds import block_of, soaked
from tests.model.server import Kit
from tests.model.sqlite_kit import SqliteKit


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kit]:
    folder: Path = tmp_path_factory.mktemp("stores")
    with asyncio.Runner() as runner:
        yield SqliteKit(runner, folder).kit()


@pytest.mark.parametrize("block", range(5))
def test_clients_of_a_real_store_end_up_equal_to_a_fresh_fetch(kit: Kit, block: int) -> None:
    for seed in block_of(block, 30):
        run_history(seed, kit)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_clients_of_a_real_store_end_up_equal_over_many_seeds(kit: Kit) -> None:
    for seed in soaked(3_000):
        run_history(seed, kit)
