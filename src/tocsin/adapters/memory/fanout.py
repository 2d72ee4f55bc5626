"""The fan-out within one process: whoever announces calls those who listen."""

from collections.abc import Callable, Sequence

import structlog

from tocsin.ports.fanout import Announcement

log = structlog.get_logger()


class MemoryFanout:
    """Hands announcements over at once; a listener that fails is told of trouble and harms nobody else."""

    def __init__(self) -> None:
        self._listeners: list[
            tuple[Callable[[Sequence[Announcement]], None], Callable[[], None]]
        ] = []

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Call every listener, in this call; nothing is kept for later ones."""
        for heard, trouble in self._listeners:
            try:
                heard(announcements)
            except Exception:
                log.exception("fanout.listener_failed", announcements=len(announcements))
                trouble()

    def listen(
        self,
        heard: Callable[[Sequence[Announcement]], None],
        trouble: Callable[[], None],
        known: Callable[[Sequence[tuple[str, str]]], None] | None = None,  # noqa: ARG002 -- nobody has to be told
    ) -> None:
        """Add a listener; ``heard`` is called in the announcer's thread."""
        self._listeners.append((heard, trouble))

    def hold(self, hub: str, user: str) -> None:
        """Do nothing: there is no other node."""

    def let_go(self, hub: str, user: str) -> None:
        """Do nothing: there is no other node."""

    def may_be_elsewhere(self, hub: str, user: str) -> bool:  # noqa: ARG002 -- there is nobody to ask for
        """Tell that nobody is: there is no other node."""
        return False
