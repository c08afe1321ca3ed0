"""The XML parts of an ``.xlsx`` workbook, each with its small reader; element names count without prefix."""

from __future__ import annotations

import math
import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from xml.sax import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from pipeline.reading.blocks import Flaw, Raw
from pipeline.reading.builtin_formats import FORMATS
from pipeline.reading.shared_texts import SharedTexts
from pipeline.reading.sheets import LAST_COLUMN, LAST_ROW
from pipeline.reading.shown import number_text

LONGEST_TEXT = 1 << 24
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")

if TYPE_CHECKING:
    Attributes = AttributesImpl[str]


class _Part(ContentHandler):
    """Calls ``opened`` and ``closed`` with local names; text is gathered between ``listen`` and ``heard``."""

    def __init__(self) -> None:
        super().__init__()
        self._gathered: list[str] | None = None
        self._length = 0

    def startElement(self, name: str, attrs: Attributes) -> None:  # noqa: N802 - the name xml.sax calls
        self.opened(name.rpartition(":")[2], attrs)

    def endElement(self, name: str) -> None:  # noqa: N802 - the name xml.sax calls
        self.closed(name.rpartition(":")[2])

    def characters(self, content: str) -> None:
        if self._gathered is not None:
            self._gathered.append(content)
            self._length += len(content)
            if self._length > LONGEST_TEXT:
                raise ValueError("a text longer than any cell holds")

    def listen(self) -> None:
        self._gathered = []
        self._length = 0

    def heard(self) -> str:
        text = "".join(self._gathered or ())
        self._gathered = None
        return text

    def opened(self, name: str, attrs: Attributes) -> None:
        """An element begins."""

    def closed(self, name: str) -> None:
        """An element ends."""


class Relations(_Part):
    """A ``.rels`` part: relation id → kind and part name."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self._folder = posixpath.dirname(source)
        self._targets: dict[str, tuple[str, str]] = {}

    def opened(self, name: str, attrs: Attributes) -> None:
        if name == "Relationship" and attrs.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", self._folder, attrs.get("Target", "")))
            self._targets[attrs.get("Id", "")] = (attrs.get("Type", ""), target.lstrip("/"))

    def first(self, kind: str) -> str:
        """The part of a kind, empty when there is none."""
        return next((target for type_, target in self._targets.values() if type_.endswith(kind)), "")

    def worksheet(self, key: str) -> str | None:
        """The part of a worksheet, ``None`` for charts and dialogs; a dangling id is an empty name."""
        kind, target = self._targets.get(key, ("/worksheet", ""))
        return target if kind.endswith("/worksheet") else None


class WorkbookPart(_Part):
    """``workbook.xml``: sheets as (name, hidden, relation id), and the date system."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, bool, str]] = []
        self.date1904 = False

    def opened(self, name: str, attrs: Attributes) -> None:
        if name == "sheet":
            key = next((value for at, value in attrs.items() if at.rpartition(":")[2] == "id" and ":" in at), "")
            hidden = attrs.get("state", "visible") != "visible"
            self.sheets.append((attrs.get("name", ""), hidden, key))
        elif name == "workbookPr":
            self.date1904 = attrs.get("date1904", "0") in {"1", "true", "on"}


class SharedTextsPart(_Part):
    """``sharedStrings.xml``: texts cells refer to by number; rich text joined, phonetic guides left out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._pieces: list[str] = []
        self._in_phonetic = False

    def opened(self, name: str, attrs: Attributes) -> None:  # noqa: ARG002 - texts have no attributes that matter
        if name == "si":
            self._pieces = []
        elif name == "rPh":
            self._in_phonetic = True
        elif name == "t" and not self._in_phonetic:
            self.listen()

    def closed(self, name: str) -> None:
        if name == "t" and not self._in_phonetic:
            self._pieces.append(unescape(self.heard()))
        elif name == "rPh":
            self._in_phonetic = False
        elif name == "si":
            self.texts.append("".join(self._pieces))


class Styles(_Part):
    """``styles.xml``: the number format of each cell style."""

    def __init__(self) -> None:
        super().__init__()
        self._named: dict[int, str] = {}
        self._ids: list[int] = []
        self._inside = ""

    def opened(self, name: str, attrs: Attributes) -> None:
        if name in {"numFmts", "cellXfs", "cellStyleXfs", "dxfs"}:
            self._inside = name
        elif name == "numFmt" and self._inside == "numFmts":
            self._named[_whole(attrs.get("numFmtId"))] = attrs.get("formatCode", "")
        elif name == "xf" and self._inside == "cellXfs":
            self._ids.append(_whole(attrs.get("numFmtId")))

    def formats(self) -> list[str]:
        """Format codes by style number."""
        return [self._named.get(number, FORMATS.get(number, "General")) for number in self._ids]


class CellTexts:
    """What a person sees in a cell, told by its type, its style and its stored value."""

    def __init__(self, texts: SharedTexts, formats: Sequence[str], *, date1904: bool) -> None:
        self.texts = texts
        self._formats, self.date1904 = formats, date1904

    def text(self, kind: str, style: int, value: str, inline: str) -> str:
        """The displayed text; ``kind`` is the cell's ``t``, ``IndexError`` for a text that is not there."""
        match kind:
            case "inlineStr":
                return inline
            case "s":
                return self.texts.text(_whole(value, -1)) if value else ""
            case "b":
                return {"1": "TRUE", "0": "FALSE"}.get(value.strip(), value)
            case "str" | "e":
                return unescape(value)
            case "d":
                return value.removesuffix("Z").replace("T", " ").removesuffix(" 00:00:00")
        return self.number(style, value.strip())

    def number(self, style: int, value: str) -> str:
        """The displayed text of a number; what is none is shown as it stands."""
        try:
            number = float(value)
        except ValueError:
            return value
        return number_text(number, self.format(style), date1904=self.date1904) if math.isfinite(number) else value

    def format(self, style: int) -> str:
        """The number format of a style."""
        return self._formats[style] if style < len(self._formats) else "General"


class SheetRows(_Part):
    """A worksheet's rows, gathered as they are parsed and handed out by ``taken``."""

    def __init__(self, texts: CellTexts) -> None:
        super().__init__()
        self._texts = texts
        self._ready: list[Raw] = []
        self._number = 0
        self._cells: list[str] = []
        self._without_value: list[int] = []
        self._column = -1
        self._type, self._style = "n", 0
        self._has_formula = self._in_phonetic = False
        self._value: str | None = None
        self._inline: list[str] = []

    def taken(self) -> list[Raw]:
        """The rows parsed since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def opened(self, name: str, attrs: Attributes) -> None:
        if name == "c":
            self._open_cell(attrs)
        elif name == "v" or (name == "t" and not self._in_phonetic):
            self.listen()
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            self._open_row(attrs)
        elif name == "rPh":
            self._in_phonetic = True

    def closed(self, name: str) -> None:
        if name == "v":
            self._value = self.heard()
        elif name == "c":
            self._close_cell()
        elif name == "t" and not self._in_phonetic:
            self._inline.append(unescape(self.heard()))
        elif name == "row":
            self._close_row()
        elif name == "rPh":
            self._in_phonetic = False

    def _open_row(self, attrs: Attributes) -> None:
        number = _whole(attrs.get("r"), self._number + 1)
        if not self._number < number <= LAST_ROW:
            raise ValueError(f"row {number} after row {self._number}")
        self._number, self._column = number, -1
        self._cells, self._without_value = [], []

    def _open_cell(self, attrs: Attributes) -> None:
        place = attrs.get("r")
        self._column = column_number(place.rstrip("0123456789")) if place else self._column + 1
        if not 0 <= self._column < LAST_COLUMN:
            raise ValueError(f"a cell in column {self._column + 1}")
        self._type = attrs.get("t", "n")
        self._style = _whole(attrs.get("s"))
        self._value, self._has_formula, self._inline = None, False, []

    def _close_cell(self) -> None:
        if self._has_formula and not self._value and self._type != "str":
            self._without_value.append(self._column)
        text = self._texts.text(self._type, self._style, self._value or "", "".join(self._inline))
        if text:
            self._cells += [""] * (self._column + 1 - len(self._cells))
            self._cells[self._column] = text

    def _close_row(self) -> None:
        if self._cells or self._without_value:
            self._ready.append((self._number, self._cells, without_values(self._number, self._without_value)))


def unescape(text: str) -> str:
    """Undo the ``_x000D_`` spelling of characters XML cannot hold (ECMA-376 part 1 §22.9.2.19)."""
    return _ESCAPE.sub(_unescaped, text) if "_x" in text else text


def _unescaped(found: re.Match[str]) -> str:
    code = int(found.group(1), 16)
    return found.group() if 0xD800 <= code <= 0xDFFF else chr(code)


def without_values(row: int, columns: Sequence[int]) -> tuple[Flaw, ...]:
    """The flaws of a row's formulas whose results were never stored."""
    return tuple(_without_value(row, column) for column in columns)


def _without_value(row: int, column: int) -> Flaw:
    return Flaw(
        "formula_without_value",
        f"Cell {column_letters(column)}{row} holds a formula whose result was never stored.",
        "Open the workbook in Excel, let it calculate, save it and drop it again; or write the value there.",
        column,
    )


@lru_cache(maxsize=LAST_COLUMN)
def column_number(letters: str) -> int:
    """``A`` → 0, ``AB`` → 27; -1 for what is no column."""
    number = 0
    for letter in letters.upper().replace("$", ""):
        if not "A" <= letter <= "Z":
            return -1
        number = number * 26 + ord(letter) - 64
    return number - 1


def column_letters(column: int) -> str:
    """0 → ``A``, 27 → ``AB``."""
    letters, rest = "", column + 1
    while rest:
        rest, place = divmod(rest - 1, 26)
        letters = chr(65 + place) + letters
    return letters


def _whole(text: str | None, default: int = 0) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else default
