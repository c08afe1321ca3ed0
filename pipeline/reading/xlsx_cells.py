"""The cells of a piece of a worksheet: where each stands, what its attributes say, where its stored value lies."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from pipeline.arrow import factorized
from pipeline.reading.sheets import LAST_COLUMN, LAST_ROW
from pipeline.reading.xlsx_tags import Flags, Grammar, Kind, NotPlain, Numbers, Tags, Words

_BEHIND_CELL = (Kind.C, Kind.C_EMPTY, Kind.ROW_END)
_BEHIND_ROW = (Kind.ROW, Kind.ROW_EMPTY, Kind.EDGE)
_BEHIND_FORMULA = (Kind.V, Kind.V_EMPTY, Kind.C_END)
ROWS = Grammar({
    Kind.EDGE: _BEHIND_ROW, Kind.ROW_END: _BEHIND_ROW, Kind.ROW_EMPTY: _BEHIND_ROW,
    Kind.ROW: _BEHIND_CELL, Kind.C_END: _BEHIND_CELL, Kind.C_EMPTY: _BEHIND_CELL,
    Kind.C: (Kind.F, Kind.F_EMPTY, Kind.IS, *_BEHIND_FORMULA),
    Kind.F: (Kind.F_END,), Kind.F_END: _BEHIND_FORMULA, Kind.F_EMPTY: _BEHIND_FORMULA,
    Kind.V: (Kind.V_END,), Kind.V_END: (Kind.C_END,), Kind.V_EMPTY: (Kind.C_END,),
    Kind.IS: (Kind.T, Kind.T_EMPTY), Kind.T: (Kind.T_END,), Kind.T_END: (Kind.IS_END,),
    Kind.T_EMPTY: (Kind.IS_END,), Kind.IS_END: (Kind.C_END,),
})  # fmt: skip
"""Whole rows, each cell with a formula, a value or a text without runs."""

_ROW_START, _CELL_START = b'<row r="', b'<c r="'
_LONGEST_NUMBER = 7
_WORDS_OF_ATTRIBUTES = 3
_ATTRIBUTES = re.compile(rb'((?: [a-z]{1,2}="\w{1,9}")*+)[ \t\r\n]?')
_ATTRIBUTE = re.compile(rb' ([a-z]{1,2})="(\w{1,9})"')
_QUOTE = ord('"')
_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))


@dataclass(frozen=True, slots=True)
class CellKind:
    """What the attributes of a cell say about its value."""

    name: str
    style: int


class CellKinds:
    """The kinds of cells of one sheet, by the bytes of their attributes; a cell refers to one by its number."""

    def __init__(self) -> None:
        self.kinds: list[CellKind] = []
        self._known: dict[bytes, int] = {}

    def number(self, attributes: bytes) -> int:
        """The number of the kind; ``NotPlain`` for attributes that are something else than a type and a style."""
        known = self._known.get(attributes)
        return self._added(attributes) if known is None else known

    def _added(self, attributes: bytes) -> int:
        whole = _ATTRIBUTES.fullmatch(attributes)
        found = dict(pairs := _ATTRIBUTE.findall(attributes))
        if whole is None or len(found) != len(pairs) or b"r" in found:
            raise NotPlain
        name, style = found.get(b"t", b"n").decode("latin-1"), found.get(b"s", b"0")
        self._known[attributes] = len(self.kinds)
        self.kinds.append(CellKind(name, int(style) if style.isdigit() else 0))
        return self._known[attributes]


@dataclass(frozen=True, slots=True)
class Cells:
    """The rows and cells of a piece. ``rows``, ``columns`` (from 0) and ``kinds`` have an entry for each cell, ``rows``
    that of its row in ``numbers``; ``owners``, ``starts`` and ``lengths`` one for each stored value or text.
    """

    numbers: Numbers
    rows: Numbers
    columns: Numbers
    kinds: Numbers
    owners: Numbers
    starts: Numbers
    lengths: Numbers
    are_texts: Flags
    with_formula: Numbers


def cells_of(tags: Tags, kinds: CellKinds) -> Cells:
    """Where everything stands; ``NotPlain`` for places that are not as they should be."""
    numbers, digits, spelt = _row_numbers(tags)
    at = tags.at(Kind.C, Kind.C_EMPTY)
    row_of_tag = np.cumsum(tags.kinds <= Kind.ROW_EMPTY) - 1
    rows = row_of_tag[at]
    columns, behind = _columns(tags, tags.starts[at], digits[rows], spelt[rows])
    _prove_each_once(rows, columns)
    lengths = tags.ends[at] - behind - (tags.kinds[at] == Kind.C_EMPTY)
    cell_of_tag = np.cumsum((tags.kinds == Kind.C) | (tags.kinds == Kind.C_EMPTY)) - 1
    stored = tags.at(Kind.V, Kind.T)
    starts = tags.ends[stored] + 1
    return Cells(
        numbers, rows, columns, _kinds(tags, behind, lengths, kinds),
        cell_of_tag[stored], starts, tags.starts[stored + 1] - starts, tags.kinds[stored] == Kind.T,
        cell_of_tag[tags.at(Kind.F, Kind.F_EMPTY)],
    )  # fmt: skip


def _row_numbers(tags: Tags) -> tuple[Numbers, Numbers, Words]:
    """The number of each row, how many digits it has, and these with the quote mark behind them."""
    starts = tags.starts[tags.at(Kind.ROW, Kind.ROW_EMPTY)]
    if (tags.piece.words(starts) != int.from_bytes(_ROW_START, "little")).any():
        raise NotPlain
    at = starts + len(_ROW_START)
    digits = np.zeros(len(at), dtype=np.int64)
    for count in range(_LONGEST_NUMBER, 0, -1):
        digits[tags.piece.bytes[at + count] == _QUOTE] = count
    numbers = whole_numbers(tags.piece.words(at, digits), digits)
    if not (digits > 0).all() or (numbers > LAST_ROW).any() or (np.diff(numbers) <= 0).any():
        raise NotPlain
    return numbers, digits, tags.piece.words(at, digits + 1)


def whole_numbers(words: Words, digits: Numbers) -> Numbers:
    """Numbers of one to eight digits, the first one lowest in its word; ``NotPlain`` where something else stands."""
    missing = ((8 - digits) * 8).astype(np.uint64)
    filled = np.where(missing == 0, words, (words << (missing % np.uint64(64))) | _ZEROS[8 - digits])
    high = filled & np.uint64(0xF0F0F0F0F0F0F0F0)
    beyond = (filled + np.uint64(0x0606060606060606)) & np.uint64(0xF0F0F0F0F0F0F0F0)
    if ((high != _ALL_ZEROS) | (beyond != _ALL_ZEROS)).any():
        raise NotPlain
    pairs = ((filled & np.uint64(0x0F0F0F0F0F0F0F0F)) * np.uint64(2561)) >> np.uint64(8)
    fours = ((pairs & np.uint64(0x00FF00FF00FF00FF)) * np.uint64(6553601)) >> np.uint64(16)
    eights = ((fours & np.uint64(0x0000FFFF0000FFFF)) * np.uint64(42949672960001)) >> np.uint64(32)
    return eights.astype(np.int64)


_ALL_ZEROS = np.uint64(0x3030303030303030)
_ZEROS = np.array([int.from_bytes(b"0" * count, "little") for count in range(9)], dtype=np.uint64)


def _columns(tags: Tags, starts: Numbers, digits: Numbers, spelt: Words) -> tuple[Numbers, Numbers]:
    """The column of each cell, and the place behind its reference, whose row has to be the row it stands in."""
    piece = tags.piece
    if (piece.words(starts, len(_CELL_START)) != int.from_bytes(_CELL_START, "little")).any():
        raise NotPlain
    at = starts + len(_CELL_START)
    first, second, third = (piece.bytes[at + place].astype(np.int64) - 64 for place in range(3))
    has_second = (second >= 1) & (second <= 26)
    has_third = has_second & (third >= 1) & (third <= 26)
    columns = np.where(has_second, first * 26 + second, first)
    columns = np.where(has_third, columns * 26 + third, columns) - 1
    behind = at + 1 + has_second + has_third
    wrong = (first < 1) | (first > 26) | (columns >= LAST_COLUMN) | (piece.words(behind, digits + 1) != spelt)
    if wrong.any():
        raise NotPlain
    return columns, behind + digits + 1


def _prove_each_once(rows: Numbers, columns: Numbers) -> None:
    places = rows * LAST_COLUMN + columns
    if (np.diff(places) <= 0).any() and len(np.unique(places)) != len(places):
        raise NotPlain


def _kinds(tags: Tags, at: Numbers, lengths: Numbers, kinds: CellKinds) -> Numbers:
    """The number of each cell's kind; equal attributes are looked at once."""
    if not len(at):
        return at
    longest = int(lengths.max())
    if lengths.min() < 0 or longest > 8 * _WORDS_OF_ATTRIBUTES:
        raise NotPlain
    words = [tags.piece.words(at + place, np.clip(lengths - place, 0, 8)) for place in range(0, max(longest, 1), 8)]
    mixed = words[0]
    for word, by in zip(words[1:], _MIX, strict=False):
        mixed = mixed ^ (word * by)
    codes, _ = factorized(mixed)
    first = np.zeros(int(codes.max()) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    if any((word != word[first][codes]).any() for word in words):  # two spellings mixed to one number
        raise NotPlain
    content = tags.piece.content
    known = [kinds.number(content[at[one] : at[one] + lengths[one]]) for one in first.tolist()]
    numbers: Numbers = np.array(known, dtype=np.int64)[codes]
    return numbers
