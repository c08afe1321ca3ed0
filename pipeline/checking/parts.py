"""Sheets taken apart and put together again: how the rows of a file become portions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, count
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from pipeline.arrow import factorized
from pipeline.checking.sheet import NO_GROUP, Sheet
from pipeline.coded import Coded, Mask

Hashes = npt.NDArray[np.uint64]
"""One number per row that is the same for rows of one record; 0 for a row without a key."""

T = TypeVar("T")


def picked(sheet: Sheet, wanted: Mask, *, with_skipped: bool = False) -> Sheet:
    """Some rows of a sheet as a sheet of their own; the rows that are left out of the file go with at most one."""
    places = np.flatnonzero(wanted)
    place = np.full(len(wanted), -1, dtype=np.int64)
    place[places] = np.arange(len(places))
    numbers, groups = factorized(sheet.group[places])
    keys = [sheet.keys[group] for group in groups.tolist() if group != NO_GROUP]
    renumbered = np.cumsum(groups != NO_GROUP) - 1
    renumbered[groups == NO_GROUP] = NO_GROUP
    return Sheet(
        rules=sheet.rules,
        rows=sheet.rows[places],
        cells={name: cells.taken(places) for name, cells in sheet.cells.items()},
        skipped=sheet.skipped if with_skipped else frozenset(),
        unsound=sheet.unsound[places],
        group=renumbered[numbers] if len(numbers) else sheet.group[places],
        keys=keys,
        stated={name: mask[places] for name, mask in sheet.stated.items()},
        rejections=[(int(place[at]), rejection) for at, rejection in sheet.rejections if place[at] >= 0],
        rejected=_moved(sheet.rejected, place),
        faults={name: _moved(faulty, place) for name, faulty in sheet.faults.items()},
    )


def joined(sheets: Sequence[Sheet]) -> Sheet:
    """Sheets of one file as one sheet, their rows one after another."""
    if len(sheets) == 1:
        return sheets[0]
    first = sheets[0]
    numbers = dict(zip(dict.fromkeys(chain.from_iterable(sheet.keys for sheet in sheets)), count(), strict=False))
    begins = np.concatenate(([0], np.cumsum([len(sheet.rows) for sheet in sheets]))).tolist()
    shifted = list(zip(sheets, begins, strict=False))
    return Sheet(
        rules=first.rules,
        rows=np.concatenate([sheet.rows for sheet in sheets]),
        cells={name: Coded.joined([sheet.cells[name] for sheet in sheets]) for name in first.cells},
        skipped=frozenset().union(*(sheet.skipped for sheet in sheets)),
        unsound=np.concatenate([sheet.unsound for sheet in sheets]),
        group=np.concatenate([_renumbered(sheet, numbers) for sheet in sheets]),
        keys=list(numbers),
        stated={name: np.concatenate([sheet.stated[name] for sheet in sheets]) for name in first.stated},
        rejections=[(at + begin, rejection) for sheet, begin in shifted for at, rejection in sheet.rejections],
        rejected={at + begin for sheet, begin in shifted for at in sheet.rejected},
        faults={
            name: {at + begin for sheet, begin in shifted for at in sheet.faults.get(name, ())}
            for name in {name for sheet in sheets for name in sheet.faults}
        },
    )


def hashes(sheet: Sheet) -> Hashes:
    """The number of each row's key; two keys may share one, which only costs time."""
    hashed = np.fromiter(map(hash, chain(sheet.keys, ("",))), np.int64, len(sheet.keys) + 1)
    numbers: Hashes = np.maximum(hashed.view(np.uint64), np.uint64(1))
    numbers[NO_GROUP] = 0
    return numbers[sheet.group]


def is_mixed(sheet: Sheet, numbers: Hashes) -> bool:
    """Whether the parts of some row belong to several records: then the verdict on one is that on the others."""
    if sheet.rules.parts == 1:
        return False
    rows = sheet.row_numbers()
    return bool(((rows[1:] == rows[:-1]) & (numbers[1:] != numbers[:-1])).any())


def without_parts_left(sheet: Sheet) -> Sheet:
    """The same sheet, where a row is skipped only when none of its parts is there: its other parts may go elsewhere."""
    if sheet.rules.parts > 1 and sheet.skipped:
        there = set(sheet.row_numbers().tolist())
        sheet.skipped = frozenset(index for index in sheet.skipped if index // sheet.rules.parts not in there)
    return sheet


def last_run(numbers: Hashes) -> int:
    """Where the rows begin that end a block and are all of one record; the block's length when there is none."""
    if not len(numbers) or numbers[-1] == 0:
        return len(numbers)
    others = np.flatnonzero(numbers != numbers[-1])
    return int(others[-1]) + 1 if len(others) else 0


def _moved(positions: set[int], place: npt.NDArray[np.int64]) -> set[int]:
    if not positions:
        return set()
    places = place[np.fromiter(positions, np.int64, len(positions))]
    return set(places[places >= 0].tolist())


def _renumbered(sheet: Sheet, numbers: dict[str, int]) -> npt.NDArray[np.int64]:
    own = np.array([*map(numbers.__getitem__, sheet.keys), NO_GROUP], dtype=np.int64)
    return own[sheet.group]
