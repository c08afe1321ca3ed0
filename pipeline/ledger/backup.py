"""A copy of the ledger taken while it is in use, and the way back. SQLite only: PostgreSQL has tools of its own."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from pipeline.errors import LedgerError, OrderdropError, SetupError
from pipeline.ledger import HEAD
from pipeline.ledger.copies import copy_pages, fold, reading, remove, sync
from pipeline.ledger.engine import open_engine
from pipeline.ledger.trouble import in_words


def sqlite_file(url: str) -> Path:
    """The file of a SQLite ledger; ``SetupError`` where the ledger is another database."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise SetupError(
            f"The ledger is a {parsed.get_backend_name()} database: back it up with pg_dump, and put it back with "
            "pg_restore while no run and no watch is at work. Then say `orderdrop restore --caution`: orders may have "
            "been sent since the backup."
        )
    return Path(parsed.database)


def back_up(url: str, target: Path) -> int:
    """Copy the ledger to ``target``, whole or not at all, while runs go on; gives the size in bytes."""
    source = sqlite_file(url)
    if not source.is_file():
        raise SetupError(f"There is no ledger at {source} yet: nothing to back up.")
    if target.exists():
        raise SetupError(f"{target} exists already; nothing was written. Name a new file.")
    draft = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _in_words(f"The ledger cannot be copied to {target}"):
            copy_pages(source, draft)
            _prove(draft)
        sync(draft)
        draft.replace(target)
        sync(target.parent)
    except OSError as problem:
        raise SetupError(f"{target} cannot be written ({problem.strerror}); the ledger itself is unharmed.") from None
    finally:
        remove(draft)
    return target.stat().st_size


def restore(url: str, backup: Path, stamp: str, mark: Callable[[sa.Connection], None]) -> Path | None:
    """Put a backup in the ledger's place; gives where the replaced ledger lies now, ``None`` when there was none.

    ``mark`` writes into the restored ledger before it gets its name. The caller holds the run lock. At every moment
    there is a ledger: the old one, or the restored one.
    """
    ledger = sqlite_file(url)
    draft = ledger.with_name(f".{ledger.name}.restoring")
    try:
        ledger.parent.mkdir(parents=True, exist_ok=True)
        remove(draft)
        with _in_words(f"{backup} cannot be used as a ledger", LedgerError):
            _prove(backup)
            copy_pages(backup, draft)
        _prepare(draft, mark)
        kept = _keep(ledger, stamp) if ledger.exists() else None
        sync(draft)
        draft.replace(ledger)
        sync(ledger.parent)
    except OSError as problem:
        raise LedgerError(f"The backup cannot be put in place ({problem}). The ledger is as it was.") from None
    finally:
        remove(draft)
    return kept


def _prepare(draft: Path, mark: Callable[[sa.Connection], None]) -> None:
    """Bring an older backup up to date, mark it, and leave one file without a journal beside it."""
    engine = open_engine(f"sqlite:///{draft}")
    with engine.begin() as connection:
        mark(connection)
    engine.dispose()
    fold(draft)
    Path(f"{draft}.opening").unlink(missing_ok=True)


def _prove(path: Path) -> None:
    """Whole, a ledger, and of a version this orderdrop knows; ``sqlite3.Error`` or ``OrderdropError`` otherwise."""
    if not path.is_file() or not path.stat().st_size:
        raise sqlite3.DatabaseError("there is no such file, or it is empty")
    with closing(reading(path)) as connection:
        verdicts = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
        if verdicts != ["ok"]:
            raise sqlite3.DatabaseError(f"the file is malformed: {verdicts[0]}")
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            raise sqlite3.DatabaseError("it is no ledger of orderdrop")
        (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if version > HEAD:
        raise LedgerError(f"{path} was written by a newer orderdrop (version {version}). Install that one first.")


def _keep(ledger: Path, stamp: str) -> Path:
    """A second name for the ledger that is replaced, with what stands in its write-ahead log."""
    kept = ledger.with_name(f"{ledger.name}.before-restore-{stamp}")
    try:
        fold(ledger)
    except sqlite3.OperationalError as problem:
        raise OrderdropError(
            f"Another program has the ledger open ({problem}): stop `orderdrop watch` and whatever else reads it, then "
            "restore again. Nothing was changed."
        ) from None
    except sqlite3.DatabaseError:
        pass  # too damaged to be opened: kept as it is, log and all
    shutil.copyfile(ledger, kept)
    sync(kept)
    for log in (Path(f"{ledger}-wal"), Path(f"{ledger}-shm")):
        if log.exists():
            shutil.copyfile(log, Path(str(kept) + log.name.removeprefix(ledger.name)))
            log.unlink()  # SQLite would take the log of the old ledger for one of the new
    return kept


@contextmanager
def _in_words(what: str, kind: type[OrderdropError] = SetupError) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as problem:
        if "malformed" in str(problem) and kind is SetupError:
            raise in_words(problem) from problem
        raise kind(f"{what}: {problem}. Nothing was changed.") from problem
