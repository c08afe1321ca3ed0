"""Workbooks: xlsx from real writers and by hand, BIFF and xlsb by their documents, ods from odfpy."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter

from pipeline.errors import FileRefused
from pipeline.reading import Hints, Table, open_table

SHEET = "xl/worksheets/sheet1.xml"


def written(path: Path, fill: Callable[[xlsxwriter.Workbook], None], **options: object) -> Path:
    book = xlsxwriter.Workbook(str(path), options)
    fill(book)
    book.close()
    return path


def rows(opened: Table) -> dict[int, list[str]]:
    return {
        number: cells
        for block in opened.blocks(2)
        for number, cells in zip(block.rows.numbers.tolist(), map(list, block.rows.lines()), strict=True)
    }


def refused(path: Path, **hints: object) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        rows(open_table(path, Hints(**hints)))  # type: ignore[arg-type]
    assert path.name in caught.value.message
    assert caught.value.advice
    return caught.value


def grid(book: xlsxwriter.Workbook, name: str, *lines: list[object], start: int = 0) -> xlsxwriter.worksheet.Worksheet:
    sheet = book.add_worksheet(name)
    for number, line in enumerate(lines, start):
        sheet.write_row(number, 0, line)
    return sheet


def test_cells_are_the_texts_a_person_sees(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = grid(book, "Orders", ["id", "value"])
        shapes = [
            (17850.0, None),
            (2339, "00000"),
            (12.5, "0.00"),
            (46027.34375, "dd/mm/yyyy hh:mm"),
            (0.15, "0%"),
        ]
        for number, (value, code) in enumerate(shapes, 1):
            sheet.write_number(number, 1, value, book.add_format({"num_format": code}) if code else None)
        sheet.write(6, 1, True)
        sheet.write_formula(7, 1, "=1/0", None, "#DIV/0!")
        sheet.write_formula(8, 1, '="a"&"b"', None, "ab")
        sheet.write_rich_string(9, 1, book.add_format({"bold": True}), "bold", " not")
        sheet.write_string(10, 1, "  007\n=1+1 ")
        sheet.write_string(11, 1, "_x000D_")

    opened = open_table(written(tmp_path / "orders.xlsx", fill))
    assert [cells[1] for cells in rows(opened).values()] == [
        "17850", "02339", "12.50", "2026-01-05 08:15:00", "15%", "TRUE", "#DIV/0!", "ab", "bold not",
        "  007\n=1+1 ", "_x000D_",
    ]  # fmt: skip


def test_the_1904_date_system(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = grid(book, "Orders", ["id", "day"])
        sheet.write_row(1, 0, [1])
        sheet.write_number(1, 1, 44565, book.add_format({"num_format": "yyyy-mm-dd"}))

    opened = open_table(written(tmp_path / "orders.xlsx", fill, date_1904=True))
    assert rows(opened) == {2: ["1", "2026-01-05"]}


def test_titles_gaps_and_stray_cells(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = grid(
            book,
            "Orders",
            ["id", "name", "qty"],
            ["1", "Bob", 2],
            ["2"],
            [],
            [3, "Eve", 1, "", "note"],
            start=3,
        )
        sheet.merge_range("A1:C1", "Orders of January")

    opened = open_table(written(tmp_path / "orders.xlsx", fill))
    assert (opened.header, opened.found.header_row) == (("id", "name", "qty"), 4)
    assert rows(opened) == {5: ["1", "Bob", "2"], 6: ["2", "", ""], 8: ["3", "Eve", "1"]}
    blocks = list(opened.blocks(100))
    assert [(bad.row, bad.code) for bad in blocks[0].broken] == [(8, "too_many_cells")]
    assert blocks[0].overflow == {8: ("", "note")}
    assert open_table(tmp_path / "orders.xlsx", opened.found.hints()).header == opened.header


def test_a_formula_without_a_stored_value_is_named_by_cell_and_column(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for line in (["id", "total"], [1, "=A2*2"], [2, 5]):
        book.active.append(line)
    book.save(tmp_path / "orders.xlsx")
    (block,) = open_table(tmp_path / "orders.xlsx").blocks(10)
    (bad,) = block.broken
    assert (bad.row, bad.column, bad.code) == (2, "total", "formula_without_value")
    assert "B2" in bad.message
    assert list(block.rows.lines()) == [("1", ""), ("2", "5")]


def two_sheets(book: xlsxwriter.Workbook) -> None:
    grid(book, "January", ["id", "name"], [1, "Bob"])
    grid(book, "February", ["id", "name"], [2, "Eve"])


def test_the_sheet_is_named_or_the_file_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "orders.xlsx", two_sheets)
    assert refused(path).code == "which_sheet"
    assert "January" in refused(path).message
    assert rows(open_table(path, Hints(sheet="february "))) == {2: ["2", "Eve"]}
    assert refused(path, sheet="Febuary").code == "no_such_sheet"
    assert "Did you mean 'February'?" in refused(path, sheet="Febuary").message


def test_hidden_sheets_and_notes_are_left_out_and_hidden_rows_read(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        grid(book, "Read me", ["Please check"])
        sheet = grid(book, "Orders", ["id", "name"], [1, "Bob"], [2, "Eve"])
        sheet.set_row(2, None, None, {"hidden": True})
        grid(book, "Lists", ["a", "b"], ["c", "d"]).hide()

    opened = open_table(written(tmp_path / "orders.xlsx", fill))
    assert rows(opened) == {2: ["1", "Bob"], 3: ["2", "Eve"]}
    notes = " ".join(opened.found.notes)
    assert "Lists" in notes
    assert "Read me" in notes
    assert "1 hidden row was read too" in notes


def test_hidden_rows_are_read_skipped_or_refused_as_the_mapping_says(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = grid(book, "Orders", ["id", "name"], [1, "Bob"], [2, "Eve"], [3, "Zoë"])
        sheet.set_row(2, None, None, {"hidden": True})

    path = written(tmp_path / "orders.xlsx", fill)
    skipped = open_table(path, Hints(hidden_rows="skip"))
    assert rows(skipped) == {2: ["1", "Bob"], 4: ["3", "Zoë"]}
    assert "1 hidden row was left out" in " ".join(skipped.found.notes)
    assert rows(open_table(path, skipped.found.hints())) == rows(skipped)
    assert refused(path, hidden_rows="refuse").code == "hidden_rows"


def test_merged_cells_hold_their_text_once_or_in_every_row_as_the_mapping_says(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = grid(book, "Orders", ["order", "sku", "qty"], [None, "A", 1], [None, "B", 2], [None, "C", 3])
        sheet.merge_range("A2:A3", "1001")
        sheet.write("A4", "1002")

    path = written(tmp_path / "orders.xlsx", fill)
    plain = open_table(path)
    assert rows(plain) == {2: ["1001", "A", "1"], 3: ["", "B", "2"], 4: ["1002", "C", "3"]}
    assert "merged_cells: fill" in " ".join(plain.found.notes)
    filled = open_table(path, Hints(merged_cells="fill"))
    assert rows(filled) == {2: ["1001", "A", "1"], 3: ["1001", "B", "2"], 4: ["1002", "C", "3"]}
    assert rows(open_table(path, filled.found.hints())) == rows(filled)


def test_a_text_longer_than_memory_allows_is_damage(tmp_path: Path) -> None:
    path = written(tmp_path / "long.xlsx", lambda book: grid(book, "Orders", ["id", "name"], [1, "x"]) and None)
    long = b"<v>" + b"1" * (1 << 25) + b"</v>"
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as book:
        for name, content in parts.items():
            book.writestr(name, content.replace(b"<v>1</v>", long, 1) if name == SHEET else content)
    assert refused(path).code == "damaged_workbook"


def test_a_returned_errors_workbook_is_read_by_its_first_sheet_whatever_the_mapping_names(
    tmp_path: Path,
) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        grid(book, "Fix these rows", ["id", "name"], [1, "Bob"])
        grid(book, "Summary", ["rows", "read"], ["a", "b"])

    opened = open_table(written(tmp_path / "orders.errors.xlsx", fill), Hints(sheet="Orders", header_row=4))
    assert (opened.found.sheet, rows(opened)) == ("Fix these rows", {2: ["1", "Bob"]})


@pytest.mark.parametrize(("lines", "code"), [([], "empty_file"), ([["id", "name"]], "no_rows")])
def test_workbooks_without_rows(tmp_path: Path, lines: list[list[object]], code: str) -> None:
    path = written(tmp_path / "orders.xlsx", lambda book: grid(book, "Orders", *lines) and None)
    assert refused(path).code == code


def test_a_header_row_that_is_not_there(tmp_path: Path) -> None:
    assert refused(written(tmp_path / "orders.xlsx", two_sheets), sheet="January", header_row=7).code == "no_header_row"


def rewritten(folder: Path, change: Callable[[str, bytes], bytes | None]) -> Path:
    """A sound workbook with its parts changed by hand; ``None`` leaves a part out."""
    sound = written(
        folder / "sound.xlsx",
        lambda book: grid(book, "Orders", ["id", "name"], [1, "Bob"], [2, "Eve"]) and None,
    )
    path = folder / "orders.xlsx"
    with zipfile.ZipFile(sound) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = change(name, source.read(name))
            if content is not None:
                target.writestr(name, content)
    return path


def in_sheet(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    return lambda name, content: content.replace(old, new) if name == SHEET else content


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (in_sheet(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "aa">]><worksheet'), "unsafe_workbook"),
        (in_sheet(b"<worksheet", b"<!--" + b" " * 70_000 + b"--><!DOCTYPE x><worksheet"), "unsafe_workbook"),
        (in_sheet(b"</worksheet>", b""), "damaged_workbook"),
        (in_sheet(b'<row r="3"', b'<row r="1"'), "damaged_workbook"),
        (in_sheet(b'r="B3"', b'r="ZZZZ3"'), "damaged_workbook"),
        (in_sheet(b"<v>3</v>", b"<v>99</v>"), "damaged_workbook"),
        (in_sheet(b"<v>3</v>", b"<v>-1</v>"), "damaged_workbook"),
        (lambda name, content: None if name == SHEET else content, "damaged_workbook"),
        (lambda name, content: None if name == "xl/workbook.xml" else content, "damaged_workbook"),
        (lambda name, content: None if name == "xl/sharedStrings.xml" else content, "damaged_workbook"),
    ],
)
def test_damaged_and_dangerous_parts(tmp_path: Path, change: Callable[[str, bytes], bytes | None], code: str) -> None:
    assert refused(rewritten(tmp_path, change)).code == code


@pytest.mark.parametrize(
    "change",
    [
        lambda name, content: None if name == "xl/styles.xml" else content,
        lambda name, content: re.sub(rb' r="[A-Z]*\d+"', b"", content) if name == SHEET else content,
        lambda name, content: (
            re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", content).replace(b" xmlns=", b" xmlns:x=")
            if name == SHEET
            else content
        ),
        in_sheet(
            b'<c r="B3" t="s"><v>3</v>',
            b'<c r="B3" t="inlineStr"><is><r><t>E</t></r><rPh><t>x</t></rPh><t>ve</t></is>',
        ),
        in_sheet(b'<c r="A3"><v>2</v>', b'<c r="A3" t="str"><f>"2"</f><v>2</v>'),
    ],
)
def test_what_other_writers_leave_out_or_write_otherwise(tmp_path: Path, change: Callable[[str, bytes], bytes]) -> None:
    assert rows(open_table(rewritten(tmp_path, change))) == {2: ["1", "Bob"], 3: ["2", "Eve"]}


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_workbook_cut_short(tmp_path: Path, share: float) -> None:
    content = written(tmp_path / "sound.xlsx", two_sheets).read_bytes()
    (tmp_path / "orders.xlsx").write_bytes(content[: int(len(content) * share)])
    assert refused(tmp_path / "orders.xlsx").code == "damaged_workbook"


def biff(*cells: tuple[int, int, str | float]) -> bytes:
    """A bare BIFF2 stream ("OpenOffice.org's Documentation of the Microsoft Excel File Format", §5)."""
    records = [(0x0009, struct.pack("<HH", 2, 0x10))]
    for row, column, value in cells:
        place = struct.pack("<HH3x", row, column)
        if isinstance(value, str):
            records.append((0x0004, place + bytes([len(value)]) + value.encode("latin-1")))
        else:
            records.append((0x0003, place + struct.pack("<d", value)))
    records.append((0x000A, b""))
    return b"".join(struct.pack("<HH", code, len(body)) + body for code, body in records)


def test_old_xls(tmp_path: Path) -> None:
    path = tmp_path / "orders.xls"
    path.write_bytes(biff((0, 0, "id"), (0, 1, "name"), (1, 0, 17850.0), (1, 1, "Bob"), (3, 0, 0.3), (3, 1, "007")))
    opened = open_table(path)
    assert (opened.found.format, opened.header) == ("xls", ("id", "name"))
    assert rows(opened) == {2: ["17850", "Bob"], 4: ["0.3", "007"]}


def test_xls_with_a_password(tmp_path: Path) -> None:
    path = tmp_path / "orders.xls"
    plain = biff((0, 0, "id"), (1, 0, 1.0))
    path.write_bytes(plain[:8] + struct.pack("<HHI", 0x2F, 4, 1234) + plain[8:])
    assert refused(path).code == "password_protected"


def test_xls_that_ends_too_early(tmp_path: Path) -> None:
    path = tmp_path / "orders.xls"
    path.write_bytes(biff((0, 0, "id"), (1, 0, 1.0))[:-20])
    assert refused(path).code == "damaged_workbook"


def test_a_sheet_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "bare.xlsx", lambda book: grid(book, "Orders", [1001, "A"], [1002, "B"]) and None)
    opened = open_table(path, Hints(header_row=0))
    assert (opened.header, rows(opened)) == (("column 1", "column 2"), {1: ["1001", "A"], 2: ["1002", "B"]})
