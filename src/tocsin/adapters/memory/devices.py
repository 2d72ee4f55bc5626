"""The devices of the memory store."""

from collections.abc import Sequence

from msgspec.structs import replace

from tocsin.adapters.memory.tables import PushRow, Tables
from tocsin.clock import Clock
from tocsin.model.device import Device, WebPushChannel
from tocsin.model.push import Ending
from tocsin.ports.devices import giving_way


class MemoryDevices:
    """Keeps devices in the inboxes of their users."""

    def __init__(self, tables: Tables, clock: Clock) -> None:
        self._tables = tables
        self._clock = clock

    async def put_device(self, device: Device, most: int) -> None:
        """Keep a new device, or replace the one of the same user and id."""
        home, mine = (
            self._tables.hub(device.hub),
            self._tables.inbox(device.hub, device.user).devices,
        )
        other = home.handles.get(device.digest)
        if other is not None and (other.user, other.id) != (device.user, device.id):
            self._remove(other, "device-moved")
        known = mine.get(device.id)
        if known is not None:
            home.handles.pop(known.digest, None)
            device = replace(
                device,
                created_us=known.created_us,
                last_success_us=known.last_success_us,
                last_failure_us=known.last_failure_us,
                last_failure=known.last_failure,
            )
        mine[device.id] = home.handles[device.digest] = device
        for one in giving_way(list(mine.values()), device.id, most):
            self._remove(one, "device-gave-way")

    async def device(self, hub: str, user: str, device_id: str) -> Device | None:
        """Return one of a user, a gone one too."""
        inbox = self._tables.hub(hub).inboxes.get(user)
        return None if inbox is None else inbox.devices.get(device_id)

    async def devices(self, hub: str, user: str) -> Sequence[Device]:
        """List those of a user, oldest first."""
        inbox = self._tables.hub(hub).inboxes.get(user)
        found = [] if inbox is None else inbox.devices.values()
        return sorted(found, key=lambda one: one.created_us)

    async def remove_device(self, hub: str, user: str, device_id: str) -> bool:
        """Forget one; what waits for it ends."""
        found = await self.device(hub, user, device_id)
        if found is not None:
            self._remove(found, "device-removed")
        return found is not None

    async def note_outcome(self, device: Device, ending: Ending) -> None:
        """Keep when a push to a device last succeeded or failed, and why."""
        mine = self._tables.inbox(device.hub, device.user).devices
        known = mine.get(device.id)
        if known is None:
            return
        if ending.end == "accepted":
            mine[device.id] = replace(known, last_success_us=ending.at_us)
        elif ending.end != "cancelled":
            failed = {"last_failure_us": ending.at_us, "last_failure": ending.reason}
            mine[device.id] = replace(known, **failed)
        if ending.end == "gone":
            self.end(device, ending)

    async def retire_vapid_devices(self, key_id: str, now_us: int, limit: int) -> int:
        """Mark devices that subscribed with a key pair as gone."""
        found = [
            one
            for hub in self._tables.hubs.values()
            for inbox in hub.inboxes.values()
            for one in inbox.devices.values()
            if isinstance(one.channel, WebPushChannel)
            and one.channel.vapid_key == key_id
            and one.gone_us is None
        ][:limit]
        for one in found:
            self.end(one, Ending("gone", "vapid-key-retired", now_us))
        return len(found)

    def end(self, device: Device, ending: Ending) -> None:
        """Mark a device as gone, unless it registered again since; what waits for it ends."""
        mine = self._tables.inbox(device.hub, device.user).devices
        known = mine.get(device.id)
        if known is not None and known.registered_us == device.registered_us:
            mine[device.id] = replace(known, gone_us=ending.at_us, gone_reason=ending.reason)
            self._end_pushes(device, ending)

    def _remove(self, device: Device, reason: str) -> None:
        self._end_pushes(device, Ending("cancelled", reason, self._clock.now_us()))
        self._tables.hub(device.hub).handles.pop(device.digest, None)
        self._tables.inbox(device.hub, device.user).devices.pop(device.id, None)

    def _end_pushes(self, device: Device, ending: Ending) -> None:
        for row in self._tables.pushes.values():
            if _is_for(row, device):
                row.end(ending)


def _is_for(row: PushRow, device: Device) -> bool:
    whose = (row.hub, row.record.device, row.inbox.head.user)
    return row.record.end is None and whose == (device.hub, device.id, device.user)
