"""Sources are the business of processes with that role; others have nothing to tell of them."""

from pathlib import Path

import pytest

from tocsin.config import ROLES, Role, Settings
from tocsin.node.life import Node

ORDERS = {"url": "nats://127.0.0.1:1", "stream": "ORDERS", "consumer": "tocsin"}


@pytest.mark.parametrize("role", ROLES)
async def test_only_a_process_that_reads_the_sources_tells_how_they_are(
    role: Role, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, roles=(role,), sources={"orders": ORDERS})
    async with Node.opened(settings) as node:
        told = [finding.check for finding in node.sources.findings()]
        labels = {"source": "orders"}
        connected = node.ground.metrics.registry.get_sample_value("tocsin_source_connected", labels)
    assert told == (["source orders"] if role == "sources" else [])
    assert connected == (0 if role == "sources" else None)
