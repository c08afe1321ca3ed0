"""Arrow as it is used here: without pandas, for as long as nobody else asks for it.

Where pandas is installed, Arrow loads it as soon as an array is made, to know its objects when it is handed one. None
of the rooms here hands it any, and loading pandas takes longer than reading, judging and writing a file of some
thousand rows. So the first array is made where pandas cannot be found; Arrow looks for it again when it needs it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Texts: TypeAlias = pa.LargeStringArray | pa.ChunkedArray
"""A column of text, in one piece or several: never null, an empty cell is an empty text."""


class _Hidden(MetaPathFinder):
    """One thread does not find pandas; all others do."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(self, fullname: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        if fullname == "pandas" and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(fullname)
        return None


def _make_the_first_array() -> None:
    hidden = _Hidden()
    sys.meta_path.insert(0, hidden)
    try:
        pa.array([])
    finally:
        sys.meta_path.remove(hidden)


if "pandas" not in sys.modules:
    _make_the_first_array()


def with_pandas() -> None:
    """Who is about to use pandas says so, and Arrow knows its objects from then on."""
    pa.nulls(0).to_pandas()


def texts(cells: Any) -> Texts:  # noqa: ANN401 - any sequence of texts
    """A column of those texts."""
    column: Texts = pa.array(cells, type=pa.large_string())
    return column


def one_below_the_other(columns: Sequence[Texts]) -> Texts:
    """Columns as one column."""
    pieces = [piece for column in columns for piece in _pieces(column)]
    joined: Texts = pa.concat_arrays(pieces) if pieces else texts([])
    return joined


def encoded(column: Texts) -> tuple[npt.NDArray[np.int32], pa.LargeStringArray]:
    """For each text which one it is among the distinct ones, and these in the order in which they come."""
    pieces = _pieces(column.dictionary_encode())
    if not pieces:
        return np.empty(0, dtype=np.int32), texts([])
    if len(pieces) == 1:
        return pieces[0].indices.to_numpy(), pieces[0].dictionary
    return np.concatenate([piece.indices.to_numpy() for piece in pieces]), pieces[-1].dictionary  # all have the same


def _pieces(column: pa.Array | pa.ChunkedArray) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def as_array(numbers: npt.NDArray[Any]) -> pa.Array:
    """The same numbers, or truths, in Arrow; where they lie next to each other, numbers are not copied.

    Arrow's own way asks NumPy first whether some are masked, and for that loads all that NumPy has for such arrays.
    """
    if numbers.dtype == np.bool_:
        return pa.Array.from_buffers(
            pa.bool_(), len(numbers), [None, pa.py_buffer(np.packbits(numbers, bitorder="little"))]
        )
    together = np.ascontiguousarray(numbers)
    return pa.Array.from_buffers(pa.from_numpy_dtype(numbers.dtype), len(together), [None, pa.py_buffer(together)])


def factorized(numbers: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[Any]]:
    """For each number which one it is among the distinct ones, and these in the order in which they come."""
    encoded = as_array(numbers).dictionary_encode()
    return encoded.indices.to_numpy().astype(np.intp), encoded.dictionary.to_numpy()
