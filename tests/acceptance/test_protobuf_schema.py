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
from tocsin.realtime.dialects import JSON, PLAIN, PROTOBUF, RELIABLE_JSON, RELIABLE_PROTOBUF, Codec
from tocsin.realtime.frames import TEXT
from tocsin.realtime.json_codec import JSON_CODEC
from tocsin.realtime.message import Message, StateItem, States, StreamFault, StreamMark
from tocsin.realtime.protobuf_codec import PROTOBUF_CODEC
from tocsin.realtime.request import AckError, Request

pytestmark = pytest.mark.acceptance

NUMBERS = st.integers(0, 2**64 - 1)
NAMES = st.text(min_size=1, max_size=30).filter(str.strip)
DOCUMENTS = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
METADATA = st.dictionaries(
    st.text("abc-09.~", min_size=1, max_size=9), st.text("xyz 09!~", max_size=20), max_size=4
)


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
    assert heard.data == (json.dumps(json.loads(sent)) if kind == "json" else sent)

    frame = RELIABLE_PROTOBUF.encode([message], number)
    heard = ProtobufSpeech(schema, reliable=True).hear(payload(frame))
    assert (heard.what, heard.group, heard.sequence_id) == ("message", "g", number)
    assert heard.data_type == ("text" if kind == "json" else kind)
    assert heard.data == sent

    (plain,) = [payload(PLAIN.encode([message], number))]
    assert plain == (sent if kind in {"json", "text"} else raw)
    if kind == "json":
        assert raw in JSON.encode([message], number)


@settings(deadline=None)
@given(
    group=NAMES,
    ack_id=st.none() | NUMBERS,
    no_echo=st.none() | st.booleans(),
    ttl=st.none() | st.integers(0, 300),
    metadata=METADATA,
    data=st.none() | st.text() | st.binary(),
)
def test_what_generated_classes_send_to_a_group_is_read(
    schema: Any,
    group: str,
    ack_id: int | None,
    no_echo: bool | None,
    ttl: int | None,
    metadata: dict[str, str],
    data: str | bytes | None,
) -> None:
    if data is None:
        metadata |= {"m": ""}
    upstream = schema.UpstreamMessage()
    asked = upstream.send_to_group_message
    asked.group = group
    for name, value in (("ack_id", ack_id), ("no_echo", no_echo), ("ttl_seconds", ttl)):
        if value is not None:
            setattr(asked, name, value)
    asked.metadata.update(metadata)
    if data is not None:
        setattr(asked.data, "text_data" if isinstance(data, str) else "binary_data", data)
    assert PROTOBUF_CODEC.parse(upstream.SerializeToString()) == Request(
        type="sendtogroup",
        group=group,
        ack_id=ack_id,
        no_echo=bool(no_echo),
        ttl_s=ttl or 0,
        metadata=metadata,
        data_type="binary" if isinstance(data, bytes) else "text",
        data=data.encode() if isinstance(data, str) else data or b"",
    )


@settings(deadline=None)
@given(name=NAMES, number=NUMBERS, said=st.text(), metadata=METADATA)
def test_other_requests_of_generated_classes_are_read(
    schema: Any, name: str, number: int, said: str, metadata: dict[str, str]
) -> None:
    def parse(**member: Any) -> Request:
        return PROTOBUF_CODEC.parse(schema.UpstreamMessage(**member).SerializeToString())

    data, kinds = schema.MessageData(json_data=json.dumps(said)), schema.UpstreamMessage
    json_data: dict[str, Any] = {
        "data_type": "json",
        "data": json.dumps(said).encode(),
        "metadata": metadata,
    }
    event = kinds.EventMessage(event=name, data=data, ack_id=number, metadata=metadata)
    assert parse(event_message=event) == Request(
        type="event", event=name, ack_id=number, **json_data
    )
    invoke = kinds.InvokeEventMessage(event=name, invocation_id=name, data=data, metadata=metadata)
    assert parse(invoke_event_message=invoke) == Request(
        type="invoke", event=name, invocation_id=name, **json_data
    )
    assert parse(join_group_message=kinds.JoinGroupMessage(group=name, ack_id=number)) == Request(
        type="joingroup", group=name, ack_id=number
    )
    assert parse(leave_group_message=kinds.LeaveGroupMessage(group=name)) == Request(
        type="leavegroup", group=name
    )
    assert parse(sequence_ack_message=kinds.SequenceAckMessage(sequence_id=number)) == Request(
        type="sequenceack", sequence_id=number
    )
    assert parse(ping_message=kinds.PingMessage()) == Request(type="ping")
    cancel = kinds.CancelInvocationMessage(invocation_id=name)
    assert parse(cancel_invocation_message=cancel) == Request(
        type="cancelinvocation", invocation_id=name
    )


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
@given(
    name=NAMES,
    stream=st.text(min_size=1, max_size=128),
    number=st.integers(1, 2**64 - 1),
    idle=st.none() | st.integers(0, 2**32 - 1),
    said=st.text(max_size=100),
    state=st.none() | st.dictionaries(st.text(), st.text(), max_size=4),
)
def test_streams_and_states_of_generated_classes_are_read(
    schema: Any,
    name: str,
    stream: str,
    number: int,
    idle: int | None,
    said: str,
    state: dict[str, str] | None,
) -> None:
    def parse(**member: Any) -> Request:
        return PROTOBUF_CODEC.parse(schema.UpstreamMessage(**member).SerializeToString())

    kinds = schema.UpstreamMessage
    begun = kinds.StreamStartInfo(stream_id=stream, idle_timeout_ms=idle)
    begins = kinds.SendToGroupMessage(group=name, no_echo=True, stream=begun)
    assert parse(send_to_group_message=begins) == Request(
        type="sendtogroup", group=name, no_echo=True, stream_id=stream, idle_timeout_ms=idle
    )
    part = kinds.StreamDataMessage(
        stream_id=stream, stream_sequence_id=number, data=schema.MessageData(text_data=said)
    )
    assert parse(stream_data_message=part) == Request(
        type="streamdata", stream_id=stream, stream_number=number, data=said.encode()
    )
    alive = kinds.StreamDataMessage(stream_id=stream)
    assert parse(stream_data_message=alive) == Request(type="streamdata", stream_id=stream)
    ends = kinds.StreamEndMessage(stream_id=stream)
    assert parse(stream_end_message=ends) == Request(type="streamend", stream_id=stream)
    ends.error.message, ends.error.user_error_code = said, name
    assert parse(stream_end_message=ends).fault == StreamFault("UserError", said, name)
    sets = kinds.SetGroupStateMessage(group=name, ack_id=number)
    if state is not None:
        sets.state.entries.update(state)
        sets.state.SetInParent()
    assert parse(set_group_state_message=sets) == Request(
        type="setgroupstate", group=name, ack_id=number, state=state
    )
    watches = kinds.SubscribeGroupStateMessage(group=name)
    assert parse(subscribe_group_state_message=watches) == Request(
        type="subscribegroupstate", group=name
    )
    leaves = kinds.UnsubscribeGroupStateMessage(group=name, ack_id=number)
    assert parse(unsubscribe_group_state_message=leaves) == Request(
        type="unsubscribegroupstate", group=name, ack_id=number
    )


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
