"""Many records as the ledger keeps them, made column by column: a cell that many rows share is put into JSON once.

The texts are those of ``pipeline.model.encode_record`` and ``Record.fingerprint``, with the fields in the order of
their names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring_ascii as quoted

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.checking.sheet import Cells, Positions, Sheet, same_objects
from pipeline.model import Encoded, Value, encoded_value

_EXTRA = "extra."
_ESCAPED = r"[^ !#-\[\]-~]"
"""What JSON in ASCII does not write as it is: quote mark, backslash, controls, and all beyond ASCII."""


def encode_records(sheet: Sheet, positions: Positions, starts: Positions) -> Iterator[Encoded]:
    """The records whose rows are ``positions``, each beginning where ``starts`` says; the last entry is the end."""
    fields = _fields(sheet, positions[starts[:-1]])
    sorted_fields = _fields(sheet, positions[starts[:-1]], by_name=True) if _is_mapped(sheet) else fields
    cleared = _cleared(sheet, positions[starts[:-1]])
    lines = _lines(sheet, positions) if sheet.is_order else []
    rows = sheet.row_numbers(positions).tolist()
    bounds = starts.tolist()
    groups = sheet.group[positions[starts[:-1]]].tolist()
    kind = quoted(sheet.rules.kind)
    for at, group in enumerate(groups):
        begin, end = bounds[at], bounds[at + 1]
        key, own = sheet.keys[group], lines[begin:end]
        head = f'"key": {quoted(key)}, "kind": {kind}'
        more = f'{head}, "lines": [{", ".join(own)}], "rows": {rows[begin:end]}'
        written = f'{{{cleared[at]}"fields": {fields[at]}, {more}}}'
        same = ", ".join(map(quoted, sorted(own)))
        content = f'{{{cleared[at]}"fields": {sorted_fields[at]}, {head}, "lines": [{same}]}}'
        yield Encoded(key, hashlib.sha256(content.encode()).hexdigest(), written)


def _is_mapped(sheet: Sheet) -> bool:
    return any(name.startswith(_EXTRA) for name in sheet.cells)


def _fields(sheet: Sheet, firsts: Positions, *, by_name: bool = False) -> list[str]:
    """The shared fields of each record as one JSON object; custom fields in the mapping's order, or by name."""
    names = [n for n in sheet.cells if sheet.at_record_level(n) and not n.startswith(_EXTRA)]
    columns = {name: _fragments(name, sheet.cells[name][firsts]) for name in names}
    extras = [n for n in sheet.cells if n.startswith(_EXTRA)]
    if extras:
        extras = sorted(extras) if by_name else extras
        columns["extra"] = _map([_fragments(n.removeprefix(_EXTRA), sheet.cells[n][firsts]) for n in extras])
    return _objects([columns[name] for name in sorted(columns)], len(firsts))


def _lines(sheet: Sheet, positions: Positions) -> list[str]:
    """Each row's own fields as one JSON object."""
    names = sorted(name for name in sheet.cells if not sheet.at_record_level(name))
    return _objects([_fragments(name, sheet.cells[name][positions]) for name in names], len(positions))


def _fragments(name: str, cells: Cells) -> pa.Array:
    """``"name": value, `` for every cell, nothing where it is empty."""
    numbers, firsts = same_objects(cells)
    values = cells[firsts].tolist()
    fragments = _plain_fragments(name, values)
    if fragments is None:
        head = f"{quoted(name)}: "
        texts = ["" if value is None else f"{head}{encoded_value(value)}, " for value in values]
        fragments = pa.array(texts, pa.large_string())
    return fragments.take(pa.array(numbers))


def _plain_fragments(name: str, values: Sequence[Value]) -> pa.Array | None:
    """The same in bulk, for texts that JSON writes as they are; ``None`` for any others."""
    if not all(value is None or type(value) is str for value in values):
        return None
    texts = pa.array(values, pa.large_string())
    odd = pc.match_substring_regex(texts, _ESCAPED)
    if pc.any(odd).as_py():
        told = [None if value is None else quoted(str(value))[1:-1] for value in values]
        texts = pc.if_else(odd, pa.array(told, pa.large_string()), texts)
    return pc.fill_null(pc.binary_join_element_wise(_text(f'{quoted(name)}: "'), texts, _text('", '), _text("")), "")


def _cleared(sheet: Sheet, firsts: Positions) -> list[str]:
    """``"cleared": ["name", …], `` for every record, nothing where it clears no field."""
    if not sheet.cleared:
        return [""] * len(firsts)
    names = [
        pc.if_else(pa.array(sheet.cleared[name][firsts]), _text(f"{quoted(name)}, "), _text(""))
        for name in sorted(sheet.cleared)
    ]
    told: list[str] = _within('"cleared": [', names, "], ").to_pylist()
    return told


def _map(fragments: Sequence[pa.Array]) -> pa.Array:
    return _within('"extra": {"$map": {', fragments, "}}, ")


def _within(opening: str, fragments: Sequence[pa.Array], closing: str) -> pa.Array:
    """The fragments of each row between brackets; nothing for a row without one."""
    inner = pc.utf8_slice_codeunits(_joined(fragments), 0, -2)
    whole = pc.binary_join_element_wise(_text(opening), inner, _text(closing), _text(""))
    return pc.if_else(pc.equal(inner, _text("")), _text(""), whole)


def _objects(fragments: Sequence[pa.Array], count: int) -> list[str]:
    if not fragments:
        return ["{}"] * count
    return [f"{{{text[:-2]}}}" for text in _joined(fragments).to_pylist()]


def _joined(fragments: Sequence[pa.Array]) -> pa.Array:
    # Every fragment brings its own comma: Arrow 26 loses rows when it is told to skip nulls and all of a row are.
    return pc.binary_join_element_wise(*fragments, _text(""))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())
