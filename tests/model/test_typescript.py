"""The same random histories with the real TypeScript core, driven through a pipe, and held against the Python one."""

from collections.abc import Iterator

import pytest

from tests.model.history import run_history
from tests.model.memory_kit import memory_kit
from tests.model.node_bridge import Bridge
from tests.model.seeds import block_of, soaked
from tests.model.server import Kit
from tests.model.twin import TwinCore


@pytest.fixture(scope="module")
def kit() -> Iterator[Kit]:
    with Bridge() as bridge:
        yield memory_kit(
            new_core=lambda options: TwinCore(bridge.new_core(options), options),
            close=lambda _store: bridge.drop_cores(),
        )


@pytest.mark.parametrize("block", range(4))
def test_typescript_clients_end_up_equal_to_a_fresh_fetch(kit: Kit, block: int) -> None:
    for seed in block_of(block, 50):
        run_history(seed, kit)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_typescript_clients_end_up_equal_over_many_seeds(kit: Kit) -> None:
    for seed in soaked(5_000):
        run_history(seed, kit)
