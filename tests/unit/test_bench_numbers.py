"""The judge of the bench: what it says of messages that never came, came twice, or came late."""

import pytest
from bench.load.numbers import Numbers


@pytest.mark.parametrize(
    ("heard", "lost", "duplicates", "order_breaks"),
    [
        ([1, 2, 3, 4], 0, 0, 0),
        ([], 4, 0, 0),
        ([1, 2], 2, 0, 0),
        ([1, 4], 2, 0, 0),
        ([1, 2, 2, 3, 4, 1], 0, 2, 0),
        ([1, 3, 2, 4], 0, 0, 1),
        ([2, 3, 4, 1, 1], 0, 1, 1),
        ([4, 1], 2, 0, 1),
    ],
)
def test_each_message_is_lost_doubled_late_or_well(
    heard: list[int], lost: int, duplicates: int, order_breaks: int
) -> None:
    numbers = Numbers()
    for number in heard:
        numbers.hear(number)
    assert (numbers.lost(4), numbers.duplicates, numbers.order_breaks) == (
        lost,
        duplicates,
        order_breaks,
    )
    assert numbers.heard_any == bool(heard)
