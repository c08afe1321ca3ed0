"""Which new column is an old one under another name: header likeness, meaning and content weighed together."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.fields import RECORD_KINDS
from pipeline.proposing.assign import best_assignment
from pipeline.proposing.layouts import layout_of
from pipeline.proposing.matching import Seen, bears_out, fitting
from pipeline.proposing.words import glued, words

LEAST = 0.5
_ALIKE = 0.7  # below this, two headers look alike by chance


@dataclass(frozen=True, slots=True)
class Lacking:
    """One column a mapping asks for and the file does not have: its header texts, and the fields it feeds."""

    aliases: tuple[str, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renamed:
    """The most likely new column of a lacking one; ``sure`` from 0 to 1."""

    lacking: Lacking
    column: Seen
    sure: float


def likeliest(lacking: Sequence[Lacking], unused: Sequence[Seen], kind: str) -> list[Renamed]:
    """The best total assignment of new columns to lacking ones; a column without a likely one is left out."""
    columns = {column.at: column for column in unused if column.header.strip()}
    names = {str(at): gap for at, gap in enumerate(lacking)}
    scores = {(at, name): _sure(gap, column, kind) for at, column in columns.items() for name, gap in names.items()}
    chosen = best_assignment({pair: sure for pair, sure in scores.items() if sure >= LEAST})
    return [Renamed(names[name], columns[at], scores[at, name]) for at, name in sorted(chosen.items())]


def new_fields(unused: Sequence[Seen], kind: str, taken: Iterable[str]) -> dict[str, tuple[str, float]]:
    """What added columns may mean: field and how sure by header text, for fields the mapping does not have yet."""
    layout = layout_of([column.header for column in unused])
    known = set(taken)
    scores = {
        (column.at, field): hint.sure
        for column in unused
        if column.header.strip()
        for field, hint in fitting(column, kind, layout).items()
        if hint.sure >= LEAST and field not in known and field in RECORD_KINDS[kind]
    }
    headers = {column.at: column.header for column in unused}
    return {headers[at]: (field, scores[at, field]) for at, field in best_assignment(scores).items()}


def alike(one: str, other: str) -> float:
    """How like two headers are, from 0 to 1: the same words in another order are as good as the same."""
    if glued(one) == glued(other):
        return 1.0
    mine, theirs = frozenset(words(one)), frozenset(words(other))
    shared = len(mine & theirs) / max(len(mine | theirs), 1)
    letters = difflib.SequenceMatcher(None, glued(one), glued(other)).ratio()
    return 1.0 if mine and mine == theirs else max(letters, shared)


def _sure(lacking: Lacking, column: Seen, kind: str) -> float:
    likeness = max(alike(alias, column.header) for alias in lacking.aliases)
    by_name = likeness * 0.95 if likeness >= _ALIKE else 0.0
    specs: Mapping[str, object] = RECORD_KINDS[kind]
    fields = [field for field in lacking.fields if field in specs]
    borne_out = min((bears_out(column.look, field, kind) for field in fields), default=1.0)
    meaning = fitting(column, kind, None)
    by_meaning = max((meaning[field].sure for field in fields if field in meaning), default=0.0)
    return round(max(by_name * borne_out, by_meaning), 2)
