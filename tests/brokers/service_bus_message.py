"""Messages as the stand-in for Azure Service Bus takes them in, keeps and shows them."""

import enum
from collections.abc import Iterator

import msgspec
from proton import Data, Message, timestamp

_DATA = 0x75
_SECTIONS = range(0x70, 0x79)
_DUE = "x-opt-scheduled-enqueue-time"


class State(enum.IntEnum):
    """What ``x-opt-message-state`` says of a message."""

    ACTIVE = 0
    DEFERRED = 1
    SCHEDULED = 2


class Stored(msgspec.Struct, eq=False):
    """A message as it is kept; ``deliveries`` are those that failed."""

    number: int
    at_s: float
    message: Message
    deliveries: int = 0
    state: State = State.ACTIVE

    @property
    def session(self) -> str | None:
        """The session that its sender put it into."""
        session: str | None = self.message.group_id
        return session

    def shown(self, until_s: float | None = None) -> Message:
        """Return a copy with what the service adds; ``until_s`` is until when it is locked."""
        message = decoded(self.message.encode())
        message.delivery_count = self.deliveries
        message.annotations = {
            **(message.annotations or {}),
            "x-opt-sequence-number": self.number,
            "x-opt-enqueue-sequence-number": self.number,
            "x-opt-enqueued-time": timestamp(self.at_s * 1000),
            "x-opt-message-state": int(self.state),
        }
        if until_s is not None:
            message.annotations["x-opt-locked-until"] = timestamp(until_s * 1000)
        return message


def decoded(encoded: bytes) -> Message:
    """Decode one message."""
    message = Message()
    message.decode(encoded)
    return message


def due_s(message: Message) -> float:
    """Return when its sender wants a message to come, in seconds since 1970; 0 is at once."""
    due_ms: float = (message.annotations or {}).get(_DUE, 0)
    return due_ms / 1000


def messages_in(transfer: bytes) -> list[Message]:
    """Return what one transfer brings: a message, or those of a batch, whose envelope says nothing.

    The message format tells a batch, but Proton does not tell the message format.  So a batch is what has nothing but
    messages in its data: a body that begins as an encoded message does is taken for one.
    """
    inner = [bytes(value) for code, value in _sections(transfer) if code == _DATA]
    if inner and all(map(_begins_a_message, inner)):
        return [decoded(each) for each in inner]
    return [decoded(transfer)]


def _sections(encoded: bytes) -> Iterator[tuple[int, bytes]]:
    while encoded:
        data = Data()
        used = data.decode(encoded)
        data.next()
        section = data.get_py_described()
        yield section.descriptor, section.value
        encoded = encoded[used:]


def _begins_a_message(encoded: bytes) -> bool:
    return encoded[:2] == b"\x00\x53" and encoded[2] in _SECTIONS
