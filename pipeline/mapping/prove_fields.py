"""One field rule proved: its parser exists and fits, its keys belong to that parser, its constants can be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from pipeline.errors import nearest
from pipeline.fields import LINE_TYPES, RECORD_KINDS, FieldSpec
from pipeline.mapping.cells import Reading
from pipeline.mapping.dates import format_problem, zone_named
from pipeline.mapping.emptiness import empty_problems
from pipeline.mapping.parsers import DEFAULT_PARSERS, PARSERS, read_one
from pipeline.mapping.rules import FieldRule
from pipeline.mapping.texts import fold
from pipeline.reasons import Trouble, reject

_PARSER_KEYS = ("choices", "format", "timezone", "decimal", "separator", "part", "country", "true", "false")
_PARTS = ("first", "middle", "last", "full", "rest")
_EXTRA = "extra."


def flat_fields(raw: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Field names with their raw rules; ``extra: {gift: …}`` as ``extra.gift``."""
    for name, entry in raw.items():
        if name == "extra" and isinstance(entry, Mapping):
            yield from ((f"{_EXTRA}{inner}", rule) for inner, rule in entry.items())
        else:
            yield str(name), entry


def spec_of(kind: str, name: str) -> FieldSpec | None:
    """The field of that name, custom ones included; ``None`` when the kind has none."""
    known = RECORD_KINDS[kind]
    if name.startswith(_EXTRA) and "extra" in known and name != _EXTRA:
        return replace(known["extra"], name=name)
    return known.get(name) if name != "extra" else None


def completed(rules: Mapping[str, FieldRule]) -> dict[str, FieldRule]:
    """The rules with what goes without saying: the part of a name a field holds."""
    return {name: _with_part(name, rule, rules) for name, rule in rules.items()}


def parser_of(rule: FieldRule, spec: FieldSpec) -> str:
    """The parser of a rule, named or by the field's type."""
    return rule.parse or DEFAULT_PARSERS[spec.type]


def reading_of(rule: FieldRule, spec: FieldSpec, zone: ZoneInfo, decimal: str | None) -> Reading:
    """How the cells of this field are read; ``zone`` and ``decimal`` are the mapping's, the rule's own go
    first.

    Choices stand in the reading with the values they mean.
    """
    reading = Reading(
        spec=spec,
        parse=parser_of(rule, spec),
        zone=zone_named(rule.timezone) if rule.timezone else zone,
        formats=rule.format,
        decimal=rule.decimal or decimal,
        separator=rule.separator or ",",
        part=rule.part or "full",
        country=rule.country.upper() if rule.country else None,
        true=rule.true,
        false=rule.false,
    )
    meant = {word: _meant(text, reading) for word, text in rule.choices.items()}
    return replace(reading, choices=meant)


def constant_value(text: str, reading: Reading) -> Any:  # noqa: ANN401 - a model.Value or a Trouble
    """A constant or default as a typed value; a mapping writes its numbers with a point unless it declares a comma."""
    parse = DEFAULT_PARSERS[reading.spec.type] if reading.parse in {"choice", "split_name", "list"} else reading.parse
    return read_one(text, replace(reading, parse=parse, decimal=reading.decimal or "."))


def _meant(text: str, reading: Reading) -> Any:  # noqa: ANN401 - a model.Value or a Trouble
    return constant_value(text, replace(reading, parse="choice"))


def rule_problems(rule: FieldRule, spec: FieldSpec, decimal: str | None) -> Iterator[str]:
    """What is wrong with one rule, in words."""
    yield from _source_problems(rule, spec)
    yield from empty_problems(rule, spec)
    parse = parser_of(rule, spec)
    parser = PARSERS.get(parse)
    if parser is None:
        yield f"there is no parser '{parse}'.{nearest(parse, PARSERS)} Known: {', '.join(PARSERS)}."
        return
    if spec.type not in parser.fits:
        yield f"parse: {parse} does not fit; this field wants {_wanted(spec)}"
        return
    for key in _PARSER_KEYS:
        if getattr(rule, key) and key not in parser.keys:
            yield f"'{key}' has no meaning with parse: {parse}"
    shape = list(_shape_problems(rule, spec, parse))
    yield from shape or _value_problems(rule, spec, decimal if decimal in (".", ",") else None)


def _source_problems(rule: FieldRule, spec: FieldSpec) -> Iterator[str]:
    if rule.constant is None and not rule.column:
        yield "name the column it comes from, or a constant"
    if rule.constant is not None and (rule.column or rule.default is not None or rule.optional):
        yield "a constant stands alone, without column, default or optional"
    if any(not fold(column) for column in rule.column):
        yield "a column without a header text cannot be named; name it in the file"
    if spec.required and rule.optional and rule.default is None:
        yield "it is required, so its column can only be optional together with a default"


def _shape_problems(rule: FieldRule, spec: FieldSpec, parse: str) -> Iterator[str]:
    """Keys whose values are not of the form they must have."""
    if parse == "choice" and not rule.choices:
        yield "parse: choice needs `choices`, as in choices: {SHP: shipped}"
    if "" in rule.choices:
        yield "an empty cell is no choice; use `default` for it"
    if parse == "split_name" and rule.part is None and _part_in(spec.name) is None:
        yield f"say which `part` of the name is meant: {', '.join(_PARTS)}"
    if rule.part is not None and rule.part not in _PARTS:
        yield f"part '{rule.part}' is not one of {', '.join(_PARTS)}"
    if rule.decimal not in {None, ".", ","}:
        yield f'decimal \'{rule.decimal}\' is not one of "." and ","'
    if rule.country is not None and not _is_region(rule.country):
        yield f"country '{rule.country}' is not a two-letter country code"
    yield from (f"format '{form}' cannot be used: {p}" for form in rule.format if (p := format_problem(form)))
    if rule.timezone is not None:
        try:
            zone_named(rule.timezone)
        except ValueError as problem:
            yield str(problem)
    if {fold(word) for word in rule.true} & {fold(word) for word in rule.false}:
        yield "a word cannot mean both true and false"


def _value_problems(rule: FieldRule, spec: FieldSpec, decimal: str | None) -> Iterator[str]:
    """Constants, defaults and choices that are no values of the field."""
    reading = reading_of(rule, spec, ZoneInfo("UTC"), decimal)
    values = {f"choices, {word}": (rule.choices[word], meant) for word, meant in reading.choices.items()}
    for key, text in (("constant", rule.constant), ("default", rule.default)):
        if text is not None:
            values[key] = (text, constant_value(text, reading))
    for key, (text, value) in values.items():
        if isinstance(value, Trouble):
            yield f"{key}: {reject(0, spec.name, text, value.code, **value.details).message}"
        elif value is None:
            yield f"{key}: an empty text is not a value"
        elif spec.name == "line_type" and value not in LINE_TYPES:
            yield f"{key}: '{value}' is not one of {', '.join(LINE_TYPES)}.{nearest(str(value), LINE_TYPES)}"


def _wanted(spec: FieldSpec) -> str:
    return ", ".join(name for name, parser in PARSERS.items() if spec.type in parser.fits)


def _is_region(country: str) -> bool:
    import phonenumbers

    return country.upper() in phonenumbers.SUPPORTED_REGIONS


def _part_in(name: str) -> str | None:
    return next((part for part in ("first", "middle", "last", "full") if name.endswith(f"{part}_name")), None)


def _with_part(name: str, rule: FieldRule, rules: Mapping[str, FieldRule]) -> FieldRule:
    """Infer the part from the field's name; where nobody takes the middle names, they stay with the last name."""
    if rule.parse != "split_name":
        return rule
    part = rule.part or _part_in(name) or "full"
    if part == "last" and rule.part is None and not any(_takes_middle(n, r, rule) for n, r in rules.items()):
        part = "rest"
    return msgspec.structs.replace(rule, part=part)


def _takes_middle(name: str, rule: FieldRule, same: FieldRule) -> bool:
    is_middle = rule.parse == "split_name" and (rule.part or _part_in(name)) == "middle"
    return is_middle and rule.column == same.column
