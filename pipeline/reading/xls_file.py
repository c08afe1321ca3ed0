"""``.xls`` (BIFF), read with xlrd."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import xlrd

from pipeline.errors import FileRefused
from pipeline.reading.blocks import Raw
from pipeline.reading.refusals import damaged, password_protected, readable
from pipeline.reading.sheets import Sheet
from pipeline.reading.shown import number_text
from pipeline.reading.views import Range, View

MOST_BYTES = 1 << 26
"""xlrd holds a workbook in memory as a whole, in about ten times its size; a full sheet of 25 columns is 26 MB."""


def open_sheets(path: Path) -> list[Sheet]:
    """The worksheets in their order; ``FileRefused`` ``damaged_workbook`` or ``password_protected``."""
    book = _book(path)
    return [
        Sheet(sheet.name, partial(_rows, book, sheet), sheet.visibility != 0, partial(_view, sheet))
        for sheet in book.sheets()
    ]


def _book(path: Path) -> Any:  # noqa: ANN401 - xlrd has no types
    with readable(path):
        if path.stat().st_size > MOST_BYTES:
            raise _too_large(path)
        content = path.read_bytes()
    try:
        return _opened(content, with_formats=True)
    except (NotImplementedError, xlrd.XLRDError, IndexError, KeyError, AttributeError):
        # Some writers get the formatting records wrong and the cells right.
        return _opened_plainly(path, content)
    except Exception as problem:  # noqa: BLE001 - xlrd lets any error of a damaged file through
        raise damaged(path, f"its records do not fit together ({type(problem).__name__})") from None


def _too_large(path: Path) -> FileRefused:
    return FileRefused(
        "too_large",
        f"{path.name} has {path.stat().st_size >> 20} MB; workbooks of this old kind (.xls) are read up to "
        f"{MOST_BYTES >> 20} MB.",
        "Save it as .xlsx or CSV, which may be of any length, and drop that.",
    )


def _opened_plainly(path: Path, content: bytes) -> Any:  # noqa: ANN401 - xlrd has no types
    try:
        return _opened(content, with_formats=False)
    except FileRefused:
        raise
    except Exception as problem:  # noqa: BLE001 - as above
        if "encrypted" in str(problem).lower():
            raise password_protected(path) from None
        raise damaged(path, f"its records do not fit together ({type(problem).__name__})") from None


def _opened(content: bytes, *, with_formats: bool) -> Any:  # noqa: ANN401 - xlrd has no types
    # The log of oddities goes nowhere: xlrd would print it on standard output.
    return xlrd.open_workbook(file_contents=content, formatting_info=with_formats, logfile=io.StringIO())


def _rows(book: Any, sheet: Any) -> Iterator[Raw]:  # noqa: ANN401 - xlrd has no types
    for number in range(sheet.nrows):
        yield number + 1, [_text(book, cell) for cell in sheet.row(number)], ()


def _view(sheet: Any) -> View:  # noqa: ANN401 - xlrd has no types
    hidden = {number + 1 for number, info in sheet.rowinfo_map.items() if info.hidden and number < sheet.nrows}
    merged = [Range(top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells]
    return View(frozenset(hidden), tuple(merged))


def _text(book: Any, cell: Any) -> str:  # noqa: ANN401 - xlrd has no types
    match cell.ctype:
        case xlrd.XL_CELL_TEXT:
            return str(cell.value)
        case xlrd.XL_CELL_NUMBER | xlrd.XL_CELL_DATE:
            return number_text(float(cell.value), _format(book, cell), date1904=bool(book.datemode))
        case xlrd.XL_CELL_BOOLEAN:
            return "TRUE" if cell.value else "FALSE"
        case xlrd.XL_CELL_ERROR:
            return str(xlrd.error_text_from_code.get(cell.value, "#ERR!"))
    return ""


def _format(book: Any, cell: Any) -> str:  # noqa: ANN401 - xlrd has no types
    """The format code; without formatting records only the kind of the cell is known."""
    if cell.xf_index is not None:
        known = book.format_map.get(book.xf_list[cell.xf_index].format_key)
        if known is not None:
            return str(known.format_str)
    if cell.ctype != xlrd.XL_CELL_DATE:
        return "General"
    return "yyyy-mm-dd hh:mm:ss" if cell.value % 1 else "yyyy-mm-dd"
