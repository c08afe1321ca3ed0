"""A file looked at for what its columns may mean: the first rows, each column with its content."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from pipeline.errors import FileRefused
from pipeline.fields import FieldSpec
from pipeline.mapping.cells import Reading
from pipeline.mapping.parsers import read_one
from pipeline.proposing.content import look
from pipeline.proposing.item_shapes import ItemShape, numbered_items, packed_items, parallel_items
from pipeline.proposing.matching import Seen
from pipeline.reading.table import Block, Table
from pipeline.reasons import Trouble
from pipeline.reshaping import Unfolding, unfolding

SAMPLE_ROWS = 5_000


class FirstRows:
    """The first rows of a table as a table; ``cut`` tells, once it was read, whether there are more."""

    def __init__(self, table: Table, most: int) -> None:
        self._table = table
        self._most = most
        self.cut = False
        self.table = replace(table, blocks=self._blocks)

    def _blocks(self, size: int) -> Iterator[Block]:
        left = self._most
        for block in self._table.blocks(size):
            if len(block.rows) > left:
                self.cut = True
                if left:
                    yield _head(block, left)
                return
            left -= len(block.rows)
            yield block


def _head(block: Block, rows: int) -> Block:
    first = block.rows.part(0, rows)
    last = int(first.numbers[-1])
    broken = tuple(rejection for rejection in block.broken if rejection.row <= last)
    overflow = {row: cells for row, cells in block.overflow.items() if row <= last}
    return replace(block, rows=first, broken=broken, overflow=overflow)


def columns_of(table: Table, rows: int = SAMPLE_ROWS, unfold: Unfolding | None = None) -> tuple[Seen, ...]:
    """Every column of a table with its first ``rows`` cells; ``FileRefused`` when the rows cannot be read."""
    blocks = list(islice(table.blocks(rows), 1))
    read = [unfold.unfold(block.rows, block.broken)[0] if unfold else block.rows for block in blocks]
    header = unfold.header if unfold else table.header
    cells = [tuple(some[at].to_pylist()) for some in read for at in range(len(header))]
    told = cells or [()] * len(header)
    return tuple(Seen(at, header[at], look(told[at], understood), told[at]) for at in range(len(header)))


def shaped_columns_of(table: Table) -> tuple[tuple[Seen, ...], ItemShape | None]:
    """The columns of a sample with its items unfolded, and the shape they had, ``None`` for one line a row."""
    columns, shape = columns_of(table), None
    numbered = numbered_items(columns)
    if numbered is not None and (unfold := _unfolding(table, numbered)) is not None:
        columns, shape = columns_of(table, unfold=unfold), numbered
    made = shape.unpivot if shape else {}
    packed = parallel_items(columns, made) or packed_items(columns, made)
    if packed is None:
        return columns, shape
    both = ItemShape(shape.unpivot, packed.split, f"{shape.why}, {packed.why}") if shape else packed
    unfold = _unfolding(table, both)
    return (columns, shape) if unfold is None else (columns_of(table, unfold=unfold), both)


def _unfolding(table: Table, shape: ItemShape) -> Unfolding | None:
    try:
        return unfolding(shape.unpivot, shape.split, table.header, "", numeric=("quantity",))
    except FileRefused:
        return None  # the names of its columns clash: no shape to propose


def understood(parser: str, texts: Sequence[str]) -> float:
    """Which share of the texts a mapping's parser reads; the parser is named like the type of its field."""
    reading = Reading(FieldSpec(parser, parser), parser, ZoneInfo("UTC"))
    good = sum(not isinstance(read_one(text, reading), Trouble) for text in texts)
    return good / len(texts) if texts else 0.0
