"""Measure Tocsin beside its controls and write ``bench/RESULTS.md``.

Run:  ``python -m bench [row ...] [--turns 3] [--large] [--short] [--no-write]``
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from bench.frame import Bench, Line
from bench.measure import allow_open_files
from bench.report import show, write_results
from bench.rows import (
    accept,
    delivery,
    fanout,
    idle,
    inbox,
    latency,
    push,
    receipts,
    reconnect,
    rest,
    side_by_side,
    stores,
    storm,
    sustained,
    topic,
    web,
)

ROWS: dict[str, Callable[[Bench], Sequence[Line]]] = {
    "accept": accept.single,
    "batches": accept.batched,
    "sustained": sustained.sustained,
    "receipts": receipts.receipts,
    "fanout": fanout.fan_out,
    "delivery": delivery.delivery,
    "idle": idle.idle,
    "latency": latency.latency,
    "reconnect": reconnect.reconnect,
    "reconnect-roles": reconnect.reconnect_roles,
    "inbox": inbox.inbox,
    "broadcast": fanout.broadcast,
    "push": push.push,
    "publish-push": push.publish_to_push,
    "rest": rest.send_to_user,
    "topic": topic.topic,
    "stores": stores.stores,
    "topic-postgres": topic.topic_on_postgres,
    "processes": stores.processes,
    "web": web.web,
    "group": side_by_side.group,
    "peers": side_by_side.peers,
    "storm": storm.storm,
}
OPEN_FILES = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__.splitlines()[0])
    parser.add_argument(
        "rows", nargs="*", metavar="row", help=f"of {', '.join(ROWS)}; default: all"
    )
    parser.add_argument(
        "--turns", type=int, default=3, help="interleaved repetitions; the median counts"
    )
    parser.add_argument(
        "--large", action="store_true", help="10 M rows for the inbox row (1 M otherwise)"
    )
    parser.add_argument(
        "--short", action="store_true", help="2,000 clients in a storm (10,000 otherwise)"
    )
    parser.add_argument("--no-write", action="store_true", help="show the results only")
    given = parser.parse_args()
    unknown = set(given.rows) - ROWS.keys()
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}")
    allow_open_files(OPEN_FILES)
    bench = Bench(turns=given.turns, large=given.large, short=given.short)
    for name in given.rows or ROWS:
        _measure(bench, name, write=not given.no_write)
    if bench.failures:
        sys.exit("\n".join(["failed:", *bench.failures]))


def _measure(bench: Bench, name: str, *, write: bool) -> None:
    """Measure one row; the next ones are measured even if it fails."""
    bench.say(f"row {name}")
    try:
        rows = ROWS[name](bench)
    except Exception as error:  # noqa: BLE001 -- told now and at the end
        bench.fail(f"{name}: {error!r}")
        return
    show(rows)
    if write:
        write_results(name, rows, ROWS)


if __name__ == "__main__":
    main()
