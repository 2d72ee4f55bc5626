"""How long to wait before a new connection, by the reason the last one ended (docs/reference/inbox-protocol.md)."""

import re
from random import Random

from tocsin.client.backoff import longest_pause_s

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_S = 5.0
_DRAIN_DEFAULT_S = 1.0
_RETRY_AFTER = re.compile(r"retry-after-ms=(\d{1,9})")
_DRAINING = (1001, 1012)
_REFUSED = 1008
_CROWDED = frozenset({"too-many-connections", "rate-limited"})
_AT_ONCE = (1000, 4401)


class Comeback:
    """Remembers failures in a row; draws every pause from its second half, so that clients spread."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._failures = 0

    def pause_s(self, code: int | None, reason: str, *, stood_s: float) -> float:
        """Return the seconds to wait.

        Args:
            code: The close code, or None where there was no connection.
            reason: The close reason.
            stood_s: How long the connection stood; a short one counts as a failure, whatever its code.
        """
        if stood_s >= STEADY_S:
            self._failures = 0
        if code in _DRAINING:
            found = _RETRY_AFTER.search(reason)
            drain_s = int(found[1]) / 1000 if found else _DRAIN_DEFAULT_S
            return self._spread(drain_s)
        at_once = code in _AT_ONCE or (code == _REFUSED and reason not in _CROWDED)
        self._failures += 1
        return 0.0 if at_once and self._failures == 1 else self._backoff()

    def _backoff(self) -> float:
        return self._spread(longest_pause_s(FIRST_PAUSE_S, LONGEST_PAUSE_S, self._failures - 1))

    def _spread(self, longest_s: float) -> float:
        return longest_s * (0.5 + self._random.random() / 2)
