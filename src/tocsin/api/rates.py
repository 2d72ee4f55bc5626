"""How much one caller may ask: a token bucket for each API key and each person, in the memory of this node.

All that is kept of a bucket is when it will be full again.  A batch is let in while anything is left and then counted
whole, so none is too large to ever be let in; the next one waits until the debt is paid.

Units:   times in seconds of a clock that never runs backwards.
Source:  https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (the fields, as structured fields)
"""

from collections.abc import Callable, Hashable
from math import ceil
from typing import Final

from tocsin.clock import Clock
from tocsin.config import Rates
from tocsin.errors import RateLimitedError

MAX_CALLERS: Final = 100_000
_FEW_CALLERS: Final = 1_000
_ROUNDING: Final = 1e-6


class Rate:
    """At most ``quota`` at once and per ``window_s`` seconds, for each caller."""

    def __init__(
        self,
        name: str,
        quota: int,
        window_s: float,
        now_s: Callable[[], float],
        setting: str | None = None,
    ) -> None:
        """Make it; ``setting`` is what an operator can change."""
        self._setting = "" if setting is None else f" ({setting})"
        self._name = name
        self._quota = quota
        self._window_s = window_s
        self._each_s = window_s / quota
        self._now_s = now_s
        self._full_at_s: dict[Hashable, float] = {}
        self._forget_at = _FEW_CALLERS
        self._told = f'"{name}";r=%d;t=%d'.encode()
        self._policy = (b"ratelimit-policy", f'"{name}";q={quota};w={ceil(window_s)}'.encode())

    def take(self, caller: Hashable) -> None:
        """Take one.

        Raises:
            RateLimitedError: Nothing is left, and nothing was taken; it says when to come back.
        """
        now_s = self._now_s()
        missing_s = max(0.0, self._full_at_s.get(caller, 0.0) - now_s) + self._each_s
        if missing_s > self._window_s + _ROUNDING:
            detail = (
                f"{self._quota} per {self._window_s:g} s are allowed{self._setting}; "
                "come back after Retry-After, and spread what you send"
            )
            wait_s = ceil(missing_s - self._window_s)
            raise RateLimitedError(detail, code="rate-limited", retry_after_s=wait_s)
        self._full_at_s[caller] = now_s + missing_s
        if len(self._full_at_s) >= self._forget_at:
            self._forget(now_s)

    def charge(self, caller: Hashable, count: int) -> None:
        """Take ``count`` more of one that was let in, whether they are left or not."""
        full_at_s = max(self._now_s(), self._full_at_s.get(caller, 0.0))
        self._full_at_s[caller] = full_at_s + count * self._each_s

    def headers(self, caller: Hashable) -> list[tuple[bytes, bytes]]:
        """Return the fields that tell a caller what is allowed, what is left, and when all of it is back."""
        missing_s = max(0.0, self._full_at_s.get(caller, 0.0) - self._now_s())
        left = max(0, int((self._window_s - missing_s) / self._each_s + _ROUNDING))
        return [self._policy, (b"ratelimit", self._told % (left, ceil(missing_s)))]

    def _forget(self, now_s: float) -> None:
        """Forget full buckets, which say nothing; all of them where too many are in use: rather lenient than out of memory."""
        used = {caller: at_s for caller, at_s in self._full_at_s.items() if at_s > now_s}
        self._full_at_s = used if len(used) <= MAX_CALLERS // 2 else {}
        self._forget_at = max(_FEW_CALLERS, 2 * len(self._full_at_s))


class Callers:
    """The rates of both kinds of callers; None where there is no limit."""

    def __init__(self, rates: Rates, clock: Clock) -> None:
        self.keys = _rate("key", rates.key_requests, rates.key_window_s, clock)
        self.users = _rate("user", rates.user_requests, rates.user_window_s, clock)


def _rate(name: str, quota: int, window_s: float, clock: Clock) -> Rate | None:
    setting = f"rates.{name}_requests"
    return Rate(name, quota, window_s, clock.monotonic_s, setting) if quota else None
