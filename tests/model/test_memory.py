"""Random histories on the memory store and the Python core."""

import os

import pytest

from tests.model.history import run_history
from tests.model.memory_kit import memory_kit

BLOCK = 150
SEED = os.environ.get("TOCSIN_SEED")


@pytest.mark.parametrize("block", range(10))
def test_clients_end_up_equal_to_a_fresh_fetch(block: int) -> None:
    seeds = [int(SEED)] if SEED else range(block * BLOCK, (block + 1) * BLOCK)
    for seed in seeds:
        run_history(seed, memory_kit())


@pytest.mark.soak
def test_clients_end_up_equal_over_many_seeds() -> None:
    for seed in range(10_000, 10_000 + int(os.environ.get("TOCSIN_SEEDS", "20000"))):
        run_history(seed, memory_kit())
