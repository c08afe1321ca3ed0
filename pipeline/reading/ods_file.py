"""``.ods``: ZIP and XML, or XML alone (``.fods``), read as a stream; what a cell shows stands beside its value."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.reading.blocks import Raw
from pipeline.reading.formats import refuse_declarations
from pipeline.reading.laid import RowLayer, Seen, joined_lines, without_value
from pipeline.reading.ods_parts import date_shown, number_shown, time_shown
from pipeline.reading.refusals import damaged, readable
from pipeline.reading.sax import Part, fed, sound
from pipeline.reading.sheets import LAST_COLUMN, LAST_ROW, Sheet

_CONTENT = "content.xml"
_CELLS = frozenset({"table-cell", "covered-table-cell"})
_HIDDEN = frozenset({"collapse", "filter"})
_MOST_SPACES = 10_000
_REPEATED_ROW = 200  # what a row that is only said to come again costs at least, in places: 100,000 of them at most


def open_sheets(path: Path) -> list[Sheet]:
    """The tables in their order; ``FileRefused`` ``damaged_workbook``, ``unsafe_workbook`` or ``too_large_inside``."""
    if not _is_flat(path):
        with sound(path), zipfile.ZipFile(path) as archive:
            refuse_declarations(path, archive)
    book = _Book(wanted=-1)
    for _ in _parsed(path, book):
        pass
    return [
        Sheet(seen.name, partial(_rows, path, at), seen.is_hidden, seen.view) for at, seen in enumerate(book.sheets)
    ]


def _rows(path: Path, wanted: int) -> Iterator[Raw]:
    book = _Book(wanted)
    for _ in _parsed(path, book):
        yield from book.taken()


def _is_flat(path: Path) -> bool:
    with readable(path), path.open("rb") as stream:
        return stream.read(2) != b"PK"


def _parsed(path: Path, book: _Book) -> Iterator[None]:
    if _is_flat(path):
        with sound(path), path.open("rb") as stream:
            yield from fed(stream, book)
        return
    with sound(path), zipfile.ZipFile(path) as archive:
        if _CONTENT not in archive.namelist():
            raise damaged(path, "its content is missing")
        with archive.open(_CONTENT) as stream:
            yield from fed(stream, book)


class _Book(Part):
    """``content.xml`` from top to bottom; rows of the wanted table are handed out by ``taken``."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.sheets: list[Seen] = []
        self._wanted = wanted
        self._ready: list[Raw] = []
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._path: list[str] = []
        self._in_table = False
        self._layer = RowLayer([])
        self._row: dict[str, str] = {}
        self._hidden_groups: list[bool] = []
        self._cell: dict[str, str] = {}
        self._lines: list[str] = []
        self._unseen = 0

    def taken(self) -> list[Raw]:
        """The rows parsed since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def opened(self, name: str, attrs: dict[str, str]) -> None:
        parent = self._path[-1] if self._path else ""
        self._path.append(name)
        if name == "table" and parent == "spreadsheet":
            self._open_table(attrs)
        elif name in {"style", "table-properties"}:
            self._open_style(name, attrs)
        elif self._in_table:
            self._open_inside(name, attrs, parent)

    def characters(self, content: str) -> None:
        if not self._unseen:
            super().characters(content)

    def closed(self, name: str) -> None:
        self._path.pop()
        if name == "table" and self._path and self._path[-1] == "spreadsheet":
            self._in_table = False
        elif self._in_table:
            self._close_inside(name)

    def _open_table(self, attrs: dict[str, str]) -> None:
        name = attrs.get("name", "") or f"sheet {len(self.sheets) + 1}"
        seen = Seen(name, attrs.get("style-name") in self._hidden_styles)
        self.sheets.append(seen)
        self._layer, self._in_table, self._hidden_groups = RowLayer(seen.merged), True, []
        self._unseen = 0

    def _open_style(self, name: str, attrs: dict[str, str]) -> None:
        if name == "style":
            self._style = attrs.get("name", "")
        elif attrs.get("display") == "false":
            self._hidden_styles.add(self._style)

    def _open_inside(self, name: str, attrs: dict[str, str], parent: str) -> None:
        if name in {"annotation", "shapes", "frame", "table"}:
            self._unseen += 1  # comments and drawings, and whatever stands in them
        elif self._unseen:
            return
        elif name == "table-row":
            self._row = attrs
            self._layer.begin(self._layer.number + 1)
        elif name == "table-row-group":
            self._hidden_groups.append(attrs.get("display") == "false")
        elif name in _CELLS:
            self._cell, self._lines = attrs, []
        elif name == "p" and parent in _CELLS:
            self.listen()
        elif name in {"s", "tab", "line-break"} and self._gathered is not None:
            self.characters(_blank(name, attrs))

    def _close_inside(self, name: str) -> None:
        if name in {"annotation", "shapes", "frame", "table"}:
            self._unseen -= 1
        elif self._unseen:
            return
        elif name == "p" and self._path[-1] in _CELLS:
            self._lines.append(self.heard())
        elif name in _CELLS:
            self._close_cell(is_covered=name == "covered-table-cell")
        elif name == "table-row-group":
            self._hidden_groups.pop()
        elif name == "table-row":
            self._close_row()

    def _close_cell(self, *, is_covered: bool) -> None:
        times = _whole(self._cell.get("number-columns-repeated"), LAST_COLUMN)
        text = _shown(self._cell, joined_lines(self._lines).strip("\t"))
        if not text and self._cell.get("formula") and not is_covered and "value-type" not in self._cell:
            without_value(self._layer)
        wide = _whole(self._cell.get("number-columns-spanned"), LAST_COLUMN)
        tall = _whole(self._cell.get("number-rows-spanned"), LAST_ROW)
        if wide > 1 or tall > 1:
            self._layer.merge(wide, tall)
        self._layer.put("" if is_covered else text, times)

    def _close_row(self) -> None:
        times = _whole(self._row.get("number-rows-repeated"), LAST_ROW)
        first, cells, flaws = self._layer.row()
        last = first + times - 1
        if last > LAST_ROW:
            raise ValueError(f"row {last}")
        if cells and (self._row.get("visibility") in _HIDDEN or any(self._hidden_groups)):
            self._layer.spend(times)
            self.sheets[-1].hidden_rows |= set(range(first, last + 1))
        if cells or flaws:
            self._layer.spend((times - 1) * max(_REPEATED_ROW, len(cells)))
            if len(self.sheets) - 1 == self._wanted:
                self._ready += [(number, list(cells), flaws) for number in range(first, last + 1)]
        self._layer.number = last


def _shown(cell: dict[str, str], text: str) -> str:
    match cell.get("value-type"):
        case "float" | "currency":
            # Writers that know no formats (pandas, odfpy) spell 17850 as a program does.
            return number_shown(cell.get("value", ""), text if "style-name" in cell else text.removesuffix(".0"))
        case "percentage":
            return number_shown(cell.get("value", ""), text, is_percent=True)
        case "date":
            return date_shown(cell.get("date-value", ""), text)
        case "time":
            return time_shown(cell.get("time-value", ""), text)
        case "boolean":
            return {"true": "TRUE", "false": "FALSE"}.get(cell.get("boolean-value", ""), text)
        case "string":
            return text or cell.get("string-value", "")
    return text


def _blank(name: str, attrs: dict[str, str]) -> str:
    if name == "s":
        return " " * _whole(attrs.get("c"), _MOST_SPACES)
    return "\t" if name == "tab" else "\n"


def _whole(said: str | None, most: int) -> int:
    """A count from 1 on; one that no sheet can have is damage."""
    count = int(said) if said and said.isascii() and said.isdigit() and len(said) < 10 else 1
    if count > most:
        raise ValueError(f"{count} times")
    return max(count, 1)
