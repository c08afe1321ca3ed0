"""A sample whose orders stand in one table and their lines in another: which key leads from one to the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pipeline.errors import FileRefused
from pipeline.joining import joined
from pipeline.proposing.matching import Seen, fitting
from pipeline.proposing.renamed import alike
from pipeline.reading import open_table
from pipeline.reading.table import Hints, Table
from pipeline.reasons import shown
from pipeline.sampling import columns_of
from pipeline.shapes import Join

_ROWS = 20_000
_MOST_FILES = 8
_MOST_BYTES = 1 << 25
_TRIED = 10  # keys that are looked for before all of them are
_NEARLY = 0.8
_LEAST = 0.6
_IS_KEY = 0.6
_TELLING, _BY_CHANCE = 3, 5
"""How long a text must be to tell anything, and how many of them two columns share that are no keys of orders."""
_FORMS = {".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".fods", ".xlsb", ".xlsm"}
_DIGITS = re.compile(r"\d{2,}")


@dataclass(frozen=True, slots=True)
class Paired:
    """Lines with the columns of their orders; ``name`` and ``sheet`` are of the lines, ``why`` tells a person.

    ``pattern`` is for the names of files with lines, ``None`` for two sheets of one; ``question`` is empty where all
    is clear.
    """

    table: Table
    join: Join
    name: str
    sheet: str | None
    pattern: str | None
    why: str
    question: str = ""


_One = TypeVar("_One")


@dataclass(frozen=True, slots=True)
class _Key:
    lines: Seen
    orders: Seen
    sure: float
    lean: float


def paired_sheets(sample: Path, sheets: Sequence[str]) -> Paired | None:
    """The two sheets of a workbook of which one holds the lines of the other's orders, ``None`` where it is unclear."""
    tables = {name: _table(sample, name) for name in sheets}
    found = [
        (_key(lines, orders), name, other)
        for name, lines in tables.items()
        for other, orders in tables.items()
        if name != other and lines is not None and orders is not None
    ]
    sure = _clearest([(key, name, other) for key, name, other in found if key is not None])
    if sure is None:
        return None
    key, name, other = sure
    join = Join({key.lines.header: key.orders.header}, sheet=other)
    return _paired(tables[name], tables[other], join, key, (sample.name, name, f"sheet '{other}'"), None)


def paired_files(sample: Path, table: Table) -> Paired | None:
    """The file beside the sample that holds the orders of its lines, or the lines of its orders."""
    found = []
    for path in _beside(sample):
        other = _table(path, None)
        patterns = _patterns(sample.name, path.name)
        if other is None or patterns is None:
            continue
        found += [(key, (sample, table), (path, other)) for key in (_key(table, other),) if key is not None]
        found += [(key, (path, other), (sample, table)) for key in (_key(other, table),) if key is not None]
    sure = _clearest(found)
    if sure is None:
        return None
    key, (lines_path, lines), (orders_path, orders) = sure
    own, theirs = _patterns(lines_path.name, orders_path.name) or ("", "")
    join = Join({key.lines.header: key.orders.header}, files=theirs)
    return _paired(lines, orders, join, key, (lines_path.name, None, f"'{orders_path.name}'"), own)


def _paired(
    lines: Table | None,
    orders: Table | None,
    join: Join,
    key: _Key,
    names: tuple[str, str | None, str],
    pattern: str | None,
) -> Paired | None:
    name, sheet, other = names
    if lines is None or orders is None:
        return None
    ((own, theirs),) = join.on.items()
    examples = ", ".join(shown(text, 20) for text in list(dict.fromkeys(filter(None, key.lines.cells)))[:3])
    why = (
        f"{key.sure:.2f}, each line gets the row of {other} that has its '{shown(own)}' in '{shown(theirs)}'; "
        f"for instance {examples}"
    )
    question = ""
    try:
        table = joined(lines, orders, join, other, "")
    except FileRefused as refused:
        if refused.code != "orders_without_lines":
            return None
        join = replace_lines(join)
        question = f"join: {refused.message} Is it right to leave such rows out (`without_lines: ignore`)?"
        table = joined(lines, orders, join, other, "")
    return Paired(table, join, name, sheet, pattern, why, question)


def replace_lines(join: Join) -> Join:
    """The same join, leaving out what no line asks for."""
    return Join(join.on, join.sheet, join.files, "ignore")


def _clearest(found: Sequence[tuple[_Key, _One, _One]]) -> tuple[_Key, _One, _One] | None:
    """The surest way to join. The lines are the table whose keys repeat more, or that alone has quantities."""
    leaning = sorted((one for one in found if one[0].lean > 0), key=lambda one: one[0].sure, reverse=True)
    return leaning[0] if leaning and (len(leaning) < 2 or leaning[0][0].sure > leaning[1][0].sure) else None


def _key(lines: Table, orders: Table) -> _Key | None:
    """The likeliest pair of columns: unique among the orders, and nearly every line has its order."""
    own, theirs = _seen(lines), _seen(orders)
    unique = [(column, held) for column in theirs if len(held := _filled(column)) >= _NEARLY * len(column.cells)]
    found = [key for one in own for other, held in unique if (key := _weighed(one, other, held)) is not None]
    best = max(found, key=lambda key: key.sure, default=None)
    counted = _counts(own) - _counts(theirs)
    return replace(best, lean=best.lean + counted) if best else None


def _seen(table: Table) -> list[Seen]:
    return [column for column in columns_of(table, _ROWS) if column.header.strip()]


def _counts(columns: Sequence[Seen]) -> int:
    return int(any("quantity" in fitting(column, "order", None) for column in columns))


def _filled(column: Seen) -> frozenset[str]:
    return frozenset(cell.strip() for cell in column.cells) - {""}


def _weighed(mine: Seen, theirs: Seen, held: frozenset[str]) -> _Key | None:
    asked = [cell.strip() for cell in mine.cells if cell.strip()]
    if not held.intersection(asked[:_TRIED]):
        return None
    own = frozenset(asked)
    share = len(own & held) / len(own)
    meaning = max(_is_order_id(mine), _is_order_id(theirs))
    if meaning < _IS_KEY and sum(len(text) >= _TELLING for text in own & held) < _BY_CHANCE:
        return None  # quantities, or one customer, that two files of a folder happen to share
    named = max(alike(mine.header, theirs.header), meaning)
    sure = round(share * (0.5 + 0.25 * named + 0.25 * meaning), 2)
    lean = len(held) / len(theirs.cells) - len(own) / len(asked)
    return _Key(mine, theirs, sure, lean) if share >= _NEARLY and sure >= _LEAST else None


def _is_order_id(column: Seen) -> float:
    hint = fitting(column, "order", None).get("order_id")
    return hint.sure if hint else 0.0


def _table(path: Path, sheet: str | None) -> Table | None:
    try:
        return open_table(path, Hints(sheet=sheet))
    except (FileRefused, OSError):
        return None


def _beside(sample: Path) -> list[Path]:
    """The files in the folder of the sample that may belong to it, those with the most letters in common first."""
    around = [
        path
        for path in sorted(sample.resolve().parent.iterdir())
        if path.suffix.casefold() in _FORMS and path.name != sample.name and path.is_file()
    ]
    likely = [path for path in around if path.stat().st_size <= _MOST_BYTES]
    return sorted(likely, key=lambda path: -alike(path.stem, sample.stem))[:_MOST_FILES]


def _patterns(own: str, other: str) -> tuple[str, str] | None:
    """Patterns for both names of a pair, with one ``*`` where both have the same number; ``None`` where none can be."""
    if set("*?[]") & set(own + other):
        return None
    stems = [name.rpartition(".")[0] for name in (own, other)]
    endings = [name.rpartition(".")[2] for name in (own, other)]
    shared = next((number for number in _DIGITS.findall(stems[0]) if number in _DIGITS.findall(stems[1])), None)
    mine, theirs = (stem.replace(shared, "*", 1) if shared else f"{stem}*" for stem in stems)
    found = f"{mine}.{endings[0]}", f"{theirs}.{endings[1]}"
    numbered = [_DIGITS.findall(stem) for stem in stems]
    alone = not shared and any(numbered)  # the numbers of one day, and not those of the other file
    return None if alone or found[0].casefold() == found[1].casefold() else found
