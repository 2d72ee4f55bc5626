"""As much of D-Bus's wire format as a notification service needs; no I/O.

Source:  https://dbus.freedesktop.org/doc/dbus-specification.html, "Marshaling" and "Message Protocol".
"""

import struct
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

CALL, ANSWER, ERROR, SIGNAL = 1, 2, 3, 4
NO_ANSWER_WANTED: Final = 1
HEAD_BYTES: Final = 16
_NUMBERS = {
    "y": "B", "b": "I", "n": "h", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d", "h": "I",
}  # fmt: skip
_ALIGNED = {"s": 4, "o": 4, "g": 1, "a": 4, "(": 8, "{": 8, "v": 1}
_FIELDS = {1: "path", 2: "interface", 3: "member", 4: "error", 5: "answers", 6: "to", 7: "sender"}
_FIELD_TYPES = {"path": "o", "answers": "u"}


class Message(NamedTuple):
    """One message; ``fields`` are those of its header by name, ``body`` its arguments."""

    kind: int
    serial: int
    flags: int = 0
    fields: Mapping[str, Any] = MappingProxyType({})
    body: Sequence[Any] = ()


def size_of(head: bytes) -> int:
    """Return the size of the whole message whose first ``HEAD_BYTES`` these are."""
    body, _, fields = struct.unpack_from("<III", head, 4)
    return HEAD_BYTES + int(fields) + -int(fields) % 8 + int(body)


def read(data: bytes) -> Message:
    """Read one message, little-endian as Chromium writes on every machine that it runs on here."""
    reader = _Reader(data)
    _, kind, flags, _, _, serial = (reader.value(one) for one in "yyyyuu")
    named: dict[int, Any] = dict(reader.value("a(yv)"))
    reader.align(8)
    body = [reader.value(one) for one in _split(named.pop(8, ""))]
    fields = {_FIELDS[key]: value for key, value in named.items() if key in _FIELDS}
    return Message(kind, serial, flags, fields, body)


def write(message: Message, signature: str = "") -> bytes:
    """Write one message; ``signature`` is the types of its body."""
    body = _Writer()
    for kind, value in zip(_split(signature), message.body, strict=True):
        body.value(kind, value)
    head = _Writer()
    for value in (ord("l"), message.kind, message.flags, 1):
        head.value("y", value)
    head.value("u", len(body.data))
    head.value("u", message.serial)
    numbers = {name: number for number, name in _FIELDS.items()}
    fields = [
        (numbers[name], _FIELD_TYPES.get(name, "s"), value)
        for name, value in message.fields.items()
    ]
    head.fields([*fields, (8, "g", signature)])
    return bytes(head.data + body.data)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def align(self, size: int) -> None:
        self._at += -self._at % size

    def value(self, kind: str) -> Any:
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        self.align(_ALIGNED[kind[0]])
        match kind[0]:
            case "s" | "o":
                return self._text(self._number("I"))
            case "g":
                return self._text(self._number("B"))
            case "v":
                return self.value(self._text(self._number("B")))
            case "a":
                return self._items(kind[1:])
            case _:
                return tuple(self.value(one) for one in _split(kind[1:-1]))

    def _number(self, code: str) -> int:
        size = struct.calcsize(code)
        self.align(size)
        (value,) = struct.unpack_from(f"<{code}", self._data, self._at)
        self._at += size
        return int(value)

    def _text(self, size: int) -> str:
        text = self._data[self._at : self._at + size].decode()
        self._at += size + 1
        return text

    def _items(self, kind: str) -> list[Any]:
        size = self._number("I")
        self.align(_ALIGNED.get(kind[0]) or struct.calcsize(_NUMBERS[kind]))
        end, items = self._at + size, []
        while self._at < end:
            items.append(self.value(kind))
        return items


class _Writer:
    def __init__(self) -> None:
        self.data = bytearray()

    def align(self, size: int) -> None:
        self.data += bytes(-len(self.data) % size)

    def value(self, kind: str, value: Any) -> None:
        if kind in _NUMBERS:
            self.align(struct.calcsize(_NUMBERS[kind]))
            self.data += struct.pack(f"<{_NUMBERS[kind]}", value)
        elif kind == "g":
            self.data += bytes([len(value)]) + value.encode() + b"\0"
        elif kind == "as":
            self._texts(value)
        else:
            self.value("u", len(value.encode()))
            self.data += value.encode() + b"\0"

    def fields(self, fields: Sequence[tuple[int, str, Any]]) -> None:
        """Write the array of a header's fields, and what aligns the body after it."""
        part = _Writer()
        for number, kind, value in fields:
            part.align(8)
            part.value("y", number)
            part.value("g", kind)
            part.value(kind, value)
        self.value("u", len(part.data))
        self.data += part.data  # begins at 16, so that it is aligned as it was written
        self.align(8)

    def _texts(self, texts: Sequence[str]) -> None:
        part = _Writer()
        for text in texts:
            part.value("s", text)
        self.value("u", len(part.data))
        self.data += part.data


def _split(signature: str) -> list[str]:
    """Part a signature into whole types."""
    types, at = [], 0
    while at < len(signature):
        end = _end_of(signature, at)
        types.append(signature[at:end])
        at = end
    return types


def _end_of(signature: str, at: int) -> int:
    if signature[at] == "a":
        return _end_of(signature, at + 1)
    if signature[at] not in "({":
        return at + 1
    depth, end = 0, at
    while True:
        depth += {"(": 1, "{": 1, ")": -1, "}": -1}.get(signature[end], 0)
        end += 1
        if depth == 0:
            return end
