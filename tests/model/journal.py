"""What happened in a history, kept cheaply and written out only when it failed."""

from typing import Any

import msgspec


class Journal:
    """Remembers times, actors and things; formats them on demand."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, str, str, Any]] = []

    def note(self, now_ms: int, who: str, what: str, thing: Any = None) -> None:
        self._lines.append((now_ms, who, what, thing))

    def text(self) -> str:
        return "\n".join(
            f"{now_ms:>9} {who:<10} {what:<14} {_shown(thing)}"
            for now_ms, who, what, thing in self._lines
        )


def _shown(thing: Any) -> str:
    if thing is None:
        return ""
    if isinstance(thing, bytes):
        return thing.decode()
    return msgspec.json.encode(thing, enc_hook=repr).decode()
