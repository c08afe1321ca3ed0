"""The texts of a workbook that its cells refer to by number, packed; what is too much for memory lies in a file."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Iterable
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.reading.blocks import TooLarge

LARGEST_IN_MEMORY = 64_000_000
"""Bytes of packed texts; twice of that for the moment in which they are put together."""
_WINDOW = 64_000_000
"""How much of the file may count as this process's memory before it is given back; the kernel keeps what it likes."""
MOST_TEXTS = 60_000_000
"""More than all cells of a sheet of a million rows; in a few bytes each, a file may ask for many more."""
_SCHEMA = pa.schema([("text", pa.large_string())])


class SharedTexts:
    """All texts of a workbook, from an iterable of parts of them."""

    def __init__(self, parts: Iterable[pa.LargeStringArray] = ()) -> None:
        held: list[pa.LargeStringArray] = []
        coming = iter(parts)
        size = 0
        for part in coming:
            held.append(part)
            size += part.nbytes
            if size > LARGEST_IN_MEMORY:
                break
        self._file = _TextsInFile(chain(held, coming)) if size > LARGEST_IN_MEMORY else None
        self._all = pa.concat_arrays(held) if held and self._file is None else pa.array([], type=pa.large_string())

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self._file) if self._file is not None else len(self._all)

    def text(self, number: int) -> str:
        """One text, ``IndexError`` for one that is not there."""
        if number < 0:
            raise IndexError(number)
        text: str = self.take(np.array([number])).to_pylist()[0]
        return text

    def take(self, numbers: npt.NDArray[np.int64]) -> pa.LargeStringArray:
        """The texts of those numbers, ``IndexError`` where one is not there."""
        if len(numbers) and int(numbers.max()) >= len(self):
            raise IndexError("a shared text that is not there")
        return self._file.take(numbers) if self._file is not None else self._all.take(pa.array(numbers))


class _TextsInFile:
    """Texts in a temporary file that is mapped into memory, batch by batch."""

    def __init__(self, parts: Iterable[pa.LargeStringArray]) -> None:
        lengths: list[int] = []
        count = 0
        with tempfile.TemporaryFile() as file:
            with pa.ipc.new_file(pa.PythonFile(file, mode="w"), _SCHEMA) as written:
                for part in parts:
                    written.write_batch(pa.record_batch([part], schema=_SCHEMA))
                    lengths.append(len(part))
                    count += len(part)
                    if count > MOST_TEXTS:
                        raise TooLarge("more shared texts than a sheet can show")
            file.flush()
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._ends = np.cumsum(np.array(lengths, dtype=np.int64))
        self._batches = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(self._map)))
        self._touched = 0

    def __len__(self) -> int:
        return int(self._ends[-1])

    def take(self, numbers: npt.NDArray[np.int64]) -> pa.LargeStringArray:
        distinct, places = np.unique(numbers, return_inverse=True)
        batches = np.searchsorted(self._ends, distinct, side="right")
        cuts = np.flatnonzero(np.diff(batches, prepend=-1, append=-1))
        taken = [pa.array([], type=pa.large_string())]
        for begin, end in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            taken.append(self._of_batch(int(batches[begin]), distinct[begin:end]))
        return pa.concat_arrays(taken).take(pa.array(places))

    def _of_batch(self, batch: int, numbers: npt.NDArray[np.int64]) -> pa.LargeStringArray:
        texts = self._batches.get_batch(batch).column(0)
        taken = texts.take(pa.array(numbers - (int(self._ends[batch]) - len(texts))))
        self._touched += texts.nbytes
        if self._touched > _WINDOW and hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)
            self._touched = 0
        return taken
