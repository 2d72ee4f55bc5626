"""What the statements are made of: parameters, lists of ids, bounded results."""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Table,
    Text,
    UnaryExpression,
    Update,
    bindparam,
    literal_column,
    update,
)
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.types import TypeEngine

from tocsin.adapters.sql.differences import Among


def param(name: str, type_: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """Return a named parameter; its type is that of what it is compared with, or else has to be told."""
    return bindparam(name, type_=type_)


def absent(name: str) -> ColumnElement[bool]:
    """Return whether a parameter of text was given as None."""
    return bindparam(name, type_=Text()).is_(None)


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return ``column IN`` the JSON array given as the parameter ``name``: one statement for lists of any length."""
    return Among(column, name)


def by_no_index(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the column as a condition for which no index is sought: rows are to be found by another one."""
    return UnaryExpression(column, operator=custom_op("+"))


def at_most(query: Select[Any]) -> Select[Any]:
    """Bound a query by the parameter ``limit``."""
    return query.limit(bindparam("limit")).offset(literal_column("0"))


def first(query: Select[Any]) -> Select[Any]:
    """Bound a query to one row."""
    return query.limit(literal_column("1")).offset(literal_column("0"))


def set_all(table: Table, *, but: tuple[str, ...]) -> Update:
    """Return an update of every column except ``but``, each from the parameter of its name."""
    values: dict[str, BindParameter[Any]] = {
        c.name: bindparam(c.name) for c in table.c if c.name not in but
    }
    return update(table).values(values)
