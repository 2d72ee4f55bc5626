"""All that clients can ask for, drawn at random; and how a client of the JSON protocols writes it."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from tocsin.model.protobuf_wire import block_field, text_field
from tocsin.realtime.message import StreamFault
from tocsin.realtime.request import Request

NUMBERS = st.integers(0, 2**64 - 1)
ACK_IDS = st.none() | NUMBERS
NAMES = st.text(min_size=1, max_size=30).filter(str.strip)
IDS = st.text(min_size=1, max_size=30)
STATES = st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=3)
# Keys of metadata are read in lower case.
METADATA = st.dictionaries(
    st.text("abc-09.~", min_size=1, max_size=9), st.text("xyZ 09!~", max_size=20), max_size=3
)
FAULTS = st.builds(StreamFault, st.just("UserError"), st.text(max_size=50), st.text(max_size=9))
DOCUMENTS = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner | st.none()) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
# A packed google.protobuf.Any.
ANYS = st.builds(
    lambda name, value: text_field(1, name) + block_field(2, value), IDS, st.binary(min_size=1)
)


Fields = st.SearchStrategy[dict[str, Any]]


def content(data_type: str, data: st.SearchStrategy[bytes]) -> Fields:
    return st.fixed_dictionaries({"data_type": st.just(data_type), "data": data})


def in_some_way(document: Any, indent: int | None, escape: bool) -> bytes:
    return json.dumps(document, indent=indent, ensure_ascii=escape).encode()


# Data of any type, as a request holds it; JSON is written in many ways.
CONTENTS: Fields = (
    content("text", st.text().map(str.encode))
    | content("binary", st.binary())
    | content("protobuf", ANYS)
    | content(
        "json",
        st.builds(in_some_way, DOCUMENTS, st.sampled_from([None, 0, 2]), st.booleans()),
    )
)
NO_DATA: Fields = st.just({})


def asking(fields: Mapping[str, st.SearchStrategy[Any]], data: Fields = NO_DATA) -> Fields:
    """Draw what stands in a request."""
    return st.builds(lambda some, more: some | more, st.fixed_dictionaries(fields), data)


TO_GROUP = {"group": NAMES, "ack_id": ACK_IDS}
SENDING = {"no_echo": st.booleans(), "ttl_s": st.integers(0, 300), "metadata": METADATA}
BEGINNING = {
    "no_echo": st.booleans(),
    "stream_id": IDS,
    "idle_timeout_ms": st.none() | st.integers(0, 2**32 - 1),
}
PART = {"stream_id": IDS, "stream_number": st.integers(1, 2**64 - 1)}
RAISING = {"event": NAMES, "metadata": METADATA}
# By type, as the service's documentation spells it.
KINDS: Mapping[str, Fields] = {
    "sendToGroup": asking(TO_GROUP | SENDING, CONTENTS) | asking(TO_GROUP | BEGINNING),
    "event": asking(RAISING | {"ack_id": ACK_IDS}, CONTENTS | NO_DATA),
    "invoke": asking(RAISING | {"invocation_id": IDS}, CONTENTS | NO_DATA),
    "cancelInvocation": asking({"invocation_id": IDS}),
    "joinGroup": asking(TO_GROUP),
    "leaveGroup": asking(TO_GROUP),
    "sequenceAck": asking({"sequence_id": NUMBERS}),
    "ping": asking({}),
    "streamData": asking(PART, CONTENTS) | asking({"stream_id": IDS}),
    "streamEnd": asking({"stream_id": IDS, "fault": st.none() | FAULTS}),
    "setGroupState": asking(TO_GROUP | {"state": st.none() | STATES}),
    "subscribeGroupState": asking(TO_GROUP),
    "unsubscribeGroupState": asking(TO_GROUP),
}


def requests(kind: str) -> st.SearchStrategy[Request]:
    """Draw requests of one type."""
    return KINDS[kind].map(lambda fields: Request(type=kind.lower(), **fields))


def begins_stream(request: Request) -> bool:
    return request.type == "sendtogroup" and request.stream_id is not None


def has_data(request: Request) -> bool:
    """Whether a client has to write data; an empty text is read where there is none, too."""
    if (request.data_type, request.data) != ("text", b""):
        return True
    needs_some = request.type == "sendtogroup" and not begins_stream(request)
    return needs_some or request.stream_number is not None


def in_json(kind: str, request: Request) -> bytes:
    """Write a request as a client of the JSON protocols does; JSON data keeps every byte."""
    fields: dict[str, Any] = {
        "type": kind,
        "ackId": request.ack_id,
        "group": request.group,
        "event": request.event,
        "noEcho": request.no_echo or None,
        "ttlSeconds": request.ttl_s or None,
        "metadata": request.metadata or None,
        "sequenceId": request.sequence_id,
        "invocationId": request.invocation_id,
        "streamSequenceId": request.stream_number,
        "state": request.state,
    }
    if begins_stream(request):
        timeout_ms = request.idle_timeout_ms
        fields["stream"] = {"streamId": request.stream_id, "idleTimeoutMs": timeout_ms}
    else:
        fields["streamId"] = request.stream_id
    if request.fault is not None:
        error = {"message": request.fault.message, "userErrorCode": request.fault.code}
        fields["error"] = error
    written = json.dumps({name: value for name, value in fields.items() if value is not None})
    return written.encode() if not has_data(request) else written[:-1].encode() + _data(request)


def _data(request: Request) -> bytes:
    match request.data_type:
        case "json":
            data = request.data
        case "text":
            data = json.dumps(request.data.decode()).encode()
        case _:
            data = b'"%b"' % base64.b64encode(request.data)
    return b',"dataType":"%b","data":%b}' % (request.data_type.encode(), data)
