"""What an alert costs by where it is kept, and what a second process on the same database adds."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from bench.child import Child
from bench.frame import Bench, Row, rate
from bench.ground import (
    Ground,
    Lay,
    for_several,
    on_jetstream,
    on_postgres,
    on_sqlite,
    on_three_jetstreams,
)
from bench.load.flow import Flow, Load
from bench.load.producers import Order, Sent
from bench.measure import median
from bench.servers import Tocsin, tocsin

from tocsin.api.seal import KEY_FILE

USERS = 1_000
IN_FLIGHT = 64
# So many at a time are taken in on a busy machine too before the worker loses its patience, and works on them beside.
ALERTS = 1_000
BURSTS = 5
CLIENTS = 500
WINDOW = 500
SECONDS = 4.0
WARM_UP_S = 0.5


class _Costs(NamedTuple):
    """Microseconds of processor time for one alert: of Tocsin's process to take it in and to deliver it, of the servers below."""

    accept: float
    deliver: float
    below: float

    @property
    def both(self) -> float:
        """The whole way; a slow burst is worked on while it comes in, and only this does not depend on that."""
        return self.accept + self.deliver


def stores(bench: Bench) -> list[Row]:
    """Bursts of single alerts, and then their delivery to one person each, on every ground in turns."""
    lays: tuple[Lay, ...] = (on_sqlite, on_postgres, on_jetstream, on_three_jetstreams)
    with ExitStack() as stack, Child(Load) as load:
        running = [stack.enter_context(_running(lay)) for lay in lays]
        costs: list[list[_Costs]] = [[] for _ in running]
        for turn in range(bench.turns + 1):
            for (ground, server), kept in zip(running, costs, strict=True):
                cost = _mean([_burst(ground, server, load) for _ in range(BURSTS if turn else 1)])
                bench.say(
                    f"{ground.name}: accept {cost.accept:.0f} us, deliver {cost.deliver:.0f} us, "
                    f"servers below {cost.below:.0f} us"
                )
                if turn:
                    kept.append(cost)
        names = [ground.name for ground, _ in running]
    return _rows(names, [_medians(kept) for kept in costs])


@contextlib.contextmanager
def _running(lay: Lay) -> Iterator[tuple[Ground, Tocsin]]:
    with lay() as ground, tocsin(ground.settings) as server:
        yield ground, server


def _burst(ground: Ground, server: Tocsin, load: Child) -> _Costs:
    began, below = server.cpu_s(), ground.cpu_s()
    sent: Sent = load.call("burst", Order(server.port, server.key, USERS, 1, IN_FLIGHT), ALERTS)
    taken = server.cpu_s()
    if sent.refused:
        msg = f"{sent.refused} of {ALERTS} requests were refused"
        raise RuntimeError(msg)
    server.settle()
    us = 1e6 / sent.alerts
    used = (taken - began, server.cpu_s() - taken, ground.cpu_s() - below)
    return _Costs(*(seconds * us for seconds in used))


def _rows(names: Sequence[str], costs: Sequence[_Costs]) -> list[Row]:
    control = costs[0]
    notes = [
        f"{name}: an alert takes {cost.below:.0f} us of its servers' processor time beside Tocsin's"
        for name, cost in zip(names[1:], costs[1:], strict=True)
    ]
    rows = []
    for what in ("accept", "deliver", "both"):
        other = getattr(control, what)
        for name, cost, note in zip(names[1:], costs[1:], notes, strict=True):
            mine = getattr(cost, what)
            head = f"{what} on {name}, per CPU second (control: {names[0]})"
            ratio = other / mine
            rows.append(Row(head, rate(1e6 / mine), rate(1e6 / other), ratio, "", None, note))
    return rows


def _mean(costs: Sequence[_Costs]) -> _Costs:
    return _Costs(*(mean(column) for column in zip(*costs, strict=True)))


def _medians(costs: Sequence[_Costs]) -> _Costs:
    return _Costs(*(median(column) for column in zip(*costs, strict=True)))


class _Shared(NamedTuple):
    """What came through, by the clock, per CPU second of Tocsin's processes, and what one alert costs the servers below."""

    wall: float
    cpu: float
    below_us: float


def processes(bench: Bench) -> list[Row]:
    """The whole way to clients who are online: by one process, and by two on one database with half of the clients each."""
    alone: list[_Shared] = []
    both: list[_Shared] = []
    with for_several() as ground, tempfile.TemporaryDirectory(prefix="tocsin-bench-") as name:
        folders = [Path(name) / "one", Path(name) / "two"]
        for turn in range(bench.turns + 1):
            for count, kept in ((1, alone), (2, both)):
                shared = _share(ground, folders[:count], SECONDS if turn else 1.0)
                bench.say(f"{count} processes: {rate(shared.wall)}, {rate(shared.cpu)} per CPU s")
                if turn:
                    kept.append(shared)
    one, two = (_Shared(*map(median, zip(*kept, strict=True))) for kept in (alone, both))
    note = (
        f"{CLIENTS:,} clients online, at most {WINDOW:,} alerts under way; PostgreSQL and NATS use {two.below_us:.0f} us of "
        f"processor time for an alert beside Tocsin's, {one.below_us:.0f} us with one process"
    )
    by_clock = f"by the clock, all on this machine: {rate(two.wall)}, with one {rate(one.wall)}"
    what = "two processes, alerts per CPU second of theirs (control: one)"
    return [
        Row(what, rate(two.cpu), rate(one.cpu), two.cpu / one.cpu, "", None, f"{note}; {by_clock}")
    ]


def _share(ground: Ground, folders: Sequence[Path], seconds: float) -> _Shared:
    """Start a process in each folder, and send it as much as its clients get."""
    count = len(folders)
    with ExitStack() as stack:
        servers = list(_on_one_database(stack, ground, folders))
        loads = [stack.enter_context(Child(Load)) for _ in servers]
        part = CLIENTS // count
        orders: list[Order] = []
        for place, (server, load) in enumerate(zip(servers, loads, strict=True)):
            first = place * part
            load.call("listen", server.port, server.client_paths(part, first))
            order = Order(server.port, server.key, part, connections=IN_FLIGHT, first=first)
            load.call("through", order, WINDOW // count, WARM_UP_S)
            orders.append(order)
        before, below = sum(server.cpu_s() for server in servers), ground.cpu_s()
        for order, load in zip(orders, loads, strict=True):
            load.begin("through", order, WINDOW // count, seconds)
        flows: list[Flow] = [load.end() for load in loads]
        used, below = sum(server.cpu_s() for server in servers) - before, ground.cpu_s() - below
    return _shared(flows, used, below)


def _on_one_database(stack: ExitStack, ground: Ground, folders: Sequence[Path]) -> Iterator[Tocsin]:
    """Start processes that have the key file of the first one, each in a data folder of its own."""
    for folder in folders:
        if folder != folders[0]:
            folder.mkdir(exist_ok=True)
            shutil.copy(folders[0] / KEY_FILE, folder)
        yield stack.enter_context(tocsin(ground.settings, folder))


def _shared(flows: Sequence[Flow], used_s: float, below_s: float) -> _Shared:
    if any(flow.refused for flow in flows):
        msg = f"{sum(flow.refused for flow in flows)} requests were refused"
        raise RuntimeError(msg)
    alerts = sum(flow.alerts for flow in flows)
    wall = sum(flow.alerts / flow.seconds for flow in flows)
    return _Shared(wall, alerts / used_s, below_s / alerts * 1e6)
