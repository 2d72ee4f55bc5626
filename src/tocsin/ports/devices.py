"""Devices as they are kept.

Guarantee: every write is one transaction, durable when its call returns.  Within a hub one handle (endpoint, token) is of
one device: whoever registers it last has it, and it is taken from whoever had it before.  What is still to be pushed to a
device that is taken away, removed or gone ends in the same transaction.
"""

from collections.abc import Sequence
from typing import Protocol

from tocsin.model.device import Device
from tocsin.model.push import Ending


class DeviceStore(Protocol):
    """Keeps devices."""

    async def put_device(self, device: Device, most: int) -> None:
        """Keep a new device, or replace the one of the same user and id; its past successes and failures stay.

        A user has at most ``most``: of more, gone ones give way first, and then those that were not seen for longest.
        """
        ...

    async def device(self, hub: str, user: str, device_id: str) -> Device | None:
        """Return one of a user, a gone one too."""
        ...

    async def devices(self, hub: str, user: str) -> Sequence[Device]:
        """List those of a user, gone ones too, oldest first; they are bounded by ``put_device``."""
        ...

    async def remove_device(self, hub: str, user: str, device_id: str) -> bool:
        """Forget one; False if there is none."""
        ...

    async def note_outcome(self, device: Device, ending: Ending) -> None:
        """Keep when a push to a device last succeeded or failed, and why.

        After ``gone`` the device is gone, unless it registered again since ``device`` was read.
        """
        ...

    async def retire_vapid_devices(self, key_id: str, now_us: int, limit: int) -> int:
        """Mark at most ``limit`` devices that subscribed with a key pair as gone; returns how many there were."""
        ...


def giving_way(devices: Sequence[Device], kept: str, most: int) -> Sequence[Device]:
    """Return which of a user's devices go so that ``most`` are left; never the one of the id ``kept``.

    Gone ones first, then those that were not seen for longest.
    """
    others = sorted(
        (one for one in devices if one.id != kept),
        key=lambda one: (one.gone_us is None, one.seen_us),
    )
    return others[: max(0, len(devices) - most)]
