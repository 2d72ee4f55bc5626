"""Taking an alert back after it was accepted, wherever it is by then."""

from tocsin.ports.audit import Deed
from tocsin.ports.fanout import Fanout, announce_swept
from tocsin.ports.store import InboxStore


class Withdrawer:
    """Withdraws alerts, and tells live clients."""

    def __init__(self, store: InboxStore, fanout: Fanout) -> None:
        self._store = store
        self._fanout = fanout

    async def withdraw(self, hub: str, alert_id: str, deed: Deed | None = None) -> None:
        """Take an alert back from every inbox where it is unread, chunk by chunk; repeating it is harmless.

        The deed, if somebody did it, is kept with the first chunk: from then on nobody new gets the alert.

        Raises:
            UnavailableError: Some inboxes may have it still.  Once begun, the sweeper finishes it; a repeat does it sooner.
        """
        more = True
        while more:
            swept = await self._store.withdraw(hub, alert_id, deed)
            self._fanout.announce(announce_swept(swept))
            more = swept.more
