"""Devices in the store."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from tocsin.adapters.sql import devices, pushes
from tocsin.adapters.sql.store.contact import open_heads, open_hub
from tocsin.adapters.sql.store.database import Connection
from tocsin.adapters.sql.store.numbers import Numbers
from tocsin.adapters.sql.store.readers import Readers
from tocsin.adapters.sql.store.rows import Row, as_json, head_of, hub_named
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.store.writer import Writer
from tocsin.clock import Clock
from tocsin.model.device import Channel, Device, WebPushChannel
from tocsin.model.push import Ending
from tocsin.ports.devices import giving_way

_OF_USER, _WITH_DIGEST = sql(devices.of_user), sql(devices.with_digest)
_PUT, _DROP, _GO = sql(devices.put_device), sql(devices.drop_device), sql(devices.go)
_WITH_KEY = sql(devices.with_vapid_key)
_SUCCEED, _FAIL = sql(devices.succeed), sql(devices.fail)
_END_OF_DEVICE = sql(pushes.end_of_device)

_CREATED = 12
_channel = msgspec.json.Decoder(Channel)
_tags = msgspec.json.Decoder(tuple[str, ...])


class DeviceRow(NamedTuple):
    """A device and the number that its pushes know it by."""

    device_no: int
    device: Device


class SqlDevices:
    """The devices of one store."""

    def __init__(self, writer: Writer, readers: Readers, numbers: Numbers, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._numbers = numbers
        self._clock = clock

    async def put_device(self, device: Device, most: int) -> None:
        """Keep a new device, or replace the one of the same user and id."""
        now_us = self._clock.now_us()

        def job(connection: Connection) -> None:
            home = open_hub(connection, self._numbers, device.hub)
            head = open_heads(connection, self._numbers, home, [device.user])[device.user]
            row = {**_columns(device), "hub_no": home.hub_no, "user_no": head.user_no}
            for other in connection.execute(_WITH_DIGEST, row).fetchall():
                if (other[2], other[3]) != (head.user_no, device.id):
                    _remove(connection, other[0], "device-moved", now_us)
            connection.execute(_PUT, row)
            known = [
                device_row(r, device.hub, device.user) for r in _of_user(connection, head.user_no)
            ]
            for one in giving_way([row.device for row in known], device.id, most):
                number = next(row.device_no for row in known if row.device.id == one.id)
                _remove(connection, number, "device-gave-way", now_us)

        await self._writer.run(job)

    async def device(self, hub: str, user: str, device_id: str) -> Device | None:
        """Return one of a user, a gone one too."""
        found = await self.devices(hub, user)
        return next((one for one in found if one.id == device_id), None)

    async def devices(self, hub: str, user: str) -> Sequence[Device]:
        """List those of a user, oldest first."""
        return await self._readers.run(lambda c: [r.device for r in _known(c, hub, user)])

    async def remove_device(self, hub: str, user: str, device_id: str) -> bool:
        """Forget one; what waits for it ends."""
        now_us = self._clock.now_us()

        def job(connection: Connection) -> bool:
            found = [row for row in _known(connection, hub, user) if row.device.id == device_id]
            for row in found:
                _remove(connection, row.device_no, "device-removed", now_us)
            return bool(found)

        return await self._writer.run(job)

    async def note_outcome(self, device: Device, ending: Ending) -> None:
        """Keep when a push to a device last succeeded or failed, and why."""

        def job(connection: Connection) -> None:
            for row in _known(connection, device.hub, device.user):
                if row.device.id == device.id:
                    note_outcome(connection, row.device_no, device.registered_us, ending)

        await self._writer.run(job)

    async def retire_vapid_devices(self, key_id: str, now_us: int, limit: int) -> int:
        """Mark devices that subscribed with a key pair as gone."""

        def job(connection: Connection) -> int:
            named = {"vapid_key": key_id, "limit": limit}
            found = connection.execute(_WITH_KEY, named).fetchall()
            for device_no, registered_us in found:
                ending = Ending("gone", "vapid-key-retired", now_us)
                _end_device(connection, device_no, registered_us, ending)
            return len(found)

        return await self._writer.run(job)


def note_outcome(
    connection: Connection, device_no: int, registered_us: int, ending: Ending
) -> None:
    """Keep when a push to a device last succeeded or failed; ``registered_us`` tells which registration was pushed to."""
    at = {"at_device": device_no, "at_us": ending.at_us, "reason": ending.reason}
    if ending.end == "accepted":
        connection.execute(_SUCCEED, at)
    elif ending.end != "cancelled":
        connection.execute(_FAIL, at)
    if ending.end == "gone":
        _end_device(connection, device_no, registered_us, ending)


def _end_device(connection: Connection, device_no: int, registered_us: int, ending: Ending) -> None:
    """Mark a device as gone, unless it registered again since; what waits for it ends."""
    row = {"at_device": device_no, "registered_us": registered_us, "at_us": ending.at_us}
    if connection.execute(_GO, {**row, "reason": ending.reason}).rowcount:
        _end_pushes(connection, device_no, ending)


def device_row(row: Row, hub: str, user: str) -> DeviceRow:
    """Make a device of the columns of its table."""
    (device_no, _, _, device_id, _, _, channel, _, tags, *rest) = row
    names = Device.__struct_fields__[5:]
    device = Device(
        hub=hub,
        user=user,
        id=device_id,
        channel=_channel.decode(channel),
        tags=_tags.decode(tags),
        **dict(zip(names, rest, strict=True)),
    )
    return DeviceRow(device_no, device)


def _known(connection: Connection, hub: str, user: str) -> list[DeviceRow]:
    home = hub_named(connection, hub)
    head = None if home is None else head_of(connection, home.hub_no, user)
    if head is None:
        return []
    return [device_row(row, hub, user) for row in _of_user(connection, head.user_no)]


def _of_user(connection: Connection, user_no: int) -> list[Row]:
    """Read the few of a user, oldest first."""
    found = connection.execute(_OF_USER, {"user_no": user_no}).fetchall()
    return sorted(found, key=lambda row: (row[_CREATED], row[0]))


def _remove(connection: Connection, device_no: int, reason: str, now_us: int) -> None:
    _end_pushes(connection, device_no, Ending("cancelled", reason, now_us))
    connection.execute(_DROP, {"at_device": device_no})


def _end_pushes(connection: Connection, device_no: int, ending: Ending) -> None:
    row = {"push_end": ending.end, "reason": ending.reason, "at_us": ending.at_us}
    connection.execute(_END_OF_DEVICE, {"at_device": device_no, "showing": None, **row})


def _columns(device: Device) -> dict[str, Any]:
    channel = device.channel
    return {
        "id": device.id,
        "platform": device.platform,
        "digest": device.digest,
        "channel": msgspec.json.encode(channel),
        "vapid_key": channel.vapid_key if isinstance(channel, WebPushChannel) else None,
        "tags": as_json(device.tags),
        **{name: getattr(device, name) for name in Device.__struct_fields__[5:]},
    }
