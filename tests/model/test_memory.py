"""Random histories on the memory store and the Python core.

One seed again: ``TOCSIN_SEED=581 pytest tests/model/test_memory.py``.
"""

import pytest

from tests.model.history import run_history
from tests.model.memory_kit import memory_kit
from tests.model.seeds import block_of, soaked


@pytest.mark.parametrize("block", range(10))
def test_clients_end_up_equal_to_a_fresh_fetch(block: int) -> None:
    for seed in block_of(block, 150):
        run_history(seed, memory_kit())


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_clients_end_up_equal_over_many_seeds() -> None:
    for seed in soaked(30_000):
        run_history(seed, memory_kit())
