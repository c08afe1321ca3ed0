"""One file checked: from typed blocks to records and rejections, every row in exactly one class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np
from msgspec import Struct

from pipeline.arrow import factorized
from pipeline.checking.encode import Encoding
from pipeline.checking.judge import judge
from pipeline.checking.orders import (
    Above,
    apply_defaults,
    blame_missing_values,
    blame_repeated_keys,
    fill_down,
    find_groups,
    lines_below,
    note_cleared,
    put_orders_together,
    unreadable_orders,
)
from pipeline.checking.postal import blame_lost_zeros
from pipeline.checking.sheet import NO_GROUP, Rules, Sheet, TypedBlock, gather, with_keys
from pipeline.coded import Positions
from pipeline.errors import LedgerError
from pipeline.model import Encoded, Record, Rejection, Value
from pipeline.reasons import reject

_EXTRA = "extra."


class Records(Sequence[Record]):
    """The accepted records in the order of the file, each built when it is asked for (a record is large, a
    row small).
    """

    def __init__(self, sheet: Sheet, positions: Positions, starts: Positions) -> None:
        self._sheet = sheet
        self._positions = positions
        self._starts = starts
        self._line_fields = [name for name in sheet.cells if not sheet.at_record_level(name)]
        self._fields = [name for name in sheet.cells if sheet.at_record_level(name) and not name.startswith(_EXTRA)]
        self._extras = [name for name in sheet.cells if name.startswith(_EXTRA)]

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Record, ...]: ...
    def __getitem__(self, index: int | slice) -> Record | tuple[Record, ...]:
        chosen = range(len(self))[index]
        return tuple(map(self._record, chosen)) if isinstance(chosen, range) else self._record(chosen)

    def __iter__(self) -> Iterator[Record]:
        return map(self._record, range(len(self)))

    def encoded_slices(self, together: int) -> Iterator[Iterable[Encoded]]:
        """All records as the ledger keeps them, without building one."""
        if len(self):
            encoding = Encoding(self._sheet, self._positions, self._starts)
            for begin in range(0, len(self), together):
                yield encoding.some(begin, min(begin + together, len(self)))

    def _record(self, number: int) -> Record:
        sheet = self._sheet
        positions = self._positions[self._starts[number] : self._starts[number + 1]].tolist()
        first = positions[0]
        fields = self._values(self._fields, first)
        extra = {name.removeprefix(_EXTRA): str(v) for name, v in self._values(self._extras, first).items()}
        lines = tuple(self._values(self._line_fields, at) for at in positions) if sheet.is_order else ()
        rows = tuple(sheet.row_at(at) for at in positions)
        return Record(
            sheet.rules.kind,
            sheet.key_of(first) or "",
            {**fields, **({"extra": extra} if extra else {})},
            lines,
            rows,
            tuple(sorted(name for name, cleared in sheet.cleared.items() if cleared[first])),
        )

    def _values(self, names: Sequence[str], at: int) -> dict[str, Value]:
        cells = self._sheet.cells
        return {name: value for name in names if (value := cells[name][at]) is not None}


class Checked(Struct, frozen=True):
    """The verdict on one file: ``read = accepted + rejected + skipped``, counted in rows.

    ``rejections`` are in the order of the rows, one per problem; rows held back for others have one too.
    """

    records: Sequence[Record]
    rejections: tuple[Rejection, ...]
    read: int
    accepted: int
    rejected: int
    skipped: int


def together(parts: Sequence[Checked]) -> Checked:
    """The verdicts on the portions of a file as one."""
    if len(parts) == 1:
        return parts[0]
    return Checked(
        records=[record for part in parts for record in part.records],
        rejections=tuple(sorted((r for part in parts for r in part.rejections), key=lambda rejection: rejection.row)),
        read=sum(part.read for part in parts),
        accepted=sum(part.accepted for part in parts),
        rejected=sum(part.rejected for part in parts),
        skipped=sum(part.skipped for part in parts),
    )


def check_file(
    rules: Rules,
    blocks: Iterable[TypedBlock],
    broken: Sequence[Rejection],
    schema: Any,  # noqa: ANN401 - pandera gives its schemas no usable type
) -> Checked:
    """Put the rows of a whole file together into records and judge them, all at once.

    ``rules`` is a bound mapping, ``broken`` what reading found wrong with whole rows. Raises ``LedgerError``
    when the counts do not close, ``SetupError`` when the schema cannot judge.
    """
    sheet = read_sheet(gather(rules, blocks, broken), {})
    return verdict(judged(sheet, schema), at_fault([sheet]))


def read_sheet(sheet: Sheet, above: dict[str, Above]) -> Sheet:
    """The rows of one block with what they take from above, each with the number of its key."""
    fill_down(sheet, above)
    find_groups(sheet)
    return sheet


def judged(sheet: Sheet, schema: Any) -> Sheet:  # noqa: ANN401 - as above
    """Whole records put together and judged; every row at fault is named."""
    if sheet.is_order:
        put_orders_together(sheet)
    else:
        blame_repeated_keys(sheet)
    apply_defaults(sheet, sheet.rules.defaults)
    blame_lost_zeros(sheet)
    note_cleared(sheet)
    sheet.unsettled = blame_missing_values(sheet) | unreadable_orders(sheet)
    sheet.unsettled |= judge(sheet, schema)
    return sheet


class AtFault(Struct, frozen=True):
    """How many rows of a file are at fault, and the number of the first one; what ``reject: file`` goes by."""

    count: int = 0
    first: int = 0


def at_fault(judged_sheets: Iterable[Sheet]) -> AtFault:
    """What is at fault in all the portions of a file."""
    count, first = 0, 0
    for sheet in judged_sheets:
        sheet.share_verdicts()
        if sheet.rejected:
            rows = np.unique(sheet.row_numbers(np.array(sorted(sheet.rejected), dtype=np.int64)))
            count, first = count + len(rows), min(first or int(rows[0]), int(rows[0]))
    return AtFault(count, first)


def verdict(sheet: Sheet, file: AtFault) -> Checked:
    """Extend the verdict as far as the mapping says, and count; ``file`` is what is at fault in the whole file."""
    _hold_back(sheet, file)
    return _close(sheet)


def _hold_back(sheet: Sheet, file: AtFault) -> None:
    """Extend the verdict until it reaches nobody new: a row whose parts belong to several orders leads from one to the
    next.
    """
    reached = -1
    while reached < len(sheet.rejected):
        sheet.share_verdicts()
        reached = len(sheet.rejected)
        _extend(sheet, file)


def _extend(sheet: Sheet, file: AtFault) -> None:
    """An order without a required value never goes out in part."""
    if sheet.rules.reject == "file" and file.count:
        for at in range(len(sheet.rows)):
            if at not in sheet.rejected:
                sheet.blame(at, "file_held_back", other=file.first, count=file.count)
    elif sheet.is_order:
        _hold_orders(sheet, sorted(sheet.rejected), sheet.unsettled)


def _hold_orders(sheet: Sheet, at_fault: Sequence[int], unsettled: set[int]) -> None:
    causes: dict[int, int] = {}
    for at in at_fault:
        causes.setdefault(int(sheet.group[at]), at)
    if NO_GROUP in causes and sheet.rules.reject == "order":
        causes = lines_below(sheet, at_fault) | causes
    held = [group for group in causes if group != NO_GROUP and (sheet.rules.reject == "order" or group in unsettled)]
    reached = np.flatnonzero(sheet.among_groups(np.array(held, dtype=np.int64)))
    told: dict[int, Rejection] = {}  # the same to all rows of an order
    for at, group in zip(reached.tolist(), sheet.group[reached].tolist(), strict=True):
        if at in sheet.rejected:
            continue
        if group not in told:
            key = sheet.keys[group]
            held_back = reject(0, None, None, "order_held_back", key=key, other=sheet.row_at(causes[group]))
            told[group] = held_back.of_record(key)
        sheet.add(at, told[group])


def _close(sheet: Sheet) -> Checked:
    """Count, and stop everything when a row would be lost or counted twice."""
    sound = np.ones(len(sheet.rows), dtype=bool)
    sound[list(sheet.rejected)] = False
    kept = np.flatnonzero(sound)
    numbers, groups = factorized(sheet.group[kept])
    sizes = np.bincount(numbers, minlength=len(groups))
    records = Records(sheet, kept[np.argsort(numbers, kind="stable")], np.concatenate(([0], np.cumsum(sizes))))
    skipped = {index // sheet.rules.parts for index in sheet.skipped} - set(sheet.row_numbers().tolist())
    checked = Checked(
        records=records,
        rejections=tuple(with_keys(sheet)),
        read=_rows_in(sheet, slice(None)) + len(skipped),
        accepted=_rows_in(sheet, kept),
        rejected=_rows_in(sheet, np.array(sorted(sheet.rejected), dtype=np.int64)),
        skipped=len(skipped),
    )
    if NO_GROUP in groups or (not sheet.is_order and (sizes > 1).any()):
        raise LedgerError("A row without a key of its own was about to be accepted.")
    if checked.read != checked.accepted + checked.rejected + checked.skipped:
        raise LedgerError(
            f"The rows of a file do not add up: {checked.read} read, {checked.accepted} accepted, "
            f"{checked.rejected} rejected, {checked.skipped} skipped."
        )
    return checked


def _rows_in(sheet: Sheet, among: Positions | slice) -> int:
    """How many rows of the file those positions are parts of."""
    numbers = sheet.row_numbers(among)
    return len(numbers) if sheet.rules.parts == 1 else len(np.unique(numbers))
