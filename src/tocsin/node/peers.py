"""Who else keeps live connections, where the settings name a fan-out that others share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tocsin.adapters.memory.peers import NoPeers
from tocsin.config import Settings
from tocsin.ports.peers import Peers
from tocsin.supervisor import Supervisor


@asynccontextmanager
async def opened_peers(settings: Settings, supervisor: Supervisor) -> AsyncIterator[Peers]:
    """Open the line to the other gateways, and close it at the end; a process that is no gateway needs none.

    Raises:
        ConfigError: The server between them cannot be reached.
    """
    if settings.fanout == "memory" or "gateway" not in settings.roles:
        yield NoPeers()
        return
    # The fan-out has been opened: the driver is there.
    from tocsin.adapters.nats.peers import NatsPeers

    peers = NatsPeers(settings.fanout.get_secret_value(), supervisor)
    await peers.start()
    try:
        yield peers
    finally:
        await peers.close()
