"""Rows at the end that the mapping says are no records (``footer_rows: 2``), left out only where they look so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from pipeline.errors import FileRefused
from pipeline.reading.refusals import no_rows
from pipeline.reading.table import Block, Table
from pipeline.rows import Rows, filled

_AT_ONCE = 20_000
_ENOUGH = 3
_Marks = npt.NDArray[np.bool_]


def without_footer(path: Path, table: Table, count: int) -> Table:
    """The table without its last filled rows; ``FileRefused`` ``footer_missing`` where one may be an order.

    The file is read once to its end for that. A footer has fewer filled cells than every row above it, and none in some
    column that is filled in all of them: so a file that came without its footer loses nothing.
    """
    numbers, marks, above = _ends(table, count)
    if len(numbers) < count or not above.least:
        raise no_rows(path, table.found.header_row)
    for number, mark in zip(numbers, marks, strict=True):
        if mark.sum() >= above.bound or (above.always.any() and mark[above.always].all()):
            raise _missing(path, number, count)
    last = numbers[0] - 1
    rows = f"Row {numbers[0]} is" if count == 1 else f"Rows {numbers[0]} to {numbers[-1]} are"
    note = f"{rows} the footer that `files: {{footer_rows: {count}}}` names, and not read."
    found = replace(table.found, notes=(*table.found.notes, note), footer_rows=count)
    return replace(table, found=found, blocks=partial(_above, table, last))


@dataclass(slots=True)
class _Above:
    """The rows above the footer: columns filled in all of them, and how many cells the emptiest has (0: no row)."""

    always: _Marks
    least: int = 0
    seen: int = 0

    @property
    def bound(self) -> int:
        """From how many filled cells on a row may be an order; where little is seen above, half a row may."""
        return self.least if self.seen >= _ENOUGH else self.least // 2 + 1

    def see(self, marks: _Marks) -> None:
        self.seen += len(marks)
        if len(marks):
            self.always = self.always & marks.all(axis=0)
            fewest = int(marks.sum(axis=1).min())
            self.least = min(self.least, fewest) if self.least else fewest


def _ends(table: Table, count: int) -> tuple[list[int], _Marks, _Above]:
    """Number and filled columns of the last rows, and what is known of those above them."""
    numbers: list[int] = []
    marks: _Marks = np.zeros((0, len(table.header)), dtype=bool)
    above = _Above(np.ones(len(table.header), dtype=bool))
    for block in table.blocks(_AT_ONCE):
        numbers += block.rows.numbers.tolist()
        marks = np.concatenate([marks, _filled(block.rows)])
        above.see(marks[: max(0, len(marks) - count)])
        numbers, marks = numbers[-count:], marks[-count:]
    return numbers, marks, above


def _filled(rows: Rows) -> _Marks:
    columns = [filled(column) for column in rows.columns]
    return np.column_stack(columns) if columns else np.zeros((len(rows), 0), dtype=bool)


def _above(table: Table, last: int, size: int) -> Iterator[Block]:
    for block in table.blocks(size):
        kept = block.rows.chosen(block.rows.numbers <= last)
        if len(kept) == len(block.rows):
            yield block
            continue
        broken = tuple(flaw for flaw in block.broken if flaw.row <= last)
        if len(kept):
            yield Block(kept, broken, {row: cells for row, cells in block.overflow.items() if row <= last})
        return


def _missing(path: Path, number: int, count: int) -> FileRefused:
    footer = "a footer of 1 row" if count == 1 else f"a footer of {count} rows"
    return FileRefused(
        "footer_missing",
        f"{path.name} should end with {footer}, but row {number} is filled like the rows above it; it may be an order.",
        "Ask the sender whether the footer is missing; without one, take `files: {footer_rows: …}` out of the mapping "
        "and drop the file again.",
    )
