"""Many rows in one statement are the rows that went in, whatever is in them."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy import bindparam as bind

from tests.ports.postgres_server import FAST, running_postgres
from tocsin.adapters.postgres.columns import many
from tocsin.adapters.postgres.connection import PostgresConnection
from tocsin.adapters.postgres.migrate import migrate
from tocsin.adapters.sql.store.text import sql
from tocsin.adapters.sql.topics import subscribe

KINDS = Table(
    "kinds",
    MetaData(),
    Column("number", BigInteger),
    Column("perhaps", BigInteger),
    Column("user", Text),
    Column("content", LargeBinary),
)
ADD = sql(insert(KINDS))
MOVE = sql(
    update(KINDS).where(KINDS.c.number == bind("at")).values(perhaps=KINDS.c.number + bind("more"))
)
DROP = sql(KINDS.delete().where(KINDS.c.number == bind("at")))
ROWS = [
    (1, None, "", b""),
    (-(2**63), 2**63 - 1, "ä 💥 ' \" \\ {} NULL %(user)s", bytes(range(256))),
    (3, 0, None, None),
]


@pytest.fixture(scope="module")
def connection() -> Iterator[PostgresConnection]:
    with running_postgres(**FAST) as server:
        url = server.create()
        migrate(url)
        opened = PostgresConnection.open(url)
        opened.execute(
            'CREATE TABLE kinds (number bigint, perhaps bigint, "user" text, content bytea)'
        )
        yield opened
        opened.close()


@pytest.fixture
def kinds(connection: PostgresConnection) -> PostgresConnection:
    connection.execute("DELETE FROM kinds")
    return connection


def rows(*values: tuple[Any, ...]) -> list[dict[str, Any]]:
    return [dict(zip(KINDS.c.keys(), row, strict=True)) for row in values]


def found(connection: PostgresConnection) -> list[tuple[Any, ...]]:
    return connection.execute('SELECT number, perhaps, "user", content FROM kinds').fetchall()


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_rows_come_out_as_they_went_in(kinds: PostgresConnection, count: int) -> None:
    kinds.executemany(ADD, rows(*ROWS[:count]))
    assert found(kinds) == ROWS[:count]


def test_a_column_without_any_value_is_one(kinds: PostgresConnection) -> None:
    empty = [(None, None, None, None)] * 3
    kinds.executemany(ADD, rows(*empty))
    assert found(kinds) == empty


def test_each_row_is_changed_as_its_own_values_say(kinds: PostgresConnection) -> None:
    kinds.executemany(ADD, rows(*((number, 0, "", b"") for number in range(5))))
    changed = kinds.executemany(MOVE, [{"at": n, "more": 10 * n, "unused": 1} for n in (1, 3, 9)])
    assert changed.rowcount == 2
    assert sorted(row[:2] for row in found(kinds)) == [(0, 0), (1, 11), (2, 0), (3, 33), (4, 0)]


def test_what_is_dropped_is_counted(kinds: PostgresConnection) -> None:
    kinds.executemany(ADD, rows(*((number, 0, "", b"") for number in range(5))))
    assert kinds.executemany(DROP, [{"at": 4}, {"at": 0}, {"at": 7}]).rowcount == 2


def test_what_is_there_already_is_left_out_of_the_count(connection: PostgresConnection) -> None:
    row = {"hub_no": 1, "topic": "news", "since_us": 0}
    users = ("ann", "bob", "ann")
    some = [{"user": user, **row} for user in users]
    assert connection.executemany(sql(subscribe), some).rowcount == 2
    assert connection.executemany(sql(subscribe), some).rowcount == 0


def test_a_statement_that_writes_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not for many rows"):
        many(sql(select(KINDS)))
