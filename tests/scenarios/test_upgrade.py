"""A ledger of an older version is copied, then brought up to date; one that cannot be stays what it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from project import ProjectFolder, order_row

from pipeline.ledger import HEAD
from pipeline.ledger.copies import KEPT, before_migration, made_before
from pipeline.ledger.engine import open_engine
from pipeline.ledger.migrate import _config
from pipeline.sandbox import all_targets
from pipeline.sandbox.server import SandboxServer

FIRST = "0001"


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    with SandboxServer(all_targets()) as server:
        yield server


@pytest.fixture
def project(tmp_path: Path, sandbox: SandboxServer) -> ProjectFolder:
    return ProjectFolder.make(tmp_path / "p", sandbox.base_urls())


def old_ledger(path: Path) -> None:
    """A ledger as the first version made it, with one file in it."""
    path.parent.mkdir(exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, FIRST)
        connection.exec_driver_sql(
            "INSERT INTO batches (id, link, file_name, state, sha256, size, received_at, path, rows_read,"
            " rows_accepted, rows_rejected, rows_skipped)"
            " VALUES (7, 'x', 'old.csv', 'closed', '0', 1, 1, 'var/archive/1970-01-01/x/old.csv', 0, 0, 0, 0)"
        )
    engine.dispose()


def asked(path: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(question).fetchall()


def test_an_older_ledger_is_copied_and_then_works(project: ProjectFolder) -> None:
    ledger = project.path / "var" / "ledger.db"
    old_ledger(ledger)
    project.drop("orders_1.csv", order_row("1001"))
    called = project.run()
    assert (called.code, called.err.strip()) == (0, "Reading orders_1.csv")
    assert {entry["file"] for entry in called.json()["files"]} == {"old.csv", "orders_1.csv"}
    assert asked(ledger, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    (copy,) = made_before(ledger)
    assert f".{FIRST}.{datetime.now(UTC):%Y-}" in copy.name
    assert asked(copy, "SELECT version_num FROM alembic_version") == [(FIRST,)]
    assert asked(copy, "SELECT file_name FROM batches") == [("old.csv",)]
    project.run()
    assert list(made_before(ledger)) == [copy]


def test_a_migration_that_fails_leaves_the_old_ledger_in_place(project: ProjectFolder) -> None:
    ledger = project.path / "var" / "ledger.db"
    old_ledger(ledger)
    with closing(sqlite3.connect(ledger)) as connection:  # the last table that a migration makes is there already
        connection.execute("CREATE TABLE fetched (x)")
    before = asked(ledger, "SELECT type, name, sql FROM sqlite_master ORDER BY name")
    project.drop("orders_1.csv", order_row("1001"))
    called = project.call("run")
    assert called.code == 4
    assert "from version 0001" in called.err
    assert "already exists" in called.err
    assert "A copy is" in called.err
    assert "Traceback" not in called.err
    assert asked(ledger, "SELECT type, name, sql FROM sqlite_master ORDER BY name") == before
    assert asked(ledger, "SELECT version_num FROM alembic_version") == [(FIRST,)]
    assert (project.path / "inbox" / "orders_1.csv").exists()


@pytest.mark.parametrize("command_name", ["run", "status", "doubt", "watch"])
def test_a_newer_ledger_is_refused_and_not_touched(project: ProjectFolder, command_name: str) -> None:
    ledger = project.path / "var" / "ledger.db"
    ledger.parent.mkdir()
    open_engine(f"sqlite:///{ledger}").dispose()
    with closing(sqlite3.connect(ledger)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = ledger.read_bytes()
    called = project.call(command_name)
    assert (called.code, "newer orderdrop" in called.err) == (4, True), called.err
    assert ledger.read_bytes() == before
    assert made_before(ledger) == []


def test_a_copy_is_whole_while_somebody_writes_and_old_ones_go(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    with closing(sqlite3.connect(ledger)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("CREATE TABLE t (x)")
        begun = datetime(2026, 1, 1, tzinfo=UTC)
        for number in range(KEPT + 2):
            writer.execute("INSERT INTO t VALUES (?)", (number,))
            writer.commit()  # in the write-ahead log alone
            writer.execute("INSERT INTO t VALUES (-1)")
            copy = before_migration(ledger, f"{9 - number:04d}", begun + timedelta(days=number))
            writer.rollback()
            assert asked(copy, "SELECT x FROM t") == [(n,) for n in range(number + 1)]
    kept = made_before(ledger)
    assert [path.name.split(".")[2] for path in kept] == ["0007", "0006", "0005"]
    assert sorted(path.name for path in tmp_path.iterdir() if "before" in path.name) == sorted(p.name for p in kept)
