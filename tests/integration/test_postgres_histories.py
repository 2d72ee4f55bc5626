"""Random histories on PostgreSQL: every answer and every state is that of the store in memory."""

import pytest

from tests.ports.opener import OpenStore
from tests.ports.postgres_stores import lent, open_postgres
from tests.ports.test_stores_agree import compare
from tests.ports.turned_clock import TurnedClock

__all__ = ["lent", "open_postgres"]

HISTORIES = range(100, 108)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.mark.parametrize("seed", HISTORIES)
async def test_postgres_answers_every_history_as_memory_does(
    seed: int,
    open_postgres: OpenStore,
    clock: TurnedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await compare(open_postgres, clock, monkeypatch, seed)
