"""``unpivot``: which columns of a header belong to the first, second, third … item of a row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.reasons import refuse
from pipeline.shapes import NUMBER, Unpivot

MOST_GROUPS = 500


@dataclass(frozen=True, slots=True)
class Group:
    """The columns of one item: made column → position in the header, for those the file has."""

    number: int
    positions: Mapping[str, int]


def find_groups(unpivot: Unpivot, header: Sequence[str], feed: str) -> tuple[Group, ...]:
    """The groups in the order of their numbers; ``FileRefused`` when the file has none, or one column twice."""
    found = {made: _numbered(patterns, header) for made, patterns in unpivot.items()}
    numbers = sorted({number for positions in found.values() for number, _ in positions})
    if not numbers:
        wanted = " or ".join(
            f"'{pattern.replace(NUMBER, '1')}'" for patterns in unpivot.values() for pattern in patterns
        )
        raise refuse("missing_column", columns=f"every column of the unpivot, such as {wanted}", feed=feed)
    twice = [f"'{header[at]}'" for positions in found.values() for at in _clashing(positions)]
    if twice:
        raise refuse("repeated_column", columns=", ".join(twice))
    if len(numbers) > MOST_GROUPS:
        raise refuse("too_many_groups", count=str(len(numbers)), limit=str(MOST_GROUPS))
    by_name = {made: dict(positions) for made, positions in found.items()}
    return tuple(
        Group(number, {made: at[number] for made, at in by_name.items() if number in at}) for number in numbers
    )


def _numbered(patterns: Sequence[str], header: Sequence[str]) -> list[tuple[int, int]]:
    """Number and position of each column; a list of headers is numbered by its order, a repeated one by its place."""
    found: list[tuple[int, int]] = []
    for place, pattern in enumerate(patterns, 1):
        if NUMBER in pattern:
            form = _form(pattern)
            found += [(int(m[1]), at) for at, text in enumerate(header) if (m := form.fullmatch(folded(text)))]
            continue
        same = [at for at, text in enumerate(header) if folded(text) == folded(pattern)]
        found += [(number, at) for number, at in enumerate(same if len(patterns) == 1 else same[:1], place)]
    return found


def _clashing(positions: Sequence[tuple[int, int]]) -> list[int]:
    """Positions of columns that have the number of another one: 'Qty 1' and 'Qty 01'."""
    first: dict[int, int] = {}
    return [at for number, at in positions if first.setdefault(number, at) != at]


def _form(pattern: str) -> re.Pattern[str]:
    before, _, after = folded(pattern).partition(NUMBER)
    return re.compile(rf"{re.escape(before)}([0-9]{{1,4}}){re.escape(after)}")


def folded(text: str) -> str:
    """A header text without regard to case and spacing."""
    return " ".join(text.split()).casefold()
