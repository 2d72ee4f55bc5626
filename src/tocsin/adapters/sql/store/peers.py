"""What a process knows of others that work on the same database."""

import math
from typing import Final, NamedTuple


class Peers(NamedTuple):
    """``holder`` is this process in leases; the times say how long what others do may go unnoticed, in seconds."""

    holder: int = 1
    publish_s: float = math.inf  # that another one put something on the queue
    end_s: float = math.inf  # that another one ended with leases in its hands

    @property
    def may_come(self) -> bool:
        """Whether there may be any."""
        return self.publish_s < math.inf


NOBODY: Final = Peers()
