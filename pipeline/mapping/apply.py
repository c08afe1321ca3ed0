"""A mapping meets a file: columns found by their headers, then blocks of text turned into typed columns.

Two passes keep memory bounded: :func:`survey` looks at whole columns where a single cell can be read in two
ways (``1,234``, ``01/05/2026``), :func:`typed` then reads block by block.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from pipeline.ahead import side_by_side
from pipeline.arrow import Texts, as_array
from pipeline.coded import Coded, Mask
from pipeline.errors import SetupError
from pipeline.mapping.aside import aside
from pipeline.mapping.bind import Columns, find_columns
from pipeline.mapping.cells import Column, Reading, distinct, trimmed
from pipeline.mapping.dates import zone_named
from pipeline.mapping.left_out import LeftOut
from pipeline.mapping.parsers import decided, marks_and_orders, may_be_cut, needs_survey, read
from pipeline.mapping.prove_fields import constant_value, reading_of, spec_of
from pipeline.mapping.rules import FieldRule, SkipRule
from pipeline.mapping.spec import FeedMapping
from pipeline.model import Rejection, Unfolded, Value
from pipeline.reasons import Trouble, reject
from pipeline.rows import Numbers, Rows

_MANY = 50_000
"""Rows of a block from which on two columns are read at a time. Blocks of long files are read ahead instead."""


class BoundColumn(Struct, frozen=True):
    """One field of this file: the column's position and header text, and how its cells are read."""

    name: str
    position: int
    header: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class BoundMapping:
    """A mapping with the columns of one file.

    ``constants`` are the same in every row; ``defaults`` take the place of empty cells once the rows of an
    order stand together. ``unmapped`` are the header texts nobody asked for. ``headers`` leads from a field
    to the header text a person knows it by; where rows are ``unfolded``, :meth:`place` says which cell it is.
    ``left_out`` is told which rows were skipped.
    """

    mapping: FeedMapping
    columns: tuple[BoundColumn, ...]
    skips: tuple[tuple[int, SkipRule], ...]
    constants: Mapping[str, Value] = field(default_factory=dict)
    defaults: Mapping[str, Value] = field(default_factory=dict)
    unmapped: tuple[str, ...] = ()
    unfolded: Unfolded | None = None
    header: tuple[str, ...] = ()
    left_out: LeftOut = field(default_factory=LeftOut, compare=False)

    @property
    def kind(self) -> str:
        """The record kind."""
        return self.mapping.record

    @property
    def key(self) -> tuple[str, ...]:
        """The fields that make the record key."""
        return self.mapping.key

    @property
    def reject(self) -> str:
        """How far one bad row reaches: ``row``, ``order`` or ``file``."""
        return self.mapping.reject

    @property
    def fill_down(self) -> tuple[str, ...]:
        """Fields whose empty cells take the value of the row above."""
        return self.mapping.fill_down

    @property
    def never_empty(self) -> tuple[str, ...]:
        """Fields whose cells in this file must not be empty."""
        return self._when_empty("reject")

    @property
    def clearing(self) -> tuple[str, ...]:
        """Fields whose empty cells in this file take away what the target has."""
        return self._when_empty("clear")

    def _when_empty(self, policy: str) -> tuple[str, ...]:
        fields = self.mapping.fields
        return tuple(column.name for column in self.columns if fields[column.name].when_empty == policy)

    @property
    def headers(self) -> Mapping[str, str]:
        """The file's own header text by field."""
        return {column.name: column.header for column in self.columns}

    @property
    def parts(self) -> int:
        """How many parts a row of the file may have."""
        return self.unfolded.parts if self.unfolded else 1

    def place(self, name: str, index: int) -> tuple[str | None, str | None]:
        """The file's own header text of a field in the row of that index, and how a sentence names the place."""
        header = self.headers.get(name)
        if self.unfolded is None or header is None:
            return header, header
        position = next(column.position for column in self.columns if column.name == name)
        return self.unfolded.place(position, index % self.parts)


class Typed(Struct, frozen=True):
    """A block read: one column per field (custom ones as ``extra.<name>``), and the number of each row.

    Unreadable cells have no value in ``columns`` and are named in ``rejections``; ``skipped`` rows are not among
    ``rows``.
    """

    columns: Mapping[str, Coded]
    rows: npt.NDArray[np.int64]
    rejections: tuple[Rejection, ...] = ()
    skipped: tuple[int, ...] = ()


Decisions = Mapping[str, frozenset[str]]
"""What whole columns showed, by field: decimal marks (``.``, ``,``), orders (``day``, ``month``), codes ``cut``."""


def bind(
    mapping: FeedMapping,
    header: Sequence[str],
    timezone: ZoneInfo,
    also_ignore: Collection[str] = (),
    unfolded: Unfolded | None = None,
) -> BoundMapping:
    """Find the mapping's columns in a header; ``timezone`` is the project's zone.

    Raises ``FileRefused``: ``missing_column``, ``repeated_column``, or ``unmapped_columns`` for a strict
    mapping.
    """
    found = find_columns(mapping, header, also_ignore)
    zone = zone_named(mapping.timezone) if mapping.timezone else timezone
    readings = {name: _reading(mapping, name, rule, zone) for name, rule in mapping.fields.items()}
    return BoundMapping(
        mapping=mapping,
        columns=tuple(BoundColumn(n, at, header[at], readings[n]) for n, at in found.fields.items()),
        skips=_skips(mapping, found),
        constants=_values({n: r.constant for n, r in mapping.fields.items()}, readings),
        defaults=_values({n: r.default for n, r in mapping.fields.items()}, readings),
        unmapped=found.unmapped,
        unfolded=unfolded,
        header=tuple(header),
    )


class Survey:
    """What the columns of a file show about their own notation, gathered block by block."""

    def __init__(self, bound: BoundMapping) -> None:
        self._bound = bound
        self._open = [column for column in bound.columns if needs_survey(column.reading)]
        self._shown: dict[str, frozenset[str]] = {column.name: frozenset() for column in self._open}

    def look(self, rows: Rows, skipped: Mask | None = None) -> None:
        """The next block; ``skipped`` as ``typed`` takes it."""
        if self._open:
            kept = _kept(rows, skipped_rows(self._bound, rows) if skipped is None else skipped)
            for column in self._open:
                self._shown[column.name] |= marks_and_orders(kept[column.position], column.reading)

    @property
    def decisions(self) -> Decisions:
        """What was seen so far."""
        return dict(self._shown)


def survey(bound: BoundMapping, blocks: Iterable[Rows]) -> Decisions:
    """Look at every block of a file and note what its columns show about their own notation."""
    seen = Survey(bound)
    for rows in blocks:
        seen.look(rows)
    return seen.decisions


def keys_only(bound: BoundMapping) -> BoundMapping:
    """The same mapping for a pass that asks for nothing but the record keys."""
    key = bound.key
    return replace(
        bound,
        columns=tuple(column for column in bound.columns if column.name in key),
        constants={name: value for name, value in bound.constants.items() if name in key},
        defaults={name: value for name, value in bound.defaults.items() if name in key},
    )


def keys_need_survey(bound: BoundMapping) -> bool:
    """Whether whole columns have to be looked at before a key can be read; a cut code is no key, but reads alike."""
    readings = [column.reading for column in keys_only(bound).columns]
    return any(needs_survey(reading) and not may_be_cut(reading) for reading in readings)


def typed(bound: BoundMapping, rows: Rows, decisions: Decisions, skipped: Mask | None = None) -> Typed:
    """Read the rows of one block. All problems of a row are named.

    ``skipped`` is what ``skipped_rows`` says of the block, where it was asked already.
    """
    skipped = skipped_rows(bound, rows) if skipped is None else skipped
    kept = _kept(rows, skipped)
    columns = {name: Coded.repeated(value, len(kept)) for name, value in bound.constants.items()}
    rejections: list[Rejection] = []

    def read_one(column: BoundColumn) -> Column:
        return read(kept[column.position], decided(column.reading, decisions.get(column.name, frozenset())))

    results = side_by_side(read_one, bound.columns) if len(kept) >= _MANY else map(read_one, bound.columns)
    for column, result in zip(bound.columns, results, strict=True):
        columns[column.name] = result.cells
        rejections += _rejections(bound, column, kept, result.troubles)
    for name in bound.defaults:
        columns.setdefault(name, Coded.repeated(None, len(kept)))
    return Typed(columns, kept.numbers, tuple(rejections), tuple(rows.numbers[skipped].tolist()))


def _rejections(
    bound: BoundMapping, column: BoundColumn, rows: Rows, troubles: Sequence[tuple[int, Trouble]]
) -> Iterator[Rejection]:
    if not troubles:
        return
    places = np.array([at for at, _ in troubles])
    texts: Texts = rows[column.position].take(as_array(places))
    everywhere = (column.header, column.header) if bound.unfolded is None else None
    for row, text, (_, trouble) in zip(rows.numbers[places].tolist(), texts.to_pylist(), troubles, strict=True):
        header, label = everywhere or bound.place(column.name, row)
        yield reject(row, header, text, trouble.code, field=column.name, label=label, **trouble.details)


def _kept(rows: Rows, skipped: Mask) -> Rows:
    return rows.chosen(~skipped) if skipped.any() else rows


def skipped_rows(bound: BoundMapping, rows: Rows) -> Mask:
    """Which rows the mapping wants left out, and why; cells are compared without blanks at their ends."""
    whole = bound.unfolded is None and len(bound.header) == rows.width and bound.mapping.files.totals == "skip"
    found = aside(bound.header, rows) if whole else {}
    reasons = {why: np.array([at for at, one in found.items() if one == why]) for why in set(found.values())}
    skipped = np.zeros(len(rows), dtype=bool)
    skipped[list(found)] = True
    for position, rule in bound.skips:
        codes, texts = distinct(rows[position])
        unwanted = np.fromiter((trimmed(text) in rule.values for text in texts), bool, len(texts))
        if unwanted.any():
            fresh = unwanted[codes] & ~skipped
            reasons[f"as skip_rows_where says of '{bound.header[position]}'"] = np.flatnonzero(fresh)
            skipped |= fresh
    if reasons:
        bound.left_out.note(int(rows.numbers[0]), _whole_rows(bound, rows.numbers, skipped, reasons))
    return skipped


def _whole_rows(
    bound: BoundMapping, numbers: Numbers, skipped: npt.NDArray[np.bool_], reasons: Mapping[str, npt.NDArray[np.intp]]
) -> dict[str, Numbers]:
    """The numbers of the rows of which no part is left."""
    rows = numbers // bound.parts
    left = rows[~skipped] if bound.parts > 1 else rows[:0]
    whole = {why: np.setdiff1d(rows[at], left) if bound.parts > 1 else np.sort(rows[at]) for why, at in reasons.items()}
    return {why: found for why, found in whole.items() if len(found)}


def _skips(mapping: FeedMapping, found: Columns) -> tuple[tuple[int, SkipRule], ...]:
    return tuple(zip(found.skips, mapping.skip_rows_where, strict=True))


def _reading(mapping: FeedMapping, name: str, rule: FieldRule, zone: ZoneInfo) -> Reading:
    spec = spec_of(mapping.record, name)
    if spec is None:
        raise SetupError(f"feed {mapping.feed}: a record of kind {mapping.record} has no field '{name}'.")
    return reading_of(rule, spec, zone, mapping.decimal)


def _values(texts: Mapping[str, str | None], readings: Mapping[str, Reading]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, text in texts.items():
        value = None if text is None else constant_value(text, readings[name])
        if isinstance(value, Trouble):
            raise SetupError(f"fields.{name}: {reject(0, name, text, value.code, **value.details).message}")
        if value is not None:
            values[name] = value
    return values
