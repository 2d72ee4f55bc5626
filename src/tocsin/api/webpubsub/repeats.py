"""Requests that were carried out already: Microsoft's SDKs send a POST again, with the same request id.

Bound:   two generations of at most 50,000 ids, 300 s each.  So an id is known for 300 s, or for as long as the next
         50,000 requests take.
"""

from collections.abc import Callable
from typing import Final

from tocsin.errors import ConflictError
from tocsin.realtime.errands import Asked

KEPT: Final = 50_000
GENERATION_S: Final = 300.0


class Repeats:
    """Which ids were used, and for what."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """Make it; ``now_s`` is a clock that never runs backwards."""
        self._now_s = now_s
        self._new: dict[tuple[str, str, str], bytes] = {}
        self._old: dict[tuple[str, str, str], bytes] = {}
        self._since_s = now_s()

    def is_repeat(self, asked: Asked, *, strict: bool) -> bool:
        """Tell whether a request was carried out before, and remember that it is now.

        Args:
            asked: Whose request, and what it is.
            strict: Whether one id may stand for one content only; else other content is another request.

        Raises:
            ConflictError: Strict, and the id stands for other content.
        """
        known = self._new.get(asked.name, self._old.get(asked.name))
        if known == asked.content:
            return True
        if known is not None and strict:
            detail = "this Idempotency-Key was used for another request; use a new one"
            raise ConflictError(detail, code="id-conflict")
        self.remember(asked)
        return False

    def remember(self, asked: Asked) -> None:
        """Take note that a request is carried out, here or by another gateway."""
        self._age()
        self._new[asked.name] = asked.content

    def forget(self, asked: Asked) -> None:
        """Take back that a request was carried out: it failed."""
        for known in (self._new, self._old):
            known.pop(asked.name, None)

    def _age(self) -> None:
        """Forget the old generation when the new one is old or full."""
        now_s = self._now_s()
        if len(self._new) >= KEPT or now_s - self._since_s >= GENERATION_S:
            self._old, self._new, self._since_s = self._new, {}, now_s
