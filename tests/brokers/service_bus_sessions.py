"""The sessions of one queue of the stand-in for Azure Service Bus: who holds them, and what they remember."""

import time


class Sessions:
    """Locks on sessions, each for one receiver, and the state that a session keeps beside its messages."""

    def __init__(self, lock_s: float) -> None:
        self.lock_s = lock_s
        self.held: dict[str, float] = {}  # until when, in seconds since 1970
        self.states: dict[str, bytes | None] = {}

    def take(self, name: str) -> bool:
        """Lock a session; False if somebody has it."""
        if name in self.held:
            return False
        self.held[name] = time.time() + self.lock_s
        return True

    def renew(self, name: str) -> float | None:
        """Begin a lock anew; returns until when it holds, None if it is lost."""
        if name not in self.held:
            return None
        self.held[name] = time.time() + self.lock_s
        return self.held[name]

    def expire(self) -> None:
        """End the locks whose time is over."""
        now_s = time.time()
        self.held = {name: until_s for name, until_s in self.held.items() if until_s > now_s}
