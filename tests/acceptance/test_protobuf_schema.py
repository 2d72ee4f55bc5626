"""Our protobuf codec against classes that Google's compiler generates from our schema, and against the JSON codec."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.acceptance.webpubsub_speech import (
    JsonSpeech,
    ProtobufSpeech,
    Speech,
    generate_schema,
)
from tests.wire.client_requests import (
    DOCUMENTS,
    KINDS,
    METADATA,
    NUMBERS,
    begins_stream,
    has_data,
    requests,
)
from tocsin.realtime.dialects import JSON, PLAIN, PROTOBUF, RELIABLE_JSON, RELIABLE_PROTOBUF, Codec
from tocsin.realtime.frames import TEXT
from tocsin.realtime.json_codec import JSON_CODEC
from tocsin.realtime.message import Message, StateItem, States, StreamFault, StreamMark
from tocsin.realtime.protobuf_codec import PROTOBUF_CODEC
from tocsin.realtime.request import AckError, Request

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return generate_schema(tmp_path_factory.mktemp("schema"))


def payload(frame: bytes) -> str | bytes:
    """Return what is in one server frame: a text, or bytes."""
    size, start = frame[1], 2
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(frame[2:start])
    assert len(frame) == start + size
    body = frame[start:]
    return body.decode() if frame[0] == 0x80 | TEXT else body


@st.composite
def contents(draw: st.DrawFn, schema: Any) -> tuple[str, str | bytes]:
    """Draw a kind of data, and data of that kind; JSON is written in many ways."""
    match draw(st.sampled_from(["json", "text", "binary", "protobuf"])):
        case "json":
            document = draw(DOCUMENTS)
            indent = draw(st.sampled_from([None, 0, 2]))
            escape = draw(st.booleans())
            return "json", json.dumps(document, indent=indent, ensure_ascii=escape)
        case "text":
            return "text", draw(st.text())
        case "binary":
            return "binary", draw(st.binary())
        case _:
            packed = schema.MessageData().protobuf_data
            packed.Pack(schema.MessageData(text_data=draw(st.text())))
            return "protobuf", packed.SerializeToString(deterministic=True)


@settings(deadline=None)
@given(data=st.data())
def test_what_one_protocol_sends_all_others_hear_as_documented(
    schema: Any, data: st.DataObject
) -> None:
    senders: list[tuple[Speech, Codec]] = [
        (JsonSpeech(reliable=True), JSON_CODEC),
        (ProtobufSpeech(schema, reliable=True), PROTOBUF_CODEC),
    ]
    kind, sent = data.draw(contents(schema))
    speech, codec = data.draw(st.sampled_from(senders))
    asked = speech.send("g", kind, sent)
    request = codec.parse(asked.encode() if isinstance(asked, str) else asked)
    number = data.draw(NUMBERS)
    message = Message(request.data, data_type=request.data_type, group="g")
    raw = sent.encode() if isinstance(sent, str) else sent

    heard = JsonSpeech(reliable=True).hear(payload(RELIABLE_JSON.encode([message], number)))
    assert (heard.what, heard.group, heard.sequence_id) == ("message", "g", number)
    assert heard.data_type == kind
    assert heard.data == sent

    frame = RELIABLE_PROTOBUF.encode([message], number)
    heard = ProtobufSpeech(schema, reliable=True).hear(payload(frame))
    assert (heard.what, heard.group, heard.sequence_id) == ("message", "g", number)
    assert heard.data_type == ("text" if kind == "json" else kind)
    assert heard.data == sent

    (plain,) = [payload(PLAIN.encode([message], number))]
    assert plain == (sent if kind in {"json", "text"} else raw)
    if kind == "json":
        assert raw in JSON.encode([message], number)


# Their members of UpstreamMessage, by type.
MEMBERS = {
    "sendToGroup": "send_to_group_message",
    "event": "event_message",
    "invoke": "invoke_event_message",
    "cancelInvocation": "cancel_invocation_message",
    "joinGroup": "join_group_message",
    "leaveGroup": "leave_group_message",
    "sequenceAck": "sequence_ack_message",
    "ping": "ping_message",
    "streamData": "stream_data_message",
    "streamEnd": "stream_end_message",
    "setGroupState": "set_group_state_message",
    "subscribeGroupState": "subscribe_group_state_message",
    "unsubscribeGroupState": "unsubscribe_group_state_message",
}


def written(schema: Any, kind: str, request: Request) -> bytes:
    """Write a request by generated classes; what it does not say is left out."""
    upstream = schema.UpstreamMessage()
    asked = getattr(upstream, MEMBERS[kind])
    asked.SetInParent()
    numbers_and_texts: dict[str, Any] = {
        "group": request.group,
        "event": request.event,
        "ack_id": request.ack_id,
        "no_echo": request.no_echo or None,
        "ttl_seconds": request.ttl_s or None,
        "sequence_id": request.sequence_id,
        "invocation_id": request.invocation_id,
        "stream_sequence_id": request.stream_number,
    }
    for name, value in numbers_and_texts.items():
        if value is not None:
            setattr(asked, name, value)
    if request.metadata:
        asked.metadata.update(request.metadata)
    if begins_stream(request):
        asked.stream.stream_id = request.stream_id
        if request.idle_timeout_ms is not None:
            asked.stream.idle_timeout_ms = request.idle_timeout_ms
    elif request.stream_id is not None:
        asked.stream_id = request.stream_id
    if request.fault is not None:
        _, asked.error.message, asked.error.user_error_code = request.fault
    if request.state is not None:
        asked.state.SetInParent()
        asked.state.entries.update(request.state)
    if has_data(request):
        write_data(asked.data, request)
    encoded: bytes = upstream.SerializeToString()
    return encoded


def write_data(data: Any, request: Request) -> None:
    match request.data_type:
        case "protobuf":
            data.protobuf_data.ParseFromString(request.data)
        case "binary":
            data.binary_data = request.data
        case text:
            setattr(data, f"{text}_data", request.data.decode())


@pytest.mark.parametrize("kind", MEMBERS)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_what_generated_classes_write_is_read_with_the_same_fields(
    schema: Any, kind: str, data: st.DataObject
) -> None:
    request = data.draw(requests(kind))
    assert PROTOBUF_CODEC.parse(written(schema, kind, request)) == request


def test_every_request_of_the_schema_is_among_them(schema: Any) -> None:
    assert set(MEMBERS) == set(KINDS)
    assert set(MEMBERS.values()) == set(schema.UpstreamMessage.DESCRIPTOR.fields_by_name)


@settings(deadline=None)
@given(name=st.text(), number=NUMBERS, metadata=METADATA, size=st.sampled_from([0, 200, 70_000]))
def test_generated_classes_read_what_the_server_says(
    schema: Any, name: str, number: int, metadata: dict[str, str], size: int
) -> None:
    def read(frame: bytes) -> Any:
        return schema.DownstreamMessage.FromString(payload(frame))

    hello = read(PROTOBUF_CODEC.connected("c", name, name)).system_message.connected_message
    assert (hello.connection_id, hello.user_id, hello.reconnection_token) == ("c", name, name)
    hello = read(PROTOBUF_CODEC.connected("c", None, None)).system_message.connected_message
    assert (hello.user_id, hello.HasField("reconnection_token")) == ("", False)
    bye = read(PROTOBUF_CODEC.disconnected(name)).system_message
    assert bye.disconnected_message.reason == name
    assert read(PROTOBUF_CODEC.pong).WhichOneof("message") == "pong_message"
    ack = read(PROTOBUF_CODEC.ack(number)).ack_message
    assert (ack.ack_id, ack.success, ack.HasField("error")) == (number, True, False)
    ack = read(PROTOBUF_CODEC.ack(number, AckError("Forbidden", name))).ack_message
    assert (ack.success, ack.error.name, ack.error.message) == (False, "Forbidden", name)
    failed = PROTOBUF_CODEC.invocation_failed(name, AckError("NotFound", name))
    answer = read(failed).invoke_response_message
    assert (answer.invocation_id, answer.success, answer.error.name) == (name, False, "NotFound")
    told = PROTOBUF_CODEC.invocation_answered(name, "text", name.encode())
    answer = read(told).invoke_response_message
    assert (answer.success, answer.data.text_data) == (True, name)
    answer = read(PROTOBUF_CODEC.invocation_answered(name, None, b"")).invoke_response_message
    assert (answer.success, answer.HasField("data"), answer.HasField("error")) == (
        True,
        False,
        False,
    )

    binary = Message(b"\0" * size, data_type="binary", metadata=metadata)
    told = read(RELIABLE_PROTOBUF.encode([binary], number)).data_message
    assert (getattr(told, "from"), told.HasField("group")) == ("server", False)
    assert (told.sequence_id, told.data.binary_data) == (number, b"\0" * size)
    assert dict(told.metadata) == metadata
    assert not read(PROTOBUF.encode([binary], number)).data_message.HasField("sequence_id")


@settings(deadline=None)
@given(name=st.text(), number=NUMBERS, state=st.dictionaries(st.text(), st.text(), max_size=4))
def test_generated_classes_read_streams_and_states(
    schema: Any, name: str, number: int, state: dict[str, str]
) -> None:
    def read(frame: bytes) -> Any:
        return schema.DownstreamMessage.FromString(payload(frame))

    ack = read(PROTOBUF_CODEC.stream_acked(name, number)).stream_ack_message
    assert (ack.stream_id, ack.expected_sequence_id) == (name, number)
    nack = read(
        PROTOBUF_CODEC.stream_refused(name, number, AckError("N", name))
    ).stream_nack_message
    assert (nack.name, nack.message, nack.expected_sequence_id) == ("N", name, number)
    closed = read(PROTOBUF_CODEC.stream_closed(name, None)).stream_closed_message
    assert (closed.stream_id, closed.HasField("error")) == (name, False)
    closed = read(PROTOBUF_CODEC.stream_closed(name, StreamFault("F", name))).stream_closed_message
    assert (closed.error.name, closed.error.message) == ("F", name)

    part = Message(b"x", data_type="text", group="g", stream=StreamMark(name, number))
    told = read(RELIABLE_PROTOBUF.encode([part], 7)).data_message
    assert (told.data.text_data, told.sequence_id, told.group) == ("x", 7, "g")
    assert (told.stream.stream_id, told.stream.stream_sequence_id) == (name, number)
    assert not told.stream.HasField("end_of_stream")
    assert not told.stream.HasField("error")
    mark = StreamMark(name, number, ended=True, fault=StreamFault("F", name, "code"))
    end = Message(b"", data_type="text", group="g", stream=mark)
    told = read(PROTOBUF.encode([end], 7)).data_message.stream
    assert told.end_of_stream
    assert (told.error.name, told.error.message, told.error.user_error_code) == ("F", name, "code")

    items = (StateItem("c1", name, state, 2**40), StateItem("c2", None, None, 1))
    changed = Message.telling(States(items, whole=False), "g")
    told = read(RELIABLE_PROTOBUF.encode([changed], number)).group_state_update_message
    assert (told.group, told.sequence_id) == ("g", number)
    first, second = told.items
    assert (first.connection_id, first.user_id, first.updated_at) == ("c1", name, 2**40)
    assert dict(first.state.entries) == state
    assert (second.HasField("user_id"), second.HasField("state")) == (False, False)
    whole = Message.telling(States(items, whole=True), "g")
    told = read(PROTOBUF.encode([whole], number)).group_state_snapshot_message
    assert (told.group, told.HasField("sequence_id"), len(told.items)) == ("g", False, 2)
