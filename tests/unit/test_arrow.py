"""Arrow without pandas, and columns in one piece or several."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.arrow import Texts, as_array, encoded, factorized, one_below_the_other, texts
from pipeline.rows import Rows

PROGRAM = """
import sys
import pyarrow as pa
from pipeline.arrow import texts, with_pandas

texts(["a"]).take(pa.array([0]))
before = "pandas" in sys.modules
import pandas as pd
gaps = pd.Series([1.5, float("nan")])
unknown = pa.array(gaps).null_count
with_pandas()
print(before, unknown, pa.array(gaps).null_count)
"""
PIECES = st.lists(st.lists(st.text("ab é", max_size=2), max_size=4), max_size=4)


def test_pandas_is_not_loaded_until_somebody_asks_for_it_and_known_from_then_on() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.split() == ["False", "0", "1"]


def column(pieces: list[list[str]]) -> Texts:
    return pa.chunked_array([texts(piece) for piece in pieces], pa.large_string())


@given(PIECES)
def test_a_column_in_pieces_is_encoded_as_one_in_one_piece(pieces: list[list[str]]) -> None:
    flat = [text for piece in pieces for text in piece]
    for told in (column(pieces), texts(flat), one_below_the_other([column(pieces[:1]), column(pieces[1:])])):
        codes, distinct = encoded(told)
        assert distinct.to_pylist() == list(dict.fromkeys(flat))
        assert [distinct[code].as_py() for code in codes.tolist()] == flat


@given(st.lists(st.integers(-2, 3)))
def test_numbers_are_counted_in_the_order_in_which_they_come(numbers: list[int]) -> None:
    codes, distinct = factorized(np.array(numbers, dtype=np.int64))
    assert distinct.tolist() == list(dict.fromkeys(numbers))
    assert distinct[codes].tolist() == numbers


@given(PIECES, st.data())
def test_some_rows_are_those_rows(pieces: list[list[str]], data: st.DataObject) -> None:
    flat = [text for piece in pieces for text in piece]
    rows = Rows([column(pieces), texts(flat)], range(2, 2 + len(flat)))
    lines = [(text, text) for text in flat]
    mask = data.draw(st.lists(st.booleans(), min_size=len(flat), max_size=len(flat)))
    places = np.flatnonzero(mask)
    for chosen in (rows.chosen(np.array(mask, dtype=bool)), rows.chosen(places)):
        assert list(chosen.lines()) == [lines[at] for at in places]
        assert chosen.numbers.tolist() == [at + 2 for at in places]
    begin, end = sorted((data.draw(st.integers(0, 5)), data.draw(st.integers(0, 5))))
    assert list(rows.part(begin, end).lines()) == lines[begin:end]
    assert list(rows.picked([1]).lines()) == [(text,) for text in flat]


@given(
    st.lists(st.integers(-5, 5), max_size=40), st.sampled_from(["int32", "int64", "uint64", "bool"]), st.integers(1, 3)
)
def test_numbers_and_truths_in_arrow_are_the_same_also_of_every_other_place(
    numbers: list[int], kind: str, step: int
) -> None:
    given_ = np.abs(np.array(numbers)).astype(kind)[::step]
    assert as_array(given_).equals(pa.array(given_))
