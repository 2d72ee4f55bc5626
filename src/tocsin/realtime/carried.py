"""Messages in a form that other gateways can be given."""

import msgspec

from tocsin.realtime.message import NEVER_S, DataType, Message, StreamFault, StreamMark


class Carried(msgspec.Struct, frozen=True, array_like=True):
    """A message; it lives for ``ttl_s`` more seconds, None for ever.

    ``stream`` is the id of its stream, the part's number, whether it ends there, and the fault it ends with.
    """

    data: bytes
    data_type: DataType = "json"
    group: str | None = None
    sender: str | None = None
    metadata: dict[str, str] | None = None
    ttl_s: float | None = None
    stream: tuple[str, int, bool, tuple[str, str, str] | None] | None = None
    alert_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, message: Message, now_s: float) -> "Carried":
        """Return what is to be carried of a message that tells no states."""
        mark = message.stream
        return cls(
            message.data,
            message.data_type,
            message.group,
            message.sender,
            message.metadata,
            None if message.expires_s == NEVER_S else message.expires_s - now_s,
            None if mark is None else (mark.stream_id, mark.number, mark.ended, mark.fault),
            message.alert_ids,
        )

    def message(self, now_s: float) -> Message:
        """Return the message."""
        mark = None
        if self.stream is not None:
            stream_id, number, ended, fault = self.stream
            cause = None if fault is None else StreamFault(*fault)
            mark = StreamMark(stream_id, number, ended, cause)
        return Message(
            self.data,
            self.alert_ids,
            data_type=self.data_type,
            group=self.group,
            sender=self.sender,
            metadata=self.metadata,
            expires_s=NEVER_S if self.ttl_s is None else now_s + self.ttl_s,
            stream=mark,
        )
