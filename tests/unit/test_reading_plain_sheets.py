"""Sheets written the plain way are read without a parser: by the same rows as the parser gives, or left to it."""

from __future__ import annotations

import io
from itertools import chain
from xml.sax import SAXException
from xml.sax.saxutils import escape

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading.blocks import Raw
from pipeline.reading.shared_texts import SharedTexts
from pipeline.reading.xlsx_file import parsed_rows
from pipeline.reading.xlsx_parts import CellTexts, SheetRows
from pipeline.reading.xlsx_plain import PlainRows
from pipeline.reading.xlsx_tags import NotPlain

TEXTS = ["Order", "Köln & Bonn", "=1+1", ""]
FORMATS = ["General", "00000", "dd/mm/yyyy", "0.00%", "#,##0.00"]
HEAD = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n<worksheet xmlns="urn:main">'
    '<dimension ref="A1:C3"/><sheetViews><sheetView workbookViewId="0"/></sheetViews><sheetData>'
)
TAIL = "</sheetData><pageMargins/></worksheet>"

values = st.one_of(
    st.integers(-10, 10**17).map(str),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.sampled_from(["", " 7 ", "1e3", "nan", "3", "TRUE", "2026-01-05T00:00:00Z", "_x000D_", "a&amp;b", "&#65;", "é"]),
)
kinds = st.sampled_from(["", ' t="n"', ' t="b"', ' t="str"', ' t="e"', ' t="d"'])
styles = st.sampled_from(["", ' s="0"', ' s="1"', ' s="2"', ' s="3"', ' s="4"', ' s="77"'])
contents = st.one_of(
    st.tuples(kinds, values).map(lambda made: (made[0], f"<v>{made[1]}</v>")),
    st.sampled_from([(' t="s"', f"<v>{number}</v>") for number in range(len(TEXTS))]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=5).map(
        lambda text: (' t="inlineStr"', f'<is><t xml:space="preserve">{escape(text)}</t></is>')
    ),
    st.sampled_from([("", "<f>A1&gt;2</f><v>4</v>"), ("", "<f>A1</f>"), (' t="str"', "<f>A1</f><v></v>"), ("", "")]),
)
unusual = st.sampled_from([
    (' t="inlineStr"', "<is><r><t>rich </t></r><r><t>text</t></r></is>"), (" cm='1'", "<v>1</v>"),
    ("", "<!-- a remark --><v>1</v>"), ("", "<v><![CDATA[12]]></v>"), (' t="s"', "<v>99</v>"),
    ("", "<v>1</v><extLst/>"),
])  # fmt: skip


def sheet_of(draw: st.DrawFn, cells: st.SearchStrategy[tuple[str, str]]) -> str:
    rows, number = [], 0
    for _ in range(draw(st.integers(0, 5))):
        number += draw(st.integers(1, 3))
        made = []
        for letters in draw(st.lists(st.sampled_from(["A", "B", "C", "AA"]), unique=True)):
            attributes, content = draw(cells)
            style = draw(styles)
            both = attributes + style if draw(st.booleans()) else style + attributes
            made.append(
                f'<c r="{letters}{number}"{both}>{content}</c>' if content else f'<c r="{letters}{number}"{both}/>'
            )
        rows.append(f'<row r="{number}" spans="1:3">{"".join(made)}</row>' if made else f'<row r="{number}"/>')
    return HEAD + draw(st.sampled_from(["", "\n"])).join(rows) + TAIL


plain_sheets = st.composite(lambda draw: sheet_of(draw, contents))()
any_sheets = st.composite(lambda draw: sheet_of(draw, st.one_of(contents, unusual)))()


def cell_texts() -> CellTexts:
    return CellTexts(SharedTexts([pa.array(TEXTS, type=pa.large_string())]), FORMATS, date1904=False)


def by_the_parser(content: bytes, after: int = 0) -> list[Raw]:
    return list(chain.from_iterable(parsed_rows(io.BytesIO(content), SheetRows(cell_texts()), after)))


def both(content: bytes) -> tuple[list[Raw], bool]:
    """The rows as the reader gives them, and whether the parser was needed for some."""
    plain, rows = PlainRows(cell_texts()), []
    try:
        for piece in plain.read(io.BytesIO(content)):
            rows += piece.raw()  # what came before it was no longer plain counts too
    except NotPlain:
        return rows + by_the_parser(content, plain.last), True
    return rows, False


@given(plain_sheets)
def test_a_plain_sheet_needs_no_parser_and_reads_alike(sheet: str) -> None:
    rows, needed = both(sheet.encode())
    assert not needed
    assert rows == by_the_parser(sheet.encode())


@given(any_sheets)
def test_whatever_else_stands_there_is_left_to_the_parser(sheet: str) -> None:
    try:
        expected = by_the_parser(sheet.encode())
    except IndexError:
        with pytest.raises(IndexError):
            both(sheet.encode())
        return
    assert both(sheet.encode())[0] == expected


@pytest.mark.parametrize(
    "content",
    [
        HEAD + '<row r="1"><c r="A1"><v>1</v></c></row>',
        HEAD + '<row r="1"><c r="A1"><v>1</v></row>' + TAIL,
        HEAD + '<row r="1"><c r="A1" t="str"><v>a&nbsp;b</v></c></row>' + TAIL,
        HEAD + '<row r="1"><c r="A1" t="str"><v>a & b</v></c></row>' + TAIL,
        HEAD + '<row r="1"><c r="A1" t="str"><v>\x01</v></c></row>' + TAIL,
        HEAD + '<row r="1"><c r="A1" t="str"><v>&#1;</v></c></row>' + TAIL,
        HEAD + '<row r="1"><c r="A1" s="1" s="2"><v>1</v></c></row>' + TAIL,
    ],
    ids=["cut off", "not closed", "an entity", "a bare mark", "a control character", "one referred to", "twice said"],
)
def test_damage_is_found_by_the_parser(content: str) -> None:
    with pytest.raises(SAXException):
        both(content.encode())


@pytest.mark.parametrize("rows", ['<row r="2"/><row r="1"/>', '<row r="1"/><row r="1"/>', '<row r="1048577"/>'])
def test_rows_out_of_order_or_bounds_are_damage(rows: str) -> None:
    with pytest.raises(ValueError, match="row"):
        both((HEAD + rows + TAIL).encode())


def test_rows_over_many_pieces_come_whole() -> None:
    row = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>{1}</t></is></c></row>'
    content = (HEAD + "".join(row.format(n, f"ü{n}" * 40) for n in range(1, 9001)) + TAIL).encode()
    assert len(content) > 1 << 20
    rows, needed = both(content)
    assert not needed
    assert rows == by_the_parser(content)
