"""``.xlsx`` and ``.xlsm``: ZIP and XML, read as a stream by a parser that refuses document types.

Sheets written the plain way do not need the parser (``xlsx_plain``); it reads all the others, and whatever is damaged.

openpyxl is not used for the cells: with ``data_only`` it cannot tell a formula without a value from an empty
cell, and in read-only mode it does not say which rows are hidden. Structure: ECMA-376 part 1 §18.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from xml.sax import ContentHandler

from pipeline.reading.blocks import Raw
from pipeline.reading.formats import refuse_declarations
from pipeline.reading.pieces import SheetPiece, piece_of
from pipeline.reading.refusals import damaged
from pipeline.reading.sax import CHUNK, LONGEST_TAG, fed, sound
from pipeline.reading.shared_texts import SharedTexts
from pipeline.reading.sheets import Sheet
from pipeline.reading.views import Range, View
from pipeline.reading.xlsx_parts import (
    CellTexts,
    Relations,
    SheetRows,
    Styles,
    WorkbookPart,
    column_number,
)
from pipeline.reading.xlsx_plain import PlainRows
from pipeline.reading.xlsx_shared import shared_parts
from pipeline.reading.xlsx_tags import NotPlain

_HIDDEN_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*\shidden="(?:1|true)"[^>]*')
_ROW_NUMBER = re.compile(rb'\sr="(\d{1,7})"')
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\sref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_MOST_MERGED = 100_000


@dataclass(frozen=True, slots=True)
class _Book:
    """What the cells of all sheets refer to."""

    path: Path
    texts: CellTexts


def open_sheets(path: Path) -> list[Sheet]:
    """The worksheets in their order; ``FileRefused`` ``damaged_workbook`` or ``unsafe_workbook``."""
    with sound(path), zipfile.ZipFile(path) as archive:
        refuse_declarations(path, archive)
        parts = {name.casefold().lstrip("/"): name for name in archive.namelist()}
        read = partial(_read_part, archive, parts)
        main = _main_part(read)
        workbook, related = WorkbookPart(), Relations(main)
        if not read(main, workbook):
            raise damaged(path, "it has no list of sheets")
        read(_relations_of(main), related)
        styles = Styles()
        read(related.first("/styles"), styles)
        shared = parts.get(related.first("/sharedStrings").casefold())
        texts = SharedTexts(shared_parts(archive, shared) if shared else ())
        book = _Book(path, CellTexts(texts, styles.formats(), date1904=workbook.date1904))
        places = [(name, hidden, related.worksheet(key)) for name, hidden, key in workbook.sheets]
        return [_sheet(book, name, hidden, _present(path, parts, name, part)) for name, hidden, part in places if part]


def _present(path: Path, parts: dict[str, str], sheet: str, part: str) -> str:
    try:
        return parts[part.casefold()]
    except KeyError:
        raise damaged(path, f"the content of sheet “{sheet}” is missing") from None


def _main_part(read: Callable[[str, ContentHandler], bool]) -> str:
    top = Relations("")
    read("_rels/.rels", top)
    return top.first("/officeDocument") or "xl/workbook.xml"


def _relations_of(part: str) -> str:
    folder, name = posixpath.split(part)
    return posixpath.join(folder, "_rels", f"{name}.rels")


def _read_part(archive: zipfile.ZipFile, parts: dict[str, str], part: str, into: ContentHandler) -> bool:
    """Feed one part to its reader; ``False`` when the workbook has no such part."""
    name = parts.get(part.casefold())
    if name is None:
        return False
    with archive.open(name) as stream:
        for _ in fed(stream, into):
            pass
    return True


def _sheet(book: _Book, name: str, hidden: bool, part: str) -> Sheet:
    pieces = partial(_pieces, book, part)
    return Sheet(name, partial(_rows, pieces), hidden, partial(_view, book, part), pieces)


def _rows(pieces: Callable[[], Iterator[SheetPiece]]) -> Iterator[Raw]:
    for piece in pieces():
        yield from piece.raw()


def _pieces(book: _Book, part: str) -> Iterator[SheetPiece]:
    plain = PlainRows(book.texts)
    with sound(book.path), zipfile.ZipFile(book.path) as archive:
        try:
            with archive.open(part) as stream:
                yield from plain.read(stream)
        except NotPlain:
            with archive.open(part) as stream:
                yield from map(piece_of, parsed_rows(stream, SheetRows(book.texts), plain.last))


def parsed_rows(stream: IO[bytes], sheet: SheetRows, after: int) -> Iterator[list[Raw]]:
    """The rows behind row ``after`` as the XML parser finds them, some at a time."""
    for _ in fed(stream, sheet):
        rows = [row for row in sheet.taken() if row[0] > after]
        if rows:
            yield rows


def _view(book: _Book, part: str) -> View:
    """Hidden rows and merged cells are only attributes: they are found without parsing."""
    hidden: set[int] = set()
    merged: list[Range] = []
    rest = b""
    with sound(book.path), zipfile.ZipFile(book.path) as archive, archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            whole, _, rest = (rest + chunk).rpartition(b">")
            if len(rest) > LONGEST_TAG:
                raise ValueError("an endless tag")
            for row in _HIDDEN_ROW.findall(whole) if b"hidden=" in whole else ():
                number = _ROW_NUMBER.search(row)
                hidden.add(int(number.group(1)) if number else -1 - len(hidden))
            for left, top, right, bottom in _MERGED.findall(whole) if b"mergeCell" in whole else ():
                merged.append(Range(int(top), column_number(left.decode()), int(bottom), column_number(right.decode())))
            if len(merged) > _MOST_MERGED:
                raise damaged(book.path, "it has more merged cells than anybody can make")
    return View(frozenset(hidden), tuple(merged))
