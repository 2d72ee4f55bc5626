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
    return compiled(statement.clause).string if isinstance(statement, Statement) else statement


@cache
def compiled(clause: ClauseElement) -> SQLCompiler:
    """Return a statement's text with what is known of its parameters."""
    return cast("SQLCompiler", clause.compile(dialect=_DIALECT))
