"""Ten thousand clients that lose their connections and come back in the same moment."""

from bench.child import Child
from bench.frame import Bench, Row, ms
from bench.load.storm import Came, Probe, Storm
from bench.servers import tocsin

CLIENTS = 10_000
PER_USER = 10
_GOAL_S = 30
_QUIET_S = 5.0
_STORM_S = 10.0


def reconnect(bench: Bench) -> list[Row]:
    """Fresh connections with the reliable protocol, each told by a head where the server stands; a producer goes on."""
    with tocsin() as server, Child(Storm) as storm, Child(Probe) as probe:
        paths = server.client_paths(CLIENTS // PER_USER) * PER_USER
        storm.call("come", server.port, paths)
        quiet = probe.call("publish", server.port, server.key, _QUIET_S)
        probe.begin("publish", server.port, server.key, _STORM_S)
        came: Came = storm.call("come", server.port, paths)
        busy = probe.end()
    before, meanwhile = _p99(quiet), _p99(busy)
    bench.say(
        f"reconnect: {came.seconds:.1f} s, {came.errors} errors; accept p99 {ms(before * 1e9)}, "
        f"meanwhile {ms(meanwhile * 1e9)}"
    )
    note = f"{CLIENTS:,} clients of {CLIENTS // PER_USER:,} users drop and connect at once, once; control: before the storm"
    return [
        Row(
            "reconnect, seconds until the last client is told where it stands",
            f"{came.seconds:.1f} s",
            "",
            None,
            f"<= {_GOAL_S} s",
            came.seconds <= _GOAL_S,
            note,
        ),
        Row("reconnect, errors", f"{came.errors}", "", None, "0", came.errors == 0),
        Row(
            "accept p99 while they come back",
            ms(meanwhile * 1e9),
            ms(before * 1e9),
            meanwhile / before,
            "<= 2x",
            meanwhile <= 2 * before,
        ),
    ]


def _p99(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]
