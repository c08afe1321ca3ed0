"""From a match to a rule of the mapping: parser, date format, choices, decimal mark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.fields import RECORD_KINDS
from pipeline.proposing.content import Look
from pipeline.proposing.headers import SPLIT
from pipeline.proposing.matching import Match, Seen

_COUNTED = ("quantity", "stock")
_MEASURED = ("weight",)
_MOST_CHOICES = 12
_TOTAL_WORDS = (
    "total totals subtotal grandtotal gesamt summe gesamtsumme totale totaal totales suma итого всего 合計 合计"
)
_TOTALS = frozenset(_TOTAL_WORDS.split())

Rule = Mapping[str, str | tuple[str, ...] | Mapping[str, str]]
"""The keys of a field rule beside its column, in the order they are written."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """One field rule with where it comes from. ``question`` is what a person must decide about it, "" for nothing."""

    field: str
    column: Seen
    rule: Rule
    sure: float
    why: str
    question: str = ""


def proposed_rules(matches: Sequence[Match], kind: str) -> list[Proposed]:
    """One rule per field; a whole name gives two."""
    return [rule for match in matches for rule in _rules(match, kind)]


def decimal_mark(rules: Sequence[Proposed], kind: str) -> str | None:
    """The decimal mark of the file, where its numbers show one and only one."""
    amounts = (r.column.look for r in rules if RECORD_KINDS[kind][r.field].type == "decimal")
    marks = frozenset(mark for look in amounts for mark in look.marks)
    return next(iter(marks)) if len(marks) == 1 else None


def totals_in(key: Seen | None) -> tuple[str, ...]:
    """The texts of the key column that head a line of totals and no record."""
    if key is None:
        return ()
    return tuple(text for text in key.look.texts if text.casefold().strip(" :").replace(" ", "") in _TOTALS)


def _rules(match: Match, kind: str) -> Iterator[Proposed]:
    for field in SPLIT.get(match.field, (match.field,)):
        split: Rule = {"parse": "split_name"}
        rule, question = (split, "") if match.field in SPLIT else _rule(match.column, field, kind)
        yield Proposed(field, match.column, rule, match.sure, match.why, question)


def _rule(column: Seen, field: str, kind: str) -> tuple[Rule, str]:
    look, spec = column.look, RECORD_KINDS[kind][field]
    match spec.type:
        case "time" | "date":
            return _dated(column, "date" if spec.type == "date" else "datetime")
        case "decimal":
            return {"parse": _number(look, field)}, ""
        case "email" | "country" | "boolean":
            return {"parse": spec.type}, ""
        case "phone":
            return {"parse": "phone" if look.empty or look.phones == 1.0 else "text"}, ""
    if field == "status" and (choices := _choices(look)):
        return {"parse": "choice", "choices": choices}, ""
    return {"parse": "list" if field == "tag" else "text"}, ""


def _number(look: Look, field: str) -> str:
    if field in _COUNTED:
        return "integer" if look.whole == 1.0 or look.empty else "decimal"
    return "decimal" if field in _MEASURED else "money"


def _dated(column: Seen, parse: str) -> tuple[Rule, str]:
    found = column.look.dates
    if found is None or found.plain:
        return {"parse": parse}, ""
    if len(found.formats) == 1:
        return {"parse": parse, "format": found.formats[0]}, ""
    either = " or ".join(f'"{form}"' for form in found.formats)
    question = f"The dates of '{column.header}' can be read in more than one way. Write format: {either}."
    return {"parse": parse}, question


def _choices(look: Look) -> dict[str, str]:
    """The words of a column as choices: few of them, and each seen about twice or more."""
    words = look.texts
    few = 2 <= len(words) <= _MOST_CHOICES and look.filled >= 2 * len(words) and all(len(w) <= 40 for w in words)
    return {word: word for word in words} if few else {}
