"""One JSON text in a cell: read within bounds, numbers kept as the text they were written in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipeline.reasons import Trouble, shown
from pipeline.shapes import Split

LONGEST = 1_000_000
"""Characters of one JSON text; what people call an order has a few thousand."""
DEEPEST = 30

_ABSENT = object()


class _Refused(ValueError):
    """A JSON text that says something nobody can rely on."""


def from_json(cell: str, split: Split, strange: dict[str, None]) -> list[tuple[str, ...]] | Trouble:
    """The items of one JSON text, each with the texts its paths lead to."""
    try:
        items = _items(_read(cell), split.items)
        for item in items:
            if isinstance(item, Mapping):
                strange.update(dict.fromkeys(key for key in item if key not in _first_keys(split)))
        return [tuple(_text(item, path) for path in (split.json or {"": ""}).values()) for item in items]
    except _Refused as refused:
        return Trouble("bad_part", {"because": str(refused)})


def _read(cell: str) -> Any:  # noqa: ANN401 - whatever the JSON holds
    if len(cell) > LONGEST:
        raise _Refused(f"a JSON text of {len(cell):,} characters is too long")
    if _depth(cell) > DEEPEST:
        raise _Refused(f"it nests more than {DEEPEST} levels deep")
    try:
        return json.loads(cell, parse_float=str, parse_int=str, parse_constant=_no_number, object_pairs_hook=_object)
    except json.JSONDecodeError as problem:
        raise _Refused(f"it is not JSON ({problem.msg} at character {problem.pos + 1})") from None


def _depth(cell: str) -> int:
    """How deep brackets nest, at most; those within texts count too, which only makes the bound stricter."""
    deepest = depth = 0
    for character in cell:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _no_number(name: str) -> None:
    raise _Refused(f"{name} is not a number of JSON")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Refused("a name stands twice in one object")
    return made


def _items(found: Any, path: str | None) -> list[Any]:  # noqa: ANN401 - whatever the JSON holds
    """The list that the path leads to; a single object is a list of one."""
    listed = _at(found, path) if path else found
    if listed is _ABSENT or listed is None:
        raise _Refused(f"nothing stands at '{path}'" if path else "it holds nothing")
    return listed if isinstance(listed, list) else [listed]


def _text(item: Any, path: str) -> str:  # noqa: ANN401 - whatever the JSON holds
    """The text at a path, as it was written; empty where there is nothing."""
    found = _at(item, path) if path else item
    if found is _ABSENT or found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str):
        return found
    raise _Refused(f"'{shown(path or 'an item')}' holds a list or an object instead of a value")


def _at(found: Any, path: str) -> Any:  # noqa: ANN401 - whatever the JSON holds
    for step in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(step, _ABSENT)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return _ABSENT
    return found


def _first_keys(split: Split) -> set[str]:
    return {path.partition(".")[0] for path in split.json.values()}
