"""No table knows a person that an erasure does not know."""

from tocsin.adapters.sql.holdings import HOLDINGS, SUBSCRIPTIONS, WAITING
from tocsin.adapters.sql.schema import metadata

NAMING = {"user", "user_no", "user_id", "payload", "body"}
# Tables with such a column that an erasure need not walk, and why.
NOT_WALKED = {
    "receipts": "they go with the copy that they are about (the `then` of items and collapses)",
    "erasures": "the record itself: both columns are emptied with the last chunk",
}


def test_every_table_with_a_user_is_erased() -> None:
    naming = {table.name for table in metadata.tables.values() if NAMING & set(table.c.keys())}
    erased = {held.table.name for held in (*HOLDINGS, SUBSCRIPTIONS)}
    erased |= {way.table.name for way in WAITING}
    assert naming - erased == set(NOT_WALKED), (
        "add the table to HOLDINGS (rows of one person) or WAITING (payloads) in adapters/sql/holdings.py, "
        "so that an export shows its rows and an erasure drops them"
    )


def test_the_head_goes_last() -> None:
    assert HOLDINGS[-1].table.name == "heads"
