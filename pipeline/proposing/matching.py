"""Header and content weighed together: how well each column fits each field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.fields import RECORD_KINDS, FieldSpec
from pipeline.proposing.assign import best_assignment
from pipeline.proposing.content import Look
from pipeline.proposing.headers import SPLIT, Hint, hints
from pipeline.proposing.layouts import Layout, layout_of
from pipeline.proposing.places import place_of
from pipeline.proposing.words import words

_UNSURE = 0.55
LEAST = 0.5
"""What is less sure than this is not proposed."""

_NUMBERED = ("order_id", "sku", "customer_id", "tracking_number", "payment_reference", "coupon_code", "cheque_number",
             "manufacturer_sku", "note", "location", "affiliate", "tag", "status")  # fmt: skip
_PEOPLE = ("sales_manager", "affiliate", "customer_id")
_LINE_OF = {"tax_total": "line_tax", "discount_total": "line_discount"}
_TEXT = FieldSpec("")
_DIGITS_WELCOME = ("postal_code", "address2", "address1", "company")


@dataclass(frozen=True, slots=True)
class Seen:
    """One column of the sample: its position from 0, header text, what its cells look like, and the cells by row."""

    at: int
    header: str
    look: Look
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """One column that means one field; ``sure`` from 0 to 1."""

    column: Seen
    field: str
    sure: float
    why: str


def match(columns: Sequence[Seen], kind: str) -> list[Match]:
    """The best total assignment of columns to the fields of a kind, in the order of the file.

    Columns whose header stands twice, or has none, are left out: no mapping can name them.
    """
    headers = [column.header for column in columns]
    layout = layout_of(headers)
    named = [c for c in columns if c.header.strip() and headers.count(c.header) == 1]
    weighed = {(c.at, field): hint for c in named for field, hint in fitting(c, kind, layout).items()}
    weighed = _unsure_of_twins(weighed, named)
    weighed = _with_other_half(_with_roles(weighed, named), named)
    weighed = _by_level(weighed, named) if kind == "order" else weighed
    weighed = {pair: hint for pair, hint in weighed.items() if hint.sure >= LEAST}
    chosen = best_assignment({pair: hint.sure for pair, hint in weighed.items()})
    by_place = {column.at: column for column in columns}
    matches = [Match(by_place[at], f, weighed[at, f].sure, weighed[at, f].why) for at, f in sorted(chosen.items())]
    return _without_clashes(matches)


def fitting(column: Seen, kind: str, layout: Layout | None) -> dict[str, Hint]:
    """Every field a column may mean, its header's word tempered by its content."""
    specs = RECORD_KINDS[kind]
    found = {}
    for field, hint in hints(column.header, kind, layout).items():
        factor = bears_out(column.look, field, kind)
        but = _but(column.look, factor)
        found[field] = Hint(round(hint.sure * factor, 2), f"{hint.why}{but}")
    return found or _by_content(column.look, specs)


def _unsure_of_twins(weighed: Mapping[tuple[int, str], Hint], columns: Sequence[Seen]) -> dict[tuple[int, str], Hint]:
    """Of headers that differ in brackets only (``Total (Base)``, ``Total (Paid)``) a person knows which is meant."""
    times = Counter(words(column.header) for column in columns)
    twins = {column.at for column in columns if times[words(column.header)] > 1}
    return {
        (at, field): Hint(min(hint.sure, _UNSURE), f"{hint.why}, and so does another one") if at in twins else hint
        for (at, field), hint in weighed.items()
    }


def _with_roles(weighed: Mapping[tuple[int, str], Hint], columns: Sequence[Seen]) -> dict[tuple[int, str], Hint]:
    """Where a file names one role only, an address part without a role belongs to it."""
    places = {column.at: place_of(column.header) for column in columns}
    roles = {place[0] for place in places.values() if place} & {"billing", "shipping"}
    if len(roles) != 1:
        return dict(weighed)
    (role,) = roles
    nameless = {at for at, place in places.items() if place and not place[0]}
    return {
        (at, field): Hint(min(hint.sure + 0.1, 0.9), f"{hint.why}; the file's other address columns say {role}")
        if at in nameless and field.startswith(role) and hint.sure < 0.9
        else hint
        for (at, field), hint in weighed.items()
    }


def _with_other_half(weighed: Mapping[tuple[int, str], Hint], columns: Sequence[Seen]) -> dict[tuple[int, str], Hint]:
    """Beside a column of first names a plain "name" is the last name, and the other way round."""
    headers = {column.at: column.header.strip() for column in columns}
    sure = {field for (_, field), hint in weighed.items() if hint.sure >= 0.8}
    if "last_name" in sure:
        weighed = {
            (at, "first_name" if field == "full_name" and headers[at].endswith("名") else field): hint
            for (at, field), hint in weighed.items()
        }
    halves = {"last_name": "first_name", "first_name": "last_name"}
    return {
        (at, field): Hint(0.76, f"{hint.why}; the other half of the name has a column of its own")
        if 0.5 <= hint.sure < 0.76 and halves.get(field) in sure and field not in sure
        else hint
        for (at, field), hint in weighed.items()
    }


def _by_level(weighed: Mapping[tuple[int, str], Hint], columns: Sequence[Seen]) -> dict[tuple[int, str], Hint]:
    """Amounts that differ between the rows of one order belong to its lines, whatever the header says."""
    keys = max((pair for pair in weighed if pair[1] == "order_id"), key=lambda p: weighed[p].sure, default=None)
    if keys is None:
        return dict(weighed)
    cells = {column.at: column.cells for column in columns}
    levels = RECORD_KINDS["order"]
    varying = {at for at, _ in weighed if at != keys[0] and _varies(cells[keys[0]], cells[at])}
    moved: dict[tuple[int, str], Hint] = {}
    for (at, field), hint in weighed.items():
        if at not in varying or levels.get(field, _TEXT).type != "decimal" or levels[field].level == "line":
            moved.setdefault((at, field), hint)
            continue
        told, factor = (_LINE_OF[field], 0.9) if field in _LINE_OF else (field, 0.6)
        moved[at, told] = Hint(round(hint.sure * factor, 2), f"{hint.why}; it differs from line to line")
    return moved


def _varies(keys: Sequence[str], cells: Sequence[str]) -> bool:
    """Whether three in ten of the keys with several rows have rows that contradict each other; empty cells do not."""
    values: dict[str, list[str]] = {}
    for key, cell in zip(keys, cells, strict=True):
        if key.strip() and cell.strip():
            values.setdefault(key, []).append(cell.strip())
    several = [those for those in values.values() if len(those) > 1]
    contradicting = sum(len(set(those)) > 1 for those in several)
    return bool(several) and contradicting >= 0.3 * len(several)


def _without_clashes(matches: list[Match]) -> list[Match]:
    """A whole name is only split where its parts have no columns of their own."""
    taken = {match.field for match in matches}
    return [m for m in matches if not any(part in taken for part in SPLIT.get(m.field, ()))]


def bears_out(look: Look, field: str, kind: str) -> float:
    """How far the cells of a column bear a field out, from 0 to 1."""
    if look.empty:
        return 0.95
    spec = RECORD_KINDS[kind].get(field, FieldSpec(field))
    return _of_type(look, spec.type) if spec.type != "text" else _of_text(look, field)


def _but(look: Look, factor: float) -> str:
    if look.empty:
        return "; the sample has no value in it"
    return "" if factor > 0.9 else "; its values look different"


def _of_type(look: Look, kind: str) -> float:
    match kind:
        case "email":
            return 1.0 if look.emails >= 0.8 else 0.3
        case "decimal":
            return 1.0 if look.numbers >= 0.9 else 0.8 if look.numbers >= 0.6 else 0.15
        case "time" | "date":
            return 1.0 if look.dates else 0.2
        case "country":
            return 1.0 if look.countries >= 0.5 else 0.25
        case "phone":
            return 1.0 if look.phones >= 0.6 else 0.3
    return 1.0 if look.yes_no >= 0.9 else 0.2


def _of_text(look: Look, field: str) -> float:
    if field == "currency":
        return 1.0 if look.currencies >= 0.8 else 0.2
    if field == "ip_address":
        return 1.0 if look.addresses >= 0.8 else 0.2
    if look.yes_no >= 0.9 and look.filled > 1 and not set(look.texts) <= {"0", "1"}:
        return 0.3
    if field in _NUMBERED or field.endswith(_DIGITS_WELCOME) or field.startswith("utm_"):
        return 0.4 if look.links >= 0.9 or (look.dates and look.numbers < 0.9) else 1.0
    if field.endswith("_name") and field != "product_name" and look.digits > 0.5:
        return 0.4
    if field in _PEOPLE and look.emails >= 0.9:
        return 1.0
    if look.numbers >= 0.9 or look.links >= 0.9 or look.emails >= 0.9 or look.dates:
        return 0.35
    return 1.0


def _by_content(look: Look, specs: Mapping[str, FieldSpec]) -> dict[str, Hint]:
    """What cells give away although the header says nothing."""
    told = {
        "email": (look.emails >= 0.9, "every value is an e-mail address"),
        "currency": (look.currencies == 1.0, "every value is a currency code"),
        "tracking_number": (look.parcels >= 0.9, "the values have the form of parcel numbers"),
        "ip_address": (look.addresses == 1.0, "every value is an IP address"),
    }
    return {field: Hint(0.56, why) for field, (holds, why) in told.items() if holds and field in specs}
