"""Columns that a mapping unfolds or joins by, under other names now: the likely ones, and what the mapping will say."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.errors import FileRefused
from pipeline.mapping.prove_shapes import numeric_columns
from pipeline.mapping.spec import FeedMapping
from pipeline.mapping.texts import fold
from pipeline.proposing.amend import Place
from pipeline.proposing.content import look
from pipeline.proposing.matching import Seen
from pipeline.proposing.renamed import Lacking, Renamed, likeliest
from pipeline.reading.table import Table
from pipeline.reshaping import unfolding
from pipeline.reshaping.groups import numbered, own_headers
from pipeline.sampling import columns_of, understood
from pipeline.shapes import NUMBER, Split

_HOLDS = 0.8
_BY_CONTENT = 0.85
_LEFT_OVER = 0.6
_NUMBER = re.compile(r"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a mapping, what was said there, and what has to be said now; ``sure`` from 0 to 1."""

    place: Place
    was: str
    now: str
    sure: float
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reshaped:
    """What has changed about the shape of a file, and the columns ``gone`` that nothing looks like."""

    changes: tuple[Change, ...] = ()
    gone: tuple[str, ...] = ()


def reshaped(mapping: FeedMapping, lines: Table, other: Table | None) -> Reshaped:
    """Compare what a mapping unfolds and joins by with the columns of a file; ``other`` is the table it joins."""
    columns = columns_of(lines)
    known = _known(mapping, lines.header)
    unused = [column for column in columns if column.header.strip() and fold(column.header) not in known]
    found = [_of_group(mapping, name, patterns, lines.header, unused) for name, patterns in mapping.unpivot.items()]
    found = _by_elimination(mapping, found, unused)
    if mapping.split is not None:
        found.append(_of_split(mapping, mapping.split, lines, unused))
    if mapping.join is not None and other is not None:
        found.append(_of_keys(mapping, list(mapping.join.on), "key", lines.header, unused))
        theirs = [column for column in columns_of(other) if fold(column.header) not in known]
        found.append(_of_keys(mapping, list(mapping.join.on.values()), "value", other.header, theirs))
    return Reshaped(tuple(c for one in found for c in one.changes), tuple(g for one in found for g in one.gone))


def _known(mapping: FeedMapping, header: Sequence[str]) -> set[str]:
    """The folded headers some part of the mapping asks for."""
    asked = [text for rule in mapping.fields.values() for text in rule.column]
    asked += [text for rule in mapping.skip_rows_where for text in rule.column]
    split, join = mapping.split or Split(), mapping.join
    asked += [*mapping.ignore_columns, *split.column, *split.columns]
    asked += [*join.on, *join.on.values()] if join else []
    return {fold(text) for text in (*asked, *own_headers(mapping.unpivot, header))}


def _fed(mapping: FeedMapping, names: Collection[str]) -> tuple[str, ...]:
    """The fields that ask for one of the columns."""
    wanted = {fold(name) for name in names}
    return tuple(field for field, rule in mapping.fields.items() if wanted & {fold(text) for text in rule.column})


# --- numbered columns ---------------------------------------------------------------------------------------------


def _of_group(
    mapping: FeedMapping, name: str, patterns: tuple[str, ...], header: Sequence[str], unused: Sequence[Seen]
) -> Reshaped:
    """The numbered columns that one made column comes from: all renamed, some renamed, or more than were listed."""
    own = {number: header[at] for number, at in numbered(patterns, header)}
    every = {n for others in mapping.unpivot.values() for n, _ in numbered(others, header)}
    series = _series(unused)
    if len(patterns) > 1 and own:
        return _more(name, patterns, series)
    place, shown = ("unpivot", name), patterns[0]
    if own and not every - set(own):
        return Reshaped()
    wanted = every - set(own)
    fitting = {stem: at for stem, at in series.items() if (set(at) >= wanted if wanted else len(at) > 1)}
    plain = patterns[0].replace(NUMBER, " ")
    stems = [replace(_together(list(at.values())), header=stem.replace(NUMBER, " ")) for stem, at in fitting.items()]
    best = _best(Lacking((plain, name), _fed(mapping, [name])), stems, mapping.record)
    if best is None:
        return Reshaped() if _may_miss(mapping, name) else Reshaped(gone=(f"{shown} of the unpivot",))
    stem = next(stem for stem in fitting if stem.replace(NUMBER, " ") == best.column.header)
    if not own:
        return Reshaped((Change(place, shown, stem, best.sure, (stem,)),))
    both = own | {number: fitting[stem][number].header for number in wanted}
    texts = tuple(both[number] for number in sorted(both))
    return Reshaped((Change(place, shown, f"{stem} in some places", best.sure, texts),))


def _by_elimination(mapping: FeedMapping, found: list[Reshaped], unused: Sequence[Seen]) -> list[Reshaped]:
    """The only numbered columns that are left over are the only ones that are missing."""
    taken = {change.texts[0] for one in found for change in one.changes}
    left = [stem for stem, at in _series(unused).items() if len(at) > 1 and stem not in taken]
    missed = [at for at, one in enumerate(found) if one.gone]
    if len(left) != 1 or len(missed) != 1 or len(found) < 2:
        return found
    name, patterns = list(mapping.unpivot.items())[missed[0]]
    if len(patterns) == 1 and NUMBER in patterns[0]:
        found[missed[0]] = Reshaped((Change(("unpivot", name), patterns[0], left[0], _LEFT_OVER, (left[0],)),))
    return found


def _series(columns: Sequence[Seen]) -> dict[str, dict[int, Seen]]:
    """Columns that differ by a number only, by their pattern."""
    found: dict[str, dict[int, Seen]] = {}
    for column in columns:
        for match in _NUMBER.finditer(column.header):
            stem = column.header[: match.start()] + NUMBER + column.header[match.end() :]
            found.setdefault(stem, {}).setdefault(int(match[0]), column)
    return found


def _more(name: str, listed: Sequence[str], series: Mapping[str, Mapping[int, Seen]]) -> Reshaped:
    """Numbered columns that go on where a list of headers ends."""
    for stem, at in series.items():
        if sum(_is_of(stem, text) for text in listed) > 1:
            new = tuple(at[number].header for number in sorted(at))
            return Reshaped((Change(("unpivot", name), listed[-1], ", ".join(new), 1.0, (*listed, *new)),))
    return Reshaped()


def _is_of(stem: str, text: str) -> bool:
    before, _, after = fold(stem).partition(NUMBER)
    inner = fold(text).removeprefix(before).removesuffix(after)
    return fold(text) == f"{before}{inner}{after}" and inner.isdecimal()


def _together(columns: Sequence[Seen]) -> Seen:
    cells = tuple(cell for column in columns for cell in column.cells)
    return replace(columns[0], look=look(cells, understood), cells=cells)


# --- packed cells, keys -------------------------------------------------------------------------------------------


def _of_split(mapping: FeedMapping, split: Split, lines: Table, unused: Sequence[Seen]) -> Reshaped:
    there = {fold(text) for text in (*lines.header, *mapping.unpivot)}
    if split.column:
        if any(fold(text) in there for text in split.column):
            return Reshaped()
        best = _best(Lacking(split.column, ()), unused, mapping.record) or _by_content(mapping, split, lines, unused)
        if best is None:
            return Reshaped(gone=(f"{split.column[0]} of the split",))
        now = best.column.header
        return Reshaped((Change(("split", "column"), split.column[0], now, best.sure, (*split.column, now)),))
    lacking = [Lacking((name,), _fed(mapping, [name])) for name in split.columns if fold(name) not in there]
    found = {one.lacking.aliases[0]: one for one in likeliest(lacking, unused, mapping.record)}
    gone = tuple(f"{gap.aliases[0]} of the split" for gap in lacking if gap.aliases[0] not in found)
    if not found:
        return Reshaped(gone=gone)
    was, now = ", ".join(found), ", ".join(one.column.header for one in found.values())
    texts = tuple(found[name].column.header if name in found else name for name in split.columns)
    sure = min(one.sure for one in found.values())
    return Reshaped((Change(("split", "columns"), was, now, sure, texts),), gone)


def _by_content(mapping: FeedMapping, split: Split, lines: Table, unused: Sequence[Seen]) -> Renamed | None:
    """The only column whose cells can be taken apart as the mapping says; a bare list says too little for that."""
    if not (split.form or split.pairs or split.json):
        return None
    fitting = [column for column in unused if _comes_apart(mapping, replace_column(split, column.header), lines)]
    return Renamed(Lacking(split.column, ()), fitting[0], _BY_CONTENT) if len(fitting) == 1 else None


def replace_column(split: Split, header: str) -> Split:
    """The same way to take a cell apart, for another column."""
    return Split((header,), (), split.between, split.form, split.pairs, split.json, split.items)


def _comes_apart(mapping: FeedMapping, split: Split, lines: Table) -> bool:
    numeric = numeric_columns(mapping.record, mapping.fields)
    try:
        unfold = unfolding(mapping.unpivot, split, lines.header, mapping.feed, numeric)
    except FileRefused:
        return False
    block = next(lines.blocks(200), None)
    if unfold is None or block is None:
        return False
    _, troubles = unfold.unfold(block.rows, ())
    filled = sum(1 for cell in block.rows[lines.header.index(split.column[0])].to_pylist() if cell.strip())
    return filled > 0 and len(troubles) <= (1 - _HOLDS) * filled


def _of_keys(
    mapping: FeedMapping, names: Sequence[str], side: str, header: Sequence[str], unused: Sequence[Seen]
) -> Reshaped:
    """The columns a join goes by, in the lines (``key``) or in the other table (``value``)."""
    assert mapping.join is not None  # noqa: S101 - only asked where there is one
    there = {fold(text) for text in header}
    lacking = [Lacking((name,), _fed(mapping, [name])) for name in names if fold(name) not in there]
    found = {one.lacking.aliases[0]: one for one in likeliest(lacking, unused, mapping.record)}
    keys = {value: key for key, value in mapping.join.on.items()} if side == "value" else {n: n for n in names}
    changes = tuple(
        Change(("join", "on", keys[name], side), name, one.column.header, one.sure, (one.column.header,))
        for name, one in found.items()
    )
    return Reshaped(changes, tuple(f"{gap.aliases[0]} of the join" for gap in lacking if gap.aliases[0] not in found))


def _best(lacking: Lacking, columns: Sequence[Seen], kind: str) -> Renamed | None:
    numbered_columns = [replace(column, at=at) for at, column in enumerate(columns)]
    return next(iter(likeliest([lacking], numbered_columns, kind)), None)


def _may_miss(mapping: FeedMapping, name: str) -> bool:
    return all(mapping.fields[field].optional for field in _fed(mapping, [name]))


def sentences(found: Reshaped) -> Iterator[str]:
    """What has changed, in words."""
    if found.changes:
        pairs = (f"'{c.was}' of the {c.place[0]} is now '{c.now}' ({c.sure:.2f})" for c in found.changes)
        yield f"Most likely {', '.join(pairs)}."
    if found.gone:
        yield f"Nothing in the file looks like {', '.join(found.gone)}."
