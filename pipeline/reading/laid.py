"""Rows laid out cell by cell, for formats that say how far a cell reaches; what they may cost is bounded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.reading.blocks import MOST_BLANKS, Flaw, Raw, TooLarge
from pipeline.reading.sheets import LAST_COLUMN, LAST_ROW
from pipeline.reading.views import Range, View
from pipeline.reading.xlsx_parts import column_letters

MOST_MERGED = 100_000
_DEAR = 10  # how much more a cell that reaches down costs, per row, than a blank


@dataclass(slots=True)
class Seen:
    """What one pass tells of a sheet beside its cells."""

    name: str
    is_hidden: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    merged: list[Range] = field(default_factory=list)

    def view(self) -> View:
        """Hidden rows and merged ranges as reading wants them."""
        return View(frozenset(self.hidden_rows), tuple(self.merged))


class RowLayer:
    """One row after another: ``begin`` it, ``put`` its cells from left to right, take it as ``row``."""

    def __init__(self, merged: list[Range], last_row: int = LAST_ROW) -> None:
        self._merged, self._last_row = merged, last_row
        self._spent = 0
        self._reaching: list[tuple[int, int, int]] = []  # left, right, last row: sorted, of rows above
        self._begun: list[tuple[int, int, int]] = []
        self._next = 0
        self.number = 0
        self.column = 0
        self._cells: list[str] = []
        self._flaws: list[Flaw] = []

    def begin(self, number: int) -> None:
        """A row of that number, further down than the last one."""
        if not self.number < number <= self._last_row:
            raise ValueError(f"row {number} after row {self.number}")
        self.number, self.column = number, 0
        self._cells, self._flaws = [], []
        if self._reaching or self._begun:
            self._reaching = sorted(one for one in (*self._reaching, *self._begun) if one[2] >= number)
            self._begun, self._next = [], 0
            self.spend(_DEAR * len(self._reaching))

    def pass_taken(self) -> None:
        """Move on to the next column that no cell of a row above reaches into."""
        while self._next < len(self._reaching) and self._reaching[self._next][0] <= self.column:
            self.column = max(self.column, self._reaching[self._next][1] + 1)
            self._next += 1

    def move(self, column: int) -> None:
        """The next cell stands in that column, counted from 0."""
        if not self.column <= column < LAST_COLUMN:
            raise ValueError(f"a cell in column {column + 1}")
        self.column = column

    def put(self, text: str, times: int = 1, *, wide: int = 1, tall: int = 1) -> None:
        """A cell, ``times`` over; it may reach over more columns and rows, and holds its text in the first."""
        if self.column + max(times, wide) > LAST_COLUMN:
            raise ValueError(f"a cell in column {self.column + max(times, wide)}")
        if text:
            self.spend(self.column - len(self._cells) + times - 1)
            self._cells += [""] * (self.column - len(self._cells)) + [text] * times
        if wide > 1 or tall > 1:
            self.merge(wide, tall)
        if tall > 1:
            self._begun.append((self.column, self.column + wide - 1, self.number + tall - 1))
        self.column += max(times, wide)

    def flaw(self, code: str, message: str, advice: str) -> None:
        """Something is wrong with the cell that is put next."""
        self._flaws.append(Flaw(code, message, advice, self.column))

    def spend(self, places: int) -> None:
        """Count places nobody wrote; ``TooLarge`` when there are too many."""
        self._spent += places
        if self._spent > MOST_BLANKS:
            raise TooLarge("a sheet of cells that nobody wrote")

    def row(self) -> Raw:
        """The row as it stands."""
        return self.number, self._cells, tuple(self._flaws)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was put into the row, and nothing is wrong with it."""
        return not self._cells and not self._flaws

    def merge(self, wide: int, tall: int) -> None:
        """The cell that is put next reaches over so many columns and rows."""
        if len(self._merged) >= MOST_MERGED:
            raise TooLarge("more merged cells than anybody can make")
        self._merged.append(Range(self.number, self.column, self.number + tall - 1, self.column + wide - 1))


def without_value(row: RowLayer) -> None:
    """Note that the cell put next is a formula that was never calculated."""
    row.flaw(
        "formula_without_value",
        f"Cell {column_letters(row.column)}{row.number} holds a formula whose result was never stored.",
        "Open the workbook in Excel, let it calculate, save it and drop it again; or write the value there.",
    )


def joined_lines(lines: Iterable[str]) -> str:
    """Paragraphs of a cell as one text, blank ones at both ends left out."""
    return "\n".join(lines).strip("\n")
