"""Pushes of the memory store that were given up."""

from collections.abc import Sequence

from msgspec.structs import replace

from tocsin.adapters.memory.deeds import MemoryDeeds
from tocsin.adapters.memory.tables import PushRow, Tables
from tocsin.ports.audit import Deed
from tocsin.ports.dead_pushes import DeadPush


class MemoryDeadPushes:
    """Those of one store."""

    def __init__(self, tables: Tables, deeds: MemoryDeeds) -> None:
        self._tables = tables
        self._deeds = deeds

    async def dead_pushes(
        self, *, limit: int, below: tuple[int, str] | None = None
    ) -> Sequence[DeadPush]:
        """List those of every hub, the last given up first."""
        found = [_describe(row) for row in self._tables.pushes.values() if _is_dead(row)]
        places = sorted(((one.ended_us, one.id, one) for one in found), reverse=True)
        return [one for *place, one in places if below is None or tuple(place) < below][:limit]

    async def dead_push(self, push_id: str) -> DeadPush | None:
        """Return one."""
        row = self._named(push_id)
        return None if row is None else _describe(row)

    async def retry_push(self, push_id: str, now_us: int, deed: Deed | None = None) -> bool:
        """Make one due at once, if its device is reached."""
        row = self._named(push_id)
        device = None if row is None else row.inbox.devices.get(row.record.device)
        if row is None or device is None or device.gone_us is not None:
            return False
        fresh = {"made_us": now_us, "due_us": now_us, "attempts": 0, "held_us": None}
        row.record = replace(row.record, end=None, reason=None, ended_us=None, **fresh)
        self._deeds.keep(deed)
        return True

    def _named(self, push_id: str) -> PushRow | None:
        rows = self._tables.pushes.values()
        return next((row for row in rows if row.id == push_id and _is_dead(row)), None)


def _is_dead(row: PushRow) -> bool:
    return row.record.kind == "show" and row.record.end in ("rejected", "expired")


def _describe(row: PushRow) -> DeadPush:
    record = row.record
    return DeadPush(
        id=row.id,
        hub=row.hub,
        user=row.inbox.head.user,
        alert_id=row.alert_id,
        device=record.device,
        platform=record.platform,
        end=record.end or "rejected",
        reason=record.reason or "",
        attempts=record.attempts,
        made_us=record.made_us,
        ended_us=record.ended_us or 0,
    )
