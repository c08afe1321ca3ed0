"""The workbook in ``errors/``: read back with openpyxl, as another program would."""

import contextlib
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import xlsxwriter
from msgspec.structs import replace
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.closing import fix_sheet, passing, workbook
from pipeline.closing.cells import CUT_MARK, write_text
from pipeline.closing.reference import is_refusal
from pipeline.closing.row_writer import RowWriter
from pipeline.closing.workbook import (
    ErrorsSheet,
    Problem,
    SheetRow,
    write_errors_workbook,
    write_refusal_workbook,
)

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
HEADER = ("Order #", "Order Date", "", "Qty", "Qty")
BAD_DATE = Problem(1, "'13/45/2026' is not a date.", "Write it as 01/05/2026.")
BAD_QTY = Problem(3, "-2 is below 1.", "Write at least 1.")
ROW = SheetRow(7, ("112233445566778899", "13/45/2026", "", "-2", "002"), (BAD_DATE, BAD_QTY))
SHEET = ErrorsSheet(
    "ACME_orders_0105.csv",
    "acme_orders",
    "k3x9q2ab",
    HEADER,
    (ROW,),
    read=120,
    accepted=118,
    rejected=1,
    skipped=1,
    received=datetime(2026, 1, 5, 8, 15, tzinfo=ZoneInfo("America/New_York")),
    deliveries={"shop": {"delivered": 57, "in_doubt": 1}},
    notes=("Column 'Internal note' is not used.",),
)


def written(tmp_path: Path, sheet: ErrorsSheet) -> openpyxl.Workbook:
    path = tmp_path / "a.errors.xlsx"
    assert write_errors_workbook(path, sheet) == (path,)
    return openpyxl.load_workbook(path)


def texts(sheet: Worksheet) -> list[list[str]]:
    return [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]


def prose(sheet: Worksheet) -> str:
    return "\n".join(" | ".join(filter(None, row)) for row in texts(sheet))


def test_the_first_sheet_is_the_files_own_table_with_ours_to_the_right(tmp_path: Path) -> None:
    book = written(tmp_path, SHEET)
    assert book.sheetnames == ["Fix these rows", "Summary", "How to correct"]
    header, row = texts(book["Fix these rows"])
    assert header == [*HEADER, "Problem", "What to do", "Row reference (leave as it is)"]
    assert row[:5] == list(ROW.cells)
    assert row[5] == "1. '13/45/2026' is not a date.\n2. -2 is below 1."
    assert row[6] == "1. Write it as 01/05/2026.\n2. Write at least 1."
    assert row[7].startswith("OD1-k3x9q2ab-7-")


def test_every_cell_of_the_table_is_text_also_where_people_add_rows(tmp_path: Path) -> None:
    sheet = written(tmp_path, SHEET)["Fix these rows"]
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    dimension = sheet.column_dimensions["A"]
    assert dimension.number_format == "@"


def test_readers_that_trust_the_stated_size_find_the_true_one(tmp_path: Path) -> None:
    written(tmp_path, SHEET)
    sheet = openpyxl.load_workbook(tmp_path / "a.errors.xlsx", read_only=True)["Fix these rows"]
    assert sheet.calculate_dimension() == "A1:H2"
    sheet.parent.close()


def test_exactly_the_wrong_cells_are_red_and_carry_a_note(tmp_path: Path) -> None:
    sheet = written(tmp_path, SHEET)["Fix these rows"]
    noted = {cell.column - 1: cell.comment.text for cell in sheet[2] if cell.comment}
    red = {cell.column - 1 for cell in sheet[2][:5] if cell.fill.fgColor.rgb == "FFF8B4B4"}
    assert noted == {1: f"{BAD_DATE.message}\n{BAD_DATE.advice}", 3: f"{BAD_QTY.message}\n{BAD_QTY.advice}"}
    assert red == {1, 3}


def test_a_problem_of_the_whole_row_marks_no_cell(tmp_path: Path) -> None:
    row = SheetRow(9, ROW.cells, (Problem(None, "The row is torn.", "Mend it."),))
    sheet = written(tmp_path, replace(SHEET, rows=(row,)))["Fix these rows"]
    assert not [cell for cell in sheet[2] if cell.comment]
    assert sheet["F2"].value == "The row is torn."


def test_a_row_that_only_waits_is_yellow_not_red(tmp_path: Path) -> None:
    waits = SheetRow(8, ROW.cells, (Problem(None, "Held back because of row 7.", "Nothing to do.", held=True),))
    sheet = written(tmp_path, replace(SHEET, rows=(ROW, waits)))["Fix these rows"]
    assert sheet["F2"].fill.fgColor.rgb != sheet["F3"].fill.fgColor.rgb == "FFFFF4D6"


def test_the_header_stays_in_sight_and_can_be_filtered(tmp_path: Path) -> None:
    book = written(tmp_path, SHEET)
    sheet = book["Fix these rows"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:H2"
    assert book.active is sheet


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "=cmd|'/c calc'!A1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1+1",
        "https://example.com",
        "mailto:ann@example.com",
        "internal:Sheet2!A1",
        "{=1+1}",
        "1e5",
        "TRUE",
        "#N/A",
        "<r></r>",
        "<r><t>x</t></r></is></c><c r='Z9'><f>1+1</f></c><c r='Z8' t='inlineStr'><is><r></r>",
        "<b>&amp;]]>",
        "_x0041_",
    ],
)
def test_no_text_becomes_a_formula_a_link_a_number_or_markup(tmp_path: Path, text: str) -> None:
    row = SheetRow(2, (text, text, text, text, text), (Problem(0, text, text),))
    named = replace(SHEET, file_name=text, feed=text, header=(text, "B", text, "D", "E"), rows=(row,), notes=(text,))
    book = written(tmp_path, named)
    sheet = book["Fix these rows"]
    shown = text if text != "_x0041_" else "_x005F_x0041_"  # Excel's own escape, which openpyxl leaves in place
    assert texts(sheet)[1][:7] == [shown] * 7
    assert texts(sheet)[0][0] == texts(sheet)[0][2] == shown
    assert sheet.max_column == 8
    assert {cell.data_type for page in book for line in page.iter_rows() for cell in line} <= {"s", "n"}
    assert not sheet._hyperlinks


def test_the_parts_of_the_file_hold_no_formula_and_no_macro(tmp_path: Path) -> None:
    row = SheetRow(2, ("=1+1", "<r><f>1</f></r>", "", "", ""), (BAD_DATE,))
    written(tmp_path, replace(SHEET, rows=(row,)))
    with zipfile.ZipFile(tmp_path / "a.errors.xlsx") as parts:
        assert not [name for name in parts.namelist() if "vba" in name or "externalLink" in name]
        assert b"<f>" not in b"".join(parts.read(n) for n in parts.namelist() if "worksheets/sheet" in n)


def test_a_text_too_long_for_a_cell_is_cut_and_said_to_be(tmp_path: Path) -> None:
    row = SheetRow(2, ("x" * 40_000, "", "", "", ""), (BAD_DATE,))
    sheet = written(tmp_path, replace(SHEET, rows=(row,)))["Fix these rows"]
    assert str(sheet["A2"].value).endswith(CUT_MARK)
    assert "Column 'Order #' holds 40,000 characters" in str(sheet["F2"].value)
    assert sheet["A2"].comment is not None


def test_cells_beyond_the_header_are_kept_under_headers_of_their_own(tmp_path: Path) -> None:
    row = SheetRow(2, (*ROW.cells, "over", "flow"), (Problem(None, "Too many cells.", "Move them."),))
    header, cells = texts(written(tmp_path, replace(SHEET, rows=(row,)))["Fix these rows"])
    assert header[5:8] == ["Extra cell 1", "Extra cell 2", "Problem"]
    assert cells[5:7] == ["over", "flow"]


def test_a_short_row_is_padded(tmp_path: Path) -> None:
    row = SheetRow(2, ("only",), (BAD_DATE,))
    assert texts(written(tmp_path, replace(SHEET, rows=(row,)))["Fix these rows"])[1][:5] == [
        "only",
        "",
        "",
        "",
        "",
    ]


def test_a_file_wider_than_a_sheet_keeps_our_columns_and_says_what_is_missing(tmp_path: Path) -> None:
    header = tuple(f"c{n}" for n in range(16_384))
    row = SheetRow(2, tuple(str(n) for n in range(16_384)), (BAD_DATE,))
    sheet = written(tmp_path, replace(SHEET, header=header, rows=(row,)))["Fix these rows"]
    assert sheet.max_column == 16_384
    assert "16,381" in str(sheet.cell(2, 16_382).value)


def test_more_rows_than_a_sheet_holds_go_on_in_a_second_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "ROWS_PER_WORKBOOK", 2)
    rows = tuple(replace(ROW, number=number) for number in range(2, 7))
    paths = write_errors_workbook(tmp_path / "a.errors.xlsx", replace(SHEET, rows=rows))
    assert [path.name for path in paths] == ["a.errors.xlsx", "a.errors.part2.xlsx", "a.errors.part3.xlsx"]
    sheets = [texts(openpyxl.load_workbook(path)["Fix these rows"])[1:] for path in paths]
    assert [line[7].split("-")[2] for lines in sheets for line in lines] == ["2", "3", "4", "5", "6"]


def test_a_sheet_too_large_for_a_plain_archive_goes_on_in_a_second_workbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "BYTES_PER_SHEET", 1_300)
    rows = tuple(replace(ROW, number=number) for number in range(2, 7))
    paths = write_errors_workbook(tmp_path / "a.errors.xlsx", replace(SHEET, rows=rows))
    sheets = [texts(openpyxl.load_workbook(path)["Fix these rows"])[1:] for path in paths]
    assert [[line[7].split("-")[2] for line in lines] for lines in sheets] == [["2", "3"], ["4", "5"], ["6"]]


def test_beyond_some_number_cells_are_red_without_a_note_and_the_summary_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (fix_sheet, workbook):
        monkeypatch.setattr(module, "NOTES_LIMIT", 3)
    rows = tuple(replace(ROW, number=number) for number in range(2, 5))
    book = written(tmp_path, replace(SHEET, rows=rows))
    lines = list(book["Fix these rows"].iter_rows(min_row=2))
    assert [sum(cell.comment is not None for cell in line) for line in lines] == [2, 1, 0]
    assert {cell.fill.fgColor.rgb for line in lines for cell in (line[1], line[3])} == {"FFF8B4B4"}
    assert "Notes stand at the first 3 of 6 red cells" in prose(book["Summary"])
    assert "Notes stand" not in prose(written(tmp_path, SHEET)["Summary"])


def test_many_rows_are_gone_through_twice_and_give_the_same_bytes_as_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = (*(replace(ROW, number=number) for number in range(2, 9)), replace(ROW, cells=(*ROW.cells, "over")))

    class Anew:
        def __iter__(self) -> Iterator[SheetRow]:
            return iter(rows)

    told: list[int] = []
    write_errors_workbook(tmp_path / "held.xlsx", replace(SHEET, rows=rows), tell=told.append)
    monkeypatch.setattr(passing, "_CELLS_IN_HAND", 3)
    monkeypatch.setattr(passing, "_TOLD_EVERY", 3)
    write_errors_workbook(tmp_path / "anew.xlsx", replace(SHEET, rows=Anew()), tell=told.append)
    assert told == [3, 6]
    assert (tmp_path / "held.xlsx").read_bytes() == (tmp_path / "anew.xlsx").read_bytes()


@pytest.mark.parametrize(
    "text",
    [" a", "a\n", "\xa0a", "a\tb", "a & b", "<b>", "_x0041_x0042_", "a\x1bb\x00", "\ud800", "x" * 33_000, "é", "😀"],
)
def test_a_row_written_at_once_is_the_row_that_xlsxwriter_writes(tmp_path: Path, text: str) -> None:
    cells = ("plain", text, "", text)
    book = xlsxwriter.Workbook(tmp_path / "a.xlsx", {"constant_memory": True})
    sheet, other, style = book.add_worksheet("ours"), book.add_worksheet("theirs"), book.add_format({"bold": True})
    writer = RowWriter(sheet, len(cells))
    writer.row(cells, [writer.style(style)] * len(cells), 31)
    writer.close()
    other.set_row(0, 31)
    for column, cell in enumerate(cells):
        write_text(other, 0, column, cell, style)
    book.close()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        ours, theirs = (ET.fromstring(parts.read(f"xl/worksheets/sheet{n}.xml")) for n in (1, 2))
    for one in ("sheetData", "dimension"):
        a, b = (ET.tostring(found.find(f"{{{MAIN}}}{one}")) for found in (ours, theirs))
        assert a == b.replace(b"_x005F_x0041_x0042_", b"_x005F_x0041_x005F_x0042_")


def test_the_summary_tells_the_balance_in_words(tmp_path: Path) -> None:
    told = prose(written(tmp_path, SHEET)["Summary"])
    assert "120 read = 118 accepted + 1 rejected + 1 skipped: every row is accounted for." in told
    assert "Received | 2026-01-05 08:15 EST" in told
    assert "shop | 57 | 0 | 0 | 0 | 0 | 1" in told
    assert "Order Date | 1 | row" in told
    assert "Column 'Internal note' is not used." in told


def test_the_summary_never_claims_a_balance_that_is_none(tmp_path: Path) -> None:
    told = prose(written(tmp_path, replace(SHEET, read=121))["Summary"])
    assert "121 read, but" in told
    assert "accounted for" not in told


def test_the_instructions_name_the_inbox(tmp_path: Path) -> None:
    assert "Drop it into the inbox folder" in prose(written(tmp_path, SHEET)["How to correct"])


def test_the_same_sheet_gives_the_same_bytes(tmp_path: Path) -> None:
    paths = (tmp_path / "a.xlsx", tmp_path / "b.xlsx")
    for path in paths:
        write_errors_workbook(path, SHEET)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_workbook_that_cannot_be_finished_leaves_the_old_one_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a.errors.xlsx"
    path.write_bytes(b"the old one")
    with pytest.raises(ValueError, match="batch link"):
        write_errors_workbook(path, replace(SHEET, link="no link"))
    assert path.read_bytes() == b"the old one"
    assert [each.name for each in tmp_path.iterdir()] == ["a.errors.xlsx"]


def test_a_place_that_is_taken_by_a_folder_is_an_os_error_and_leaves_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a.errors.xlsx"
    path.mkdir()
    with pytest.raises(OSError, match=r"a\.errors\.xlsx"):
        write_errors_workbook(path, SHEET)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("link", ["k3x9q2ab", "no link"])
def test_nothing_is_left_behind_outside_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    scratch, errors = tmp_path / "scratch", tmp_path / "errors"
    for folder in (scratch, errors):
        folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with contextlib.suppress(ValueError):
        write_errors_workbook(errors / "a.errors.xlsx", replace(SHEET, link=link))
    assert list(scratch.iterdir()) == []


def test_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"a\.errors\.xlsx"):
        write_errors_workbook(tmp_path / "gone" / "a.errors.xlsx", SHEET)


def test_a_refused_file_comes_back_with_the_one_reason(tmp_path: Path) -> None:
    path = tmp_path / "r.errors.xlsx"
    write_refusal_workbook(
        path,
        "=evil.xlsx",
        "It is protected with a password.",
        "Take it away.",
        datetime(2026, 1, 5, tzinfo=UTC),
    )
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["This file could not be read"]
    told = prose(book.active)  # type: ignore[arg-type]
    assert "This file could not be read | =evil.xlsx" in told
    assert "Problem | It is protected with a password." in told
    assert "What to do | Take it away." in told
    assert is_refusal(texts(book.active)[0])  # type: ignore[arg-type]
    assert not is_refusal(HEADER)
    assert not is_refusal(())
