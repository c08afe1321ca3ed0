"""Rows that pass by: what has to be known of all of them before the first is written, and what was seen of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from pipeline.closing.sheet import SheetRow

_CELLS_IN_HAND = 250_000
"""So many cells are held in memory, so that a file with few wrong rows is read once."""

_TOLD_EVERY = 50_000
"""Rows."""

Told = Callable[[int], None]
"""Told now and then how many rows were written."""

_ROWS_MEASURED = 300
"""How many rows decide the width of a column."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the header has to know: whether there are rows, the most cells of one, the columns with something wrong.

    ``longest`` is the length of the longest text of each column among the first rows.
    """

    any: bool
    widest: int
    wrong: frozenset[int | None]
    longest: tuple[int, ...]


@dataclass(slots=True)
class Seen:
    """What was written of the rows so far: how many, and how many have something wrong in each column."""

    rows: int = 0
    in_trouble: Counter[int | None] = field(default_factory=Counter)

    def add(self, row: SheetRow) -> None:
        """One more."""
        self.rows += 1
        self.in_trouble.update({problem.column for problem in row.problems if not problem.held})


class Passing:
    """Hands out rows one after another, over several workbooks."""

    def __init__(self, rows: Iterable[SheetRow], tell: Told) -> None:
        self._rows = iter(rows)
        self._tell = tell
        self._taken = 0
        self._next = next(self._rows, None)

    @property
    def more(self) -> bool:
        """Whether any is left."""
        return self._next is not None

    def take(self, most: int) -> Iterator[SheetRow]:
        """The next ones; who stops early leaves the rest."""
        while most > 0 and self._next is not None:
            row, self._next, most = self._next, next(self._rows, None), most - 1
            self._taken += 1
            if self._taken % _TOLD_EVERY == 0:
                self._tell(self._taken)
            yield row


def in_hand(rows: Iterable[SheetRow]) -> Iterable[SheetRow]:
    """The rows as a list where they are few; where they are many they are read anew each time."""
    if isinstance(rows, Sequence):
        return rows
    held: list[SheetRow] = []
    cells = 0
    for row in rows:
        held.append(row)
        cells += len(row.cells)
        if cells > _CELLS_IN_HAND:
            return rows
    return held


def look_ahead(rows: Iterable[SheetRow]) -> Ahead:
    """Go through all rows once."""
    passing = iter(rows)
    sample = [row for row, _ in zip(passing, range(_ROWS_MEASURED), strict=False)]
    widest, wrong = 0, set[int | None]()
    for row in chain(sample, passing):
        widest = max(widest, len(row.cells))
        wrong.update([problem.column for problem in row.problems])
    widths = max((len(row.cells) for row in sample), default=0)
    longest = [max(len(row.cells[c]) for row in sample if c < len(row.cells)) for c in range(widths)]
    return Ahead(bool(sample), widest, frozenset(wrong), tuple(longest))
