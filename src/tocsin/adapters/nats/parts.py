"""Words between gateways as NATS messages: long ones in several parts, put together again where they arrive."""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

# Of one message, where the server takes that: 1 MiB unless told otherwise.
PART_BYTES: Final = 262_144
# Of a word; the longest is a connection that moves, with what waits for it.
WORD_BYTES: Final = 67_108_864

Kind = Literal["tell", "ask", "answer", "failed", "here"]


class Part(msgspec.Struct, frozen=True, array_like=True):
    """The part ``index`` of a word, counted from 0, with ``left`` more to come.

    ``number`` counts what is told; an answer has that of its question.
    """

    kind: Kind
    number: int
    body: bytes = b""
    index: int = 0
    left: int = 0


encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(Part).decode


def parts(kind: Kind, number: int, body: bytes, most_bytes: int = PART_BYTES) -> Iterator[bytes]:
    """Cut a word into messages with at most so much of it."""
    last = max(0, len(body) - 1) // most_bytes
    for index in range(last + 1):
        piece = body[index * most_bytes : (index + 1) * most_bytes]
        yield encode(Part(kind, number, piece, index, last - index))


class Joiner:
    """Puts the parts of one sender together; they come in order, and one that is lost costs its word."""

    __slots__ = ("_awaited", "_pieces", "_size")

    def __init__(self) -> None:
        self._awaited: tuple[Kind, int, int] | None = None
        self._pieces: list[bytes] = []
        self._size = 0

    def take(self, part: Part) -> Part | None:
        """Return the whole word with its last part; None while more of it has to come, or some is lost."""
        if part.index == 0:
            self._pieces, self._size = [], 0
        elif (part.kind, part.number, part.index) != self._awaited:
            return None
        self._pieces.append(part.body)
        self._size += len(part.body)
        if part.left and self._size <= WORD_BYTES:
            self._awaited = (part.kind, part.number, part.index + 1)
            return None
        body, self._pieces, self._awaited = b"".join(self._pieces), [], None
        return None if part.left else msgspec.structs.replace(part, body=body)
