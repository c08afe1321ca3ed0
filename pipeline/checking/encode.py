"""Many records as the ledger keeps them, made column by column: a cell that many rows share is put into JSON once.

The texts are those of ``pipeline.model.encode_record`` and ``Record.fingerprint``, with the fields in the order of
their names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring_ascii as quoted

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.checking.sheet import Sheet
from pipeline.coded import Coded, Positions
from pipeline.model import Encoded, encoded_value

_EXTRA = "extra."
_ROUNDS = 6
_ESCAPED = r"[^ !#-\[\]-~]"
"""What JSON in ASCII does not write as it is: quote mark, backslash, controls, and all beyond ASCII."""


def encode_records(sheet: Sheet, positions: Positions, starts: Positions) -> Iterator[Encoded]:
    """The records whose rows are ``positions``, each beginning where ``starts`` says; the last entry is the end."""
    firsts = positions[starts[:-1]]
    fields = _fields(sheet, firsts)
    sorted_fields = _fields(sheet, firsts, by_name=True) if _is_mapped(sheet) else fields
    keys = [sheet.keys[group] for group in sheet.group[firsts].tolist()]
    head = _joined([_text(', "key": '), pa.array(map(quoted, keys), pa.large_string()),
                    _text(f', "kind": {quoted(sheet.rules.kind)}, "lines": [')])  # fmt: skip
    lines = _lines(sheet, positions) if sheet.is_order else None
    rows = _listed(pa.array(sheet.row_numbers(positions)).cast(pa.large_string()), starts)
    opening = _joined([_text("{"), *_cleared(sheet, firsts), _text('"fields": ')])
    written = _joined(
        [opening, fields, head, *_within_records(lines, starts), _text('], "rows": ['), rows, _text("]}")]
    )
    content = _joined([opening, sorted_fields, head, *_within_records(_in_order(lines, starts), starts), _text("]}")])
    told = content.cast(pa.large_binary()).to_pylist()  # UTF-8 as it stands in memory
    for key, text, same in zip(keys, written.to_pylist(), told, strict=True):
        yield Encoded(key, hashlib.sha256(same).hexdigest(), text)


def _within_records(lines: pa.Array | None, starts: Positions) -> list[pa.Array]:
    return [] if lines is None else [_listed(lines, starts)]


def _listed(texts: pa.Array, starts: Positions) -> pa.Array:
    """The texts of each record with commas between them."""
    lists = pa.LargeListArray.from_arrays(pa.array(starts, pa.int64()), texts)
    return pc.binary_join(lists, _text(", "))


def _in_order(lines: pa.Array | None, starts: Positions) -> pa.Array | None:
    """The lines of each record sorted, each as a JSON text: in which order they came does not count."""
    if lines is None:
        return None
    sorted_lines = lines.take(pa.array(_sorting(lines, starts)))
    escaped = pc.replace_substring(pc.replace_substring(sorted_lines, "\\", "\\\\"), '"', '\\"')
    return _joined([_text('"'), escaped, _text('"')])


def _sorting(lines: pa.Array, starts: Positions) -> Positions:
    """In which order the lines stand sorted within each record: neighbours change places, all records at once.

    An order has few lines; one that is not done after a few rounds is sorted by itself.
    """
    order = np.arange(len(lines))
    records = np.searchsorted(starts, order, side="right") - 1
    within = records[:-1] == records[1:]
    for _ in range(_ROUNDS):
        falls = np.flatnonzero(within & _greater_than_next(lines.take(pa.array(order))))
        if not len(falls):
            return order
        swapped = falls[np.diff(falls, prepend=-2) > 1]
        order[swapped], order[swapped + 1] = order[swapped + 1], order[swapped]
    falls = np.flatnonzero(within & _greater_than_next(lines.take(pa.array(order))))
    for record in np.unique(records[falls]).tolist():
        begin, end = starts[record], starts[record + 1]
        texts = lines.slice(begin, end - begin).to_pylist()
        order[begin:end] = begin + np.array(sorted(range(len(texts)), key=texts.__getitem__))
    return order


def _greater_than_next(texts: pa.Array) -> npt.NDArray[np.bool_]:
    if len(texts) < 2:
        return np.zeros(0, dtype=bool)
    found: npt.NDArray[np.bool_] = pc.greater(texts[:-1], texts[1:]).to_numpy(zero_copy_only=False)
    return found


def _is_mapped(sheet: Sheet) -> bool:
    return any(name.startswith(_EXTRA) for name in sheet.cells)


def _fields(sheet: Sheet, firsts: Positions, *, by_name: bool = False) -> pa.Array:
    """The shared fields of each record as one JSON object; custom fields in the mapping's order, or by name."""
    names = [n for n in sheet.cells if sheet.at_record_level(n) and not n.startswith(_EXTRA)]
    columns = {name: _fragments(name, sheet.cells[name], firsts) for name in names}
    extras = [n for n in sheet.cells if n.startswith(_EXTRA)]
    if extras:
        extras = sorted(extras) if by_name else extras
        columns["extra"] = _map([_fragments(n.removeprefix(_EXTRA), sheet.cells[n], firsts) for n in extras])
    return _objects([columns[name] for name in sorted(columns)], len(firsts))


def _lines(sheet: Sheet, positions: Positions) -> pa.Array:
    """Each row's own fields as one JSON object."""
    names = sorted(name for name in sheet.cells if not sheet.at_record_level(name))
    return _objects([_fragments(name, sheet.cells[name], positions) for name in names], len(positions))


def _fragments(name: str, column: Coded, rows: Positions) -> pa.Array:
    """``"name": value, `` for each of the rows, nothing where its cell is empty."""
    cells = column.taken(rows)
    head = f"{quoted(name)}: "
    if cells.is_text:
        fragments = _between(f'{head}"', _quoted(cells.notation), '", ')
    elif cells.is_amount:
        fragments = _between(f'{head}{{"$decimal": "', _amounts(cells.notation), '"}, ')
    else:
        texts = ["" if value is None else f"{head}{encoded_value(value)}, " for value in cells.values.tolist()]
        fragments = pa.array(texts, pa.large_string())
    return fragments.take(pa.array(cells.codes))


def _between(opening: str, texts: pa.Array, closing: str) -> pa.Array:
    """Each text between the two; nothing where there is none."""
    return pc.fill_null(pc.binary_join_element_wise(_text(opening), texts, _text(closing), _text("")), "")


def _quoted(texts: pa.Array) -> pa.Array:
    """Texts as JSON writes them, without the quote marks around them: most are written as they are."""
    odd = pc.fill_null(pc.match_substring_regex(texts, _ESCAPED), False)
    if not pc.any(odd).as_py():
        return texts
    told = [quoted(text)[1:-1] for text in texts.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, odd, pa.array(told, pa.large_string()))


def _amounts(texts: pa.Array) -> pa.Array:
    """Numbers as ``encoded_value`` spells them: without zeros that say nothing."""
    spare = pc.match_substring(texts, ".")
    return pc.if_else(spare, pc.utf8_rtrim(pc.utf8_rtrim(texts, "0"), "."), texts)


def _cleared(sheet: Sheet, firsts: Positions) -> list[pa.Array]:
    """``"cleared": ["name", …], `` for every record, nothing where it clears no field."""
    names = [
        pc.if_else(pa.array(sheet.cleared[name][firsts]), _text(f"{quoted(name)}, "), _text(""))
        for name in sorted(sheet.cleared)
    ]
    return [_within('"cleared": [', names, "], ")] if names else []


def _map(fragments: Sequence[pa.Array]) -> pa.Array:
    return _within('"extra": {"$map": {', fragments, "}}, ")


def _within(opening: str, fragments: Sequence[pa.Array], closing: str) -> pa.Array:
    """The fragments of each row between brackets; nothing for a row without one."""
    inner = pc.utf8_slice_codeunits(_joined(fragments), 0, -2)
    whole = pc.binary_join_element_wise(_text(opening), inner, _text(closing), _text(""))
    return pc.if_else(pc.equal(inner, _text("")), _text(""), whole)


def _objects(fragments: Sequence[pa.Array], count: int) -> pa.Array:
    if not fragments:
        return pa.array(["{}"] * count, pa.large_string())
    return _joined([_text("{"), pc.utf8_slice_codeunits(_joined(fragments), 0, -2), _text("}")])


def _joined(fragments: Sequence[pa.Array]) -> pa.Array:
    # Every fragment brings its own comma: Arrow 26 loses rows when it is told to skip nulls and all of a row are.
    return pc.binary_join_element_wise(*fragments, _text(""))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())
