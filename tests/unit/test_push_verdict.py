"""When a push is tried again: spread over a wait that doubles, after what the provider asked for, and not after its end."""

import pytest

from tocsin.clock import US_PER_S
from tocsin.model.push import Ending
from tocsin.ports.push import Later, Misconfigured, PushOutcome
from tocsin.push.verdict import LONGEST_RETRY_S, Again, Rest, judge

END_S = 100_000


def judged(said: PushOutcome, attempts: int = 1, chance: float = 1.0) -> Ending | Again:
    return judge(said, attempts, 0, END_S * US_PER_S, longest_s=900, chance=chance)


def again(due_s: float, reason: str, rest: Rest | None = None) -> Again:
    return Again(round(due_s * US_PER_S), reason, rest)


@pytest.mark.parametrize("chance", [0, 0.25, 1])
def test_waits_are_spread_over_a_range_that_doubles_up_to_a_bound(chance: float) -> None:
    longest = [2.0 ** min(attempts, 20) for attempts in range(1, 30)]
    for attempts, longest_s in enumerate(longest, 1):
        wait_s = min(longest_s, LONGEST_RETRY_S) * chance
        assert judged(Later("500"), attempts, chance) == again(wait_s, "500")


@pytest.mark.parametrize("attempts", [1, 20])
def test_what_the_provider_asks_for_is_the_least(attempts: int) -> None:
    assert judged(Later("429", after_s=120), attempts, chance=0) == again(120, "429")


@pytest.mark.parametrize(
    ("asked_s", "ends"), [(END_S - 1, False), (END_S, True), (END_S + 1, True)]
)
def test_what_would_be_tried_after_its_end_ends_now(asked_s: float, ends: bool) -> None:
    said = Later("503", after_s=asked_s)
    verdict = judge(said, 1, 0, END_S * US_PER_S, longest_s=10**6, chance=0)
    assert verdict == (Ending("expired", "503", 0) if ends else again(asked_s, "503"))


def test_a_fault_of_ours_lets_the_host_rest_and_keeps_the_push_to_its_end() -> None:
    rest = Rest(300, "401", alarm=True)
    assert judged(Misconfigured("401")) == again(300, "401", rest)
    verdict = judge(Misconfigured("401"), 1, 0, 60 * US_PER_S, longest_s=900, chance=0)
    assert verdict == again(60, "401", rest)
