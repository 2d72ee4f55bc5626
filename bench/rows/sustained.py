"""How many alerts a second go the whole way, for ever: request, disk, inbox, frame at a connected client."""

from bench.child import Child
from bench.frame import Bench, Row, rate
from bench.load.flow import Flow, Load
from bench.load.producers import Order
from bench.measure import median
from bench.servers import Server, by_hand, tocsin

CLIENTS = 1_000
WINDOW = 1_000
SECONDS = 6.0
BATCH = 20


def sustained(bench: Bench) -> list[Row]:
    """One recipient each, all of them online; never more than 1,000 alerts are under way."""
    return [_row(bench, batch, goal) for batch, goal in ((1, 3_000), (BATCH, 3_000))]


def _row(bench: Bench, batch: int, goal: int) -> Row:
    ours: list[float] = []
    controls: list[float] = []
    with (
        tocsin() as server,
        by_hand() as control,
        Child(Load) as to_server,
        Child(Load) as to_control,
    ):
        to_server.call("listen", server.port, server.client_paths(CLIENTS))
        to_control.call("listen", control.port, control.client_paths(CLIENTS))
        for turn in range(bench.turns + 1):
            other = _flow(control, to_control, batch)
            mine = _flow(server, to_server, batch)
            bench.say(f"end to end, requests of {batch}: ours {rate(mine)}, control {rate(other)}")
            if turn:
                ours.append(mine)
                controls.append(other)
    value, other = median(ours), median(controls)
    return Row(
        f"sustained end to end, requests of {batch}",
        rate(value),
        rate(other),
        value / other,
        f">= {goal:,}/s",
        value >= goal,
        f"{CLIENTS:,} clients online, at most {WINDOW:,} alerts under way",
    )


def _flow(server: Server, load: Child, batch: int) -> float:
    order = Order(server.port, server.key, CLIENTS, batch)
    flow: Flow = load.call("through", order, WINDOW, SECONDS)
    if flow.refused:
        msg = f"{flow.refused} requests were refused"
        raise RuntimeError(msg)
    return flow.alerts / flow.seconds
