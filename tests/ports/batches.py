"""Batches, and the order in which they are to be in an inbox."""

from collections.abc import Sequence
from itertools import count

from tests.ports.world import World, envelope
from tocsin.model.alert import Envelope, in_order

_names = count(1)


def batch_of(size: int) -> Sequence[Envelope]:
    """Make one for ann with a number of its own, which comes from the last digits of its first id."""
    name = next(_names)
    return in_order([envelope("ann", id=f"{number:016x}{name:016x}") for number in range(size)])


async def see_order(world: World, batches: Sequence[Sequence[Envelope]]) -> None:
    """See that ann's inbox has these batches and nothing else, each in its order."""
    in_inbox = (await world.listed("ann"))[::-1]  # the newest comes first there
    assert sorted(in_inbox) == sorted(one.id for batch in batches for one in batch)
    for batch in batches:
        told = [one.id for one in batch]
        assert [id_ for id_ in in_inbox if id_ in set(told)] == told
