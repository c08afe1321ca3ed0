"""Consecutive rows of a sheet, held as columns of cells that are there; made into rows, or into blocks in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct, field
from msgspec.structs import replace

from pipeline.reading.blocks import Flaw, Raw

Numbers = npt.NDArray[np.int64]


class SheetPiece(Struct, frozen=True):
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
        order = np.lexsort((self.columns, self.rows))
        ends = np.searchsorted(self.rows[order], np.arange(len(self.numbers)), side="right").tolist()
        columns, texts = self.columns[order].tolist(), self.texts.take(pa.array(order)).to_pylist()
        begin = 0
        for number, end in zip(self.numbers.tolist(), ends, strict=True):
            cells: list[str] = []
            for column, text in zip(columns[begin:end], texts[begin:end], strict=True):
                if text:
                    cells += [""] * (column - len(cells))
                    cells.append(text)
            begin, flaws = end, self.flaws.get(number, ())
            if cells or flaws:
                yield number, cells, flaws


def piece_of(rows: Sequence[Raw]) -> SheetPiece:
    """Rows read one by one as a piece."""
    filled = [(at, column, text) for at, (_, cells, _) in enumerate(rows) for column, text in enumerate(cells) if text]
    places, columns, texts = zip(*filled, strict=True) if filled else ((), (), ())
    return SheetPiece(
        np.array([number for number, _, _ in rows], dtype=np.int64),
        np.array(places, dtype=np.int64),
        np.array(columns, dtype=np.int64),
        pa.array(texts, type=pa.large_string()),
        {number: flaws for number, _, flaws in rows if flaws},
    )
