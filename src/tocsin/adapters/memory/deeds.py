"""The audit log in memory."""

from collections.abc import Sequence

from msgspec.structs import replace

from tocsin.ports.audit import Deed, DeedFilter


class MemoryDeeds:
    """Deeds, oldest first."""

    def __init__(self) -> None:
        self._last = 0
        self._deeds: list[Deed] = []

    async def note(self, deed: Deed) -> None:
        """Keep a deed of something that changes nothing in the store."""
        self.keep(deed)

    def keep(self, deed: Deed | None, **more: int) -> None:
        """Keep a deed, with ``more`` that is known only now, in the step that it tells of; nothing if nobody's."""
        if deed is not None:
            self._last += 1
            kept = replace(deed, number=self._last, detail={**deed.detail, **more})
            self._deeds.append(kept)

    async def deeds(self, wanted: DeedFilter) -> Sequence[Deed]:
        """List deeds, newest first."""
        found = [deed for deed in reversed(self._deeds) if _fits(deed, wanted)]
        return found[: wanted.limit]

    def forget(self, before_us: int, limit: int) -> int:
        """Forget the oldest deeds from before a time; return how many."""
        old = [deed for deed in self._deeds if deed.at_us < before_us][:limit]
        self._deeds = self._deeds[len(old) :]
        return len(old)


def _fits(deed: Deed, wanted: DeedFilter) -> bool:
    return (
        wanted.hub in (None, deed.hub)
        and wanted.actor in (None, deed.actor)
        and wanted.action in (None, deed.action)
        and wanted.target in (None, deed.target)
        and (wanted.below is None or deed.number < wanted.below)
    )
