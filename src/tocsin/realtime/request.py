"""What clients ask of the gateway, whatever their protocol."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from tocsin.realtime.message import DataType

MAX_UINT64: Final = 2**64 - 1
LONGEST_TTL_S: Final = 300
MAX_GROUP: Final = 1024
MAX_INVOCATION: Final = 128
FORBIDDEN: Final = "Forbidden"
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
    message does not expire.
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


def without_data(kind: str, metadata: Mapping[str, str]) -> tuple[DataType, bytes]:
    """Return what a request of this ``kind`` carries that has no data: an empty text.

    Raises:
        MalformedError: It is a message for a group, and there is no metadata either.
    """
    if kind == "sendtogroup" and not metadata:
        raise MalformedError("sendToGroup without data")
    return "text", b""
