"""A workbook's date cell that shows no whole date: a code that was made one, or a date in a short form."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from pipeline.reading.read import open_table
from pipeline.reading.table import Hints


def by_openpyxl(path: Path, form: str) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["SKU", "Qty"])
    sheet.append([date(2026, 3, 1), 2])
    sheet["A2"].number_format = form
    book.save(path)


def by_xlsxwriter(path: Path, form: str) -> None:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["SKU", "Qty"])
        sheet.write_datetime(1, 0, date(2026, 3, 1), book.add_format({"num_format": form}))
        sheet.write_number(1, 1, 2)


@pytest.mark.parametrize("write", [by_openpyxl, by_xlsxwriter])
@pytest.mark.parametrize(
    ("form", "text"),
    [("d-mmm", "1-Mar-2026"), ("mmm-yy", "1-Mar-2026"), ("d-mmm-yy", "2026-03-01"), ("mm/dd/yyyy", "2026-03-01")],
)
def test_the_whole_date_is_kept_and_its_short_form_told(tmp_path, write, form, text):
    write(tmp_path / "a.xlsx", form)
    (block,) = open_table(tmp_path / "a.xlsx", Hints()).blocks(10)
    assert block.rows.line(0) == (text, "2")
