"""Every statement finds its rows by an index on PostgreSQL too, whatever the values: no table that grows is walked."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Table

from tests.integration.test_sqlite_plans import EVERY, MEANT
from tests.ports.postgres_server import FAST, PostgresServer, running_postgres
from tocsin.adapters.postgres.columns import many
from tocsin.adapters.postgres.connection import PostgresConnection
from tocsin.adapters.postgres.database import PostgresDatabase
from tocsin.adapters.postgres.migrate import migrate
from tocsin.adapters.postgres.text import text_of
from tocsin.adapters.sql import inboxes
from tocsin.adapters.sql.holdings import HOLDINGS
from tocsin.adapters.sql.schema import metadata
from tocsin.adapters.sql.store.text import Statement, sql

# The planner may do without an index only where there is none to be had, and does not see the values.
SETTINGS = (
    "SET enable_seqscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET plan_cache_mode = force_generic_plan",
)
# What is run for many rows at once.
MANY: dict[str, Statement] = {
    name: EVERY[name]
    for name in (
        "alerts.add_alert",
        "collapses.add_collapse",
        "collapses.drop_collapse",
        "inboxes.add_head",
        "inboxes.write_head",
        "items.add_item",
        "items.drop_item",
        "items.mark_item",
        "items.replace_item",
        "pushes.add_push",
        "pushes.end",
        "pushes.put_back",
        "pushes.unshow",
        "receipts.drop_of_copy",
        "receipts.drop_receipt",
        "schedule.schedule",
        "stream.add_broadcast",
        "stream.drop_state",
        "stream.withdraw_broadcast",
        "stream.write_state",
        "topics.subscribe",
        "waiting.add_waiting",
        "waiting.hide",
        "waiting.remember",
    )
} | {
    f"held.{held.kind}.{kind or 'rest'}": sql(statement)
    for held in HOLDINGS
    for kind, statement in held.then
}
Node = dict[str, Any]
ROWS = 5_000
ADD_HEADS = """
    INSERT INTO heads SELECT n, 1, 'user-' || n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM generate_series(%(first)s::bigint, %(last)s) AS n
"""
# What is in these waits for something, so that walking one is bounded by that.
PARTIAL = {
    index.name
    for table in metadata.sorted_tables
    for index in table.indexes
    if index.dialect_options["postgresql"]["where"] is not None
}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres(**FAST) as server:
        yield server


@pytest.fixture(scope="module")
def connection(server: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    url = server.create()
    migrate(url)
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as opened:
        for table in metadata.sorted_tables:
            opened.execute(filling(table).encode())
        opened.execute("ANALYZE")
        for setting in SETTINGS:
            opened.execute(setting)
        yield opened


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


def walked(connection: psycopg.Connection[Any], query: str) -> list[str]:
    """Return the tables that a statement goes through from one end."""
    text, count = numbered(query)
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
    assert walked(connection, text_of(EVERY[name])) == [] or name in MEANT


@pytest.mark.parametrize("name", sorted(MANY))
def test_many_rows_are_found_by_an_index_like_one(
    connection: psycopg.Connection[Any], name: str
) -> None:
    assert walked(connection, many(MANY[name]).query.decode()) == []


def heads_read(connection: PostgresConnection) -> int:
    """Return how many rows of heads were read until now."""
    connection.execute("SELECT pg_stat_force_next_flush()")
    query = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'heads'"
    found: int = connection.execute(query).fetchall()[0][0]
    return found


def looked_up(connection: PostgresConnection) -> int:
    """Lock the heads of ten people; return how many rows were read for it."""
    before = heads_read(connection)
    connection.execute(PostgresDatabase.begin_writing)
    users = json.dumps([f"user-{number}" for number in range(10)])
    found = connection.execute(sql(inboxes.lock_heads), {"hub_no": 1, "users": users}).fetchall()
    assert len(found) == 10
    connection.execute("COMMIT")
    return heads_read(connection) - before


def test_what_was_planned_for_a_small_table_is_planned_anew_when_it_has_grown(
    server: PostgresServer,
) -> None:
    url = server.create()
    migrate(url)
    connection = PostgresConnection.open(url)
    connection.execute("INSERT INTO hubs VALUES (1, 'default', 'e', 0, 0)")
    connection.execute(ADD_HEADS, {"first": 0, "last": 9})
    connection._plans_until_s = math.inf
    for _ in range(20):  # until the driver and the server keep the plan
        looked_up(connection)
    connection.execute(ADD_HEADS, {"first": 10, "last": 4 * ROWS})
    assert looked_up(connection) > ROWS / 2  # it goes through all, so the test sees it
    connection._plans_until_s = 0.0
    assert looked_up(connection) < 100
    connection.close()
