"""Headers of two rows: found by evidence, refused with both readings without it, pinned by the mapping."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from pipeline.errors import FileRefused
from pipeline.reading import Hints, Table, open_table
from pipeline.reading.tiers import joined

ROWS = "1001,Bob,Main,Ann,Side,2\n1002,Eve,Main,Ann,Side,3\n"
JOINED = ("Shipping Name", "Shipping Street", "Billing Name", "Billing Street", "Qty")
WORDS = "Who,,Whom,\nName,Town,Name,Town\nBob,Rome,Ann,Oslo\nBob,Rome,Eve,Oslo\n"


def opened(folder: Path, text: str, **hints: object) -> Table:
    path = folder / "orders.csv"
    path.write_text(text)
    return open_table(path, Hints(**hints))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "row", "header"),
    [
        ("Order,Shipping,,Billing,,Qty\n,Name,Street,Name,Street,\n" + ROWS, 2, ("Order", *JOINED)),
        ("Order,Shipping,,Billing,,\nNo,Name,Street,Name,Street,Qty\n" + ROWS, 2, ("No", *JOINED)),
        ("Report\n\nOrder,Shipping,,Billing,,\nNo,Name,Street,Name,Street,Qty\n" + ROWS, 4, ("No", *JOINED)),
    ],
)
def test_groups_stand_in_front_of_names_that_repeat(tmp_path: Path, text: str, row: int, header: tuple[str]) -> None:
    table = opened(tmp_path, text)
    assert (table.header, table.found.header_row, table.found.header_rows) == (header, row, 2)
    assert "one header" in " ".join(table.found.notes)
    (block,) = table.blocks(9)
    assert block.rows.numbers.tolist() == [row + 1, row + 2]
    again = open_table(tmp_path / "orders.csv", table.found.hints())
    assert (again.header, again.found.header_row) == (table.header, row)


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("Order,,Customer,Item,,\nOrder #,Date,Name,SKU,Qty,Price\n" + "1,2026-01-01,Bob,A,2,3\n" * 2, 2),
        ("id,name,,\nA1,Bob,Rome,Rome\nB2,Eve,y,Bonn\n", 1),
        ("name,,city\nBob,x,Rome\nEve,y,Bonn\n", 1),
        ("2026,,January 5,\nName,Street,Name,Street\n" + "5 Bob,Main,Ann,Side\n" * 3, 1),
        ("id,size,size\n1,S,S\n2,M,L\n", 1),
    ],
)
def test_what_is_no_header_of_two_rows_is_left_alone(tmp_path: Path, text: str, row: int) -> None:
    table = opened(tmp_path, text)
    assert (table.found.header_row, table.found.header_rows) == (row, 1)


def test_two_readings_that_are_equally_likely_are_refused_with_both_and_pinned(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        opened(tmp_path, WORDS)
    assert caught.value.code == "ambiguous_header"
    assert "“Who”" in caught.value.message
    assert "“Who Name”" in caught.value.message
    assert opened(tmp_path, WORDS, header_rows=1).header == ("Who", "", "Whom", "")
    both = ("Who Name", "Who Town", "Whom Name", "Whom Town")
    assert opened(tmp_path, WORDS, header_rows=2).header == both
    assert opened(tmp_path, WORDS, header_row=2, header_rows=2).header == both
    assert opened(tmp_path, WORDS, header_row=2).header == ("Name", "Town", "Name", "Town")


def test_merged_cells_over_names_are_evidence_enough(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "orders.xlsx"))
    sheet = book.add_worksheet("Orders")
    for number, line in enumerate(
        [["", "", "", "", ""], ["", "Name", "Town", "Name", "Town"], ["A", "Bob", "Rome", "Ann", "Oslo"]]
    ):
        sheet.write_row(number, 0, line)
    sheet.merge_range("A1:A2", "Order")
    sheet.merge_range("B1:C1", "Shipping")
    sheet.merge_range("D1:E1", "Billing")
    book.close()
    table = open_table(tmp_path / "orders.xlsx")
    assert table.header == ("Order", "Shipping Name", "Shipping Town", "Billing Name", "Billing Town")
    (block,) = table.blocks(9)
    assert block.rows.numbers.tolist() == [3]


def test_a_header_is_joined_by_what_a_person_needs() -> None:
    assert joined(("Order", "Ship", "", "Bill"), ("No", "Name", " Town", "Name")) == (
        "No", "Ship Name", " Town", "Bill Name",
    )  # fmt: skip
    assert joined(("A", "", ""), ("x",)) == ("x",)
    assert joined(("A",), ("", "y")) == ("A", "y")
