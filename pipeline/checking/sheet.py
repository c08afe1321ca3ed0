"""The rows of one file while they are checked: typed cells, the problems found so far, and which rows belong
together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.arrow import factorized
from pipeline.coded import Coded, Mask, Positions
from pipeline.errors import LedgerError
from pipeline.fields import RECORD_KINDS
from pipeline.model import Rejection, Value
from pipeline.reasons import PART_CODES, reject

NO_GROUP = -1


class Rules(Protocol):
    """What checking has to know of a mapping bound to a file (``pipeline.mapping.apply.BoundMapping``)."""

    @property
    def kind(self) -> str:
        """The record kind."""
        ...

    @property
    def key(self) -> tuple[str, ...]:
        """The fields that make the record key."""
        ...

    @property
    def reject(self) -> str:
        """How far one bad row reaches: ``row``, ``order`` or ``file``."""
        ...

    @property
    def fill_down(self) -> tuple[str, ...]:
        """Fields whose empty cells take the value of the row above."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The file's own header text by field."""
        ...

    @property
    def defaults(self) -> Mapping[str, Value]:
        """What takes the place of an empty cell, by field."""
        ...

    @property
    def parts(self) -> int:
        """How many parts a row of the file may have: a row's index in a block is ``row * parts + part``."""
        ...

    def place(self, name: str, index: int) -> tuple[str | None, str | None]:
        """The file's own header text of a field in the row of that index, and how a sentence names the place."""
        ...

    @property
    def never_empty(self) -> tuple[str, ...]:
        """Fields of this file that no record may lack, though its kind could do without (``when_empty: reject``)."""
        ...

    @property
    def clearing(self) -> tuple[str, ...]:
        """Fields of this file whose empty cells take away what the target has (``when_empty: clear``)."""
        ...


class TypedBlock(Protocol):
    """Typed rows of a file (``pipeline.mapping.apply.Typed``)."""

    @property
    def columns(self) -> Mapping[str, Coded]:
        """One column per field."""
        ...

    @property
    def rows(self) -> Positions:
        """The index of each row, which is ``row * parts + part``."""
        ...

    @property
    def rejections(self) -> Sequence[Rejection]:
        """Cells that could not be read; they have no value in their column. Their row is an index."""
        ...

    @property
    def skipped(self) -> Sequence[int]:
        """Indexes of the rows the mapping leaves out; they are not among ``rows``."""
        ...


@dataclass(slots=True)
class Sheet:
    """One file under check.

    ``rows`` are the indexes of the blocks (row numbers, or parts of rows: :meth:`row_at`); everything else goes by
    position in it. ``unsound`` rows have too many or too few cells, so nothing but their key is looked at. ``group`` is
    the number of a row's key in ``keys``, ``NO_GROUP`` without one. ``stated`` tells where a cell's value stands in the
    row itself and was not filled in, ``cleared`` where a record clears a field; ``unsettled`` are
    groups that cannot go out in part.
    """

    rules: Rules
    rows: npt.NDArray[np.int64]
    cells: dict[str, Coded]
    skipped: frozenset[int]
    unsound: Mask
    group: npt.NDArray[np.int64]
    keys: list[str] = field(default_factory=list)
    stated: dict[str, Mask] = field(default_factory=dict)
    rejections: list[tuple[int, Rejection]] = field(default_factory=list)
    rejected: set[int] = field(default_factory=set)
    faults: dict[str, set[int]] = field(default_factory=dict)
    cleared: dict[str, Mask] = field(default_factory=dict)
    unsettled: set[int] = field(default_factory=set)

    @property
    def is_order(self) -> bool:
        """Whether several rows make one record."""
        return self.rules.kind == "order"

    def at_record_level(self, name: str) -> bool:
        """Whether all rows of one order share the field."""
        spec = RECORD_KINDS[self.rules.kind].get(name)
        return spec is None or spec.level == "record"

    def empty(self, name: str) -> Mask:
        """Where a field has no value, for whatever reason."""
        return self.cells[name].empty()

    def faulty(self, name: str) -> Mask:
        """Where a field's own cell is at fault already."""
        mask = np.zeros(len(self.rows), dtype=bool)
        mask[list(self.faults.get(name, ()))] = True
        return mask

    def blank(self, name: str) -> Mask:
        """Where a sound row leaves a field empty, and is not to blame for it yet."""
        return self.empty(name) & ~self.faulty(name) & ~self.unsound

    def row_at(self, at: int) -> int:
        """The row number, as a spreadsheet shows it."""
        return int(self.rows[at]) // self.rules.parts

    def row_numbers(self, among: Positions | slice = slice(None)) -> Positions:
        """The row numbers of those positions; parts of one row have the same."""
        return self.rows[among] if self.rules.parts == 1 else self.rows[among] // self.rules.parts

    def key_of(self, at: int) -> str | None:
        """The record key of a row, ``None`` without one."""
        group = self.group[at]
        return None if group == NO_GROUP else self.keys[group]

    def among_groups(self, groups: npt.NDArray[np.int64]) -> Mask:
        """Every row of these groups; rows without a key are in none."""
        wanted = np.zeros(len(self.keys) + 1, dtype=bool)
        wanted[groups] = True
        wanted[NO_GROUP] = False
        found: Mask = wanted[self.group]
        return found

    def add(self, at: int, rejection: Rejection) -> None:
        """Note a problem of the row at that position."""
        row = self.row_at(at)
        self._keep(at, rejection if rejection.row == row else Rejection(row, *rejection[1:]))

    def _keep(self, at: int, rejection: Rejection) -> None:
        self.rejections.append((at, rejection))
        self.rejected.add(at)
        if rejection.field is not None:
            self.faults.setdefault(rejection.field, set()).add(at)

    def blame(self, at: int, code: str, name: str | None = None, value: Value = None, **details: object) -> None:
        """Note a problem of the catalogue; ``name`` is the field whose cell is at fault."""
        header, label = self.rules.place(name, int(self.rows[at])) if name else (None, None)
        shown = None if value is None else text_of(value)
        self._keep(at, reject(self.row_at(at), header, shown, code, field=name, label=label, **details))

    def share_verdicts(self) -> None:
        """A row goes out whole or not at all: with one part of it, all its parts are rejected."""
        if self.rules.parts > 1 and self.rejected:
            numbers = self.row_numbers()
            bad = np.unique(numbers[list(self.rejected)])
            self.rejected.update(np.flatnonzero(np.isin(numbers, bad)).tolist())


def gather(rules: Rules, blocks: Iterable[TypedBlock], broken: Sequence[Rejection]) -> Sheet:
    """All blocks of a file as one sheet; ``LedgerError`` when a row is named twice, or named but not there."""
    parts = list(blocks)
    skipped = frozenset(int(row) for part in parts for row in part.skipped)
    rows = np.concatenate([part.rows for part in parts]) if parts else np.empty(0, dtype=np.int64)
    in_order = bool((np.diff(rows) > 0).all())
    if not (in_order or len(np.unique(rows)) == len(rows)) or _is_named_twice(rows, skipped, parts):
        raise LedgerError("A row number stands twice in one file, so its rows cannot be counted.")
    names = list(parts[0].columns) if parts else []
    cells = {name: Coded.joined([part.columns[name] for part in parts]) for name in names}
    size = len(rows)
    sheet = Sheet(rules, rows, cells, skipped, np.zeros(size, dtype=bool), np.full(size, NO_GROUP, dtype=np.int64))
    _note(sheet, [r for part in parts for r in part.rejections], broken)
    sheet.stated = {name: ~sheet.empty(name) for name in names}
    return sheet


def _is_named_twice(rows: Positions, skipped: frozenset[int], parts: Sequence[TypedBlock]) -> bool:
    if len(skipped) != sum(len(part.skipped) for part in parts):
        return True
    return bool(skipped and np.isin(rows, np.fromiter(skipped, np.int64, len(skipped))).any())


def _note(sheet: Sheet, unreadable: Sequence[Rejection], broken: Sequence[Rejection]) -> None:
    """Take over what reading and mapping found. In a row with shifted cells nothing else is worth naming."""
    flaws = [rejection for rejection in broken if rejection.row not in sheet.skipped]
    cells = [rejection for rejection in unreadable if rejection.row not in sheet.skipped]
    if not flaws and not cells:
        return
    position = _positions(sheet.rows, {rejection.row for rejection in (*flaws, *cells)})
    for rejection in flaws:
        if rejection.column is None or rejection.code in PART_CODES:
            sheet.unsound[position[rejection.row]] = True
    for rejection in flaws:
        sheet.add(position[rejection.row], rejection)
    for rejection in cells:
        at = position[rejection.row]
        if not sheet.unsound[at]:
            sheet.add(at, rejection)
        elif rejection.field is not None:  # not worth a sentence, but not to be taken for an empty cell either
            sheet.faults.setdefault(rejection.field, set()).add(at)


def _positions(rows: Positions, named: Collection[int]) -> dict[int, int]:
    """Where the named rows stand."""
    wanted = np.fromiter(named, np.int64, len(named))
    order = np.argsort(rows, kind="stable")
    found = np.searchsorted(rows, wanted, sorter=order)
    at = order[np.minimum(found, len(rows) - 1)] if len(rows) else np.empty(0, dtype=np.int64)
    if not len(rows) or (rows[at] != wanted).any():
        raise LedgerError("A row was found faulty that is not among the rows of its file.")
    return dict(zip(wanted.tolist(), at.tolist(), strict=True))


def first_of_each(numbers: npt.NDArray[np.integer[Any]]) -> tuple[npt.NDArray[np.intp], Positions]:
    """Numbers counted from 0 in the order in which they come, and where each of them stands first."""
    counted, distinct = factorized(numbers)
    firsts = np.empty(len(distinct), dtype=np.int64)
    firsts[counted[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    return counted, firsts


def with_keys(sheet: Sheet) -> list[Rejection]:
    """The rejections in the order of the rows, each told once, with the key of the record it belongs to."""
    told = {(r.row, r.column, r.code, r.message): (at, r) for at, r in sheet.rejections}
    in_order = sorted(told.values(), key=lambda found: found[1][0])
    return [rejection.of_record(sheet.key_of(at)) for at, rejection in in_order]


def text_of(value: Any) -> str:  # noqa: ANN401 - a model.Value
    """A typed value as a person would write it."""
    if hasattr(value, "isoformat"):
        return str(value.isoformat(" ")) if hasattr(value, "hour") else str(value.isoformat())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
