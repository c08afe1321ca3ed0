"""Copies of a SQLite ledger: whole and consistent, also while somebody writes in it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from pipeline.ledger.trouble import in_words

KEPT = 3
"""So many copies made before a migration are kept beside the ledger; older ones go."""


PATIENCE = 30.0
"""Seconds to wait for whoever writes to the ledger just now."""


def copy_ledger(source: Path, target: Path) -> None:
    """Copy a ledger by SQLite's own means; ``target`` has its name only once it is whole and on the disk.

    ``LedgerError`` when it cannot be read, or there is no room; then nothing of the copy stays.
    """
    draft = target.with_name(f"{target.name}.part")
    try:
        copy_pages(source, draft)
        sync(draft)
        draft.chmod(0o600)
        draft.replace(target)
    except (sqlite3.Error, OSError) as problem:
        remove(draft)
        raise in_words(problem, str(source)) from problem


def copy_pages(source: Path, target: Path) -> None:
    """All pages in one go: one moment of the ledger, and nobody is kept from writing."""
    remove(target)
    with closing(reading(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)
    fold(target)


def reading(path: Path) -> sqlite3.Connection:
    """A connection that can only read."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=PATIENCE)


def fold(path: Path) -> None:
    """Everything into the one file: a copy without its write-ahead log would lack what stands there."""
    with closing(sqlite3.connect(path, timeout=PATIENCE)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        if mode != "delete":
            raise sqlite3.OperationalError("database is locked")


def remove(draft: Path) -> None:
    """Take away a database file and whatever SQLite or an opening put beside it."""
    for suffix in ("", "-wal", "-shm", "-journal", ".opening"):
        Path(f"{draft}{suffix}").unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Bring a file's content, or a folder's names, onto the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def before_migration(ledger: Path, version: str, now: datetime | None = None) -> Path:
    """Copy a ledger before it is changed, named with its version and the time; the oldest such copies go."""
    at = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H%M%SZ")
    target = ledger.with_name(f"{ledger.stem}.before-upgrade.{version}.{at}{ledger.suffix}")
    copy_ledger(ledger, target)
    for old in made_before(ledger)[:-KEPT]:
        old.unlink(missing_ok=True)
    return target


def made_before(ledger: Path) -> Sequence[Path]:
    """The copies made before migrations, oldest first."""
    found = ledger.parent.glob(f"{ledger.stem}.before-upgrade.*{ledger.suffix}")
    return sorted(found, key=lambda path: path.name.removesuffix(ledger.suffix).rpartition(".")[-1])
