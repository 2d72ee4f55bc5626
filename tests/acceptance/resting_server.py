"""The command ``tocsin`` that rests after each commit while there is a file ``rests`` in its folder; for tests only.

So long work is still under way when a test wants to be in the middle of it, however late the test gets there.
"""

import time
from pathlib import Path
from typing import Any

from tocsin.adapters.sql.store.writer import Writer
from tocsin.cli import main

RESTS = "rests"
REST_S = 0.1

_commit = Writer._commit


def _commit_and_rest(writer: Writer, batch: list[Any]) -> None:
    _commit(writer, batch)
    if Path(RESTS).exists():
        time.sleep(REST_S)


if __name__ == "__main__":
    type.__setattr__(Writer, "_commit", _commit_and_rest)
    main()
