"""Statements as text, compiled once when a module is loaded."""

from typing import cast

from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler

_DIALECT = sqlite.dialect(paramstyle="named")


class Statement(str):
    """A statement as SQLite's text, which SQLite takes as it is, and the clause of which others make their own text."""

    __slots__ = ("clause",)
    clause: ClauseElement


def sql(statement: ClauseElement) -> Statement:
    """Compile a statement; its parameters are given by name.

    Raises:
        ValueError: a literal slipped in, which nobody would bind.
    """
    compiled = cast("SQLCompiler", statement.compile(dialect=_DIALECT))
    loose = [name for name, bound in compiled.binds.items() if not bound.required]
    if loose:
        msg = f"bind these by name: {loose} in {compiled}"
        raise ValueError(msg)
    text = Statement(compiled)
    text.clause = statement
    return text
