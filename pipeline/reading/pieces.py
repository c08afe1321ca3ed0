"""Consecutive rows of a sheet, held as columns of cells that are there; made into rows, or into blocks in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.reading.blocks import Flaw, Raw

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SheetPiece:
    """Rows of a sheet, blank ones perhaps among them: ``numbers`` as a spreadsheet shows them, rising.

    A cell is an entry of ``rows`` (the place of its row in ``numbers``), ``columns`` (from 0) and ``texts``; cells
    stand in no order, each once. ``flaws`` are those of a row, by its number.
    """

    numbers: Numbers
    rows: Numbers
    columns: Numbers
    texts: pa.LargeStringArray
    flaws: Mapping[int, tuple[Flaw, ...]] = field(default_factory=dict)

    def kept(self, which: npt.NDArray[np.bool_]) -> SheetPiece:
        """Some of the rows."""
        if which.all():
            return self
        cells = which[self.rows]
        places = np.cumsum(which) - 1
        return replace(
            self, numbers=self.numbers[which], rows=places[self.rows[cells]], columns=self.columns[cells],
            texts=self.texts.filter(pa.array(cells)),
        )  # fmt: skip

    def raw(self) -> Iterator[Raw]:
        """The rows one by one, without those in which nothing stands and nothing is wrong."""
        made: dict[int, list[str]] = defaultdict(list)
        order = np.lexsort((self.columns, self.rows))
        texts = self.texts.take(pa.array(order)).to_pylist()
        for row, column, text in zip(self.rows[order].tolist(), self.columns[order].tolist(), texts, strict=True):
            if text:
                cells = made[row]
                cells += [""] * (column - len(cells))
                cells.append(text)
        for row, number in enumerate(self.numbers.tolist()):
            flaws = self.flaws.get(number, ())
            if row in made or flaws:
                yield number, made.get(row, []), flaws


def piece_of(rows: Sequence[Raw]) -> SheetPiece:
    """Rows read one by one as a piece."""
    widths = np.array([len(cells) for _, cells, _ in rows], dtype=np.int64)
    ends = np.cumsum(widths)
    return SheetPiece(
        np.array([number for number, _, _ in rows], dtype=np.int64),
        np.repeat(np.arange(len(rows)), widths),
        np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - widths, widths),
        pa.array(chain.from_iterable(cells for _, cells, _ in rows), type=pa.large_string()),
        {number: flaws for number, _, flaws in rows if flaws},
    )
