"""Plain delimited text read in bulk: one line is one row, every row fits the header.

Nearly every file is like that, and Arrow cuts it many times as fast as rows can be looked at one by one. Each stretch
of the file is proved plain after it was cut; where one is not, the caller goes on row by row from there. Both cut
alike: a quote mark counts at the beginning of a cell only and is doubled inside; a stretch with a mark out of place is
not plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct
from pyarrow import csv

from pipeline.arrow import as_array
from pipeline.coded import Positions
from pipeline.reading.blocks import is_blank
from pipeline.reading.table import Block
from pipeline.rows import Rows

STRETCH = 1 << 25
"""Bytes cut at once, at most; for small blocks fewer."""

_AT_ONCE = 1 << 21
"""Bytes that Arrow parses at once: several such pieces keep two cores busy, and the memory of one serves the next.
A piece as large as the file asks for new memory, and to have that cleared takes as long as to parse it."""

_LOOKED_AT_ONCE = 1 << 20

_ROW_BYTES = 256  # of a row of two dozen cells

_MARK = b"\xef\xbb\xbf"
_MARKS = re.compile(rb"(?:\A|(?<=[\r\n]))(?:\xef\xbb\xbf)+")
_LF, _CR = 0x0A, 0x0D
_VISIBLE = "[0-9A-Za-z]"


class Cut(Struct, frozen=True):
    """How the bytes of a UTF-8 file are cut: one-byte delimiter, quote mark (``""`` for none), cells in a row."""

    delimiter: str
    quote: str
    width: int


class Place(Struct, frozen=True):
    """A place between two lines: how many bytes lie before it, and the number of the row that begins there."""

    byte: int
    row: int


_Bytes = npt.NDArray[np.uint8]

Proved = dict[tuple[int, int], int]
"""Stretches known to be plain, by their first byte and length: how many rows each has. A second reading trusts that."""


def plain_blocks(path: Path, cut: Cut, begin: Place, size: int, proved: Proved) -> Iterator[tuple[Block, Place]]:
    """Blocks of about ``size`` rows from ``begin`` on, each with the place behind it; none from where it is not plain.

    The place within a stretch has the stretch's own byte; only the last one of a file is the file's length. What is
    found plain is noted in ``proved``.
    """
    byte, row = begin.byte, begin.row
    most = min(STRETCH, max(size * _ROW_BYTES, 1 << 20))
    for stretch in _stretches(path, byte, most):
        table = _cut(stretch, cut, proved.get((byte, len(stretch))))
        if table is None:
            return
        proved[byte, len(stretch)] = table.num_rows
        each = max(1, -(-table.num_rows // max(1, round(table.num_rows / size))))  # alike, and about ``size``
        for at in range(0, table.num_rows, each):
            part = table.slice(at, each)
            row += part.num_rows
            reached = byte + len(stretch) if at + each >= table.num_rows else byte
            yield _block(part, row - part.num_rows), Place(reached, row)
        byte += len(stretch)


def _stretches(path: Path, begin: int, most: int) -> Iterator[bytes]:
    """The file from ``begin`` on, cut behind line breaks; no more before a line that is longer than two stretches."""
    rest = b""
    with path.open("rb") as stream:
        stream.seek(begin)
        while read := stream.read(most):
            end = read.rfind(b"\n") + 1
            if end:
                yield rest + read[:end]
            rest = read[end:] if end else rest + read
            if len(rest) > 2 * most:
                return
    if rest:
        yield rest


def _cut(stretch: bytes, cut: Cut, proved: int | None) -> pa.Table | None:
    """The rows of a stretch, ``None`` when it is not plain; ``proved`` is how many it is known to have."""
    # Files put together, marks and all; Arrow would take away one at the beginning only. One byte is found sooner.
    if _MARK[:1] in stretch and _MARK in stretch:
        stretch = _MARKS.sub(b"", stretch)
    if proved is not None:
        table = _parsed(stretch, cut)
        return table if table is not None and table.num_rows == proved else None
    # With a row of our own behind it, there is one row more than line breaks, unless a cell has swallowed one.
    end = b"" if stretch.endswith((b"\n", b"\r")) else b"\n"
    probe = cut.delimiter.join("x" * cut.width).encode()
    text = b"".join((b"\n", stretch, end, probe))
    ended = np.frombuffer(text, dtype=np.uint8)[: 1 + len(stretch) + len(end)]
    breaks = _breaks(ended, has_returns=b"\r" in stretch)
    if cut.quote and cut.quote.encode() in stretch and _has_stray_quote(ended, breaks, cut):
        return None
    table = _parsed(memoryview(text)[1:], cut)
    lines = _lines(ended, breaks)
    return table.slice(0, table.num_rows - 1) if table is not None and table.num_rows == lines + 1 else None


def _breaks(text: _Bytes, *, has_returns: bool) -> Positions:
    """Where the line breaks stand, the one before the first line not among them."""
    return _places(text, *((_LF, _CR) if has_returns else (_LF,)))[1:]


def _places(text: _Bytes, *wanted: int) -> Positions:
    """Where those bytes stand, looked for piece by piece: a mask of the whole text would ask for as much new memory."""
    found = []
    for begin in range(0, len(text), _LOOKED_AT_ONCE):
        piece = text[begin : begin + _LOOKED_AT_ONCE]
        mask = piece == wanted[0]
        for other in wanted[1:]:
            mask |= piece == other
        found.append(np.flatnonzero(mask) + begin)
    return np.concatenate(found)


def _lines(text: _Bytes, breaks: Positions) -> int:
    """How many lines the breaks end; a carriage return and a line feed are one."""
    twofold = (text[breaks] == _LF) & (text[breaks - 1] == _CR)
    return len(breaks) - int(np.count_nonzero(twofold))


def _has_stray_quote(text: _Bytes, breaks: Positions, cut: Cut) -> bool:
    """A mark amid text, or a line with a mark that has no partner: what Arrow makes of it is not for certain.

    The first as ``mending.out_of_place`` says it, thirty times as quick as a search for that pattern. The text
    begins and ends with a line break.
    """
    quote = ord(cut.quote)
    marks = _places(text, quote)
    edges, inner = _kinds(cut)
    before, behind = text[marks - 1], text[marks + 1]
    amid = inner[before] & inner[behind]
    emptied = edges[before] & (behind == quote) & inner[text[np.minimum(marks + 2, len(text) - 1)]]
    if amid.any() or emptied.any():
        return True
    return bool((np.searchsorted(marks, breaks) % 2).any())  # marks before each break, so between any two


@lru_cache(maxsize=64)
def _kinds(cut: Cut) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """By byte: whether it stands between cells, and whether it stands within one and is no quote mark."""
    edges = np.zeros(256, dtype=bool)
    edges[[ord(cut.delimiter), _LF, _CR]] = True
    inner = ~edges
    inner[ord(cut.quote)] = False
    return edges, inner


def _parsed(text: bytes | memoryview, cut: Cut) -> pa.Table | None:
    names = [str(position) for position in range(cut.width)]
    try:
        return csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(column_names=names, block_size=min(len(text), _AT_ONCE)),
            csv.ParseOptions(
                delimiter=cut.delimiter,
                quote_char=cut.quote or False,
                newlines_in_values=True,
                ignore_empty_lines=False,
            ),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False),
        )
    except pa.ArrowInvalid:  # a row of another width, or bytes that are no UTF-8
        return None


def _block(table: pa.Table, row: int) -> Block:
    """The rows but for wholly blank ones."""
    index = np.arange(row, row + table.num_rows)
    blank = _blank_rows(table)
    if blank:
        kept = np.ones(table.num_rows, dtype=bool)
        kept[blank] = False
        table, index = table.filter(as_array(kept)), index[kept]
    return Block(Rows(table.columns, index))


def _blank_rows(table: pa.Table) -> list[int]:
    suspects = pc.indices_nonzero(pc.invert(pc.match_substring_regex(table.column(0), _VISIBLE))).to_pylist()
    return [at for at in suspects if is_blank([column[at].as_py() for column in table.columns])]
