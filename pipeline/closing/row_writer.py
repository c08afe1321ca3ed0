"""Whole rows of texts for a sheet, as XlsxWriter writes them a cell at a time, in an eighth of the time.

XlsxWriter keeps the rows of a ``constant_memory`` sheet as text in a file until the workbook is closed. Here a row is
put there as one piece. Every text is an inline string: nothing can become a number, a formula or markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from xlsxwriter.utility import xl_col_to_name

from pipeline.closing.cells import CELL_LIMIT, fit
from pipeline.closing.look import Format, Sheet

_UNUSUAL = re.compile("[\x01-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9a-fA-F]{4}_|\x00\\s|\\s\x00")
"""In texts joined by zero bytes: what has to be looked at cell by cell."""

_LOOKS_ESCAPED = re.compile("_(?=x[0-9a-fA-F]{4}_)")
"""What Excel would take for an escaped character, so that its first sign is escaped itself."""


@dataclass(frozen=True, slots=True)
class Style:
    """What stands between the place of a cell and its text, and what ends a cell without one."""

    text: str
    blank: str
    keeping_spaces: str


class RowWriter:
    """Writes the rows of one sheet from the top; the sheet is given no cell in any other way."""

    def __init__(self, sheet: Sheet, columns: int) -> None:
        self._sheet = sheet
        self._places = [f'<c r="{xl_col_to_name(column)}' for column in range(columns)]
        self._rows = 0
        self.written = 0
        """Bytes so far."""

    @staticmethod
    def style(look: Format) -> Style:
        """How cells of a format begin."""
        number = look._get_xf_index()  # noqa: SLF001 - what XlsxWriter itself writes into a cell
        begun = f'" s="{number}" t="inlineStr"><is><t'
        return Style(f"{begun}>", f'" s="{number}"/>', f'{begun} xml:space="preserve">')

    def row(self, texts: Sequence[str], styles: Sequence[Style], height: float, *, noted: bool = False) -> None:
        """The next row; ``height`` in points. ``noted``: notes that may reach over it have to know its height."""
        self._rows += 1
        line, pixels = str(self._rows), int(height * 4 / 3 + 0.5)
        if noted:
            self._sheet.row_sizes[self._rows - 1] = [pixels, False]
        plain = _marked_up(texts)
        if plain is not None:
            cells = "".join([
                f"{place}{line}{style.text}{text}</t></is></c>" if text else f"{place}{line}{style.blank}"
                for place, style, text in zip(self._places, styles, plain, strict=True)
            ])  # fmt: skip
        else:
            placed = zip(self._places, styles, texts, strict=True)
            cells = "".join([f"{place}{line}{_cell(style, text)}" for place, style, text in placed])
        xml = f'<row r="{line}" ht="{pixels * 0.75:g}" customHeight="1">{cells}</row>'
        self.written += len(xml) if xml.isascii() else len(xml.encode())
        self._sheet.row_data_fh.write(xml)

    def close(self) -> None:
        """State the size of the sheet: programs that trust it find all rows."""
        sheet = self._sheet
        sheet.dim_rowmin, sheet.dim_rowmax = 0, self._rows - 1
        sheet.dim_colmin, sheet.dim_colmax = 0, len(self._places) - 1


def _marked_up(texts: Sequence[str]) -> Sequence[str] | None:
    """All of them as they stand in XML, at once; ``None`` where one of them needs more than that."""
    joined = "\x00".join(("", *texts, ""))
    if len(joined) > CELL_LIMIT // 2 or joined.count("\x00") != len(texts) + 1 or _UNUSUAL.search(joined):
        return None
    escaped = _escaped(joined)
    return texts if escaped == joined else escaped.split("\x00")[1:-1]


def _cell(style: Style, text: str) -> str:
    if not text:
        return style.blank
    text = _LOOKS_ESCAPED.sub("_x005F_", fit(text))
    begun = style.text if text == text.strip() else style.keeping_spaces
    return f"{begun}{_escaped(text)}</t></is></c>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
