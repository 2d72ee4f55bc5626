"""What messages of brokers say as alerts, and what makes two of them one."""

from typing import Any

import msgspec
import pytest

from tocsin.config import Limits, Mapping, Source
from tocsin.errors import ConfigError, ExpiredError, InvalidInputError
from tocsin.ingest.sources.mapping import MessageMapping
from tocsin.ingest.sources.reading import Reading
from tocsin.ingest.sources.template import Filling, Template
from tocsin.model.alert import Audience, Envelope
from tocsin.ports.source import Message
from tocsin.testing import START_US

EVENT = {"specversion": "1.0", "id": "e1", "source": "/shop", "type": "note", "subject": "ada"}
STRUCTURED = "application/cloudevents+json"


def source(**more: Any) -> Source:
    return Source.model_validate({"url": "amqp://broker", "queue": "q", **more})


def read(
    body: object, *, limits: Limits | None = None, settings: Any = None, **more: Any
) -> Envelope:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    reading = Reading("orders", source(**(settings or {})), limits or Limits())
    return reading.read(Message(raw, None, **more), START_US)


def title_of(envelope: Envelope) -> str:
    title: str = msgspec.json.decode(envelope.content)["title"]
    return title


def test_an_alert_is_known_by_its_id_or_else_by_the_message_s() -> None:
    told = read({"to": {"users": ["ada"]}, "title": "t", "id": "a1"}, id="m1")
    assert (told.producer_id, told.source, told.key_id) == ("a1", "orders", "source:orders")
    told = read({"to": {"users": ["ada"]}, "title": "t"}, id="m1")
    assert (told.producer_id, told.source) == ("m1", "")


def test_a_message_without_an_id_is_refused_unless_what_it_says_may_tell() -> None:
    alert = {"to": {"users": ["ada"]}, "title": "t"}
    with pytest.raises(InvalidInputError, match="missing_id") as refused:
        read(alert)
    assert refused.value.code == "invalid-id"
    digest = {"missing_id": "digest"}
    first = read(alert, settings=digest)
    assert first.producer_id == read(alert, settings=digest, headers={"x-death": "1"}).producer_id
    assert first.producer_id != read({**alert, "title": "u"}, settings=digest).producer_id


def test_an_event_is_known_by_its_own_id_and_source() -> None:
    data = {"title": "t"}
    structured = read({**EVENT, "data": data}, content_type=STRUCTURED, id="m1")
    native = {f"cloudEvents:{name}": value for name, value in EVENT.items()}
    encoded = {f"ce-{name}": value for name, value in EVENT.items()}
    for headers in (native, encoded):
        binary = read(data, content_type="application/json", headers=headers)
        assert (binary.source, binary.producer_id) == ("/shop", "e1")
        assert binary.fingerprint == structured.fingerprint
    assert structured.audience == Audience(("ada",))


def test_values_of_amqp_are_not_decoded_and_those_of_http_are() -> None:
    said = {**EVENT, "subject": "a%20b"}
    native = {f"cloudEvents_{name}": value for name, value in said.items()}
    encoded = {f"ce-{name}": value for name, value in said.items()}
    assert read({"title": "t"}, headers=native).audience.users == ("a%20b",)
    assert read({"title": "t"}, headers=encoded).audience.users == ("a b",)


@pytest.mark.parametrize(
    ("body", "more", "code"),
    [
        (b"nonsense", {"id": "1"}, "invalid-json"),
        (b"[]", {"id": "1"}, "invalid-field"),
        ({"title": "t", "to": {}}, {"id": "1"}, "invalid-audience"),
        ({"title": "t", "to": {"users": ["a"]}}, {"id": "x" * 257}, "invalid-id"),
        ([EVENT], {"content_type": "application/cloudevents-batch+json"}, "invalid-event"),
        (EVENT, {"content_type": STRUCTURED}, "invalid-event"),
        ({"title": "t"}, {"headers": {"cloudEvents:id": "1"}}, "invalid-event"),
        (b"x" * 65_537, {"id": "1"}, "alert-too-large"),
    ],
)
def test_what_cannot_be_an_alert_is_refused_with_a_code(body: object, more: Any, code: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read(body, **more)
    assert refused.value.code == code


def test_what_is_over_is_told_apart_from_what_is_wrong() -> None:
    over = {"to": {"users": ["a"]}, "title": "t", "expires_at": "2020-01-01T00:00:00Z"}
    with pytest.raises(ExpiredError):
        read(over, id="1")


# Mappings

MAPPING: dict[str, Any] = {"title": "Order {order.number}", "users": "{order.people}"}
BODY: dict[str, Any] = {
    "order": {"number": 7, "people": ["ada", "bob"], "level": "WARN", "note": None}
}


def mapped(said: object = BODY, /, *, m: str = "m1", headers: Any = None, **more: Any) -> Envelope:
    return read(said, settings={"mapping": {**MAPPING, **more}}, id=m, headers=headers or {})


def test_a_mapping_fills_its_places() -> None:
    told = mapped(
        users=["{order.people}", "root"],
        severity="{order.level}",
        severities={"WARN": "warning"},
        category="{header:Kind}",
        body="{{{order.number}}} for {order.people.0}",
        data="{order}",
        headers={"kind": "sale"},
    )
    assert title_of(told) == "Order 7"
    assert told.audience.users == ("ada", "bob", "root")
    assert (told.severity, told.category) == ("warning", "sale")
    content = msgspec.json.decode(told.content)
    assert (content["body"], content["data"]) == ("{7} for ada", BODY["order"])


def test_an_empty_place_leaves_its_field_out_but_not_a_hole_in_a_text() -> None:
    assert "body" not in msgspec.json.decode(mapped(body="{order.note}").content)
    assert "url" not in msgspec.json.decode(mapped(url="{order.link.to}").content)
    with pytest.raises(InvalidInputError, match=r"\{order.note\}.* is nothing"):
        mapped(body="Note: {order.note}")
    with pytest.raises(InvalidInputError, match="more than one value"):
        mapped(body="For {order.people}")
    with pytest.raises(InvalidInputError, match="category is a list"):
        mapped(category="{order.people}")


def test_the_message_and_not_the_mapping_of_the_day_decides_what_is_a_repeat() -> None:
    before, after = mapped(), mapped(title="{order.number} is sent")
    assert (before.producer_id, before.fingerprint) == (after.producer_id, after.fingerprint)
    assert before.fingerprint != mapped({**BODY, "more": 1}).fingerprint
    assert mapped(m="m2").producer_id == "m2"
    assert mapped({**BODY, "key": 5}, m="m2").producer_id == "m2"


def test_a_mapping_may_name_the_id() -> None:
    settings = {"mapping": {**MAPPING, "id": "sent-{order.number}"}}
    assert read(BODY, settings=settings).producer_id == "sent-7"


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"title": "t"}, "say who gets it"),
        ({"title": "t", "all": True, "users": "a"}, "say who gets it"),
        ({"title": "a } b", "all": True}, "stands alone"),
        ({"title": "a { b", "all": True}, "stands alone"),
        ({"title": "t", "all": True, "data": "{a}{b}"}, "is not one place"),
    ],
)
def test_a_mapping_that_cannot_work_is_named(said: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        MessageMapping(Mapping.model_validate(said))


def test_a_template_that_is_one_place_keeps_the_type() -> None:
    filling = Filling({"a": [1, {"b": 2.5}], "c": True}, {"h": "x"})
    found = [
        Template(text).fill(filling) for text in ("{a.1.b}", "{c}", "{header:H}", "{a.9}", "{}")
    ]
    assert found == [2.5, True, "x", None, filling.json]
    assert Template("{a.1.b} {c}").fill(filling) == "2.5 true"
