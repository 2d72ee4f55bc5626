"""Every statement finds its rows by an index on PostgreSQL too, whatever the values: no table that grows is walked."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Table

from tests.integration.test_sqlite_plans import EVERY, MEANT
from tests.ports.postgres_server import FAST, PostgresServer
from tocsin.adapters.postgres.migrate import migrate
from tocsin.adapters.postgres.text import text_of
from tocsin.adapters.sql.schema import metadata

# The planner may do without an index only where there is none to be had, and does not see the values.
SETTINGS = (
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET plan_cache_mode = force_generic_plan",
)
Node = dict[str, Any]
ROWS = 5_000
# What is in these waits for something, so that walking one is bounded by that.
PARTIAL = {
    index.name
    for table in metadata.sorted_tables
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
}


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    server = PostgresServer(**FAST)
    try:
        server.start()
        url = server.create()
        migrate(url)
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as opened:
            for table in metadata.sorted_tables:
                opened.execute(filling(table).encode())
            opened.execute("ANALYZE")
            for setting in SETTINGS:
                opened.execute(setting)
            yield opened
    finally:
        server.remove()


def filling(table: Table) -> str:
    """Return what fills a table, one in twenty of its columns that may be empty: the planner counts."""
    values = []
    for column in table.columns:
        value = {int: "n", str: "'word' || n", bytes: "int8send(n)"}[column.type.python_type]
        values.append(f"CASE WHEN n % 20 = 0 THEN {value} END" if column.nullable else value)
    return (
        f"INSERT INTO {table.name} SELECT {', '.join(values)} FROM generate_series(1, {ROWS}) AS n"
    )


def numbered(text: str) -> tuple[str, int]:
    """Give parameters numbers instead of names; return how many there are."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    for number, name in enumerate(names, 1):
        text = text.replace(f"%({name})s", f"${number}")
    return text.replace("%%", "%"), len(names)


def nodes(plan: Node) -> Iterator[Node]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def walked(connection: psycopg.Connection[Any], name: str) -> list[str]:
    """Return the tables that a statement goes through from one end."""
    text, count = numbered(text_of(EVERY[name]))
    connection.execute(f"PREPARE it AS {text}".encode())
    values = f"({', '.join(['NULL'] * count)})" if count else ""
    found = connection.execute(f"EXPLAIN (FORMAT JSON) EXECUTE it{values}".encode()).fetchone()
    connection.execute("DEALLOCATE it")
    assert found is not None
    return [
        node["Relation Name"]
        for node in nodes(found[0][0]["Plan"])
        if "Relation Name" in node
        and node["Node Type"] != "ModifyTable"
        and not {"Index Cond", "Recheck Cond"} & set(node)
        and node.get("Index Name") not in PARTIAL
    ]


@pytest.mark.parametrize("name", EVERY)
def test_no_table_is_walked_unless_it_is_meant(
    connection: psycopg.Connection[Any], name: str
) -> None:
    assert walked(connection, name) == [] or name in MEANT
