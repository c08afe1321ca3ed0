"""Web pages and Excel 2003 XML dressed as .xls: read as a person sees them, or refused within bounds."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from pipeline.errors import FileRefused
from pipeline.reading import Hints, Table, open_table

WORKBOOK = (
    '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
    '<Styles><Style ss:ID="Default"/><Style ss:ID="zip"><NumberFormat ss:Format="00000"/></Style>'
    '<Style ss:ID="day"><NumberFormat ss:Format="Short Date"/></Style>'
    '<Style ss:ID="red" ss:Parent="zip"/></Styles>'
    '<Worksheet ss:Name="Orders"><Table>{}</Table></Worksheet></Workbook>'
)


def written(folder: Path, content: str | bytes, name: str = "orders.xls") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
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


def cell(value: str, kind: str = "String", **attributes: str) -> str:
    said = "".join(f' ss:{name}="{text}"' for name, text in attributes.items())
    return f'<Cell{said}><Data ss:Type="{kind}">{value}</Data></Cell>'


def sheet(*lines: str) -> str:
    return WORKBOOK.replace("{}", "".join(f"<Row>{line}</Row>" for line in lines))


def test_a_page_is_read_as_a_browser_shows_it(tmp_path: Path) -> None:
    page = (
        "<html><head><meta http-equiv=Content-Type content='text/html; charset=iso-8859-1'>"
        "<script>if (1 < 2) document.write('<table>')</script></head><body><h1>Orders <br></h1>"
        "<TABLE border=1><tr><th>Order<th>Name<th>Note</tr>"
        "<!-- <tr><td>no --><tr><td>00123</td><td>Zo\xeb &amp; Bob<br>II</td><td> a \n  b </td></tr>"
        "<tr><td>=1+1</td><td>&lt;b&gt;<b>bold</b></td><td>&nbsp;</td></tr></TABLE></body></html>"
    )
    opened = open_table(written(tmp_path, page.encode("latin-1")))
    assert (opened.found.format, opened.found.encoding, opened.header) == ("html", "cp1252", ("Order", "Name", "Note"))
    assert rows(opened) == {2: ["00123", "Zoë & Bob\nII", "a b"], 3: ["=1+1", "<b>bold", ""]}
    assert rows(open_table(tmp_path / "orders.xls", opened.found.hints())) == rows(opened)
    assert "web page" in opened.found.notes[0]


def test_what_excel_wrote_beside_a_cell_mends_what_its_page_shows(tmp_path: Path) -> None:
    page = (
        '<table><style><!-- .xl1, .xl2 {mso-number-format:"dd\\/mm\\/yyyy"; color:red} '
        ".xl3 {mso-number-format:00000;} --></style>"
        "<tr><td>id<td>value<tr><td>1<td class=xl2 x:num='46027'>05/01/26"
        "<tr><td>2<td x:num='123456789012'>1.23E+11<tr><td>3<td x:num=\"1234.5\">#####"
        "<tr><td>4<td class=xl3 x:num='2339'>02339<tr><td>5<td x:str='00123'>00123"
        "<tr><td>6<td style='mso-number-format:\"Short Date\"' x:num='46027.5'>1/5/2026<tr><td>7<td x:num>12</table>"
    )
    assert [cells[1] for cells in rows(open_table(written(tmp_path, page))).values()] == [
        "2026-01-05", "123456789012", "1234.5", "02339", "00123", "2026-01-05", "12",
    ]  # fmt: skip


def test_cells_that_reach_over_columns_and_rows_keep_their_neighbours_in_place(tmp_path: Path) -> None:
    page = (
        "<table><tr><td>order<td>sku<td>qty<td>note</tr><tr><td rowspan=2>1001<td>A<td>1<td>x</tr>"
        "<tr style='display: none'><td>B<td colspan=2>2</tr><tr><td>1002<td>C<td>3<td>y</tr></table>"
    )
    path = written(tmp_path, page)
    opened = open_table(path)
    assert rows(opened) == {2: ["1001", "A", "1", "x"], 3: ["", "B", "2", ""], 4: ["1002", "C", "3", "y"]}
    assert "1 hidden row was read too" in " ".join(opened.found.notes)
    assert rows(open_table(path, Hints(merged_cells="fill")))[3] == ["1001", "B", "2", "2"]
    assert list(rows(open_table(path, Hints(hidden_rows="skip")))) == [2, 4]


def test_several_tables_are_asked_about_and_the_choice_is_pinned(tmp_path: Path) -> None:
    one = "<table {}><tr><td>id<td>name</tr><tr><td>{}<td>Bob</tr></table>"
    path = written(tmp_path, f"<body>{one.format('', 1)}{one.format('id=returns', 2)}")
    asked = refused(path)
    assert asked.code == "which_sheet"
    assert "“table 1”, “returns”" in asked.message
    assert rows(open_table(path, Hints(sheet="Returns"))) == {2: ["2", "Bob"]}
    assert refused(path, sheet="table 3").code == "no_such_sheet"


def test_a_table_within_a_table_is_read_alone_or_its_row_comes_back(tmp_path: Path) -> None:
    inner = "<table><tr><td>id<td>name</tr><tr><td>1<td>Bob</tr></table>"
    opened = open_table(written(tmp_path, f"<table><tr><td>Menu<td>{inner}</tr></table>"))
    assert (opened.found.sheet, rows(opened)) == ("table 2", {2: ["1", "Bob"]})
    both = f"<table><tr><td>order<td>items</tr><tr><td>7<td>{inner}</tr><tr><td>8<td>none</tr></table>"
    (block,) = open_table(written(tmp_path, both), Hints(sheet="table 1")).blocks(10)
    assert [(bad.row, bad.code) for bad in block.broken] == [(2, "table_in_cell")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("<table><tr><td>id<td>name</tr><tr><td>1<td>Bo", "damaged_workbook"),
        ("<table><tr><td>id<td>name</tr><tr><td>1<td>Bob</tr>", "damaged_workbook"),
        ("<table><tr><td>id<td>name</tr><tr><td>1<td>Bob</tr></table", "damaged_workbook"),
        ("<html><body>Please log in</body></html>", "not_a_table"),
        ("<html><frameset><frame src='a_files/sheet001.htm'></frameset></html>", "not_a_table"),
        ('From: "Saved by a browser"\r\nSubject: x\r\nMIME-Version: 1.0\r\n\r\nx', "not_a_table"),
        ("MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n<table><tr><td>1</table>", "not_a_table"),
        ("<table><tr><td>id<td>name</tr></table>", "no_rows"),
        ("<table></table>", "empty_file"),
        (b"<meta charset=utf-8><table><tr><td>\xe9<td>\xc3\xa9\n</tr><tr><td>\xe9\n\xc3\xa9</table>", "undecodable"),
    ],
)
def test_pages_that_are_cut_short_or_hold_no_table(tmp_path: Path, content: str | bytes, code: str) -> None:
    assert refused(written(tmp_path, content)).code == code


TABLE = "<table><tr><td>id<td>name</tr>"


@pytest.mark.parametrize(
    "content",
    [
        TABLE + "<a " * 1_000_000,
        TABLE + "<a '" * 1_000_000,
        TABLE + '<a x="' * 500_000,
        TABLE + "<!--" * 500_000,
        TABLE + "</" * 100_000 + "<a",
        TABLE + "<script>" + "</s" * 500_000,
        TABLE + "<style>" + ".a{" * 500_000 + "</style></table",
        "<table>" * 100_000,
        TABLE + "<tr><td colspan=1000>1<td>2" * 25_000 + "</table>",
        TABLE + "<tr>" + "<td rowspan=60000>1" * 16_000 + "<tr>" * 1_000 + "</table>",
        "<table>" + "<tr>" + "<td>1" * 20_000 + "</table>",
        TABLE + "<tr><td>" + "x" * (1 << 25) + "</table>",
        "<table>" + "<tr><td rowspan=0 colspan=2>1" * 150_000 + "</table>",
    ],
)
def test_hostile_pages_are_refused_within_bounds(tmp_path: Path, content: str) -> None:
    path = written(tmp_path, content)
    del content
    tracemalloc.start()
    began = time.process_time()  # its own work, whatever else the machine does
    assert refused(path).code in {"damaged_workbook", "too_large_inside"}
    assert time.process_time() - began < 20
    assert tracemalloc.get_traced_memory()[1] < 300_000_000
    tracemalloc.stop()


def test_excel_2003_xml_shows_what_its_formats_show(tmp_path: Path) -> None:
    content = sheet(
        cell("id") + cell("zip") + cell("day") + cell("total"),
        cell("00123", "Number") + cell("2339", "Number", StyleID="red")
        + cell("2026-01-05T08:15:00.000", "DateTime", StyleID="day") + cell("12.5", "Number"),
        cell("123456789012345678", "Number") + cell("00501") + cell("2026-01-05T00:00:00.000", "DateTime")
        + '<Cell><Data ss:Type="String"><B>=1</B>+1</Data><Comment><Data>no</Data></Comment></Cell>',
    )  # fmt: skip
    opened = open_table(written(tmp_path, content))
    assert (opened.found.format, opened.found.sheet) == ("xml", "Orders")
    assert rows(opened) == {
        2: ["00123", "02339", "2026-01-05", "12.5"],
        3: ["123456789012345678", "00501", "2026-01-05", "=1+1"],
    }


def test_excel_2003_xml_with_gaps_merged_cells_and_hidden_rows(tmp_path: Path) -> None:
    content = WORKBOOK.replace(
        "{}",
        '<Column ss:Index="2" ss:StyleID="zip"/><Row>' + cell("id") + cell("zip") + cell("qty") + "</Row>"
        '<Row ss:Index="4" ss:Hidden="1">' + cell("1", "Number", MergeDown="1") + cell("7", "Number") + cell("2")
        + "</Row><Row>" + cell("8", "Number") + "</Row><Row>" + cell("3", Index="3")
        + '</Row><Row><Cell ss:Index="3" ss:Formula="=1+1"/></Row>',
    )  # fmt: skip
    path = written(tmp_path, "\n \n" + content)
    opened = open_table(path)
    assert rows(opened) == {4: ["1", "00007", "2"], 5: ["", "00008", ""], 6: ["", "", "3"], 7: ["", "", ""]}
    assert [bad.code for block in opened.blocks(9) for bad in block.broken] == ["formula_without_value"]
    assert rows(open_table(path, Hints(merged_cells="fill")))[5] == ["1", "00008", ""]
    assert list(rows(open_table(path, Hints(hidden_rows="skip")))) == [5, 6, 7]


def test_hidden_sheets_of_excel_2003_xml_are_left_out(tmp_path: Path) -> None:
    lists = (
        '<Worksheet ss:Name="Lists"><Table><Row>' + cell("a") + cell("b") + "</Row></Table><WorksheetOptions>"
        "<Visible>SheetHidden</Visible></WorksheetOptions></Worksheet></Workbook>"
    )
    content = sheet(cell("id") + cell("name"), cell("1") + cell("Bob")).replace("</Workbook>", lists)
    opened = open_table(written(tmp_path, content))
    assert (opened.found.sheet, rows(opened)) == ("Orders", {2: ["1", "Bob"]})


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (sheet(cell("a"), cell("b"))[:-40], "damaged_workbook"),
        (sheet(cell("a"), cell("b")).replace("<Workbook", LAUGHS + "<Workbook", 1), "unsafe_workbook"),
        (sheet(cell("a"), cell("b", Index="99999")), "damaged_workbook"),
        (sheet(cell("a"), cell("b & c")), "damaged_workbook"),
        (sheet("<x>" * 200_000), "damaged_workbook"),
        (sheet(cell("a"), *[cell("b", Index="16384")] * 2000), "too_large_inside"),
        (sheet(cell("a"), cell("b", MergeAcross="99999999")), "too_large_inside"),
        (WORKBOOK[: WORKBOOK.index("<Worksheet")] + "</Workbook>", "damaged_workbook"),
    ],
)
def test_damaged_and_hostile_excel_2003_xml(tmp_path: Path, content: str, code: str) -> None:
    began = time.perf_counter()
    assert refused(written(tmp_path, content)).code == code
    assert time.perf_counter() - began < 20
