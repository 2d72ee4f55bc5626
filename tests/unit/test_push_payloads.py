"""What devices are told: shape, links, and how a long alert is cut."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.model.alert import Action, Content
from tocsin.ports.push import FCM_BYTES, WEB_PUSH_BYTES
from tocsin.push.payloads import (
    KEPT_BODY_BYTES,
    LONGEST_APP_URL,
    TARGET_BYTES,
    Notice,
    fcm_payload,
    fcm_withdrawal,
    web_push_payload,
)

ALERT, ITEM = "01994ea4-0000-7000-8000-000000000001", "01994ea4-0000-7000-8000-000000000002"
APP = "https://app.example/"


def content(**changes: Any) -> Content:
    said = {
        "source": "billing",
        "title": "Invoice 7 was paid",
        "severity": "success",
        "created_at": "2026-11-23T01:00:00.000Z",
    }
    return Content(**(said | changes))


def notice(*, badge: int | None = 3, app_url: str | None = APP, **changes: Any) -> Notice:
    return Notice(
        alert_id=ALERT, tag=ITEM, content=content(**changes), badge=badge, app_url=app_url
    )


def web(one: Notice) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(web_push_payload(one).full)
    return message


def fcm(one: Notice) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(fcm_payload(one))
    return message


def test_a_browser_gets_one_message_that_is_declarative_too() -> None:
    actions = (Action("pay", "Pay", "/pay/7"), Action("no", "Not mine"), Action("more", "More"))
    one = notice(body="In full.", url="/invoices/7", icon="/i.png", actions=actions)
    assert web(one) == {
        "web_push": 8030,
        "notification": {
            "title": "Invoice 7 was paid",
            "body": "In full.",
            "navigate": "https://app.example/invoices/7",
            "tag": ITEM,
            "icon": "https://app.example/i.png",
            "app_badge": "3",
            "dir": "auto",
        },
        "id": ALERT,
        "v": 1,
        "severity": "success",
        "url": "/invoices/7",
        "actions": [
            {"id": "pay", "label": "Pay", "url": "/pay/7"},
            {"id": "no", "label": "Not mine"},
        ],
    }


def test_an_alert_without_an_address_opens_the_app() -> None:
    assert web(notice())["notification"]["navigate"] == APP


def test_without_an_app_a_message_with_nothing_whole_to_open_is_not_declarative() -> None:
    said = web(notice(app_url=None, url="/invoices/7"))
    assert "web_push" not in said
    assert "navigate" not in said["notification"]
    assert said["url"] == "/invoices/7"
    assert web(notice(app_url=None, url="https://pay.example/7"))["web_push"] == 8030


def test_a_link_that_could_run_something_is_left_out_everywhere() -> None:
    bad = "javascript:alert(1)"
    one = notice(url=bad, icon=bad, actions=(Action("a", "A", bad),))
    said = web(one)
    assert said["notification"]["navigate"] == APP
    assert "url" not in said
    assert said["actions"] == [{"id": "a", "label": "A"}]
    assert bad.encode() not in web_push_payload(one).full + fcm_payload(one)


def test_a_link_that_dials_is_the_workers_to_open_and_not_the_browsers() -> None:
    said = web(notice(url="tel:+4912345"))
    assert (said["url"], said["notification"]["navigate"]) == ("tel:+4912345", APP)


def test_firebase_gets_strings_as_data_and_what_both_systems_show() -> None:
    one = notice(body="In full.", url="/invoices/7", actions=(Action("pay", "Pay"),))
    assert fcm(one) == {
        "notification": {"title": "Invoice 7 was paid", "body": "In full."},
        "data": {
            "type": "alert",
            "v": "1",
            "id": ALERT,
            "tag": ITEM,
            "severity": "success",
            "url": "/invoices/7",
            "actions": '[{"id":"pay","label":"Pay"}]',
            "badge": "3",
        },
        "android": {"notification": {"tag": ITEM, "notification_count": 3}},
        "apns": {"payload": {"aps": {"sound": "default", "thread-id": ITEM, "badge": 3}}},
    }
    assert "body" not in fcm(notice())["notification"]


def test_a_withdrawal_shows_nothing() -> None:
    assert json.loads(fcm_withdrawal(ALERT, ITEM, 0)) == {
        "data": {"type": "withdraw", "v": "1", "id": ALERT, "tag": ITEM, "badge": "0"},
        "apns": {"payload": {"aps": {"content-available": 1, "badge": 0}}},
    }
    assert b"badge" not in fcm_withdrawal(ALERT, ITEM)


def test_a_long_body_is_cut_and_says_so() -> None:
    full = web_push_payload(notice(body="word " * 2000)).full
    assert TARGET_BYTES - 10 < len(full) <= TARGET_BYTES
    assert json.loads(full)["notification"]["body"].endswith("\u2026")


def test_a_body_that_just_fits_is_whole() -> None:
    bare = len(web_push_payload(notice(body="")).full)
    fits = "x" * (TARGET_BYTES - bare)
    assert web(notice(body=fits))["notification"]["body"] == fits
    assert web(notice(body=fits + "x"))["notification"]["body"].endswith("\u2026")


def test_what_matters_least_goes_first() -> None:
    path = "/" + "a" * 600
    body = "b" * 1_200
    said = web(notice(body=body, icon=path, url=path))
    assert "icon" not in said["notification"]
    assert said["url"] == path
    assert len(said["notification"]["body"]) >= KEPT_BODY_BYTES - 3
    said = web(notice(body=body, url="/" + "a" * 2000, actions=(Action("pay", "Pay"),)))
    assert "url" not in said
    assert "actions" not in said
    assert said["notification"]["body"] == body


def test_the_least_message_names_the_alert_and_hardly_more() -> None:
    least = web_push_payload(
        notice(title="t" * 500, body="b" * 500, url="/x", actions=(Action("a", "A"),))
    ).least
    said = json.loads(least)
    assert (said["id"], said["web_push"], said["notification"]["tag"]) == (ALERT, 8030, ITEM)
    assert len(said["notification"]["title"]) == 78
    assert said.keys() == {"id", "v", "severity", "notification", "web_push"}
    assert len(least) < 400


@pytest.mark.parametrize(
    "character",
    [
        "e\u0301",
        "\U0001f469\u200d\U0001f4bb",
        "\U0001f44d\U0001f3fd",
        "\u2764\ufe0f",
        "\U0001f1e9\U0001f1ea",
        "\u0b95\u0bbf",
    ],
)
@pytest.mark.parametrize("shift", range(12))
def test_a_composed_character_is_never_cut_in_two(character: str, shift: int) -> None:
    body = "x" * shift + character * 1_000
    kept = web(notice(body=body))["notification"]["body"].removesuffix("\u2026")
    assert len(kept) > 100
    assert (len(kept) - shift) % len(character) == 0


TEXT = st.text(st.characters(codec="utf-8"), max_size=600)
WILD = st.one_of(TEXT, st.text('\x00\x01"\\\u2028\u0301\U0001f1e6\u200d', max_size=3_000))
LINKS = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=2_048),
    st.integers(1, 2_040).map(lambda n: "https://e.example/" + "a" * n),
)
CONTENTS = st.builds(
    content,
    title=st.one_of(TEXT, WILD).map(lambda text: (text or "t")[:512]),
    body=st.one_of(st.none(), WILD, st.integers(0, 32_768).map(lambda n: "b" * n)),
    url=LINKS,
    icon=LINKS,
    severity=st.sampled_from(["info", "success", "warning", "error", "critical"]),
    actions=st.lists(
        st.builds(Action, st.just("a" * 256), TEXT.map(lambda t: (t or "l")[:128]), LINKS),
        max_size=5,
    ).map(tuple),
)
APPS = st.one_of(st.none(), st.just(APP), st.just(APP + "a" * (LONGEST_APP_URL - len(APP))))


@given(CONTENTS, APPS)
def test_whatever_an_alert_says_its_messages_fit_and_can_be_read(
    said: Content, app_url: str | None
) -> None:
    one = Notice(alert_id=ALERT, tag=ITEM, content=said, badge=2**31, app_url=app_url)
    payload = web_push_payload(one)
    for message in (payload.full, payload.least, fcm_payload(one)):
        assert len(message) <= TARGET_BYTES < min(WEB_PUSH_BYTES, FCM_BYTES)
        shown = json.loads(message.decode())["notification"]
        assert shown["title"]
        body = shown.get("body", "")
        if body.endswith("\u2026") and body != said.body:
            assert (said.body or "").startswith(body[:-1])
        else:
            assert body in ("", said.body)
    data = json.loads(fcm_payload(one))["data"]
    assert all(isinstance(value, str) for value in data.values())


@given(st.text(st.characters(codec="utf-8"), min_size=3_000, max_size=3_200))
def test_a_cut_body_begins_as_the_whole_and_ends_before_a_mark(text: str) -> None:
    body = web(notice(body=text))["notification"].get("body", "").removesuffix("\u2026")
    assert text.startswith(body)
    rest = text[len(body) :]
    assert not unicodedata.combining(rest[0]) or unicodedata.combining(text[0])
