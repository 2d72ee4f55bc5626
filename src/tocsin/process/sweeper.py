"""The sweeper: what time itself does to inboxes (wake, expire, retention), and only that."""

import asyncio

from tocsin.ports.fanout import Fanout, announce_swept
from tocsin.ports.store import InboxStore

# Waking and expiry happen within 5 s of their time (docs/reference/sync.md, section 2).
INTERVAL_S = 2.0
PAUSE_S = 0.05


class Sweeper:
    """Sweeps every 2 s, and at once again while something was left."""

    def __init__(self, store: InboxStore, fanout: Fanout) -> None:
        self._store = store
        self._fanout = fanout

    async def run(self) -> None:
        """Sweep until cancelled."""
        while True:
            more = await self.step()
            await asyncio.sleep(PAUSE_S if more else INTERVAL_S)

    async def step(self) -> bool:
        """Do one bounded round; True if more is due already."""
        swept = await self._store.sweep()
        self._fanout.announce(announce_swept(swept))
        return swept.more
