"""Are receipts kept: at each rate every alert makes two facts, that it was written and that its client has it."""

import contextlib
import sqlite3
import time

from bench.child import Child
from bench.frame import Bench, Row
from bench.load.flow import Load
from bench.load.producers import Order
from bench.servers import Tocsin, tocsin

CLIENTS = 1_000
RATES = (300, 1_000, 3_000)
SECONDS = 6
FACTS_PER_ALERT = 2
# Clients acknowledge once a second, and facts gather for a moment; their cost counts with the alerts'.
SETTLE_S = 2.0
LATEST_S = 10.0
POLL_S = 0.2


def receipts(bench: Bench) -> list[Row]:
    """One recipient each, all of them online and acknowledging; once at each rate."""
    rows = []
    with tocsin() as server, Child(Load) as load:
        load.call("listen", server.port, server.client_paths(CLIENTS))
        order = Order(server.port, server.key, CLIENTS)
        load.call("steady_through", order, RATES[0], 1)
        time.sleep(2)
        for per_s in RATES:
            rows.append(_row(server, load, order, per_s))
            bench.say(f"{rows[-1].what}: {rows[-1].ours}; {rows[-1].note}")
    return rows


def _row(server: Tocsin, load: Child, order: Order, per_s: int) -> Row:
    alerts = per_s * SECONDS
    expected, before, began_s = alerts * FACTS_PER_ALERT, _kept(server), time.monotonic()
    began_cpu_s = server.cpu_s()
    load.call("steady_through", order, per_s, SECONDS)
    took_s = time.monotonic() - began_s
    time.sleep(SETTLE_S)
    each_us = (server.cpu_s() - began_cpu_s) / alerts * 1e6
    end_s = time.monotonic() + LATEST_S
    while (kept := _kept(server) - before) < expected and time.monotonic() < end_s:
        time.sleep(POLL_S)
    return Row(
        f"receipts lost at {per_s:,} alerts/s",
        f"{expected - kept:,} of {expected:,}",
        "",
        None,
        "0",
        kept == expected,
        f"at {per_s:,}/s: {alerts / took_s:,.0f}/s came through, {each_us:.0f} us of CPU each",
    )


def _kept(server: Tocsin) -> int:
    """Count the receipts in the server's own file, which its readers do not feel."""
    file = server.folder / "tocsin.db"
    with contextlib.closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM receipts").fetchone()[0])
