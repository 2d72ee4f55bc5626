"""CloudEvents 1.0: a request or message becomes checked events, or is refused with its place and reason.

Pure.  The parser is our own: the official SDK accepts what the specification forbids (overlong UTF-8, objects as
attributes, broken base64) and knows no batches.  What an event says as an alert is ``event_alert.py``'s business.

Source:   https://github.com/cloudevents/spec/tree/v1.0.2/cloudevents (spec.md, formats/json-format.md,
          bindings/http-protocol-binding.md)
Pointers: relative to the event; None where the fault is in a header.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec

from tocsin.errors import InvalidInputError

Mode = Literal["structured", "batch", "binary"]
Value = str | bool | int
T = TypeVar("T")

REQUIRED: Final = ("specversion", "id", "source", "type")
_STRUCTURED: Final = "application/cloudevents"
_BATCH: Final = "application/cloudevents-batch"
_HEADER: Final = b"ce-"
_INT32: Final = range(-(2**31), 2**31)

_NAME = re.compile(r"[a-z0-9]+")
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+ *(;.*)?", re.ASCII)
# Controls, surrogates and noncharacters, the last two code points of every plane among them.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(
        f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
    )
    + "]"
)
_URI_PART: Final = r"(?:[\w\-.~:/?@!$&'()*+,;=\[\]]|%[0-9A-Fa-f]{2})"
_URI_REFERENCE = re.compile(rf"{_URI_PART}*(?:#{_URI_PART}*)?", re.ASCII)
_ABSOLUTE_URI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:{_URI_PART}+", re.ASCII)
_PRINTABLE = re.compile(rb"[\x20-\x7e]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(.)")
_BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")

_Timestamp = Annotated[datetime, msgspec.Meta(tz=True)]
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_scalar: msgspec.json.Decoder[Value] = msgspec.json.Decoder(Value)
_array = msgspec.json.Decoder(list[msgspec.Raw])


class CloudEvent(msgspec.Struct, frozen=True):
    """One event whose attributes hold.

    ``data`` is its payload as bytes, None without one; ``data_at`` is where that stood in the event ("" for a binary
    one, whose body it is).
    """

    attributes: Mapping[str, Value]
    data: bytes | None
    data_at: str

    @property
    def has_json(self) -> bool:
        """Whether the payload is JSON; without a ``datacontenttype`` it is."""
        kind = str(self.attributes.get("datacontenttype", "application/json"))
        kind = kind.partition(";")[0].strip().lower()
        return kind.endswith(("/json", "+json"))


def mode_of(content_type: str) -> Mode:
    """Tell how a request carries its events.

    Raises:
        InvalidInputError: In a format other than JSON.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not kind.startswith(_STRUCTURED):
        return "binary"
    # The longer name first: it begins with the shorter one.
    modes: tuple[tuple[str, Mode], ...] = ((_BATCH, "batch"), (_STRUCTURED, "structured"))
    for name, mode in modes:
        if kind == f"{name}+json":
            return mode
    detail = f"{content_type[:80]!r} is none of {_STRUCTURED}+json and {_BATCH}+json"
    raise InvalidInputError(detail, code="invalid-event")


def parse_structured(raw: bytes) -> CloudEvent:
    """Read an event in the JSON format.

    Raises:
        InvalidInputError: It is no JSON object, or breaks the specification; the pointer tells where.
    """
    members = _read_json(_object.decode, raw, "an event is a JSON object")
    data, encoded = (_present(members.pop(name, None)) for name in ("data", "data_base64"))
    attributes: dict[str, Value] = {
        name: _value(name, value) for name, value in members.items() if bytes(value) != b"null"
    }
    _check(attributes)
    if encoded is None:
        return CloudEvent(attributes, data, "/data")
    if data is not None:
        detail = "an event has `data` or `data_base64`, never both"
        raise InvalidInputError(detail, code="invalid-event", pointer="/data_base64")
    return CloudEvent(attributes, _decode_base64(encoded), "/data_base64")


def split_batch(raw: bytes) -> Sequence[bytes]:
    """Return the events of a batch, unread; there may be none.

    Raises:
        InvalidInputError: It is no JSON array.
    """
    return [bytes(event) for event in _read_json(_array.decode, raw, "a batch is a JSON array")]


def parse_binary(headers: Iterable[tuple[bytes, bytes]], body: bytes) -> CloudEvent:
    """Read an event whose attributes are ``ce-`` headers; header names are in lower case.

    Raises:
        InvalidInputError: An attribute breaks the specification; its name is in the detail.
    """
    attributes: dict[str, Value] = {}
    for header, value in headers:
        if header == b"content-type" and value.strip():
            attributes["datacontenttype"] = value.decode("latin-1").strip()
        elif header.startswith(_HEADER):
            name = header[len(_HEADER) :].decode("latin-1")
            if name == "datacontenttype" or name in attributes:
                raise _header_fault(name, "may not be there, or only once")
            attributes[name] = _decode_header(name, value)
    if "specversion" not in attributes:
        detail = (
            f"this is no CloudEvent: send {_STRUCTURED}+json, {_BATCH}+json, or ce- headers "
            "beginning with ce-specversion"
        )
        raise InvalidInputError(detail, code="invalid-event")
    return parse_attributes(attributes, body)


def parse_attributes(attributes: Mapping[str, Value], data: bytes) -> CloudEvent:
    """Check an event whose attributes came apart from its data.

    Raises:
        InvalidInputError: An attribute breaks the specification; its name is in the detail.
    """
    try:
        _check(attributes)
    except InvalidInputError as error:
        error.pointer = None
        raise
    return CloudEvent(attributes, data, "")


def _read_json(decode: Callable[[bytes], T], raw: bytes, shape: str) -> T:
    try:
        raw.decode()
        return decode(raw)
    except msgspec.ValidationError as error:
        detail = f"{shape}: {error}"
        raise InvalidInputError(detail, code="invalid-event", pointer="") from error
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        detail = f"the body is not JSON in UTF-8: {error}"
        raise InvalidInputError(detail, code="invalid-json") from error


def _present(raw: msgspec.Raw | None) -> bytes | None:
    """Return a member's bytes; one that is ``null`` is absent."""
    return None if raw is None or bytes(raw) == b"null" else bytes(raw)


def _value(name: str, raw: msgspec.Raw) -> Value:
    """Return an attribute's value: a string, a boolean or a 32-bit integer."""
    try:
        value = _scalar.decode(raw)
    except msgspec.ValidationError:
        value = _INT32.stop  # as wrong as an integer that is too large
    if isinstance(value, int) and value not in _INT32:
        raise _fault(name, "is no string, boolean or 32-bit integer")
    return value


def _decode_base64(raw: bytes) -> bytes:
    try:
        return base64.b64decode(msgspec.json.decode(raw, type=str), validate=True)
    except (msgspec.ValidationError, binascii.Error, ValueError) as error:
        raise _fault("data_base64", f"is not base64: {error}") from error


def _decode_header(name: str, value: bytes) -> str:
    """Unquote, then percent-decode once (HTTP binding, 3.1.3.2)."""
    if not _PRINTABLE.fullmatch(value):
        raise _header_fault(name, "has bytes that must be percent-encoded")
    text = value.decode("ascii").strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        text = _ESCAPE.sub(r"\1", quoted[1])
    if _BAD_PERCENT.search(text):
        raise _header_fault(name, "has a % that begins no percent-encoded byte")
    try:
        return unquote_to_bytes(text).decode()  # Python refuses overlong UTF-8
    except UnicodeDecodeError as error:
        raise _header_fault(name, "is percent-encoded, but not UTF-8") from error


def _check(attributes: Mapping[str, Value]) -> None:
    """Check names and values against the specification's types."""
    for name in REQUIRED:
        if name not in attributes:
            raise _fault(name, "is missing")
    for name, value in attributes.items():
        if not _NAME.fullmatch(name) or name == "data":
            raise _fault(name, "is no name of an attribute: those have only a-z and 0-9")
        if isinstance(value, str) and _FORBIDDEN.search(value):
            raise _fault(name, "has a control character, a surrogate or a noncharacter")
    for name, (holds, rule) in _RULES.items():
        value = attributes.get(name, "absent")
        if name in attributes and not (isinstance(value, str) and holds(value)):
            raise _fault(name, f"{value!r:.80} is not {rule}")


def _is_timestamp(text: str) -> bool:
    try:
        msgspec.convert(text, _Timestamp)
    except msgspec.ValidationError:
        return False
    return True


_RULES: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    "specversion": ("1.0".__eq__, '"1.0"'),
    "id": (bool, "a string with something in it"),
    "source": (lambda text: text and _URI_REFERENCE.fullmatch(text), "a URI reference (RFC 3986)"),
    "type": (bool, "a string with something in it"),
    "subject": (bool, "a string with something in it"),
    "time": (_is_timestamp, "a time with a zone (RFC 3339)"),
    "datacontenttype": (_MEDIA_TYPE.fullmatch, "a media type (RFC 2046)"),
    "dataschema": (_ABSOLUTE_URI.fullmatch, "an absolute URI (RFC 3986)"),
}


def _fault(name: str, complaint: str) -> InvalidInputError:
    detail = f"the event's `{name[:40]}` {complaint}"
    pointer = "/" + name.replace("~", "~0").replace("/", "~1")
    return InvalidInputError(detail, code="invalid-event", pointer=pointer)


def _header_fault(name: str, complaint: str) -> InvalidInputError:
    return InvalidInputError(f"the header `ce-{name[:40]}` {complaint}", code="invalid-event")
