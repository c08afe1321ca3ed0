"""What people do to a workbook before they drop it back: none of it may confuse the way home."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pytest
from mapped import rows_of
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.closing.correction import (
    Correction,
    Origin,
    is_correction,
    leftovers,
    own_header,
    split_correction,
)
from pipeline.closing.reference import our_headers, write_reference
from pipeline.closing.workbook import ErrorsSheet, Problem, SheetRow, write_errors_workbook
from pipeline.rows import filled

HEADER = ("Order #", "Qty", "", "Zip")
ROWS = tuple(
    SheetRow(number, (f"0000{number}", "-1", f"x{number}", "02139"), (Problem(1, "-1 is below 1.", "Write 1."),))
    for number in (5, 8, 13)
)


def returned(tmp_path: Path, edit: Callable[[Worksheet], None], rows: tuple[SheetRow, ...] = ROWS) -> Correction:
    """Write a workbook, let a person edit it in another program, save, and take it in again."""
    path = tmp_path / "a.errors.xlsx"
    received = datetime(2026, 1, 5, tzinfo=UTC)
    sheet = ErrorsSheet("a.csv", "acme", "k3x9q2ab", HEADER, rows, 9, 6, 3, 0, received)
    write_errors_workbook(path, sheet)
    book = openpyxl.load_workbook(path)
    edit(book["Fix these rows"])
    book.save(path)
    lines = list(openpyxl.load_workbook(path)["Fix these rows"].iter_rows(values_only=True))
    return taken([["" if cell is None else str(cell) for cell in line] for line in lines])


def taken(lines: list[list[str]]) -> Correction:
    header, *body = lines
    assert is_correction(header)
    return split_correction(header, rows_of(body, width=len(header)))


def line(correction: Correction, number: int) -> tuple[str, ...]:
    return correction.rows.line(correction.rows.numbers.tolist().index(number))


def numbers(correction: Correction) -> list[int | None]:
    return [origin.row if origin else None for origin in correction.origins.values()]


def test_untouched_it_is_the_files_own_table_again(tmp_path: Path) -> None:
    correction = returned(tmp_path, lambda sheet: None)
    assert correction.header == HEADER
    assert list(correction.rows.lines()) == [row.cells for row in ROWS]
    assert correction.rows.numbers.tolist() == [2, 3, 4]
    assert correction.origins == {
        2: Origin("k3x9q2ab", 5),
        3: Origin("k3x9q2ab", 8),
        4: Origin("k3x9q2ab", 13),
    }
    assert correction.broken == ()


def test_sorted_and_with_a_row_deleted(tmp_path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet.delete_rows(3)
        sheet.move_range("A2:G2", rows=5)
        sheet.delete_rows(2)

    correction = returned(tmp_path, edit)
    rows = correction.rows.chosen(filled(correction.rows[0]))
    assert rows[0].to_pylist() == ["000013", "00005"]
    assert [correction.origins[row] for row in rows.numbers.tolist()] == [Origin("k3x9q2ab", 13), Origin("k3x9q2ab", 5)]


def test_an_added_row_is_a_new_one(tmp_path: Path) -> None:
    correction = returned(tmp_path, lambda sheet: sheet.append(["NEW", "1", "", "00501"]))
    assert numbers(correction) == [5, 8, 13, None]
    assert line(correction, 5) == ("NEW", "1", "", "00501")


def test_a_row_split_in_two_leads_twice_to_the_same_row(tmp_path: Path) -> None:
    correction = returned(tmp_path, lambda sheet: sheet.append([cell.value for cell in sheet[2]]))
    assert numbers(correction) == [5, 8, 13, 5]


def test_a_damaged_reference_makes_a_new_row(tmp_path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet["G2"] = str(sheet["G2"].value)[:-1]
        sheet["G3"] = "17"

    assert numbers(returned(tmp_path, edit)) == [None, None, 13]


def test_columns_moved_added_and_deleted(tmp_path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        sheet.delete_cols(5)  # Problem
        sheet.delete_cols(2)  # Qty, the file's own
        sheet.insert_cols(1)
        sheet["A1"] = "My remark"
        sheet["A2"] = "asked Ann"

    correction = returned(tmp_path, edit)
    assert correction.header == ("My remark", "Order #", "", "Zip")
    assert line(correction, 2) == ("asked Ann", "00005", "x5", "02139")
    assert numbers(correction) == [5, 8, 13]


def test_the_reference_column_moved_to_the_front(tmp_path: Path) -> None:
    def edit(sheet: Worksheet) -> None:
        references = [sheet.cell(row, 7).value for row in range(1, 5)]
        sheet.delete_cols(7)
        sheet.insert_cols(1)
        for row, reference in enumerate(references, 1):
            sheet.cell(row, 1).value = reference

    correction = returned(tmp_path, edit)
    assert correction.header == HEADER
    assert numbers(correction) == [5, 8, 13]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_saved_as_csv(tmp_path: Path, delimiter: str) -> None:
    rows = tuple(
        SheetRow(n, (f"0{n}", '5"\nline', "a;b,c\td", "=1"), (Problem(1, "x", "y"), Problem(0, "z", "w")))
        for n in (3, 4)
    )
    path = tmp_path / "saved.csv"

    def edit(sheet: Worksheet) -> None:
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=delimiter).writerows(sheet.iter_rows(values_only=True))

    returned(tmp_path, edit, rows)
    with path.open(newline="", encoding="utf-8") as file:
        correction = taken(list(csv.reader(file, delimiter=delimiter)))
    assert list(correction.rows.lines()) == [row.cells for row in rows]
    assert numbers(correction) == [3, 4]


def test_rows_of_two_workbooks_pasted_together_keep_their_batches() -> None:
    header = ["Order #", *our_headers(("Order #",))]
    body = [["1", "p", "w", write_reference("first", 2)], ["2", "p", "w", write_reference("second", 2)]]
    assert taken([header, *body]).origins == {2: Origin("first", 2), 3: Origin("second", 2)}


def test_a_control_character_left_in_is_judged_again(tmp_path: Path) -> None:
    rows = (SheetRow(5, ("A\x1bB", "1", "", "␛".replace("␛", "ok")), (Problem(0, "x", "y"),)), ROWS[1])
    correction = returned(tmp_path, lambda sheet: None, rows)
    assert correction.rows[0].to_pylist() == ["A\x1bB", "00008"]
    assert correction.rows[0].type == correction.rows[1].type


def test_an_extra_cell_nobody_moved_is_refused_not_dropped(tmp_path: Path) -> None:
    rows = (SheetRow(5, ("1", "2", "3", "4", "over"), (Problem(None, "x", "y"),)), ROWS[1])
    [rejection] = returned(tmp_path, lambda sheet: None, rows).broken
    assert (rejection.row, rejection.column, rejection.code) == (2, "Extra cell 1", "too_many_cells")
    assert "'over'" in rejection.message
    emptied = returned(tmp_path, lambda sheet: sheet.__setitem__("E2", None), rows)
    assert emptied.broken == ()
    assert emptied.header == HEADER


def test_a_text_still_cut_off_is_refused_not_sent(tmp_path: Path) -> None:
    rows = (SheetRow(5, ("x" * 40_000, "1", "", ""), (Problem(0, "x", "y"),)), ROWS[1])
    [rejection] = returned(tmp_path, lambda sheet: None, rows).broken
    assert (rejection.row, rejection.column, rejection.code) == (2, "Order #", "too_long")
    assert returned(tmp_path, lambda sheet: sheet.__setitem__("A2", "short"), rows).broken == ()


def test_a_file_with_a_problem_column_of_its_own_keeps_it() -> None:
    own = ["Order #", "Problem", "What to do"]
    header = [*own, *our_headers(own)]
    correction = taken([header, ["1", "mine", "mine too", "p", "w", write_reference("k3x9", 4)]])
    assert correction.header == tuple(own)
    assert line(correction, 2) == ("1", "mine", "mine too")


def test_an_ordinary_file_is_no_correction() -> None:
    assert not is_correction(("Order #", "Problem", "What to do"))
    assert own_header(("Order #", "Problem")) == ("Order #", "Problem")
    with pytest.raises(ValueError, match="references"):
        split_correction(("Order #",), rows_of([["1"]]))


def test_without_its_reference_column_our_other_two_are_known_leftovers() -> None:
    assert leftovers(("Order #", "Problem", "What to do")) == ("Problem", "What to do")
    assert leftovers(("Order #", "Problem")) == ()
    assert leftovers(("Order #", *our_headers(()))) == ()


def test_only_references_left_gives_rows_without_cells() -> None:
    correction = taken([[*our_headers(())], ["p", "w", write_reference("k3x9", 4)]])
    assert correction.header == ()
    assert (len(correction.rows), correction.rows.width) == (1, 0)
    assert correction.origins == {2: Origin("k3x9", 4)}


def test_a_block_without_rows_is_fine() -> None:
    correction = taken([["Order #", *our_headers(())]])
    assert (len(correction.rows), correction.rows.width) == (0, 1)
    assert (correction.origins, correction.broken) == ({}, ())
