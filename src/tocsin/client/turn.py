"""One step of the machine: the event's time and random number, and the effects asked for so far."""

import msgspec

from tocsin.client.rules import Row


class Options(msgspec.Struct, frozen=True):
    """Limits of the machine; times in milliseconds."""

    page_limit: int = 50
    keep_limit: int = 500
    hole_wait_ms: int = 200
    spread_ms: int = 2000
    read_deadline_ms: int = 10_000
    backoff_base_ms: int = 500
    backoff_max_ms: int = 30_000
    queue_max_age_ms: int = 29 * 86_400_000  # a day less than the server remembers answers


class Turn:
    """What reading and acting share: effects, timers, request numbers, and how the connection stands.

    ``healed``: a read was answered since the socket opened.  ``changed``: the view did.  ``unsaved``: the snapshot did.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.connected = self.healed = False
        self.now, self.random = 0, 0.0
        self.effects: list[Row] = []
        self.changed = self.unsaved = False
        self._requests = 0
        self._timers: dict[str, None] = {}  # those set, in order

    def begin(self, now: int, random: float) -> None:
        """Begin a step."""
        self.now, self.random = now, random
        self.effects, self.changed, self.unsaved = [], False, False

    def emit(self, effect: str, /, **fields: object) -> None:
        """Ask for an effect."""
        self.effects.append({"type": effect, **fields})

    def request(self, kind: str, request: Row) -> int:
        """Ask for a request; return its number."""
        self._requests += 1
        self.emit("request", request=self._requests, kind=kind, **request)
        return self._requests

    def set_timer(self, timer: str, delay_ms: int) -> None:
        """Set a timer, or set it anew."""
        self._timers[timer] = None
        self.emit("timer", timer=timer, delay_ms=delay_ms)

    def is_set(self, *timers: str) -> bool:
        """Tell whether any of these is set."""
        return any(timer in self._timers for timer in timers)

    def cancel(self, *timers: str) -> None:
        """Cancel those of them that are set."""
        for timer in timers:
            if timer in self._timers:
                del self._timers[timer]
                self.emit("cancel", timer=timer)

    def cancel_all(self) -> None:
        """Cancel every timer."""
        self.cancel(*list(self._timers))

    def ran_out(self, timer: str) -> bool:
        """Note that a timer ran out; False if it was not set."""
        was_set = timer in self._timers
        self._timers.pop(timer, None)
        return was_set

    def backoff(self, attempts: int) -> int:
        """Return the pause after so many attempts in a row, from its second half."""
        options = self.options
        longest = min(options.backoff_max_ms, options.backoff_base_ms * 2 ** (attempts - 1))
        return int(longest * (0.5 + self.random / 2))
