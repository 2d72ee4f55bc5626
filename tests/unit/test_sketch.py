"""Different people are counted without keeping who."""

from tocsin.model.sketch import EMPTY, people_in, with_people


def test_nobody_and_one_are_exact_and_repeats_change_nothing() -> None:
    assert people_in(EMPTY) == 0
    once = with_people(EMPTY, {"ann"})
    assert people_in(once) == 1
    assert with_people(once, {"ann"}) == once


def test_counts_are_right_within_a_few_percent_at_every_size() -> None:
    sketch, counted = EMPTY, 0
    for size in (10, 100, 1_000, 5_000, 20_000, 50_000):
        sketch = with_people(sketch, {f"user-{n}" for n in range(counted, size)})
        counted = size
        assert abs(people_in(sketch) - size) <= 0.05 * size
