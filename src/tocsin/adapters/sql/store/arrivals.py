"""Which accepted alerts are still on their way, from one read transaction."""

from collections.abc import Collection, Sequence

from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.status import standing


class SqlArrivals:
    """Looks alerts up in one store, whose queue is in it."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def on_their_way(self, hub: str, alert_ids: Sequence[str]) -> Collection[str]:
        """Return those that some people are still to get."""

        def job(connection: Connection) -> list[str]:
            return [each for each in alert_ids if _is_on_its_way(connection, hub, each)]

        return await self._readers.run(job)


def _is_on_its_way(connection: Connection, hub: str, alert_id: str) -> bool:
    found = standing(connection, hub, alert_id)
    return found is not None and found[0].state == "accepted"
