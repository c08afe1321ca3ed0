"""Sentences for files that cannot be read, where more than one reader needs the same one."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import FileRefused

SAVE_AS_XLSX = "Open it in Excel or LibreOffice, save it as .xlsx (or as CSV UTF-8) and drop it again."

ASK_FOR_ROWS = (
    "Open it in Excel or a browser: if there are rows to see, save them as .xlsx (or as CSV UTF-8) and drop that."
)


def damaged(path: Path, detail: str) -> FileRefused:
    """A workbook whose inside is broken, cut short or not what it says."""
    return FileRefused(
        "damaged_workbook",
        f"{path.name} is damaged and cannot be read as a workbook: {detail}.",
        "Send it again; perhaps it was cut short on the way. If Excel can still open it, save it under a new "
        "name as .xlsx and drop that.",
    )


def unsafe(path: Path, detail: str) -> FileRefused:
    """A workbook whose XML declares things that only an attack needs."""
    return FileRefused(
        "unsafe_workbook",
        f"{path.name} was not opened for safety: {detail}.",
        SAVE_AS_XLSX,
    )


def password_protected(path: Path) -> FileRefused:
    """A workbook that asks for a password."""
    return FileRefused(
        "password_protected",
        f"{path.name} is protected with a password, so nothing in it can be read.",
        "Open it in Excel, remove the password (File, Info, Protect Workbook), save it and drop it again.",
    )


def too_large_inside(path: Path) -> FileRefused:
    """A few bytes that stand for more than memory holds."""
    return FileRefused(
        "too_large_inside",
        f"{path.name} is small outside but unpacks to more than can be read safely.",
        "Split it into smaller files, or save it as CSV, and drop those.",
    )


def not_a_table(path: Path, what: str, advice: str = SAVE_AS_XLSX) -> FileRefused:
    """A file that is something else than rows and columns; ``what`` completes "… is"."""
    return FileRefused("not_a_table", f"{path.name} is {what}, not a table of rows and columns.", advice)


def empty(path: Path, detail: str = "there is nothing in it") -> FileRefused:
    """A file without any content."""
    return FileRefused(
        "empty_file", f"{path.name} is empty: {detail}.", "Check the export that made it, and send it again."
    )


def no_rows(path: Path, header_row: int) -> FileRefused:
    """A file that ends with its header."""
    return FileRefused(
        "no_rows",
        f"{path.name} has a header in row {header_row} but no rows below it.",
        "If that is right there is nothing to do; if not, check the export that made it, and send it again.",
    )


def no_header_row(path: Path, header_row: int) -> FileRefused:
    """A header row was named that is blank or not there."""
    return FileRefused(
        "no_header_row",
        f"{path.name} has nothing in row {header_row}, where the mapping says the header is.",
        "Correct `files: {header_row: …}` in the mapping, or leave it out so that the header is found.",
    )


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into ``FileRefused`` with code ``unreadable``."""
    try:
        yield
    except OSError as problem:
        if problem.errno == errno.EINVAL:  # a place in the file that cannot be: its own list of parts says so
            raise damaged(path, "its parts do not fit together") from None
        if problem.errno in {errno.ENOSPC, errno.EDQUOT}:  # no room for a temporary file: that is not the file's fault
            raise
        reason = (problem.strerror or type(problem).__name__).lower()
        raise FileRefused(
            "unreadable",
            f"{path.name} cannot be read: {reason}.",
            "Check that it is a file, still there and allowed to be read, then drop it again.",
        ) from None
