"""Excel 2003 workbooks in XML (SpreadsheetML), often dressed as .xls, read as a stream.

Structure: Microsoft, "XML Spreadsheet Reference" (2001); names count without their prefix.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.reading.blocks import Raw, TooLarge
from pipeline.reading.laid import RowLayer, Seen, without_value
from pipeline.reading.named_formats import format_code
from pipeline.reading.refusals import damaged
from pipeline.reading.sax import Part, fed, sound
from pipeline.reading.sheets import LAST_COLUMN, LAST_ROW, Sheet
from pipeline.reading.shown import number_text, parse_format

_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d+)?)?Z?")
_TRUE = {"1": "TRUE", "0": "FALSE"}


def open_sheets(path: Path) -> list[Sheet]:
    """The worksheets in their order; ``FileRefused`` ``damaged_workbook``, ``unsafe_workbook``."""
    book = _Book(wanted=-1)
    with sound(path), path.open("rb") as stream:
        for _ in fed(stream, book):
            pass
    if not book.sheets:
        raise damaged(path, "it has no worksheets")
    return [
        Sheet(seen.name, partial(_rows, path, at), seen.is_hidden, seen.view) for at, seen in enumerate(book.sheets)
    ]


def _rows(path: Path, wanted: int) -> Iterator[Raw]:
    book = _Book(wanted)
    with sound(path), path.open("rb") as stream:
        for _ in fed(stream, book):
            yield from book.taken()


class _Book(Part):
    """The workbook from top to bottom; rows of the wanted sheet are handed out by ``taken``."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.sheets: list[Seen] = []
        self._wanted = wanted
        self._ready: list[Raw] = []
        self._formats: dict[str, str] = {}
        self._parents: dict[str, str] = {}
        self._style = ""
        self._layer = RowLayer([])
        self._column_styles: list[tuple[int, int, str]] = []
        self._table_style = self._row_style = self._cell_style = ""
        self._type = ""
        self._text: str | None = None
        self._wide = self._tall = 1
        self._has_formula = self._in_comment = False
        self._next_column = 0

    def taken(self) -> list[Raw]:
        """The rows parsed since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def opened(self, name: str, attrs: dict[str, str]) -> None:
        match name:
            case "Cell":
                self._open_cell(attrs)
            case "Data" if not self._in_comment:
                self._type = attrs.get("Type", "String")
                self.listen()
            case "Comment":
                self._in_comment = True
            case "Row":
                self._open_row(attrs)
            case "Visible":
                self.listen()
            case "Style" | "NumberFormat" | "Worksheet" | "Table" | "Column":
                self._open_frame(name, attrs)

    def closed(self, name: str) -> None:
        match name:
            case "Data" if not self._in_comment:
                self._text = self.heard()
            case "Comment":
                self._in_comment = False
            case "Cell":
                self._close_cell()
            case "Row":
                self._close_row()
            case "Visible":
                if self.sheets:
                    self.sheets[-1].is_hidden = self.heard().strip() != "SheetVisible"

    def _open_frame(self, name: str, attrs: dict[str, str]) -> None:
        match name:
            case "Style":
                self._style = attrs.get("ID", "")
                self._parents[self._style] = attrs.get("Parent", "")
            case "NumberFormat":
                self._formats[self._style] = format_code(attrs.get("Format", "General"))
            case "Worksheet":
                self.sheets.append(Seen(attrs.get("Name", "") or f"sheet {len(self.sheets) + 1}"))
                self._layer = RowLayer(self.sheets[-1].merged)
            case "Table":
                self._table_style, self._column_styles, self._next_column = attrs.get("StyleID", ""), [], 0
            case "Column":
                first = _whole(attrs.get("Index"), self._next_column + 1) - 1
                self._next_column = first + 1 + _whole(attrs.get("Span"), 0)
                if attrs.get("StyleID") and len(self._column_styles) < LAST_COLUMN:
                    self._column_styles.append((first, self._next_column - 1, attrs["StyleID"]))

    def _open_row(self, attrs: dict[str, str]) -> None:
        number = _whole(attrs.get("Index"), self._layer.number + 1)
        self._layer.begin(number)
        self._row_style = attrs.get("StyleID", "")
        if attrs.get("Hidden") == "1" and self.sheets:
            self.sheets[-1].hidden_rows |= set(range(number, min(number + _whole(attrs.get("Span"), 0), LAST_ROW) + 1))

    def _open_cell(self, attrs: dict[str, str]) -> None:
        self._layer.pass_taken()
        if attrs.get("Index"):
            self._layer.move(_whole(attrs["Index"], 0) - 1)
        self._cell_style = attrs.get("StyleID", "")
        self._wide, self._tall = _whole(attrs.get("MergeAcross"), 0) + 1, _whole(attrs.get("MergeDown"), 0) + 1
        self._type, self._text, self._has_formula = "", None, bool(attrs.get("Formula"))

    def _close_cell(self) -> None:
        if self._wide > LAST_COLUMN or self._tall > LAST_ROW:
            raise TooLarge("a merged cell larger than a sheet")
        if self._has_formula and self._text is None:
            without_value(self._layer)
        self._layer.put(self._shown(self._text or ""), wide=self._wide, tall=self._tall)

    def _close_row(self) -> None:
        if len(self.sheets) - 1 == self._wanted and not self._layer.is_empty:
            self._ready.append(self._layer.row())

    def _shown(self, text: str) -> str:
        match self._type:
            case "Number":
                return _number_shown(text.strip(), self._format())
            case "DateTime":
                return _moment_shown(text.strip(), self._format())
            case "Boolean":
                return _TRUE.get(text.strip(), text)
        return text

    def _format(self) -> str:
        """The format of the cell, else of its row, its column or the table."""
        at = self._layer.column
        of_column = next((style for first, last, style in self._column_styles if first <= at <= last), "")
        style = self._cell_style or self._row_style or of_column or self._table_style or "Default"
        for _ in range(20):
            if style in self._formats:
                return self._formats[style]
            style = self._parents.get(style, "")
        return self._formats.get("Default", "General")


def _number_shown(text: str, code: str) -> str:
    """A number as a person sees it; digits that only Excel would lose stay as the file has them.

    Shops write ids as numbers: ``00123`` and 18 digits are whole in the file, and would be cut by opening it.
    """
    try:
        value = float(text)
    except ValueError:
        return text
    if not math.isfinite(value):
        return text
    digits = text.lstrip("-").replace(".", "")
    is_written_out = _PLAIN.fullmatch(text) and (len(digits.lstrip("0")) > 15 or re.match(r"-?0\d", text))
    if is_written_out and parse_format(code).kind in {"general", "number"}:
        return text
    return number_text(value, code)


def _moment_shown(text: str, code: str) -> str:
    found = _MOMENT.fullmatch(text)
    if found is None:
        return text
    day, clock = found[1], found[2] or "00:00:00"
    form = parse_format(code)
    if form.kind != "time":
        return day if clock == "00:00:00" else f"{day} {clock}"
    if not form.has_date:
        return clock
    return f"{day} {clock}" if form.has_time else day


def _whole(said: str | None, default: int) -> int:
    return int(said[:9]) if said and said.isascii() and said.isdigit() else default
