"""SQLite's write-ahead log is brought into the database beside the writing, not while somebody waits for a commit.

By itself SQLite does so at the end of the commit that filled the log: it writes every page once more and syncs twice
more. A checkpoint waits for nobody and nobody waits for it; the log keeps what is not yet in the database.

Under many small commits some more always come while it is made, and a log that is never brought over as a whole is
never begun anew: it grows, and to sync a file that grows takes twice as long as to sync one that is written over. So
who commits brings over the little that is left.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress

import sqlalchemy as sa

from pipeline.ledger import plain

_MOST_PAGES = 16_000
"""Of a log that no checkpoint of ours has kept short (64 MB): from there on SQLite makes one at a commit, as ever."""

_PAGES_OF_A_COMMIT = 3
_ROWS_OF_A_PAGE = 4
_PAGES = 1_000
"""As many, about, are brought over at once; SQLite's own measure."""
_FEW_PAGES = 400
"""Brought over while somebody waits: a few calls' worth, and nothing like the pages of a file that is taken in."""


class Checkpoints:
    """Counts what is committed; from time to time a thread of its own makes a checkpoint."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._pages = 0
        self._rows = 0
        self._wanted = threading.Event()
        self._made = False  # the last one that was wanted; what was committed since is still in the log only
        self._closing = False
        self._thread = threading.Thread(target=self._make, name="checkpoints", daemon=True)
        self._thread.start()

    def leave_to_us(self, connection: sa.Connection) -> None:
        """Tell the connection that writes that others see to the log."""
        plain.by_driver(connection, f"PRAGMA wal_autocheckpoint={_MOST_PAGES}")
        self._rows = _rows_changed(connection)

    def committed(self, connection: sa.Connection) -> None:
        """That connection has committed something."""
        rows = _rows_changed(connection)
        self._pages += _PAGES_OF_A_COMMIT + (rows - self._rows) // _ROWS_OF_A_PAGE
        self._rows = rows
        if self._made and self._pages <= _FEW_PAGES:
            self._made = False
            _make(connection)
        elif self._made or self._pages >= _PAGES:
            self._made = False
            self._pages = 0
            self._wanted.set()

    def close(self) -> None:
        """Stop; whoever closes the last connection brings the rest over."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _make(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            if self._closing:  # looked at after the clearing: what is wanted from here on wakes it again
                return
            with suppress(sa.exc.SQLAlchemyError, OSError), self._engine.connect() as connection:
                self._made = _make(connection)


def _make(connection: sa.Connection) -> bool:
    """Whether it went well. Whatever is wrong with the ledger, the next commit says so to somebody who waits for it."""
    try:
        plain.by_driver(connection, "PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    except (sa.exc.SQLAlchemyError, sqlite3.Error, OSError):
        return False
    return True


def _rows_changed(connection: sa.Connection) -> int:
    """So many since it was opened."""
    return int(connection.connection.total_changes)
