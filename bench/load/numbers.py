"""What one client heard of messages that are numbered 1, 2, 3 and so on."""


class Numbers:
    """Which never came, which came twice, and which came behind a later one."""

    __slots__ = ("_missing", "_next", "duplicates", "order_breaks")

    def __init__(self) -> None:
        self._next = 1
        self._missing = set[int]()
        self.duplicates = 0
        self.order_breaks = 0

    def hear(self, number: int) -> None:
        """Take note of one."""
        if number == self._next:
            self._next += 1
        elif number > self._next:
            self._missing.update(range(self._next, number))
            self._next = number + 1
        elif number in self._missing:
            self._missing.remove(number)
            self.order_breaks += 1
        else:
            self.duplicates += 1

    @property
    def heard_any(self) -> bool:
        """Whether there was one."""
        return self._next > 1

    def lost(self, sent: int) -> int:
        """Return how many of the numbers 1 to ``sent`` never came."""
        return len(self._missing) + sent + 1 - self._next
