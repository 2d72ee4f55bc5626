"""What a running store says of itself."""

from tests.ports.world import World
from tocsin.adapters.sqlite.store import SqliteStore


async def test_only_what_is_on_a_disk_is_said_to_be_durable(world: World) -> None:
    found = {finding.check: finding for finding in await world.store.findings()}
    if isinstance(world.store, SqliteStore):
        assert found["durability"].verdict == "ok"
        assert "journal_mode=wal synchronous=2" in found["durability"].detail
    else:
        assert found["durability"].verdict == "warn"
        assert found["durability"].remedy is not None
