"""Ten thousand clients that lose their connections and come back in the same moment, while a producer goes on."""

import time
from collections.abc import Sequence
from typing import NamedTuple

from bench.child import Child
from bench.frame import Bench, Row, ms
from bench.ground import for_several
from bench.load.client import upgrade
from bench.load.guest import Door, Wire
from bench.load.probe import Probe
from bench.load.storm import Came, Storm
from bench.measure import percentile
from bench.process import Process
from bench.servers import Tocsin, gateway_of, tocsin

CLIENTS = 10_000
SHORT_CLIENTS = 2_000
PER_USER = 10
_SUBPROTOCOL = "json.reliable.webpubsub.azure.v1"
_HEAD = b'"kind":"head"'
_GOAL_S = 30
_GOAL_RATIO = 2
_QUIET_S = 5.0


class _Course(NamedTuple):
    """How the storm went, how many clients it cost, and the nanoseconds of a producer's answers before it and meanwhile.

    ``waited_s`` is how long the process that answered the producer waited for a processor.
    """

    clients: int
    seconds: float
    errors: int
    waited_s: float
    before_ns: Sequence[int]
    meanwhile_ns: Sequence[int]


def reconnect(bench: Bench) -> list[Row]:
    """Clients and producer at one process that has all roles, with the store in a file."""
    with tocsin() as server:
        course = _run(bench, gateway=server, api=server)
    return _rows("reconnect", course, "one process, SQLite")


def reconnect_roles(bench: Bench) -> list[Row]:
    """Clients at a process that only holds connections, the producer at one that has all other roles."""
    with for_several() as ground:
        rest = {**ground.settings, "ROLES": "api,processor,dispatcher"}
        with tocsin(rest) as api, gateway_of(api, ground.settings) as gateway:
            course = _run(bench, gateway, api)
    return _rows("reconnect, roles apart", course, "two processes, PostgreSQL and NATS")


def _run(bench: Bench, gateway: Process, api: Tocsin) -> _Course:
    clients = SHORT_CLIENTS if bench.short else CLIENTS
    asks = [upgrade(path, _SUBPROTOCOL) for path in api.client_paths(clients // PER_USER)]
    doors = [Door(each, hears=_HEAD) for each in asks] * PER_USER
    with Child(Storm) as storm, Child(Probe) as probe:
        storm.call("come", gateway.port, Wire(), doors)
        probe.call("begin", api.port, api.key)
        time.sleep(_QUIET_S)
        before = probe.call("end")
        waited_s = api.waited_s()
        probe.call("begin", api.port, api.key)
        came: Came = storm.call("come", gateway.port, Wire(), doors)
        meanwhile = probe.call("end")
        waited_s = api.waited_s() - waited_s
        errors = clients - storm.call("standing")
    if came.errors:
        bench.say(f"{came.errors} did not come back: {came.why}")
    return _Course(clients, came.seconds, errors, waited_s, before, meanwhile)


def _rows(name: str, course: _Course, where: str) -> list[Row]:
    note = (
        f"{name}: {course.clients:,} clients of {course.clients // PER_USER:,} users drop and connect at once, once; "
        f"{where}; accepts as long as that takes, in which the process that takes them waited {course.waited_s:.1f} s for one of "
        f"this machine's processors; control: before the storm"
    )
    seconds = f"{course.seconds:.1f} s"
    return [
        Row(
            f"{name}, seconds until the last client is told where it stands",
            seconds,
            "",
            None,
            f"<= {_GOAL_S} s",
            course.seconds <= _GOAL_S,
            note,
        ),
        Row(f"{name}, errors", f"{course.errors}", "", None, "0", course.errors == 0),
        _accept(f"{name}, accept p50 while they come back", course, 0.5, None),
        _accept(f"{name}, accept p99 while they come back", course, 0.99, _GOAL_RATIO),
    ]


def _accept(what: str, course: _Course, share: float, goal: float | None) -> Row:
    before, meanwhile = percentile(course.before_ns, share), percentile(course.meanwhile_ns, share)
    ratio = meanwhile / before
    if goal is None:
        return Row(what, ms(meanwhile), ms(before), ratio, "", None)
    return Row(what, ms(meanwhile), ms(before), ratio, f"<= {goal}x", ratio <= goal)
