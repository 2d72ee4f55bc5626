"""CloudEvents: the specification's rules case by case, and what an event says as an alert."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.api_server import Server, running
from tocsin.clock import US_PER_S, to_rfc3339
from tocsin.config import Limits
from tocsin.errors import InvalidInputError
from tocsin.ingest.cloudevents import (
    CloudEvent,
    mode_of,
    parse_binary,
    parse_structured,
    split_batch,
)

EVENT: dict[str, Any] = {"specversion": "1.0", "id": "7", "source": "/billing", "type": "paid"}
HEADERS = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/billing", "ce-type": "paid"}
STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


def structured(**members: Any) -> bytes:
    return json.dumps(EVENT | members).encode()


def binary(**headers: str) -> list[tuple[bytes, bytes]]:
    given = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return [(name.encode(), value.encode("latin-1")) for name, value in given.items()]


@pytest.mark.parametrize(
    ("content_type", "mode"),
    [
        ("application/cloudevents+json", "structured"),
        ("Application/CloudEvents+JSON; charset=utf-8", "structured"),
        ("application/cloudevents-batch+json", "batch"),
        ("application/json", "binary"),
        ("", "binary"),
    ],
)
def test_the_content_type_tells_the_mode(content_type: str, mode: str) -> None:
    assert mode_of(content_type) == mode


@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents", "application/cloudevents+avro", "application/cloudevents-batch"],
)
def test_a_format_that_is_not_json_is_refused(content_type: str) -> None:
    with pytest.raises(InvalidInputError, match="none of"):
        mode_of(content_type)


def test_every_kind_of_attribute_is_read() -> None:
    event = parse_structured(
        structured(
            subject="ada", time="2026-01-02T03:04:05.678+01:00", dataschema="https://x.example/s",
            datacontenttype="application/json", flag=True, count=-5, note="ä b", data={"a": 1},
        )
    )  # fmt: skip
    assert event.attributes["flag"] is True
    assert event.attributes["count"] == -5
    assert event.attributes["note"] == "ä b"
    assert event.data == b'{"a": 1}'


@pytest.mark.parametrize("name", ["subject", "time", "datacontenttype", "data_base64", "mine"])
def test_null_is_absent(name: str) -> None:
    event = parse_structured(structured(**{name: None, "data": {}}))
    assert name not in event.attributes
    assert event.data == b"{}"


def test_an_absent_time_stays_absent() -> None:
    assert "time" not in parse_structured(structured()).attributes
    assert "time" not in parse_binary(binary(), b"").attributes


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"id": None}, "/id"),
        ({"id": ""}, "/id"),
        ({"id": 7}, "/id"),
        ({"source": None}, "/source"),
        ({"source": ""}, "/source"),
        ({"source": "two words"}, "/source"),
        ({"source": "/a#b#c"}, "/source"),
        ({"source": "/%zz"}, "/source"),
        ({"type": None}, "/type"),
        ({"type": ""}, "/type"),
        ({"specversion": None}, "/specversion"),
        ({"specversion": "0.3"}, "/specversion"),
        ({"subject": ""}, "/subject"),
        ({"subject": "a\u0007da"}, "/subject"),
        ({"subject": "a\u0085da"}, "/subject"),
        ({"subject": "\ufdd0"}, "/subject"),
        ({"subject": "\U0010ffff"}, "/subject"),
        ({"subject": False}, "/subject"),
        ({"time": "2026-01-02T03:04:05"}, "/time"),
        ({"time": "yesterday"}, "/time"),
        ({"dataschema": "/relative"}, "/dataschema"),
        ({"dataschema": "https://x.example/#part"}, "/dataschema"),
        ({"datacontenttype": "json"}, "/datacontenttype"),
        ({"Upper": "x"}, "/Upper"),
        ({"under_score": "x"}, "/under_score"),
        ({"a/b": "x"}, "/a~1b"),
        ({"mine": {"a": 1}}, "/mine"),
        ({"mine": ["a"]}, "/mine"),
        ({"mine": 1.5}, "/mine"),
        ({"mine": 2**31}, "/mine"),
        ({"data": {}, "data_base64": "e30="}, "/data_base64"),
        ({"data_base64": "e30"}, "/data_base64"),
        ({"data_base64": "e3*0="}, "/data_base64"),
        ({"data_base64": 7}, "/data_base64"),
    ],
)
def test_a_structured_event_that_breaks_a_rule_is_refused_with_its_place(
    members: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_structured(structured(**members))
    assert (refused.value.code, refused.value.pointer) == ("invalid-event", pointer)


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b'{"id":"\xff"}',
        b'{"specversion":"1.0","id":"\\ud800"}',
        b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_structured(raw)
    assert refused.value.code == "invalid-json"


def test_a_batch_may_be_empty_and_is_an_array() -> None:
    assert split_batch(b" [ ] ") == []
    assert split_batch(b"[{},5]") == [b"{}", b"5"]
    with pytest.raises(InvalidInputError):
        split_batch(structured())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%61da", "ada"),
        ("%2541", "%41"),
        ('"two words"', "two words"),
        (r'"a \"quoted\" word"', 'a "quoted" word'),
        ('"%C3%A4"', "ä"),
        ('half"quoted', 'half"quoted'),
        ("old style with spaces", "old style with spaces"),
    ],
)
def test_header_values_are_unquoted_and_then_decoded_once(value: str, text: str) -> None:
    assert parse_binary(binary(ce_subject=value), b"").attributes["subject"] == text


@pytest.mark.parametrize(
    "headers",
    [
        {"ce_subject": "%C0%A0"},  # overlong
        {"ce_subject": "%ED%A0%80"},  # a surrogate
        {"ce_subject": "%FF"},
        {"ce_subject": "%4"},
        {"ce_subject": "100%"},
        {"ce_subject": "%07"},
        {"ce_subject": "b\xfcro"},
        {"ce_subject": ""},
        {"ce_id": ""},
        {"ce_specversion": "0.3"},
        {"ce_datacontenttype": "application/json"},
        {"ce_data": "x"},
        {"ce_data_base64": "x"},
        {"ce_time": "noon"},
        {"content_type": "json"},
    ],
)
def test_a_header_that_breaks_a_rule_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError) as refused:
        parse_binary(binary(**headers), b"{}")
    assert (refused.value.code, refused.value.pointer) == ("invalid-event", None)


def test_a_header_may_come_once() -> None:
    with pytest.raises(InvalidInputError, match="once"):
        parse_binary([*binary(), (b"ce-id", b"8")], b"{}")


def test_the_content_type_of_a_binary_event_is_that_of_its_data() -> None:
    event = parse_binary(binary(content_type="text/plain"), b"hello")
    assert event.attributes["datacontenttype"] == "text/plain"
    assert not event.has_json


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
names = st.sampled_from([*EVENT, "subject", "time", "data", "data_base64"]) | st.text()


def outcome(parse: Callable[[], CloudEvent]) -> CloudEvent | InvalidInputError:
    try:
        return parse()
    except InvalidInputError as refused:
        return refused


@given(st.dictionaries(names, json_values))
def test_an_object_is_an_event_or_is_refused_with_its_place(members: dict[str, Any]) -> None:
    read = outcome(lambda: parse_structured(structured(**members)))
    if isinstance(read, CloudEvent):
        assert all(isinstance(value, str | bool | int) for value in read.attributes.values())
    else:
        assert read.code == "invalid-json" or read.pointer


@given(st.binary(max_size=40))
def test_any_header_value_is_text_or_is_refused(value: bytes) -> None:
    read = outcome(lambda: parse_binary([*binary(), (b"ce-mine", value)], b""))
    if isinstance(read, CloudEvent):
        assert isinstance(read.attributes["mine"], str)
    else:
        assert read.code == "invalid-event"


# Over HTTP


async def send(server: Server, content: bytes, headers: dict[str, str]) -> Any:
    return await server.http.post(
        "/v1/events", content=content, headers={**await server.key(), **headers}
    )


async def only_item(server: Server, user: str = "ada") -> dict[str, Any]:
    await server.worker.step()
    answer = await server.http.get("/v1/inbox/items", headers=await server.token(user))
    [item] = answer.json()["items"]
    alert: dict[str, Any] = item["alert"]
    return alert


@pytest.mark.parametrize("mode", ["structured", "base64", "binary"])
async def test_an_event_becomes_an_alert(server: Server, mode: str) -> None:
    data = {"title": "Paid", "body": "Invoice 7", "url": "/invoices/7", "data": {"n": [7]}}
    if mode == "binary":
        headers = {"ce-subject": "ada", "ce-severity": "success", "content-type": "text/json"}
        answer = await send(server, json.dumps(data).encode(), HEADERS | headers)
    else:
        encoded = base64.b64encode(json.dumps(data).encode()).decode()
        payload = {"data": data} if mode == "structured" else {"data_base64": encoded}
        event = structured(subject="ada", severity="success", **payload)
        answer = await send(server, event, STRUCTURED)
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/alerts/{answer.json()['id']}"
    assert answer.json()["status"] == "accepted"
    alert = await only_item(server)
    assert alert.pop("created_at")
    assert alert == {**data, "source": "/billing", "severity": "success", "category": "paid"}


async def test_what_the_data_says_counts_before_the_attributes(server: Server) -> None:
    data = {"title": "t", "to": {"users": ["ben"]}, "severity": "error", "category": "mine"}
    event = structured(subject="invoice-7", severity="info", data=data)
    assert (await send(server, event, STRUCTURED)).status_code == 202
    alert = await only_item(server, "ben")
    assert (alert["severity"], alert["category"]) == ("error", "mine")


async def test_an_expiry_is_taken_from_the_extension(server: Server) -> None:
    later = to_rfc3339(server.clock.now_us() + 60 * US_PER_S)
    event = structured(subject="ada", expirytime=later, data={"title": "t"})
    assert (await send(server, event, STRUCTURED)).status_code == 202
    assert (await only_item(server))["expires_at"] == later


async def test_source_and_id_make_a_repeat_safe_in_any_mode(server: Server) -> None:
    key = await server.key()
    event = structured(subject="ada", data={"title": "t"})
    first = await server.http.post("/v1/events", content=event, headers=key | STRUCTURED)
    again = await server.http.post(
        "/v1/events", content=b'{"title":"t"}', headers=key | HEADERS | {"ce-subject": "ada"}
    )
    other = await server.http.post(
        "/v1/events",
        content=structured(subject="ada", data={"title": "else"}),
        headers=key | STRUCTURED,
    )
    assert again.json() == {"id": first.json()["id"], "status": "duplicate"}
    assert (other.status_code, other.json()["code"]) == (409, "id-conflict")


@pytest.mark.parametrize(
    ("members", "status", "code", "pointer"),
    [
        ({"data": {"title": "t"}}, 400, "invalid-audience", "/data"),
        ({"subject": "ada"}, 400, "invalid-event", "/data"),
        ({"subject": "ada", "data": '{"title":"t"}'}, 400, "invalid-event", "/data"),
        ({"subject": "ada", "data": [1]}, 400, "invalid-event", "/data"),
        ({"subject": "ada", "data": {}, "datacontenttype": "text/plain"}, 400, "invalid-event", "/data"),
        ({"subject": "ada", "data_base64": "AAAA"}, 400, "invalid-json", "/data_base64"),
        ({"subject": "ada", "data": {"title": "t", "id": "8"}}, 400, "invalid-event", "/data/id"),
        ({"subject": "ada", "data": {"title": ""}}, 400, "invalid-field", "/data/title"),
        ({"subject": "ada", "data": {"body": "b"}}, 400, "invalid-field", "/data"),
        ({"subject": "ada", "data": {"title": "t", "titel": "t"}}, 400, "invalid-field", "/data"),
        ({"subject": "ada", "data": {"title": "t", "url": 5}}, 400, "invalid-field", "/data/url"),
        ({"subject": "ada", "data_base64": "eyJ0aXRsZSI6IiJ9"}, 400, "invalid-field", "/data_base64"),
        ({"subject": "a" * 257, "data": {"title": "t"}}, 400, "invalid-id", "/subject"),
        ({"subject": "ada", "id": "i" * 257, "data": {"title": "t"}}, 400, "invalid-id", "/id"),
        ({"subject": "ada", "severity": "bad", "data": {"title": "t"}}, 400, "invalid-field", "/severity"),
        ({"subject": "ada", "expirytime": "2001-01-01T00:00:00Z", "data": {"title": "t"}}, 400, "invalid-time", "/expirytime"),
        ({"data": {"title": "t", "to": {"users": ["a", ""]}}}, 400, "invalid-id", "/data/to/users/1"),
        ({"subject": "ada", "data": {"title": "t", "data": json.loads("[" * 40 + "]" * 40)}}, 413, "too-deep", "/data/data"),
    ],
)  # fmt: skip
async def test_an_event_that_is_no_alert_is_refused_with_its_place(
    server: Server, members: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    answer = await send(server, structured(**members), STRUCTURED)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem.get("pointer")) == (status, code, pointer)
    assert (await server.store.queue.depth()).waiting == 0


@pytest.mark.parametrize(
    ("body", "headers", "code", "pointer"),
    [
        (b"{", {}, "invalid-json", ""),
        (b'{"title":5}', {"ce-subject": "ada"}, "invalid-field", "/title"),
        (b'{"title":"t"}', {"ce-subject": "ada", "ce-severity": "bad"}, "invalid-field", None),
        (b"hello", {"ce-subject": "ada", "content-type": "text/plain"}, "invalid-event", ""),
        (b'{"title":"t"}', {"ce-id": ""}, "invalid-event", None),
    ],
)
async def test_a_binary_event_that_is_no_alert_is_refused(
    server: Server, body: bytes, headers: dict[str, str], code: str, pointer: str | None
) -> None:
    problem = (await send(server, body, HEADERS | headers)).json()
    assert (problem["code"], problem.get("pointer")) == (code, pointer)


async def test_a_request_without_an_event_is_told_what_to_send(server: Server) -> None:
    answer = await send(server, b'{"title":"t"}', {"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-event")
    assert "ce-specversion" in answer.json()["detail"]


async def test_a_batch_takes_the_good_events_and_refuses_the_bad_in_order(server: Server) -> None:
    good = EVENT | {"subject": "ada", "data": {"title": "t"}}
    events = [good, 5, EVENT | {"type": ""}, good | {"data": {"title": ""}}, good]
    answer = await send(server, json.dumps(events).encode(), BATCH)
    assert answer.status_code == 202
    first, *refused, last = answer.json()["results"]
    assert first["status"] == "accepted"
    assert [one["error"]["pointer"] for one in refused] == ["/1", "/2/type", "/3/data/title"]
    assert last == {"id": first["id"], "status": "duplicate"}


async def test_an_empty_batch_has_no_results(server: Server) -> None:
    answer = await send(server, b"[]", BATCH)
    assert (answer.status_code, answer.json()) == (202, {"results": []})


async def test_a_batch_with_too_many_events_is_refused_whole() -> None:
    async with running(Limits(batch_alerts=1)) as server:
        answer = await send(server, json.dumps([EVENT, EVENT]).encode(), BATCH)
        assert (answer.status_code, answer.json()["code"]) == (413, "batch-too-large")


@pytest.mark.parametrize("mode", ["structured", "binary"])
async def test_an_event_of_64_kib_is_taken(server: Server, mode: str) -> None:
    frame = len(structured(subject="ada", data={"title": "t", "body": "", "data": ""}))
    data = {"title": "t", "body": "b" * 30_000, "data": "d" * (65_536 - frame - 30_000)}
    if mode == "structured":
        event = structured(subject="ada", data=data)
        assert len(event) == 65_536
        answer = await send(server, event, STRUCTURED)
    else:
        answer = await send(server, json.dumps(data).encode(), HEADERS | {"ce-subject": "ada"})
    assert answer.status_code == 202


async def test_publishing_events_needs_a_key(server: Server) -> None:
    answer = await server.http.post("/v1/events", content=structured(), headers=STRUCTURED)
    assert answer.status_code == 401
    token = await server.token("ada")
    answer = await server.http.post("/v1/events", content=structured(), headers=STRUCTURED | token)
    assert (answer.status_code, answer.json()["code"]) == (403, "key-needed")
