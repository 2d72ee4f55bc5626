"""What a person does to their inbox: one transaction, then the news to their other devices."""

from tocsin.model.commands import Command, Done, Outcome
from tocsin.ports.fanout import Fanout, announce_changes
from tocsin.ports.store import InboxStore


class Actor:
    """Carries out commands and announces what changed."""

    def __init__(self, store: InboxStore, fanout: Fanout) -> None:
        self._store = store
        self._fanout = fanout

    async def act(self, hub: str, user: str, command: Command, op_id: str | None) -> Outcome:
        """Carry out ``command``; a repeat under the same ``op_id`` gets the first answer and does nothing.

        The announcement of a repeat goes out again, which clients ignore.

        Raises:
            UnavailableError: Nothing was changed.
        """
        outcome = await self._store.act(hub, user, command, op_id)
        if isinstance(outcome, Done):
            self._fanout.announce(announce_changes(hub, outcome.changes))
        return outcome
