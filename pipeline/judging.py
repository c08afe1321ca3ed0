"""A file read, mapped and checked in portions of whole records, so that memory does not grow with its length."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from pipeline.ahead import ahead
from pipeline.checking import (
    AtFault,
    Checked,
    Places,
    Sheet,
    at_fault,
    gather,
    joined,
    judged,
    read_sheet,
    schema_to_judge_by,
    together,
    verdict,
    whole_records,
)
from pipeline.checking.parts import Hashes
from pipeline.closing.correction import leftovers, own_header, split_correction
from pipeline.closing.reference import Origin
from pipeline.coded import Mask
from pipeline.mapping.apply import (
    BoundMapping,
    Decisions,
    Survey,
    bind,
    keys_need_survey,
    keys_only,
    skipped_rows,
    typed,
)
from pipeline.mapping.spec import FeedMapping
from pipeline.model import Rejection
from pipeline.project import Plan
from pipeline.reading.table import Table
from pipeline.recognise import BLOCK_ROWS, Recognised, unfolding_of
from pipeline.reshaping import Unfolding
from pipeline.returned import Origins
from pipeline.rows import Rows

SHORT = 1 << 25
"""Bytes of a file that is judged as a whole, where it has no more rows than so many blocks:"""

BLOCKS_OF_A_SHORT_FILE = 6
_NAMED = 50
"""Columns nobody mapped, at most, that a sentence names."""

Told = Callable[[int], None]
"""Told how many rows were read so far, once a block."""


class Own(Struct, frozen=True):
    """A block without the columns that are ours, and where the rows of a returned workbook came from."""

    rows: Rows
    broken: tuple[Rejection, ...]
    origins: Mapping[int, Origin | None]
    skipped: Mask | None = None
    """Which rows are left out, once somebody has asked."""


@dataclass(slots=True)
class Judging:
    """A file whose columns are found and whose notation is decided; ``portions`` judges its rows.

    ``origins`` leads each row of a returned workbook to where it came from; it is complete before the first portion.
    """

    mapping: FeedMapping
    table: Table
    header: tuple[str, ...]
    bound: BoundMapping
    schema: Any
    decisions: Decisions
    noted: tuple[str, ...]
    blocks: Callable[[], Iterator[Own]]
    unfold: Unfolding | None
    scattered: Hashes | None = None
    """Keys whose rows stand in several portions; ``None`` for a file that is one portion."""
    rows: int = 0
    origins: Origins = field(default_factory=Origins)

    def portions(self, tell: Told = lambda _rows: None) -> Generator[Checked]:
        """The verdict on all rows, portion by portion, each of whole records."""
        if self.scattered is None:
            for sheet in self._sheets(tell):
                whole = judged(sheet, self.schema)
                yield verdict(whole, at_fault([whole]))
            return
        file = AtFault()
        if self.mapping.reject == "file":
            with closing(ahead(self._sheets(tell))) as sheets:
                file = at_fault(judged(sheet, self.schema) for sheet in sheets)
        with closing(ahead(judged(sheet, self.schema) for sheet in self._sheets(tell))) as sheets:
            for sheet in sheets:
                yield verdict(sheet, file)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the file as a whole; which rows are skipped is known once they were read."""
        unfolded = self.unfold.notes if self.unfold else ()
        return (*self.table.found.notes, *unfolded, *self.bound.left_out.sentences, *self.noted)

    @property
    def checked(self) -> Checked:
        """The verdict on the whole file at once, for files known to be small."""
        return together(list(self.portions()))

    def found(self) -> dict[str, Any]:
        """What makes a second reading read the same, and a returned workbook be understood the same."""
        found = {name: value for name, value in asdict(self.table.found).items() if name != "notes"}
        return found | {"decided": {name: sorted(marks) for name, marks in self.decisions.items() if marks}}

    def _sheets(self, tell: Told) -> Generator[Sheet]:
        sheets = _read(self.bound, self.blocks(), self.decisions, tell)
        if self.scattered is None:
            blocks = list(sheets)
            if blocks:
                yield joined(blocks)
        else:
            yield from whole_records(sheets, self.scattered, self.rows)


def judge(
    plan: Plan, recognised: Recognised, decided: Decisions = MappingProxyType({}), tell: Told = lambda _rows: None
) -> Judging:
    """Look through a file once: find its columns, decide their notation, and note where the rows of each record stand.

    ``decided`` is what the columns of the original file showed about their notation: the few rows of a returned
    workbook may not show it themselves. A file that is one block long is read once only.
    """
    mapping, table = recognised.mapping, recognised.table
    header = own_header(table.header) if recognised.returned else table.header
    unfold = unfolding_of(mapping, header)
    names = unfold.header if unfold else header
    bound = bind(mapping, names, plan.settings.timezone, also_ignore=leftovers(names), unfolded=unfold)
    schema = schema_to_judge_by(plan.settings.folder, mapping.record)
    judging = Judging(
        mapping, table, header, bound, schema, decided, _unmapped(bound),
        lambda: _blocks(recognised, unfold), unfold,
    )  # fmt: skip
    blocks = judging.blocks()
    first = list(islice(blocks, 2))
    _look_through(judging, chain(first, blocks), single=len(first) < 2, decided=decided, tell=tell)
    return judging


def _look_through(judging: Judging, blocks: Iterator[Own], *, single: bool, decided: Decisions, tell: Told) -> None:
    """The first pass; a second one where the notation has to be known before the keys can be read.

    A ``single`` block stays in memory until it is asked for.
    """
    survey, bound, rows = Survey(judging.bound), judging.bound, 0
    at_once = not single and not keys_need_survey(bound)
    places = Places()
    passing = _surveyed(judging, blocks, survey, tell)
    if at_once:
        with closing(ahead(passing)) as read:
            for sheet in _read(keys_only(bound), read, {}):
                places.add(sheet)
    elif single:
        only = list(passing)
        rows = sum(len(block.rows) for block in only)
        judging.blocks = partial(_held_once, only, judging.blocks)
    else:
        rows = sum(len(block.rows) for block in passing)
    judging.decisions = {**survey.decisions, **decided}
    if not single and not at_once:
        for sheet in _read(keys_only(bound), judging.blocks(), judging.decisions, tell):
            places.add(sheet)
    judging.rows = places.rows or rows
    judging.scattered = None if single or places.mixed else places.scattered()


def _held_once(only: list[Own], again: Callable[[], Iterator[Own]]) -> Iterator[Own]:
    """The blocks in memory, let go of as they are given: their room is needed. Whoever asks once more reads anew."""
    if not only:
        yield from again()
    while only:
        yield only.pop(0)


def _surveyed(judging: Judging, blocks: Iterator[Own], survey: Survey, tell: Told) -> Generator[Own]:
    rows = 0
    for block in blocks:
        if rows:  # nobody waits for a short file
            tell(rows)
        skipped = skipped_rows(judging.bound, block.rows)
        survey.look(block.rows, skipped)
        judging.origins.add(block.origins)
        rows += len(block.rows)
        yield replace(block, skipped=skipped)


def _read(
    bound: BoundMapping, blocks: Iterator[Own], decisions: Decisions, tell: Told = lambda _rows: None
) -> Iterator[Sheet]:
    """Blocks of text as typed rows, each with the number of its key."""
    above: dict[str, Any] = {}
    rows = 0
    for block in blocks:
        if rows:
            tell(rows)
        yield read_sheet(gather(bound, [typed(bound, block.rows, decisions, block.skipped)], block.broken), above)
        rows += len(block.rows)


def _block_rows(recognised: Recognised, unfold: Unfolding | None) -> int:
    """A short text file is one block, so that it is read once; the rows of a workbook are not told by its size.

    Rows that are unfolded become several each: so many fewer are read at a time.
    """
    short = recognised.table.found.format == "csv" and recognised.size <= SHORT
    rows = BLOCKS_OF_A_SHORT_FILE * BLOCK_ROWS if short else BLOCK_ROWS
    return max(rows // unfold.likely_parts, 1) if unfold else rows


def _blocks(recognised: Recognised, unfold: Unfolding | None) -> Iterator[Own]:
    table = recognised.table
    for block in table.blocks(_block_rows(recognised, unfold)):
        rows, broken, origins = block.rows, block.broken, {}
        if recognised.returned:
            split = split_correction(table.header, rows)
            rows, broken, origins = split.rows, (*broken, *split.broken), dict(split.origins)
        if unfold:
            rows, found = unfold.unfold(rows, broken)
            broken = tuple(found)
        yield Own(rows, broken, origins)


def _unmapped(bound: BoundMapping) -> tuple[str, ...]:
    if not bound.unmapped:
        return ()
    from pipeline.drift import likely_meanings  # loaded where a file needs it

    meanings = likely_meanings(bound.mapping, {column.name for column in bound.columns}, bound.unmapped)
    told = sorted(bound.unmapped, key=lambda name: name not in meanings)[:_NAMED]
    names = ", ".join(f"'{n}' (perhaps {meanings[n]})" if n in meanings else f"'{n}'" for n in told)
    names += f" and {len(bound.unmapped) - _NAMED:,} more" if len(bound.unmapped) > _NAMED else ""
    return (f"Columns nobody mapped: {names}. Map them, or name them in ignore_columns of feed {bound.mapping.feed}.",)
