"""What a person does to their inbox: one transaction, then the news to their other devices."""

from tocsin.clock import Clock
from tocsin.model.commands import Command, Done, Outcome, PatchItems
from tocsin.model.receipt import Told
from tocsin.ports.fanout import Fanout, announce_changes
from tocsin.ports.receipts import Recorder
from tocsin.ports.store import InboxStore


class Actor:
    """Carries out commands and announces what changed."""

    def __init__(self, store: InboxStore, fanout: Fanout, recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._fanout = fanout
        self._recorder = recorder
        self._clock = clock

    async def act(
        self, hub: str, user: str, command: Command, op_id: str | None, device: str | None = None
    ) -> Outcome:
        """Carry out ``command``; a repeat under the same ``op_id`` gets the first answer and does nothing.

        The announcement of a repeat goes out again, which clients ignore.  With a ``device``, what was read becomes a receipt of it.

        Raises:
            UnavailableError: Nothing was changed.
        """
        outcome = await self._store.act(hub, user, command, op_id)
        if isinstance(outcome, Done):
            self._fanout.announce(announce_changes(hub, outcome.changes))
            if device is not None and isinstance(command, PatchItems):
                self._record_reads(hub, user, command, device)
        return outcome

    def _record_reads(self, hub: str, user: str, command: PatchItems, device: str) -> None:
        if not self._recorder.keeps(hub, "read"):
            return
        now_us = self._clock.now_us()
        self._recorder.record(
            [
                Told(hub, patch.alert_id, user, "read", now_us, device)
                for patch in command.patches
                if patch.read is True
            ]
        )
