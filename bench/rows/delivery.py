"""What a delivery is made of: the ways of ``bench/deliveries.py``, one message at a time, in turns."""

from bench.child import Child
from bench.deliveries import BARE, WAYS, Deliveries
from bench.frame import Bench, Row
from bench.load.flow import Load
from bench.measure import median
from bench.rows.fanout import BODY, CLIENTS

_ROUNDS = 100


def delivery(bench: Bench) -> list[Row]:
    """Processor time per delivery of each way, medians of all rounds: steady on a busy machine, too."""
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    with Child(Deliveries) as sender, Child(Load) as load:
        port = sender.call("port")
        for way in WAYS:
            sender.begin("accept", way, CLIENTS)
            load.call("listen_bare", port, CLIENTS)
            sender.end()
        sender.call("calm")
        for turn in range(_ROUNDS * bench.turns):
            for at in range(len(WAYS)):
                way = WAYS[(turn + at) % len(WAYS)]  # none always follows the same one
                load.begin("watch_for", CLIENTS)
                took[way].append(sender.call("send", way, BODY) / CLIENTS)
                load.end()
    bare = median(took[BARE])
    return [_row(way, median(some), bare) for way, some in took.items() if way != BARE]


def _row(way: str, value: float, bare: float) -> Row:
    note = f"{CLIENTS:,} connections each; control: {BARE}"
    return Row(f"a delivery, {way}", _us(value), _us(bare), bare / value, "", None, note)


def _us(value_ns: float) -> str:
    return f"{value_ns / 1_000:.2f} us"
