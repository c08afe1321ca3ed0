"""Keep-everything reading: all rows the reader cuts, also those an order feed would send back."""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.reading import Hints
from pipeline.reading.blocks import is_blank
from pipeline.reading.csv_file import file_rows
from pipeline.reading.dialect import find_dialect
from pipeline.reading.encoding import find_encoding
from pipeline.reading.header import dominant_width, find_header

_NOTHING = {"empty_file"}


def kept(path: Path, hints: Hints | None = None) -> list[list[str]] | None:
    """Header and rows, broken ones as they could be laid out; ``None`` when the file is refused even so.

    The dialect and the header row are found by the product's own functions, and the rows cut by its own reader. What
    an order feed does on top of that is left out: refusing a header without rows, or an open quote at the end.
    """
    named = hints or Hints()
    try:
        if not path.stat().st_size:
            return []
        dialect = find_dialect(path, find_encoding(path, named.encoding).name, named)
        top = [(number, cells) for number, cells, _ in file_rows(path, dialect, keep=True)][:200]
        header_row = named.header_row or find_header(top)
        width = dominant_width([len(cells) for _, cells in top if not is_blank(cells)])
        rows = [
            cells for number, cells, _ in file_rows(path, dialect, width, keep=True)
            if number >= header_row and not is_blank(cells)
        ]  # fmt: skip
    except FileRefused as refused:
        return [] if refused.code in _NOTHING else None
    return rows
