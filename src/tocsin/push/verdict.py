"""What follows from a try to send a push: its end, or another try; and a rest for everything behind the same host.

Units:   seconds in settings and outcomes, microseconds elsewhere.
Source:  full jitter, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from typing import Final

import msgspec

from tocsin.clock import US_PER_S
from tocsin.model.push import Ending
from tocsin.ports.push import Accepted, Gone, Later, Misconfigured, PushOutcome, Rejected

FIRST_RETRY_S: Final = 2.0
LONGEST_RETRY_S: Final = 900.0
# So often a provider that says our settings are at fault is asked again, with one push.
MISCONFIGURED_REST_S: Final = 300.0


class Rest(msgspec.Struct, frozen=True):
    """Nothing should go to the host for so long; ``alarm`` if a person has to mend something."""

    for_s: float
    reason: str
    alarm: bool = False


class Again(msgspec.Struct, frozen=True):
    """Try once more at ``due_us``."""

    due_us: int
    reason: str
    rest: Rest | None = None


def judge(
    outcome: PushOutcome,
    attempts: int,
    now_us: int,
    until_us: int,
    *,
    longest_s: float,
    chance: float,
) -> Ending | Again:
    """Return what follows from an outcome.

    Args:
        outcome: What the provider said.
        attempts: How often this push was tried, this one included.
        now_us: The time.
        until_us: When nobody wants it any more.
        longest_s: The longest wait that a provider may ask for.
        chance: From 0 to 1, spreads retries.
    """
    match outcome:
        case Accepted():
            return Ending("accepted", "", now_us)
        case Gone(reason):
            return Ending("gone", reason, now_us)
        case Rejected(reason):
            return Ending("rejected", reason, now_us)
        case Misconfigured(reason):
            rest = Rest(MISCONFIGURED_REST_S, reason, alarm=True)
            return _again(rest.for_s, reason, now_us, until_us, rest)
        case Later(reason, after_s, whole_host):
            wait_s = max(min(after_s or 0.0, longest_s), backoff_s(attempts, chance))
            rest_of_host = Rest(wait_s, reason) if whole_host else None
            return _again(wait_s, reason, now_us, until_us, rest_of_host)


def backoff_s(attempts: int, chance: float) -> float:
    """Return the wait before the next try: anything up to a bound that doubles with every try."""
    bound_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(attempts - 1, 16))
    return bound_s * chance


def _again(
    wait_s: float, reason: str, now_us: int, until_us: int, rest: Rest | None
) -> Ending | Again:
    due_us = now_us + round(wait_s * US_PER_S)
    if due_us >= until_us:
        return Ending("expired", reason, now_us) if rest is None else Again(until_us, reason, rest)
    return Again(due_us, reason, rest)
