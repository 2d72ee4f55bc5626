"""Statements as SQLite's text, compiled once when a module is loaded."""

from sqlalchemy.dialects import sqlite
from sqlalchemy.sql import ClauseElement

_DIALECT = sqlite.dialect(paramstyle="named")


def sql(statement: ClauseElement) -> str:
    """Compile a statement; its parameters are given by name.

    Raises:
        ValueError: a literal slipped in, which nobody would bind.
    """
    compiled = statement.compile(dialect=_DIALECT)
    loose = [name for name, value in compiled.params.items() if value is not None]
    if loose:
        msg = f"bind these by name: {loose} in {compiled}"
        raise ValueError(msg)
    return str(compiled)
