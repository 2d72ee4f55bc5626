"""Pushes that were given up: the provider will never take them, or nobody took them in time.

Guarantee: one is kept as long as other ended pushes, and put back in one transaction with the deed.  A device that is gone,
and a withdrawal that came to nothing, leave none: there is nothing to be decided.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from tocsin.model.device import Platform
from tocsin.model.push import PushEnd
from tocsin.ports.audit import Deed


class DeadPush(msgspec.Struct, frozen=True, kw_only=True):
    """A push that was given up; ``id`` is its delivery id, ``device`` the id of the installation."""

    id: str
    hub: str
    user: str
    alert_id: str
    device: str
    platform: Platform
    end: PushEnd
    reason: str
    attempts: int
    made_us: int
    ended_us: int


class DeadPushes(Protocol):
    """Lists them, and puts one back."""

    async def dead_pushes(
        self, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadPush]:
        """List those of every hub, the last given up first; ``below`` is the ``(ended_us, id)`` to stay below."""
        ...

    async def dead_push(self, push_id: str) -> DeadPush | None:
        """Return one."""
        ...

    async def retry_push(self, push_id: str, now_us: int, deed: Deed | None = None) -> bool:
        """Make one due at once, as if it were new and had never been tried.

        False, and nothing is changed, if there is none, or if its device is no longer reached.
        """
        ...
