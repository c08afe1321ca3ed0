"""A block of rows unfolded: first the numbered columns of ``unpivot``, then the packed cells of ``split``."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

from pipeline.arrow import Texts, one_below_the_other, texts
from pipeline.errors import nearest
from pipeline.model import Rejection
from pipeline.reasons import Trouble, refuse, reject
from pipeline.reshaping.apart import Apart, Line, Taken
from pipeline.reshaping.groups import Group, find_groups, folded
from pipeline.rows import Numbers, Rows, filled
from pipeline.shapes import Split, Unpivot

PARTS = 10_000
"""How many parts one row may have; a part's index is ``row * PARTS + part``."""

_LIKELY_ITEMS = 4


class Made(Struct, frozen=True):
    """One column after a step: where it stood before (``kept``), or made by the step.

    ``source`` is where the cell stood that a column of ``split`` comes out of.
    """

    header: str
    kept: int | None = None
    source: int | None = None


class Unfolding(Struct, frozen=True):
    """How the rows of one file are unfolded; ``header`` is that of the unfolded rows."""

    header: tuple[str, ...]
    original: tuple[str, ...]
    spread: tuple[Made, ...]
    groups: tuple[Group, ...]
    columns: tuple[Made, ...]
    sources: tuple[int, ...]
    apart: Apart | None
    several: bool
    strange: dict[str, None] = field(default_factory=dict)

    @property
    def parts(self) -> int:
        """How many parts one row may have."""
        return PARTS

    @property
    def notes(self) -> tuple[str, ...]:
        """What stood in the packed cells that nobody asked for, as far as they were read."""
        if not self.strange or self.apart is None:
            return ()
        names = [f"'{name}'" for name in list(self.strange)[:20]] + (["…"] if len(self.strange) > 20 else [])
        return (f"Names in the packed cells that split leaves out: {', '.join(names)}.",)

    def place(self, position: int, part: int) -> tuple[str | None, str]:
        """The file's own header text of an unfolded column in that part, and how a sentence names the place."""
        column = self.columns[position]
        each = self._each
        if column.source is None:
            header, label = self._spread_place(column.kept or 0, part // each)
            return header, label
        header, label = self._spread_place(column.source, part // each)
        item = f", item {part % each + 1}" if self.several else ""
        return header, f"{label}{item}" if column.header == label else f"{label}{item}: {column.header}"

    def unfold(self, rows: Rows, broken: Sequence[Rejection]) -> tuple[Rows, tuple[Rejection, ...]]:
        """The rows of a block as parts, and what is wrong with them; row numbers are told as indexes of parts."""
        shifted = {rejection.row for rejection in broken if rejection.column is None}
        parts = self._spread(rows, shifted)
        troubles: list[Rejection] = []
        if self.apart is not None:
            parts, troubles = self._split(parts, shifted)
        index = parts.numbers
        first = dict(zip((index[::-1] // PARTS).tolist(), index[::-1].tolist(), strict=True))
        return parts, (*(r._replace(row=first[r.row]) for r in broken), *troubles)

    @property
    def likely_parts(self) -> int:
        """How many parts a row has at most in most files: a part for each group, several where a cell is packed."""
        return max(len(self.groups), 1) * (_LIKELY_ITEMS if self.several else 1)

    @property
    def _each(self) -> int:
        """How many parts one group may have."""
        return PARTS // max(len(self.groups), 1)

    def _spread_place(self, position: int, group: int) -> tuple[str | None, str]:
        """The file's header text of a column before splitting, in one group."""
        made = self.spread[position]
        if made.kept is not None:
            return self.original[made.kept], self.original[made.kept]
        number = self.groups[group].number if group < len(self.groups) else 0
        at = self.groups[group].positions.get(made.header) if group < len(self.groups) else None
        return (None, f"{made.header} {number}") if at is None else (self.original[at], self.original[at])

    # --- numbered columns ---

    def _spread(self, rows: Rows, shifted: Collection[int]) -> Rows:
        """One part per group that holds something; a row without any, or with shifted cells, is one part."""
        if not self.groups:
            return rows.renumbered(rows.numbers * PARTS)
        there = np.array([_filled(rows, group) for group in self.groups], dtype=bool).reshape(-1, len(rows))
        alone = ~there.any(axis=0) | np.isin(rows.numbers, list(shifted))
        there[:, alone] = False
        there[0, alone] = True
        pieces = [self._piece(rows, at, np.flatnonzero(there[at])) for at in range(len(self.groups))]
        columns = [one_below_the_other([piece[place] for piece in pieces]) for place in range(len(self.spread))]
        numbers = np.concatenate([piece.numbers for piece in pieces])
        return Rows(columns, numbers).chosen(np.argsort(numbers))

    def _piece(self, rows: Rows, at: int, places: npt.NDArray[np.intp]) -> Rows:
        positions = self.groups[at].positions
        piece = rows.chosen(places)
        cells: list[Texts] = [
            piece[made.kept] if made.kept is not None
            else piece[positions[made.header]] if made.header in positions
            else texts([""] * len(piece))
            for made in self.spread
        ]  # fmt: skip
        return Rows(cells, piece.numbers * PARTS + at * self._each)

    # --- packed cells ---

    def _split(self, rows: Rows, shifted: Collection[int]) -> tuple[Rows, list[Rejection]]:
        """Each part becomes one per item of its cell; a cell without items, or that cannot be read, leaves one."""
        numbers, taken = self._taken(rows)
        index = rows.numbers
        blank: list[Line] = [("",) * len(self.apart.split.made)] if self.apart else []
        lines, troubles = [], []
        for at, number in enumerate(numbers):
            found: Taken = taken[number] if int(index[at]) // PARTS not in shifted else []
            if isinstance(found, Trouble):
                troubles.append(self._trouble(rows, at, found))
            lines.append(blank if isinstance(found, Trouble) or not found else found)
        counts = np.array([len(each) for each in lines], dtype=np.int64)
        repeated = rows.chosen(np.repeat(np.arange(len(lines)), counts))
        offsets = np.arange(len(repeated)) - np.repeat(np.cumsum(counts) - counts, counts)
        flat = list(zip(*(line for each in lines for line in each), strict=True)) or [()] * len(blank[0])
        return self._columns(repeated, flat, np.repeat(index, counts) + offsets), troubles

    def _columns(self, repeated: Rows, made: Sequence[Sequence[str]], numbers: Numbers) -> Rows:
        new: Iterator[Sequence[str]] = iter(made)
        cells = [repeated[column.kept or 0] if column.source is None else texts(next(new)) for column in self.columns]
        return Rows(cells, numbers)

    def _taken(self, rows: Rows) -> tuple[list[int], list[Taken]]:
        """For each part the number of its cells' texts, and what those were taken apart into."""
        assert self.apart is not None  # noqa: S101 - only asked where something is split
        distinct: dict[tuple[str, ...], int] = {}
        numbers = [distinct.setdefault(cells, len(distinct)) for cells in rows.picked(self.sources).lines()]
        return numbers, [self._bounded(self.apart.lines(cells)) for cells in distinct]

    def _bounded(self, taken: Taken) -> Taken:
        if isinstance(taken, Trouble) or len(taken) <= self._each:
            return taken
        return Trouble("too_many_parts", {"count": f"{len(taken):,}", "limit": f"{self._each:,}"})

    def _trouble(self, rows: Rows, at: int, trouble: Trouble) -> Rejection:
        index, source = int(rows.numbers[at]), self.sources[0]
        header, label = self._spread_place(source, index % PARTS // self._each)
        return reject(index, header, rows[source][at].as_py(), trouble.code, label=label, **trouble.details)


def _filled(rows: Rows, group: Group) -> npt.NDArray[np.bool_]:
    """In which rows some cell of the group holds something."""
    there = np.zeros(len(rows), dtype=bool)
    for at in group.positions.values():
        there |= filled(rows[at])
    return there


# --- a mapping meets a header ---------------------------------------------------------------------------------------


def unfolding(
    unpivot: Unpivot, split: Split | None, header: Sequence[str], feed: str, numeric: Collection[str] = ()
) -> Unfolding | None:
    """How the rows of a file with that header are unfolded, ``None`` where the mapping declares no shape.

    ``numeric`` are the names of columns that feed numbers. Raises ``FileRefused`` when the columns are not there, or a
    made column has the name of one that is.
    """
    if not unpivot and split is None:
        return None
    groups = find_groups(unpivot, header, feed) if unpivot else ()
    used = {at for group in groups for at in group.positions.values()}
    spread = [Made(text, kept=at) for at, text in enumerate(header) if at not in used]
    spread += [Made(made) for made in unpivot if any(made in group.positions for group in groups)]
    _refuse_clashes(spread, [Made(made.header, kept=at) for at, made in enumerate(spread)])
    sources = _sources(split, [made.header for made in spread], feed) if split else ()
    columns = tuple(Made(made.header, kept=at) for at, made in enumerate(spread) if at not in sources)
    strange: dict[str, None] = {}
    apart = None
    if split is not None:
        known = {folded(name) for name in numeric}
        apart = Apart(split, frozenset(name for name in split.made if folded(name) in known), strange)
        own = sources if len(sources) > 1 else sources * len(split.made)
        columns += tuple(Made(name, source=at) for name, at in zip(split.made, own, strict=True))
    _refuse_clashes(spread, columns)
    several = bool(split and (split.between or split.items is not None or split.json))
    names = tuple(column.header for column in columns)
    return Unfolding(names, tuple(header), tuple(spread), groups, columns, sources, apart, several, strange)


def _sources(split: Split, header: Sequence[str], feed: str) -> tuple[int, ...]:
    """Where the cells to take apart stand; ``FileRefused`` where one is missing or stands twice."""
    wanted: list[tuple[str, ...]] = [(name,) for name in split.columns] or [split.column]
    found = []
    for aliases in wanted:
        places = next((p for alias in aliases if (p := _places(alias, header))), [])
        if len(places) > 1:
            raise refuse("repeated_column", columns=f"'{header[places[0]]}' ({len(places)} times)")
        if not places:
            named = " or ".join(f"'{alias}'" for alias in aliases)
            hint = nearest(aliases[0], [text for text in header if text.strip()])
            raise refuse("missing_column", columns=f"the column {named} of the split{_bracketed(hint)}", feed=feed)
        found += places
    return tuple(found)


def _bracketed(hint: str) -> str:
    return f" ({hint.strip()})" if hint else ""


def _places(name: str, header: Sequence[str]) -> list[int]:
    exact = [at for at, text in enumerate(header) if text == name]
    return exact or [at for at, text in enumerate(header) if folded(text) == folded(name)]


def _refuse_clashes(spread: Sequence[Made], columns: Sequence[Made]) -> None:
    """A made column with the name of a column of the file would be mistaken for it."""
    stayed = [c.source is None and spread[c.kept or 0].kept is not None for c in columns]
    own = {folded(column.header) for column, is_own in zip(columns, stayed, strict=True) if is_own}
    made = (column.header for column, is_own in zip(columns, stayed, strict=True) if not is_own)
    clashing = [header for header in made if folded(header) in own]
    if clashing:
        raise refuse("made_column_clashes", columns=", ".join(f"'{name}'" for name in clashing))
