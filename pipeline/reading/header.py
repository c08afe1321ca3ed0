"""Which row is the header: the first one, unless there is clear evidence of titles above it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.reading.blocks import is_blank

SAMPLE_ROWS = 200
MOST_COLUMNS = 16_384  # Microsoft: "Excel specifications and limits"
_DIGIT = re.compile(r"\d")
_DATUM = re.compile(r"^\W*\d|\d\W*$")
_HAS_LETTER = re.compile(r"[^\W\d_]")

Numbered = tuple[int, Sequence[str]]


def find_header(rows: Sequence[Numbered]) -> int:
    """The header's row number among the first rows of a file (row number, cells); 0 when all are blank."""
    filled = [(number, cells) for number, cells in rows if not is_blank(cells)]
    if not filled:
        return 0
    first, cells = filled[0]
    widths = [len(cells) for _, cells in filled]
    width = dominant_width(widths)
    if width <= 2 and widths.count(width) < 0.6 * len(widths):  # a few titles and marks around a small table
        width = max(widths)
    if len(filled) > 2 and _groups(cells, filled[1][1], [row for _, row in filled[2:]], width):
        return filled[1][0]
    if not _is_sparse(cells, width):
        return first
    for number, candidate in filled[1:]:
        if _is_header_like(candidate, width):
            return number
    return first


def described_rows(rows: Sequence[Numbered], header_row: int) -> int:
    """How many rows right under the header only describe its columns (``text, up to 20 letters``; ``Required``).

    Such a row has words where all the rows below have digits, in every such column, and there are three at least: an
    order that has no digit in its number, its quantity and its price is none.
    """
    if not header_row:
        return 0
    below = [cells for number, cells in rows if number > header_row and not is_blank(cells)]
    for count in (2, 1):
        told, data = below[:count], below[count : count + 50]
        if len(data) >= 2 and all(_is_description(cells, data) for cells in told):
            last = [number for number, cells in rows if number > header_row and not is_blank(cells)][count - 1]
            return last - header_row
    return 0


def _is_description(cells: Sequence[str], data: Sequence[Sequence[str]]) -> bool:
    """Whether the row has words, and never a digit, in all columns whose cells in ``data`` have digits."""
    columns = [
        at
        for at in range(len(cells))
        if all(len(row) > at and (not row[at].strip() or _DIGIT.search(row[at])) for row in data)
        and any(row[at].strip() for row in data)
    ]
    texts = [cells[at] for at in columns if cells[at].strip()]
    if len(columns) < 3 or len(texts) < max(3, 0.6 * len(columns)) or not _is_worded(texts):
        return False
    return not any(_is_worded([row[at] for at in columns if row[at].strip()]) for row in data)


def _is_worded(texts: Sequence[str]) -> bool:
    """Whether all of them are words; where rows below are so too, their texts only have digits in their middle."""
    return bool(texts) and all(_HAS_LETTER.search(text) and not _DATUM.search(text) for text in texts)


def below_note(header_row: int, below: int) -> tuple[str, ...]:
    """A sentence for people when rows under the header are left out."""
    if not below:
        return ()
    rows = (
        f"Row {header_row + 1} describes" if below == 1 else f"Rows {header_row + 1} to {header_row + below} describe"
    )
    pin = "`files: {below_header: 0}` in the mapping reads such rows as data."
    return (f"{rows} the columns and not an order or item; {pin}",)


def numbered_header(width: int) -> tuple[str, ...]:
    """The header of a file that has none (``header_row: 0``): ``column 1``, ``column 2`` …"""
    return tuple(f"column {number}" for number in range(1, width + 1))


def proven_header(path: Path, cells: Sequence[str]) -> tuple[str, ...]:
    """The header's cells; ``FileRefused`` when there are more than any spreadsheet can have."""
    if len(cells) <= MOST_COLUMNS:
        return tuple(cells)
    raise FileRefused(
        "too_many_columns",
        f"{path.name} has {len(cells):,} columns; a spreadsheet can have {MOST_COLUMNS:,}.",
        "Check that it has line breaks and that the right delimiter is used, then send it again.",
    )


def dominant_width(widths: Sequence[int]) -> int:
    """The most frequent width of at least two cells (the larger one of equals); 1 when no row has two."""
    counted = Counter(width for width in widths if width >= 2)
    return max(counted, key=lambda width: (counted[width], width)) if counted else 1


def title_note(header_row: int, rows: Sequence[Numbered]) -> tuple[str, ...]:
    """A sentence for people when something stands above the header."""
    above = [number for number, cells in rows if number < header_row and not is_blank(cells)]
    if not above:
        return ()
    named = f"Row {above[0]} is" if len(above) == 1 else f"Rows {above[0]} to {above[-1]} are"
    return (f"The header was found in row {header_row}. {named} above it and not part of the table.",)


def _is_sparse(cells: Sequence[str], width: int) -> bool:
    """Clear evidence of a title: a single cell, or less than half a row, above a wider table."""
    seen = sum(1 for cell in cells if cell.strip())
    if width <= 2:
        return seen < width and len(cells) < width
    return seen < width / 2


def _groups(cells: Sequence[str], below: Sequence[str], data: Sequence[Sequence[str]], width: int) -> bool:
    """Whether the first row only groups columns (``Order,,Customer,,``) that the row below it names.

    That row is full, its names differ, and it has no digit in columns, two at least, where nearly all data have some.
    """
    seen = sum(1 for cell in cells if cell.strip())
    names = {cell.strip().casefold() for cell in below}
    if width < 4 or seen >= 0.75 * width or len(below) != width or len(names) != width or "" in names:
        return False
    numeric = [
        at
        for at in range(width)
        if not _DIGIT.search(below[at])
        and sum(1 for row in data if len(row) > at and _DIGIT.search(row[at])) >= 0.8 * len(data)
    ]
    return len(numeric) >= 2 and _is_header_like(below, width)


def _is_header_like(cells: Sequence[str], width: int) -> bool:
    """Nearly every cell filled, nearly every one a name rather than a number, a date or an address."""
    texts = [cell for cell in cells if cell.strip()]
    names = [cell for cell in texts if is_name(cell)]
    return len(texts) >= 0.7 * width and len(names) >= 0.8 * len(texts)


def is_name(cell: str) -> bool:
    """Whether a header cell may read so: letters, no address, no digit first."""
    return bool(_HAS_LETTER.search(cell)) and "@" not in cell and not cell.strip()[0].isdigit()
