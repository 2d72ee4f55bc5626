"""How long an alert takes from the moment it is due to be published to the frame at its recipient."""

from bench.child import Child
from bench.frame import Bench, Row, ms
from bench.load.flow import Load
from bench.load.producers import Order
from bench.measure import median, percentile
from bench.servers import Server, by_hand, tocsin

CLIENTS = 1_000
PER_S = 1_000
SECONDS = 8.0


def latency(bench: Bench) -> list[Row]:
    """1,000 alerts a second at 1,000 clients, sent when due whether or not earlier ones were answered."""
    ours: list[tuple[float, float]] = []
    controls: list[tuple[float, float]] = []
    with (
        tocsin() as server,
        by_hand() as control,
        Child(Load) as to_server,
        Child(Load) as to_control,
    ):
        to_server.call("listen", server.port, server.client_paths(CLIENTS))
        to_control.call("listen", control.port, control.client_paths(CLIENTS))
        for turn in range(bench.turns + 1):
            seconds = SECONDS if turn else 2.0
            other = _late(control, to_control, seconds)
            mine = _late(server, to_server, seconds)
            bench.say(
                f"publish to frame: ours p50 {ms(mine[0])}, p99 {ms(mine[1])}; "
                f"control p50 {ms(other[0])}, p99 {ms(other[1])}"
            )
            if turn:
                ours.append(mine)
                controls.append(other)
    note = f"{PER_S:,} alerts/s (open loop), {CLIENTS:,} clients online"
    rows = []
    for place, (name, goal_ms) in enumerate((("p50", 10), ("p99", 50))):
        value = median([late[place] for late in ours])
        other_value = median([late[place] for late in controls])
        rows.append(
            Row(
                f"publish to frame, {name}",
                ms(value),
                ms(other_value),
                other_value / value,
                f"<= {goal_ms} ms",
                value <= goal_ms * 1e6,
                note,
            )
        )
    return rows


def _late(server: Server, load: Child, seconds: float) -> tuple[float, float]:
    """Return the median and the 99th percentile in nanoseconds."""
    load.call("late_ns")
    order = Order(server.port, server.key, CLIENTS)
    load.call("steady_through", order, PER_S, seconds)
    late = load.call("late_ns")
    return percentile(late, 0.5), percentile(late, 0.99)
