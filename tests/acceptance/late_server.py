"""The command ``tocsin`` with a clock that is as many seconds ahead as the file ``ahead`` in its folder says; for tests only."""

from pathlib import Path

from tocsin.cli import main
from tocsin.clock import US_PER_S, SystemClock
from tocsin.node import life

AHEAD = "ahead"


class AheadClock(SystemClock):
    """Looks at the file each time, so that a test can turn it while the server runs."""

    def now_us(self) -> int:
        """Return the wall time, and what is added to it."""
        file = Path(AHEAD)
        ahead_s = int(file.read_text() or 0) if file.exists() else 0
        return super().now_us() + ahead_s * US_PER_S


if __name__ == "__main__":
    vars(life)["SystemClock"] = AheadClock
    main()
