"""Whether a refusal is about our credentials, or about one device only.

A device's owner chooses what is called, and may choose what always answers that our credentials are bad.  If that were
believed at once, one person could stop the pushes of everybody.
"""

from collections import defaultdict
from typing import Final

import structlog

from tocsin.ports.push import Later, Misconfigured

log = structlog.get_logger()

# So many devices in a row, with nothing accepted between them, are no coincidence.
ENOUGH: Final = 5
# Hosts whose doubts are kept; clients may choose among very many.
MOST_HOSTS: Final = 1_024


class Credentials:
    """Counts, for each host, the devices in a row at which our credentials were refused."""

    def __init__(self) -> None:
        self._refused: defaultdict[str, set[str]] = defaultdict(set)

    def accepted(self, host: str) -> None:
        """Note that the host took something: the credentials are good."""
        self._refused.pop(host, None)

    def refused(self, host: str, handle: str, said: Misconfigured) -> Later | Misconfigured:
        """Return what a refusal means: a later try for this device, or a fault of ours once enough of them say so."""
        if host not in self._refused and len(self._refused) >= MOST_HOSTS:
            del self._refused[next(iter(self._refused))]
        devices = self._refused[host]
        if len(devices) < ENOUGH:
            devices.add(handle)
        log.warning("push.refused", host=host, reason=said.reason, devices=len(devices))
        return said if len(devices) >= ENOUGH else Later(said.reason)
