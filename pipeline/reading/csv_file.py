"""Delimited text as spreadsheets write it: RFC 4180, its relatives, and what people did to them by hand."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

from msgspec.structs import replace

from pipeline.errors import FileRefused
from pipeline.reading.blocks import Raw, Shape, is_blank, make_blocks, visible_width
from pipeline.reading.dialect import Dialect, find_dialect
from pipeline.reading.encoding import CHUNK, find_encoding
from pipeline.reading.header import (
    SAMPLE_ROWS,
    Numbered,
    below_note,
    described_rows,
    dominant_width,
    numbered_header,
    proven_header,
    title_note,
)
from pipeline.reading.mending import (
    is_sound,
    is_suspicious,
    mended,
    restored,
    run_together,
    separate,
    stray_quote,
)
from pipeline.reading.plain_csv import Cut, Place, Proved, plain_blocks
from pipeline.reading.refusals import empty, no_header_row, no_rows, not_a_table, readable
from pipeline.reading.table import Block, Found, Hints, Table
from pipeline.reading.tiers import find_tiers, tiered, tiers_note

LONGEST_CELL = 1 << 24
LONGEST_LINE = 1 << 26
WORTH_IT = 1000
"""Rows in a block from which on reading in bulk pays."""
_END = ""


def open_csv(path: Path, hints: Hints) -> Table:
    """A delimited text file as a table; ``FileRefused`` when it cannot be read for certain."""
    encoding = find_encoding(path, hints.encoding)
    dialect = replace(find_dialect(path, encoding.name, hints), errors=encoding.errors)
    top = islice(file_rows(path, dialect), SAMPLE_ROWS)
    above: list[Numbered] = [(number, cells) for number, cells, _ in top]
    if all(is_blank(cells) for _, cells in above):
        raise empty(path, "it holds nothing but blank lines")
    tiers = find_tiers(path, above, hints)
    header_row = tiers[0]
    width = dominant_width([len(cells) for _, cells in above])
    header = tiered(above, _header(path, dialect, header_row, width), tiers) if header_row else numbered_header(width)
    below = hints.below_header if hints.below_header is not None else described_rows(above, header_row)
    notes = [
        *([encoding.note] if encoding.note else []),
        *title_note(header_row - tiers[1] + 1, above),
        *tiers_note(tiers),
        *below_note(header_row, below),
    ]
    found = Found(
        "csv", dialect.encoding, dialect.delimiter, dialect.quote, None, header_row, tuple(notes),
        escape=dialect.escape, below_header=below, header_rows=tiers[1],
    )  # fmt: skip
    shape = _shape(header, [cells for number, cells in above if number > header_row + below and not is_blank(cells)])
    blocks = partial(_blocks, path, dialect, header_row + below, shape, {})
    if next(blocks(1), None) is None:
        raise no_rows(path, header_row)
    return Table(header, found, blocks)


def _shape(header: tuple[str, ...], rows: Sequence[Sequence[str]]) -> Shape:
    """What the first rows tell about all: how many cells they have, and how far they are filled."""
    usual = dominant_width([len(cells) for cells in rows])
    reached = sorted(visible_width(cells) for cells in rows)
    always = len(rows) > 1 and usual > len(header) and all(len(cells) == usual for cells in rows)
    return Shape(header, exact=True, usual=usual, always=always, reach=reached[len(reached) // 2] if reached else 0)


def _blocks(path: Path, dialect: Dialect, last_above: int, shape: Shape, proved: Proved, size: int) -> Iterator[Block]:
    """Plain stretches in bulk, and from the first one that is not plain, row by row."""
    begin = _behind(path, dialect, last_above) if size >= WORTH_IT else None
    reached = begin or Place(0, last_above + 1)
    if begin is not None:
        with readable(path):
            cut = Cut(dialect.cuts_with, dialect.quote, shape.width)
            for block, reached in plain_blocks(path, cut, begin, size, proved):  # noqa: B007 - the last place is asked for below
                if len(block.rows):
                    yield block
            if reached.byte == path.stat().st_size:
                return
    below = (row for row in file_rows(path, dialect, shape.needed) if row[0] >= reached.row)
    yield from make_blocks(below, shape, size)


def _behind(path: Path, dialect: Dialect, last_above: int) -> Place | None:
    """Where the rows begin, ``None`` when the file is none that can be read in bulk."""
    marks = dialect.cuts_with + dialect.quote
    odd = dialect.space_before_quote or dialect.has_sep_line or dialect.escape or not marks.isascii()
    if odd or codecs.lookup(dialect.encoding).name != "utf-8":
        return None
    if not last_above:
        return Place(0, 1)
    with readable(path), path.open("rb") as stream:
        head = b"".join(stream.readline(CHUNK) for _ in range(last_above))
    with suppress(FileRefused, UnicodeDecodeError):
        rows = list(_rows(path, io.StringIO(head.decode(), newline=""), dialect))
        return Place(len(head), last_above + 1) if head.endswith(b"\n") and len(rows) == last_above else None
    return None


def _header(path: Path, dialect: Dialect, header_row: int, width: int) -> tuple[str, ...]:
    for number, cells, _ in file_rows(path, dialect, width):
        if number == header_row and not is_blank(cells):
            return proven_header(path, cells)
        if number >= header_row:
            break
    raise no_header_row(path, header_row)


def file_rows(path: Path, dialect: Dialect, width: int = 0, *, keep: bool = False) -> Iterator[Raw]:
    """Every record of the file, see ``_rows``; ``keep``: also what an open quote at the end has swallowed."""
    try:
        with (
            readable(path),
            path.open(encoding=dialect.encoding, errors=dialect.errors, newline="", buffering=CHUNK) as stream,
        ):
            yield from _rows(path, stream, dialect, width, keep=keep)
    except UnicodeDecodeError:
        raise _undecodable(path, dialect) from None


def _rows(path: Path, stream: TextIO, dialect: Dialect, width: int = 0, *, keep: bool = False) -> Iterator[Raw]:
    """Every record with its ordinal, blank ones included (as ``[]``); line breaks in a cell make no row.

    ``width``: how many cells a record should have; one whose quote marks do not fit is laid out so, where that works.
    """
    lines: list[str] = []
    reader = _reader(_fed(path, stream, lines, dialect), dialect)
    number = 0
    try:
        for cells in reader:
            if lines[-1] == _END:
                if len(lines) > 1 and not keep:
                    raise _unclosed(path, number + 1, cells)
                if len(lines) > 1:
                    yield from _told(number + 1, cells, lines[:-1], dialect, width)
                return
            record = lines.copy()
            lines.clear()
            if number == 0 and dialect.has_sep_line:
                number = 1
                continue
            for row in _told(number + 1, cells, record, dialect, width):
                number = row[0]
                yield row
    except csv.Error:
        raise _too_long(path, number + 1) if len(lines) < 2 else _unclosed(path, number + 1, ()) from None


def _told(number: int, cells: list[str], lines: list[str], dialect: Dialect, width: int) -> Iterator[Raw]:
    """A record as a row, or as several where an open quote mark has made one of them."""
    suspicious = len(lines) > 1 or is_suspicious(dialect.prepared(lines[0]), dialect)
    if not suspicious or not dialect.quote or is_sound("".join(lines), dialect):
        yield number, [restored(cell, dialect) for cell in cells], ()
    elif len(lines) > 1 and separate(lines, dialect):
        for at, line in enumerate(lines):
            alone = mended(line, dialect, width) or line.rstrip("\r\n").split(dialect.delimiter)
            yield number + at, alone, (run_together(number + at, number, len(lines)),)
    else:
        text = "".join(lines)
        flaw = stray_quote(number) if len(lines) == 1 else run_together(number, number, len(lines))
        yield number, mended(text, dialect, width) or [restored(cell, dialect) for cell in cells], (flaw,)


def _fed(path: Path, stream: TextIO, lines: list[str], dialect: Dialect) -> Iterator[str]:
    """The lines of the stream, noted in ``lines`` as the reader takes them, then one empty line as a probe.

    The reader gives the probe back as a row of its own, unless a quote is still open: then it swallows it.
    """
    for read in iter(partial(stream.readline, LONGEST_LINE), ""):
        if len(read) >= LONGEST_LINE:
            raise not_a_table(path, "one endless line")
        # Two programs may have marked a file, one after the other, and files may have been put together, marks and all.
        line = read.lstrip("\ufeff")
        lines.append(line)
        yield dialect.prepared(line)
    lines.append(_END)
    yield _END


def _reader(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    return csv.reader(lines, **dialect.reader_options())  # type: ignore[arg-type]


def _too_long(path: Path, row: int) -> FileRefused:
    return not_a_table(
        path,
        f"a file with a cell of more than {LONGEST_CELL:,} letters (in row {row})",
        "Check that it has line breaks and delimiters, take that cell out, and drop the file again.",
    )


def _unclosed(path: Path, row: int, cells: Sequence[str]) -> FileRefused:
    where = f"row {row}, cell {len(cells)}" if cells else f"row {row}"
    return FileRefused(
        "unclosed_quote",
        f"{path.name} cannot be read to its end: the quote mark that opens in {where} is never closed, so "
        "everything after it would be one cell.",
        "Close it (a quote mark inside a text is written twice) and drop the file again; if quote marks mean "
        "nothing in this file, say so in the mapping: `files: {quote: none}`.",
    )


def _undecodable(path: Path, dialect: Dialect) -> FileRefused:
    row = _first_undecodable_row(path, dialect)
    return FileRefused(
        "undecodable",
        f"{path.name} cannot be read as {dialect.encoding}: row {row} holds bytes that are no letters in it.",
        "Save the file as CSV UTF-8 and drop it again, or name its encoding in the mapping: `files: {encoding: …}`.",
    )


def _first_undecodable_row(path: Path, dialect: Dialect) -> int:
    """Read again, marking what cannot be decoded; only ever done to name the row."""
    replacement = "\ufffd"
    row = 1
    with path.open(encoding=dialect.encoding, errors="replace", newline="") as stream:
        for row, cells, _ in _rows(path, stream, dialect):  # noqa: B007 - the last row is the answer when none is marked
            if any(replacement in cell for cell in cells):
                break
    return row
