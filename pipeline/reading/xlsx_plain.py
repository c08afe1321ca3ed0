"""Rows of a worksheet that is written the plain way, as Excel and nearly every program writes them: no parser needed.

Each piece of the part is proved plain first; ``NotPlain`` leaves everything else (prefixes, rich text in the cell,
other attributes, other encodings, what is damaged) to the XML parser. The cells of a piece are read together, kind by
kind; the part is never whole in memory.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import IO

import numpy as np
import pyarrow as pa

from pipeline.reading.blocks import Flaw
from pipeline.reading.pieces import SheetPiece
from pipeline.reading.shown_together import number_texts
from pipeline.reading.xlsx_cells import ROWS, CellKind, CellKinds, Cells, cells_of, whole_numbers
from pipeline.reading.xlsx_parts import CellTexts, without_values
from pipeline.reading.xlsx_said import each_changed, said, said_texts
from pipeline.reading.xlsx_tags import NotPlain, Numbers, Piece

_FIRST_PIECE, _PIECE = 1 << 16, 1 << 20
_LONGEST_HEAD = 1 << 20
_LONGEST_ROW = 1 << 23
_LONGEST_END = 1 << 10
_LONGEST_INDEX = 8
_MOST_NUMBERS_KNOWN = 200_000

_HEAD = re.compile(
    rb'(?:\xef\xbb\xbf)?(?:<\?xml version="1\.0" encoding="(?i:UTF-8)"(?: standalone="(?:yes|no)")?\s*\?>)?\s*'
    rb"<worksheet\b[^<>]*>(?:[^<]*<(?!!|\?|/?sheetData\b)[^<>]*>)*+[^<]*<sheetData>"
)


class PlainRows:
    """Reads one worksheet; ``last`` is the number of the last row that was given out or passed over."""

    def __init__(self, texts: CellTexts) -> None:
        self._texts = texts
        self._kinds = CellKinds()
        self._known: dict[tuple[int, str], str] = {}
        self.last = 0

    def read(self, stream: IO[bytes]) -> Iterator[SheetPiece]:
        """The rows, as the XML parser would give them; ``NotPlain`` at the first piece written otherwise."""
        rest, size = _after_head(stream), _FIRST_PIECE
        while b"</sheetData>" not in rest:
            chunk = stream.read(size)
            if not chunk or len(rest) > _LONGEST_ROW:
                raise NotPlain
            whole, ended, rest = (rest + chunk).rpartition(b"</row>")
            if b"</sheetData>" in whole:
                rest = whole + ended + rest
                break
            if whole:
                yield self._piece(whole + ended)
                size = _PIECE
        rows, _, tail = rest.partition(b"</sheetData>")
        yield self._piece(rows)
        while chunk := stream.read(_PIECE):  # to the end, where the archive's own checksum is compared
            tail = tail[-_LONGEST_END:] + chunk
        if not tail.rstrip().endswith(b"</worksheet>"):
            raise NotPlain

    def _piece(self, content: bytes) -> SheetPiece:
        tags = ROWS.tags(content)
        cells = cells_of(tags, self._kinds)
        if len(cells.numbers):
            if cells.numbers[0] <= self.last:
                raise NotPlain
            self.last = int(cells.numbers[-1])
        owners, texts = self._shown(tags.piece, cells)
        return SheetPiece(cells.numbers, cells.rows[owners], cells.columns[owners], texts, self._flaws(cells))

    def _shown(self, piece: Piece, cells: Cells) -> tuple[Numbers, pa.LargeStringArray]:
        """The cells with something to see, and what that is."""
        kinds = self._kinds.kinds
        inline = np.array([kind.name == "inlineStr" for kind in kinds], dtype=bool)
        of = cells.kinds[cells.owners]
        filled = np.flatnonzero((cells.lengths > 0) & (inline[of] == cells.are_texts)) if len(kinds) else cells.owners
        of = of[filled]
        owners, shown = [cells.owners[filled[:0]]], [pa.array([], type=pa.large_string())]
        for number in np.unique(of).tolist():
            mine = filled[of == number]
            owners.append(cells.owners[mine])
            shown.append(self._texts_of(piece, kinds[number], cells.starts[mine], cells.lengths[mine]))
        return np.concatenate(owners), pa.concat_arrays(shown)

    def _texts_of(self, piece: Piece, kind: CellKind, starts: Numbers, lengths: Numbers) -> pa.LargeStringArray:
        match kind.name:
            case "s":
                if (lengths > _LONGEST_INDEX).any():
                    raise NotPlain
                return self._texts.texts.take(whole_numbers(piece.words(starts, lengths), lengths))
            case "inlineStr" | "str" | "e":
                return said_texts(piece.texts(starts, lengths), piece.content)
            case "b" | "d":
                stored = piece.texts(starts, lengths)
                return each_changed(stored, lambda value: self._texts.text(kind.name, kind.style, said(value), ""))
        one = partial(self._number, kind.style)
        return number_texts(
            piece.texts(starts, lengths), self._texts.format(kind.style), one, date1904=self._texts.date1904
        )

    def _number(self, style: int, stored: str) -> str:
        """One number as it is shown; those that are shown one by one come again in later pieces."""
        known = self._known.get((style, stored))
        if known is not None:
            return known
        if len(self._known) >= _MOST_NUMBERS_KNOWN:
            self._known.clear()
        return self._known.setdefault((style, stored), self._texts.number(style, said(stored).strip()))

    def _flaws(self, cells: Cells) -> dict[int, tuple[Flaw, ...]]:
        """The rows with formulas whose results were never stored."""
        if not len(cells.with_formula):
            return {}
        with_value = np.zeros(len(cells.rows), dtype=bool)
        with_value[cells.owners[(cells.lengths > 0) & ~cells.are_texts]] = True
        of_text = np.array([kind.name == "str" for kind in self._kinds.kinds], dtype=bool)
        without = cells.with_formula[~(with_value | of_text[cells.kinds])[cells.with_formula]]
        columns: dict[int, list[int]] = defaultdict(list)
        for row, column in zip(cells.rows[without].tolist(), cells.columns[without].tolist(), strict=True):
            columns[int(cells.numbers[row])].append(column)
        return {number: without_values(number, found) for number, found in columns.items()}


def _after_head(stream: IO[bytes]) -> bytes:
    """Read on to the first row; what stands behind the start of the rows is given back."""
    read = b""
    while b"<sheetData" not in read[:-20]:
        chunk = stream.read(_FIRST_PIECE)
        if not chunk or len(read) > _LONGEST_HEAD:
            break
        read += chunk
    found = _HEAD.match(read)
    if found is None:
        raise NotPlain
    return read[found.end() :]
