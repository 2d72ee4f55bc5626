"""Which seeds to run: a block of a test, the one of TOCSIN_SEED, or TOCSIN_SEEDS many in a soak."""

import os
from collections.abc import Iterable


def block_of(number: int, size: int) -> Iterable[int]:
    """Return the seeds of one block, or the seed that is asked for."""
    one = os.environ.get("TOCSIN_SEED")
    if one is not None:
        return [int(one)] if number == 0 else []
    return range(number * size, (number + 1) * size)


def soaked(default: int) -> Iterable[int]:
    """Return the seeds of a long run, apart from those of the short ones."""
    return range(100_000, 100_000 + int(os.environ.get("TOCSIN_SEEDS", str(default))))
