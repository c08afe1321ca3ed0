"""A file checked in portions: whole records only, however long the file is and wherever their rows stand.

A first pass notes which keys stand in more than one place (8 bytes for each record of a portion). In the second, the
record that a block ends with waits for the next block, and records whose rows lie scattered over the file are set
aside until all of their rows are there; on the disk, when there are many.
"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Any

import numpy as np

from pipeline.checking.parts import Hashes, hashes, is_mixed, joined, last_run, picked, without_parts_left
from pipeline.checking.sheet import Rules, Sheet
from pipeline.coded import Mask
from pipeline.errors import LedgerError

KEPT_ASIDE = 40_000
"""Rows set aside that stay in memory."""

_NOWHERE: Any = None
_SLICES = 16  # keys compared at once: one slice of the numbers after another


class Places:
    """The first pass: which keys stand in more than one portion.

    ``mixed``: parts of one row belong to several records, so no portion of the file can be judged by itself.
    """

    def __init__(self) -> None:
        self._portions: list[Hashes] = []
        self._waiting: Hashes = np.empty(0, dtype=np.uint64)
        self.rows = 0
        self.mixed = False

    def add(self, sheet: Sheet) -> None:
        """The next block of the file; only its keys are looked at."""
        numbers = hashes(sheet)
        self.rows += len(numbers)
        self.mixed = self.mixed or is_mixed(sheet, numbers)
        begin = last_run(numbers)
        if begin == 0 and np.array_equal(self._waiting, numbers[:1]):
            return  # more rows of the record that waits
        self._note(np.concatenate([self._waiting, numbers[:begin]]))
        self._waiting = numbers[begin : begin + 1]  # the last record is judged with the next block

    def _note(self, numbers: Hashes) -> None:
        seen = np.unique(numbers)
        self._portions.append(seen[1:] if len(seen) and seen[0] == 0 else seen)

    def scattered(self) -> Hashes:
        """The keys whose rows lie in several portions, in order."""
        found = []
        for part in range(_SLICES):
            chosen = [numbers[numbers >> np.uint64(60) == part] for numbers in (*self._portions, self._waiting)]
            together = np.sort(np.concatenate(chosen)) if chosen else np.empty(0, dtype=np.uint64)
            found.append(np.unique(together[1:][together[1:] == together[:-1]]))
        return np.concatenate(found)


def whole_records(blocks: Iterable[Sheet], scattered: Hashes, rows: int) -> Iterator[Sheet]:
    """The second pass: the same blocks as portions of whole records; ``rows`` is how many there are in all."""
    waiting: Sheet | None = None
    with Aside(rows) as aside:
        reached, seen = -1, 0
        for block in blocks:
            reached, seen = _further(block, reached), seen + len(block.rows)
            sheet = without_parts_left(block) if waiting is None else joined([waiting, without_parts_left(block)])
            numbers = hashes(sheet)
            apart = _among(numbers, scattered)
            last = np.arange(len(numbers)) >= last_run(numbers)
            aside.add(sheet, numbers, apart)
            waiting = picked(sheet, last & ~apart)
            yield picked(sheet, ~(last | apart), with_skipped=True)
        if waiting is not None:
            aside.add(waiting, hashes(waiting), np.ones(len(waiting.rows), dtype=bool))
        if seen != rows:
            raise LedgerError(f"A file of {rows} rows had {seen} when it was read again: it was changed in between.")
        yield from aside.portions()


def _further(block: Sheet, reached: int) -> int:
    """The last row of a block; rows of a file come in their order, each once."""
    rows = block.rows
    if len(rows) and int(rows.min()) <= reached:
        raise LedgerError("A row number stands twice in one file, so its rows cannot be counted.")
    return int(rows.max()) if len(rows) else reached


def _among(numbers: Hashes, scattered: Hashes) -> Mask:
    if not len(scattered):
        return np.zeros(len(numbers), dtype=bool)
    places = np.searchsorted(scattered, numbers)
    found: Mask = scattered[np.minimum(places, len(scattered) - 1)] == numbers
    return found


class Aside:
    """Rows that wait for others of their record, in memory or in nameless files that no crash leaves behind."""

    def __init__(self, rows: int) -> None:
        self._kept: list[tuple[Sheet, Hashes]] = []
        self._count = 0
        self._heaps = max(1, -(-rows // KEPT_ASIDE))
        self._files: list[IO[bytes]] = []
        self._open = ExitStack()
        self._rules: Rules = _NOWHERE

    def __enter__(self) -> Aside:
        return self

    def __exit__(self, *_problem: object) -> None:
        self._open.close()

    def add(self, sheet: Sheet, numbers: Hashes, wanted: Mask) -> None:
        """Set the wanted rows of a sheet aside."""
        if wanted.any():
            self._kept.append((picked(sheet, wanted), numbers[wanted]))
            self._count += int(wanted.sum())
            if self._count > KEPT_ASIDE:
                self._spill()

    def portions(self) -> Iterator[Sheet]:
        """All that was set aside, rows of one key together."""
        if not self._files:
            if self._kept:
                yield joined([sheet for sheet, _ in self._kept])
            return
        self._spill()
        for heap in self._files:
            heap.seek(0)
            sheets = list(_loaded(heap))
            for sheet in sheets:
                sheet.rules = self._rules
            if sheets:
                yield joined(sheets)

    def _spill(self) -> None:
        if not self._files:
            self._files = [self._open.enter_context(_nameless()) for _ in range(self._heaps)]
        sheets = [sheet for sheet, _ in self._kept]
        numbers = [numbers for _, numbers in self._kept]
        self._kept, self._count = [], 0
        if not sheets:
            return
        together, heaps = joined(sheets), np.concatenate(numbers) % np.uint64(self._heaps)
        for heap in np.unique(heaps).tolist():
            self._rules, part = together.rules, picked(together, heaps == heap)
            part.rules = _NOWHERE  # the same for all of them, and large
            pickle.dump(part, self._files[heap], protocol=5)


def _nameless() -> IO[bytes]:
    return tempfile.TemporaryFile()


def _loaded(heap: IO[bytes]) -> Iterator[Sheet]:
    while True:
        try:
            yield pickle.load(heap)  # noqa: S301 - our own words of a moment ago, in a file nobody else can open
        except EOFError:
            return
