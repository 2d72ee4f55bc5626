"""The command ``tocsin`` on a machine whose clock is ahead by ``TEST_DAYS_LATER`` days; for tests only.

So days pass between two lives of a server without anybody waiting for them.
"""

import os

from tocsin.cli import main
from tocsin.clock import US_PER_S, SystemClock

AHEAD_US = int(os.environ.get("TEST_DAYS_LATER", "0")) * 86_400 * US_PER_S


class LaterClock(SystemClock):
    """Tells a time to come."""

    def now_us(self) -> int:
        """Return the wall time some days from now."""
        return super().now_us() + AHEAD_US


if __name__ == "__main__":
    from tocsin.node import life

    vars(life)["SystemClock"] = LaterClock
    main()
