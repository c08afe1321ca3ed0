"""What is read many cells at a time is what is read one by one: numbers, blocks, shared texts, whole workbooks."""

from __future__ import annotations

import errno
import io
import os
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from pipeline.reading import open_table, shared_texts, xlsx_file, xlsx_shared
from pipeline.reading.blocks import Flaw, Raw, Shape, make_blocks
from pipeline.reading.piece_blocks import blocks_of
from pipeline.reading.pieces import piece_of
from pipeline.reading.shared_texts import SharedTexts
from pipeline.reading.shown import number_text
from pipeline.reading.shown_together import number_texts
from pipeline.reading.table import Block
from pipeline.reading.xlsx_tags import NotPlain

CODES = (
    "General", "0", "0.00", "#,##0.00", "#.##", "0.0##", "00000", "000-00", "0%", "0.00%", "dd/mm/yyyy", "m/d/yy h:mm",
    "yyyy-mm-dd hh:mm:ss.000", "h:mm:ss", "[h]:mm", "@", '#,##0.00 "€";[Red]-#,##0.00 "€"', "0.00E+00", "# ?/?",
)  # fmt: skip
written = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.floats(-1, 3_000_000).map(repr),
    st.integers(-(10**17), 10**17).map(str),
    st.sampled_from(["-0", "0.0", "007", "1.50", "+3", "1e3", ".5", "5.", "0.0000000000001", "123456789012345", "59.5",
                     "60", "61", "2958465.9999999", "2958464.99999999", " 7 ", "x", "nan", "1_0", "٣"]),
)  # fmt: skip


def one_number(text: str, code: str, *, date1904: bool) -> str:
    try:
        return number_text(float(text), code, date1904=date1904) if np.isfinite(float(text)) else text
    except ValueError:
        return text


@given(st.lists(written, min_size=1, max_size=30), st.sampled_from(CODES), st.booleans())
@example(["2958465.9999999"], "dd/mm/yyyy", False)
def test_numbers_shown_together_are_shown_as_one_by_one(texts: list[str], code: str, date1904: bool) -> None:
    stored = pa.array(texts, type=pa.large_string())
    together = number_texts(
        stored, code, lambda text: one_number(text, code, date1904=date1904), date1904=date1904
    ).to_pylist()
    assert together == [one_number(text, code, date1904=date1904) for text in texts]


cells = st.sampled_from(["", "", " ", "\u3000", "a", "7", "—", "Köln"])
flaws = st.sampled_from([(), (), (), (Flaw("formula_without_value", "m", "a", 1),), (Flaw("x", "m", "a", 9),)])
rows_read = st.lists(st.tuples(st.integers(1, 3), st.lists(cells, max_size=6), flaws), max_size=12)


def numbered(steps: list[tuple[int, list[str], tuple[Flaw, ...]]]) -> list[Raw]:
    """The rows as readers give them: numbers rise, nothing stands behind the last filled cell, no row is nothing."""
    made, number = [], 0
    for step, texts, wrong in steps:
        number += step
        while texts and not texts[-1]:
            texts.pop()
        if texts or wrong:
            made.append((number, texts, wrong))
    return made


def told(blocks: Iterator[Block]) -> list[tuple[Any, ...]]:
    return [(b.rows.numbers.tolist(), list(b.rows.lines()), b.broken, dict(b.overflow)) for b in blocks]


@given(rows_read, st.integers(1, 4), st.integers(1, 5), st.integers(1, 4))
def test_pieces_make_the_blocks_that_rows_make(
    steps: list[tuple[int, list[str], tuple[Flaw, ...]]], size: int, at_once: int, width: int
) -> None:
    rows = numbered(steps)
    shape = Shape(tuple(f"c{column}" for column in range(width)), exact=False)
    pieces = [piece_of(rows[at : at + at_once]) for at in range(0, len(rows), at_once)]
    assert list(chain.from_iterable(piece.raw() for piece in pieces)) == rows
    assert told(blocks_of(pieces, shape, size)) == told(make_blocks(rows, shape, size))


@given(st.lists(st.lists(st.text(max_size=9), max_size=9), max_size=9), st.data())
def test_shared_texts_in_a_file_are_those_in_memory(parts: list[list[str]], data: st.DataObject) -> None:
    every = list(chain.from_iterable(parts))
    numbers = data.draw(st.lists(st.integers(0, len(every) - 1))) if every else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared_texts, "LARGEST_IN_MEMORY", data.draw(st.sampled_from([0, 40, 1 << 20])))
        patch.setattr(shared_texts, "_WINDOW", 40)
        texts = SharedTexts(pa.array(part, type=pa.large_string()) for part in parts)
        assert len(texts) == len(every)
        assert texts.take(np.array(numbers, dtype=np.int64)).to_pylist() == [every[number] for number in numbers]
        assert [texts.text(number) for number in range(len(every))] == every
        for beyond in (len(every), -1):
            with pytest.raises(IndexError):
                texts.text(beyond)


said = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8),
    st.sampled_from(["a & b", "<b>", "]]>", "=1+1", "_x000D_", "_x0041_", "line\nline", "tab\there"]),
    st.sampled_from([" led", "x" * 40, "0123", "é"]),
)  # fmt: skip
things = st.one_of(
    said, said, st.integers(-(10**12), 10**12), st.floats(-1e9, 1e9), st.booleans(), st.none(),
    st.dates(date(1900, 3, 2), date(2100, 1, 1)),
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)),
    st.times(), st.timedeltas(timedelta(0), timedelta(days=3)),
)  # fmt: skip
tables = st.lists(st.lists(st.tuples(things, st.sampled_from(CODES)), max_size=5), min_size=1, max_size=6)
quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def by_parser(path: Path) -> list[list[Raw]]:
    """Every sheet by nothing but the XML parser."""

    def never(*_: object) -> Iterator[Any]:
        raise NotPlain

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_file.PlainRows, "read", never)
        patch.setattr(xlsx_shared, "_plain", never)
        return [list(sheet.rows()) for sheet in xlsx_file.open_sheets(path)]


def in_bulk(path: Path) -> list[list[Raw]]:
    """Every sheet without the XML parser's rows."""

    def never(*_: object) -> Iterator[Any]:
        raise AssertionError("written plainly, but the parser was asked")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xlsx_file, "parsed_rows", never)
        return [list(sheet.rows()) for sheet in xlsx_file.open_sheets(path)]


@quick
@given(tables, st.booleans(), st.booleans())
def test_workbooks_by_xlsxwriter(table: list[list[tuple[Any, str]]], inline: bool, date1904: bool) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.xlsx"
        with xlsxwriter.Workbook(str(path), {"constant_memory": inline, "date_1904": date1904}) as book:
            sheet = book.add_worksheet()
            for row, line in enumerate(table):
                for column, (thing, code) in enumerate(line):
                    look = book.add_format({"num_format": code})
                    if isinstance(thing, str) and thing:
                        sheet.write_string(row, column, thing, look)
                    elif isinstance(thing, str) or thing is None:
                        sheet.write_blank(row, column, None, look)
                    elif not (date1904 and isinstance(thing, date) and thing.year < 1905):
                        sheet.write(row, column, thing, look)
            sheet.write_formula(len(table), 0, "=1>0", None, "text & more")
            sheet.write_formula(len(table), 1, "=A1", None, 4.5)
            sheet.set_row(0, None, None, {"hidden": True})
        assert in_bulk(path) == by_parser(path)


@quick
@given(tables, st.booleans())
def test_workbooks_by_openpyxl(table: list[list[tuple[Any, str]]], at_once: bool) -> None:
    book = openpyxl.Workbook(write_only=at_once)
    sheet = book.create_sheet("made") if at_once else book.active
    assert sheet is not None
    for line in table:
        cells = []
        for thing, code in line:
            cell = WriteOnlyCell(sheet, thing)
            cell.number_format = code
            cells.append(cell if at_once else thing)
        sheet.append(cells)
    sheet.append(["=1+1", "#N/A", True])
    content = io.BytesIO()
    book.save(content)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made.xlsx"
        path.write_bytes(content.getvalue())
        assert in_bulk(path) == by_parser(path)


def test_rich_texts_are_read_by_the_parser_from_there_on(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in range(1, 40):
        sheet.append([f"plain {row}", row])
    sheet.append([CellRichText("rich ", TextBlock(InlineFont(b=True), "text")), 40])
    sheet.append(["behind", 41])
    book.save(tmp_path / "rich.xlsx")
    rows = list(xlsx_file.open_sheets(tmp_path / "rich.xlsx")[0].rows())
    assert rows[38:] == [(39, ["plain 39", "39"], ()), (40, ["rich text", "40"], ()), (41, ["behind", "41"], ())]


def test_shared_texts_over_many_pieces_with_a_rich_one_amid(tmp_path: Path) -> None:
    plain = "".join(f"<si><t>text {number} ü &amp; more</t></si>" for number in range(60_000))
    rich = "<si><r><t>ri</t></r><r><t>ch</t></r><rPh sb='0' eb='1'><t>no</t></rPh></si>"
    path = tmp_path / "texts.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sharedStrings.xml", f"<sst>{plain}{rich}{plain}</sst>")
    with zipfile.ZipFile(path) as archive:
        texts = SharedTexts(xlsx_shared.shared_parts(archive, "sharedStrings.xml"))
    expected = [f"text {number} ü & more" for number in range(60_000)]
    assert texts.take(np.arange(len(texts))).to_pylist() == [*expected, "rich", *expected]


def test_no_room_for_the_texts_is_not_blamed_on_the_workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "orders.xlsx")) as book:
        book.add_worksheet().write_row(0, 0, ["Order", "Name"])

    def full() -> IO[bytes]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shared_texts, "LARGEST_IN_MEMORY", 0)
    monkeypatch.setattr(shared_texts.tempfile, "TemporaryFile", full)
    with pytest.raises(OSError, match="No space left"):
        open_table(tmp_path / "orders.xlsx")
