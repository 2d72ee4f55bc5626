"""Which fan-out the settings name."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tocsin.adapters.memory.fanout import MemoryFanout
from tocsin.config import Settings
from tocsin.errors import ConfigError
from tocsin.ports.fanout import Fanout
from tocsin.supervisor import Supervisor


@asynccontextmanager
async def opened_fanout(settings: Settings, supervisor: Supervisor) -> AsyncIterator[Fanout]:
    """Open the fan-out that the settings name, and close it at the end.

    Raises:
        ConfigError: Its server cannot be reached, or its driver is missing.
    """
    if settings.fanout == "memory":
        yield MemoryFanout()
        return
    try:
        from tocsin.adapters.nats.fanout import NatsFanout
    except ImportError as error:
        detail = f"fanout names NATS, whose driver is not installed ({error}): pip install 'tocsin[nats]'"
        raise ConfigError(detail) from error
    fanout = NatsFanout(settings.fanout.get_secret_value(), supervisor)
    await fanout.start()
    try:
        yield fanout
    finally:
        await fanout.close()
