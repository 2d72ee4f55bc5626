"""The command ``tocsin`` on which some alerts are poison, started again whenever it crashes; for tests only.

An alert of the category ``fails`` cannot be delivered; one of ``crashes`` ends the process in the middle of its transaction.
"""

import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence

import tocsin.node.life  # noqa: F401 -- once, before the forks: a start then takes no second
from tocsin.adapters.sql.store import base as store
from tocsin.adapters.sql.store.delivery import Delivery
from tocsin.cli import main
from tocsin.model.alert import Envelope
from tocsin.ports.store import Delivered
from tocsin.process import retry


class PoisonedDelivery(Delivery):
    """Writes alerts, but for those that are poison."""

    def run(self, envelopes: Sequence[Envelope]) -> Mapping[str, Delivered]:
        """Write everything, and then crash before the commit, or fail, where there is poison."""
        kinds = {envelope.category for envelope in envelopes}
        delivered = super().run(envelopes)
        if "crashes" in kinds:
            os.kill(os.getpid(), signal.SIGKILL)
        if "fails" in kinds:
            raise ValueError("this alert cannot be delivered")
        return delivered


def keep_running() -> None:
    """Run the command again and again, until it ends by itself."""
    while not os.WIFEXITED(status := run_once()):
        pass
    sys.exit(os.WEXITSTATUS(status))


def run_once() -> int:
    """Run the command in a child; return how that ended."""
    parent_lives, kept_open = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(kept_open)
        threading.Thread(target=_end_with_parent, args=(parent_lives,), daemon=True).start()
        main()
        os._exit(0)

    def pass_on(number: int, _frame: object) -> None:
        os.kill(child, number)

    signal.signal(signal.SIGTERM, pass_on)
    os.close(parent_lives)
    _, status = os.waitpid(child, 0)
    os.close(kept_open)
    return status


def _end_with_parent(parent_lives: int) -> None:
    os.read(parent_lives, 1)  # nobody writes: it returns when the other end is gone
    os._exit(1)


if __name__ == "__main__":
    vars(store)["Delivery"] = PoisonedDelivery
    vars(retry)["LONGEST_DELAY_S"] = 0.2
    keep_running()
