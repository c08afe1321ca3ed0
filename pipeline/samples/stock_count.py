"""A warehouse's stock count as a workbook: a title above the header, number formats, and honest mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

HEADER = (
    "SKU", "Product", "On hand", "Price", "Cost", "Weight (lb)", "Bin", "Maker's no.",
    "Counted on", "Counted by",
)  # fmt: skip
_DAY = date(2026, 1, 5)
_COLUMN_FORMATS = (
    "00000", "@", "#,##0", "$#,##0.00", "$#,##0.00", "0.00", "@", "@", "d-mmm-yy", "@",
)  # fmt: skip

# SKU, product, on hand, price, cost, weight, bin, maker's number. A SKU given as a number is a number cell
# that shows it with the format 00000, as happens when somebody types it.
_COUNTED: tuple[tuple[Any, ...], ...] = (
    ("00417-BL", "Enamel mug, blue", 1240, 12.5, 4.1, 0.75, "A-01-2", "EM-350-B"),
    ("00418-GR", "Enamel mug, green", 986, 12.5, 4.1, 0.75, "A-01-3", "EM-350-G"),
    ("00419-RD", "Enamel mug, red", 0, 12.5, 4.1, 0.75, "A-01-4", "EM-350-R"),
    (1203, "Beeswax candle, 200 g", 412, 9.95, 3.28, 0.5, "B-04-1", "0077120"),
    (1204, "Beeswax candle, 400 g", 208, 16.95, 5.8, 0.95, "B-04-2", "0077140"),
    ("TEE-OAT-S", "Oat tee, S", 75, 28, 9.6, 0.4, "C-02-1", ""),
    ("TEE-OAT-M", "Oat tee, M", 132, 28, 9.6, 0.4, "C-02-2", ""),
    ("TEE-OAT-L", "Oat tee, L", 118, 28, 9.6, 0.45, "C-02-3", ""),
    ("3-Mar", "Marble tray, size 3", 24, 39, 14.25, 3.1, "D-07-1", "MT3"),
    ("KIT-07", "Sourdough starter kit", "about 40", 34, 12.9, 1.8, "D-01-1", "SK-0007"),
    ("NB-A5-DOT", "Notebook A5, dotted", 1500, 7.25, 1.9, 0.6, "E-03-1", ""),
    ("NB-A5-RUL", "Notebook A5, ruled", "#N/A", 7.25, 1.9, 0.6, "E-03-2", ""),
    (77, "Brass bookmark", 640, 5.4, 1.15, 0.05, "E-05-1", "BB-1"),
    ("00078", "Brass letter opener", 88, 14.8, 5.05, 0.2, "E-05-2", "BB-2"),
    ("00312", "Steel tiffin, 3 tier", 36, 17.5, 8.2, 2.2, "F-01-1", "ST-3"),
    ("00313", "Steel tiffin, 4 tier", 18, 22.8, 10.4, 2.7, "F-01-2", "ST-4"),
    ("00417-BL", "Enamel mug, blue", 1204, 12.5, 4.1, 0.75, "A-01-2", "EM-350-B"),
    ("00099", "Brass ladle", -2, 5.2, 2.3, 0.7, "F-02-1", "BL-09"),
    ("POST-A3", "", 310, 12, 2.2, 0.3, "G-01-1", "P-A3"),
    ("POST-A2", "Poster tube, A2", 290, 14, 2.6, 0.4, "G-01-2", "P-A2"),
)


def write_stock_count(path: Path) -> None:
    """Write the workbook; the same bytes each time."""
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"title": "Stock count", "created": datetime(2026, 1, 5, 17, 30)})  # noqa: DTZ001 - no zone in xlsx
    sheet = book.add_worksheet("Count")
    title = book.add_format({"bold": True, "font_size": 14})
    head = book.add_format({"bold": True, "bottom": 1})
    sheet.merge_range(0, 0, 0, 4, "Warehouse 2: stock count of 5 January 2026", title)
    sheet.write_row(2, 0, HEADER, head)
    formats = {name: book.add_format({"num_format": name}) for name in _COLUMN_FORMATS}
    for line, counted in enumerate(_COUNTED, 3):
        for column, value in enumerate((*counted, _DAY, "D. Fell")):
            _write(sheet, (line, column), value, formats)
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, 1, 26)
    sheet.set_column(2, 9, 11)
    book.close()


def _write(sheet: Any, cell: tuple[int, int], value: Any, formats: Mapping[str, Any]) -> None:  # noqa: ANN401
    look = formats[_COLUMN_FORMATS[cell[1]]]
    if value == "#N/A":
        sheet.write_formula(*cell, "=NA()", look, "#N/A")
    elif isinstance(value, str):
        sheet.write_string(*cell, value, formats["@"])
    elif isinstance(value, date):
        sheet.write_datetime(*cell, datetime(value.year, value.month, value.day), look)  # noqa: DTZ001
    else:
        sheet.write_number(*cell, value, look)
