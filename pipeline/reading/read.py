"""Open any file people send as a table."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from pipeline.reading.csv_file import open_csv
from pipeline.reading.excel_file import open_workbook
from pipeline.reading.footer import without_footer
from pipeline.reading.formats import sniff_format
from pipeline.reading.refusals import readable
from pipeline.reading.sheets import DOUBT_SHEET, RETURNED_SHEET
from pipeline.reading.table import Hints, Table

_BY_ENDING = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".tab": "csv", ".xlsx": "xlsx", ".xlsm": "xlsx",
    ".xlsb": "xlsb", ".xls": "xls", ".ods": "ods", ".fods": "ods", ".htm": "html", ".html": "html", ".xml": "xml",
}  # fmt: skip
_NAMES = {
    "html": "a web page (HTML)",
    "xml": "an Excel workbook in XML (SpreadsheetML 2003)",
    "csv": "delimited text (CSV)",
    "xlsx": "an Excel workbook (.xlsx)",
    "xlsb": "a binary Excel workbook (.xlsb)",
    "xls": "an old Excel workbook (.xls)",
    "ods": "an OpenDocument spreadsheet (.ods)",
}


def open_table(path: Path, hints: Hints | None = None) -> Table:
    """The header of a file and the way to its rows, whatever its name ends in.

    ``FileRefused`` says what is wrong with the file and what to do; it may also come out of ``blocks``, for
    what only shows further down (``unclosed_quote``, ``undecodable``, ``unreadable``, ``damaged_workbook``).
    """
    named = hints or Hints()
    with readable(path):
        sniffed = sniff_format(path)
        kind = "xlsx" if sniffed == "xlsm" else sniffed
        table = open_csv(path, named) if kind == "csv" else open_workbook(path, kind, named)
        if named.footer_rows and table.found.sheet not in {RETURNED_SHEET, DOUBT_SHEET}:
            table = without_footer(path, table, named.footer_rows)
    expected = _BY_ENDING.get(path.suffix.casefold(), kind)
    if expected == kind:
        return table
    note = f"The name ends in {path.suffix}, but the content is {_NAMES[kind]}; it was read as that."
    return replace(table, found=replace(table.found, notes=(note, *table.found.notes)))
