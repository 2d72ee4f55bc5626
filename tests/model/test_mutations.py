"""The proof proves something: every fault of sync.md, section 6, put in on purpose, is noticed."""

from collections.abc import Collection

import pytest

from tests.model.history import BrokenPromiseError, run_history
from tests.model.mutations import FOCUS, MUTATIONS
from tests.model.server import Kit

SEEDS = 1200


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = MUTATIONS[name](monkeypatch)
    focus = FOCUS.get(name, ())
    noticed = any(_is_noticed(seed, kit, focus) for seed in range(SEEDS))
    assert noticed, f"{SEEDS} seeds missed: {name}"


def _is_noticed(seed: int, kit: Kit, focus: Collection[str]) -> bool:
    """Tell whether a promise broke; anything else that fails is the mutation's own fault."""
    try:
        run_history(seed, kit, focus=focus)
    except BrokenPromiseError as broken:
        if not isinstance(broken.__cause__, AssertionError):
            raise
        return True
    return False
