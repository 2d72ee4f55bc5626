"""Identifiers and their rules.

Users, producers' ids, sources, topics: 1 to 256 characters, no control characters, compared as bytes, never trimmed
or folded.  Hubs follow Web PubSub's rule and are compared without case, so they are kept in lower case.
"""

import os
import re

from tocsin.errors import InvalidInputError

MAX_ID_CHARS = 256
_HUB = re.compile(r"[A-Za-z][A-Za-z0-9_`,.\[\]]{0,127}")
_DRAW = 256
_drawn: list[bytes] = []
os.register_at_fork(after_in_child=_drawn.clear)  # or parent and child would give the same ids
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _random_8() -> bytes:
    """Return eight random bytes; asking the kernel for so few each time was a twentieth of what a publish cost."""
    try:
        return _drawn.pop()
    except IndexError:
        fresh = os.urandom(8 * _DRAW)
        first, *others = (fresh[start : start + 8] for start in range(0, len(fresh), 8))
        _drawn.extend(others)
        return first


def uuid7(now_us: int) -> str:
    """Return a UUIDv7 (RFC 9562 section 5.7) whose first 48 bits are ``now_us`` in milliseconds.

    The next 12 bits are the fraction of the millisecond, so ids made one after the other sort by time.
    """
    ms, us = divmod(now_us, 1000)
    value = (ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (us * 4096 // 1000) << 64
    value |= 0b10 << 62 | int.from_bytes(_random_8()) >> 2
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def made_us(alert_id: str) -> int:
    """Return the time in an id of :func:`uuid7`, in microseconds, at most one of them too early."""
    digits = alert_id.replace("-", "")
    return int(digits[:12], 16) * 1_000 + int(digits[13:16], 16) * 1_000 // 4_096


def check_id(value: str, what: str, pointer: str | None = None) -> str:
    """Return ``value`` if it may be an identifier.

    Raises:
        InvalidInputError: it is empty, longer than 256 characters, or has a control character.
    """
    if not 1 <= len(value) <= MAX_ID_CHARS:
        detail = f"{what} has {len(value)} characters; 1 to {MAX_ID_CHARS} are allowed"
        raise InvalidInputError(detail, code="invalid-id", pointer=pointer)
    if _CONTROL.search(value):
        detail = f"{what} {value!r} has a control character; leave it out"
        raise InvalidInputError(detail, code="invalid-id", pointer=pointer)
    return value


def canonical_hub(value: str) -> str:
    """Return the hub's name in its one form (lower case).

    Raises:
        InvalidInputError: it breaks Web PubSub's rule for hub names.
    """
    if not _HUB.fullmatch(value):
        detail = (
            f"hub {value!r} is no hub name; it begins with a letter and has at most 128 letters, "
            "digits or _ ` , . [ ]"
        )
        raise InvalidInputError(detail, code="invalid-hub")
    return value.lower()
