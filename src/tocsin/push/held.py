"""Pushes that were made to wait, by quiet hours or a storm: too many for one device go out as one summary."""

from collections.abc import Mapping
from typing import Final

from tocsin.model.device import DeviceKey
from tocsin.model.push import PushJob, Standing, why_not
from tocsin.ports.pushes import PushStore
from tocsin.push.gate import Gate

# What is held beyond these makes the next summary.
SUMMED_AT_ONCE: Final = 200


class HeldPushes:
    """Finds what goes together.  Those of a device go one after the other, so that the first may take the others along."""

    def __init__(self, pushes: PushStore, gate: Gate, over: int) -> None:
        """Make it; more than ``over`` pushes become one."""
        self._pushes = pushes
        self._gate = gate
        self._over = over
        self._under_way: set[DeviceKey] = set()

    def claim(self, job: PushJob) -> bool:
        """Take the device of a push; False if another push has it."""
        if job.device.key in self._under_way:
            return False
        self._under_way.add(job.device.key)
        return True

    def release(self, job: PushJob) -> None:
        """Let the device of a push go."""
        self._under_way.discard(job.device.key)

    async def beside(self, job: PushJob, now_us: int) -> Mapping[int, Standing]:
        """Return what goes out with a push, and is still of use; nothing, if that is too little for a summary."""
        numbers = await self._pushes.held_beside(job.number, SUMMED_AT_ONCE)
        found = await self._pushes.standings(numbers)
        of_use = {
            number: standing
            for number, standing in found.items()
            if standing is not None and why_not(standing, now_us) is None
        }
        allowed = await self._gate.allowed(job, of_use, now_us)
        return allowed if len(allowed) >= self._over else {}
