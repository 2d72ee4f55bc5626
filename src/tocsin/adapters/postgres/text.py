"""Statements as PostgreSQL's text, made when they are first used."""

from functools import cache
from typing import cast

from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

from tocsin.adapters.sql.store.text import Statement

_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]


def text_of(statement: str) -> str:
    """Return the text of a statement; one that was not built is its own."""
    return _compiled(statement.clause) if isinstance(statement, Statement) else statement


@cache
def _compiled(clause: ClauseElement) -> str:
    return str(cast("SQLCompiler", clause.compile(dialect=_DIALECT)))
