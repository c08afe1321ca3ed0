"""What the database says, in a sentence with what to do."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import LedgerError


def in_words(cause: object, database: str | None = None) -> LedgerError:
    """The trouble of a database as an error for people; ``database`` is its file, whose disk is looked at."""
    said = "no space left, or no further file can be made" if _no_room(database) else str(cause)
    return LedgerError(f"The ledger cannot be used: {cause}. {_advice(said.lower())}")


def _no_room(database: str | None) -> bool:
    """A full disk shows in many ways: SQLite says 'disk I/O error' or 'unable to open database file' as well."""
    if not database or not Path(database).is_absolute() or not hasattr(os, "statvfs"):
        return False
    try:
        disk = os.statvfs(Path(database).parent)
    except OSError:
        return False
    # Some file systems have no fixed number of files and tell 0 of 0.
    return disk.f_bavail * disk.f_frsize < _LEAST_ROOM or (disk.f_files > 0 and disk.f_favail < _LEAST_FILES)


_LEAST_ROOM = 128 * 1024
_LEAST_FILES = 4


def _advice(cause: str) -> str:
    if "full" in cause or "no space" in cause:
        return "Make room on the disk, then run again; nothing that was promised is lost."
    if "readonly" in cause or "read-only" in cause or "permission" in cause or "unable to open" in cause:
        return "Make the project's var folder writable for this user, then run again."
    if "malformed" in cause or "not a database" in cause or "corrupt" in cause:
        return "The file is damaged: `orderdrop restore FILE` puts a backup in its place. Nothing more was sent."
    if "locked" in cause:
        return "Another program holds the file; close it, then run again."
    return "Nothing more was sent. Check the [ledger] url in pipeline.toml and that the database answers."
