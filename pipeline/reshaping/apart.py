"""``split``: one packed cell taken apart into items, and each item into the texts of its columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from pipeline.reasons import Trouble, shown
from pipeline.reshaping.json_cell import from_json
from pipeline.shapes import Split, pieces, placeholders

Line = tuple[str, ...]
Taken = list[Line] | Trouble
"""The lines of one cell, each with the texts of the made columns, or why it cannot be taken apart."""

_LONGEST_ITEM = 2_000
_MOST_READINGS = 200
_NUMERIC = re.compile(r"[^\W\d]{0,3}\s?[^\w\s]{0,3}\s?[0-9][0-9.,'’\s]*\s?[^\W\d]{0,3}[^\w\s]{0,2}")


class Apart(Struct, frozen=True):
    """How the cells of one ``split`` are taken apart; ``strange`` gathers names in them that nobody asked for."""

    split: Split
    numeric: frozenset[str]
    strange: dict[str, None]

    def lines(self, cells: Sequence[str]) -> Taken:
        """The lines of one row: ``cells`` is one cell, or the parallel ones."""
        if not any(cell.strip() for cell in cells):
            return []
        split = self.split
        if split.json or split.items is not None:
            return from_json(cells[0], split, self.strange)
        if not split.form and split.pairs is None:
            return _parallel(cells, split)
        items = _items(cells[0], split.between)
        return _all(items, self._by_pairs if split.pairs is not None else self._by_form)

    def _by_form(self, item: str) -> Line | Trouble:
        if len(item) > _LONGEST_ITEM:
            return _bad(f"an item of {len(item):,} characters is too long to look into")
        for form in self.split.form:
            found = _readings(item, form, self.numeric)
            if len(found) > 1:
                return _bad(f"'{shown(item)}' fits {form} in more than one way")
            if found:
                named = dict(zip(placeholders(form), found[0], strict=True))
                return tuple(named.get(name, "") for name in self.split.made)
        return _bad(f"'{shown(item)}' is not of the form {' or '.join(self.split.form)}")

    def _by_pairs(self, item: str) -> Line | Trouble:
        pairs = self.split.pairs
        assert pairs is not None  # noqa: S101 - only called for them
        named: dict[str, str] = {}
        for piece in filter(str.strip, item.split(pairs.between)):
            name, mark, value = piece.partition(pairs.mark)
            if not mark or not name.strip():
                return _bad(f"'{shown(piece)}' is not a name and a value with '{pairs.mark}' between them")
            if named.get(_plain(name), value.strip()) != value.strip():
                return _bad(f"'{shown(name.strip())}' stands twice in one item with different values")
            named[_plain(name)] = value.strip()
        wanted = [_plain(name) for name in pairs.into]
        self.strange.update(dict.fromkeys(name for name in named if name not in wanted))
        return tuple(named.get(name, "") for name in wanted)


def _all(items: Iterable[str], read: Callable[[str], Line | Trouble]) -> Taken:
    lines: list[Line] = []
    for item in items:
        line = read(item)
        if isinstance(line, Trouble):
            return line
        lines.append(line)
    return lines


def _items(cell: str, between: Sequence[str]) -> list[str]:
    """The items that hold something; without a delimiter the cell is one item."""
    return [item for item in _pieces(cell, between) if item]


def _pieces(cell: str, between: Sequence[str]) -> list[str]:
    text = cell.replace("\r\n", "\n")
    if not between:
        return [text.strip()]
    return [piece.strip() for piece in re.split("|".join(map(re.escape, sorted(between, key=len, reverse=True))), text)]


def _parallel(cells: Sequence[str], split: Split) -> Taken:
    """The n-th item of each column makes the n-th line; a column may be blank, but not shorter than the others."""
    lists = [_without_last_blank(_pieces(cell, split.between)) for cell in cells]
    counts = {len(items) for items in lists if any(items)}
    if len(counts) > 1:
        told = ", ".join(f"{len(items)} in '{name}'" for items, name in zip(lists, split.made, strict=True))
        return _bad(f"the columns hold different numbers of items: {told}")
    (count,) = counts
    filled = [items if any(items) else [""] * count for items in lists]
    return [line for line in zip(*filled, strict=True) if any(line)]


def _without_last_blank(items: list[str]) -> list[str]:
    return items[:-1] if len(items) > 1 and not items[-1] else items


# --- an item by its form ------------------------------------------------------------------------------------------


def _readings(item: str, form: str, numeric: Collection[str]) -> list[Line]:
    """Every way the item fits the form, where it can with numbers in the places of numbers.

    Where it cannot, a text in such a place is what is wrong with the item: it is kept and named as no number, and no
    other form, which would take it for part of a name, is tried.
    """
    for names in (numeric, ()):
        found = list(dict.fromkeys(_fitting(item, list(pieces(form)), names, [_MOST_READINGS])))
        if found:
            return found
    return []


def _fitting(text: str, parts: Sequence[tuple[str, bool]], numeric: Collection[str], left: list[int]) -> Iterator[Line]:
    if not parts:
        if not text.strip():
            yield ()
        return
    (piece, is_name), *rest = parts
    if not is_name:
        found = _literal(piece).match(text)
        if found:
            yield from _fitting(text[found.end() :], rest, numeric, left)
        return
    for value, behind in _values(text, rest):
        left[0] -= 1
        if left[0] < 0:
            return
        if value and (piece not in numeric or _NUMERIC.fullmatch(value)):
            yield from ((value, *line) for line in _fitting(behind, rest, numeric, left))


def _values(text: str, rest: Sequence[tuple[str, bool]]) -> Iterator[tuple[str, str]]:
    """What a name may take, and what stands behind it: up to each place where the next literal stands."""
    if not rest:
        yield text.strip(), ""
        return
    literal = _literal(rest[0][0])
    for at in range(len(text)):
        if literal.match(text, at):
            yield text[:at].strip(), text[at:]


def _literal(text: str) -> re.Pattern[str]:
    """A literal of a form: any blanks where it has some, and letters of any case."""
    words = r"\s+".join(map(re.escape, text.split()))
    before, behind = (r"\s+" if end.isspace() else r"\s*" for end in (text[0], text[-1]))
    return re.compile(rf"{before}{words}{behind}" if words else r"\s+", re.IGNORECASE)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _bad(because: str) -> Trouble:
    return Trouble("bad_part", {"because": because})
