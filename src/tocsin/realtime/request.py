"""What clients ask of the gateway, whatever their protocol."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from tocsin.realtime.message import DataType, StreamFault

MAX_UINT64: Final = 2**64 - 1
LONGEST_TTL_S: Final = 300
MAX_GROUP: Final = 1024
MAX_INVOCATION: Final = 128
MAX_STREAM_ID: Final = 128
FORBIDDEN: Final = "Forbidden"
_MAX_FAULT: Final = 1024
_MAX_CODE: Final = 128
_EVENT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,127}")


class MalformedError(Exception):
    """The client's message is no request of its protocol; its connection ends with 1007."""


class AckError(NamedTuple):
    """Why a request failed; clients need both fields."""

    name: str
    message: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; the fields of all kinds together.

    ``type`` is the JSON protocol's name in lower case.  ``data`` is as in :class:`Message`; ``ttl_s`` 0 means that the
    message does not expire.  A ``sendtogroup`` with a ``stream_id`` begins a stream.  ``fault`` is what ``streamend`` tells,
    ``state`` what ``setgroupstate`` sets, None to take it back.
    """

    type: str
    ack_id: int | None = None
    group: str | None = None
    event: str | None = None
    data_type: DataType = "text"
    data: bytes = b""
    no_echo: bool = False
    ttl_s: int = 0
    metadata: Mapping[str, str] = {}
    sequence_id: int | None = None
    invocation_id: str | None = None
    stream_id: str | None = None
    stream_number: int | None = None
    idle_timeout_ms: int | None = None
    fault: StreamFault | None = None
    state: Mapping[str, str] | None = None

    def need_group(self) -> str:
        """Return the group.

        Raises:
            MalformedError: There is none, or it cannot be a group's name (1 to 1024 characters, not all white space).
        """
        group = self.group
        if group is None or not is_group(group):
            msg = f"{self.type} needs a group of 1 to {MAX_GROUP} characters"
            raise MalformedError(msg)
        return group

    def need_event(self) -> str:
        """Return the event's name.

        Raises:
            MalformedError: There is none.
        """
        if self.event is None:
            msg = f"{self.type} without an event's name"
            raise MalformedError(msg)
        return self.event

    def need_invocation(self) -> str:
        """Return the invocation's id.

        Raises:
            MalformedError: There is none, or it is longer than 128 characters.
        """
        invocation_id = self.invocation_id
        if invocation_id is None or len(invocation_id) > MAX_INVOCATION:
            msg = f"{self.type} needs an invocationId of at most {MAX_INVOCATION} characters"
            raise MalformedError(msg)
        return invocation_id

    def need_stream(self) -> str:
        """Return the stream's id.

        Raises:
            MalformedError: There is none, or it is not 1 to 128 characters long.
        """
        stream_id = self.stream_id
        if stream_id is None or not 0 < len(stream_id) <= MAX_STREAM_ID:
            msg = f"{self.type} needs a streamId of 1 to {MAX_STREAM_ID} characters"
            raise MalformedError(msg)
        return stream_id


def is_group(name: str) -> bool:
    """Whether this can be a group's name."""
    return len(name) <= MAX_GROUP and bool(name.strip())


def is_event(name: str) -> bool:
    """Whether this can be an event's name: a letter, then at most 127 letters, digits, or ``_.-``."""
    return _EVENT.fullmatch(name) is not None


def check_numbers(*numbers: int | None) -> None:
    """See that these are unsigned 64-bit numbers, where they are given.

    Raises:
        MalformedError: One is not.
    """
    for number in numbers:
        if number is not None and not 0 <= number <= MAX_UINT64:
            msg = f"{number} is no unsigned 64-bit number"
            raise MalformedError(msg)


def check_ttl(seconds: int | None) -> int:
    """Return a message's life in seconds, 0 for one that does not end.

    Raises:
        MalformedError: It is not 0 to 300.
    """
    if seconds is not None and not 0 <= seconds <= LONGEST_TTL_S:
        msg = f"ttlSeconds is {seconds}; 0 to {LONGEST_TTL_S} are possible"
        raise MalformedError(msg)
    return seconds or 0


def user_fault(message: str, code: str) -> StreamFault:
    """Return why a client ends its stream before its time.

    Raises:
        MalformedError: The text is longer than 1024 characters, or the code than 128.
    """
    if len(message) > _MAX_FAULT or len(code) > _MAX_CODE:
        msg = f"a stream's error has at most {_MAX_FAULT} characters, and {_MAX_CODE} in its code"
        raise MalformedError(msg)
    return StreamFault("UserError", message, code)


def check_data(request: Request, *, has_data: bool) -> Request:
    """Return the request, seen to have data where it has to, and none where it must not.

    Raises:
        MalformedError: A message for a group has neither data nor metadata; one that begins a stream has data; a part of a
            stream has only one of data and number (without both it keeps the stream alive).
    """
    if request.type == "streamdata":
        if has_data != bool(request.stream_number):
            raise MalformedError("streamData has both a streamSequenceId above 0 and data, or none")
    elif request.type == "sendtogroup":
        if request.stream_id is not None:
            if has_data:
                raise MalformedError("a sendToGroup that begins a stream has no data")
        elif not has_data and not request.metadata:
            raise MalformedError("sendToGroup without data")
    return request
