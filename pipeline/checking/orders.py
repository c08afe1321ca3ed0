"""Which rows make one record: cells filled from above, keys, orders put together from their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pipeline.arrow import factorized
from pipeline.checking.sheet import NO_GROUP, Sheet, first_of_each, text_of
from pipeline.coded import Cells, Coded, Mask, Positions
from pipeline.fields import RECORD_KINDS
from pipeline.model import Value


class Above(NamedTuple):
    """The last row of earlier blocks whose cell of a field was not blank: what blank cells below it repeat."""

    row: int
    value: Value
    uncertain: bool


def fill_down(sheet: Sheet, above: dict[str, Above]) -> None:
    """Empty cells of the declared fields take the value of the row above; never one that could not be read.

    ``above`` leads from one block of a file into the next.
    """
    for name in sheet.rules.fill_down:
        if name in sheet.cells and len(sheet.rows):
            _fill_down(sheet, name, above)


def _fill_down(sheet: Sheet, name: str, above: dict[str, Above]) -> None:
    blank = sheet.blank(name)
    uncertain = sheet.unsound | sheet.faulty(name)
    source = np.maximum.accumulate(np.where(blank, -1, np.arange(len(blank))))
    known = blank & (source >= 0)
    led = blank & (source < 0) if name in above else np.zeros(len(blank), dtype=bool)
    for at in np.flatnonzero(known & uncertain[source]).tolist():
        sheet.blame(at, "row_above_unreadable", name, other=sheet.row_at(source[at]))
    sound = known & ~uncertain[source]
    if led.any() and above[name].uncertain:
        for at in np.flatnonzero(led).tolist():
            sheet.blame(at, "row_above_unreadable", name, other=above[name].row)
    elif led.any():
        sheet.cells[name].fill(led, above[name].value)
    sheet.cells[name].copy_within(sound, source[sound])
    if source[-1] >= 0:
        last = source[-1]
        above[name] = Above(sheet.row_at(last), sheet.cells[name][last], bool(uncertain[last]))


def find_groups(sheet: Sheet) -> None:
    """Give every row with a complete key the number of that key; name the rows without one."""
    key = [name for name in sheet.rules.key if name in sheet.cells]
    incomplete = np.zeros(len(sheet.rows), dtype=bool)
    for name in key:
        if _is_required(sheet, name):
            incomplete |= sheet.empty(name)
            blame_missing(sheet, name, sheet.blank(name))
        incomplete |= sheet.faulty(name)
    complete = np.flatnonzero(~incomplete)
    sheet.group[complete], sheet.keys = _numbered([sheet.cells[name] for name in key], complete)
    for at in complete[sheet.group[complete] == NO_GROUP].tolist():
        if not sheet.unsound[at]:
            sheet.blame(at, "missing_value", sheet.rules.key[0], kind=kind_in_words(sheet))


def _numbered(columns: Sequence[Coded], rows: Positions) -> tuple[Positions, list[str]]:
    """For each row the number of its key (``NO_GROUP`` for an empty one), and the keys.

    Rows whose cells have the same numbers are looked at once.
    """
    same = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        same, _ = factorized(same * column.distinct + column.codes[rows])
    same, firsts = first_of_each(same)
    if len(columns) == 1 and columns[0].is_text:
        told = columns[0].told(rows[firsts]).dictionary_encode()
        return told.indices.to_numpy().astype(np.int64)[same], told.dictionary.to_pylist()
    texts = _key_texts([column.chosen(column.codes[rows[firsts]]) for column in columns], len(firsts))
    numbers = {text: number for number, text in enumerate(dict.fromkeys(filter(None, texts)))}
    return np.array([numbers.get(text, NO_GROUP) for text in texts], dtype=np.int64)[same], list(numbers)


def _key_texts(columns: Sequence[Cells], count: int) -> list[str]:
    """``key_text`` of many rows; a key of one text is that text."""
    if len(columns) == 1:
        return [part if type(part) is str else key_text([part]) for part in columns[0].tolist()]
    return [key_text([column[at] for column in columns]) for at in range(count)]


def _is_required(sheet: Sheet, name: str) -> bool:
    spec = RECORD_KINDS[sheet.rules.kind].get(name)
    return spec is not None and spec.required


def key_text(parts: Sequence[Value]) -> str:
    """The parts of a key as one text, ``1001/TRK-7``; a slash within a part is written ``\\/``."""
    texts = ["" if part is None else text_of(part) for part in parts]
    if len(texts) == 1:
        return texts[0]
    while texts and not texts[-1]:
        texts.pop()
    return "/".join(text.replace("\\", "\\\\").replace("/", "\\/") for text in texts)


def put_orders_together(sheet: Sheet) -> None:
    """Within an order, what one row says counts for all; rows that contradict the first are named."""
    for name in [n for n in sheet.cells if sheet.at_record_level(n)]:
        says = ~sheet.empty(name) & ~sheet.unsound & (sheet.group != NO_GROUP)
        first = _first(sheet, says)
        _blame_contradictions(sheet, name, says, first)
        blank = sheet.blank(name) & (sheet.group != NO_GROUP)
        filled = blank & (first[sheet.group] >= 0)
        sheet.cells[name].copy_within(filled, first[sheet.group[filled]])


def blame_repeated_keys(sheet: Sheet) -> None:
    """Where one row is one record, a second row with the same key is named."""
    fields = " and ".join(sheet.rules.headers.get(name, name) for name in sheet.rules.key)
    first = _first(sheet, (sheet.group != NO_GROUP) & ~sheet.unsound)
    for at in np.flatnonzero((sheet.group != NO_GROUP) & ~sheet.unsound).tolist():
        other = first[sheet.group[at]]
        if other != at:
            sheet.blame(
                at,
                "repeated_key",
                None,
                fields=fields,
                other=sheet.row_at(other),
                key=sheet.key_of(at) or "",
            )


def apply_defaults(sheet: Sheet, defaults: Mapping[str, Value]) -> None:
    """Fill what is still empty with the mapping's defaults, but never over a value that could not be read."""
    for name, value in defaults.items():
        sheet.cells[name].fill(sheet.blank(name) & ~faulty_in_order(sheet, name), value)


def blame_missing_values(sheet: Sheet) -> set[int]:
    """Name the rows that lack a required value; the groups that cannot go out without it are returned."""
    headless: set[int] = set()
    for name, code in _needed(sheet):
        blank = sheet.blank(name)
        if not sheet.is_order or not sheet.at_record_level(name):
            blame_missing(sheet, name, blank, code)
            continue
        grouped = blank & (sheet.group != NO_GROUP)
        headless.update(sheet.group[grouped].tolist())
        told = faulty_in_order(sheet, name) | _in_groups(sheet, sheet.unsound)
        blame_missing(sheet, name, _firsts_only(sheet, grouped & ~told), code)
    return headless


def _needed(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """The fields no record may lack, each with the code of its lack: by the record kind, then by the mapping."""
    required = [spec.name for spec in RECORD_KINDS[sheet.rules.kind].values() if spec.required]
    yield from ((name, "missing_value") for name in required if name in sheet.cells)
    more = (name for name in sheet.rules.never_empty if name not in required)
    yield from ((name, "empty_cell") for name in more if name in sheet.cells)


def note_cleared(sheet: Sheet) -> None:
    """Note where records clear a field; never where one of their rows may hold a value that could not be read."""
    for name in sheet.rules.clearing:
        if name in sheet.cells:
            uncertain = faulty_in_order(sheet, name) | _in_groups(sheet, sheet.unsound)
            sheet.cleared[name] = sheet.blank(name) & ~uncertain


def unreadable_orders(sheet: Sheet) -> set[int]:
    """Groups with a shared field that some row states unreadably and no row readably."""
    groups: set[int] = set()
    for name in [n for n in sheet.faults if n in sheet.cells and sheet.at_record_level(n)]:
        unreadable = sheet.group[sheet.faulty(name) & ~sheet.unsound]
        known = ~sheet.empty(name) & ~sheet.unsound & sheet.among_groups(unreadable)
        groups |= set(unreadable.tolist()) - set(sheet.group[known].tolist())
    return groups


def lines_below(sheet: Sheet, at_fault: Sequence[int]) -> dict[int, int]:
    """Orders with a line below them that names no order and no date: it may be theirs, and they wait for it."""
    found: dict[int, int] = {}
    orphans = _orphans(sheet)
    nearest = np.maximum.accumulate(np.where(orphans, -1, np.arange(len(orphans))))
    for at in [at for at in at_fault if orphans[at] and nearest[at] >= 0]:
        above = int(nearest[at])
        is_next = sheet.row_at(at) - sheet.row_at(above) <= at - above
        if is_next and sheet.group[above] != NO_GROUP:
            found.setdefault(int(sheet.group[above]), at)
    return found


def _orphans(sheet: Sheet) -> Mask:
    """Lines without anything of an order: the key is blank, the date too, but quantity and item are there."""
    lines = (sheet.group == NO_GROUP) & ~sheet.unsound
    for name in (*sheet.rules.key, "ordered_at"):
        if name in sheet.cells:
            lines &= sheet.empty(name)
    named = np.zeros(len(lines), dtype=bool)
    for name in ("sku", "product_name"):
        if name in sheet.cells:
            named |= ~sheet.empty(name)
    found: Mask = lines & named & ~sheet.empty("quantity")
    return found


def blame_missing(sheet: Sheet, name: str, blank: Mask, code: str = "missing_value") -> None:
    """Name the rows of a mask for lacking a field, unless their cell is at fault already."""
    for at in np.flatnonzero(blank & ~sheet.faulty(name)).tolist():
        sheet.blame(at, code, name, kind=kind_in_words(sheet))


def kind_in_words(sheet: Sheet) -> str:
    """The record kind as a sentence has it."""
    return sheet.rules.kind.replace("_", " ")


def faulty_in_order(sheet: Sheet, name: str) -> Mask:
    """Rows of orders in which some row's cell of a shared field is at fault."""
    faulty = sheet.faulty(name)
    if not sheet.is_order or not sheet.at_record_level(name):
        return faulty
    return faulty | _in_groups(sheet, faulty)


def _in_groups(sheet: Sheet, among: Mask) -> Mask:
    """Every row of the groups that a mask touches."""
    return sheet.among_groups(sheet.group[among])


def _first(sheet: Sheet, among: Mask) -> Positions:
    """By group, the first position of a mask; -1 where there is none. (One more entry than groups, for
    ``NO_GROUP``.)
    """
    first = np.full(len(sheet.keys) + 1, -1, dtype=np.int64)
    positions = np.flatnonzero(among)[::-1]
    first[sheet.group[positions]] = positions
    return first


def _firsts_only(sheet: Sheet, among: Mask) -> Mask:
    first = _first(sheet, among)
    chosen = np.zeros(len(among), dtype=bool)
    chosen[first[first >= 0]] = True
    return chosen


def _blame_contradictions(sheet: Sheet, name: str, says: Mask, first: Positions) -> None:
    column = sheet.cells[name]
    positions = np.flatnonzero(says)
    origin = first[sheet.group[positions]]
    others = positions[origin != positions]
    deviating = others[column.differs(others, first[sheet.group[others]])] if len(others) else others
    for at in deviating.tolist():
        other = first[sheet.group[at]]
        sheet.blame(
            at, "lines_disagree", name, column[at],
            other=sheet.row_at(other), first=text_of(column[other]), key=sheet.key_of(at) or "",
        )  # fmt: skip
