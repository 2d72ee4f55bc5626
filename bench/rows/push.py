"""How many Web Pushes a second go out, encrypted and signed, to a push service beside."""

import time

from bench.child import Child
from bench.frame import Bench, Row, rate
from bench.load.browsers import PAYLOAD_BYTES, subscriptions
from bench.load.push_endpoint import PushEndpoint
from bench.load.pushes import IN_FLIGHT, Pushes
from bench.measure import median

BROWSERS = 500
PUSHES = 5_000
GOAL = 2.0


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
