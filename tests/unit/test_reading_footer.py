"""Footers counted in the mapping: left out where they look like footers, refused where they may be orders."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from pipeline.errors import FileRefused
from pipeline.reading import Hints, Table, open_table

ORDERS = "id,day,name,qty\n1,2026-01-05,Bob,2\n2,2026-01-05,,3\n3,2026-01-06,Eve,\n"
FOOTER = "Checked by,,Ann,\n,,,5\n"


def opened(folder: Path, text: str, footer_rows: int) -> Table:
    (folder / "orders.csv").write_text(text)
    return open_table(folder / "orders.csv", Hints(footer_rows=footer_rows))


def numbers(table: Table, size: int = 2) -> list[int]:
    return [number for block in table.blocks(size) for number in block.rows.numbers]


def test_the_last_filled_rows_are_left_out_and_told(tmp_path: Path) -> None:
    table = opened(tmp_path, ORDERS + "\n" + FOOTER + "\n\n", 2)
    assert numbers(table) == numbers(table, 1000) == [2, 3, 4]
    assert "Rows 6 to 7 are the footer" in table.found.notes[-1]
    assert numbers(open_table(tmp_path / "orders.csv", table.found.hints())) == [2, 3, 4]


def test_what_is_wrong_with_a_footer_is_nobodys_trouble(tmp_path: Path) -> None:
    table = opened(tmp_path, ORDERS + "Printed by Ann\nfor,,you,,\n", 2)
    assert numbers(table) == [2, 3, 4]
    assert not [bad for block in table.blocks(10) for bad in block.broken]


@pytest.mark.parametrize("footer_rows", [1, 2])
def test_a_file_without_its_footer_loses_no_order(tmp_path: Path, footer_rows: int) -> None:
    with pytest.raises(FileRefused, match=r"row [34] is filled like") as caught:
        opened(tmp_path, ORDERS, footer_rows)
    assert caught.value.code == "footer_missing"


def test_a_footer_and_nothing_else_is_a_file_without_rows(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        opened(tmp_path, "id,day,name,qty\n" + FOOTER, 2)
    assert caught.value.code == "no_rows"


def test_workbooks_have_footers_too_and_returned_ones_have_none(tmp_path: Path) -> None:
    for name, left in (("Orders", [2]), ("Fix these rows", [2, 3])):
        book = openpyxl.Workbook()
        book.active.title = name
        for line in (["id", "day"], ["1", "2026-01-05"], ["Sum of all", None]):
            book.active.append(line)
        book.save(tmp_path / "orders.xlsx")
        assert numbers(open_table(tmp_path / "orders.xlsx", Hints(footer_rows=1))) == left
