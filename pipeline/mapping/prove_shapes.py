"""The shapes of a mapping proved: what ``unpivot`` and ``split`` make fits together, before any file is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.errors import nearest
from pipeline.fields import RECORD_KINDS
from pipeline.mapping.rules import FieldRule, FileRules
from pipeline.mapping.texts import fold
from pipeline.shapes import NUMBER, Join, Split, Unpivot, placeholders

SPLIT_LISTS = ("column", "columns", "between", "form")
"""Keys of ``split`` that take one text or a list."""


def unpivot_of(raw: Any) -> Unpivot:  # noqa: ANN401 - whatever YAML held
    """The table of ``unpivot``; ``ValueError`` in words when it is none."""
    if not isinstance(raw, Mapping) or not raw:
        raise ValueError('expected a table such as `Qty: "Qty {n}"`, made column to numbered columns')
    made = {}
    for name, said in raw.items():
        patterns = [said] if isinstance(said, str) else said
        if not isinstance(patterns, list) or not patterns or not all(isinstance(p, str) and fold(p) for p in patterns):
            raise ValueError(f'{name}: write the columns it comes from, as in "Qty {NUMBER}", or a list of headers')
        made[str(name)] = tuple(patterns)
    return made


def unpivot_problems(unpivot: Unpivot) -> Iterator[str]:
    """What is wrong with the table, in words."""
    for name, patterns in unpivot.items():
        for pattern in patterns:
            if pattern.count(NUMBER) > 1 or "{" in pattern.replace(NUMBER, "") or "}" in pattern.replace(NUMBER, ""):
                yield f"{name}: '{pattern}' must have {NUMBER} once, where the number of the column stands"
            elif NUMBER in pattern and not fold(pattern.replace(NUMBER, "")):
                yield f"{name}: '{pattern}' would take every column that is a number"
        if len(patterns) > 1 and any(NUMBER in pattern for pattern in patterns):
            yield f"{name}: write one pattern with {NUMBER}, or a list of headers, not both"
    yield from _twice([p for patterns in unpivot.values() for p in patterns], "'{}' stands twice")
    yield from _twice(list(unpivot), "it makes '{}' twice")


def split_problems(split: Split, unpivot: Unpivot) -> Iterator[str]:
    """What is wrong with ``split``, in words."""
    if bool(split.column) == bool(split.columns):
        yield "name the `column` to take apart, or several parallel `columns`"
    ways = [name for name in ("form", "pairs", "json") if getattr(split, name)]
    if len(ways) > 1:
        yield f"{' and '.join(ways)} exclude each other"
    if split.columns and ways:
        yield f"{ways[0]} takes one column apart; parallel `columns` only hold items"
    if split.columns and not split.between:
        yield 'parallel `columns` need `between`, the text between two items, as in between: ","'
    if not ways and not split.between and split.items is None:
        yield "say how the cell is written: `between`, and `form`, `pairs` or `json` for what an item holds"
    if split.between and "json" in ways:
        yield "a JSON text holds its own list: use `items` for the path to it instead of `between`"
    if split.items is not None and not split.json:
        yield "`items` is the path within a JSON text and needs `json`, made columns with their paths"
    if "" in split.between:
        yield "between: an empty text stands between any two letters"
    yield from _form_problems(split)
    yield from _pair_problems(split)
    if not any(split.form) or not list(_form_problems(split)):
        yield from _twice([*split.made, *(name for name in unpivot if name not in split.column)], "'{}' is made twice")


def _form_problems(split: Split) -> Iterator[str]:
    for form in split.form:
        try:
            if not placeholders(form):
                yield f"form '{form}' has no column in it; write them between braces, as in {{SKU}} x{{Qty}}"
            yield from (f"form '{form}': {told}" for told in _twice(list(placeholders(form)), "'{}' stands twice"))
        except ValueError as problem:
            yield f"form '{form}': {problem}"


def _pair_problems(split: Split) -> Iterator[str]:
    pairs = split.pairs
    if pairs is None:
        return
    if not pairs.between or not pairs.mark or pairs.between == pairs.mark:
        yield "pairs: `between` (two pairs) and `mark` (name and value) must be two different texts"
    if set(split.between) & {pairs.between, pairs.mark}:
        yield "between: it must differ from `between` and `mark` of the pairs"
    if not pairs.into or not all(fold(name) for name in pairs.into):
        yield "pairs: name the wanted values, as in into: [sku, quantity]"


def join_problems(join: Join, files: FileRules) -> Iterator[str]:
    """What is wrong with ``join``, in words."""
    if not join.on:
        yield "say which columns hold the key, as in on: {Order: Order No}, the lines' column first"
    if any(not fold(text) for pair in join.on.items() for text in pair):
        yield "on: a column without a header text cannot be named"
    if (join.sheet is None) == (join.files is None):
        yield "say where the other table is: a `sheet` of the same workbook, or `files`, the pattern of the other file"
    if join.without_lines not in {"refuse", "ignore"}:
        yield f"without_lines: '{join.without_lines}' is not one of refuse, ignore"
    if join.sheet is not None and files.sheet is None:
        yield "the workbook has several sheets: name the one with the lines, as in files: {sheet: Lines}"
    if join.sheet is not None and files.sheet is not None and fold(join.sheet) == fold(files.sheet):
        yield f"sheet '{join.sheet}' holds the lines already"
    if join.files is not None:
        yield from _pattern_problems(join.files, files.pattern)


def _pattern_problems(other: str, own: Sequence[str]) -> Iterator[str]:
    if len(own) != 1:
        yield "a pair of files needs exactly one files.pattern"
    for pattern in (other, *own[:1]):
        if pattern.count("*") != 1 or set("?[]/\\") & set(pattern):
            yield f"'{pattern}' must have one * in it, where both names of a pair have the same text"
    if own and fold(other) == fold(own[0]):
        yield f"both files of a pair would be called '{other}'"


def unused_problems(
    fields: Mapping[str, FieldRule], unpivot: Unpivot, split: Split | None
) -> Iterator[tuple[str, str]]:
    """Fields that ask for a column which is unfolded and no longer there, with the key they stand under."""
    made = [*unpivot, *(split.made if split else ())]
    gone = {fold(pattern) for patterns in unpivot.values() for pattern in patterns if NUMBER not in pattern}
    gone |= {fold(name) for name in (*split.column, *split.columns)} if split else set()
    for name, rule in fields.items():
        for column in rule.column:
            taken = fold(column) in gone or any(_is_numbered(column, patterns) for patterns in unpivot.values())
            if taken and fold(column) not in map(fold, made):
                yield f"fields.{name}", f"'{column}' is unfolded into {', '.join(made)}.{nearest(column, made)}"


def _is_numbered(column: str, patterns: Sequence[str]) -> bool:
    for pattern in patterns:
        before, mark, after = fold(pattern).partition(NUMBER)
        text = fold(column)
        if mark and text.startswith(before) and text.endswith(after):
            return text[len(before) : len(text) - len(after)].isdecimal()
    return False


def numeric_columns(kind: str, fields: Mapping[str, FieldRule]) -> tuple[str, ...]:
    """The columns that feed numbers: a part of a packed cell for one of them must look like a number."""
    known = RECORD_KINDS[kind]
    return tuple(
        text for name, rule in fields.items() if name in known and known[name].type == "decimal" for text in rule.column
    )


def _twice(names: Sequence[str], sentence: str) -> Iterator[str]:
    shown = {fold(name): name for name in names}
    yield from (sentence.format(shown[name]) for name, count in Counter(map(fold, names)).items() if count > 1)
