"""Many records as the ledger keeps them, made column by column: a cell that many rows share is put into JSON once.

The texts are those of ``pipeline.model.encode_record`` and ``Record.fingerprint``, with the fields in the order of
their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from json.encoder import encode_basestring_ascii as quoted

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from pipeline.arrow import as_array
from pipeline.checking.sheet import Sheet
from pipeline.coded import Coded, Codes, Positions
from pipeline.model import Encoded, encoded_value

_Piece = tuple[pa.Array, Codes]
"""What stands at one place in many texts: the different ones, and for each row the number of its own."""

_EXTRA = "extra."
_ROUNDS = 6
_encoded = partial(tuple.__new__, Encoded)  # for hundreds of thousands: their own maker is written in Python
_ESCAPED = r"[^ !#-\[\]-~]"
"""What JSON in ASCII does not write as it is: quote mark, backslash, controls, and all beyond ASCII."""

_ODD = np.array([not (0x20 <= byte < 0x7F) or byte in b'"\\' for byte in range(256)])
"""The same, by byte."""


class Encoding:
    """The records whose rows are ``positions``, each beginning where ``starts`` says; the last entry is the end.

    What their texts are made of is made once; those of some records are put together when one asks for them.
    """

    def __init__(self, sheet: Sheet, positions: Positions, starts: Positions) -> None:
        firsts = positions[starts[:-1]]
        self._sheet, self._positions, self._starts = sheet, positions, starts
        self._keys = [sheet.keys[group] for group in sheet.group[firsts].tolist()]
        self._head = _Texts(_head(sheet, firsts, self._keys))
        self._by_name = _Texts(_head(sheet, firsts, self._keys, by_name=True)) if _is_mapped(sheet) else self._head
        self._lines = _Texts(_lines(sheet, positions)) if sheet.is_order else None
        self._escaped = _Texts(_lines(sheet, positions, escaped=True)) if sheet.is_order else None

    def some(self, begin: int, end: int) -> Iterator[Encoded]:
        """Those from one record to before another: their texts at once; the fingerprints as one asks for them, in
        whichever thread that is.
        """
        starts = self._starts[begin : end + 1]
        rows, starts = slice(int(starts[0]), int(starts[-1])), starts - starts[0]
        head = self._head.of(slice(begin, end))
        by_name = head if self._by_name is self._head else self._by_name.of(slice(begin, end))
        lines = self._lines.of(rows) if self._lines else None
        numbers = as_array(self._sheet.row_numbers(self._positions[rows])).cast(pa.large_string())
        told = [*_within_records(lines, starts), _text('], "rows": ['), _listed(numbers, starts), _text("]}")]
        content = [by_name, *_within_records(self._in_order(lines, rows, starts), starts), _text("]}")]
        return _told(self._keys[begin:end], _joined(content), _joined([head, *told]))

    def _in_order(self, lines: pa.Array | None, rows: slice, starts: Positions) -> pa.Array | None:
        """The lines of each record sorted, each as a JSON text: in which order they came does not count."""
        if lines is None or self._escaped is None:
            return None
        return self._escaped.of(rows.start + _sorting(lines, starts))


class _Texts:
    """One text for each row, its pieces one behind the other, put together for the rows that are asked for."""

    def __init__(self, pieces: Sequence[_Piece]) -> None:
        self._pieces = pa.concat_arrays([texts for texts, _ in pieces])
        begins = np.cumsum([0, *(len(texts) for texts, _ in pieces)]).tolist()
        self._codes = [(codes, begin) for (_, codes), begin in zip(pieces, begins, strict=False)]

    def of(self, rows: slice | Positions) -> pa.Array:
        """The texts of some rows; gathered row by row, their pieces lie there as they are to stand."""
        chosen = [codes[rows] for codes, _ in self._codes]
        count, width = len(chosen[0]), len(chosen)
        numbers = np.empty((count, width), dtype=np.int64)
        for at, (_, begin) in enumerate(self._codes):
            np.add(chosen[at], begin, out=numbers[:, at])
        gathered = self._pieces.take(as_array(numbers.ravel()))
        _, ends, data = gathered.buffers()
        bounds = np.frombuffer(ends, dtype=np.int64)[: count * width + 1 : width].copy()
        return pa.LargeStringArray.from_buffers(count, pa.py_buffer(bounds), data)


def _told(keys: Sequence[str], content: pa.Array, written: pa.Array) -> Iterator[Encoded]:
    told = content.cast(pa.large_binary()).to_pylist()  # UTF-8 as it stands in memory
    fingerprints = [sha256(same).hexdigest() for same in told]
    yield from map(_encoded, zip(keys, fingerprints, written.to_pylist(), strict=True))


def _head(sheet: Sheet, firsts: Positions, keys: Sequence[str], *, by_name: bool = False) -> list[_Piece]:
    """Each record as far as its lines; custom fields in the mapping's order, or by name."""
    count = len(firsts)
    return [
        _same("{", count), *_cleared(sheet, firsts), *_fields(sheet, firsts, by_name=by_name),
        _own(pa.array(map(quoted, keys), pa.large_string())),
        _same(f', "kind": {quoted(sheet.rules.kind)}, "lines": [', count),
    ]  # fmt: skip


def _within_records(lines: pa.Array | None, starts: Positions) -> list[pa.Array]:
    return [] if lines is None else [_listed(lines, starts)]


def _listed(texts: pa.Array, starts: Positions) -> pa.Array:
    """The texts of each record with commas between them."""
    lists = pa.LargeListArray.from_arrays(as_array(starts), texts)
    return pc.binary_join(lists, _text(", "))


def _sorting(lines: pa.Array, starts: Positions) -> Positions:
    """In which order the lines stand sorted within each record: neighbours change places, all records at once.

    An order has few lines; one that is not done after a few rounds is sorted by itself.
    """
    order = np.arange(len(lines))
    records = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    within = records[:-1] == records[1:]
    falls = np.flatnonzero(within & _greater_than_next(lines))
    for _ in range(_ROUNDS):
        if not len(falls):
            return order
        swapped = falls[np.diff(falls, prepend=-2) > 1]
        order[swapped], order[swapped + 1] = order[swapped + 1], order[swapped]
        falls = np.flatnonzero(within & _greater_than_next(lines.take(as_array(order))))
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


def _fields(sheet: Sheet, firsts: Positions, *, by_name: bool) -> list[_Piece]:
    """The shared fields of each record, as far as its key; custom fields in the mapping's order, or by name."""
    names = [n for n in sheet.cells if sheet.at_record_level(n) and not n.startswith(_EXTRA)]
    members: dict[str, _Member | _Map] = {n: _Member(n, sheet.cells[n].taken(firsts)) for n in names}
    extras = [n for n in sheet.cells if n.startswith(_EXTRA)]
    if extras:
        extras = sorted(extras) if by_name else extras
        inner = [_Member(n.removeprefix(_EXTRA), sheet.cells[n].taken(firsts)) for n in extras]
        members["extra"] = _Map(inner)
    return _object([members[name] for name in sorted(members)], len(firsts), '"fields": {', '}, "key": ')


def _lines(sheet: Sheet, positions: Positions, *, escaped: bool = False) -> list[_Piece]:
    """Each row's own fields as one JSON object; ``escaped``: that once more as a JSON text."""
    names = sorted(name for name in sheet.cells if not sheet.at_record_level(name))
    members = [_Member(name, sheet.cells[name].taken(positions), escaped) for name in names]
    mark = '"' if escaped else ""
    return _object(members, len(positions), f"{mark}{{", f"}}{mark}")


class _Member(Struct, frozen=True):
    """A field of many JSON objects; ``escaped``: of objects that stand within a JSON text."""

    name: str
    cells: Coded
    escaped: bool = False

    @property
    def everywhere(self) -> bool:
        """Whether every object has it."""
        return bool(self.cells.codes.all())

    def between(self, before: str, behind: str) -> _Piece:
        """``"name": value`` between two texts for each object, nothing where the cell is empty."""
        head = f"{before}{quoted(self.name)}: "
        if self.cells.is_text:
            told = _between(f'{head}"', _quoted(self.cells.notation), f'"{behind}')
        elif self.cells.is_amount:
            told = _between(f'{head}{{"$decimal": "', _amounts(self.cells.notation), f'"}}{behind}')
        else:
            values = self.cells.values.tolist()
            texts = ["" if value is None else f"{head}{encoded_value(value)}{behind}" for value in values]
            told = pa.array(texts, pa.large_string())
        if self.escaped:
            told = pc.replace_substring(pc.replace_substring(told, "\\", "\\\\"), '"', '\\"')
        return told, self.cells.codes


class _Map(Struct, frozen=True):
    """The custom fields of many JSON objects: one member, which an object without any of them has not."""

    members: Sequence[_Member]
    everywhere: bool = False

    def between(self, before: str, behind: str) -> _Piece:
        """All of them between two texts, nothing for an object without one."""
        pieces = [member.between("", ", ") for member in self.members]
        return _own(_within(f'{before}"extra": {{"$map": {{', pieces, f"}}}}{behind}"))


def _object(members: Sequence[_Member | _Map], count: int, opening: str, closing: str) -> list[_Piece]:
    """Members between two texts with commas between them: before and behind one that is everywhere each brings one."""
    middle = next((at for at, member in enumerate(members) if member.everywhere), None)
    if middle is None:
        return [_same(opening, count), _own(_in_a_row(members, count)), _same(closing, count)]
    pieces = [
        member.between(", " if at > middle else "", ", " if at < middle else "") for at, member in enumerate(members)
    ]
    return [_same(opening, count), *pieces, _same(closing, count)]


def _in_a_row(members: Sequence[_Member | _Map], count: int) -> pa.Array:
    """The members of each object with commas between them; none may be everywhere."""
    if not members:
        return pa.array([""] * count, pa.large_string())
    return pc.utf8_slice_codeunits(_put_together([member.between("", ", ") for member in members]), 0, -2)


def _between(opening: str, texts: pa.Array, closing: str) -> pa.Array:
    """Each text between the two; nothing where there is none."""
    return pc.fill_null(pc.binary_join_element_wise(_text(opening), texts, _text(closing), _text("")), "")


def _quoted(texts: pa.Array) -> pa.Array:
    """Texts as JSON writes them, without the quote marks around them: most are written as they are."""
    if not _has_odd(texts):
        return texts
    odd = pc.fill_null(pc.match_substring_regex(texts, _ESCAPED), False)
    told = [quoted(text)[1:-1] for text in texts.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, odd, pa.array(told, pa.large_string()))


def _has_odd(texts: pa.Array) -> bool:
    """Whether there is a byte in any of the texts that JSON in ASCII does not write as it is."""
    _, ends, data = texts.buffers()
    if data is None:
        return False
    bounds = np.frombuffer(ends, dtype=np.int64)[texts.offset : texts.offset + len(texts) + 1]
    return bool(_ODD[np.frombuffer(data, dtype=np.uint8)[bounds[0] : bounds[-1]]].any())


def _amounts(texts: pa.Array) -> pa.Array:
    """Numbers as ``encoded_value`` spells them: without zeros that say nothing."""
    spare = pc.match_substring(texts, ".")
    return pc.if_else(spare, pc.utf8_rtrim(pc.utf8_rtrim(texts, "0"), "."), texts)


def _cleared(sheet: Sheet, firsts: Positions) -> list[_Piece]:
    """``"cleared": ["name", …], `` for every record, nothing where it clears no field."""
    names = [
        (pa.array(["", f"{quoted(name)}, "], pa.large_string()), sheet.cleared[name][firsts].astype(np.int32))
        for name in sorted(sheet.cleared)
    ]
    return [_own(_within('"cleared": [', names, "], "))] if names else []


def _within(opening: str, pieces: Sequence[_Piece], closing: str) -> pa.Array:
    """The pieces of each row between brackets, without the last comma; nothing for a row without one."""
    inner = pc.utf8_slice_codeunits(_put_together(pieces), 0, -2)
    return pc.if_else(pc.equal(inner, _text("")), _text(""), _between(opening, inner, closing))


def _put_together(pieces: Sequence[_Piece]) -> pa.Array:
    """The pieces of every row one behind the other."""
    return _Texts(pieces).of(slice(None))


def _own(texts: pa.Array) -> _Piece:
    """A text for each row."""
    return texts, np.arange(len(texts), dtype=np.int32)


def _same(text: str, rows: int) -> _Piece:
    """The same text for every row."""
    return pa.array([text], pa.large_string()), np.zeros(rows, dtype=np.int32)


def _joined(fragments: Sequence[pa.Array]) -> pa.Array:
    # Every fragment brings its own comma: Arrow 26 loses rows when it is told to skip nulls and all of a row are.
    return pc.binary_join_element_wise(*fragments, _text(""))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())
