"""Marking as seen or read touches no index but that of revisions, so that the row can stay where it is."""

import pytest
from sqlalchemy import Index
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from tocsin.adapters.sql.schema import metadata

# What a bulk mark must find without looking at all: rows that were marked unread by hand.
BY_HAND = "items_unread"
INDEXES = [index for table in metadata.sorted_tables for index in table.indexes]


def text_of(index: Index, dialect: str) -> str:
    compiler = {"postgresql": postgresql, "sqlite": sqlite}[dialect].dialect()
    return str(CreateIndex(index).compile(dialect=compiler))


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_no_index_names_a_read_flag(dialect: str) -> None:
    naming = {
        index.name
        for index in INDEXES
        if any(flag in text_of(index, dialect) for flag in ("read_at", "seen_at"))
    }
    assert naming == {BY_HAND}


def test_no_key_names_a_read_flag() -> None:
    keyed = {column.name for table in metadata.sorted_tables for column in table.primary_key}
    assert not keyed & {"read_at", "seen_at", "unread_at"}
