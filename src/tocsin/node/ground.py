"""What every part of a node stands on."""

import asyncio

from tocsin.adapters.sql.store.base import SqlStore
from tocsin.api.endpoints import Endpoints
from tocsin.api.seal import open_seal
from tocsin.clock import Clock
from tocsin.config import Settings
from tocsin.node.tracing import Tracing
from tocsin.ports.fanout import Fanout
from tocsin.ports.peers import Peers
from tocsin.ports.queue import Queue
from tocsin.supervisor import Supervisor
from tocsin.telemetry import Metrics


class Ground:
    """What every part of one node stands on; it starts nothing."""

    def __init__(  # noqa: PLR0913, PLR0917 -- all that differs between nodes
        self,
        settings: Settings,
        store: SqlStore,
        queue: Queue,
        fanout: Fanout,
        peers: Peers,
        tracing: Tracing,
        endpoints: Endpoints,
        clock: Clock,
        supervisor: Supervisor,
    ) -> None:
        self.settings = settings
        self.store = store
        self.endpoints = endpoints
        self.clock = clock
        self.metrics = Metrics()
        self.supervisor = supervisor
        self.queue = queue
        self.fanout = fanout
        self.tracing = tracing
        self.peers = peers
        self.leaving = asyncio.Event()  # this process has been asked to end
        self.seal = open_seal(settings.data_dir)
