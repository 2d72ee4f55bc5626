"""Fan-out of the gateway against a bare ``send()`` loop.

Broadcasts go to every connection of a real server with the whole path on: tokens, reliable protocol, sequence ids, replay
buffers, acknowledgements; one at a time, and in bursts of ten.  The control is the least a server can do:
``socket.send`` of ready bytes of the same size to as many connections in the same process.  Both are counted in deliveries
per CPU second of the server process, in turns within the same minute.  The clients are a process of their own, and read
when a round has been sent: whether a sleeping reader has to be woken per message is the same for both, and not measured.

Run:  ``python -m bench.fanout [--connections 1000] [--profile]``
"""

import argparse
import asyncio
import cProfile
import json
import pstats
import socket
import statistics
from multiprocessing.connection import Connection

import uvloop
from bench.gateway_server import HUB, GatewayServer, answer_of, cpu_s, gateway_server
from bench.socket_swarm import start_swarm

from tocsin.ports.fanout import Announcement
from tocsin.realtime.protocol import Message
from tocsin.realtime.settings import GatewaySettings

BURST = 10
_CONTENT = {"source": "bench", "title": "x" * 100, "severity": "info", "created_at": "0" * 24}
BODY = json.dumps(
    {
        "tocsin": 1,
        "kind": "broadcast",
        "epoch": "bench",
        "brev": 1,
        "add": {"brev": 1, "alert_id": "0" * 36, "sort": 1, "alert": _CONTENT},
    },
    separators=(",", ":"),
).encode()


async def fan_out(server: GatewayServer, swarm: Connection, *, rounds: int, burst: int) -> float:
    """Announce ``burst`` broadcasts at once, ``rounds`` times; return deliveries per CPU second."""
    count = len(server.gateway.hubs)
    expected = server.gateway.stats().messages
    before = cpu_s()
    for _ in range(rounds):
        server.fanout.announce([Announcement(HUB, None, 0, BODY)] * burst)
        expected += count * burst
        while server.gateway.stats().messages < expected:  # noqa: ASYNC110 -- lets the slices run
            await asyncio.sleep(0)
        swarm.send(count * burst)
        await answer_of(swarm)
    return count * rounds * burst / (cpu_s() - before)


async def bare_send(swarm: Connection, sockets: list[socket.socket], *, rounds: int) -> float:
    """Send ready bytes with one ``send`` each; return deliveries per CPU second."""
    frame = Message(BODY).reliable_frame(1000)
    before = cpu_s()
    for _ in range(rounds):
        for sock in sockets:
            sock.send(frame)
        swarm.send(len(sockets))
        await answer_of(swarm)
    return len(sockets) * rounds / (cpu_s() - before)


def accept_raw(swarm: Connection, count: int) -> list[socket.socket]:
    """Take ``count`` plain connections from the clients."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        swarm.send(("raw", listener.getsockname()[1], count))
        accepted = [listener.accept()[0] for _ in range(count)]
        swarm.recv()
    for sock in accepted:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as uvloop does
    return accepted


async def measure(
    connections: int, rounds: int, turns: int, profile: cProfile.Profile | None
) -> None:
    """Take turns between control and gateway and print the medians."""
    raw_process, raw_swarm = start_swarm()
    live_process, live_swarm = start_swarm()
    sockets = accept_raw(raw_swarm, connections)
    bare: list[float] = []
    single: list[float] = []
    bursts: list[float] = []
    async with gateway_server(GatewaySettings()) as server:
        live_swarm.send(("open", server.port, server.client_paths(connections)))
        await answer_of(live_swarm)
        for _ in range(turns):
            bare.append(await bare_send(raw_swarm, sockets, rounds=rounds))
            if profile is not None:
                profile.enable()
            single.append(await fan_out(server, live_swarm, rounds=rounds, burst=1))
            if profile is not None:
                profile.disable()
            bursts.append(await fan_out(server, live_swarm, rounds=rounds // 5, burst=BURST))
        for swarm in (raw_swarm, live_swarm):
            swarm.send(None)
    raw_process.join()
    live_process.join()
    ceiling = statistics.median(bare)
    print(f"connections {connections}, {len(BODY)} B, deliveries per CPU second of the server")
    for name, values in (
        ("bare send()", bare),
        ("gateway", single),
        (f"bursts of {BURST}", bursts),
    ):
        value = statistics.median(values)
        print(f"  {name:14} {value:10,.0f}   {value / ceiling:5.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    profile = cProfile.Profile() if given.profile else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(given.connections, given.rounds, given.turns, profile))
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(18)


if __name__ == "__main__":
    main()
