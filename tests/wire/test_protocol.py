"""Golden frames of the Web PubSub JSON protocols, and what is no request."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.client_frames import client_frame
from tests.wire.client_requests import KINDS, in_json, requests
from tocsin.realtime.dialects import JSON, PLAIN, RELIABLE_JSON, choose_dialect
from tocsin.realtime.frames import TEXT, FrameReader
from tocsin.realtime.json_codec import JSON_CODEC
from tocsin.realtime.message import (
    DataType,
    Message,
    StateItem,
    States,
    StreamFault,
    StreamMark,
)
from tocsin.realtime.request import AckError, MalformedError


def payloads(wire: bytes) -> list[str]:
    """Return the texts of server frames, by masking them as a client would."""
    found = []
    while wire:
        size, start = wire[1], 2
        if size == 126:
            size, start = int.from_bytes(wire[2:4]), 4
        assert wire[0] == 0x81
        found.append(wire[start : start + size].decode())
        wire = wire[start + size :]
    return found


def test_system_messages_are_as_documented() -> None:
    assert payloads(JSON_CODEC.connected("c-8f2", "u1", "opaque")) == [
        '{"type":"system","event":"connected","userId":"u1","connectionId":"c-8f2","reconnectionToken":"opaque"}'
    ]
    assert payloads(JSON_CODEC.connected("c-8f2", None, None)) == [
        '{"type":"system","event":"connected","userId":"","connectionId":"c-8f2"}'
    ]
    assert payloads(JSON_CODEC.disconnected("drill")) == [
        '{"type":"system","event":"disconnected","message":"drill"}'
    ]
    assert payloads(JSON_CODEC.pong) == ['{"type":"pong"}']


def test_acks_are_as_documented() -> None:
    assert payloads(JSON_CODEC.ack(1)) == ['{"type":"ack","ackId":1,"success":true}']
    text = "The client does not have permission to send to group 'ops'."
    assert payloads(JSON_CODEC.ack(3, AckError("Forbidden", text))) == [
        '{"type":"ack","ackId":3,"success":false,"error":{"name":"Forbidden","message":"'
        + text
        + '"}}'
    ]
    assert payloads(JSON_CODEC.invocation_failed("1", AckError("NotFound", "no handler"))) == [
        '{"type":"invokeResponse","invocationId":"1","success":false,"error":{"name":"NotFound","message":"no handler"}}'
    ]
    answers: list[tuple[DataType | None, bytes, str]] = [
        ("json", b'{"r": 1}', ',"dataType":"json","data":{"r": 1}'),
        ("text", b'a"', ',"dataType":"text","data":"a\\""'),
        ("binary", b"\1\2", ',"dataType":"binary","data":"AQI="'),
        (None, b"", ""),
    ]
    for data_type, data, told in answers:
        assert payloads(JSON_CODEC.invocation_answered("1", data_type, data)) == [
            '{"type":"invokeResponse","invocationId":"1","success":true' + told + "}"
        ]


def test_streams_are_as_documented() -> None:
    assert payloads(JSON_CODEC.stream_acked("s1", 2)) == [
        '{"type":"streamAck","streamId":"s1","expectedSequenceId":2}'
    ]
    error = AckError("InvalidSequenceId", "gap")
    assert payloads(JSON_CODEC.stream_refused("s1", 2, error)) == [
        '{"type":"streamNack","streamId":"s1","expectedSequenceId":2,"name":"InvalidSequenceId","message":"gap"}'
    ]
    assert payloads(JSON_CODEC.stream_closed("s1", None)) == [
        '{"type":"streamClosed","streamId":"s1"}'
    ]
    assert payloads(JSON_CODEC.stream_closed("s1", StreamFault("IdleTimeout", "idle"))) == [
        '{"type":"streamClosed","streamId":"s1","error":{"name":"IdleTimeout","message":"idle"}}'
    ]
    part = Message(b"part", data_type="text", group="ops", stream=StreamMark("s1", 1))
    told = (
        '{"type":"message","from":"group","group":"ops","stream":{"streamId":"s1","streamSequenceId":1},'
        '"dataType":"text","data":"part","sequenceId":9}'
    )
    assert payloads(RELIABLE_JSON.encode([part], 9)) == [told]
    mark = StreamMark("s1", 2, ended=True, fault=StreamFault("UserError", "boom", "app"))
    end = Message(b"", data_type="text", group="ops", stream=mark)
    assert json.loads(payloads(JSON.encode([end], 9))[0])["stream"] == {
        "streamId": "s1",
        "streamSequenceId": 2,
        "endOfStream": True,
        "error": {"name": "UserError", "message": "boom", "userErrorCode": "app"},
    }


def test_group_states_are_as_documented() -> None:
    items = (StateItem("c1", "u1", {"at": "desk"}, 5), StateItem("c2", None, None, 6))
    changed = Message.telling(States(items, whole=False), "ops")
    told = (
        '{"type":"groupStateUpdate","group":"ops","items":['
        '{"connectionId":"c1","userId":"u1","state":{"at":"desk"},"updatedAt":5},'
        '{"connectionId":"c2","updatedAt":6}],"sequenceId":3}'
    )
    assert payloads(RELIABLE_JSON.encode([changed], 3)) == [told]
    whole = Message.telling(States((), whole=True), "ops")
    assert payloads(JSON.encode([whole], 3)) == [
        '{"type":"groupStateSnapshot","group":"ops","items":[]}'
    ]


def test_data_messages_keep_the_documented_order_and_the_original_bytes() -> None:
    message = Message(b'{"message": "Hello"}')
    assert payloads(PLAIN.encode([message], 7)) == ['{"message": "Hello"}']
    assert payloads(JSON.encode([message], 7)) == [
        '{"type":"message","from":"server","dataType":"json","data":{"message": "Hello"}}'
    ]
    assert payloads(RELIABLE_JSON.encode([message], 7)) == [
        '{"type":"message","from":"server","dataType":"json","data":{"message": "Hello"},"sequenceId":7}'
    ]


@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=3), st.integers(1, 10**12))
def test_several_messages_are_whole_frames_with_rising_ids(sizes: list[int], first: int) -> None:
    messages = [Message(json.dumps("x" * (size % 3000)).encode()) for size in sizes]
    texts = payloads(RELIABLE_JSON.encode(messages, first))
    assert [json.loads(text)["sequenceId"] for text in texts] == [
        first + i for i in range(len(messages))
    ]


def test_encoding_again_with_another_id_is_not_confused() -> None:
    message = Message(b"1")
    for sequence_id in (9, 10, 9, 99, 100):
        (text,) = payloads(RELIABLE_JSON.encode([message], sequence_id))
        assert json.loads(text)["sequenceId"] == sequence_id


def test_first_known_subprotocol_is_chosen_and_echoed_as_written() -> None:
    assert choose_dialect(["x", "JSON.WebPubSub.azure.v1", "json.reliable.webpubsub.azure.v1"]) == (
        JSON,
        "JSON.WebPubSub.azure.v1",
    )
    assert choose_dialect(["json.reliable.webpubsub.azure.v1"])[0] is RELIABLE_JSON
    assert choose_dialect(["mqtt"]) == (PLAIN, None)
    assert choose_dialect([]) == (PLAIN, None)


def test_request_types_are_compared_without_case_and_unknown_fields_skipped() -> None:
    request = JSON_CODEC.parse(b'{"Type":1,"type":"SequenceAck","sequenceId":12,"extra":{"a":[1]}}')
    assert (request.type, request.sequence_id) == ("sequenceack", 12)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=30)
@given(data=st.data())
def test_what_a_client_writes_is_read_with_the_same_fields(kind: str, data: st.DataObject) -> None:
    request = data.draw(requests(kind))
    assert JSON_CODEC.parse(in_json(kind, request)) == request


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"type":1}',
        b'{"type":"ping"',
        b'{"type":"event","ackId":-1}',
        b'{"type":"event","ackId":18446744073709551616}',
        b'{"type":"event","ackId":"1"}',
        b'{"type":"event","data":' + b"[" * 100_000,
        b'{"type":"event","data":' + b"[" * 5_000 + b"]" * 5_000 + b"}]",
    ],
)
def test_what_is_no_request_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedError):
        JSON_CODEC.parse(text)


@given(st.binary(max_size=200))
def test_noise_is_a_request_or_malformed(noise: bytes) -> None:
    for opcode, payload in FrameReader(1000).feed(client_frame(TEXT, noise)):
        assert opcode == TEXT
        with contextlib.suppress(MalformedError):
            JSON_CODEC.parse(payload)
