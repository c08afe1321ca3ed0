"""Any text, made fit for a spreadsheet cell: nothing drops out of sight, nothing becomes a formula or markup.

A cell holds at most 32,767 UTF-16 units (Excel's specification of limits) and XML 1.0 has no place for most
control characters. So a control character is shown as its picture from the Unicode block U+2400 (``␛`` for
ESC), which ``restored`` turns back; a line end is one line feed; a non-character or lone surrogate is U+FFFD;
a text that is too long ends in ``CUT_MARK``.
"""

from __future__ import annotations

import re

from pipeline.closing.look import Format, Sheet

CELL_LIMIT = 32_767
"""UTF-16 units one cell can hold."""

CUT_MARK = " … [cut here: too long for a cell]"
"""The end of a text that was longer than a cell can hold."""

_CONTROLS = [code for code in range(0x20) if chr(code) not in "\t\n\r"]
_PICTURES = {code: chr(0x2400 + code) for code in _CONTROLS}
_FROM_PICTURES = {0x2400 + code: chr(code) for code in _CONTROLS}
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
PICTURE = "[\u2400-\u2408\u240b\u240c\u240e-\u241f]"
"""A regular expression for one picture that stands for a control character."""


def fit(text: str) -> str:
    """The text as a cell can hold it: controls made visible, line ends as ``\\n``, cut with a mark."""
    if _UNSEEN.search(text):
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_PICTURES)
        text = _UNSEEN.sub("\ufffd", text)
    return text if units(text) <= CELL_LIMIT else _first_units(text, CELL_LIMIT - units(CUT_MARK)) + CUT_MARK


def restored(text: str) -> str:
    """The text with control characters back in place of their pictures, so that it is judged as it came."""
    return text.translate(_FROM_PICTURES)


def units(text: str) -> int:
    """Length as Excel counts it: characters beyond U+FFFF count twice."""
    return len(text) + sum(char > "\uffff" for char in text) if not text.isascii() else len(text)


def write_text(sheet: Sheet, row: int, column: int, text: str, look: Format) -> None:
    """Write a text as text, whatever it looks like; ``row`` and ``column`` count from 0."""
    text = fit(text)
    if not text:
        sheet.write_blank(row, column, None, look)
    elif text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter takes such a text for markup of its own and would write it into the sheet unescaped
        # (seen in 3.3.1), so a file could smuggle in cells and formulas. In two runs each half is escaped.
        sheet.write_rich_string(row, column, text[:1], look, text[1:], look)
    else:
        sheet.write_string(row, column, text, look)


def _first_units(text: str, limit: int) -> str:
    encoded = text.encode("utf-16-le")[: limit * 2]
    return encoded.decode("utf-16-le", "ignore")
