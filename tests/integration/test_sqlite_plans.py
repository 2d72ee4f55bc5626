"""Every statement finds its rows by an index: no table that grows is ever walked."""

import re
import sqlite3
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

import pytest
from sqlalchemy.sql import ClauseElement, Executable, FromClause

from tocsin.adapters import sql as tables
from tocsin.adapters.sql import holdings, store
from tocsin.adapters.sql.store.text import Statement, sql
from tocsin.adapters.sqlite.migrate import migrate

# Walks that are meant: along the primary key or an index for a bounded number of rows, or of a table that stays small,
# or once at start.
MEANT = {
    "audit.miscounted": "SCAN heads",
    "audit.ahead_of_head": "SCAN items USING COVERING INDEX items_rev",
    "audit.without_alert": "SCAN items USING COVERING INDEX items_alert",
    "audit.without_head": "SCAN items USING COVERING INDEX items_rev",
    "audit.last_processed": "SCAN alerts",
    "audit.last_sorts": "SCAN hubs",
    "deeds.oldest": "SCAN audit",
    "event_handlers.all_event_handlers": "SCAN event_handlers USING INDEX event_handlers_order",
    "editions.all_editions": "SCAN editions",
    "pushes.oldest_spread": "SCAN push_spreads",
    "vapid.all_vapid_keys": "SCAN vapid_keys",
    "inboxes.last_user_no": "SCAN heads",
    "inboxes.all_hubs": "SCAN hubs",
    "inboxes.oldest_ops": "SCAN ops",
    "alerts.last_alert_no": "SCAN alerts",
    "stream.dead": "SCAN broadcasts USING INDEX broadcasts_dead",
    "schedule.next_time": "SCAN scheduled USING COVERING INDEX scheduled_due",
    "schedule.count_all": "SCAN scheduled USING COVERING INDEX sqlite_autoindex_scheduled_1",
    "waiting.count_dead": "SCAN dead_letters USING COVERING INDEX sqlite_autoindex_dead_letters_1",
    "waiting.abandoned": "SCAN queue",
    "waiting.give_back": "SCAN queue",
    "waiting.take_up_again": "SCAN queue",
    "waiting.give_all_back": "SCAN queue",
    "waiting.suspect_all": "SCAN queue",
    "waiting.suspect_one": "SCAN queue",
    "waiting.count_waiting": "SCAN queue USING COVERING INDEX queue_due",
    "waiting.oldest_waiting": "SCAN queue",
    "waiting.last_seq": "SCAN queue",
    "waiting.last_key_no": "SCAN alert_keys",
    "waiting.oldest_keys": "SCAN alert_keys",
    "withdrawals.oldest_open": "SCAN withdrawals",
    "people.revoked": "SCAN revocations",
    "turns.end_turn": "SCAN turns",
    "topics.count_audience": "SCAN people",
    "secrets.all_keys": "SCAN keys",
    "secrets.keys_of_hub": "SCAN keys",
}
SORTED_IN_MEMORY = {
    "vapid.all_vapid_keys",
    "secrets.all_keys",
    "secrets.keys_of_hub",
    "inboxes.lock_heads_by_no",
}

ITEM_INDEXES = {
    "listed": "items_listed (user_no=? AND sort<?)",
    "changed": "items_rev (user_no=? AND rev>?)",
    "named": "PRIMARY KEY (user_no=? AND id=?)",
    "saying": "items_alert (alert_no=? AND user_no=?)",
    "newest_of_key": "items_collapse (user_no=? AND collapse_key=?)",
    "unseen_above": "items_listed (user_no=? AND sort>?)",
    "unread_above": "items_listed (user_no=? AND sort>?)",
    "unread_by_hand": "items_unread (user_no=?)",
    "unread_in_category": "items_listed (user_no=? AND sort<?)",
    "unseen_in_category": "items_listed (user_no=? AND sort>? AND sort<?)",
    "view_all": "items_listed (user_no=? AND (sort,id)<(?,?))",
    "view_unread_above": "items_listed (user_no=? AND sort>? AND (sort,id)<(?,?))",
    "view_unread_by_hand": "items_unread (user_no=? AND (sort,id)<(?,?))",
    "view_archived": "items_archived (user_no=? AND (sort,id)<(?,?))",
    "view_snoozed": "items_asleep (user_no=? AND (sort,id)<(?,?))",
    "to_wake": "items_snoozed (snoozed_until<?)",
    "to_expire": "items_expiring (expires_us<?)",
    "of_alert": "items_alert (alert_no=? AND user_no>?)",
    "still_unread": "items_alert (alert_no=? AND user_no>?)",
    "old_tombstones": "items_deleted (deleted_at<?)",
    "verdicts": "items_alert (alert_no=?)",
    "mark_item": "PRIMARY KEY (user_no=? AND id=?)",
    "replace_item": "PRIMARY KEY (user_no=? AND id=?)",
    "drop_item": "PRIMARY KEY (user_no=? AND id=?)",
}


def modules_in(package: ModuleType) -> Iterator[ModuleType]:
    """Yield all modules of a package, so that no new one has to be named here."""
    for found in iter_modules(package.__path__):
        if not found.ispkg:
            yield import_module(f"{package.__name__}.{found.name}")


def statements(module: ModuleType) -> Iterator[tuple[str, Statement]]:
    area = module.__name__.rpartition(".")[2]
    for name, value in vars(module).items():
        is_statement = isinstance(value, Executable) and not isinstance(value, FromClause)
        if not name.startswith("_") and is_statement and isinstance(value, ClauseElement):
            yield f"{area}.{name}", sql(value)


EVERY = dict(found for module in modules_in(tables) for found in statements(module))
for held in (*holdings.HOLDINGS, holdings.SUBSCRIPTIONS):
    EVERY |= {f"held.{held.kind}.page": sql(held.page), f"held.{held.kind}.drop": sql(held.drop)}
for way in holdings.WAITING:
    for part in ("named", "payload", "rewrite", "drop"):
        EVERY[f"{way.kind}.{part}"] = sql(getattr(way, part))


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    file = tmp_path_factory.mktemp("plans") / "tocsin.db"
    migrate(file)
    opened = sqlite3.connect(file)
    yield opened
    opened.close()


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    parameters = dict.fromkeys(re.findall(r":(\w+)", statement), 1)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
    return [row[3] for row in rows]


def compiled_in(value: object) -> Iterator[str]:
    """Yield the statements that a module holds, in collections too."""
    if isinstance(value, Statement):
        yield value
    elif isinstance(value, dict):
        yield from compiled_in(tuple(value.values()))
    elif isinstance(value, tuple | list):
        for inner in value:
            yield from compiled_in(inner)


def test_every_statement_is_looked_at() -> None:
    run = {text for module in modules_in(store) for text in compiled_in(vars(module))}
    assert len(run) > 150
    assert run - set(EVERY.values()) == set()
    assert set(MEANT) <= set(EVERY)
    assert {f"items.{name}" for name in ITEM_INDEXES} | {"items.add_item"} == {
        name for name in EVERY if name.startswith("items.")
    }


@pytest.mark.parametrize("name", EVERY)
def test_no_table_is_walked_unless_it_is_meant(connection: sqlite3.Connection, name: str) -> None:
    steps = [step for step in plan(connection, EVERY[name]) if "VIRTUAL TABLE" not in step]
    assert [step for step in steps if step.startswith("SCAN")] == (
        [MEANT[name]] if name in MEANT else []
    )
    assert ("USE TEMP B-TREE FOR ORDER BY" in steps) == (name in SORTED_IN_MEMORY)


@pytest.mark.parametrize(
    ("name", "index"),
    {
        "page": "pushes_dead ((ended_us,id)<(?,?))",
        "named": "pushes_dead_id (id=?)",
        "retry": "pushes_dead_id (id=?)",
    }.items(),
)
def test_dead_pushes_are_found_among_themselves(
    connection: sqlite3.Connection, name: str, index: str
) -> None:
    steps = plan(connection, EVERY[f"dead_pushes.{name}"])
    assert steps[0] == f"SEARCH pushes USING INDEX {index}"


@pytest.mark.parametrize(("name", "index"), ITEM_INDEXES.items())
def test_items_are_found_by_the_index_made_for_it(
    connection: sqlite3.Connection, name: str, index: str
) -> None:
    steps = plan(connection, EVERY[f"items.{name}"])
    (step,) = [step for step in steps if step.startswith("SEARCH items ")]
    assert step.endswith(index)


@pytest.mark.parametrize(
    ("name", "index"),
    {
        "page_of_hub": "alerts_hub (hub_no=? AND accepted_us>? AND (accepted_us,id)<(?,?))",
        "page_of_key": "alerts_key (hub_no=? AND key_id=? AND accepted_us>? AND (accepted_us,id)<(?,?))",
    }.items(),
)
def test_lists_of_alerts_are_read_by_the_index_made_for_them(
    connection: sqlite3.Connection, name: str, index: str
) -> None:
    assert plan(connection, EVERY[f"alerts.{name}"]) == [
        f"SEARCH alerts USING INDEX {index}",
        "CORRELATED SCALAR SUBQUERY 1",
        "SEARCH expansions USING INTEGER PRIMARY KEY (rowid=?)",
    ]


@pytest.mark.parametrize(
    ("name", "index"),
    {
        "topics_page": "topics USING PRIMARY KEY (hub_no=? AND topic>?)",
        "count_topics": "topics USING PRIMARY KEY (hub_no=?)",
        "subscribers_page": "subscriptions USING PRIMARY KEY (hub_no=? AND topic=? AND user>?)",
        "next_subscribers": "subscriptions USING PRIMARY KEY (hub_no=? AND topic=? AND user>?)",
        "topics_of_user": "subscriptions USING COVERING INDEX subscriptions_user (hub_no=? AND user=? AND topic>?)",
        "count_users": "heads USING COVERING INDEX sqlite_autoindex_heads_1 (hub_no=? AND user>?)",
    }.items(),
)
def test_topics_are_read_by_the_index_made_for_them(
    connection: sqlite3.Connection, name: str, index: str
) -> None:
    assert plan(connection, EVERY[f"topics.{name}"]) == [f"SEARCH {index}"]


def test_named_alerts_are_found_by_their_producers_ids(connection: sqlite3.Connection) -> None:
    [step] = plan(connection, EVERY["waiting.named_alerts"])
    assert step.startswith("SEARCH alert_keys USING INDEX ")
    assert step.endswith("(hub=? AND key_id=? AND source=? AND producer_id>? AND producer_id<?)")


def test_ids_that_are_kept_are_counted_by_the_index_made_for_it(
    connection: sqlite3.Connection,
) -> None:
    [counted] = plan(connection, EVERY["waiting.count_renewed"])
    assert counted == "SEARCH alert_keys USING INDEX alert_keys_renewed (hub=?)"


@pytest.mark.parametrize("name", ["scheduled", "dead"])
def test_what_is_not_processed_is_listed_by_the_index_of_its_owner(
    connection: sqlite3.Connection, name: str
) -> None:
    table = {"scheduled": "scheduled", "dead": "dead_letters"}[name]
    rest = "accepted_us>? AND (accepted_us,id)<(?,?))"
    assert plan(connection, EVERY[f"unprocessed.{name}_of_hub"]) == [
        f"SEARCH {table} USING INDEX {table}_hub (hub=? AND {rest}"
    ]
    assert plan(connection, EVERY[f"unprocessed.{name}_of_key"]) == [
        f"SEARCH {table} USING INDEX {table}_key (hub=? AND key_id=? AND {rest}"
    ]


def test_dead_letters_are_listed_by_the_index_made_for_it(connection: sqlite3.Connection) -> None:
    assert plan(connection, EVERY["waiting.dead_page"]) == [
        "SEARCH dead_letters USING INDEX dead_letters_at ((at_us,id)<(?,?))"
    ]


def test_scheduled_alerts_are_found_by_their_time(connection: sqlite3.Connection) -> None:
    assert plan(connection, EVERY["schedule.due_now"]) == [
        "SEARCH scheduled USING INDEX scheduled_due (due_us<?)"
    ]


@pytest.mark.parametrize("name", ["note", "heard"])
def test_a_note_looks_at_each_fact_and_what_it_speaks_of(
    connection: sqlite3.Connection, name: str
) -> None:
    steps = [step for step in plan(connection, EVERY[f"receipts.{name}"]) if "SUBQUERY" not in step]
    assert steps[0].startswith("SCAN told VIRTUAL TABLE")
    assert steps[1] == "SEARCH alerts USING INDEX sqlite_autoindex_alerts_1 (id=?)"
    [heads] = [step for step in steps if step.startswith("SEARCH heads")]
    assert heads.endswith("sqlite_autoindex_heads_1 (hub_no=? AND user=?)")
    assert "SEARCH items USING INDEX items_alert (alert_no=? AND user_no=?)" in steps


def test_the_queue_is_read_by_due_time_and_order(connection: sqlite3.Connection) -> None:
    assert plan(connection, EVERY["waiting.due"])[0] == (
        "SEARCH queue USING INDEX queue_due (expands=? AND available_us=?)"
    )
    assert plan(connection, EVERY["waiting.due_again"])[0] == (
        "SEARCH queue USING INDEX queue_due (expands=? AND available_us>? AND available_us<?)"
    )


def test_what_of_a_batch_is_ahead_is_found_in_its_order(connection: sqlite3.Connection) -> None:
    steps = plan(connection, EVERY["waiting.before_in_batches"])
    assert steps[0] == "SEARCH queue USING COVERING INDEX queue_batch (batch=? AND seq<?)"
    assert not any("TEMP B-TREE" in step for step in steps)


def test_no_index_names_a_read_or_seen_time(connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%\\_at%' ESCAPE '\\'"
    )
    told = {name: set(re.findall(r"(?:seen|read|unread)_at", text)) for name, text in rows}
    assert {name for name, times in told.items() if times} == {"items_unread"}
    assert told["items_unread"] == {"unread_at"}
