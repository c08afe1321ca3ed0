"""The workbook that goes back to a person: the rows to correct, the balance, and how to correct.

Written whole or not at all. Dropped back into ``inbox/`` it is read like any other file, see
``pipeline.closing.correction``.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import xlsxwriter
from msgspec.structs import replace
from xlsxwriter.exceptions import FileCreateError

from pipeline.closing.doubt_sheet import DOUBT_SHEET, DoubtSheet
from pipeline.closing.fix_sheet import NOTES_LIMIT, FixSheet
from pipeline.closing.look import Book, Look
from pipeline.closing.passing import Ahead, Passing, Told, in_hand, look_ahead
from pipeline.closing.prose import write_instructions, write_refusal, write_summary
from pipeline.closing.reference import PROBLEM, REFUSAL_TITLE
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

BYTES_PER_SHEET = 2_000_000_000
"""Of the text a sheet consists of: beyond 2 GB it would need a form of archive that Excel offers to repair."""


Ready = Callable[[Path], None]
"""Told the finished draft just before it gets its name: what it is given is what will lie there."""


def write_errors_workbook(
    path: Path, sheet: ErrorsSheet, ready: Ready = lambda _draft: None, tell: Told = lambda _rows: None
) -> tuple[Path, ...]:
    """Write the workbook, whole or not at all; ``OSError`` when the folder cannot be written.

    Gives the files written: one, unless there are more rows than a sheet can hold, then
    ``<name>.part2.xlsx`` and so on beside it, each a workbook that can be corrected by itself.
    """
    rows = in_hand(sheet.rows)
    ahead, passing = look_ahead(rows), Passing(rows, tell)
    written: list[Path] = []
    while passing.more or not written:
        part = part_path(path, len(written) + 1)
        following = part_path(path, len(written) + 2)
        sheets = partial(_errors_sheets, errors=sheet, ahead=ahead, passing=passing, following=following.name)
        atomically(part, sheet.received, sheets, _tell_nobody if written else ready)
        written.append(part)
        sheet = replace(sheet, doubts=())
    return tuple(written)


def part_path(path: Path, number: int) -> Path:
    """What the parts of a workbook are called that does not fit into one; the first has the plain name."""
    return path if number == 1 else path.with_name(f"{path.stem}.part{number}{path.suffix}")


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


def _errors_sheets(book: Book, errors: ErrorsSheet, ahead: Ahead, passing: Passing, following: str) -> None:
    look = Look(book)
    fix = book.add_worksheet(FIX_SHEET)
    doubts = book.add_worksheet(DOUBT_SHEET) if errors.doubts else None
    summary = book.add_worksheet("Summary")
    how = book.add_worksheet("How to correct")
    table = FixSheet(fix, look, errors, ahead)
    table.write(passing, ROWS_PER_WORKBOOK, BYTES_PER_SHEET)
    if doubts is not None:
        DoubtSheet(doubts, look, errors.doubts).write(opens_here=not ahead.any)
    notes = (*errors.notes, *_of_size(table, following if passing.more else None))
    write_summary(summary, look, replace(errors, notes=notes), table.seen)
    write_instructions(how, look, doubts=bool(errors.doubts))


def _of_size(table: FixSheet, following: str | None) -> Iterator[str]:
    """What is said of a workbook that holds very much."""
    if table.notes > NOTES_LIMIT:
        yield (
            f"Notes stand at the first {NOTES_LIMIT:,} of {table.notes:,} red cells: more would make this workbook "
            f"slow to open. '{PROBLEM}' tells all of them."
        )
    if following is not None:
        yield f"One sheet cannot hold all rows: they go on in {following}. Drop all parts back together."
