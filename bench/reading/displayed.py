"""Numbers in workbooks as a person sees them: the reader's text beside what Excel displays.

The truth is written down from ECMA-376 part 1 §18.8.31 and Microsoft's number format documentation: value, format code,
what Excel displays. Where the reader leaves something out on purpose (currency signs, units, thousands marks, so that
money can be parsed), the text it should give stands beside.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

import xlsxwriter

from pipeline.reading import open_table

# Value, format code, what Excel displays, what is read where that differs on purpose.
TRUTH: tuple[tuple[float, str, str, str | None], ...] = (
    (123.0, "00000", "00123", None),
    (7.0, "000", "007", None),
    (123456789.0, "000-00-0000", "123-45-6789", None),
    (5551234.0, "000\\-0000", "555-1234", None),
    (21390123.0, "00000-0000", "02139-0123", None),
    (0.25, "0%", "25%", None),
    (0.255, "0.0%", "25.5%", None),
    (0.5, "# ?/?", "1/2", "0.5"),
    (1234.5, "#,##0.00", "1,234.50", "1234.50"),
    (-12.0, "0.00;(0.00)", "(12.00)", "-12.00"),
    (19.9, "$#,##0.00", "$19.90", "19.90"),
    (19.9, "0.00 \"€\"", "19.90 €", "19.90"),
    (3.0, "0 \"pcs\"", "3 pcs", "3"),
    (12.0, "General", "12", None),
    (0.1 + 0.2, "General", "0.3", None),
    (45292.0, "yyyy-mm-dd", "2024-01-01", None),
    (45292.0, "dd/mm/yyyy", "01/01/2024", "2024-01-01"),
    (45292.75, "m/d/yy h:mm", "1/1/24 18:00", "2024-01-01 18:00:00"),
    (0.75, "h:mm AM/PM", "6:00 PM", "18:00:00"),
    (1.5, "[h]:mm", "36:00", "36:00:00"),
    (45292.0, "mmm-yy", "Jan-24", "1-Jan-2024"),
    (1234567.0, "0", "1234567", None),
    (2.5, "0", "3", None),
    (4006381333931.0, "0", "4006381333931", None),
    (123456789012.0, "General", "1.23457E+11", "123456789012"),
    (123456789012345678.0, "0", "123456789012346000", "1.23457E+17"),
)  # fmt: skip


class Board(Protocol):
    """Where scores go."""

    def score(self, name: str, value: float, note: str) -> None:
        """One score."""
        ...

    def detail(self, lines: list[str]) -> None:
        """What lies behind it."""
        ...


def measure(board: Board) -> None:
    """Write each value into a workbook under its format and compare what is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "formats.xlsx"
        _write(path)
        table = open_table(path)
        read = [row[1] for block in table.blocks(1000) for row in block.rows.lines()]
    wrong = [
        f"{value!r} as {code}: {got!r}, wanted {kept or shown!r}"
        for (value, code, shown, kept), got in zip(TRUTH, read, strict=True)
        if got != (kept or shown)
    ]
    as_shown = sum(1 for (_, _, shown, _), got in zip(TRUTH, read, strict=True) if shown == got)
    note = f"{len(TRUTH)} formats; {as_shown} to the letter, the others without signs and in ISO dates, on purpose"
    board.score("Excel, displayed text", 1 - len(wrong) / len(TRUTH), note)
    board.detail(wrong)


def _write(path: Path) -> None:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Rows")
    sheet.write_row(0, 0, ["name", "value"])
    for row, (value, code, _, _) in enumerate(TRUTH, start=1):
        sheet.write_string(row, 0, f"n{row}")
        sheet.write_number(row, 1, value, book.add_format({"num_format": code}))
    book.close()
