"""``.xlsb``: a ZIP of binary parts, read as a stream, with number formats, hidden rows and merged cells."""

from __future__ import annotations

import posixpath
import struct
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import xlrd

from pipeline.reading.blocks import Raw, TooLarge
from pipeline.reading.builtin_formats import FORMATS
from pipeline.reading.formats import refuse_declarations
from pipeline.reading.laid import RowLayer, Seen
from pipeline.reading.refusals import damaged
from pipeline.reading.sax import fed, sound
from pipeline.reading.sheets import Sheet
from pipeline.reading.shown import number_text
from pipeline.reading.views import Range
from pipeline.reading.xlsb_records import Record, records, rk_number, wide_text
from pipeline.reading.xlsx_parts import Relations

# [MS-XLSB] §2.3.1
_ROW, _BLANK, _RK, _ERROR, _BOOL, _REAL, _TEXT, _SHARED = range(8)
_FORMULA_TEXT, _FORMULA_REAL, _FORMULA_BOOL, _FORMULA_ERROR = 8, 9, 10, 11
_SHORT_CELLS = frozenset(range(12, 19))
_SHARED_ITEM, _FORMAT, _STYLE, _RICH_TEXT, _PROPERTIES, _SHEET = 19, 44, 47, 62, 153, 156
_STYLES_BEGIN, _STYLES_END, _MERGED = 617, 618, 176
_MOST_MERGED = 100_000


@dataclass(frozen=True, slots=True)
class _Book:
    """What the cells of all sheets refer to."""

    path: Path
    texts: Sequence[str]
    formats: Sequence[str]
    date1904: bool


def open_sheets(path: Path) -> list[Sheet]:
    """The worksheets in their order; ``FileRefused`` ``damaged_workbook`` or ``unsafe_workbook``."""
    with sound(path), zipfile.ZipFile(path) as archive:
        refuse_declarations(path, archive)
        parts = {name.casefold().lstrip("/"): name for name in archive.namelist()}
        main = _related(archive, parts, "").first("/officeDocument") or "xl/workbook.bin"
        if main.casefold() not in parts:
            raise damaged(path, "it has no list of sheets")
        related = _related(archive, parts, main)
        named, date1904 = _sheets(_records(archive, parts, main))
        texts = [wide_text(body, 1)[0] for number, body in _records(archive, parts, related.first("/sharedStrings"))
                 if number == _SHARED_ITEM]  # fmt: skip
        book = _Book(path, texts, _formats(_records(archive, parts, related.first("/styles"))), date1904)
        places = [(name, hidden, related.worksheet(key)) for name, hidden, key in named]
        return [_sheet(book, parts, name, part, is_hidden=hidden) for name, hidden, part in places if part is not None]


def _related(archive: zipfile.ZipFile, parts: dict[str, str], source: str) -> Relations:
    folder, name = posixpath.split(source)
    found, related = parts.get(posixpath.join(folder, "_rels", f"{name}.rels").casefold()), Relations(source)
    if found:
        with archive.open(found) as stream:
            for _ in fed(stream, related):
                pass
    return related


def _records(archive: zipfile.ZipFile, parts: dict[str, str], part: str) -> Iterator[Record]:
    name = parts.get(part.casefold())
    if name is not None:
        with archive.open(name) as stream:
            yield from records(stream)


def _sheets(told: Iterator[Record]) -> tuple[list[tuple[str, bool, str]], bool]:
    """Sheets as (name, hidden, relation id), and whether days count from 1904."""
    named, date1904 = [], False
    for number, body in told:
        if number == _SHEET:
            key, at = wide_text(body, 8)
            named.append((wide_text(body, at)[0], body[0] != 0, key))
        elif number == _PROPERTIES:
            date1904 = bool(body[0] & 1)
    return named, date1904


def _formats(told: Iterator[Record]) -> list[str]:
    """Format codes by style number."""
    own: dict[int, str] = {}
    numbers: list[int] = []
    inside = False
    for number, body in told:
        if number in {_STYLES_BEGIN, _STYLES_END}:
            inside = number == _STYLES_BEGIN
        elif number == _FORMAT:
            own[struct.unpack_from("<H", body)[0]] = wide_text(body, 2)[0]
        elif number == _STYLE and inside:
            numbers.append(struct.unpack_from("<H", body, 2)[0])
    return [own.get(one, FORMATS.get(one, "General")) for one in numbers]


def _sheet(book: _Book, parts: dict[str, str], name: str, part: str, *, is_hidden: bool) -> Sheet:
    if part.casefold() not in parts:
        raise damaged(book.path, f"the content of sheet “{name}” is missing")
    at = parts[part.casefold()]
    seen = Seen(name, is_hidden)
    return Sheet(name, partial(_rows, book, at), is_hidden, lambda: _viewed(book, at, seen).view())


def _told(book: _Book, part: str) -> Iterator[Record]:
    with sound(book.path), zipfile.ZipFile(book.path) as archive, archive.open(part) as stream:
        yield from records(stream)


def _viewed(book: _Book, part: str, seen: Seen) -> Seen:
    with sound(book.path):
        for number, body in _told(book, part):
            if number == _ROW and body[11] & 0x10:
                seen.hidden_rows.add(struct.unpack_from("<I", body)[0] + 1)
            elif number == _MERGED:
                top, bottom, left, right = struct.unpack_from("<IIII", body)
                seen.merged.append(Range(top + 1, left, bottom + 1, right))
                if len(seen.merged) > _MOST_MERGED:
                    raise TooLarge("more merged cells than anybody can make")
    return seen


def _rows(book: _Book, part: str) -> Iterator[Raw]:
    with sound(book.path):
        layer, has_row = RowLayer([]), False
        for number, body in _told(book, part):
            if number == _ROW:
                if has_row and not layer.is_empty:
                    yield layer.row()
                layer.begin(struct.unpack_from("<I", body)[0] + 1)
                has_row = True
            elif number in _SHORT_CELLS:
                raise ValueError("cells without a column")
            elif has_row and (number <= _FORMULA_ERROR or number == _RICH_TEXT):
                column, style = struct.unpack_from("<II", body)
                layer.move(column)
                layer.put(_text(book, number, style & 0xFFFFFF, body))
        if has_row and not layer.is_empty:
            yield layer.row()


def _text(book: _Book, number: int, style: int, body: bytes) -> str:
    match number:
        case 2:
            (packed,) = struct.unpack_from("<I", body, 8)
            return _number(book, style, rk_number(packed))
        case 5 | 9:
            (value,) = struct.unpack_from("<d", body, 8)
            return _number(book, style, value)
        case 3 | 11:
            return str(xlrd.error_text_from_code.get(body[8], "#ERR!"))
        case 4 | 10:
            return "TRUE" if body[8] else "FALSE"
        case 6 | 8:
            return wide_text(body, 8)[0]
        case 7:
            (at,) = struct.unpack_from("<I", body, 8)
            return book.texts[int(at)]
        case 62:
            return wide_text(body, 9)[0]
    return ""


def _number(book: _Book, style: int, value: float) -> str:
    code = book.formats[style] if style < len(book.formats) else "General"
    return number_text(value, code, date1904=book.date1904)
