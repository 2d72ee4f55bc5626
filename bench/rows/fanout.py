"""Broadcasts to everybody: what a delivery costs beside a bare ``send()``, and what one broadcast costs in all."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import NamedTuple

from bench.child import Child
from bench.controls.bare_send import BareSend
from bench.frame import Bench, Row, ms, rate
from bench.gateway import GatewayAlone
from bench.load.flow import Load
from bench.load.producers import STAMP, Order
from bench.measure import median
from bench.servers import Server, Tocsin, by_hand, tocsin

from tocsin.realtime.dialects import RELIABLE_JSON
from tocsin.realtime.message import Message

CLIENTS = 1_000
MANY_CLIENTS = 5_000
BLOCKS = (
    8  # of each way in turns, for a machine is not as fast in every second as in the one before
)
ROUNDS = 50  # in a block
BURST = 10
_TABLES = ("alerts", "broadcasts", "items", "states")
BODY = (
    b'{"tocsin":1,"kind":"broadcast","epoch":"0123456789abcdef","brev":100,"add":{"brev":100,'
    b'"alert_id":"%b","sort":1764000000000000,"alert":{"source":"bench","title":"%b",'
    b'"severity":"success","created_at":"2026-01-01T00:00:00.000Z","category":"payments",'
    b'"body":"Invoice 7 was paid in full today.","url":"/invoices/7"}}}'
) % (b"0" * 36, STAMP)
_FRAME = RELIABLE_JSON.encode([Message(BODY)], 100)


class _Way(NamedTuple):
    """One way of sending: the process that does it, the one that listens, and how many messages it is at once."""

    child: Child
    load: Child
    burst: int
    send: Callable[[], object]


def fan_out(bench: Bench) -> list[Row]:
    """Tokens, reliable protocol, sequence ids, replay buffers and acknowledgements, all on; from the announcement on."""
    rates: dict[str, list[float]] = {
        "bare send": [],
        "ours": [],
        f"bare send of {BURST} frames": [],
        "in bursts": [],
    }
    with (
        Child(GatewayAlone) as gateway,
        Child(Load) as load,
        Child(BareSend) as sender,
        Child(Load) as bare_load,
    ):
        load.call("listen", gateway.call("open"), gateway.call("client_paths", CLIENTS))
        _connect_bare(sender, bare_load)
        ways = (
            _Way(sender, bare_load, 1, lambda: sender.call("send", _FRAME)),
            _Way(gateway, load, 1, lambda: gateway.call("announce", BODY, 1)),
            _Way(sender, bare_load, BURST, lambda: sender.call("send", _FRAME * BURST)),
            _Way(gateway, load, BURST, lambda: gateway.call("announce", BODY, BURST)),
        )
        for turn in range(bench.turns + 1):
            values = _rates(ways)
            if turn:
                for some, value in zip(rates.values(), values, strict=True):
                    some.append(value)
                said = (f"{name} {rate(some[-1])}" for name, some in rates.items())
                bench.say(f"deliveries per CPU s: {', '.join(said)}")
    bare, single, bare_bursts, bursts = rates.values()
    note = f"{CLIENTS:,} clients; control: bare send(), once per delivery"
    most = f"{rate(median(bare_bursts))}, {median(bare_bursts) / median(bare):.2f} times as many"
    most_note = f"{note}; bare send() of {BURST} frames at once, the most there is to reach: {most}"
    return [
        _row("fan-out, deliveries per CPU second", single, bare, 0.8, note),
        _row(
            f"fan-out in bursts of {BURST}, deliveries per CPU second",
            bursts,
            bare,
            5.0,
            most_note,
        ),
    ]


def broadcast(bench: Bench) -> list[Row]:
    """One publish to everybody: how long until the last has it, and how many rows it makes."""
    ours: list[float] = []
    controls: list[float] = []
    with tocsin() as server, by_hand() as control, Child(Load) as load, Child(Load) as other:
        load.call("listen", server.port, server.client_paths(MANY_CLIENTS))
        other.call("listen", control.port, control.client_paths(MANY_CLIENTS))
        rows = _rows(server)
        turns = 5 * bench.turns
        for _ in range(turns):
            controls.append(_one(control, other))
            ours.append(_one(server, load))
        added = (_rows(server) - rows) / turns
    value, control_value = median(ours), median(controls)
    bench.say(f"one broadcast: ours {ms(value)}, control {ms(control_value)}, {added:g} rows")
    return [
        Row(
            f"broadcast to {MANY_CLIENTS:,} clients, publish to the last frame",
            ms(value),
            ms(control_value),
            control_value / value,
            "",
            None,
        ),
        Row("broadcast, rows written", f"{added:g}", "", None, "1 alert, 1 entry", added == 2),
    ]


def _row(what: str, ours: list[float], bare: list[float], goal: float, note: str) -> Row:
    value, ceiling = median(ours), median(bare)
    ratio = value / ceiling
    return Row(what, rate(value), rate(ceiling), ratio, f">= {goal:g}x", ratio >= goal, note)


def _connect_bare(sender: Child, load: Child) -> None:
    port = sender.call("port")
    sender.begin("accept", CLIENTS)
    load.call("listen_bare", port, CLIENTS)
    sender.end()


def _rates(ways: Sequence[_Way]) -> list[float]:
    """Return the deliveries per CPU second of the sending process, for each way."""
    used_s = [0.0] * len(ways)
    for _ in range(BLOCKS):
        for number, way in enumerate(ways):
            before_s = way.child.cpu_s()
            for _ in range(ROUNDS):
                way.load.begin("watch_for", CLIENTS * way.burst)
                way.send()
                way.load.end()
            used_s[number] += way.child.cpu_s() - before_s
    sent = CLIENTS * ROUNDS * BLOCKS
    return [sent * way.burst / seconds for way, seconds in zip(ways, used_s, strict=True)]


def _one(server: Server, load: Child) -> float:
    order = Order(server.port, server.key, users=0, connections=1)
    seconds: float = load.call("burst_through", order, 1, MANY_CLIENTS)
    return seconds * 1e9


def _rows(server: Tocsin) -> int:
    server.settle()
    file = server.folder / "tocsin.db"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in _TABLES]
    return sum(counts)
