"""When nothing goes to a host for a while, and how it is found out that it takes something again.

One answer proves little: who owns a device chooses what is called there, and a service may put off one device and no other.
So a rest is believed once ``BELIEVED`` people in a row were asked for one, with nothing accepted between them; and of each
``PARTS``-th of a rest one push goes, to see.  If that is accepted, the rest is over.
"""

from typing import Final

import structlog

from tocsin.push.credentials import Person

log = structlog.get_logger()

BELIEVED: Final = 3
PARTS: Final = 8
SHORTEST_PART_S: Final = 1.0


class HostRest:
    """Whether one host rests.

    ``until_s`` is the end of its rest, as ``Clock.monotonic_s`` counts.  ``fault`` is why it rests if a person has to mend
    that, else ""; then nobody goes to see.
    """

    def __init__(self, host: str) -> None:
        self.until_s = 0.0
        self.fault = ""
        self._host = host
        self._asked: set[Person] = set()
        self._part_s = 0.0
        self._look_s = 0.0
        self._scout: int | None = None

    def ask(self, person: Person, for_s: float, reason: str, now_s: float) -> bool:
        """Note that a device was put off on behalf of its whole host; tells whether the host rests now."""
        if len(self._asked) < BELIEVED:
            self._asked.add(person)
        if len(self._asked) < BELIEVED:
            return False
        if now_s >= self.until_s:
            self.fault = ""
            log.warning("push.resting", host=self._host, for_s=for_s, reason=reason)
        self._begin(for_s, now_s)
        return True

    def pause(self, for_s: float, fault: str, now_s: float) -> None:
        """Rest since our settings are at fault."""
        self.fault = fault
        self._begin(for_s, now_s)
        log.error("push.paused", host=self._host, for_s=for_s, reason=fault)

    def accepted(self, number: int) -> None:
        """Note that the host took a push; if it was the one that went to see, the rest is over."""
        self._asked.clear()
        if number == self._scout:
            self.until_s = 0.0
            self._scout = None

    def wait_s(self, number: int, now_s: float) -> float:
        """Return how long that push waits, at least; 0 if it goes now."""
        if now_s >= self.until_s:
            return 0.0
        if self.fault:
            return self.until_s - now_s
        if now_s >= self._look_s:
            self._scout = number
            self._look_s = now_s + self._part_s
            return 0.0
        return min(self._look_s, self.until_s) - now_s

    def _begin(self, for_s: float, now_s: float) -> None:
        self.until_s = max(self.until_s, now_s + for_s)
        self._part_s = max(SHORTEST_PART_S, (self.until_s - now_s) / PARTS)
        self._look_s = now_s + self._part_s
