"""What `tocsin doctor` is told of the push services."""

from collections.abc import Sequence
from typing import Final

from tocsin.ports.care import Finding
from tocsin.push.dispatcher import Dispatcher

_REMEDY: Final = "mend push.subject, push.fcm_service_account or the clock, and start anew"


class PushHealth:
    """Names the push services that say our settings are at fault."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    def findings(self) -> Sequence[Finding]:
        """Return a failure for each that is sent nothing, and a warning for each that may come to that."""
        paused = self._dispatcher.paused()
        doubted = self._dispatcher.doubted()
        return [
            *(
                Finding("push", "fail", f"nothing is sent to {host}: {reason}", _REMEDY)
                for host, reason in paused.items()
            ),
            *(
                Finding("push", "warn", f"{host} refuses our credentials: {reason}", _REMEDY)
                for host, reason in doubted.items()
                if host not in paused
            ),
        ]
