"""Binary workbooks (.xlsb, by their document) and OpenDocument spreadsheets: what a person sees of them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from odf import opendocument
from odf import table as odf_table
from odf import text as odf_text

from pipeline.errors import FileRefused
from pipeline.reading import Hints, Table, open_table


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


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb_part(*records: tuple[int, bytes]) -> bytes:
    """Records of [MS-XLSB] §2.1.4: number and size in seven bits a byte."""
    out = io.BytesIO()
    for number, body in records:
        out.write(bytes([number]) if number < 128 else bytes([number & 0x7F | 0x80, number >> 7]))
        out.write(bytes([len(body)]) if len(body) < 128 else bytes([len(body) & 0x7F | 0x80, len(body) >> 7]))
        out.write(body)
    return out.getvalue()


Cell = str | float | tuple[int, bytes]


def xlsb(path: Path, lines: list[list[Cell]], *extra: tuple[int, bytes], hidden: int = 99) -> Path:
    """A workbook of one sheet; a cell may be a record of its own. Style 1 is ``00000``, style 2 a date."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    body: list[tuple[int, bytes]] = [
        (129, b""),
        (148, struct.pack("<IIII", 0, len(lines) - 1, 0, len(lines[0]) - 1)),
        (145, b""),
    ]
    for number, line in enumerate(lines):
        body.append((0, struct.pack("<I7xB5x", number, 0x10 if number == hidden else 0)))
        for column, value in enumerate(line):
            place = struct.pack("<I", column)
            if isinstance(value, tuple):
                body.append((value[0], place + value[1]))
                continue
            place += struct.pack("<I", 0)
            body.append((6, place + wide(value)) if isinstance(value, str) else (5, place + struct.pack("<d", value)))
    body += [(146, b""), *extra, (130, b"")]
    styles = [
        (44, struct.pack("<H", 164) + wide("00000")),
        (617, b""), *((47, struct.pack("<HH12x", 0, code)) for code in (0, 164, 14)), (618, b""),
    ]  # fmt: skip
    book = [
        (131, b""),
        (143, b""),
        (156, struct.pack("<II", 0, 1) + wide("rId1") + wide("Orders")),
        (144, b""),
        (132, b""),
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Override PartName="/xl/workbook.bin" '
            'ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
        )
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
            f'Type="{relations}/worksheet" '
            'Target="worksheets/sheet1.bin"/>'
            f'<Relationship Id="rId2" Type="{relations}/styles" Target="styles.bin"/>'
            f'<Relationship Id="rId3" Type="{relations}/sharedStrings" Target="sharedStrings.bin"/></Relationships>',
        )
        archive.writestr("xl/workbook.bin", xlsb_part(*book))
        archive.writestr("xl/worksheets/sheet1.bin", xlsb_part(*body))
        archive.writestr("xl/styles.bin", xlsb_part(*styles))
        archive.writestr("xl/sharedStrings.bin", xlsb_part((19, b"\0" + wide("shared"))))
    return path


def test_binary_workbooks(tmp_path: Path) -> None:
    opened = open_table(xlsb(tmp_path / "orders.xlsb", [["id", "name"], [17850.0, "Bob"], [0.1 + 0.2, "Eve"]]))
    assert (opened.found.format, opened.header, opened.found.sheet) == ("xlsb", ("id", "name"), "Orders")
    assert rows(opened) == {2: ["17850", "Bob"], 3: ["0.3", "Eve"]}
    assert not opened.found.notes


def ods(path: Path, lines: list[list[str | float]]) -> Path:
    document = opendocument.OpenDocumentSpreadsheet()
    sheet = odf_table.Table(name="Orders")
    for line in lines:
        row = odf_table.TableRow()
        for value in line:
            kind = {"valuetype": "string"} if isinstance(value, str) else {"valuetype": "float", "value": value}
            cell = odf_table.TableCell(**kind)
            cell.addElement(odf_text.P(text=str(value)))
            row.addElement(cell)
        sheet.addElement(row)
    document.spreadsheet.addElement(sheet)
    document.save(str(path))
    return path


def test_open_document_spreadsheets(tmp_path: Path) -> None:
    opened = open_table(ods(tmp_path / "orders.ods", [["id", "name"], [17850.0, "Bob"], [2.5, "007"]]))
    assert (opened.found.format, opened.header) == ("ods", ("id", "name"))
    assert rows(opened) == {2: ["17850", "Bob"], 3: ["2.5", "007"]}


def test_open_document_spreadsheets_cut_or_broken(tmp_path: Path) -> None:
    path = ods(tmp_path / "orders.ods", [["id", "name"], [1.0, "Bob"]])
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert refused(path).code == "damaged_workbook"


def styled(style: int, value: float) -> tuple[int, bytes]:
    return 5, struct.pack("<Id", style, value)


def test_binary_workbooks_show_numbers_as_their_formats_do(tmp_path: Path) -> None:
    made = xlsb(
        tmp_path / "orders.xlsb",
        [
            ["zip", "day", "rest"],
            [styled(1, 2339.0), styled(2, 46027.0), (2, struct.pack("<II", 0, 1250 << 2 | 3))],
            [(2, struct.pack("<II", 1, 501 << 2 | 2)), styled(0, 46027.0), (7, struct.pack("<II", 0, 0))],
            ["00007", (3, struct.pack("<IB", 0, 0x2A)), (4, struct.pack("<IB", 0, 1))],
            [(8, struct.pack("<I", 0) + wide("made")), (9, struct.pack("<Id", 1, 7.0)), (62, b"\0" * 5 + wide("r"))],
        ],
    )  # fmt: skip
    assert rows(open_table(made)) == {
        2: ["02339", "2026-01-05", "12.5"],
        3: ["00501", "46027", "shared"],
        4: ["00007", "#N/A", "TRUE"],
        5: ["made", "00007", "r"],
    }


def test_hidden_rows_and_merged_cells_of_binary_workbooks(tmp_path: Path) -> None:
    lines: list[list[Cell]] = [["order", "sku"], ["1001", "A"], ["", "B"]]
    path = xlsb(tmp_path / "orders.xlsb", lines, (176, struct.pack("<IIII", 1, 2, 0, 0)), hidden=2)
    assert rows(open_table(path)) == {2: ["1001", "A"], 3: ["", "B"]}
    assert rows(open_table(path, Hints(merged_cells="fill"))) == {2: ["1001", "A"], 3: ["1001", "B"]}
    assert rows(open_table(path, Hints(hidden_rows="skip"))) == {2: ["1001", "A"]}
    assert refused(path, hidden_rows="refuse").code == "hidden_rows"


@pytest.mark.parametrize(
    "record",
    [
        (6, b"\0"),
        (6, struct.pack("<II", 0, 0xFFFFFF)),
        (5, struct.pack("<I", 0)),
        (7, struct.pack("<II", 0, 9)),
        (12, struct.pack("<I", 0)),
    ],
)
def test_damaged_records_of_binary_workbooks(tmp_path: Path, record: tuple[int, bytes]) -> None:
    assert refused(xlsb(tmp_path / "orders.xlsb", [["id", "name"], [record, "Bob"]])).code == "damaged_workbook"


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("make", [xlsb, ods])
def test_workbooks_cut_short(tmp_path: Path, make: Callable[..., Path], share: float) -> None:
    path = make(tmp_path / "orders.bin", [["id", "name"], [1.0, "Bob"]])
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    assert refused(path).code == "damaged_workbook"


def spreadsheet(path: Path, rows: str, styles: str = "", table: str = "") -> Path:
    """An .ods or a flat .fods by hand; ``rows`` is what stands in its one table."""
    names = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{name}="{names}:{name}:1.0"' for name in ("office", "table", "text", "style"))
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:automatic-styles>{styles}'
        f"</office:automatic-styles><office:body><office:spreadsheet>{table}"
        f'<table:table table:name="Orders">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    if path.suffix == ".fods":
        flat = content.replace("document-content", f'document office:mimetype="{kind}"', 1)
        path.write_text(flat.replace("document-content", "document"), encoding="utf-8")
        return path
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("content.xml", content)
    return path


def row(*cells: str, **attributes: str) -> str:
    said = "".join(f' table:{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f"<table:table-row{said}>{''.join(cells)}</table:table-row>"


def cell(shown: str, kind: str = "string", value: str = "", *, more: str = "") -> str:
    name = {"date": "date-value", "time": "time-value", "boolean": "boolean-value"}.get(kind, "value")
    said = f' office:value-type="{kind}"' + (f' office:{name}="{value}"' if value else "")
    return f"<table:table-cell{said} {more}><text:p>{shown}</text:p></table:table-cell>"


@pytest.mark.parametrize(
    ("shown", "kind", "value", "text"),
    [
        ("02339", "float", "2339", "02339"),
        ("$1,234.50", "currency", "1234.5", "1234.50"),
        ("1.234,50 €", "currency", "1234.5", "1234.50"),
        ("1,234", "float", "1234", "1234"),
        ("1,234", "float", "1.234", "1.234"),
        ("(12.00)", "float", "-12", "-12.00"),
        ("12.35", "float", "12.345", "12.35"),
        ("012-34-5678", "float", "12345678", "012-34-5678"),
        ("1/2", "float", "0.5", "0.5"),
        ("1.23E+05", "float", "123456", "123456"),
        ("1.23456789012346E+017", "float", "123456789012345678", "1.23457E+17"),
        ("###", "float", "17850", "17850"),
        ("15.0%", "percentage", "0.15", "15.0%"),
        ("05.01.26", "date", "2026-01-05", "2026-01-05"),
        ("05.01.26", "date", "2026-01-05T08:15:00", "2026-01-05"),
        ("05.01.26 08:15", "date", "2026-01-05T08:15:00", "2026-01-05 08:15:00"),
        ("8:15 AM", "time", "PT08H15M00S", "08:15:00"),
        ("27:30", "time", "PT27H30M00S", "27:30:00"),
        ("WAHR", "boolean", "true", "TRUE"),
        ("a<text:s text:c='2'/>b<text:line-break/><text:span>=1</text:span>", "string", "", "a  b\n=1"),
        ("one</text:p><text:p>two", "string", "", "one\ntwo"),
    ],
)
def test_open_document_cells_are_what_they_show(tmp_path: Path, shown: str, kind: str, value: str, text: str) -> None:
    lines = row(cell("id"), cell("value")) + row(cell("1"), cell(shown, kind, value))
    for name in ("orders.ods", "orders.fods"):
        opened = open_table(spreadsheet(tmp_path / name, lines))
        assert (opened.found.format, opened.found.notes, rows(opened)) == ("ods", (), {2: ["1", text]})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (
            lambda text: text.replace("<office:document ", "<!DOCTYPE a [<!ENTITY b 'c'>]><office:document ", 1),
            "unsafe_workbook",
        ),
        (lambda text: text[: len(text) // 2], "damaged_workbook"),
        (lambda text: text.replace("opendocument.spreadsheet", "opendocument.text"), "not_a_table"),
    ],
)
def test_a_flat_open_document_that_is_no_sound_spreadsheet_is_refused(
    tmp_path: Path, change: Callable[[str], str], code: str
) -> None:
    path = spreadsheet(tmp_path / "orders.fods", row(cell("id"), cell("value")) + row(cell("1"), cell("2")))
    path.write_text(change(path.read_text("utf-8")), encoding="utf-8")
    assert refused(path).code == code


def test_comments_repeats_gaps_merged_and_hidden_rows_of_open_document_spreadsheets(tmp_path: Path) -> None:
    note = "<office:annotation><text:p>not this</text:p></office:annotation>"
    blank = "<table:table-cell table:number-columns-repeated='16380'/>"
    path = spreadsheet(
        tmp_path / "orders.ods",
        row(cell("order"), cell("sku"), cell("qty"), blank)
        + row(blank, number_rows_repeated="2")
        + row(cell("1001", more="table:number-rows-spanned='2'"), cell(f"{note}A"), cell("1", "float", "1"))
        + row("<table:covered-table-cell/>", cell("B", more="table:number-columns-repeated='2'"), visibility="filter")
        + row("<table:table-cell table:formula='of:=1' table:number-columns-repeated='1'/>")
        + row(blank, number_rows_repeated="1000000"),
    )
    opened = open_table(path)
    assert rows(opened) == {4: ["1001", "A", "1"], 5: ["", "B", "B"], 6: ["", "", ""]}
    assert [bad.code for block in opened.blocks(9) for bad in block.broken] == ["formula_without_value"]
    assert rows(open_table(path, Hints(merged_cells="fill")))[5] == ["1001", "B", "B"]
    assert list(rows(open_table(path, Hints(hidden_rows="skip")))) == [4, 6]


def test_hidden_tables_of_open_document_spreadsheets_are_left_out(tmp_path: Path) -> None:
    hidden = '<style:table-properties table:display="false"/>'
    styles = f'<style:style style:name="ta2" style:family="table">{hidden}</style:style>'
    lines = row(cell("id"), cell("name")) + row(cell("1"), cell("Bob"))
    lists = f'<table:table table:name="Lists" table:style-name="ta2">{lines}</table:table>'
    opened = open_table(spreadsheet(tmp_path / "orders.ods", lines, styles, lists))
    assert opened.found.sheet == "Orders"
    assert "Lists" in opened.found.notes[0]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (row(cell("a")) + row(cell("b", more="table:number-columns-repeated='16384'"), number_rows_repeated="90000"),
         "too_large_inside"),
        (row(cell("a")) + row(cell("b"), number_rows_repeated="200000"), "too_large_inside"),
        (row(cell("a"), number_rows_repeated="2000000"), "damaged_workbook"),
        (row(cell("a", more="table:number-columns-repeated='99999999'")), "damaged_workbook"),
        ("<table:x>" * 100_000, "damaged_workbook"),
        (row(cell("a")) + "<table:table-row>" * 500, "damaged_workbook"),
    ],
)  # fmt: skip
def test_hostile_open_document_spreadsheets(tmp_path: Path, lines: str, code: str) -> None:
    assert refused(spreadsheet(tmp_path / "orders.ods", lines)).code == code
