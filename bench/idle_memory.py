"""Memory of an idle connection: what the server's resident set grows by, divided by the connections.

Each is an inbox connection of a user of its own with the reliable protocol, greeted with a head that was acknowledged,
and pinged at least once before the measurement.  The control is the smallest thing an event loop can hold: a uvloop
protocol that does nothing.  Each is measured in a fresh process.

Run:  ``python -m bench.idle_memory [--connections 5000]``
"""

import argparse
import asyncio
import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path

import uvloop
from bench.gateway_server import answer_of, gateway_server
from bench.socket_swarm import start_swarm

from tocsin.realtime.settings import GatewaySettings

_BEAT_S = 2.0


def resident_bytes() -> int:
    """Return this process's resident set."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


async def gateway_bytes(connections: int) -> float:
    """Measure the gateway; the swarm reads a while longer, and so answers pings and acknowledges."""
    process, swarm = start_swarm()
    async with gateway_server(GatewaySettings(beat_s=_BEAT_S)) as server:
        swarm.send(("open", server.port, server.client_paths(10)))  # warms up what is made once
        await answer_of(swarm)
        paths = server.client_paths(connections)
        before = resident_bytes()
        swarm.send(("open", server.port, paths))
        await answer_of(swarm)
        swarm.send(("linger", 2 * _BEAT_S))
        await answer_of(swarm)
        grown = resident_bytes() - before
        assert len(server.gateway.hubs) == connections + 10
        swarm.send(None)
    process.join()
    return grown / connections


async def protocol_bytes(connections: int) -> float:
    """Measure a protocol that does nothing."""
    process, swarm = start_swarm()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, backlog=4096)
    port = server.sockets[0].getsockname()[1]
    before = resident_bytes()
    swarm.send(("raw", port, connections))
    await answer_of(swarm)
    await asyncio.sleep(1)
    grown = resident_bytes() - before
    swarm.send(None)
    process.join()
    server.close()
    return grown / connections


def _measure(kind: str, connections: int, pipe: Connection) -> None:
    measure = {"gateway": gateway_bytes, "protocol": protocol_bytes}[kind]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        pipe.send(runner.run(measure(connections)))


def in_fresh_process(kind: str, connections: int) -> float:
    """Measure in a process that has done nothing else."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measure, args=(kind, connections, theirs))
    process.start()
    theirs.close()
    result = float(ours.recv())
    process.join()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=5000)
    given = parser.parse_args()
    print(f"{given.connections} idle connections, bytes of resident memory each")
    for kind in ("protocol", "gateway"):
        print(f"  {kind:10} {in_fresh_process(kind, given.connections):8,.0f}")


if __name__ == "__main__":
    main()
