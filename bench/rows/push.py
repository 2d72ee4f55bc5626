"""How many Web Pushes a second go out, encrypted and signed, and how soon after an alert is due the push service has it."""

import time

from bench.child import Child
from bench.frame import Bench, Row, ms, rate
from bench.load.browsers import PAYLOAD_BYTES, subscriptions
from bench.load.flow import Load
from bench.load.producers import Order, Sent
from bench.load.push_endpoint import PushEndpoint
from bench.load.pushes import IN_FLIGHT, Pushes
from bench.measure import median, percentile
from bench.servers import tocsin

BROWSERS = 500
PUSHES = 5_000
GOAL = 2.0
PEOPLE = 256
PER_S = 100
SECONDS = 8.0
PATIENCE_S = 60.0


def push(bench: Bench) -> list[Row]:
    """Send in turns with the control; what counts is the sender's CPU."""
    from bench.controls.pywebpush_sender import PywebpushSender  # noqa: PLC0415 -- other rows do without pywebpush

    ours, control, wall = list[float](), list[float](), list[float]()
    with Child(PushEndpoint) as service, Child(Pushes) as our, Child(PywebpushSender) as their:
        aimed = subscriptions(service.call("port"), BROWSERS)
        for sender in (our, their):
            sender.call("aim", aimed)
            sender.call("send", BROWSERS)
        for _ in range(bench.turns):
            each, seconds = _measure(our)
            ours.append(each)
            wall.append(PUSHES / seconds)
            control.append(_measure(their)[0])
            bench.say(f"{rate(ours[-1])} beside {rate(control[-1])}, each per CPU second")
        for sender in (our, their):
            sender.call("close")
        _check_taken(service.call("taken"), 2 * (BROWSERS + bench.turns * PUSHES))
    each, other = median(ours), median(control)
    what = f"Web Push of {PAYLOAD_BYTES} bytes, encrypted, per CPU second"
    note = f"{IN_FLIGHT} in flight, {BROWSERS} browsers; by the clock {rate(median(wall))}; control: pywebpush"
    ratio = each / other
    return [Row(what, rate(each), rate(other), ratio, f">= {GOAL:g}x", ratio >= GOAL, note)]


def _measure(sender: Child) -> tuple[float, float]:
    """Send, and return pushes per CPU second, and the seconds that it took."""
    before, began = sender.cpu_s(), time.monotonic()
    sender.call("send", PUSHES)
    seconds = time.monotonic() - began
    return PUSHES / (sender.cpu_s() - before), seconds


def _check_taken(taken: int, sent: int) -> None:
    if taken != sent:
        msg = f"{sent} pushes were sent, and {taken} arrived"
        raise RuntimeError(msg)


def publish_to_push(bench: Bench) -> list[Row]:
    """Alerts to people who are not connected, due whether or not earlier ones were answered: until the service has them."""
    late = list[tuple[float, float]]()
    with Child(PushEndpoint) as service, Child(Load) as load:
        host = f"127.0.0.1:{service.call('port')}"
        settings = {"PUSH__HOSTS": f'["{host}"]', "OUTBOUND__ALLOW": '["127.0.0.1"]'}
        with tocsin(settings) as server:
            for number, made in enumerate(service.call("subscribe", PEOPLE)):
                server.register(number, made.said())
            order = Order(server.port, server.key, PEOPLE)
            for turn in range(bench.turns + 1):
                before = service.call("taken")
                sent: Sent = load.call("steady", order, PER_S, SECONDS)
                _wait_taken(service, before + sent.alerts)
                some = service.call("late_ns")
                bench.say(f"publish to push: p50 {ms(percentile(some, 0.5))}")
                if turn:
                    late.append((percentile(some, 0.5), percentile(some, 0.99)))
    note = f"{PER_S} alerts/s (open loop) to {PEOPLE} people who are away, until the push service has it"
    return [
        Row(
            f"publish to push, {name}",
            ms(median([one[place] for one in late])),
            "",
            None,
            "",
            None,
            note,
        )
        for place, name in enumerate(("p50", "p99"))
    ]


def _wait_taken(service: Child, wanted: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (taken := service.call("taken")) < wanted:
        if time.monotonic() > deadline:
            msg = f"{wanted - taken} pushes did not arrive"
            raise RuntimeError(msg)
        time.sleep(0.05)
