"""What event handlers are sent, what their answers mean, and which of them is asked; without any network."""

import hashlib
import hmac

import pytest

from tests.unit.scripted_outbound import ScriptedOutbound
from tocsin.errors import InvalidInputError
from tocsin.events.cloud_events import (
    Event,
    event_headers,
    read_connect_answer,
    read_event_answer,
    sign,
    state_of,
    user_event,
)
from tocsin.events.cookies import Cookies
from tocsin.events.rules import Rule
from tocsin.events.validation import Validation, Validator
from tocsin.model.data_type import DataType
from tocsin.model.event_handler import EventHandler, check_template
from tocsin.ports.event_handlers import Client, Rejection, Reply, Trouble, UserEvent, Welcome
from tocsin.ports.outbound import Answer, Failed
from tocsin.supervisor import Supervisor
from tocsin.testing import ManualClock

ALLOWED = Answer(200, (("webhook-allowed-origin", "*"),))


def handler(**fields: object) -> EventHandler:
    given = {"id": "e", "hub": "chat", "url": "https://a.example/", **fields}
    return EventHandler(**given)  # type: ignore[arg-type]


def rule(**fields: object) -> Rule:
    kept = handler(**fields)
    validator = Validator(ScriptedOutbound(), "me.example", ManualClock(), Supervisor(), 10)
    return Rule(kept, kept.user_event_names(), (), Validation(validator, kept.url))


@pytest.mark.parametrize(
    ("pattern", "name", "takes"),
    [
        ("*", "any", True),
        ("", "any", False),
        ("a, B", "b", True),
        ("a,b", "A", True),
        ("a,b", "ab", False),
        ("a,*", "c", True),
    ],
)
def test_user_events_are_matched_by_name_without_case(pattern: str, name: str, takes: bool) -> None:
    assert rule(user_events=pattern).takes(name, system=False) is takes


def test_system_and_user_events_of_one_name_are_not_confused() -> None:
    assert not rule(user_events="*").takes("connect", system=True)
    assert not rule(system_events=("connect",)).takes("connect", system=False)


def test_hub_and_event_are_filled_in_and_can_leave_no_segment() -> None:
    template = handler(hub="a[b]", url="https://a.example/{hub}?event={event}")
    assert template.address("x.y") == "https://a.example/a%5Bb%5D?event=x.y"
    with pytest.raises(InvalidInputError):
        check_template("https://{hub}.example/")


def test_empty_headers_are_left_out_and_metadata_is_added() -> None:
    event = Event("order", system=False, content_type="text/plain", body=b"", metadata={"k": "v"})
    headers = dict(
        event_headers(event, Client("h", "c"), number=0, time="t", signature="s", state="")
    )
    assert headers["ce-id"] == "0"
    assert headers["ce-type"] == "azure.webpubsub.user.order"
    assert headers["X-WebPubSub-Metadata-k"] == "v"
    assert {"ce-userId", "ce-subprotocol", "ce-connectionState"}.isdisjoint(headers)


def test_each_key_signs_the_connection_id_the_primary_first() -> None:
    digests = [hmac.new(key, b"c-1", hashlib.sha256).hexdigest() for key in (b"p", b"s")]
    assert sign([b"p", b"s"], "c-1") == f"sha256={digests[0]},sha256={digests[1]}"


@pytest.mark.parametrize(
    ("data_type", "content_type", "data"),
    [
        ("text", "text/plain", b"1"),
        ("json", "application/json", b"1"),
        ("binary", "application/octet-stream", b"\xff"),
        ("protobuf", "application/x-protobuf", b"\x0a\x01a"),
    ],
)
def test_content_types_go_there_and_back(
    data_type: DataType, content_type: str, data: bytes
) -> None:
    event = user_event(UserEvent("e", data_type, data))
    assert event.content_type.partition(";")[0] == content_type
    answer = Answer(200, (("content-type", f"{content_type.upper()}; x=y"),), data)
    assert read_event_answer(answer) == Reply(data_type, data)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_success_without_a_body_has_nothing_to_say(status: int) -> None:
    assert read_event_answer(Answer(status)) == Reply()
    assert read_connect_answer(Answer(status)) == Welcome()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(302),
        Answer(400),
        Answer(500),
        Answer(200, (), b"untyped"),
        Answer(200, (("content-type", "application/json"),), b"[" * 100_000),
        Answer(200, (("content-type", "text/plain"),), b"\xff"),
    ],
    ids=["redirect", "refused", "failed", "untyped", "deep", "no UTF-8"],
)
def test_what_is_no_answer_to_an_event_is_trouble(answer: Answer) -> None:
    assert isinstance(read_event_answer(answer), Trouble)


def test_a_refusal_says_at_most_500_printable_characters() -> None:
    answer = read_connect_answer(Answer(403, (), b"\x1b[1mno\n" + b"x" * 1000))
    assert isinstance(answer, Rejection)
    assert (answer.status, answer.reason[:6], len(answer.reason)) == (403, "[1mnox", 498)


def test_unknown_fields_of_an_answer_to_connect_are_skipped() -> None:
    body = b'{"userId":"","groups":null,"roles":[],"subprotocol":null,"mqtt":{}}'
    assert read_connect_answer(Answer(200, (), body)) == Welcome(roles=())


def test_a_state_that_no_header_could_carry_back_is_not_taken() -> None:
    assert state_of(Answer(200, (("ce-connectionstate", "e30="),))) == "e30="
    assert state_of(Answer(200, (("ce-connectionstate", ""),))) == ""
    assert state_of(Answer(200, (("ce-connectionstate", "\u00e9"),))) is None
    assert state_of(Answer(200)) is None


def test_cookies_go_back_to_their_origin_and_nowhere_else() -> None:
    cookies = Cookies()
    fields = (("set-cookie", "a=1; Path=/x; Secure"), ("set-cookie", "b=2"), ("set-cookie", "bad"))
    cookies.take("https://one.example/a", Answer(200, fields))
    assert cookies.headers("https://ONE.example/other") == [("Cookie", "a=1; b=2")]
    assert cookies.headers("https://two.example/a") == []
    assert cookies.headers("http://one.example/a") == []


def test_a_cookie_is_replaced_and_an_empty_one_is_forgotten() -> None:
    cookies, url = Cookies(), "https://one.example/"
    for value in ("1", "2"):
        cookies.take(url, Answer(200, (("set-cookie", f"a={value}"),)))
    assert cookies.headers(url) == [("Cookie", "a=2")]
    cookies.take(url, Answer(200, (("set-cookie", "a=; Max-Age=0"),)))
    assert cookies.headers(url) == []


def test_cookies_are_bounded() -> None:
    cookies, url = Cookies(), "https://one.example/"
    cookies.take(url, Answer(200, (("set-cookie", f"big={'x' * 5000}"),)))
    assert cookies.headers(url) == []
    for number in range(40):
        cookies.take(url, Answer(200, (("set-cookie", f"c{number}=1"),)))
    [(_, header)] = cookies.headers(url)
    assert header.count("=") == 16


class Asking:
    """A handler that is asked, at a time that is turned by hand."""

    def __init__(self, *outcomes: Answer | Failed) -> None:
        self.outbound, self.clock = ScriptedOutbound(*outcomes), ManualClock()
        self.supervisor = Supervisor()
        validator = Validator(self.outbound, "me.example", self.clock, self.supervisor, 10)
        self.validation = Validation(validator, "https://a.example/validate")

    async def settled(self) -> str | None:
        """Let what goes on in the background end, and say what is known then."""
        for task in tuple(self.supervisor._tasks):
            await task
        return await self.validation.trouble()


async def test_agreement_is_asked_for_once_a_minute_and_without_waiting() -> None:
    asking = Asking(ALLOWED, Answer(403))
    assert await asking.validation.trouble() is None
    asking.clock.advance(59)
    assert await asking.validation.trouble() is None
    assert len(asking.outbound.calls) == 1
    asking.clock.advance(2)
    assert await asking.validation.trouble() is None
    assert "403" in (await asking.settled() or "")
    assert len(asking.outbound.calls) == 2


async def test_a_refusal_is_believed_for_five_seconds() -> None:
    asking = Asking(Failed("unreachable", "down"), ALLOWED)
    assert "down" in (await asking.validation.trouble() or "")
    asking.clock.advance(4)
    assert await asking.validation.trouble() is not None
    assert len(asking.outbound.calls) == 1
    asking.clock.advance(2)
    assert await asking.validation.trouble() is None


async def test_who_asks_by_hand_is_not_told_what_was_known_before() -> None:
    asking = Asking(ALLOWED, Answer(500))
    assert await asking.validation.again() is None
    assert await asking.validation.again() is not None
