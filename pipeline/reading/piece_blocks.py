"""Pieces of a sheet become blocks of text columns in bulk; only rows that do not fit are looked at one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct, field

from pipeline.arrow import texts
from pipeline.model import Rejection
from pipeline.reading.blocks import Filling, Shape, fit, is_blank
from pipeline.reading.pieces import Numbers, SheetPiece
from pipeline.reading.table import Block
from pipeline.rows import Rows

_VISIBLE = "[0-9A-Za-z]"
_NOTHING = texts([""])


class _Part(Struct, frozen=True):
    """Rows laid out under the header."""

    numbers: Numbers
    columns: Sequence[pa.LargeStringArray]
    broken: Sequence[Rejection] = ()
    overflow: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def cut(self, begin: int, end: int) -> _Part:
        numbers = self.numbers[begin:end]
        if not len(numbers) or (begin == 0 and end >= len(self.numbers)):
            return self if len(numbers) else _Part(numbers, [])
        first, last = int(numbers[0]), int(numbers[-1])
        return _Part(
            numbers, [column.slice(begin, end - begin) for column in self.columns],
            [one for one in self.broken if first <= one.row <= last],
            {row: cells for row, cells in self.overflow.items() if first <= row <= last},
        )  # fmt: skip


def blocks_of(pieces: Iterable[SheetPiece], shape: Shape, size: int) -> Iterator[Block]:
    """Blocks of ``size`` rows and a last one that may be shorter; wholly blank rows are left out."""
    waiting: list[_Part] = []
    count = places = 0
    for piece in pieces:
        filling = Filling(places=places)
        part, places = _laid(piece, shape, filling), filling.places
        while count + len(part.numbers) >= size:
            missing = size - count
            yield _block([*waiting, part.cut(0, missing)], shape.width)
            part, waiting, count = part.cut(missing, len(part.numbers)), [], 0
        if len(part.numbers):
            waiting.append(part)
            count += len(part.numbers)
    if waiting:
        yield _block(waiting, shape.width)


def _block(parts: Sequence[_Part], width: int) -> Block:
    columns = [pa.concat_arrays([part.columns[position] for part in parts]) for position in range(width)]
    rows = Rows(columns, np.concatenate([part.numbers for part in parts]))
    overflow: dict[int, tuple[str, ...]] = {}
    for part in parts:
        overflow.update(part.overflow)
    return Block(rows, tuple(one for part in parts for one in part.broken), overflow)


def _laid(piece: SheetPiece, shape: Shape, filling: Filling) -> _Part:
    """The rows of a piece under the header, without blank ones."""
    for number, cells, flaws in piece.kept(_odd(piece, shape.width)).raw():
        fit(number, cells, flaws, shape, filling)
    columns = _columns(piece, shape.width)
    blank = [at for at in _blank_rows(columns, len(piece.numbers)) if _may_go(int(piece.numbers[at]), piece, filling)]
    numbers = piece.numbers
    if blank:
        kept = np.ones(len(numbers), dtype=bool)
        kept[blank] = False
        numbers, columns = numbers[kept], [column.filter(pa.array(kept)) for column in columns]
    return _Part(numbers, columns, filling.broken, filling.overflow)


def _may_go(number: int, piece: SheetPiece, filling: Filling) -> bool:
    return number not in filling.overflow and number not in piece.flaws


def _odd(piece: SheetPiece, width: int) -> npt.NDArray[np.bool_]:
    """The rows with something beyond the header, or with something wrong."""
    odd = np.isin(piece.numbers, list(piece.flaws)) if piece.flaws else np.zeros(len(piece.numbers), dtype=bool)
    beyond = np.flatnonzero(piece.columns >= width)
    if len(beyond):
        visible = [bool(text.strip()) for text in piece.texts.take(pa.array(beyond)).to_pylist()]
        odd[piece.rows[beyond[visible]]] = True
    return odd


def _columns(piece: SheetPiece, width: int) -> list[pa.LargeStringArray]:
    count = len(piece.numbers)
    cells = np.flatnonzero(piece.columns < width)
    taken = np.full(width * count, len(piece.texts), dtype=np.int64)
    taken[piece.columns[cells] * count + piece.rows[cells]] = cells
    texts = pa.concat_arrays([piece.texts, _NOTHING]).take(pa.array(taken))
    return [texts.slice(position * count, count) for position in range(width)]


def _blank_rows(columns: Sequence[pa.LargeStringArray], count: int) -> list[int]:
    """Rows in which a person sees nothing; most are cleared by a letter or a digit in one of their first cells."""
    suspects = np.arange(count)
    for column in columns:
        if not len(suspects):
            return []
        visible = pc.match_substring_regex(column.take(pa.array(suspects)), _VISIBLE)
        suspects = suspects[~visible.to_numpy(zero_copy_only=False)]
    return [at for at in suspects.tolist() if is_blank([column[at].as_py() for column in columns])]
