"""Whatever other products send, they are answered, and their keys stay out of the log."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.shim_sender import payload, sending
from tocsin.config import Limits
from tocsin.errors import TocsinError
from tocsin.ingest.admission import decode_alert
from tocsin.ingest.shims.alertmanager import Alertmanager
from tocsin.ingest.shims.gotify import Gotify
from tocsin.ingest.shims.grafana import Grafana
from tocsin.ingest.shims.notice import Incoming, Product, Publish
from tocsin.ingest.shims.ntfy import Ntfy
from tocsin.ingest.shims.pagerduty import PagerDuty

NOW_US = 1_790_000_000_000_000
ALERT_ID = "019e2f6b-0000-7000-8000-000000000000"
PRODUCTS: Sequence[tuple[Product, Any]] = (
    (Alertmanager(), payload("alertmanager")),
    (Grafana(), payload("grafana")),
    (PagerDuty(), payload("pagerduty")),
    (Ntfy(), {"topic": "t", "message": "m", "tags": ["a"], "priority": 3, "delay": "1h"}),
    (Gotify(), {"message": "m", "title": "t", "priority": 3, "extras": {"a": {"b": 1}}}),
)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
WORDS = st.text(max_size=40) | st.sampled_from(
    ("view, a, b; http", "[{}]", "1h 30m", "99999999999", "=?utf-8?b?w6Q=?=", "5", "u=1", "group")
)


def read(product: Product, incoming: Incoming) -> None:
    """Read a request: it makes notices of which an alert can be made, and an answer in JSON, or it is refused."""
    try:
        reading = product.read(incoming)
    except TocsinError as error:
        refusal = product.refused(400, error)
        assert refusal is None or json.loads(refusal)
        return
    json.loads(reading.answer([ALERT_ID]))
    for notice in reading.notices:
        if isinstance(notice, Publish):
            known = {name: value for name, value in notice.fields.items() if name != "deliver_at"}
            raw = msgspec.json.encode({"to": {"users": ["ada"]}, **known})
            decode_alert(raw, Limits(alert_bytes=10_000_000))


def asked(body: bytes, headers: dict[bytes, str], query: dict[str, str]) -> Incoming:
    return Incoming(body, headers.get, query.get, {}, NOW_US)


def planted(value: Any, path: Sequence[int], graft: Any) -> Any:
    """Return ``value`` with ``graft`` in the place that ``path`` leads to."""
    if not path or not isinstance(value, dict | list) or not value:
        return graft
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = keys[path[0] % len(keys)]
    copy = value.copy()
    copy[key] = planted(value[key], path[1:], graft)
    return copy


@pytest.mark.parametrize(("product", "real"), PRODUCTS, ids=lambda one: type(one).__name__)
@given(path=st.lists(st.integers(0, 20), max_size=4), graft=ANY_JSON)
@settings(deadline=None, max_examples=150)
def test_a_payload_with_anything_in_any_place_is_read_or_refused(
    product: Product, real: Any, path: list[int], graft: Any
) -> None:
    body = json.dumps(planted(real, path, graft)).encode()
    read(product, asked(body, {b"content-type": "application/json"}, {}))


@pytest.mark.parametrize(("product", "real"), PRODUCTS, ids=lambda one: type(one).__name__)
@given(
    body=st.binary(max_size=200),
    names=st.dictionaries(
        st.sampled_from(
            ("title", "message", "priority", "actions", "delay", "tags", "auth", "per")
        ),
        WORDS,
    ),
    kind=st.sampled_from(("", "multipart/form-data; boundary=x", "application/json")) | WORDS,
)
@settings(deadline=None, max_examples=100)
def test_any_body_with_any_parameters_is_read_or_refused(
    product: Product, real: Any, body: bytes, names: dict[str, str], kind: str
) -> None:
    del real
    headers = {f"x-{name}".encode(): text for name, text in names.items()}
    for query in ({}, names):
        incoming = asked(body, headers | {b"content-type": kind}, query)
        read(product, incoming)
        with_topic = Incoming(body, incoming.header, incoming.query, {"topic": "t"}, NOW_US)
        read(product, with_topic)


PATHS = ("alertmanager", "grafana", "pagerduty/v2/enqueue", "ntfy/", "ntfy/t", "gotify/message")


@given(
    path=st.sampled_from(PATHS),
    product=st.integers(0, len(PRODUCTS) - 1),
    place=st.lists(st.integers(0, 20), max_size=4),
    graft=ANY_JSON,
)
@settings(deadline=None, max_examples=150)
def test_whatever_comes_is_taken_or_refused_and_never_breaks_the_server(
    path: str, product: int, place: list[int], graft: Any
) -> None:
    async def send() -> int:
        async with sending(users=("ada",)) as sender:
            body = planted(PRODUCTS[product][1], place, graft)
            return (await sender.post(path, content=json.dumps(body).encode())).status_code

    assert asyncio.run(send()) in (200, 202, 400, 413)


@given(
    parts=st.lists(
        st.tuples(st.sampled_from((b"message", b"title", b"priority", b"\xff", b"")), st.binary()),
        max_size=5,
    ),
    junk=st.binary(max_size=30),
)
@settings(deadline=None)
def test_any_form_in_parts_is_read_or_refused(
    parts: list[tuple[bytes, bytes]], junk: bytes
) -> None:
    body = b"".join(
        b'--x\r\ncontent-disposition: form-data; name="%b"\r\n%b\r\n%b\r\n' % (name, junk, value)
        for name, value in parts
    )
    read(Gotify(), asked(body, {b"content-type": "multipart/form-data; boundary=x"}, {}))


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("alertmanager", payload("alertmanager")),
        ("pagerduty/v2/enqueue", payload("pagerduty")),
        ("ntfy/", {"topic": "t"}),
        ("gotify/message", {"message": "m"}),
    ],
)
async def test_a_body_that_is_too_long_is_refused(path: str, body: dict[str, Any]) -> None:
    async with sending(users=("ada",)) as sender:
        more = body | {"padding": "x" * (9 * 2**20), "routing_key": sender.key}
        refused = await sender.post(path, json=more)
        assert refused.status_code == 413


async def test_a_thousand_alerts_and_more_are_taken_in_one_webhook() -> None:
    hook = payload("alertmanager")
    one = hook["alerts"][0]
    hook["alerts"] = [{**one, "fingerprint": f"{number:016x}"} for number in range(1_100)]
    async with sending(users=("ada",)) as sender:
        taken = await sender.post("alertmanager", json=hook)
        assert len(set(taken.json()["alerts"])) == 1_100


async def test_keys_in_addresses_and_bodies_stay_out_of_the_log() -> None:
    async with sending(users=("ada",)) as sender:
        with structlog.testing.capture_logs() as said:
            for path in (f"gotify/message?token={sender.key}", f"ntfy/t?auth={sender.key}"):
                await sender.post(path, content=b"\xff", headers={})
            await sender.post("pagerduty/v2/enqueue", json={"routing_key": sender.key}, headers={})
        assert sender.key not in json.dumps(said, default=str)
