"""The migrations make exactly the schema that the statements are written for."""

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from tests.ports.world import envelope
from tocsin.adapters.sql.migrations import FOLDER, HEAD
from tocsin.adapters.sql.schema import metadata
from tocsin.adapters.sqlite.migrate import migrate
from tocsin.errors import ConfigError


def schema_of(file: Path) -> dict[str, str]:
    connection = sqlite3.connect(file)
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"
    ).fetchall()
    connection.close()
    return {name: _sorted_lines(text) for name, text in rows if name != "alembic_version"}


def _sorted_lines(text: str) -> str:
    # A column that a migration added stands on the line of the one before it.
    return "\n".join(sorted(part.strip() for part in re.split(r"[\n,]", text) if part.strip()))


def test_the_migrations_make_the_declared_schema(tmp_path: Path) -> None:
    migrated, declared = tmp_path / "migrated.db", tmp_path / "declared.db"
    migrate(migrated)
    engine = create_engine(f"sqlite:///{declared}")
    metadata.create_all(engine)
    engine.dispose()
    found, wanted = schema_of(migrated), schema_of(declared)
    assert found.keys() == wanted.keys()
    for name, text in wanted.items():
        assert found[name] == text, name


def test_the_newest_migration_is_the_one_this_release_names() -> None:
    newest = max(path.name for path in (FOLDER / "versions").glob("[0-9]*.py"))
    assert newest.startswith(f"{HEAD}_")


def test_every_table_is_strict(tmp_path: Path) -> None:
    migrate(tmp_path / "tocsin.db")
    connection = sqlite3.connect(tmp_path / "tocsin.db")
    rows = connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'")
    loose = {name for name, strict in rows if not strict and not name.startswith("sqlite_")}
    connection.close()
    assert loose == {"alembic_version"}


def test_migrating_again_changes_nothing_and_does_not_load_alembic(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.db"
    migrate(file)
    before = schema_of(file)
    script = (
        "import sys, pathlib; from tocsin.adapters.sqlite.migrate import migrate;"
        "migrate(pathlib.Path(sys.argv[1])); assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(file)], check=True, timeout=60)
    assert schema_of(file) == before


def make_schema(file: Path, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


def test_an_older_file_is_brought_up_and_keeps_what_it_holds(tmp_path: Path) -> None:
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    make_schema(old, "0001")
    connection = sqlite3.connect(old)
    connection.execute("INSERT INTO alerts VALUES (1, 'a', 1, 'k', 2, 3, 4, NULL, 'info', x'7b7d')")
    connection.commit()
    connection.close()
    migrate(old)
    migrate(new)
    assert schema_of(old) == schema_of(new)
    connection = sqlite3.connect(old)
    kept = connection.execute("SELECT id, recipients, withdrawn_us FROM alerts").fetchall()
    connection.close()
    assert kept == [("a", 4, None)]


def test_what_waited_before_its_owner_was_kept_is_listed_as_its_own(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    make_schema(file, "0015")
    told = envelope("ann", hub="home", key_id="k1", accepted_us=7)
    connection = sqlite3.connect(file)
    row = (told.id, msgspec.json.encode(told))
    connection.execute("INSERT INTO scheduled (id, payload, due_us) VALUES (?, ?, 9)", row)
    connection.execute("INSERT INTO dead_letters VALUES (?, ?, 8, 'poison', 9)", row)
    connection.commit()
    connection.close()
    migrate(file)
    connection = sqlite3.connect(file)
    for table in ("scheduled", "dead_letters"):
        owner = connection.execute(f"SELECT hub, key_id, accepted_us FROM {table}").fetchall()
        assert owner == [("home", "k1", 7)]
    connection.close()


def test_what_devices_showed_before_summaries_had_a_name_shows_itself(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    make_schema(file, "0019")
    connection = sqlite3.connect(file)
    connection.executemany(
        "INSERT INTO pushes (push_no, id, alert_no, user_no, device_no, device, platform, kind, made_us, attempts, "
        "showing) VALUES (?, ?, 1, 2, ?, 'd', 'fcm', 'show', 4, 1, ?)",
        [(7, "p", 3, 1), (8, "q", 4, None)],
    )
    connection.commit()
    connection.close()
    migrate(file)
    connection = sqlite3.connect(file)
    found = connection.execute("SELECT push_no, showing, tag FROM pushes ORDER BY push_no")
    assert found.fetchall() == [(7, 7, None), (8, None, None)]
    connection.close()


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.db"
    migrate(file)
    connection = sqlite3.connect(file)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    before = schema_of(file)
    with pytest.raises(ConfigError, match="9999") as refused:
        migrate(file)
    assert refused.value.code == "schema-newer"
    assert schema_of(file) == before


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.db"
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE states (n INTEGER)")
    connection.close()
    with pytest.raises(ConfigError, match="already exists") as refused:
        migrate(file)
    assert refused.value.code == "migration-failed"
    assert schema_of(file).keys() == {"states"}


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tocsin.db"
    file.write_bytes(b"this is a text, and it is long enough to be looked at as a header" * 99)
    with pytest.raises(ConfigError) as refused:
        migrate(file)
    assert refused.value.code == "store-unreadable"
