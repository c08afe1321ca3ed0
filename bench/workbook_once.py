"""One half of a round of ``workbooks.py``, in a process of its own.

    python bench/workbook_once.py write-ours|write-bare|write-openpyxl|make-large|read-ours|read-openpyxl PATH [ROWS]

The errors workbook has 25 columns of the file, a wrong cell with a note in every row, and the sentence beside it. The
large workbook has 25 columns of texts, long numbers, amounts with a number format and dates.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.reading.table import Block

COLUMNS = 25
MESSAGE = "'two' is not a number."
ADVICE = "Write the number of pieces, such as 2."
WRONG = 7


def _cells(row: int) -> tuple[str, ...]:
    return tuple(f"cell {row}-{column}" for column in range(COLUMNS))


def write_ours(path: Path, rows: int) -> None:
    """The errors workbook as the product writes it."""
    from pipeline.closing.sheet import ErrorsSheet, Problem, SheetRow
    from pipeline.closing.workbook import write_errors_workbook

    wrong = (Problem(WRONG, MESSAGE, ADVICE),)
    sheet = ErrorsSheet(
        file_name="orders.csv", feed="orders", link="bench", header=tuple(f"Column {c}" for c in range(COLUMNS)),
        rows=[SheetRow(n + 2, _cells(n), wrong) for n in range(rows)], read=rows, accepted=0, rejected=rows, skipped=0,
        received=datetime(2026, 1, 5, tzinfo=UTC), deliveries={}, notes=(),
    )  # fmt: skip
    write_errors_workbook(path, sheet)


def write_bare(path: Path, rows: int) -> None:
    """The same cells, fills and notes by a script over XlsxWriter, and nothing else."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        plain, wrong = book.add_format({"num_format": "@"}), book.add_format({"num_format": "@", "bg_color": "#F8B4B4"})
        told = book.add_format({"num_format": "@", "text_wrap": True})
        sheet = book.add_worksheet()
        for column in range(COLUMNS):
            sheet.write_string(0, column, f"Column {column}", plain)
        for row in range(rows):
            for column, text in enumerate(_cells(row)):
                sheet.write_string(row + 1, column, text, wrong if column == WRONG else plain)
            sheet.write_string(row + 1, COLUMNS, MESSAGE, told)
            sheet.write_string(row + 1, COLUMNS + 1, ADVICE, told)
            sheet.write_string(row + 1, COLUMNS + 2, f"bench:{row + 2}", plain)
            sheet.write_comment(row + 1, WRONG, f"{MESSAGE}\n{ADVICE}")


def write_openpyxl(path: Path, rows: int) -> None:
    """The same by openpyxl in its write-only mode."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.comments import Comment
    from openpyxl.styles import PatternFill

    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    fill = PatternFill("solid", fgColor="F8B4B4")
    sheet.append([f"Column {column}" for column in range(COLUMNS)])
    for row in range(rows):
        line = []
        for column, text in enumerate((*_cells(row), MESSAGE, ADVICE, f"bench:{row + 2}")):
            cell = WriteOnlyCell(sheet, text)
            cell.number_format = "@"
            if column == WRONG:
                cell.fill, cell.comment = fill, Comment(f"{MESSAGE}\n{ADVICE}", "orderdrop")
            line.append(cell)
        sheet.append(line)
    book.save(path)


def make_large(path: Path, rows: int) -> None:
    """The workbook that is read."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        money, day = book.add_format({"num_format": "#,##0.00"}), book.add_format({"num_format": "mm/dd/yyyy"})
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [f"Column {column}" for column in range(COLUMNS)])
        for row in range(1, rows + 1):
            for column in range(COLUMNS):
                match column % 5:
                    case 0:
                        sheet.write_string(row, column, f"48021120003471{row:07d}")
                    case 1:
                        sheet.write_number(row, column, row * 1.25, money)
                    case 2:
                        sheet.write_datetime(row, column, date(2026, 1, 1 + row % 28), day)
                    case 3:
                        sheet.write_number(row, column, row)
                    case _:
                        sheet.write_string(row, column, f"text {row % 1000}")


def read_ours(path: Path, rows: int) -> None:
    """Every cell as the text a person sees, in a process like that of the command."""
    from pipeline.sweeping import loading, seldom_swept

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with seldom_swept():
        with loading("pipeline.reading"):
            from pipeline.reading import open_table
        _read(open_table(path).blocks(50_000), rows)


def _read(blocks: Iterator[Block], rows: int) -> None:
    import pyarrow.compute as pc

    read = 0
    for block in blocks:
        if not read:
            first = block.rows.line(0)[:5]
            assert first == ("480211200034710000001", "1.25", "2026-01-02", "1", "text 1"), first
        read += len(block.rows)
        assert pc.sum(pc.utf8_length(block.rows[0])).as_py() == 21 * len(block.rows)
    assert read == rows, read


def read_openpyxl(path: Path, rows: int) -> None:
    """Every value by openpyxl's read-only mode."""
    from openpyxl import load_workbook

    read = 0
    for line in load_workbook(path, read_only=True).active.iter_rows(min_row=2, values_only=True):
        assert len(line[0]) == 21
        read += 1
    assert read == rows, read


PROGRAMS = {
    "write-ours": write_ours, "write-bare": write_bare, "write-openpyxl": write_openpyxl, "make-large": make_large,
    "read-ours": read_ours, "read-openpyxl": read_openpyxl,
}  # fmt: skip

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
