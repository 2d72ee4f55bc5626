"""Pages of a list: how long they are, and where the next one begins."""

from collections.abc import Mapping, Sequence

import msgspec

from tocsin.api.http import Request, Response
from tocsin.errors import InvalidInputError

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def limit_of(request: Request) -> int:
    """Return the query parameter ``limit``.

    Raises:
        InvalidInputError: It is no number, or out of range.
    """
    text = request.query("limit")
    limit = DEFAULT_LIMIT if text is None else integer(text, "limit")
    if not 1 <= limit <= MAX_LIMIT:
        detail = f"limit is {limit}; 1 to {MAX_LIMIT} are allowed"
        raise InvalidInputError(detail, code="invalid-query")
    return limit


def cursor_of(request: Request) -> tuple[int, str] | None:
    """Return the query parameter ``cursor``: the number and id to stay below.

    Raises:
        InvalidInputError: It is none that an answer gave.
    """
    text = request.query("cursor")
    if text is None:
        return None
    number, _, row_id = text.partition(":")
    return integer(number, "cursor"), row_id


def cursor_text(cursor: tuple[int, str] | None) -> str | None:
    """Return a cursor as answers write it."""
    return None if cursor is None else f"{cursor[0]}:{cursor[1]}"


def newest_page(
    name: str, rows: Sequence[object], places: Sequence[tuple[int, str]], limit: int
) -> Response:
    """Answer a page of a list by time, from up to ``limit + 1`` rows; the next begins below the last one's place."""
    following = cursor_text(places[limit - 1]) if len(rows) > limit else None
    answer = {name: rows[:limit], "page": {"next": following}}
    return Response(200, msgspec.json.encode(answer))


def name_after(request: Request) -> str:
    """Return the query parameter ``cursor`` of a list by name: the name to go on after; empty for the first page."""
    return request.query("cursor") or ""


def name_page(
    name: str, key: str, rows: Sequence[Mapping[str, object]], limit: int, **more: object
) -> Response:
    """Answer a page of a list by name, from up to ``limit + 1`` rows; the next begins after the last ``key``."""
    page = rows[:limit]
    following = page[-1][key] if len(rows) > limit else None
    return Response(200, msgspec.json.encode({name: page, "page": {"next": following}, **more}))


def integer(text: str, name: str) -> int:
    """Read an integer of a query.

    Raises:
        InvalidInputError: It is none, or longer than any number this API gives out.
    """
    if not (text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 17):  # noqa: PLR2004 -- below 2**53
        detail = f"{name} {text[:40]!r} is not an integer"
        raise InvalidInputError(detail, code="invalid-query")
    return int(text)
