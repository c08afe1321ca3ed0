"""The write-ahead log of SQLite gets into the database beside the writing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.ledger import checkpoints, plain
from pipeline.ledger.engine import open_engine
from pipeline.ledger.tables import accounts
from pipeline.ledger.writer import GroupWriter

_ROWS = 6_000
_COMMITS = 4_000
"""Fewer than fill the log so far that SQLite begins it anew by itself."""
_HEAD = 32
"""Bytes at the beginning of a log that differ each time it is begun."""


def _in_the_database(path: Path) -> int:
    """Accounts in the file itself, without what is in the log only."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM accounts").fetchone()[0])
    except sqlite3.DatabaseError:
        return 0  # looked at while it was being written


@contextmanager
def _writing(path: Path) -> Iterator[GroupWriter]:
    engine = open_engine(f"sqlite:///{path}")
    writer = GroupWriter(engine)
    yield writer
    writer.close()
    engine.dispose()


def _add(connection: sa.Connection, names: range) -> None:
    plain.insert_many(connection, "accounts", ("account",), [(str(name),) for name in names], {})


def test_a_long_log_is_brought_over_while_the_writer_is_open(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_engine(f"sqlite:///{path}").dispose()  # the tables are in the file itself
    with _writing(path) as writer:
        writer.write(lambda c: _add(c, range(10)))
        assert _in_the_database(path) == 0, "a short log has to lie there, or this test proves nothing"

        writer.write(lambda c: _add(c, range(10, _ROWS)))

        end = time.monotonic() + 30
        while _in_the_database(path) < _ROWS:
            assert time.monotonic() < end, "the log was not brought over"
            threading.Event().wait(0.01)


def test_a_log_of_many_small_commits_is_begun_anew(tmp_path: Path) -> None:
    log = tmp_path / "ledger.db-wal"
    begun = b""
    with _writing(tmp_path / "ledger.db") as writer:
        for name in range(_COMMITS):
            writer.write(lambda c, name=name: _add(c, range(name, name + 1)))
            begun = begun or log.read_bytes()[:_HEAD]
            if name % 100 == 0 and log.read_bytes()[:_HEAD] != begun:
                break
        else:
            raise AssertionError(f"the log has grown to {log.stat().st_size} bytes")


def test_what_is_committed_stays_so_when_the_log_cannot_be_brought_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    writer = GroupWriter(engine)
    writer.write(lambda _connection: None)
    by_driver, refused = plain.by_driver, []

    def no_checkpoint(connection: sa.Connection, text: str, values: Sequence[object] = ()) -> object:
        if "checkpoint(" in text:
            refused.append(text)
            raise sa.exc.OperationalError(text, None, sqlite3.OperationalError("disk I/O error"))
        return by_driver(connection, text, values)

    assert writer._checkpoints is not None
    writer._checkpoints._made = True  # as if most of the log were in the database
    monkeypatch.setattr(plain, "by_driver", no_checkpoint)
    posted = [writer.post(lambda c, name=name: c.execute(sa.insert(accounts).values(account=name))) for name in "ab"]
    writer.flush()
    monkeypatch.undo()
    assert refused
    assert [bool(one.result(10)) for one in posted] == [True, True]
    with engine.connect() as connection:
        assert connection.execute(sa.select(accounts.c.account)).scalars().all() == ["a", "b"]
    writer.close()
    engine.dispose()


def test_nothing_is_left_in_the_log_when_the_ledger_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with _writing(path) as writer:
        for name in range(300):
            writer.write(lambda c, name=name: _add(c, range(name, name + 1)))
    assert _in_the_database(path) == 300
    assert not path.with_name("ledger.db-wal").exists()


def test_to_close_while_a_checkpoint_is_about_to_begin_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread was woken for a checkpoint and has not taken note of it yet when the ledger is closed."""
    woken, go_on = threading.Event(), threading.Event()

    class Slow(threading.Event):
        def clear(self) -> None:
            woken.set()
            go_on.wait(30)
            super().clear()

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints.threading, "Event", Slow)
        engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
        made = checkpoints.Checkpoints(engine)
    made._wanted.set()
    assert woken.wait(30)
    closing_it = threading.Thread(target=made.close, daemon=True)
    closing_it.start()
    while not made._closing:
        threading.Event().wait(0.001)
    go_on.set()
    closing_it.join(10)
    assert not closing_it.is_alive()
    engine.dispose()
