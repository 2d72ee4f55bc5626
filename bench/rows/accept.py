"""How many alerts a second are taken in, each on disk before its answer: singly, and in batches."""

from typing import NamedTuple

from bench.child import Child
from bench.frame import Bench, Row, rate
from bench.load.flow import Load
from bench.load.producers import Order, Sent
from bench.measure import median
from bench.servers import Server, by_hand, tocsin

USERS = 1_000
BATCH = 100
SINGLE_IN_FLIGHT = 64
BATCHES_IN_FLIGHT = 8


class _Rates(NamedTuple):
    """Alerts per second by the clock, and per CPU second of the server."""

    wall: float
    cpu: float


def single(bench: Bench) -> list[Row]:
    """One alert per request."""
    ours, control = _compare(bench, batch=1, requests=10_000, control_requests=2_000)
    note = f"{SINGLE_IN_FLIGHT} in flight; by the clock {rate(ours.wall)}, control {rate(control.wall)}"
    ratio = ours.cpu / control.cpu
    what = "accept, one alert per request, per CPU second"
    return [
        Row(what, rate(ours.cpu), rate(control.cpu), ratio, ">= 4x", ratio >= 4, note),
        Row(what, rate(ours.cpu), "", None, ">= 8,000/s", ours.cpu >= 8_000),
    ]


def batched(bench: Bench) -> list[Row]:
    """A hundred alerts per request."""
    ours, control = _compare(bench, batch=BATCH, requests=500, control_requests=150)
    note = f"{BATCHES_IN_FLIGHT} in flight; per CPU second {rate(ours.cpu)}, control {rate(control.cpu)}"
    reached = ours.wall >= 30_000
    return [
        Row(
            f"accept, batches of {BATCH}",
            rate(ours.wall),
            rate(control.wall),
            ours.wall / control.wall,
            ">= 30,000/s",
            reached,
            note,
        )
    ]


def _compare(
    bench: Bench, *, batch: int, requests: int, control_requests: int
) -> tuple[_Rates, _Rates]:
    """Send bursts to control and server in turns; an untimed first one warms both."""
    ours: list[_Rates] = []
    controls: list[_Rates] = []
    with tocsin() as server, by_hand() as control, Child(Load) as load:
        for turn in range(bench.turns + 1):
            few = turn == 0
            other = _burst(control, load, batch, control_requests // (4 if few else 1))
            mine = _burst(server, load, batch, requests // (4 if few else 1))
            bench.say(
                f"batch {batch}: ours {rate(mine.wall)}, {rate(mine.cpu)} per CPU s; "
                f"control {rate(other.wall)}, {rate(other.cpu)} per CPU s"
            )
            if not few:
                ours.append(mine)
                controls.append(other)
    return _medians(ours), _medians(controls)


def _burst(server: Server, load: Child, batch: int, requests: int) -> _Rates:
    in_flight = SINGLE_IN_FLIGHT if batch == 1 else BATCHES_IN_FLIGHT
    order = Order(server.port, server.key, USERS, batch, in_flight)
    before = server.cpu_s()
    sent: Sent = load.call("burst", order, requests)
    used = server.cpu_s() - before
    if sent.refused:
        msg = f"{sent.refused} of {requests} requests were refused"
        raise RuntimeError(msg)
    server.settle()
    return _Rates(sent.alerts / sent.seconds, sent.alerts / used)


def _medians(rates: list[_Rates]) -> _Rates:
    return _Rates(median([r.wall for r in rates]), median([r.cpu for r in rates]))
