"""What to do with an alert whose processing failed: a pure decision."""

from typing import Literal

import msgspec

MAX_ATTEMPTS = 8
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 60.0


class RetryDecision(msgspec.Struct, frozen=True):
    """``again`` after ``delay_s`` seconds, or ``bury`` as a dead letter with ``reason`` (I11)."""

    verdict: Literal["again", "bury"]
    reason: str
    delay_s: float = 0.0


def decide(attempt: int, error: Exception, random: float) -> RetryDecision:
    """Decide on try number ``attempt`` (from 1); ``random`` in [0, 1) spreads the delays.

    The delay doubles from 0.5 s to 60 s, of which half is fixed and half random.
    """
    reason = f"{type(error).__name__}: {error}"[:500]
    if attempt >= MAX_ATTEMPTS:
        return RetryDecision("bury", reason)
    longest = min(FIRST_DELAY_S * 2 ** (attempt - 1), LONGEST_DELAY_S)
    return RetryDecision("again", reason, longest * (0.5 + random / 2))
