"""The workbook that goes back to a person: the rows to correct, the balance, and how to correct.

Written whole or not at all. Dropped back into ``inbox/`` it is read like any other file, see
``pipeline.closing.correction``.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from pipeline.closing.doubt_sheet import DOUBT_SHEET, DoubtSheet
from pipeline.closing.fix_sheet import FixSheet
from pipeline.closing.look import Book, Look
from pipeline.closing.prose import write_instructions, write_refusal, write_summary
from pipeline.closing.reference import REFUSAL_TITLE
from pipeline.closing.sheet import DRAFT, ErrorsSheet, Problem, SheetRow

__all__ = [
    "ErrorsSheet",
    "Problem",
    "SheetRow",
    "atomically",
    "write_errors_workbook",
    "write_refusal_workbook",
]

FIX_SHEET = "Fix these rows"

_AS_TEXT = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

ROWS_PER_WORKBOOK = 1_048_575
"""Rows below the header that one sheet can hold (Excel's specification of limits)."""


Ready = Callable[[Path], None]
"""Told the finished draft just before it gets its name: what it is given is what will lie there."""


def write_errors_workbook(path: Path, sheet: ErrorsSheet, ready: Ready = lambda _draft: None) -> tuple[Path, ...]:
    """Write the workbook, whole or not at all; ``OSError`` when the folder cannot be written.

    Gives the files written: one, unless there are more rows than a sheet can hold, then
    ``<name>.part2.xlsx`` and so on beside it, each a workbook that can be corrected by itself.
    """
    parts = tuple(_parts(path, sheet))
    for part_path, part in parts:
        tell = ready if part_path == path else _tell_nobody
        atomically(part_path, part.received, partial(_errors_sheets, errors=part), tell)
    return tuple(part_path for part_path, _ in parts)


def write_refusal_workbook(
    path: Path,
    file_name: str,
    reason: str,
    advice: str,
    received: datetime,
    notes: Sequence[str] = (),
    ready: Ready = lambda _draft: None,
) -> None:
    """Write the notice for a file that could not be read at all, whole or not at all."""

    def sheets(book: Book) -> None:
        sheet = book.add_worksheet(REFUSAL_TITLE)
        write_refusal(
            sheet,
            Look(book),
            file_name=file_name,
            reason=reason,
            advice=advice,
            received=received,
            notes=notes,
        )

    atomically(path, received, sheets, ready)


def _parts(path: Path, sheet: ErrorsSheet) -> Iterator[tuple[Path, ErrorsSheet]]:
    yield path, replace(sheet, rows=sheet.rows[:ROWS_PER_WORKBOOK])
    for number, start in enumerate(range(ROWS_PER_WORKBOOK, len(sheet.rows), ROWS_PER_WORKBOOK), 2):
        part = replace(sheet, doubts=(), rows=sheet.rows[start : start + ROWS_PER_WORKBOOK])
        yield path.with_name(f"{path.stem}.part{number}{path.suffix}"), part


def _tell_nobody(_draft: Path) -> None:
    """The further parts of a workbook are not remembered by name."""


def atomically(
    path: Path, received: datetime, write: Callable[[Book], None], ready: Ready = lambda _draft: None
) -> None:
    """Write beside the final place, flush to disk, then rename: nobody ever opens half a workbook."""
    draft = path.with_name(f"{DRAFT}{secrets.token_hex(6)}.part")
    book = xlsxwriter.Workbook(str(draft), _AS_TEXT)
    book.set_properties({"author": "orderdrop", "created": received.astimezone(UTC).replace(tzinfo=None)})
    try:
        write(book)
        book.close()
        _flush(draft)
        ready(draft)
        draft.replace(path)
        _flush(path.parent)
    except FileCreateError as problem:
        raise OSError(f"The workbook {path.name} cannot be written: {problem}") from problem
    finally:
        _let_go(book)
        draft.unlink(missing_ok=True)


def _let_go(book: Book) -> None:
    """Close and remove the rows XlsxWriter keeps outside memory; a finished workbook has none left."""
    for sheet in book.worksheets():
        sheet.row_data_fh.close()
        Path(sheet.row_data_filename).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with suppress(PermissionError):  # Windows does not let a folder be opened
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _errors_sheets(book: Book, errors: ErrorsSheet) -> None:
    look = Look(book)
    fix = book.add_worksheet(FIX_SHEET)
    doubts = book.add_worksheet(DOUBT_SHEET) if errors.doubts else None
    summary = book.add_worksheet("Summary")
    how = book.add_worksheet("How to correct")
    FixSheet(fix, look, errors).write()
    if doubts is not None:
        DoubtSheet(doubts, look, errors.doubts).write(opens_here=not errors.rows)
    write_summary(summary, look, errors)
    write_instructions(how, look, doubts=bool(errors.doubts))
