"""Many rows in one statement: each parameter is an array of all its values, which ``unnest`` makes rows of again.

For the server one statement is cheaper than one for each row, and so it is here if the arrays are packed at once: psycopg
packs them value by value.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, repeat
from struct import Struct, pack
from typing import Any, ClassVar, Final, NamedTuple

from psycopg.adapt import Dumper
from psycopg.pq import Format

from tocsin.adapters.postgres.text import compiled, text_of
from tocsin.adapters.sql.store.text import Statement

_HEAD: Final = Struct(
    "!iiIii"
)  # dimensions, whether there are NULLs, type, how many, number of the first
_SIZE: Final = Struct("!i").pack
_NULL: Final = _SIZE(-1)
_PARAMETER: Final = re.compile(r"%\((\w+)\)s")
_INSERT: Final = re.compile(
    r"(?P<into>INSERT INTO .*?\)) (?:VALUES \((?P<values>.*)\)|SELECT (?P<found>.*?))"
    r"(?P<rest>\s+(?:ON CONFLICT|RETURNING) .*)?",
    re.DOTALL,
)
_CHANGE: Final = re.compile(
    r"(?P<what>(?P<verb>UPDATE|DELETE) .*?)\s+WHERE (?P<where>.*)", re.DOTALL
)


class Column(list[Any]):
    """All values of one parameter, with NULL as None."""

    type: ClassVar[str]


class Numbers(Column):
    """Whole numbers."""

    type = "bigint"


class Texts(Column):
    """Texts."""

    type = "text"


class Blobs(Column):
    """Bytes."""

    type = "bytea"


_KINDS: Final[Mapping[type, type[Column]]] = {int: Numbers, str: Texts, bytes: Blobs}


class Many(NamedTuple):
    """A statement over rows, and the columns that it takes."""

    query: bytes
    kinds: Mapping[str, type[Column]]

    def columns(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
        """Turn rows into columns."""
        return {name: kind([row[name] for row in rows]) for name, kind in self.kinds.items()}


def many(statement: Statement) -> Many:
    """Return what does for many rows at once what a statement does for one; no two of them may change the same row.

    Raises:
        ValueError: it neither inserts nor changes rows that it names.
    """
    return _many(statement)


@cache
def _many(statement: Statement) -> Many:
    text = text_of(statement)
    kinds = {
        name: _KINDS[bound.type.python_type]
        for name, bound in compiled(statement.clause).binds.items()
    }
    names = ", ".join(f'"{name}"' for name in kinds)
    arrays = ", ".join(f"%({name})s::{kind.type}[]" for name, kind in kinds.items())
    return Many(
        _over(_PARAMETER.sub(r'given."\1"', text), f"unnest({arrays}) AS given ({names})").encode(),
        kinds,
    )


def _over(text: str, rows: str) -> str:
    insert = _INSERT.fullmatch(text)
    if insert is not None:
        # One after another, so that what the database counts is counted in the order of the rows.
        made = f"{rows} CROSS JOIN LATERAL (SELECT {insert['values'] or insert['found']}) AS made"
        return f"{insert['into']} SELECT made.* FROM {made}{insert['rest'] or ''}"  # noqa: S608 -- parts of SQLAlchemy's making
    change = _CHANGE.fullmatch(text)
    if change is None:
        msg = f"this is not for many rows: {text}"
        raise ValueError(msg)
    means = "FROM" if change["verb"] == "UPDATE" else "USING"
    return f"{change['what']} {means} {rows} WHERE {change['where']}"


def _array(type_: int, values: Column, packed: Callable[[Iterable[Any]], bytes]) -> bytes:
    """Write what ``array_recv`` reads: a head, and then each value behind its size."""
    if None in values:
        body = b"".join([_NULL if one is None else packed((one,)) for one in values])
        return _HEAD.pack(1, 1, type_, len(values), 1) + body
    return _HEAD.pack(1, 0, type_, len(values), 1) + packed(values)


def _packed_numbers(values: Iterable[int]) -> bytes:
    sized = list(chain.from_iterable(zip(repeat(8), values, strict=False)))
    return pack("!" + "iq" * (len(sized) // 2), *sized)


def _packed_bytes(values: Iterable[bytes]) -> bytes:
    return b"".join([_SIZE(len(one)) + one for one in values])


def _packed_texts(values: Iterable[str]) -> bytes:
    return _packed_bytes(map(str.encode, values))


class _NumbersDumper(Dumper):
    format, oid = Format.BINARY, 1016  # of pg_type, as are those below

    def dump(self, obj: Numbers) -> bytes:
        return _array(20, obj, _packed_numbers)


class _TextsDumper(Dumper):
    format, oid = Format.BINARY, 1009

    def dump(self, obj: Texts) -> bytes:
        return _array(25, obj, _packed_texts)


class _BlobsDumper(Dumper):
    format, oid = Format.BINARY, 1001

    def dump(self, obj: Blobs) -> bytes:
        return _array(17, obj, _packed_bytes)


DUMPERS: Final[Mapping[type[Column], type[Dumper]]] = {
    Numbers: _NumbersDumper,
    Texts: _TextsDumper,
    Blobs: _BlobsDumper,
}
