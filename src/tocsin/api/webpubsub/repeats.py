"""Requests that were carried out already: Microsoft's SDKs send a POST again, with the same request id.

Bound:   two generations of at most 50,000 ids, 300 s each.  So an id is known for 300 s, or for as long as the next
         50,000 requests take.
"""

from collections.abc import Callable
from typing import Final

from tocsin.errors import ConflictError

KEPT: Final = 50_000
GENERATION_S: Final = 300.0


class Repeats:
    """Which ids were used, and for what."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        """Make it; ``now_s`` is a clock that never runs backwards."""
        self._now_s = now_s
        self._new: dict[tuple[str, ...], int] = {}
        self._old: dict[tuple[str, ...], int] = {}
        self._since_s = now_s()

    def is_repeat(self, name: tuple[str, ...], content: int, *, strict: bool) -> bool:
        """Tell whether the request ``name`` was carried out before, and remember that it is now.

        Args:
            name: Whose request, and its id.
            content: What stands for the request's content.
            strict: Whether one id may stand for one content only; else other content is another request.

        Raises:
            ConflictError: Strict, and the id stands for other content.
        """
        self._age()
        known = self._new.get(name, self._old.get(name))
        if known == content:
            return True
        if known is not None and strict:
            detail = "this Idempotency-Key was used for another request; use a new one"
            raise ConflictError(detail, code="id-conflict")
        self._new[name] = content
        return False

    def _age(self) -> None:
        """Forget the old generation when the new one is old or full."""
        now_s = self._now_s()
        if len(self._new) >= KEPT or now_s - self._since_s >= GENERATION_S:
            self._old, self._new, self._since_s = self._new, {}, now_s
