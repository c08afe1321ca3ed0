"""What a person sees of a sheet beside its cells: hidden rows, merged cells. The mapping says what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from msgspec import Struct

from pipeline.errors import FileRefused
from pipeline.reading.blocks import Raw
from pipeline.reading.pieces import SheetPiece
from pipeline.reading.table import Hints


class Range(Struct, frozen=True):
    """A merged range; rows count from 1, columns from 0, both ends belong to it."""

    top: int
    left: int
    bottom: int
    right: int


class View(Struct, frozen=True):
    """The numbers of hidden rows, and the merged ranges in the order of their first rows."""

    hidden: frozenset[int] = frozenset()
    merged: tuple[Range, ...] = ()


def seen(rows: Iterator[Raw], view: View, hints: Hints, last_above: int) -> Iterator[Raw]:
    """The rows below the header as the mapping wants them: without the hidden ones, merged cells filled."""
    below: Iterator[Raw] = (row for row in rows if row[0] > last_above)
    if hints.merged_cells == "fill" and view.merged:
        below = _filled(below, [one for one in view.merged if one.top > last_above])
    if hints.hidden_rows != "skip" or not view.hidden:
        return below
    return (row for row in below if row[0] not in view.hidden)


def seen_pieces(pieces: Iterator[SheetPiece], view: View, hints: Hints, last_above: int) -> Iterator[SheetPiece]:
    """The same for many rows at once, where no merged cells are to be filled."""
    hidden = list(view.hidden) if hints.hidden_rows == "skip" else []
    for piece in pieces:
        wanted = piece.numbers > last_above
        if hidden:
            wanted &= ~np.isin(piece.numbers, hidden)
        yield piece.kept(wanted)


def _filled(rows: Iterator[Raw], merged: list[Range]) -> Iterator[Raw]:
    """Each cell of a merged range gets the text of its first; a person sees it there."""
    ahead = iter(sorted(merged, key=lambda one: one.top))
    coming = next(ahead, None)
    under_way: list[tuple[Range, str]] = []
    for number, cells, flaws in rows:
        under_way = [(one, text) for one, text in under_way if one.bottom >= number]
        while coming is not None and coming.top <= number:
            if coming.top == number:
                under_way.append((coming, cells[coming.left] if coming.left < len(cells) else ""))
            coming = next(ahead, None)
        yield number, _with_texts(cells, under_way), flaws


def _with_texts(cells: list[str], under_way: list[tuple[Range, str]]) -> list[str]:
    if not under_way:
        return cells
    made = list(cells)
    for one, text in under_way:
        made += [""] * (one.right + 1 - len(made))
        made[one.left : one.right + 1] = [cell or text for cell in made[one.left : one.right + 1]]
    return made


def view_notes(path: Path, sheet: str, view: View, hints: Hints, last_above: int) -> list[str]:
    """Sentences about hidden rows and merged cells; ``FileRefused`` where the mapping refuses hidden rows."""
    notes = []
    hidden = sum(1 for row in view.hidden if row > last_above)
    if hidden and hints.hidden_rows == "refuse":
        raise FileRefused(
            "hidden_rows",
            f"{path.name} has {hidden} hidden row{'s' if hidden > 1 else ''} on sheet “{sheet}”, and the mapping "
            "refuses such files.",
            "Show all rows (take the filter away), look whether they are meant, and drop the workbook again.",
        )
    if hidden:
        done = "left out" if hints.hidden_rows == "skip" else "read too"
        rows = "1 hidden row was" if hidden == 1 else f"{hidden} hidden rows were"
        notes.append(f"{rows} {done} on sheet “{sheet}” (hidden by a filter, perhaps).")
    tall = sum(1 for one in view.merged if one.top > last_above and one.bottom > one.top)
    if tall and hints.merged_cells == "blank":
        notes.append(
            f"{tall} merged cells reach over several rows; only the first row holds the text. "
            "`files: {merged_cells: fill}` in the mapping repeats it."
        )
    return notes
