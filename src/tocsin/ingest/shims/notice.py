"""What other products say, in words that all shims share.

A shim is pure: an :class:`Incoming` request becomes notices, which ``ingest/episodes.py`` carries out.  To add a product
write a file beside these that keeps :class:`Product`, and give it a route in ``api/shims.py``.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from tocsin.errors import InvalidInputError, TocsinError
from tocsin.ingest.admission import refused_field
from tocsin.ingest.complaints import why_no_json
from tocsin.model.alert import Severity

T = TypeVar("T")
Fields = dict[str, object]

MESSAGE_BYTES: Final = 524_288  # PagerDuty's own limit

_TITLE_CHARS: Final = 512
_BODY_CHARS: Final = 32_768
_LINK_CHARS: Final = 2_048
_ID_CHARS: Final = 256
_LABEL_CHARS: Final = 80
_LISTED: Final = 1_000

SEVERITIES: Final[Mapping[str, Severity]] = {
    **dict.fromkeys(
        ("critical", "crit", "fatal", "emergency", "disaster", "page", "p1"), "critical"
    ),
    **dict.fromkeys(("error", "err", "high", "major", "p2"), "error"),
    **dict.fromkeys(("warning", "warn", "average", "medium", "minor", "p3"), "warning"),
    **dict.fromkeys(
        ("info", "information", "informational", "notice", "low", "none", "debug", "p4", "p5"),
        "info",
    ),
    **dict.fromkeys(("ok", "success", "resolved"), "success"),
}


class Incoming(msgspec.Struct, frozen=True):
    """A request of another product; ``header`` (lower-case name) and ``query`` answer None for what is not there."""

    body: bytes
    header: Callable[[bytes], str | None]
    query: Callable[[str], str | None]
    params: Mapping[str, str]
    now_us: int


class Destination(msgspec.Struct, frozen=True):
    """Who a notice is for, as far as somebody said so; false if nobody did."""

    users: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    all: bool = False

    def __bool__(self) -> bool:
        return bool(self.users or self.topics or self.all)

    def audience(self) -> Fields:
        """Return it as the ``to`` of an alert."""
        said = {"users": self.users, "topics": self.topics, "all": self.all}
        return {name: value for name, value in said.items() if value}


class Publish(msgspec.Struct, frozen=True):
    """Publish ``fields``, those of ``POST /v1/alerts``, ``to`` whom the payload names, if it names anybody.

    ``thread`` is what they are about: an unread alert of the same thread is replaced in place, and the same content is
    published once per ``episode`` of it.  An episode lasts until it is withdrawn; None is the one that is open.  Without
    a thread each request is an alert of its own.  ``aside`` says something about the last alert of the thread, and is
    for nobody if that does not stand any more.
    """

    fields: Fields
    to: Destination = Destination()
    thread: str | None = None
    episode: str | None = None
    aside: bool = False


class Withdraw(msgspec.Struct, frozen=True):
    """Take back what was published in an episode of a thread; None is the last one."""

    thread: str
    episode: str | None = None


Notice = Publish | Withdraw


class Reading(msgspec.Struct, frozen=True):
    """What a request says, and the JSON by which its sender knows that it was taken.

    ``answer`` is given the ids of the alerts that the notices published.
    """

    notices: Sequence[Notice]
    answer: Callable[[Sequence[str]], bytes]


class Product(Protocol):
    """One product's way of publishing.

    ``key_in_body``: the body has to be read before it is known who sends it.  ``most_bytes``: how long a body may be;
    None for as long as a batch.
    """

    key_in_body: ClassVar[bool]
    most_bytes: ClassVar[int | None]

    def key(self, incoming: Incoming) -> str | None:
        """Return the API key, or what an ``Authorization`` header would say, from where only this product has it.

        Raises:
            InvalidInputError: It is in the body, and that cannot be read.
        """
        ...

    def read(self, incoming: Incoming) -> Reading:
        """Read a request.

        Raises:
            InvalidInputError: It is not in the product's format.
        """
        ...

    def refused(self, status: int, error: TocsinError) -> bytes | None:
        """Return the JSON in which the product expects a refusal; None for a problem document."""
        ...


def thread_of(*parts: str) -> str:
    """Return one id for what ``parts`` name together, whatever their length and characters."""
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


def read_json(decoder: msgspec.json.Decoder[T], raw: bytes) -> T:
    """Read a payload.

    Raises:
        InvalidInputError: It is no JSON, or not of the product's shape; the pointer tells where.
    """
    try:
        raw.decode()
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise refused_field(error, kind=decoder.type) from error
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        detail = f"the body is not JSON in UTF-8: {why_no_json(raw, error)}"
        raise InvalidInputError(detail, code="invalid-json") from error


def choice(incoming: Incoming, name: str, *allowed: str) -> str:
    """Return a query parameter that is one of a few words; the first is the default.

    Raises:
        InvalidInputError: It is another word.
    """
    word = incoming.query(name) or allowed[0]
    if word not in allowed:
        detail = f"{name} is {word!r:.40}; use {' or '.join(allowed)}"
        raise InvalidInputError(detail, code="invalid-query")
    return word


def destination(get: Callable[[str], str | None], prefix: str) -> Destination:
    """Return whom ``PREFIX_users`` and ``PREFIX_topics`` name, each a list with commas."""
    users, topics = (_listed(get(f"{prefix}_{kind}")) for kind in ("users", "topics"))
    return Destination(users, topics)


def destination_of_url(incoming: Incoming) -> Destination:
    """Return whom the URL names: ``?to_users=``, ``?to_topics=`` or ``?to_all=true``.

    Raises:
        InvalidInputError: ``to_all`` is another word than true and false.
    """
    named = destination(incoming.query, "to")
    return replace(named, all=choice(incoming, "to_all", "false", "true") == "true")


def severity_of(word: str | None, default: Severity = "warning") -> Severity:
    """Return the severity that a product's word for it means."""
    return SEVERITIES.get((word or "").strip().lower(), default)


def alert_fields(
    *,
    title: str,
    body: str | None = None,
    severity: Severity,
    category: str | None = None,
    url: str | None = None,
    icon: str | None = None,
    actions: Sequence[tuple[str, str, str | None]] = (),
    data: object = None,
) -> Fields:
    """Return the fields of an alert; what is too long is cut, with an ellipsis, and a link that is too long left out.

    ``actions`` are id, label and URL of each; the first five with a URL are kept.  A title of white space becomes the
    first line of the body.
    """
    title, body = headline(title, body)
    kept = [action for action in actions if link(action[2])][:5]
    fields: Fields = {
        "title": clip(title, _TITLE_CHARS),
        "severity": severity,
        "body": clip(body, _BODY_CHARS) if body else None,
        "category": _id(category),
        "url": link(url),
        "icon": link(icon),
        "actions": [
            {"id": name, "label": clip(label, _LABEL_CHARS), "url": url}
            for name, label, url in kept
        ],
        "data": data,
    }
    return {name: value for name, value in fields.items() if value}


def headline(title: str | None, body: str | None) -> tuple[str, str | None]:
    """Return a title and what is left to say; without a title the first line of the body is it."""
    title, body = (title or "").strip(), (body or "").strip() or None
    if title:
        return title, body
    if body is None:
        return "Alert", None
    first, _, rest = body.partition("\n")
    whole = not rest and len(first) <= _TITLE_CHARS
    return first, None if whole else body


def clip(text: str, chars: int) -> str:
    """Return ``text``, cut to ``chars`` characters with an ellipsis as the last."""
    return text if len(text) <= chars else text[: chars - 1] + "…"


def link(url: str | None) -> str | None:
    """Return a link that an alert may carry, or None."""
    return url if url and len(url) <= _LINK_CHARS else None


def _id(text: str | None) -> str | None:
    """Make a category of ``text``: without control characters, and not too long."""
    printable = "".join(char for char in text or "" if char.isprintable())
    return printable[:_ID_CHARS] or None


def _listed(text: str | None) -> tuple[str, ...]:
    names = (part.strip() for part in (text or "").split(",", _LISTED))
    return tuple(name for name in names if name)
