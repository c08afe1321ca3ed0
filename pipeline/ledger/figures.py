"""The figures of the balance, in SQL that every database understands.

``orderdrop status`` has to answer at once, and importing SQLAlchemy takes longer than everything else it does; so
these few questions are plain texts, asked over SQLAlchemy's connection or over the standard library's.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.errors import LedgerError
from pipeline.ledger import HEAD
from pipeline.ledger.trouble import in_words

if TYPE_CHECKING:
    import sqlalchemy as sa

_WHOLE = "batch_id NOT IN (SELECT id FROM batches WHERE state = 'claimed')"
"""As ``tables.taken_in``: what a file being written down has so far is told to nobody."""

Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Answers a query with its rows."""


class FileFigures(NamedTuple):
    """What the balance tells of one file; the names are columns of ``tables.batches``."""

    id: int
    file_name: str
    feed: str | None
    state: str
    sha256: str
    received_at: float
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_skipped: int
    workbook: str | None
    notes: Sequence[str]
    reason: str | None
    reason_code: str | None
    advice: str | None
    same_as: int | None
    corrects: int | None
    closed_at: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """All files, oldest first; deliveries counted by (batch id, account, state); why, by account that is paused."""

    files: Sequence[FileFigures] = ()
    deliveries: Sequence[tuple[int, str, str, int]] = ()
    paused: Sequence[tuple[str, str]] = ()


def figures(connection: sa.Connection, *, recount: bool = False) -> Figures:
    """The figures as SQLAlchemy reads them; ``recount`` as in ``quick_figures``."""
    return _asked(lambda query: connection.exec_driver_sql(query).all(), recount=recount)


def figures_of(connection: sa.Connection, batch_ids: Sequence[int]) -> Figures:
    """The figures of a few files only, as they are after a pass; the pauses of all accounts."""
    return _asked(lambda query: connection.exec_driver_sql(query).all(), list(batch_ids))


def quick_figures(url: str, *, recount: bool = False) -> Figures | None:
    """The figures as the standard library reads them; ``None`` when only SQLAlchemy can, or has to migrate first.

    Nothing is written. A ledger that is not there yet has no figures. Raises ``LedgerError``. ``recount`` counts every
    delivery anew and compares that with the tallies.
    """
    path = url.removeprefix("sqlite:///")
    if path == url or "?" in path:
        return None
    try:
        Path(path).stat()
    except FileNotFoundError:
        return Figures()
    except OSError as problem:  # a folder that nobody may look into, or that is none
        raise in_words(problem, path) from problem
    with _opened(Path(path)) as connection:
        if not _is_current(connection):
            return None
        return _asked(lambda query: connection.execute(query).fetchall(), recount=recount)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            connection.execute("BEGIN")  # all answers are of one moment
            yield connection
    except sqlite3.Error as problem:
        raise in_words(problem, str(path)) from problem


def _is_current(connection: sqlite3.Connection) -> bool:
    known = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    return bool(known[0]) and connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]


def _asked(ask: Ask, only: Sequence[int] | None = None, *, recount: bool = False) -> Figures:
    numbers = "" if only is None else ", ".join(str(int(number)) for number in only) or "NULL"
    files = "" if only is None else f"WHERE id IN ({numbers})"
    only_these = "" if only is None else f" AND batch_id IN ({numbers})"
    sent = f"WHERE number <> 0 AND {_WHOLE}{only_these}"
    found = Figures(
        files=[_file(row) for row in ask(f"SELECT {', '.join(FileFigures._fields)} FROM batches {files} ORDER BY id")],  # noqa: S608 - our own names and numbers
        deliveries=[
            (batch, account, state, number)
            for batch, account, state, number in ask(
                f"SELECT batch_id, account, state, number FROM tallies {sent} ORDER BY batch_id, account, state"  # noqa: S608 - as above
            )
        ],
        paused=[(account, said) for account, said in ask("SELECT account, paused_message FROM accounts")],
    )
    if recount:
        counted = f"SELECT batch_id, account, state, count(*) FROM deliveries WHERE {_WHOLE} GROUP BY 1, 2, 3"  # noqa: S608 - as above
        _compare(found, ask(counted))
    return found


def _compare(found: Figures, counted: Sequence[Sequence[Any]]) -> None:
    """Every delivery counted anew, against the tallies."""
    names = {one.id: one.file_name for one in found.files}
    told = {(batch, account, state): number for batch, account, state, number in found.deliveries}
    seen = {(batch, account, state): number for batch, account, state, number in counted}
    for batch, account, state in sorted(set(told) | set(seen)):
        said, is_ = told.get((batch, account, state), 0), seen.get((batch, account, state), 0)
        if said != is_:
            raise LedgerError(
                f"The ledger does not add up: {names.get(batch, f'file {batch}')} has {is_} deliveries {state} at "
                f"{account}, its tally says {said}. Put a backup in its place, and report this."
            )


def _file(row: Sequence[Any]) -> FileFigures:
    """A row of the answer; PostgreSQL's driver gives JSON read, SQLite's gives its text."""
    told = FileFigures(*row)
    notes: Any = told.notes
    return told._replace(notes=(json.loads(notes) if isinstance(notes, str) else notes) or ())
