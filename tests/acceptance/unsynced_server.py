"""The command ``tocsin`` whose database leaves it to the system when commits reach the disk; for tests only."""

from tocsin.adapters.sqlite import connection
from tocsin.cli import main

if __name__ == "__main__":
    kept = "PRAGMA synchronous=FULL"
    assert kept in connection._WRITER, "what this program breaks has moved"
    others = tuple(pragma for pragma in connection._WRITER if pragma != kept)
    vars(connection)["_WRITER"] = (*others, "PRAGMA synchronous=OFF")
    main()
