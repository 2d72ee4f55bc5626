"""A guard against storms: a device is sent so many pushes in a while, and the others wait for its end.

It is kept in memory: after a restart it begins anew.

Bounds:  ``REMEMBERED`` devices, and of each the times of at most as many pushes as it may get; the one that was sent
         nothing for longest is forgotten first.
"""

from collections import deque
from typing import Final

from tocsin.clock import US_PER_S
from tocsin.model.device import DeviceKey

REMEMBERED: Final = 10_000


class StormGuard:
    """Tells whether a device may be sent another push now."""

    def __init__(self, most: int, window_s: float) -> None:
        self._most = most
        self._window_us = round(window_s * US_PER_S)
        self._sent: dict[DeviceKey, deque[int]] = {}

    def take(self, device: DeviceKey, now_us: int) -> int | None:
        """Count a push that is about to be sent; returns None, or until when it has to wait and is not counted."""
        sent = self._sent.pop(device, None) or deque(maxlen=self._most)
        self._sent[device] = sent  # the last in order now
        if len(sent) == self._most and sent[0] + self._window_us > now_us:
            return sent[0] + self._window_us
        sent.append(now_us)
        if len(self._sent) > REMEMBERED:
            del self._sent[next(iter(self._sent))]
        return None
