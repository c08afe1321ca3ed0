"""A column of typed cells, dictionary-encoded: what is read, judged and written is each distinct value, not each row.

Texts and amounts stay in Arrow from the file to the ledger; a Python object is made of one only where somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.arrow import as_array, factorized
from pipeline.model import Value

Cells = npt.NDArray[np.object_]
Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.int64]
_SPARE = 2
"""So many times the values of its rows may a column carry before those that no row has are left behind."""


class Coded:
    """For each row the number of its value (``codes``; 0 is no value), and the values.

    ``notation``: the values as Arrow texts, the first one null. ``make`` turns such a text into the value (``None``
    where it is the text itself). A column of other values has no notation. Two numbers may stand for equal values.
    """

    __slots__ = ("_values", "codes", "make", "notation")

    def __init__(
        self,
        codes: Codes,
        notation: pa.Array | None,
        values: Cells | None = None,
        make: Callable[[str], Value] | None = None,
    ) -> None:
        self.codes = codes
        self.notation = notation
        self.make = make
        self._values = values

    @classmethod
    def of_values(cls, codes: Codes, values: Sequence[Value]) -> Coded:
        """A column of any values; ``values[0]`` is ``None``."""
        return cls(codes, None, _objects(values))

    @classmethod
    def repeated(cls, value: Value, times: int) -> Coded:
        """The same value in every row."""
        return cls.of_values(np.full(times, 0 if value is None else 1, dtype=np.int32), [None, value])

    def __getitem__(self, at: int) -> Any:  # noqa: ANN401 - a model.Value
        """The value of one row."""
        code = int(self.codes[at])
        if self._values is not None or code == 0:
            return None if self._values is None else self._values[code]
        assert self.notation is not None  # noqa: S101 - a column without values has it
        text = self.notation[code].as_py()
        return self.make(text) if self.make else text

    @property
    def values(self) -> Cells:
        """The distinct values as objects, ``None`` first."""
        if self._values is None:
            self._values = self._made(self.notation)
        return self._values

    @property
    def distinct(self) -> int:
        """How many numbers there are, that of no value included."""
        return len(self.values) if self.notation is None else len(self.notation)

    @property
    def is_text(self) -> bool:
        """Whether the notation is the value itself."""
        return self.notation is not None and self.make is None

    @property
    def is_amount(self) -> bool:
        """Whether the values are decimal numbers, and the notation how they are written."""
        return self.notation is not None and self.make is Decimal

    def chosen(self, numbers: Positions | Codes) -> Cells:
        """The values of those numbers as objects."""
        if self._values is not None:
            return self._values[numbers]
        assert self.notation is not None  # noqa: S101 - as above
        return self._made(self.notation.take(as_array(numbers)))

    def objects(self, rows: Positions | Mask | slice = slice(None)) -> Cells:
        """The cells of some rows as objects."""
        return self.values[self.codes[rows]]

    def told(self, rows: Positions) -> pa.Array:
        """The notation of some rows."""
        assert self.notation is not None  # noqa: S101 - asked of texts and amounts only
        return self.notation.take(as_array(self.codes[rows]))

    def empty(self) -> Mask:
        """Where there is no value."""
        mask: Mask = self.codes == 0
        return mask

    def differs(self, rows: Positions, others: Positions) -> Mask:
        """Where the value of a row is another than that of the row beside it."""
        differing = self.codes[rows] != self.codes[others]
        at = np.flatnonzero(differing)
        if len(at):
            differing[at] = self.chosen(self.codes[rows[at]]) != self.chosen(self.codes[others[at]])
        return np.asarray(differing, dtype=bool)

    def copy_within(self, rows: Positions | Mask, sources: Positions) -> None:
        """Give rows the values of other rows."""
        self.codes[rows] = self.codes[sources]

    def fill(self, rows: Positions | Mask, value: Value) -> None:
        """Give rows a value."""
        if value is None:
            self.codes[rows] = 0
            return
        number = self.distinct
        written = value if self.is_text and isinstance(value, str) else None
        if self.is_amount and isinstance(value, Decimal):
            written = format(value, "f")
        if written is not None and self.notation is not None:
            self.notation, self._values = (
                pa.concat_arrays([self.notation, pa.array([written], pa.large_string())]),
                None,
            )
        else:
            self._values, self.notation, self.make = _objects([*self.values.tolist(), value]), None, None
        self.codes[rows] = number

    def taken(self, rows: Positions) -> Coded:
        """Some rows as a column of their own."""
        codes = self.codes[rows]
        if self.distinct <= _SPARE * len(codes) + 1:
            return Coded(codes, self.notation, self._values, self.make)
        numbers, kept = factorized(codes[codes != 0])
        renumbered = np.zeros(len(codes), dtype=np.int32)
        renumbered[codes != 0] = numbers + 1
        kept = np.concatenate(([0], kept))
        notation = None if self.notation is None else self.notation.take(as_array(kept))
        return Coded(renumbered, notation, None if self._values is None else self._values[kept], self.make)

    @staticmethod
    def joined(columns: Sequence[Coded]) -> Coded:
        """Columns of one field, one below the other."""
        if len(columns) == 1:
            return columns[0]
        codes, reached = [], 0
        for column in columns:
            codes.append(np.where(column.codes == 0, 0, column.codes + reached).astype(np.int32))
            reached += column.distinct - 1
        first = columns[0]
        written = [c.notation for c in columns if c.notation is not None and c.make is first.make]
        if len(written) == len(columns):
            notation = pa.concat_arrays([written[0], *(texts[1:] for texts in written[1:])])
            return Coded(np.concatenate(codes), notation, None, first.make)
        return Coded(
            np.concatenate(codes),
            None,
            np.concatenate([first.values, *(column.values[1:] for column in columns[1:])]),
        )

    def _made(self, notation: pa.Array) -> Cells:
        texts = notation.to_pylist()
        make = self.make
        return _objects(texts if make is None else [None if text is None else make(text) for text in texts])


def _objects(values: Sequence[Value]) -> Cells:
    cells = np.empty(len(values), dtype=object)
    cells[:] = values
    return cells
