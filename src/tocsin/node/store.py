"""Which store the settings name."""

from tocsin.adapters.sql.store.base import SqlStore
from tocsin.adapters.sqlite.care import SqliteCare
from tocsin.adapters.sqlite.store import SqliteStore
from tocsin.api.seal import KEY_FILE
from tocsin.clock import US_PER_S, Clock, SystemClock
from tocsin.config import Settings
from tocsin.errors import ConfigError
from tocsin.ports.care import FolderCare
from tocsin.ports.limits import StoreLimits

_DAY_US = 86_400 * US_PER_S


async def open_store(settings: Settings, clock: Clock) -> SqlStore:
    """Open the store that the settings name; it holds the data folder until it is closed.

    Raises:
        ConfigError: It cannot be opened, another process holds it, its schema is newer than this program, or its driver is missing.
    """
    limits = _store_limits(settings)
    if settings.store is None:
        return await SqliteStore.open(settings.data_dir, clock, limits)
    try:
        from tocsin.adapters.postgres.store import PostgresStore
    except ImportError as error:
        raise _without_driver(error) from error
    return await PostgresStore.open(
        settings.store.get_secret_value(),
        settings.data_dir,
        clock,
        limits,
        may_lose=settings.store_may_lose,
        shared=settings.has_peers,
    )


def care_of(settings: Settings) -> FolderCare:
    """Return what looks after the store and its data folder, whether or not a server runs on it."""
    if settings.store is None:
        return SqliteCare(settings.data_dir, KEY_FILE, SystemClock())
    try:
        from tocsin.adapters.postgres.care import PostgresCare
    except ImportError as error:
        raise _without_driver(error) from error
    url = settings.store.get_secret_value()
    return PostgresCare(url, settings.data_dir, KEY_FILE, may_lose=settings.store_may_lose)


def _without_driver(error: ImportError) -> ConfigError:
    detail = f"store names PostgreSQL, whose driver is not installed ({error}): pip install 'tocsin[postgres]'"
    return ConfigError(detail)


def _store_limits(settings: Settings) -> StoreLimits:
    limits, retention = settings.limits, settings.retention
    return StoreLimits(
        broadcasts_per_hub=limits.broadcasts_per_hub,
        broadcast_ttl_us=retention.broadcast_days * _DAY_US,
        tombstone_us=retention.tombstones_days * _DAY_US,
        read_retention_us=retention.read_items_days * _DAY_US,
        key_memory_us=retention.producer_keys_days * _DAY_US,
        kept_ids_per_hub=limits.open_episodes,
        audit_us=retention.audit_days * _DAY_US,
        push_memory_us=retention.pushes_days * _DAY_US,
        topics_per_hub=limits.topics_per_hub,
        queue_rows=limits.queue_alerts,
        scheduled_rows=limits.scheduled_alerts,
        low_water_bytes=limits.free_disk_bytes,
    )
