"""The command ``tocsin`` that has forgotten what producers sent before; for tests only."""

from tocsin.adapters.sqlite import queue
from tocsin.cli import main

if __name__ == "__main__":
    vars(queue)["_producer_key"] = lambda _: None
    main()
