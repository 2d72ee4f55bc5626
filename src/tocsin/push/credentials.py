"""Whether a refusal is about our credentials, or about one person's devices only, and who is left alone for it.

A device's owner chooses what is called, and may choose what always answers that our credentials are bad.  If that were
believed at once, one person could stop the pushes of everybody.  So a refusal pauses the device that it came from, ever
longer the more often it comes, and a host only once enough people meet it: people are counted, not their devices.

Bounds:  ``MOST_HOSTS`` hosts, of which clients may choose among very many, and ``ENOUGH`` people of each; ``MOST_DEVICES``
         devices, of which the one that was left alone first is forgotten first.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
import structlog

from tocsin.model.device import DeviceKey
from tocsin.ports.push import Accepted, Later, Misconfigured, PushOutcome

log = structlog.get_logger()

# So many people in a row, with nothing accepted between them, are no coincidence.
ENOUGH: Final = 5
MOST_HOSTS: Final = 1_024
MOST_DEVICES: Final = 10_000
FIRST_PAUSE_S: Final = 2.0
LONGEST_PAUSE_S: Final = 300.0

Person = tuple[str, str]
"""Hub and user."""


class _Doubt(msgspec.Struct):
    reason: str
    people: set[Person]


class _Pause(msgspec.Struct, frozen=True):
    for_s: float
    until_s: float


class Credentials:
    """Counts, for each host, the people in a row at whose devices our credentials were refused, and pauses those devices.

    Times are as ``Clock.monotonic_s`` counts.
    """

    def __init__(self) -> None:
        self._doubts: dict[str, _Doubt] = {}
        self._pauses: dict[DeviceKey, _Pause] = {}

    def weigh(self, host: str, device: DeviceKey, said: PushOutcome, now_s: float) -> PushOutcome:
        """Return what an outcome means: a refusal pauses this device, until enough people say so."""
        match said:
            case Accepted():
                self._doubts.pop(host, None)
                self._pauses.pop(device, None)
            case Misconfigured(certain=False):
                return self._refused(host, device, said, now_s)
            case _:
                pass
        return said

    def wait_s(self, device: DeviceKey, now_s: float) -> float:
        """Return how long that device is still left alone; 0 if it is not."""
        pause = self._pauses.get(device)
        return 0.0 if pause is None else max(0.0, pause.until_s - now_s)

    def doubted(self) -> Mapping[str, str]:
        """Tell which hosts refused our credentials and have accepted nothing since, and what they said last."""
        return {
            host: f"{said.reason} (people in a row: {len(said.people)})"
            for host, said in self._doubts.items()
        }

    def _refused(
        self, host: str, device: DeviceKey, said: Misconfigured, now_s: float
    ) -> Later | Misconfigured:
        if host not in self._doubts and len(self._doubts) >= MOST_HOSTS:
            del self._doubts[next(iter(self._doubts))]
        doubt = self._doubts.setdefault(host, _Doubt(said.reason, set()))
        doubt.reason = said.reason
        if len(doubt.people) < ENOUGH:
            hub, user, _ = device
            doubt.people.add((hub, user))
        log.warning("push.refused", host=host, reason=said.reason, people=len(doubt.people))
        if len(doubt.people) >= ENOUGH:
            return said
        self._pause(device, now_s)
        return Later(said.reason, after_s=self.wait_s(device, now_s))

    def _pause(self, device: DeviceKey, now_s: float) -> None:
        """Leave a device alone, twice as long as the last time; what was under way with it already makes it no longer."""
        before = self._pauses.get(device)
        if before is not None and now_s < before.until_s:
            return
        for_s = FIRST_PAUSE_S if before is None else min(2 * before.for_s, LONGEST_PAUSE_S)
        if before is None and len(self._pauses) >= MOST_DEVICES:
            del self._pauses[next(iter(self._pauses))]
        self._pauses[device] = _Pause(for_s, now_s + for_s)
