"""``.xlsb`` and ``.ods``, read with calamine, which gives values without their number formats."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from pipeline.errors import FileRefused
from pipeline.reading.blocks import Raw
from pipeline.reading.formats import BROKEN_ZIP, refuse_declarations
from pipeline.reading.refusals import damaged, password_protected, readable
from pipeline.reading.sheets import Sheet
from pipeline.reading.shown import date_text, general_text


def open_sheets(path: Path) -> list[Sheet]:
    """The worksheets in their order; ``FileRefused`` ``damaged_workbook`` or ``password_protected``."""
    _prove(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        return [
            Sheet(meta.name, partial(_rows, path, book, meta.name), meta.visible != SheetVisibleEnum.Visible)
            for meta in book.sheets_metadata
            if meta.typ == SheetTypeEnum.WorkSheet
        ]
    except PasswordError:
        raise password_protected(path) from None
    except Exception as problem:  # noqa: BLE001 - calamine has a dozen errors, all meaning the same here
        raise damaged(path, f"{problem}".strip(" .") or "its parts do not fit together") from None


def _prove(path: Path) -> None:
    """Unpack everything once, within the sizes already judged: calamine itself sets no limit."""
    try:
        with readable(path), zipfile.ZipFile(path) as archive:
            refuse_declarations(path, archive)
            broken = archive.testzip()
    except FileRefused:
        raise
    except BROKEN_ZIP:
        raise damaged(path, "its parts do not fit together") from None
    if broken:
        raise damaged(path, f"its part {broken} is broken")


def _rows(path: Path, book: CalamineWorkbook, name: str) -> Iterator[Raw]:
    for number, row in enumerate(_values(path, book, name), start=1):
        yield number, [_text(value) for value in row], ()


def _values(path: Path, book: CalamineWorkbook, name: str) -> list[list[Any]]:
    try:
        return list(book.get_sheet_by_name(name).to_python(skip_empty_area=False))
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as problem:  # noqa: BLE001 - a panic in Rust arrives as a BaseException
        raise damaged(path, f"sheet “{name}” cannot be read ({type(problem).__name__})") from None


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a cell holds
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return general_text(float(value))
        case datetime() | date() | time() | timedelta():
            return date_text(value)
    return "" if value is None else str(value)
