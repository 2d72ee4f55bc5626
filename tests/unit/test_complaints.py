"""What is said of JSON that is refused: which words there are, and which escape is no character."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import pytest

from tests.unit.api_server import Server
from tocsin.ingest.admission import refused_field
from tocsin.ingest.complaints import why_no_json

Size = Literal["s", "m", "l"]


class Tagged(msgspec.Struct, tag=True):
    """Another Struct that may stand in the same place."""

    style: Literal["thin", "thick"] = "thin"


class Part(msgspec.Struct, rename="camel", tag=True):
    """What has words in every way that is read here."""

    the_size: Size | None = None
    sizes: tuple[Size, ...] = ()
    by_size: Mapping[Size, int] | None = None
    other: "Part | Tagged | None" = None
    named: dict[str, "Part"] = {}
    level: Annotated[Literal[1, 2], msgspec.Meta(description="d")] = 1
    on: Literal[True] | msgspec.UnsetType = msgspec.UNSET
    color: str = ""


SIZES = '"s", "m", "l"'


@pytest.mark.parametrize(
    ("raw", "pointer", "said"),
    [
        ('{"theSize":"xl"}', "/theSize", f"'xl'; one of {SIZES}"),
        ('{"sizes":["s","xl"]}', "/sizes/1", f"'xl'; one of {SIZES}"),
        ('{"bySize":{"xl":1}}', "/bySize", f"'xl'; one of {SIZES}"),
        ('{"named":{"a":{"named":{"b":{"theSize":""}}}}}', "/named/.../named/.../theSize", f"''; one of {SIZES}"),
        ('{"other":{"type":"Tagged","style":"x"}}', "/other/style", """'x'; one of "thin", "thick\""""),
        ('{"level":3}', "/level", "3; one of 1, 2"),
        ('{"on":false}', "/on", "False; one of true"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_told_which_words_there_are(raw: str, pointer: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.json.decode(raw, type=Part)
    error = refused_field(refused.value, kind=Part)
    assert (error.pointer, error.detail) == (pointer, f"Invalid enum value {said}")


def test_what_has_no_words_is_refused_as_ever() -> None:
    for raw, kind in (('{"color":7}', Part), ('{"theSize":"xl"}', None), ("[]", Part)):
        with pytest.raises(msgspec.ValidationError) as refused:
            msgspec.json.decode(raw, type=Part)
        assert "one of" not in refused_field(refused.value, kind=kind).detail


@pytest.mark.parametrize(
    ("said", "half"),
    [
        (r"\ud800", r"\ud800 at byte 1"),
        (r"\uDC00", r"\uDC00 at byte 1"),
        (r"ab\ud800\u0041", r"\ud800 at byte 3"),
        (r"\ud83d\ude00\ude00", r"\ude00 at byte 13"),
        (r"\\\ud800", r"\ud800 at byte 3"),
    ],
)
def test_half_of_a_surrogate_pair_is_named(said: str, half: str) -> None:
    raw = f'"{said}"'.encode()
    with pytest.raises(msgspec.DecodeError) as refused:
        msgspec.json.decode(raw)
    assert why_no_json(raw, refused.value).startswith(f"{half} is half of a surrogate pair")


@pytest.mark.parametrize("said", [r'"\\ud800', r'"\ud83d\ude00', r'"\u00e9', '"', "{"])
def test_what_is_no_json_for_another_reason_is_told_as_ever(said: str) -> None:
    raw = said.encode()
    with pytest.raises(msgspec.DecodeError) as refused:
        msgspec.json.decode(raw)
    assert why_no_json(raw, refused.value) == str(refused.value)


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/v1/alerts", '{"to":{"all":true},"title":"t","severity":"fatal"}', 'one of "info", "success", "warning", "error", "critical"'),
        ("POST", "/v1/alerts", r'{"to":{"all":true},"title":"\ud800"}', r"\ud800 at byte 28"),
        ("POST", "/v1/alerts/batch", r'{"alerts":[{"to":{"all":true},"title":"\ud800"}]}', r"\ud800 at byte 39"),
        ("POST", "/v1/admin/keys", '{"name":"k","role":"owner"}', 'one of "producer", "server", "admin"'),
        ("POST", "/v1/admin/keys", r'{"name":"\ud800"}', r"\ud800 at byte 9"),
        ("POST", "/shims/pagerduty/v2/enqueue", '{"routing_key":"KEY","event_action":"ring"}', 'one of "trigger", "acknowledge", "resolve"'),
    ],
)  # fmt: skip
async def test_every_route_says_so(
    server: Server, method: str, path: str, body: str, said: str
) -> None:
    key: dict[str, Any] = await server.key("admin")
    body = body.replace("KEY", key["authorization"].removeprefix("Bearer "))
    answer = await server.http.request(method, path, content=body, headers=key)
    assert answer.status_code == 400
    assert said in str(answer.json())
