"""The tags of a piece of plain XML, found all at once and proved to follow each other as a grammar allows.

A loop in Python over the tags of a sheet costs more than anything else about it, so what is done here is done with the
positions of all tags of a piece together. What is not in the grammar (prefixes, remarks, other elements) is left to the
XML parser by ``NotPlain``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.arrow import factorized

Numbers = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]

_ROOM = 64
_MOST_SPELLINGS = 200
_LT, _GT, _SLASH = ord("<"), ord(">"), ord("/")
_BLANK = np.zeros(256, dtype=bool)
_BLANK[list(b" \t\r\n")] = True
_FORBIDDEN = np.ones(32, dtype=bool)
_FORBIDDEN[list(b"\t\r\n")] = False
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
"""What XML does not allow beside control characters (XML 1.0 §2.2)."""
_FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(8)] + [(1 << 64) - 1], dtype=np.uint64)
_PRESERVED = b'<t xml:space="preserve"'
_LONG = 9
"""Tags of that length and longer are told by their first five bytes."""


class NotPlain(Exception):
    """The part is written in some other way, or damaged: for the XML parser to read, or to complain about."""


class Kind(IntEnum):
    """The tags of rows, cells and texts; an ``…_EMPTY`` one follows the one it is the empty form of."""

    ROW, ROW_EMPTY, ROW_END = 0, 1, 2
    C, C_EMPTY, C_END = 3, 4, 5
    F, F_EMPTY, F_END = 6, 7, 8
    T, T_EMPTY, T_END = 9, 10, 11
    V, V_EMPTY, V_END = 12, 13, 14
    IS, IS_END = 15, 16
    SI, SI_END = 17, 18
    EDGE = 19
    """Beginning and end of the piece."""


_NAMES = {
    b"<row ": Kind.ROW, b"</row>": Kind.ROW_END, b"<c r=": Kind.C, b"</c>": Kind.C_END,
    b"<f>": Kind.F, b"</f>": Kind.F_END,
    b"<v>": Kind.V, b"<v/>": Kind.V_EMPTY, b"<v />": Kind.V_EMPTY, b"</v>": Kind.V_END,
    b"<t>": Kind.T, b"<t xm": Kind.T, b"<t/>": Kind.T_EMPTY, b"<t />": Kind.T_EMPTY, b"</t>": Kind.T_END,
    b"<is>": Kind.IS, b"</is>": Kind.IS_END, b"<si>": Kind.SI, b"</si>": Kind.SI_END,
}  # fmt: skip
_MAY_BE_EMPTY = np.isin(np.arange(len(Kind)), [Kind.ROW, Kind.C, Kind.F, Kind.T])
_HOLDS_TEXT = np.isin(np.arange(len(Kind)), [Kind.F, Kind.T, Kind.V])


class Piece:
    """Bytes of XML, with room behind them so that eight bytes can be taken anywhere as one number."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._padded = content + bytes(_ROOM)
        self.bytes = np.frombuffer(self._padded, dtype=np.uint8)

    @cached_property
    def _words(self) -> Words:
        shape = (len(self._padded) - 8,)
        return np.ndarray(shape, dtype=np.dtype("<u8"), buffer=self._padded, strides=(1,))

    def words(self, at: Numbers, lengths: Numbers | int = 8) -> Words:
        """Up to eight bytes at each place, the first one lowest; bytes behind ``lengths`` count as 0."""
        taken: Words = self._words[at] & _FIRST_BYTES[lengths]
        return taken

    def texts(self, starts: Numbers, lengths: Numbers) -> pa.LargeStringArray:
        """The bytes at those places as texts."""
        offsets = np.zeros(len(starts) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return pa.LargeStringArray.from_buffers(
            len(starts), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(self.bytes[places]))
        )

    def prove(self) -> None:
        """``NotPlain`` unless the bytes are UTF-8 of characters that XML allows."""
        body = self.bytes[: len(self.content)]
        low = body < 32
        if low.any() and _FORBIDDEN[body[low]].any():
            raise NotPlain
        if not self.content.isascii():
            try:
                self.content.decode("utf-8")
            except UnicodeDecodeError:
                raise NotPlain from None
            if (body == _NO_CHARACTERS[0][0]).any() and any(one in self.content for one in _NO_CHARACTERS):
                raise NotPlain


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags of a piece: what each is, where its ``<`` and its ``>`` stand."""

    piece: Piece
    kinds: npt.NDArray[np.uint8]
    starts: Numbers
    ends: Numbers

    def at(self, *kinds: Kind) -> Numbers:
        """The places, among all tags, of those of a kind."""
        return np.flatnonzero(np.isin(np.arange(len(Kind)), kinds)[self.kinds])


class Grammar:
    """Which tag may follow which; where one tag may stand is told by the one before it alone."""

    def __init__(self, follows: Mapping[Kind, Iterable[Kind]]) -> None:
        self._allowed = np.zeros((len(Kind), len(Kind)), dtype=bool)
        for kind, others in follows.items():
            self._allowed[kind, list(others)] = True

    def tags(self, content: bytes) -> Tags:
        """The tags of a piece; ``NotPlain`` where the grammar does not allow it."""
        piece = Piece(content)
        piece.prove()
        starts, ends = _edges(piece)
        kinds = _kinds(piece, starts, ends)
        before = np.concatenate([[np.uint8(Kind.EDGE)], kinds])
        behind = np.concatenate([kinds, [np.uint8(Kind.EDGE)]])
        if not self._allowed[before, behind].all():
            raise NotPlain
        _prove_between(piece, kinds, starts, ends)
        return Tags(piece, kinds, starts, ends)


def _edges(piece: Piece) -> tuple[Numbers, Numbers]:
    """Where tags begin and end; a ``>`` in a text ends none."""
    body = piece.bytes[: len(piece.content)]
    marks = np.flatnonzero((body == _LT) | (body == _GT))
    is_start = body[marks] == _LT
    if len(marks) % 2 == 0 and is_start[::2].all() and not is_start[1::2].any():
        return marks[::2], marks[1::2]
    if b"]]>" in piece.content:
        raise NotPlain
    starts, ends = marks[is_start], marks[~is_start]
    places = np.searchsorted(ends, starts)
    if len(places) and places[-1] >= len(ends):
        raise NotPlain
    ends = ends[places]
    if (ends[:-1] > starts[1:]).any():
        raise NotPlain
    return starts, ends


def _kinds(piece: Piece, starts: Numbers, ends: Numbers) -> npt.NDArray[np.uint8]:
    lengths = ends - starts + 1
    spelt = piece.words(starts, _SIGNIFICANT[np.minimum(lengths, _LONG)])
    codes, spellings = factorized(spelt)
    if len(spellings) > _MOST_SPELLINGS:
        raise NotPlain
    kinds: npt.NDArray[np.uint8] = np.array([_kind(int(one)) for one in spellings], dtype=np.uint8)[codes]
    is_empty = _MAY_BE_EMPTY[kinds] & (piece.bytes[ends - 1] == _SLASH)
    kinds += is_empty
    _prove_preserved(piece, starts, lengths - is_empty, kinds)
    return kinds


_SIGNIFICANT = np.array([*range(_LONG), 5])


@lru_cache(maxsize=1024)
def _kind(spelt: int) -> Kind:
    name = spelt.to_bytes(8, "little").rstrip(b"\x00")
    if name.startswith(b"<f "):
        return Kind.F
    if name not in _NAMES:
        raise NotPlain
    return _NAMES[name]


def _prove_preserved(piece: Piece, starts: Numbers, lengths: Numbers, kinds: npt.NDArray[np.uint8]) -> None:
    """The one attribute a text may have is ``xml:space="preserve"``."""
    at = starts[((kinds == Kind.T) | (kinds == Kind.T_EMPTY)) & (lengths > len("<t />"))]
    if not len(at):
        return
    said = lengths[((kinds == Kind.T) | (kinds == Kind.T_EMPTY)) & (lengths > len("<t />"))]
    if (said != len(_PRESERVED) + 1).any():
        raise NotPlain
    for place in range(0, len(_PRESERVED), 8):
        part = _PRESERVED[place : place + 8]
        if (piece.words(at + place, len(part)) != int.from_bytes(part, "little")).any():
            raise NotPlain


def _prove_between(piece: Piece, kinds: npt.NDArray[np.uint8], starts: Numbers, ends: Numbers) -> None:
    """Between other tags than those of texts stand blanks at most."""
    begins = np.concatenate([[0], ends + 1])
    lengths = np.concatenate([starts, [len(piece.content)]]) - begins
    loose = np.flatnonzero((lengths > 0) & ~np.concatenate([[False], _HOLDS_TEXT[kinds]]))
    if not len(loose):
        return
    between = piece.texts(begins[loose], lengths[loose])
    if not _BLANK[np.frombuffer(between.buffers()[2], dtype=np.uint8)].all():
        raise NotPlain
