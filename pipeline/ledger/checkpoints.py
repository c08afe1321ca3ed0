"""SQLite's write-ahead log is brought into the database beside the writing, not while somebody waits for a commit.

By itself SQLite does so at the end of the commit that filled the log: it writes every page once more and syncs twice
more. A checkpoint waits for nobody and nobody waits for it; the log keeps what is not yet in the database.
"""

from __future__ import annotations

import threading
from contextlib import suppress

import sqlalchemy as sa

from pipeline.ledger import plain

_MOST_PAGES = 16_000
"""Of a log that no checkpoint of ours has kept short (64 MB): from there on SQLite makes one at a commit, as ever."""

_PAGES_OF_A_COMMIT = 5
_ROWS_OF_A_PAGE = 2
_PAGES = 1_000
"""As many, about, are brought over at once; SQLite's own measure."""


class Checkpoints:
    """Counts what is committed; from time to time a thread of its own makes a checkpoint."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._pages = 0
        self._rows = 0
        self._wanted = threading.Event()
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
        if self._pages >= _PAGES:
            self._pages = 0
            self._wanted.set()

    def close(self) -> None:
        """Stop; whoever closes the last connection brings the rest over."""
        self._closing = True
        self._wanted.set()
        self._thread.join()

    def _make(self) -> None:
        while self._wanted.wait() and not self._closing:
            self._wanted.clear()
            # Whatever is wrong with the ledger, the next commit says so to somebody who waits for it.
            with suppress(sa.exc.SQLAlchemyError, OSError), self._engine.connect() as connection:
                plain.by_driver(connection, "PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _rows_changed(connection: sa.Connection) -> int:
    """So many since it was opened."""
    return int(connection.connection.total_changes)
