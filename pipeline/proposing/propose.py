"""A sample becomes a proposal: which column is which field, how it is read, and what a person must decide."""

from __future__ import annotations

import glob
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.fields import DEFAULT_KEYS, RECORD_KINDS
from pipeline.model import DeliverTo
from pipeline.proposing.item_shapes import ItemShape
from pipeline.proposing.kinds import likeliest_kind
from pipeline.proposing.layouts import layout_of
from pipeline.proposing.matching import Match, Seen, match
from pipeline.proposing.prices import price_of_line
from pipeline.proposing.rules import Proposed, decimal_mark, proposed_rules, totals_in
from pipeline.shapes import Join

SURE_ENOUGH = 0.6
"""A field that is less sure than this waits for a person."""

_NUMBERS = re.compile(r"(?<![^\W\d_])\d[\d._\- ]*|\d{4,}[\d._\- ]*")
_WITHOUT = {
    "quantity": 'quantity: {constant: "1"}   if every row is one piece',
    "unit_price": 'unit_price: {column: "…"}   the column with the price of one piece',
    "name": 'name: {column: "…"}   a column may feed two fields, so the one of sku will do',
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mapping as far as a sample tells it. ``questions`` are what a person must decide before it can be used.

    ``left`` are the columns no field was found for, ``mark`` the decimal mark where the file shows one, ``totals`` the
    texts of the key column that head a line of totals, ``places`` where the records can go, ``shape`` how several
    items stand in one row; with ``fill_down`` rows without a key belong to the record above; ``joined`` tells a person
    how the other table was found.
    """

    feed: str
    kind: str
    patterns: tuple[str, ...]
    sheet: str | None
    rules: tuple[Proposed, ...]
    left: tuple[Seen, ...]
    mark: str | None
    totals: tuple[str, ...]
    places: tuple[DeliverTo, ...]
    layout: str
    questions: tuple[str, ...]
    shape: ItemShape | None = None
    fill_down: bool = False
    join: Join | None = None
    joined: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """The fields of the record key that have a column."""
        told = tuple(rule.field for rule in self.rules)
        return tuple(name for name in DEFAULT_KEYS[self.kind] if name in told)

    @property
    def missing(self) -> tuple[str, ...]:
        """Required fields without a column."""
        told = {rule.field for rule in self.rules}
        return tuple(s.name for s in RECORD_KINDS[self.kind].values() if s.required and s.name not in told)


def propose(
    columns: Sequence[Seen],
    file_name: str,
    kind: str | None,
    feed: str | None,
    sheet: str | None,
    shape: ItemShape | None = None,
) -> Proposal:
    """Match the columns of a sample; ``kind`` and ``feed`` are found where they are not given.

    The columns are those after unfolding where there is a ``shape``.
    """
    chosen = kind or likeliest_kind(columns)
    rules = tuple(proposed_rules(_matched(columns, chosen, shape), chosen))
    used = {rule.column.at for rule in rules}
    key = next((r.column for r in rules if r.field == DEFAULT_KEYS[chosen][0]), None)
    layout = layout_of([column.header for column in columns])
    asks = layout.asks if layout else {}
    found = Proposal(
        feed=feed or feed_name(file_name),
        kind=chosen,
        patterns=patterns_of(file_name),
        sheet=sheet,
        rules=rules,
        left=tuple(column for column in columns if column.at not in used),
        mark=decimal_mark(rules, chosen),
        totals=totals_in(key),
        places=(),
        layout=layout.name if layout else "",
        questions=(),
        shape=shape,
        fill_down=chosen == "order" and _continues(rules, key),
    )
    return replace(found, questions=(*_doubtful(found, asks), *_repeated(columns)))


def _doubtful(found: Proposal, asks: Mapping[str, str]) -> Iterator[str]:
    if len({rule.column.at for rule in found.rules}) < 2:
        yield "record: hardly a column was recognised. Is row 1 a header? If so, name the kind with --record."
    article = "an" if found.kind[0] in "aeiou" else "a"
    for name in found.missing:
        such = f" For instance: {_WITHOUT[name]}." if name in _WITHOUT else ""
        yield f"{name}: {article} {found.kind} needs it, and no column of the sample was found for it.{such}"
    for rule in found.rules:
        if rule.sure < SURE_ENOUGH:
            yield f"{rule.field}: is it really the column '{rule.column.header}'? ({rule.why})"
        if rule.question:
            yield f"{rule.field}: {rule.question}"
        if rule.field in asks:
            yield f"{rule.field}: '{rule.column.header}': {asks[rule.field]}."
    if doubt := price_of_line(found.rules):
        yield doubt
    if found.fill_down:
        yield "fill_down: rows below an order leave its key blank. Are they more lines of it, and none of them a total?"


def _matched(columns: Sequence[Seen], kind: str, shape: ItemShape | None) -> list[Match]:
    """The match of the columns; those of an item are looked at by what they mean there."""
    if shape is None:
        return match(columns, kind)
    own = {column.at: column for column in columns}
    meant = [replace(column, header=shape.meant(column.header)) for column in columns]
    return [replace(found, column=own[found.column.at]) for found in match(meant, kind)]


def _continues(rules: Sequence[Proposed], key: Seen | None) -> bool:
    """Whether rows without a key hold a line all the same: a quantity stands in them."""
    quantity = next((rule.column for rule in rules if rule.field == "quantity"), None)
    if key is None or quantity is None or not key.cells or not key.cells[0].strip():
        return False
    pairs = zip(key.cells, quantity.cells, strict=True)
    return any(not number.strip() and amount.strip() for number, amount in pairs)


def _repeated(columns: Sequence[Seen]) -> Iterator[str]:
    headers = [column.header for column in columns]
    for header in dict.fromkeys(text for text in headers if text.strip() and headers.count(text) > 1):
        yield f"'{header}' heads {headers.count(header)} columns, and a mapping cannot tell them apart. Rename them."


def feed_name(file_name: str) -> str:
    """A name for a feed from a file's name: letters, digits and ``_``, without the numbers of one day's file."""
    stem = re.sub(r"\.[A-Za-z]{2,5}$", "", file_name)
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().casefold()
    words = [word for word in re.split(r"[^a-z0-9]+", plain) if word and not word.isdecimal()]
    return "_".join(words)[:64].strip("_") or "new_feed"


def patterns_of(file_name: str) -> tuple[str, ...]:
    """Patterns for the names of later files: what is a number in this one may be another number in the next.

    A name without a number also stands for itself with a date or a number behind it.
    """
    stem, dot, ending = file_name.rpartition(".")
    if not dot or not ending.isalnum():
        stem, dot, ending = file_name, "", ""
    kept = "*".join(map(glob.escape, _NUMBERS.split(stem)))
    if not re.search(r"[^\W\d_]", kept):
        return (glob.escape(file_name),)
    numbered = kept if kept.endswith("*") else f"{kept}[-_ 0-9(]*"
    found = (kept, numbered) if "*" not in kept else (kept if kept.endswith("*") else f"{kept}*",)
    return tuple(f"{pattern}{dot}{ending}" for pattern in found)
