"""What to do with an alert whose processing failed: a pure decision."""

from typing import Literal

import msgspec

MAX_ATTEMPTS = 8
MAX_CRASHES = 3
FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 60.0


class RetryDecision(msgspec.Struct, frozen=True):
    """``again`` after ``delay_s`` seconds, or ``bury`` as a dead letter with ``reason`` (I11)."""

    verdict: Literal["again", "bury"]
    reason: str
    delay_s: float = 0.0


def condemn(crashes: int) -> str | None:
    """Return why an alert is given up without another try, if it is: processes end whenever it is tried.

    Only crashes with this one alone in hand count, so neighbours are never blamed; and it takes three, since power may
    fail at any moment.
    """
    if crashes < MAX_CRASHES:
        return None
    return f"the process ended {crashes} times while it worked on this alert and nothing else"


def decide(attempt: int, error: Exception, random: float) -> RetryDecision:
    """Decide on try number ``attempt`` (from 1); ``random`` in [0, 1) spreads the delays.

    The delay doubles from 0.5 s to 60 s, of which half is fixed and half random.
    """
    reason = f"{type(error).__name__}: {error}"[:500]
    if attempt >= MAX_ATTEMPTS:
        return RetryDecision("bury", reason)
    longest = min(FIRST_DELAY_S * 2 ** (attempt - 1), LONGEST_DELAY_S)
    return RetryDecision("again", reason, longest * (0.5 + random / 2))
