"""What an idle connection costs the server in resident memory."""

import time

from bench.child import Child
from bench.frame import Bench, Row, kilobytes
from bench.load.flow import Load
from bench.servers import Server, by_hand, tocsin

CLIENTS = 5_000
_WARM = 50
_BEAT_S = 2
_QUIET_S = 3.0 * _BEAT_S
_GOAL_BYTES = 4 * 1024


def idle(bench: Bench) -> list[Row]:
    """5,000 inbox connections with the reliable protocol, each greeted and pinged; the first few warm up."""
    with tocsin({"ANTI_ENTROPY_S": _BEAT_S}) as server:
        ours = _bytes_each(server)
    bench.say(f"idle: ours {kilobytes(ours)} each")
    with by_hand() as control:
        other = _bytes_each(control)
    bench.say(f"idle: control {kilobytes(other)} each")
    note = f"{CLIENTS:,} connections, resident memory of the server process, once"
    return [
        Row(
            "idle memory per connection",
            kilobytes(ours),
            kilobytes(other),
            other / ours,
            "<= 4 KB",
            ours <= _GOAL_BYTES,
            note,
        )
    ]


def _bytes_each(server: Server) -> float:
    paths = server.client_paths(CLIENTS + _WARM)
    with Child(Load) as load:
        load.call("listen", server.port, paths[:_WARM])
        time.sleep(_QUIET_S)
        before = server.resident_bytes()
        load.call("listen", server.port, paths[_WARM:])
        time.sleep(_QUIET_S)
        return (server.resident_bytes() - before) / CLIENTS
