"""Which accepted alerts are still on their way, in the memory store."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from tocsin.ports.store import AlertStatus


class MemoryArrivals:
    """Looks alerts up; ``alert`` tells where one stands."""

    def __init__(self, alert: Callable[[str, str], Awaitable[AlertStatus | None]]) -> None:
        self._alert = alert

    async def on_their_way(self, hub: str, alert_ids: Sequence[str]) -> Collection[str]:
        """Return those that some people are still to get."""
        found = [await self._alert(hub, alert_id) for alert_id in alert_ids]
        return [each.id for each in found if each is not None and each.state == "accepted"]
