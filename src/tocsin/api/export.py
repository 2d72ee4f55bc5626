"""Everything that is held of a person, one JSON object a line, read page by page while it is sent."""

from collections.abc import Mapping
from typing import Final

import msgspec

from tocsin.clock import to_rfc3339
from tocsin.ports.erasure import HoldingStore, Place

NDJSON: Final = b"application/x-ndjson"
_PAGE: Final = 100
_TIMES: Final = ("_at", "_us", "_until")
_receipts: Final = msgspec.json.Decoder(list[dict[str, object]])


class Export:
    """The lines of one export, to be iterated over once; what was sent is not kept."""

    def __init__(self, store: HoldingStore, hub: str, user: str, now_us: int) -> None:
        self._store = store
        self._hub = hub
        self._user = user
        self._rows = 0
        self._place: Place | None = Place()
        self._waiting = _line({"kind": "export", "hub": hub, "user": user, "at_us": now_us})
        self._ended = False

    def __aiter__(self) -> "Export":
        """Return itself."""
        return self

    async def __anext__(self) -> bytes:
        """Read on until there is something to send; the last line says how many rows came before it."""
        while not self._waiting:
            if self._place is not None:
                self._waiting = await self._read(self._place)
            elif self._ended:
                raise StopAsyncIteration
            else:
                self._ended = True
                self._waiting = _line({"kind": "end", "rows": self._rows})
        lines, self._waiting = self._waiting, b""
        return lines

    async def aclose(self) -> None:
        """Do nothing: between two pages nothing is open."""

    async def _read(self, place: Place) -> bytes:
        page = await self._store.held(self._hub, self._user, place, limit=_PAGE)
        self._place = page.next
        self._rows += len(page.rows)
        return b"".join(_line({"kind": row.kind, **row.fields}) for row in page.rows)


def _line(fields: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(_written(fields)) + b"\n"


def _written(fields: Mapping[str, object]) -> dict[str, object]:
    """Write times as answers do, under names without their unit; what devices said of a copy likewise."""
    written: dict[str, object] = {}
    for name, value in fields.items():
        if isinstance(value, msgspec.Raw) and name == "receipts":
            written[name] = [_written(said) for said in _receipts.decode(value)]
        elif isinstance(value, int) and name.endswith(_TIMES):
            written[_named(name)] = to_rfc3339(value)
        else:
            written[_named(name)] = value
    return written


def _named(name: str) -> str:
    bare = name.removesuffix("_us")
    return bare if bare in (name, "at") else f"{bare}_at"
