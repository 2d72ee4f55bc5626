"""What SQLite and PostgreSQL say differently: each is one expression here, and text of its own in each dialect.

Lists travel as JSON arrays in one parameter, so that a statement is the same text for lists of any length.
"""

from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    LargeBinary,
    Text,
)
from sqlalchemy import Sequence as Counter
from sqlalchemy import bindparam as bind
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType

# Both dialects have the same clause for conflicts, and SQLite's compiler reads this construct too.
upsert = postgresql.insert


class Greatest(FunctionElement[int]):
    """The greatest of numbers that are all there."""

    type = BigInteger()
    inherit_cache = True


@compiles(Greatest)
def _greatest(element: Greatest, compiler: SQLCompiler, **kw: object) -> str:
    return f"max({compiler.process(element.clauses, **kw)})"


@compiles(Greatest, "postgresql")
def _greatest_in_postgres(element: Greatest, compiler: SQLCompiler, **kw: object) -> str:
    return f"greatest({compiler.process(element.clauses, **kw)})"


class Condition(FunctionElement[bool]):
    """A condition as it stands: SQLite, which knows no booleans, needs no comparison with 1 around it."""

    type = Boolean()
    inherit_cache = False

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002 -- SQLAlchemy's
        """Return it without brackets: nothing in it binds less than AND."""
        return self


class Among(Condition):
    """Whether a column is in the JSON array that a parameter gives."""

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        super().__init__(column, bind(name, type_=Text()))
        self.column = column


@compiles(Among)
def _among(element: Among, compiler: SQLCompiler, **kw: object) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 -- parts of SQLAlchemy's making


@compiles(Among, "postgresql")
def _among_in_postgres(element: Among, compiler: SQLCompiler, **kw: object) -> str:
    """An array that is made first: the planner then looks each value up in the column's index."""
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    type_ = "bigint" if element.column.type.python_type is int else "text"
    rows = f"SELECT value::{type_} FROM json_array_elements_text(({values})::json)"  # noqa: S608 -- as above
    return f"{column} = ANY (ARRAY({rows}))"


class Document(FunctionElement[str]):
    """Bytes that are JSON, to be looked into."""

    type = Text()
    inherit_cache = True

    def __init__(self, said: ColumnElement[Any]) -> None:
        super().__init__(
            bind(said.key, type_=LargeBinary()) if isinstance(said, BindParameter) else said
        )


@compiles(Document)
def _document(element: Document, compiler: SQLCompiler, **kw: object) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS TEXT)"


@compiles(Document, "postgresql")
def _document_in_postgres(element: Document, compiler: SQLCompiler, **kw: object) -> str:
    return f"convert_from({compiler.process(element.clauses, **kw)}, 'UTF8')::json"


class JsonArray(FunctionElement[str]):
    """The JSON array that a parameter gives."""

    type = Text()
    inherit_cache = False

    def __init__(self, name: str) -> None:
        super().__init__(bind(name, type_=Text()))


@compiles(JsonArray)
def _array(element: JsonArray, compiler: SQLCompiler, **kw: object) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(JsonArray, "postgresql")
def _array_in_postgres(element: JsonArray, compiler: SQLCompiler, **kw: object) -> str:
    return f"({compiler.process(element.clauses, **kw)})::json"


Place = str | int


class Found(FunctionElement[Any]):
    """What is at a place of a JSON value; NULL if there is nothing."""

    inherit_cache = False

    def __init__(self, value: ColumnElement[Any], *places: Place) -> None:
        super().__init__(value)
        self.places = places


class JsonText(Found):
    """The text at a place of a JSON value."""

    type = Text()


class JsonNumber(Found):
    """The whole number at a place of a JSON value."""

    type = BigInteger()


def _path(places: Sequence[Place]) -> str:
    return "".join(f"[{place}]" if isinstance(place, int) else f".{place}" for place in places)


@compiles(JsonText)
@compiles(JsonNumber)
def _at(element: Found, compiler: SQLCompiler, **kw: object) -> str:
    value = compiler.process(element.clauses, **kw)
    return f"json_extract({value}, '${_path(element.places)}')"


@compiles(JsonText, "postgresql")
def _text_in_postgres(element: Found, compiler: SQLCompiler, **kw: object) -> str:
    value = compiler.process(element.clauses, **kw)
    return f"({value} #>> '{{{','.join(map(str, element.places))}}}')"


@compiles(JsonNumber, "postgresql")
def _number_in_postgres(element: Found, compiler: SQLCompiler, **kw: object) -> str:
    return f"{_text_in_postgres(element, compiler, **kw)}::bigint"


class Each(FunctionElement[Any]):
    """The values of a JSON array as rows of ``key`` (from 0) and ``value``; the array may be at a place of a document."""

    inherit_cache = False

    def __init__(self, value: ColumnElement[Any], *places: Place) -> None:
        super().__init__(value)
        self.places = places


@compiles(Each)
def _each(element: Each, compiler: SQLCompiler, **kw: object) -> str:
    path = f", '${_path(element.places)}'" if element.places else ""
    return f"json_each({compiler.process(element.clauses, **kw)}{path})"


@compiles(Each, "postgresql")
def _each_in_postgres(element: Each, compiler: SQLCompiler, **kw: object) -> str:
    value = compiler.process(element.clauses, **kw)
    if element.places:
        value = f"{value} #> '{{{','.join(map(str, element.places))}}}'"
    rows = f"json_array_elements({value}) WITH ORDINALITY AS one (value, place)"
    return f"(SELECT place - 1 AS key, value FROM {rows})"  # noqa: S608 -- as above


class Texts(FunctionElement[Any]):
    """The texts of a JSON array as rows of ``value``."""

    inherit_cache = False


@compiles(Texts)
def _texts(element: Texts, compiler: SQLCompiler, **kw: object) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(Texts, "postgresql")
def _texts_in_postgres(element: Texts, compiler: SQLCompiler, **kw: object) -> str:
    value = compiler.process(element.clauses, **kw)
    return f'(SELECT value COLLATE "C" AS value FROM json_array_elements_text({value}))'  # noqa: S608 -- as above


class Objects(FunctionElement[str]):
    """All rows as one JSON array of objects, given as a name and a column in turn."""

    type = Text()
    inherit_cache = True


@compiles(Objects)
def _objects(element: Objects, compiler: SQLCompiler, **kw: object) -> str:
    return f"json_group_array(json_object({compiler.process(element.clauses, **kw)}))"


@compiles(Objects, "postgresql")
def _objects_in_postgres(element: Objects, compiler: SQLCompiler, **kw: object) -> str:
    made = f"json_build_object({compiler.process(element.clauses, **kw)})"
    return f"coalesce(json_agg({made}), '[]')::text"


class Holds(Condition):
    """Whether the bytes of a parameter are somewhere in those of a column."""

    def __init__(self, column: ColumnElement[Any], name: str) -> None:
        super().__init__(column, bind(name, type_=LargeBinary()))


@compiles(Holds)
def _holds(element: Holds, compiler: SQLCompiler, **kw: object) -> str:
    return f"instr({compiler.process(element.clauses, **kw)}) > 0"


@compiles(Holds, "postgresql")
def _holds_in_postgres(element: Holds, compiler: SQLCompiler, **kw: object) -> str:
    column, sought = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"position({sought} IN {column}) > 0"


class Lineage(FunctionElement[str]):
    """The stored epoch of a hub, and the line of history that the database is on (I12).

    PostgreSQL begins a new timeline when a standby takes over or a backup is recovered, and a dump that is restored makes
    the tables anew, with other numbers: either may lack commits that clients have seen, and either changes what this says.
    It is the timeline of the log that is being written, which changes at once; that of the control file waits for a
    checkpoint.
    """

    type = Text()
    inherit_cache = True


@compiles(Lineage)
def _lineage(element: Lineage, compiler: SQLCompiler, **kw: object) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(Lineage, "postgresql")
def _lineage_in_postgres(element: Lineage, compiler: SQLCompiler, **kw: object) -> str:
    timeline = "lower(ltrim(left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), '0'))"
    line = f"{timeline} || '.' || hubs.tableoid"
    return f"{compiler.process(element.clauses, **kw)} || '.' || {line}"


class Counted(FunctionElement[int]):
    """The next number of a kind: the parameter's, counted by the one process that writes, or a counter of the database."""

    type = BigInteger()
    inherit_cache = False

    def __init__(self, counter: Counter, name: str) -> None:
        super().__init__(bind(name, type_=BigInteger()))
        self.counter = counter


@compiles(Counted)
def _counted(element: Counted, compiler: SQLCompiler, **kw: object) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(Counted, "postgresql")
def _counted_in_postgres(element: Counted, compiler: SQLCompiler, **kw: object) -> str:  # noqa: ARG001 -- SQLAlchemy's
    return f"nextval('{element.counter.name}')"


# Of the locks that say which processes are alive; locks of this kind are per database.
ALIVE_LOCKS = 0x70C51


class Abandoned(Condition):
    """Whether the process whose number a column has is gone.

    SQLite's file has one process at a time, which asks when it has just come: all others are gone.  In PostgreSQL each
    process keeps a lock of its number while it is connected.
    """


@compiles(Abandoned)
def _abandoned(element: Abandoned, compiler: SQLCompiler, **kw: object) -> str:
    return f"{compiler.process(element.clauses, **kw)} IS NOT NULL"


@compiles(Abandoned, "postgresql")
def _abandoned_in_postgres(element: Abandoned, compiler: SQLCompiler, **kw: object) -> str:
    alive = (
        "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"  # noqa: S608 -- as above
        f" AND classid = {ALIVE_LOCKS}"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return f"{compiler.process(element.clauses, **kw)} <> ALL (ARRAY({alive}))"
