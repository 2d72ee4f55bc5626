"""The command ``tocsin`` that has forgotten what producers sent before; for tests only."""

from tocsin.adapters.sql.store import intake
from tocsin.cli import main

if __name__ == "__main__":
    assert callable(intake._producer_key), "what this program breaks has moved"
    vars(intake)["_producer_key"] = lambda _: None
    main()
