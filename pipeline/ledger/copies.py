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


def copy_ledger(source: Path, target: Path) -> None:
    """Copy a ledger by SQLite's own means; ``target`` has its name only once it is whole and on the disk.

    ``LedgerError`` when it cannot be read, or there is no room; then nothing of the copy stays.
    """
    draft = target.with_name(f"{target.name}.part")
    try:
        draft.unlink(missing_ok=True)
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as read:
            _copy(read, draft)
        draft.replace(target)
    except (sqlite3.Error, OSError) as problem:
        draft.unlink(missing_ok=True)
        raise in_words(problem, str(source)) from problem


def _copy(read: sqlite3.Connection, draft: Path) -> None:
    with closing(sqlite3.connect(draft)) as written:
        read.backup(written)
        # A copy is read by people and programs alone: no second file beside it.
        written.execute("PRAGMA journal_mode=DELETE")
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.chmod(0o600)


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
