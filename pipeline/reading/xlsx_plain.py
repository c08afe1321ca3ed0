"""Rows of a worksheet that is written the plain way, as Excel and nearly every program writes them: no parser needed.

A grammar without backtracking proves each piece of the part first; ``NotPlain`` leaves everything else (prefixes,
rich text in the cell, other attributes, other encodings, what is damaged) to the XML parser. It is several times
faster than a parser that calls back for each element, and reads in the same small pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from pipeline.reading.blocks import Raw
from pipeline.reading.sheets import LAST_COLUMN, LAST_ROW
from pipeline.reading.xlsx_parts import CellTexts, column_number, unescape, without_values

_PIECE = 1 << 18
_LONGEST_HEAD = 1 << 20
_LONGEST_ROW = 1 << 23
_LONGEST_END = 1 << 10
_MOST_NUMBERS_KNOWN = 200_000

_HEAD = re.compile(
    rb'(?:\xef\xbb\xbf)?(?:<\?xml version="1\.0" encoding="(?i:UTF-8)"(?: standalone="(?:yes|no)")?\s*\?>)?\s*'
    rb"<worksheet\b[^<>]*>(?:[^<]*<(?!!|\?|/?sheetData\b)[^<>]*>)*+[^<]*<sheetData>"
)
_CELL_START = rb'<c r="([A-Z]{1,3})\d{1,7}"((?: [a-z]{1,2}="\w{1,9}")*+)'
_FORMULA = rb"(<f\b[^<>]*+(?:(?<=/)>|(?<!/)>[^<]*+</f>))?"
_CONTENT = rb"(?:<v>([^<]*+)</v>|<v/>)?(?:<is><t(?: xml:space=\"preserve\")?>([^<]*+)</t></is>)?"
_CELL = re.compile(_CELL_START + rb"\s?(?:/>|>" + _FORMULA + _CONTENT + rb"</c>)")
_ROW = re.compile(rb'<row r="(\d{1,7})"[^<>]*+(?:(?<=/)>|(?<!/)>((?:[^<]++|<(?!/row>))*+)</row>)')
_ANY_CELL = re.sub(rb"(?<!\\)\((?!\?)", rb"(?:", _CELL.pattern)
_PLAIN = re.compile(rb'(?>\s*<row r="\d{1,7}"[^<>]*+(?:(?<=/)>|(?<!/)>(?>\s*' + _ANY_CELL + rb")*+\s*</row>))*+\s*")
_ATTRIBUTE = re.compile(rb' ([a-z]{1,2})="(\w{1,9})"')
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_REFERENCE = re.compile(r"&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9A-Fa-f]{1,6}));|&")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_BLANKS = frozenset({9, 10, 13})
_NO_CHARACTERS = ((0xD800, 0xDFFF), (0xFFFE, 0xFFFF), (0x110000, 0xFFFFFF))
"""What XML cannot refer to, beside most control characters (XML 1.0 §2.2)."""


class NotPlain(Exception):
    """The part is written in some other way, or damaged: for the XML parser to read, or to complain about."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the attributes of a cell say about its value."""

    name: str
    style: int
    shared: bool


class PlainRows:
    """Reads one worksheet; ``last`` is the number of the last row that was given out or passed over."""

    def __init__(self, texts: CellTexts) -> None:
        self._texts = texts
        self._known: dict[tuple[bytes, bytes], str] = {}
        self._kinds: dict[bytes, _Kind] = {}
        self.last = 0

    def read(self, stream: IO[bytes]) -> Iterator[Raw]:
        """The rows, as the XML parser would give them; ``NotPlain`` at the first piece written otherwise."""
        rest = _after_head(stream)
        while b"</sheetData>" not in rest:
            chunk = stream.read(_PIECE)
            if not chunk or len(rest) > _LONGEST_ROW:
                raise NotPlain
            whole, ended, rest = (rest + chunk).rpartition(b"</row>")
            if b"</sheetData>" in whole:
                rest = whole + ended + rest
                break
            yield from self._rows(whole + ended)
        rows, _, tail = rest.partition(b"</sheetData>")
        yield from self._rows(rows)
        while chunk := stream.read(_PIECE):  # to the end, where the archive's own checksum is compared
            tail = tail[-_LONGEST_END:] + chunk
        if not tail.rstrip().endswith(b"</worksheet>"):
            raise NotPlain

    def _rows(self, piece: bytes) -> Iterator[Raw]:
        if not _PLAIN.fullmatch(piece) or _FORBIDDEN.search(piece) or b"]]>" in piece:
            raise NotPlain
        for number, body in _ROW.findall(piece):
            row = int(number)
            if not self.last < row <= LAST_ROW:
                raise NotPlain
            cells, without_value = self._cells(body)
            self.last = row
            if cells or without_value:
                yield row, cells, without_values(row, without_value)

    def _cells(self, body: bytes) -> tuple[list[str], list[int]]:
        cells: list[str] = []
        without_value: list[int] = []
        texts, known, kinds = self._texts.texts, self._known, self._kinds
        for letters, attributes, formula, value, inline in _CELL.findall(body):
            column = _COLUMNS.get(letters) or _column(letters)
            kind = kinds.get(attributes) or self._kind(attributes)
            if formula and not value and kind.name != "str":
                without_value.append(column)
            if kind.shared and value.isdigit():
                text = texts[int(value)]
            else:
                found = known.get((attributes, value))
                text = self._text(attributes, value, inline) if found is None else found
            if text:
                if column != len(cells):
                    cells += [""] * (column + 1 - len(cells))
                    cells[column] = text
                else:
                    cells.append(text)
        return cells, without_value

    def _kind(self, attributes: bytes) -> _Kind:
        found = dict(pairs := _ATTRIBUTE.findall(attributes))
        if len(found) != len(pairs):
            raise NotPlain
        name, style = found.get(b"t", b"n").decode(), found.get(b"s", b"0")
        return self._kinds.setdefault(attributes, _Kind(name, int(style) if style.isdigit() else 0, name == "s"))

    def _text(self, attributes: bytes, value: bytes, inline: bytes) -> str:
        kind = self._kinds[attributes]
        shown = self._texts.text(kind.name, kind.style, _said(value), unescape(_said(inline)))
        if kind.name == "n":
            if len(self._known) >= _MOST_NUMBERS_KNOWN:
                self._known.clear()
            self._known[attributes, value] = shown
        return shown


_COLUMNS: dict[bytes, int] = {}


def _column(letters: bytes) -> int:
    column = column_number(letters.decode())
    if not 0 <= column < LAST_COLUMN:
        raise NotPlain
    return _COLUMNS.setdefault(letters, column)


def _after_head(stream: IO[bytes]) -> bytes:
    """Read on to the first row; what stands behind the start of the rows is given back."""
    read = b""
    while b"<sheetData" not in read[:-20]:
        chunk = stream.read(_PIECE)
        if not chunk or len(read) > _LONGEST_HEAD:
            break
        read += chunk
    found = _HEAD.match(read)
    if found is None:
        raise NotPlain
    return read[found.end() :]


def _said(stored: bytes) -> str:
    """Text as an XML parser gives it: decoded, references resolved, line ends made one."""
    try:
        text = stored.decode("utf-8")
    except UnicodeDecodeError:
        raise NotPlain from None
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _REFERENCE.sub(_resolved, text) if "&" in text else text


def _resolved(found: re.Match[str]) -> str:
    name, decimal, hexadecimal = found.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else 0
    if (code < 0x20 and code not in _BLANKS) or any(low <= code <= high for low, high in _NO_CHARACTERS):
        raise NotPlain
    return chr(code)
