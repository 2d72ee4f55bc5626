"""Hearing what other processes changed of that which this one keeps in memory: keys, revocations, event handlers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from tocsin.node.parts import Parts
from tocsin.ports.editions import EditionStore, Kept

# So long a revoked key or token may still be good at other processes.
EVERY_S: Final = 1.0


class Following:
    """Looks whether something was changed since this process read it, and reads that anew; the first look reads it all."""

    def __init__(
        self, editions: EditionStore, renew: Mapping[Kept, Callable[[], Awaitable[None]]]
    ) -> None:
        self._editions = editions
        self._renew = renew
        self._seen: dict[Kept, int] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.step()
            await asyncio.sleep(EVERY_S)

    async def step(self) -> None:
        """Look once.

        Raises:
            UnavailableError: The store cannot be read; what was not read anew is so with the next look.
        """
        for kept, number in (await self._editions.editions()).items():
            if self._seen.get(kept) != number:
                await self._renew[kept]()
                self._seen[kept] = number


def following(parts: Parts) -> Following:
    """Make it for a node; live connections of what was revoked elsewhere end."""
    keyring, gateway = parts.keyring, parts.gateway

    async def renew_access_keys() -> None:
        for hub, name in await keyring.renew_access_keys():
            gateway.key_regenerated(hub, name)

    async def renew_revocations() -> None:
        for hub, user in await keyring.revocations.renew(gateway.hubs.connected()):
            gateway.revoke(hub, user)

    async def renew_erasures() -> None:
        await parts.ground.store.erasures.unfinished_erasures()

    return Following(
        parts.ground.store.editions,
        {
            "keys": keyring.renew_keys,
            "access-keys": renew_access_keys,
            "revocations": renew_revocations,
            "event-handlers": parts.handlers.rules.load,
            "vapid-keys": parts.pushing.vapid.load,
            "erasures": renew_erasures,
        },
    )
