"""Frames: what is one, and those kept until it is their turn."""

from typing import Any

from tocsin.client.rules import Row

_KINDS = ("inbox", "broadcast", "head")


def is_frame(data: Any) -> bool:  # noqa: ANN401 - whatever the socket carried
    """Tell whether a message's data is a frame of the inbox protocol."""
    return isinstance(data, dict) and data.get("tocsin") == 1 and data.get("kind") in _KINDS


def numbers(frame: Row) -> tuple[int, int]:
    """Return ``rev`` and ``brev`` of a frame, 0 for what it does not say."""
    return frame.get("rev") or 0, frame.get("brev") or 0


class KeptFrames:
    """At most ``limit`` frames, one per kind, epoch and number."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: dict[tuple[str, str, int, int], Row] = {}

    def keep(self, frame: Row) -> bool:
        """Keep a frame; False if that was one too many, and all were thrown away."""
        self._kept[frame["kind"], frame["epoch"], *numbers(frame)] = frame
        if len(self._kept) <= self._limit:
            return True
        self._kept.clear()
        return False

    def take(self) -> list[Row]:
        """Hand out all: own by ``rev``, broadcasts by ``brev``, heads last."""
        kept = sorted(self._kept.values(), key=lambda f: (_KINDS.index(f["kind"]), *numbers(f)))
        self._kept.clear()
        return kept

    def clear(self) -> None:
        """Throw all away."""
        self._kept.clear()
