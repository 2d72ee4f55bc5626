"""The command ``tocsin`` with a fan-out on NATS that loses half of what it is given; for tests only."""

import random
from collections.abc import Sequence

from tocsin.adapters.nats import fanout
from tocsin.cli import main
from tocsin.ports.fanout import Announcement


class LossyFanout(fanout.NatsFanout):
    """Drops each announcement with probability one half, and tells nobody."""

    def announce(self, announcements: Sequence[Announcement]) -> None:
        """Pass on what luck spares."""
        super().announce([kept for kept in announcements if random.random() < 0.5])


if __name__ == "__main__":
    vars(fanout)["NatsFanout"] = LossyFanout
    main()
