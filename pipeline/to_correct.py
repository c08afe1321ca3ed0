"""The rows of a file that a person has to correct, as the file has them and in its order, each with what is wrong.

Read in slices from the ledger and in blocks from the original, side by side: a file may be wrong in every row.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import merge
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pipeline.closing.sheet import Problem, SheetRow
from pipeline.delivery.doubts import Doubt
from pipeline.errors import FileRefused
from pipeline.ledger import unsettled
from pipeline.ledger.batches import Batch
from pipeline.mapping.spec import FeedMapping
from pipeline.project import Project

if TYPE_CHECKING:  # the types only: status and find load nothing that reads files
    from pipeline.arrow import Texts
    from pipeline.coded import Mask
    from pipeline.reading.table import Block
    from pipeline.rows import Rows

HELD_BACK = frozenset({"order_held_back", "file_held_back"})
"""Codes of rows that only wait for others: nothing in them has to be corrected."""

_BLOCK_ROWS = 10_000
_TOGETHER = 500
"""Refused deliveries asked for at a time."""

_Told = tuple[int, Problem]
"""A row and one thing that is wrong with it."""

_HALF = 32
"""Of the digits of a digest."""


def digest(project: Project, batch: Batch, asked: Sequence[Doubt]) -> str | None:
    """What tells one set of open problems from another; ``None`` where nothing is open.

    Its first half is that of the rows (``same_rows``); where a person is asked about doubts, the other is theirs.
    """
    refused = ((id_, list(map(dict, told))) for id_, told in unsettled.open_refusals(project.engine, batch.id))
    rows = _digest(chain(
        unsettled.open_reasons(project.engine, batch.id), iter(lambda: list(islice(refused, _TOGETHER)), [])
    ))  # fmt: skip
    if not asked:
        return rows
    doubted = [("doubt", d.delivery.id, d.step.id, d.step.sends, str(d.delivery.problems)) for d in asked]
    return (rows or "-" * _HALF)[:_HALF] + str(_digest([doubted]))[:_HALF]


def same_rows(one: str | None, other: str | None) -> bool:
    """Whether two digests are of the same rows, whatever the doubts."""
    return one is not None and other is not None and one[:_HALF] == other[:_HALF]


def _digest(slices: Iterable[Sequence[Any]]) -> str | None:
    seen = None
    for told in slices:
        text = json.dumps(told)[1:-1].encode()
        if seen is None:
            seen = hashlib.sha256(b"[" + text)
        else:
            seen.update(b", " + text)
    if seen is None:
        return None
    seen.update(b"]")  # as if all had been written down as one list
    return seen.hexdigest()


class RowsToCorrect:
    """Gives the rows each time it is gone through."""

    def __init__(self, project: Project, batch: Batch, original: Path) -> None:
        self._project = project
        self._batch = batch
        self._original = original
        self._columns = _columns_of_fields(project, batch)
        self._places: dict[str | None, int] = {}
        for position, name in enumerate(batch.header or ()):
            self._places.setdefault(name, position)

    def __iter__(self) -> Iterator[SheetRow]:
        told = merge(self._rejected(), self._refused(), key=itemgetter(0))
        waiting = ((row, tuple(problem for _, problem in all_)) for row, all_ in groupby(told, key=itemgetter(0)))
        upcoming = next(waiting, None)
        if upcoming is None:
            return
        for block, kept in self._blocks():
            last = int(block.rows.numbers[-1])
            due: dict[int, tuple[Problem, ...]] = {}
            while upcoming is not None and upcoming[0] <= last:
                due[upcoming[0]] = upcoming[1]
                upcoming = next(waiting, None)
            rows = block.rows.picked(kept).chosen(_among(block.rows, due))
            for number, own in zip(rows.numbers.tolist(), rows.lines(), strict=True):
                yield SheetRow(number, (*own, *block.overflow.get(number, ())), due[number])
            if upcoming is None:
                return

    # --- what is wrong -------------------------------------------------------------------------------------------

    def _rejected(self) -> Iterator[_Told]:
        for rejection in unsettled.open_rejections(self._project.engine, self._batch.id):
            position = self._places.get(rejection.column)
            held = rejection.code in HELD_BACK
            yield rejection.row, Problem(position, rejection.message, rejection.advice, held)

    def _refused(self) -> Iterator[_Told]:
        """A refusal of an order is told on its first row; the other rows come along so that the order stays whole."""
        places = _by_row(unsettled.rows_of_refusals(self._project.engine, self._batch.id))
        while some := list(islice(places, _TOGETHER)):
            known = unsettled.refusals(self._project.engine, list({id_ for _, id_ in some}))
            for row, id_ in some:
                yield from ((row, problem) for problem in self._of_row(known[id_], row))

    def _of_row(self, refused: unsettled.Refused, row: int) -> Iterator[Problem]:
        first = next(iter(refused.rows), 0)
        if row != first:
            told = f"This row belongs to {refused.record_key}: see row {first}."
            yield Problem(None, told, "Leave it as it is.", held=True)
            return
        for problem in refused.problems:
            position = self._columns.get(problem.get("field") or "")
            said = f"{refused.account} refused it: {problem['message']}"
            yield Problem(position, said, problem.get("advice") or "")

    # --- the rows as they came -----------------------------------------------------------------------------------

    def _blocks(self) -> Iterator[tuple[Block, list[int]]]:
        """The original read again the way it was read the first time, and which of its columns are the file's own."""
        from pipeline.closing.correction import own_header
        from pipeline.closing.reference import our_columns
        from pipeline.joining import reopened
        from pipeline.reading import Found

        known = {name: value for name, value in (self._batch.found or {}).items() if name != "decided"}
        hints = Found(**known).hints() if known else None
        table = reopened(self._original, hints, known.get("joined"))
        ours = our_columns(table.header)
        kept = [p for p in range(len(table.header)) if ours is None or p not in ours.all]
        assert len(kept) == len(own_header(table.header))  # noqa: S101 - both leave out exactly our columns
        filled = [kept[position] for position in self._filled_columns()]
        above: dict[int, str] = {}
        for block in table.blocks(_BLOCK_ROWS):
            if len(block.rows):
                rows = _fill(block.rows, filled, above) if filled else block.rows
                yield replace(block, rows=rows, overflow={} if ours is not None else block.overflow), kept

    def _filled_columns(self) -> list[int]:
        """Columns whose blank cells take the value of the row above: written out, so that sorting cannot part them."""
        mapping = self._project.plan.mappings.get(self._batch.feed or "")
        return [self._columns[name] for name in (mapping.fill_down if mapping else ()) if name in self._columns]


def _by_row(found: Iterable[tuple[int, Sequence[int]]]) -> Iterator[tuple[int, int]]:
    """(row, delivery) in the order of the rows; 24 bytes a row of a refused record are kept, and nothing else."""
    rows, ids = array("q"), array("q")
    for id_, numbers in found:
        for number in dict.fromkeys(numbers or (0,)):
            rows.append(number)
            ids.append(id_)
    if not rows:
        return
    import numpy as np

    for place in np.argsort(np.frombuffer(rows, dtype=np.int64), kind="stable"):
        yield rows[place], ids[place]


def _among(rows: Rows, due: Mapping[int, object]) -> Mask:
    """Which rows are due."""
    import numpy as np

    return np.isin(rows.numbers, np.fromiter(due, np.int64, len(due)))


def _fill(rows: Rows, positions: Sequence[int], above: dict[int, str]) -> Rows:
    """The block with those columns filled from above; ``above`` carries the last value into the next block."""
    from pipeline.rows import Rows

    columns = list(rows.columns)
    for position in positions:
        columns[position] = _filled(columns[position], above.get(position, ""))
        above[position] = columns[position][-1].as_py()
    return Rows(columns, rows.numbers)


def _filled(column: Texts, above: str) -> Texts:
    import pyarrow as pa
    import pyarrow.compute as pc

    blank = pc.equal(pc.utf8_trim_whitespace(column), "")
    return pc.fill_null(pc.fill_null_forward(pc.if_else(blank, pa.scalar(None, column.type), column)), above)


def _columns_of_fields(project: Project, batch: Batch) -> dict[str, int]:
    """Position of the column behind each field, by the mapping as it is now."""
    mapping = project.plan.mappings.get(batch.feed or "")
    header = list(batch.header or ())
    if mapping is None:
        return {}
    found = {}
    for name, columns in mapping.columns_of_fields().items():
        position = next((header.index(column) for column in columns if column in header), None)
        if position is not None:
            found[name] = position
    return {**_behind_made_columns(mapping, header), **found}


def _behind_made_columns(mapping: FeedMapping, header: list[str]) -> Mapping[str, int]:
    """For fields whose column is made by ``unpivot`` or ``split``: the file's column behind the first item."""
    from pipeline.recognise import unfolding_of

    try:
        unfold = unfolding_of(mapping, header)
    except FileRefused:  # the mapping has changed since the file was taken in
        return {}
    places = {name: unfold.place(at, 0)[0] for at, name in enumerate(unfold.header)} if unfold else {}
    behind = {}
    for name, columns in mapping.columns_of_fields().items():
        place = next((places[column] for column in columns if places.get(column)), None)
        if place is not None:
            behind[name] = header.index(place)
    return behind
