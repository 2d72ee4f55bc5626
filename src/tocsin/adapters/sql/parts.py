"""What the statements are made of: parameters, lists of ids, bounded results."""

from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    Table,
    UnaryExpression,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.sql.operators import custom_op


def param(name: str) -> BindParameter[Any]:
    """Return a named parameter."""
    return bindparam(name)


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return ``column IN`` the JSON array given as the parameter ``name``: one statement for lists of any length."""
    values = func.json_each(bindparam(name)).table_valued("value")
    return column.in_(select(values.c.value))


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
