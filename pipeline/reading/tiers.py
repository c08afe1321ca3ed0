"""Headers of two rows: a row of groups (``Shipping,,Billing,``) over a row of names (``Name, Street, Name, Street``).

A name that stands several times gets its group in front (``Shipping Name``), a blank one is its group alone, and a name
that stands once stays as it is: whoever maps it need not care for the group.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.reading.blocks import is_blank, visible_width
from pipeline.reading.header import Numbered, find_header, is_name
from pipeline.reading.table import Hints

_DIGIT = re.compile(r"\d")
Tiers = tuple[int, int]
"""The row number of the header's last row, and how many rows it has."""


def find_tiers(path: Path, rows: Sequence[Numbered], hints: Hints, grouped: Collection[int] = ()) -> Tiers:
    """The header among the first rows; ``grouped`` are rows known to have cells that reach over several columns.

    ``FileRefused`` ``ambiguous_header`` where one row and two rows are equally likely.
    """
    if hints.header_row is not None:
        return hints.header_row, min(hints.header_rows or 1, max(hints.header_row, 1))
    row = find_header(rows)
    if not row or hints.header_rows == 1:
        return row, 1
    filled = [(number, cells) for number, cells in rows if not is_blank(cells)]
    at = next(place for place, (number, _) in enumerate(filled) if number == row)
    for upper, lower in ((at, at + 1), (at - 1, at)):
        if upper >= 0 and lower < len(filled) and filled[lower][0] == filled[upper][0] + 1:
            data = [cells for _, cells in filled[lower + 1 :]]
            likely = _likelihood(filled[upper][1], filled[lower][1], data)
            if lower == at or filled[upper][0] in grouped or hints.header_rows == 2:
                likely = 2 if likely else 0
            if likely == 1:
                raise _ambiguous(path, row, filled[upper][1], filled[lower][1])
            if likely:
                return filled[lower][0], 2
    return row, min(hints.header_rows or 1, row)


def tiered(rows: Sequence[Numbered], header: Sequence[str], tiers: Tiers) -> tuple[str, ...]:
    """The header's texts, given those of its last row."""
    row, count = tiers
    made = tuple(header)
    for number in range(row - 1, row - count, -1):
        made = joined(next((cells for at, cells in rows if at == number), ()), made)
    return made


def joined(groups: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """One header of two rows; a group counts for the blank columns to its right."""
    width = max(visible_width(groups), visible_width(names))
    lower = [" ".join(cell.split()) for cell in names[:width]] + [""] * (width - len(names))
    over = _spread(groups, width)
    times = Counter(name.casefold() for name in lower)
    made = []
    for at, (group, name) in enumerate(zip(over, lower, strict=True)):
        if not name:
            made.append(groups[at].strip() if at < len(groups) else "")
        elif times[name.casefold()] > 1 and group:
            made.append(f"{group} {name}")
        else:
            made.append(names[at])
    return tuple(made)


def tiers_note(tiers: Tiers) -> tuple[str, ...]:
    """A sentence for people when the header has two rows."""
    row, count = tiers
    if count < 2:
        return ()
    told = f"Rows {row - count + 1} and {row} are read as one header: a name that stands several times has its group in"
    return (f"{told} front. `files: {{header_rows: 1}}` in the mapping takes one row alone.",)


def _spread(groups: Sequence[str], width: int) -> list[str]:
    over, last = [], ""
    for at in range(width):
        last = (" ".join(groups[at].split()) if at < len(groups) else "") or last
        over.append(last)
    return over


def _likelihood(groups: Sequence[str], names: Sequence[str], data: Sequence[Sequence[str]]) -> int:
    """0: the two rows are no header together; 1: they may be; 2: they are, columns of digits lie below.

    Names repeat, or are blank where a group stands alone; together with their groups they all differ.
    """
    texts = [cell for cell in (*groups, *names) if cell.strip()]
    labels = [cell for cell in groups if cell.strip()]
    if len(labels) < 2 or not data or not all(is_name(text) for text in texts):
        return 0
    made = [text.strip().casefold() for text in joined(groups, names)]
    lower = [name.strip().casefold() for name in names]
    repeats = len(set(filter(None, lower))) < len(list(filter(None, lower)))
    alone = sum(1 for at, label in enumerate(groups) if label.strip() and not (at < len(lower) and lower[at]))
    bare = sum(1 for at, name in enumerate(lower) if name and not (at < len(groups) and groups[at].strip()))
    if "" in made or len(set(made)) < len(made) or not bare or not (repeats or (alone and bare >= 2)):
        return 0
    digits = [at for at in range(len(made)) if _mostly_digits(data, at)]
    named = [at for at in digits if at < len(names) and names[at].strip()]
    if any(_DIGIT.search(names[at]) for at in named):
        return 0
    return 2 if digits else 1


def _mostly_digits(data: Sequence[Sequence[str]], at: int) -> bool:
    texts = [row[at] for row in data if at < len(row) and row[at].strip()]
    return bool(texts) and sum(1 for text in texts if _DIGIT.search(text)) >= 0.8 * len(texts)


def _ambiguous(path: Path, row: int, groups: Sequence[str], names: Sequence[str]) -> FileRefused:
    one = ", ".join(f"“{text.strip()}”" for text in groups[:4])
    two = ", ".join(f"“{text}”" for text in joined(groups, names)[:4])
    return FileRefused(
        "ambiguous_header",
        f"{path.name} can be read in two ways: row {row} is the header ({one} …), or rows {row} and {row + 1} are one "
        f"header together ({two} …).",
        f"Say which in the mapping: `files: {{header_rows: 1}}` or `files: {{header_row: {row + 1}, header_rows: 2}}`.",
    )
