"""Rows of cells become blocks of text columns; what does not fit the header is named, never dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from pipeline.model import Rejection
from pipeline.reading.table import Block
from pipeline.rows import Rows

_STRAY_DELIMITER = (
    "Look for a stray delimiter in the row (a text that contains one must stand in quotes), move the cells "
    "under their columns and delete what is left over."
)
_STRAY_CELL = "Move what stands right of the last column under its column, give its column a header, or delete it."


class Flaw(Struct, frozen=True):
    """What a reader noticed about one row; ``position`` counts columns from 0, ``None`` is the whole row."""

    code: str
    message: str
    advice: str
    position: int | None = None


MOST_BLANKS = 20_000_000
"""Places of a sheet that a file may ask for without writing them: gaps, spans, repeated cells and rows."""


class TooLarge(ValueError):
    """A few bytes that ask for more places than can be held."""


Raw = tuple[int, list[str], tuple[Flaw, ...]]
"""A row as read: the number a spreadsheet shows, its cells, what is wrong with it."""


class Shape(Struct, frozen=True):
    """The header rows must fit; ``exact``: a missing cell is a fault (text files) or blank (workbooks).

    ``usual``: how many cells most rows of a text file have, ``always``: all of them, as far as was looked; ``reach``:
    up to which cell most of them are filled. In a row that differs, one empty cell more or less may have moved all.
    """

    header: tuple[str, ...]
    exact: bool
    usual: int = 0
    always: bool = False
    reach: int = 0

    @property
    def width(self) -> int:
        """How many cells the header has."""
        return len(self.header)

    @property
    def needed(self) -> int:
        """How many cells a row must have: nameless columns at the end of the header may be left out."""
        return visible_width(self.header)

    @property
    def is_looked_at(self) -> bool:
        """Whether a row of the header's width may be odd, too."""
        return self.always or self.needed < self.width

    def is_odd(self, cells: Sequence[str]) -> bool:
        """Whether the row has a number of cells that neither the header nor most rows have, or reaches too far."""
        count = len(cells)
        if not self.exact or visible_width(cells) > max(self.needed, self.reach):
            return self.exact
        if self.always:
            return count != self.usual
        return count > self.width and count != self.usual


@dataclass(slots=True)
class Filling:
    """Rows of a block as they come, and what is wrong with them."""

    numbers: list[int] = field(default_factory=list)
    rows: list[Sequence[str]] = field(default_factory=list)
    broken: list[Rejection] = field(default_factory=list)
    overflow: dict[int, tuple[str, ...]] = field(default_factory=dict)
    places: int = 0
    """How many places ``overflow`` holds, most of them blank where few bytes ask for many."""


def visible_width(cells: Sequence[str]) -> int:
    """The number of cells up to the last one in which a person sees something."""
    width = len(cells)
    while width and not cells[width - 1].strip():
        width -= 1
    return width


def is_blank(cells: Sequence[str]) -> bool:
    """Whether a person sees nothing in the row."""
    return not cells or not (cells[0].strip() or "".join(cells).strip())


def make_blocks(rows: Iterable[Raw], shape: Shape, size: int) -> Iterator[Block]:
    """Blocks of at most ``size`` rows; wholly blank rows are left out."""
    filling = Filling()
    width = shape.width
    for number, cells, flaws in rows:
        if flaws or len(cells) != width or (shape.is_looked_at and shape.is_odd(cells)):
            cells = fit(number, cells, flaws, shape, filling)  # noqa: PLW2901 - the row made to fit
        if is_blank(cells) and number not in filling.overflow and not flaws:
            continue
        filling.numbers.append(number)
        filling.rows.append(cells)
        if len(filling.rows) >= size:
            yield _block(filling, width)
            filling = Filling()
    if filling.rows:
        yield _block(filling, width)


def fit(number: int, cells: list[str], flaws: Sequence[Flaw], shape: Shape, filling: Filling) -> list[str]:
    """The row cut or padded to the header's width; what is wrong with it goes into ``filling``."""
    if is_blank(cells) and not flaws:
        return [""] * shape.width
    filling.broken.extend(_rejection(number, cells, flaw, shape) for flaw in flaws)
    beyond = visible_width(cells)
    if beyond > shape.width:
        filling.places += beyond - shape.width
        if filling.places > MOST_BLANKS:
            raise TooLarge("rows that reach far beyond the header")
        filling.broken.append(_too_many(number, cells, beyond, shape))
        filling.overflow[number] = tuple(cells[shape.width : beyond])
    elif shape.exact and len(cells) < shape.needed:
        filling.broken.append(_too_few(number, cells, shape))
    elif shape.is_odd(cells):
        filling.broken.append(_odd(number, cells, shape))
    return cells[: shape.width] + [""] * (shape.width - len(cells))


def _rejection(number: int, cells: Sequence[str], flaw: Flaw, shape: Shape) -> Rejection:
    position = flaw.position
    column = shape.header[position] if position is not None and position < shape.width else None
    value = cells[position] if position is not None and position < len(cells) else None
    return Rejection(number, column, value, flaw.code, flaw.message, flaw.advice)


def _too_many(number: int, cells: Sequence[str], beyond: int, shape: Shape) -> Rejection:
    extra = [cell for cell in cells[shape.width : beyond] if cell.strip()]
    shown = ", ".join(f"“{_short(cell)}”" for cell in extra[:3]) + (", …" if len(extra) > 3 else "")
    return Rejection(
        number,
        None,
        None,
        "too_many_cells",
        f"Row {number} has {beyond} cells, the header has {shape.width}. Without a column: {shown}.",
        _STRAY_DELIMITER if shape.exact else _STRAY_CELL,
    )


def _odd(number: int, cells: Sequence[str], shape: Shape) -> Rejection:
    usual = shape.usual or shape.width
    return Rejection(
        number,
        None,
        None,
        "too_many_cells" if len(cells) >= usual else "too_few_cells",
        f"Row {number} has {len(cells)} cells, filled up to cell {visible_width(cells)}; most rows have {usual}, and "
        f"the header names {shape.needed}. Its cells may all have moved.",
        _STRAY_DELIMITER,
    )


def _too_few(number: int, cells: Sequence[str], shape: Shape) -> Rejection:
    missing = shape.header[len(cells)].strip() or f"column {len(cells) + 1}"
    return Rejection(
        number,
        None,
        None,
        "too_few_cells",
        f"Row {number} has {len(cells)} cell{'s' if len(cells) > 1 else ''}, the header has {shape.width}. "
        f"Nothing stands from “{_short(missing)}” on.",
        "Check that each cell stands under its column, then fill in the missing ones; delete a totals line.",
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else line[:39] + "…"


def _block(filling: Filling, width: int) -> Block:
    rows = Rows.of(filling.rows if width else [], filling.numbers, width)
    return Block(rows, tuple(filling.broken), filling.overflow)
