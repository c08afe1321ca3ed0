"""A sheet that a mapping names and a workbook no longer has: the one of its sheets that holds the same columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from msgspec.structs import replace

from pipeline.errors import FileRefused
from pipeline.mapping.spec import FeedMapping
from pipeline.mapping.texts import fold
from pipeline.reading import open_table
from pipeline.reading.table import Hints
from pipeline.reshaped import Change

_HOLDS = 0.6
"""How many of the columns asked for the sheet must hold, at least."""


def renamed_sheets(path: Path, mapping: FeedMapping, hints: Hints, names: Sequence[str]) -> tuple[Change, ...]:
    """The sheets of a workbook that take the place of those the mapping names; ``names`` are all it has.

    None where another sheet holds as many of the columns: nobody could tell which one is meant.
    """
    known = {name.strip().casefold() for name in names}
    join = mapping.join.sheet if mapping.join else None
    found = []
    for place, wanted, asked in _asked(mapping):
        if wanted is None or wanted.strip().casefold() in known:
            continue
        mine = hints if place == "files" else Hints()
        other = join if place == "files" else mapping.files.sheet
        free = [name for name in names if other is None or name.strip().casefold() != other.strip().casefold()]
        likely = _likeliest(path, mine, free, asked)
        if likely is not None:
            found.append(Change((place, "sheet"), wanted, likely[0], likely[1], (likely[0],)))
    return tuple(found)


def _asked(mapping: FeedMapping) -> list[tuple[str, str | None, list[Collection[str]]]]:
    """Which sheets the mapping names, and by what each column it needs there may be called."""
    join = mapping.join
    needed = [{fold(text) for text in rule.column} for rule in mapping.fields.values() if rule.column]
    shapes = [{fold(text)} for text in mapping.split.column] if mapping.split else []
    asked: list[tuple[str, str | None, list[Collection[str]]]] = [
        ("files", mapping.files.sheet, [*needed, *shapes, *({fold(text)} for text in (join.on if join else ()))])
    ]
    if join is not None:
        asked.append(("join", join.sheet, [{fold(text)} for text in join.on.values()]))
    return asked


def _likeliest(
    path: Path, hints: Hints, names: Sequence[str], asked: Sequence[Collection[str]]
) -> tuple[str, float] | None:
    """The sheet that holds the most of the columns, and what share of them."""
    shares = sorted(((_share(path, replace(hints, sheet=name), asked), name) for name in names), reverse=True)
    if not shares or shares[0][0] < _HOLDS or (len(shares) > 1 and shares[1][0] == shares[0][0]):
        return None
    return shares[0][1], round(shares[0][0], 2)


def _share(path: Path, hints: Hints, asked: Sequence[Collection[str]]) -> float:
    try:
        header = {fold(text) for text in open_table(path, hints).header}
    except FileRefused:
        return 0.0
    return sum(1 for texts in asked if header & set(texts)) / max(1, len(asked))
