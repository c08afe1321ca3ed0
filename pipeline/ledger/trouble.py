"""What the database says, in a sentence with what to do."""

from __future__ import annotations

from pipeline.errors import LedgerError


def in_words(cause: object) -> LedgerError:
    """The trouble of a database as an error for people."""
    return LedgerError(f"The ledger cannot be used: {cause}. {_advice(str(cause).lower())}")


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
