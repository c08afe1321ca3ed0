"""Rows of a table as they were read: columns of text in Arrow, and the number of each row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.arrow import Texts, as_array, texts

Numbers = npt.NDArray[np.int64]
_Chosen = npt.NDArray[np.bool_] | npt.NDArray[np.intp]


class Rows:
    """Columns by position, all alike long, and for each row its number (or the index of its part)."""

    __slots__ = ("columns", "numbers")

    def __init__(self, columns: Sequence[Texts], numbers: npt.ArrayLike) -> None:
        self.columns = tuple(columns)
        self.numbers: Numbers = np.asarray(numbers, dtype=np.int64)

    @classmethod
    def of(cls, lines: Sequence[Sequence[str]], numbers: npt.ArrayLike, width: int) -> Rows:
        """Rows given cell by cell."""
        return cls([texts(column) for column in zip(*lines, strict=True)] or [texts([])] * width, numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, position: int) -> Texts:
        """A column."""
        return self.columns[position]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.columns)

    def chosen(self, which: _Chosen) -> Rows:
        """Some of the rows: where a mask says so, or those of these places in their order."""
        if which.dtype == np.bool_:
            mask = as_array(which)
            return Rows([column.filter(mask) for column in self.columns], self.numbers[which])
        places = as_array(which)
        return Rows([column.take(places) for column in self.columns], self.numbers[which])

    def part(self, begin: int, end: int) -> Rows:
        """The rows from one place to before another."""
        numbers = self.numbers[begin:end]
        return Rows([column.slice(begin, len(numbers)) for column in self.columns], numbers)

    def picked(self, positions: Sequence[int]) -> Rows:
        """The rows with these columns only."""
        return Rows([self.columns[position] for position in positions], self.numbers)

    def renumbered(self, numbers: npt.ArrayLike) -> Rows:
        """The same rows with other numbers."""
        return Rows(self.columns, numbers)

    def line(self, at: int) -> tuple[str, ...]:
        """The cells of one row."""
        return tuple(column[at].as_py() for column in self.columns)

    def lines(self) -> Iterator[tuple[str, ...]]:
        """The cells of each row."""
        if not self.columns:
            return iter([()] * len(self))
        return zip(*(column.to_pylist() for column in self.columns), strict=True)


def filled(column: Texts) -> npt.NDArray[np.bool_]:
    """Where a person sees something in a cell."""
    return as_mask(pc.not_equal(pc.utf8_trim_whitespace(column), ""))


def as_mask(found: pa.BooleanArray) -> npt.NDArray[np.bool_]:
    """A verdict of Arrow on each cell as a mask."""
    mask: npt.NDArray[np.bool_] = found.to_numpy(zero_copy_only=False)
    return mask
