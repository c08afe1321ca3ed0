"""The ledger itself: opening, migrating, refusing what it cannot trust, and writing in groups."""

from __future__ import annotations

import signal
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from pipeline.errors import LedgerError
from pipeline.ledger import plain
from pipeline.ledger.engine import open_engine, open_readonly
from pipeline.ledger.tables import accounts, metadata, restores
from pipeline.ledger.writer import _MOST_LEFT, GroupWriter


def test_the_migrations_build_exactly_the_tables(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_opening_twice_changes_nothing(ledger_url: str) -> None:
    for _ in range(2):
        engine = open_engine(ledger_url)
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT count(*) FROM batches"))
        engine.dispose()


def test_sqlite_syncs_every_commit_to_the_disk(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    engine.dispose()


def test_a_damaged_file_is_a_sentence_not_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"this is no database at all, only text" * 100)
    with pytest.raises(LedgerError, match="damaged"):
        open_engine(f"sqlite:///{path}")
    assert path.read_bytes().startswith(b"this is no database")


def test_a_ledger_from_the_future_is_left_alone(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(LedgerError, match="newer orderdrop"):
        open_engine(ledger_url)


def test_looking_only_makes_no_file(tmp_path: Path) -> None:
    assert open_readonly(f"sqlite:///{tmp_path / 'none.db'}") is None
    assert not (tmp_path / "none.db").exists()


def test_looking_only_cannot_write(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    open_engine(url).dispose()
    engine = open_readonly(url)
    assert engine is not None
    with pytest.raises(sa.exc.OperationalError, match="readonly"), engine.begin() as connection:
        connection.execute(sa.insert(accounts).values(account="x"))
    engine.dispose()


def test_a_folder_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    with pytest.raises(LedgerError, match="cannot be used"):
        open_engine(f"sqlite:///{tmp_path / 'var' / 'ledger.db'}")
    assert stat.S_ISREG((tmp_path / "var").stat().st_mode)


def test_writes_that_come_together_share_a_transaction(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    commits: list[int] = []
    writer = _counting(GroupWriter(engine), commits)
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        begun.set()
        go_on.wait(10)

    first = threading.Thread(target=writer.write, args=(slow,))
    first.start()
    begun.wait(10)
    others = [
        threading.Thread(
            target=writer.write, args=(lambda c, n=n: c.execute(sa.insert(accounts).values(account=str(n))),)
        )
        for n in range(20)
    ]
    for other in others:
        other.start()
    while len(writer._queue) < 20:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in (first, *others):
        thread.join()
    assert len(commits) == 2
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM accounts")).scalar() == 20
    writer.close()
    engine.dispose()


def _counting(writer: GroupWriter, commits: list[int]) -> GroupWriter:
    commit = writer._commit
    writer._commit = lambda group: (commits.append(len(group)), commit(group))[1]  # type: ignore[method-assign]
    return writer


def test_what_nobody_waits_for_goes_along_with_what_somebody_waits_for(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    commits: list[int] = []
    writer = _counting(GroupWriter(engine), commits)
    writer._linger = 60.0  # as if the last commit had taken a minute

    posted = writer.post(lambda c: c.execute(sa.insert(accounts).values(account="outcome")))
    writer.write(lambda c: c.execute(sa.insert(accounts).values(account="intent")))

    assert posted.done
    assert len(commits) == 1
    writer.close()
    engine.dispose()


def test_what_nobody_waits_for_is_durable_without_company(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    writer = GroupWriter(engine)
    for name in ("a", "b"):
        writer.post(lambda c, name=name: c.execute(sa.insert(accounts).values(account=name))).result(10)
    writer.post(lambda c: c.execute(sa.insert(accounts).values(account="last")))
    writer.close()
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM accounts")).scalar() == 3
    engine.dispose()


def test_who_writes_while_nobody_commits_commits_himself(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    writer = GroupWriter(engine)
    assert writer.write(lambda _: threading.current_thread()) is threading.current_thread()
    writer.close()
    engine.dispose()


def test_what_was_posted_is_flushed_when_no_company_will_come(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    writer = GroupWriter(engine)
    writer._linger = 60.0  # as if the last commit had taken a minute
    posted = writer.post(lambda c: c.execute(sa.insert(accounts).values(account="last")))
    writer.flush()
    assert posted.done
    writer.flush()
    writer.close()
    engine.dispose()


def add(name: str) -> Callable[[sa.Connection], object]:
    return lambda c: c.execute(sa.insert(accounts).values(account=name))


def test_what_may_be_left_is_left_while_commits_come_fast_and_then_goes_along_with_others(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    writer = GroupWriter(engine)
    writer._linger = 60.0  # as if the last commit had taken a minute

    def intend(name: str, *, ago: float) -> None:
        writer._left_since, writer._committed_at = time.monotonic(), time.monotonic() - ago
        writer.write(add(name))

    left = writer.post_at_leisure(add("first"))
    intend("i0", ago=1.0)
    assert left.done, "commits come slowly: it costs nobody anything"

    several = [writer.post_at_leisure(add(f"m{n}")) for n in range(_MOST_LEFT)]
    begun = several.pop()
    writer._left.remove(begun)
    intend("i1", ago=-60.0)
    assert not any(one.done for one in several)
    writer._left.append(begun)
    intend("i2", ago=-60.0)
    assert all(one.done for one in (*several, begun))

    last = writer.post_at_leisure(add("last"))
    intend("i3", ago=-60.0)
    assert not last.done
    writer.flush()
    assert last.done
    writer.close()
    engine.dispose()


def test_what_may_be_left_is_not_left_for_long_or_for_ever(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    writer = GroupWriter(engine)
    writer.post_at_leisure(add("alone")).result(10)
    writer.post_at_leisure(add("last"))
    writer._committed_at = time.monotonic() + 60.0
    writer.close()
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM accounts")).scalar() == 2
    engine.dispose()


def test_a_ledger_that_another_program_has_locked_is_not_asked_once_more_at_the_end(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    engine = open_engine(url)
    writer = GroupWriter(engine)
    with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        closing_it = threading.Thread(target=writer.close, daemon=True)
        closing_it.start()
        closing_it.join(10)
        assert not closing_it.is_alive()
    engine.dispose()


def test_a_ledger_that_is_locked_is_asked_once_for_all_that_wait(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = open_engine(ledger_url)
    writer, asked = GroupWriter(engine), []
    writer._linger = 60.0

    def locked() -> None:
        asked.append(1)
        raise sa.exc.OperationalError("BEGIN", {}, Exception("database is locked"))

    with monkeypatch.context() as patched:
        patched.setattr(writer, "_begun", locked)
        posted = [writer.post(add(f"p{n}")) for n in range(5)]
        with pytest.raises(LedgerError, match="locked"):
            writer.write(add("a"))
        for one in posted:
            with pytest.raises(LedgerError, match="locked"):
                one.result(10)
    assert len(asked) == 1
    writer.close()
    engine.dispose()


@pytest.mark.timeout(60)
def test_what_somebody_keeps_locked_is_not_waited_for_for_ever(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.ledger.engine.BUSY_SECONDS", 1.0)
    engine = open_engine(ledger_url)
    writer, other = GroupWriter(engine), sa.create_engine(ledger_url)
    with other.connect() as connection:
        postgresql = engine.dialect.name == "postgresql"
        connection.exec_driver_sql("LOCK TABLE accounts" if postgresql else "BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match="lock"):
            writer.write(add("a"))
    writer.write(add("a"))
    writer.close()
    engine.dispose()
    other.dispose()


def test_an_interrupted_commit_leaves_nobody_waiting(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    writer = GroupWriter(engine)
    writer._linger = 60.0  # as if the last commit had taken a minute
    told: list[str] = []
    posted = writer.post(lambda c: c.execute(sa.insert(accounts).values(account="outcome")))

    def interrupted(_connection: sa.Connection) -> None:
        raise KeyboardInterrupt

    try:
        writer.write(interrupted)
    except KeyboardInterrupt:
        told.append("interrupted")
    with pytest.raises(LedgerError, match="ended while"):
        posted.result(10)
    writer.write(lambda c: c.execute(sa.insert(accounts).values(account="intent")))
    with engine.connect() as connection:
        assert connection.execute(sa.select(accounts.c.account)).scalars().all() == ["intent"]
    assert told == ["interrupted"]
    writer.close()
    engine.dispose()


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C interrupts, even where the tests run in the background of a shell and it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signal can be sent to a thread here")
def test_a_thread_that_is_interrupted_while_it_waits_holds_up_nobody(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    writer = GroupWriter(engine)
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        begun.set()
        go_on.wait(10)

    def interrupt() -> None:
        while len(writer._queue) < 1:
            threading.Event().wait(0.001)
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.get_ident()
    first, killer = threading.Thread(target=writer.write, args=(slow,)), threading.Thread(target=interrupt)
    first.start()
    begun.wait(10)
    killer.start()
    with pytest.raises(KeyboardInterrupt):
        writer.write(lambda c: c.execute(sa.insert(accounts).values(account="left")))
    go_on.set()
    writer.write(lambda c: c.execute(sa.insert(accounts).values(account="next")))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM accounts")).scalar() == 2
    for thread in (first, killer):
        thread.join()
    writer.close()
    engine.dispose()


def test_writes_of_many_threads_all_come_in_and_each_gets_its_own_result(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    writer = GroupWriter(engine)

    def add(name: int) -> bool:
        written = writer.write(lambda c: (c.execute(sa.insert(accounts).values(account=f"w{name}")), name)[1])
        posted = writer.post(lambda c: (c.execute(sa.insert(accounts).values(account=f"p{name}")), -name)[1])
        return (written, posted.result(10)) == (name, -name)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(add, range(200)))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM accounts")).scalar() == 400
    writer.close()
    engine.dispose()


def test_a_plain_statement_begins_a_transaction_where_there_is_none(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.connect() as connection:
        plain.do(connection, "INSERT INTO accounts (account) VALUES (?)", ("half",))
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM accounts")).scalar() == 0
    engine.dispose()


def test_the_trouble_of_a_plain_statement_is_told_as_of_any_other(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError):
        plain.do(connection, "INSERT INTO nowhere (a) VALUES (?)", (1,))
    writer = GroupWriter(engine)
    with pytest.raises(LedgerError, match="cannot be used"):
        writer.write(lambda c: plain.do(c, "INSERT INTO nowhere (a) VALUES (?)", (1,)))
    writer.close()
    engine.dispose()


def test_half_of_a_surrogate_pair_comes_back_from_a_json_column(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(sa.insert(restores).values(restored_at=1.0, last_delivery=0, files=["\ud800", 1.5, None]))
        assert connection.execute(sa.select(restores.c.files)).scalar() == ["\ud800", 1.5, None]
    engine.dispose()


def test_one_bad_write_does_not_take_its_neighbours_down(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    writer = GroupWriter(engine)
    begun, go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        begun.set()
        go_on.wait(10)

    results: dict[str, object] = {}

    def add(name: str, statement: str) -> None:
        try:
            writer.write(lambda c: c.execute(sa.text(statement)))
            results[name] = "written"
        except LedgerError as problem:
            results[name] = problem

    threads = [threading.Thread(target=writer.write, args=(slow,))]
    threads[0].start()
    begun.wait(10)
    for name, statement in (
        ("good", "INSERT INTO accounts (account) VALUES ('a')"),
        ("bad", "INSERT INTO nowhere VALUES (1)"),
    ):
        threads.append(threading.Thread(target=add, args=(name, statement)))
        threads[-1].start()
    while len(writer._queue) < 2:
        threading.Event().wait(0.001)
    go_on.set()
    for thread in threads:
        thread.join()
    assert results["good"] == "written"
    assert isinstance(results["bad"], LedgerError)
    writer.close()
    engine.dispose()


def test_commands_that_meet_at_a_new_ledger_build_it_once(ledger_url: str) -> None:
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(_open_and_count, [ledger_url] * 8)) == [0] * 8


def _open_and_count(url: str) -> int:
    engine = open_engine(url)
    with engine.connect() as connection:
        counted = connection.execute(sa.text("SELECT count(*) FROM batches")).scalar()
    engine.dispose()
    return int(counted or 0)
