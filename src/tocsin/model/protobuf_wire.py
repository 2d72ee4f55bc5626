"""The wire format of protocol buffers, as far as Web PubSub's messages need it; no I/O.

Of a field that comes again the last value counts, for embedded messages too: parts of them are not merged, since no
encoder of a whole message writes any.  Unknown fields are skipped; groups, which proto3 has not, are refused.

Source:  https://protobuf.dev/programming-guides/encoding/
Bound:   a message has at most 4096 fields.
"""

from typing import Final

MAX_FIELDS: Final = 4096
_VARINT: Final = 0
_BLOCK: Final = 2
_FIXED: Final = {1: 8, 5: 4}  # sizes of fixed-width values, which no known field has
_MAX_NUMBER: Final = 2**29 - 1
_SEVEN_BITS: Final = 0x7F
_LONGEST_VARINT: Final = 10
_MAX_UINT64: Final = 2**64 - 1


class WireError(ValueError):
    """These bytes are no message."""


def varint(value: int) -> bytes:
    """Encode an unsigned number of at most 64 bits."""
    encoded = bytearray()
    while value > _SEVEN_BITS:
        encoded.append(value & _SEVEN_BITS | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def number_field(number: int, value: int) -> bytes:
    """Encode a field that holds a number."""
    return varint(number << 3 | _VARINT) + varint(value)


def block_head(number: int, size: int) -> bytes:
    """Encode what stands in front of a field's ``size`` bytes."""
    return varint(number << 3 | _BLOCK) + varint(size)


def block_field(number: int, value: bytes) -> bytes:
    """Encode a field that holds bytes, a text, or an embedded message."""
    return block_head(number, len(value)) + value


def text_field(number: int, value: str) -> bytes:
    """Encode a field that holds a text."""
    return block_field(number, value.encode())


class Fields:
    """The fields of one message: ``numbers`` by field number, ``blocks`` in their order."""

    __slots__ = ("blocks", "numbers")

    def __init__(self, data: bytes) -> None:
        """Read the encoded message ``data``.

        Raises:
            WireError: It is none, or has more than 4096 fields.
        """
        self.numbers: dict[int, int] = {}
        self.blocks: list[tuple[int, bytes]] = []
        at, count = 0, 0
        while at < len(data):
            at = self._read(data, at)
            count += 1
            if count > MAX_FIELDS:
                msg = f"a protobuf message has more than {MAX_FIELDS} fields"
                raise WireError(msg)

    def last(self, *numbers: int) -> tuple[int, bytes] | None:
        """Return the last block under one of ``numbers``, with its number: the set member of a oneof."""
        for block in reversed(self.blocks):
            if block[0] in numbers:
                return block
        return None

    def block(self, number: int) -> bytes | None:
        """Return what a field holds, None if it is not there."""
        found = self.last(number)
        return None if found is None else found[1]

    def text(self, number: int) -> str | None:
        """Return the text of a field, None if it is not there.

        Raises:
            WireError: It is not UTF-8.
        """
        block = self.block(number)
        try:
            return None if block is None else block.decode()
        except UnicodeDecodeError:
            raise WireError("a protobuf text is not UTF-8") from None

    def _read(self, data: bytes, at: int) -> int:
        """Read the field at ``at`` and return where the next one begins."""
        tag, at = _read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number <= _MAX_NUMBER:
            msg = f"{number} is no protobuf field number"
            raise WireError(msg)
        if kind == _VARINT:
            self.numbers[number], at = _read_varint(data, at)
            return at
        if kind == _BLOCK:
            size, at = _read_varint(data, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            msg = f"the protobuf wire type {kind} is not known here"
            raise WireError(msg)
        if size > len(data) - at:
            raise WireError("a protobuf message is cut short")
        if kind == _BLOCK:
            self.blocks.append((number, data[at : at + size]))
        return at + size


def is_any(block: bytes) -> bool:
    """Whether a block is a ``google.protobuf.Any``."""
    try:
        Fields(block).text(1)
    except WireError:
        return False
    return True


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the number at ``at`` and where it ends."""
    value = 0
    for place, byte in enumerate(data[at : at + _LONGEST_VARINT]):
        value |= (byte & _SEVEN_BITS) << 7 * place
        if byte <= _SEVEN_BITS:
            if value > _MAX_UINT64:
                break
            return value, at + place + 1
    raise WireError("a protobuf number is cut short or has more than 64 bits")
