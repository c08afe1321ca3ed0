"""``unpivot``: which columns of a header belong to the first, second, third … item of a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct

from pipeline.reasons import refuse
from pipeline.shapes import NUMBER, Unpivot

MOST_GROUPS = 500
_DIGITS = re.compile(r"[0-9]{1,4}")


class Group(Struct, frozen=True):
    """The columns of one item: made column → position in the header, for those the file has."""

    number: int
    positions: Mapping[str, int]


def find_groups(unpivot: Unpivot, header: Sequence[str], feed: str) -> tuple[Group, ...]:
    """The groups in the order of their numbers; ``FileRefused`` when the file has none, or one column twice."""
    found = {made: numbered(patterns, header) for made, patterns in unpivot.items()}
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


def own_headers(unpivot: Unpivot, header: Sequence[str]) -> tuple[str, ...]:
    """The header texts that ``unpivot`` takes."""
    return tuple(header[at] for patterns in unpivot.values() for _, at in numbered(patterns, header))


def refuse_uneven(
    unpivot: Unpivot, header: Sequence[str], feed: str, needed: Collection[str], known: Collection[str]
) -> None:
    """``FileRefused`` where items would be lost: a group lacks a ``needed`` made column, or a list of headers goes on.

    ``known`` are folded headers that other parts of the mapping speak of.
    """
    found = {made: {number for number, _ in numbered(patterns, header)} for made, patterns in unpivot.items()}
    every = sorted({number for numbers in found.values() for number in numbers})
    lacking = [
        f"the column '{_shown(unpivot[made], number)}'"
        for made in unpivot if made in needed
        for number in every if number not in found[made]
    ]  # fmt: skip
    if lacking:
        raise refuse("missing_column", columns=", ".join(lacking), feed=feed)
    more = [f"'{text}'" for patterns in unpivot.values() for text in _going_on(patterns, header, known)]
    if more:
        raise refuse("columns_go_on", columns=", ".join(more), feed=feed)


def _shown(patterns: Sequence[str], number: int) -> str:
    """The header of one number, as far as it can be told."""
    if NUMBER in patterns[0]:
        return patterns[0].replace(NUMBER, str(number))
    return patterns[number - 1] if number <= len(patterns) and len(patterns) > 1 else f"{patterns[0]} ({number})"


def _going_on(patterns: Sequence[str], header: Sequence[str], known: Collection[str]) -> list[str]:
    """Headers with another number than those of a list, of which two at least differ by their number only."""
    if len(patterns) < 2:
        return []
    listed = {folded(text) for text in patterns}
    stems = Counter(stem for text in listed for stem in stems_of(text))
    usual = {stem for stem, count in stems.items() if count > 1}
    return [t for t in header if folded(t) not in (listed | set(known)) and usual & set(stems_of(folded(t)))]


def stems_of(text: str) -> tuple[str, ...]:
    """A header with each of its numbers left open in turn."""
    return tuple(text[: m.start()] + NUMBER + text[m.end() :] for m in _DIGITS.finditer(text))


def numbered(patterns: Sequence[str], header: Sequence[str]) -> list[tuple[int, int]]:
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
