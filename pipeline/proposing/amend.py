"""The text of a mapping with other columns in it; comments and everything else stay as their author wrote them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import yaml

from pipeline.proposing.as_yaml import quoted

_Edits = dict[tuple[int, int], str]
Place = tuple[str, ...]
"""Keys that lead to a text of the mapping; behind the key of ``join.on`` stands ``key`` or ``value``."""


def amended(
    text: str, renamed: Mapping[tuple[str, ...], str], optional: Sequence[str], added: Mapping[str, str]
) -> str:
    """The mapping's text with new aliases, columns that may be missing, and new fields.

    ``renamed`` leads from the header texts a column goes by to its new one, ``optional`` names fields, ``added`` leads
    from a new field to its header. Raises ``yaml.YAMLError`` when the text is no YAML, ``KeyError`` without ``fields``.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    top = _entries(root)
    fields = dict(_rules(top["fields"]))
    edits: _Edits = {}
    for rule in (*fields.values(), *_skips(top.get("skip_rows_where"))):
        edits |= _renamed(text, rule, renamed)
    for name in optional:
        edits |= _inserted(fields[name], "optional: true")
    for name, header in added.items():
        edits |= _inserted(top["fields"], f"{name}: {{column: {quoted(header)}}}", edits)
    return _edited(text, edits)


def reworded(text: str, said: Mapping[Place, Sequence[str]]) -> str:
    """The mapping's text with other headers in its shapes, a list of them where there are several.

    Raises as ``amended`` does.
    """
    root = yaml.compose(text, yaml.SafeLoader)
    edits: _Edits = {}
    for place, headers in said.items():
        node = _node(root, place)
        start, end = node.start_mark.index, node.end_mark.index
        end = start + len(text[start:end].rstrip())
        one = len(headers) == 1 and not isinstance(node, yaml.SequenceNode)
        edits[start, end] = quoted(headers[0]) if one else f"[{', '.join(map(quoted, headers))}]"
    return _edited(text, edits)


def _node(root: yaml.Node | None, place: Place) -> yaml.Node:
    if place[:2] == ("join", "on"):
        pairs: list[tuple[yaml.Node, yaml.Node]] = _node(root, place[:1]).value
        found = next(value for key, value in pairs if key.value == "on")
        of_key: dict[str, tuple[yaml.Node, yaml.Node]] = {key.value: (key, value) for key, value in found.value}
        return of_key[place[2]][0 if place[3] == "key" else 1]
    node = root
    for key in place:
        node = _entries(node)[key]
    assert node is not None  # noqa: S101 - a mapping that was loaded has what it says
    return node


def _edited(text: str, edits: _Edits) -> str:
    for (start, end), new in sorted(edits.items(), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {key.value: value for key, value in pairs if isinstance(key, yaml.ScalarNode)}


def _rules(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    for name, rule in _entries(node).items():
        if name == "extra":
            yield from ((f"extra.{inner}", inside) for inner, inside in _entries(rule).items())
        else:
            yield name, rule


def _skips(node: yaml.Node | None) -> Sequence[yaml.Node]:
    if node is None:
        return []
    return list(node.value) if isinstance(node, yaml.SequenceNode) else [node]


def _renamed(text: str, rule: yaml.Node, renamed: Mapping[tuple[str, ...], str]) -> _Edits:
    """The aliases of one rule with the new header behind them."""
    column = _entries(rule).get("column")
    if column is None:
        return {}
    nodes = column.value if isinstance(column, yaml.SequenceNode) else [column]
    aliases = tuple(node.value for node in nodes)
    if aliases not in renamed:
        return {}
    start, end = column.start_mark.index, column.end_mark.index
    end = start + len(text[start:end].rstrip())
    return {(start, end): "[" + ", ".join(map(quoted, (*aliases, renamed[aliases]))) + "]"}


def _inserted(mapping: yaml.Node, entry: str, others: _Edits | None = None) -> _Edits:
    """One more entry in front of a mapping's first, behind those that are inserted there already."""
    first = mapping.value[0][0].start_mark
    between = ", " if isinstance(mapping, yaml.MappingNode) and mapping.flow_style else "\n" + " " * first.column
    place = (first.index, first.index)
    return {place: (others or {}).get(place, "") + entry + between}
