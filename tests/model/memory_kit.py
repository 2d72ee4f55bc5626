"""The memory store under a history: driven without an event loop, backed up by copying its tables."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.model.server import Kit, drive
from tocsin.adapters.memory.store import MemoryStore
from tocsin.adapters.memory.tables import Tables
from tocsin.client.core import InboxCore


def copied(tables: Tables) -> Tables:
    """Copy the tables; most rows are frozen."""
    hubs = {
        name: replace(
            hub,
            live=dict(hub.live),
            topics={topic: dict(users) for topic, users in hub.topics.items()},
            inboxes={
                user: replace(
                    box, items=dict(box.items), states=dict(box.states), ops=dict(box.ops)
                )
                for user, box in hub.inboxes.items()
            },
        )
        for name, hub in tables.hubs.items()
    }
    return Tables(hubs, {alert_id: replace(alert) for alert_id, alert in tables.alerts.items()})


def backup(store: MemoryStore) -> Tables:
    return copied(store._tables)


def restore(store: MemoryStore, tables: Tables) -> MemoryStore:
    store._tables = store.topics._tables = copied(tables)
    drive(store.renew_epoch())
    return store


def memory_kit(**changed: Any) -> Kit:
    parts: Mapping[str, Any] = {
        "new_store": MemoryStore,
        "new_core": InboxCore,
        "backup": backup,
        "restore": restore,
    }
    return Kit(**{**parts, **changed})
