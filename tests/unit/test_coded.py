"""A dictionary-encoded column is, cell by cell, the column of its objects."""

from __future__ import annotations

import pickle
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.ahead import ahead, side_by_side
from pipeline.coded import Coded

TEXT = st.sampled_from(["a", "b", "é", "", " "]) | st.text(max_size=3)
AMOUNT = st.decimals(-10, 10, places=2, allow_nan=False)
CELLS = (
    st.lists(st.none() | TEXT, max_size=8)
    | st.lists(st.none() | AMOUNT, max_size=8)
    | st.lists(st.none() | st.booleans(), max_size=8)
)


def column(cells: list[object]) -> Coded:
    """The column as reading makes it: texts and amounts by their notation, all else as objects."""
    kinds = {type(cell) for cell in cells} - {type(None)}
    codes = np.array([0 if cell is None else at for at, cell in enumerate(cells, 1)], dtype=np.int32)
    if kinds not in ({str}, {Decimal}):
        return Coded.of_values(codes, [None, *cells])
    texts = [None, *(None if cell is None else format(cell, "f") if kinds == {Decimal} else cell for cell in cells)]
    return Coded(codes, pa.array(texts, pa.large_string()), make=Decimal if kinds == {Decimal} else None)


@given(CELLS, st.data())
@settings(max_examples=200, deadline=None)
def test_it_reads_as_its_objects_do(cells, data):
    coded = column(cells)
    rows = np.array(
        data.draw(st.lists(st.integers(0, len(cells) - 1), max_size=6) if cells else st.just([])), dtype=np.int64
    )
    some = [cells[at] for at in rows]
    assert coded.objects().tolist() == [coded[at] for at in range(len(cells))] == cells
    assert coded.empty().tolist() == [cell is None for cell in cells]
    assert coded.taken(rows).objects().tolist() == coded.objects(rows).tolist() == some
    assert coded.differs(rows, rows[::-1]).tolist() == [a != b for a, b in zip(some, some[::-1], strict=True)]
    assert pickle.loads(pickle.dumps(coded)).objects().tolist() == cells


@given(st.lists(CELLS, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_columns_are_joined_as_their_objects_are(several):
    assert Coded.joined([column(cells) for cells in several]).objects().tolist() == [
        c for cells in several for c in cells
    ]


@given(CELLS, st.none() | TEXT | AMOUNT, st.data())
@settings(max_examples=100, deadline=None)
def test_cells_are_filled(cells, value, data):
    coded = column(cells)
    where = np.array(data.draw(st.lists(st.booleans(), min_size=len(cells), max_size=len(cells))), dtype=bool)
    coded.fill(where, value)
    assert coded.objects().tolist() == [value if put else cell for put, cell in zip(where, cells, strict=True)]


def test_a_few_rows_of_a_long_column_leave_its_values_behind():
    coded = column([f"t{at}" for at in range(1000)])
    few = coded.taken(np.array([7, 7, 999]))
    assert (few.distinct, few.objects().tolist()) == (3, ["t7", "t7", "t999"])


def test_what_is_made_ahead_comes_in_order_and_with_its_error():
    def items():
        yield from range(5)
        raise ValueError("at the end")

    seen = []
    with pytest.raises(ValueError, match="at the end"):
        seen.extend(ahead(items()))
    assert seen == [0, 1, 2, 3, 4]


def test_what_nobody_takes_is_closed():
    closed = []

    def items():
        try:
            yield from range(1000)
        finally:
            closed.append(True)

    taken = ahead(items())
    assert next(taken) == 0
    taken.close()
    assert closed == [True]


def test_work_side_by_side_keeps_its_order():
    assert side_by_side(lambda number: number * number, range(50)) == [number * number for number in range(50)]
