"""``join``: each line gets the columns of the one row of another table that has its key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pipeline.arrow import texts
from pipeline.errors import nearest
from pipeline.intake.claim import partner_beside
from pipeline.mapping.spec import FeedMapping
from pipeline.mapping.texts import fold
from pipeline.model import Rejection
from pipeline.reading import open_table
from pipeline.reading.table import Block, Hints, Table
from pipeline.reasons import refuse, reject, shown
from pipeline.rows import Rows
from pipeline.shapes import Join, same_place

_BLOCK_ROWS = 50_000
_NAMED = 5
Key = tuple[str, ...]


class Partner(Struct, frozen=True):
    """One row of the other table; ``trouble`` completes the sentence of a rejection where it cannot be relied on."""

    cells: tuple[str, ...]
    row: int
    trouble: str = ""


class _Other(Struct, frozen=True):
    """The other table by its keys; ``name`` is how a sentence calls it, ``added`` the header of the columns it adds."""

    name: str
    added: tuple[str, ...]
    rows: dict[Key, Partner]
    blank: tuple[int, ...]


class _Rule(msgspec.Struct, frozen=True):
    """What a second reading has to know to join the same again (``Found.joined``)."""

    join: Join
    pattern: str
    feed: str
    fill: bool


def open_joined(path: Path, mapping: FeedMapping, hints: Hints) -> Table:
    """A file with the other table its mapping joins to it; ``FileRefused`` also where the partner file is missing."""
    table = open_table(path, hints)
    if mapping.join is None:
        return table
    keys = {fold(text) for text in mapping.join.on}
    fill = any(fold(text) in keys for field in mapping.fill_down for text in mapping.fields[field].column)
    return _with_other(path, table, _Rule(mapping.join, next(iter(mapping.files.pattern), ""), mapping.feed, fill))


def reopened(path: Path, hints: Hints | None, rule: str | None) -> Table:
    """The same file opened a second time, by what was found the first time; ``rule`` is ``Found.joined``."""
    table = open_table(path, hints)
    return table if rule is None else _with_other(path, table, msgspec.json.decode(rule, type=_Rule))


def _with_other(path: Path, lines: Table, rule: _Rule) -> Table:
    join = rule.join
    other, name = open_other(path, join, rule.pattern)
    made = joined(lines, other, join, name, rule.feed, fill=rule.fill)
    return replace(made, found=replace(made.found, joined=msgspec.json.encode(rule).decode()))


def open_other(path: Path, join: Join, pattern: str) -> tuple[Table, str]:
    """The table that is joined to a file called by the pattern, and how a sentence calls it; ``FileRefused``."""
    if join.sheet is not None:
        return open_table(path, Hints(sheet=join.sheet)), f"sheet '{join.sheet}'"
    partner = _partner(path, pattern, join.files or "")
    if partner is None:
        raise refuse("partner_missing", file=path.name, partner=_named(path.name, pattern, join.files or ""))
    return open_table(partner, Hints()), f"'{partner.name}'"


# --- which file belongs to which ------------------------------------------------------------------------------------


def find_partner(mapping: FeedMapping, path: Path) -> Path | None:
    """The other file of a pair: claimed together with it, or lying in the same folder."""
    files = mapping.join.files if mapping.join else None
    return _partner(path, mapping.files.pattern[0], files) if files else None


def partner_name(mapping: FeedMapping, file_name: str) -> str:
    """What the other file of a pair must be called."""
    return _named(file_name, mapping.files.pattern[0], (mapping.join.files if mapping.join else None) or "")


def _partner(path: Path, own: str, other: str) -> Path | None:
    beside = partner_beside(path)
    wanted = same_place(own, path.name)
    if beside is not None or wanted is None:
        return beside
    around = (found for found in sorted(path.parent.iterdir()) if found != path and found.is_file())
    return next((found for found in around if same_place(other, found.name) == wanted), None)


def _named(file_name: str, own: str, other: str) -> str:
    return other.replace("*", same_place(own, file_name) or "*")


# --- the join itself ------------------------------------------------------------------------------------------------


def joined(lines: Table, other: Table, join: Join, name: str, feed: str, *, fill: bool = False) -> Table:
    """The lines with the columns of the other table behind their own; row numbers are those of the lines.

    ``name`` is how people call the other table; ``fill``: a line with a blank key has that of the line above. Raises
    ``FileRefused`` where a column is missing, or rows of the other table would be lost.
    """
    positions = [_position(text, lines.header, "lines", feed) for text in join.on]
    found = _gather(other, join, name, feed)
    unasked = _unasked(lines, positions, found, fill=fill)
    if unasked and join.without_lines == "refuse":
        raise refuse("orders_without_lines", orders=_listed(unasked), other=name, feed=feed)
    own = {fold(text) for text in lines.header}
    added = tuple(f"{text} (joined)" if fold(text) in own else text for text in found.added)
    left = (f"Left out because no line asks for them: {_listed(unasked)} of {name}.",) if unasked else ()

    def blocks(size: int) -> Iterator[Block]:
        above: Key = ()
        for block in lines.blocks(size):
            keys = list(_keys(block.rows, positions, above, fill=fill))
            above = keys[-1] if keys else above
            yield _widened(block, keys, found, lines.header[positions[0]])

    notes = (*lines.found.notes, *(f"{name}: {note}" for note in other.found.notes), *left)
    return Table((*lines.header, *added), replace(lines.found, notes=notes), blocks)


def _gather(other: Table, join: Join, name: str, feed: str) -> _Other:
    positions = [_position(text, other.header, name, feed) for text in join.on.values()]
    added = [at for at in range(len(other.header)) if at not in positions]
    rows: dict[Key, Partner] = {}
    blank: list[int] = []
    nothing = ("",) * len(added)
    for block in other.blocks(_BLOCK_ROWS):
        broken = {rejection.row: rejection.message for rejection in block.broken}
        keys = _keys(block.rows, positions, (), fill=False)
        cells = block.rows.picked(added).lines()
        for row, key, values in zip(block.rows.numbers.tolist(), keys, cells, strict=True):
            if not any(key):
                blank.append(row)
            elif key in rows:
                trouble = f"{name} has it in the rows {rows[key].row} and {row}, and it must stand there once"
                rows[key] = replace(rows[key], cells=nothing, trouble=rows[key].trouble or trouble)
            else:
                # Cells nobody can rely on are left blank, or a workbook dropped back as it is would make them good.
                wrong = f"row {row} of {name} is broken: {broken[row].rstrip('.')}" if row in broken else ""
                rows[key] = Partner(nothing if wrong else values, row, wrong)
    return _Other(name, tuple(other.header[at] for at in added), rows, tuple(blank))


def _unasked(lines: Table, positions: Sequence[int], other: _Other, *, fill: bool) -> list[str]:
    """The rows of the other table that no line leads to, in words."""
    left = dict(other.rows)
    above: Key = ()
    for block in lines.blocks(_BLOCK_ROWS):
        for key in _keys(block.rows, positions, above, fill=fill):
            above = key
            left.pop(key, None)
    named = [f"'{shown(' / '.join(key))}' (row {partner.row})" for key, partner in left.items()]
    return named + [f"row {row} (without a key)" for row in other.blank]


def _widened(block: Block, keys: Sequence[Key], other: _Other, header: str) -> Block:
    nobody = Partner(("",) * len(other.added), 0, f"{other.name} has no such row")
    partners = [other.rows.get(key, nobody) for key in keys]
    added = list(zip(*(partner.cells for partner in partners), strict=True)) or [()] * len(other.added)
    rows = Rows([*block.rows.columns, *map(texts, added)], block.rows.numbers)
    shifted = {rejection.row for rejection in block.broken if rejection.column is None}
    alone = tuple(_alone(block.rows.numbers.tolist(), keys, partners, shifted, header))
    return replace(block, rows=rows, broken=(*block.broken, *alone))


def _alone(
    rows: Sequence[int], keys: Sequence[Key], partners: Sequence[Partner], shifted: set[int], header: str
) -> Iterator[Rejection]:
    for row, key, partner in zip(rows, keys, partners, strict=True):
        if partner.trouble and row not in shifted:
            yield reject(row, header, " / ".join(key), "no_joined_row", because=partner.trouble)


def _keys(rows: Rows, positions: Sequence[int], above: Key, *, fill: bool) -> Iterator[Key]:
    """The key of each row; where ``fill`` is asked for, a blank one is that of the row above."""
    last = above
    for cells in rows.picked(positions).lines():
        key = tuple(cell.strip() for cell in cells)
        last = key if any(key) or not fill else last
        yield last


def _position(name: str, header: Sequence[str], where: str, feed: str) -> int:
    exact = [at for at, text in enumerate(header) if text == name]
    found = exact or [at for at, text in enumerate(header) if fold(text) == fold(name)]
    if len(found) > 1:
        raise refuse("repeated_column", columns=f"'{header[found[0]]}' ({len(found)} times, in {where})")
    if not found:
        hint = nearest(name, [text for text in header if text.strip()]).strip()
        named = f"the column '{shown(name)}' to join by (in {where}{f'; {hint}' if hint else ''})"
        raise refuse("missing_column", columns=named, feed=feed)
    return found[0]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
