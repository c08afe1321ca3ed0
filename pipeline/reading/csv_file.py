"""Delimited text as spreadsheets write it: RFC 4180, its relatives, and what people did to them by hand."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TextIO

from pipeline.errors import FileRefused
from pipeline.reading.blocks import Flaw, Raw, Shape, is_blank, make_blocks
from pipeline.reading.delimiter import find_delimiter, named_delimiter
from pipeline.reading.encoding import CHUNK, find_encoding
from pipeline.reading.header import SAMPLE_ROWS, Numbered, find_header, proven_header, title_note
from pipeline.reading.plain_csv import Cut, Place, plain_blocks
from pipeline.reading.refusals import empty, no_header_row, no_rows, not_a_table, readable
from pipeline.reading.table import Block, Found, Hints, Table

SAMPLE_BYTES = 1 << 18
LONGEST_CELL = 1 << 24
LONGEST_LINE = 1 << 26
WORTH_IT = 1000
"""Rows in a block from which on reading in bulk pays."""
# A code point Unicode reserves for never being exchanged: it stands in for delimiters of several characters,
# which the csv module does not know.
_STAND_IN = "\ufdd0"
_END = ""
_SEP_LINE = re.compile(r'"?sep=([^"\r\n]+)"?[\r\n]*$', re.IGNORECASE)
_NO_QUOTES = {"", "none", "off", "no"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How the text is cut. ``delimiter`` is ``None`` for one column, ``quote`` is ``""`` for none.

    ``space_before_quote``: a quoted cell may follow the delimiter after blanks. ``has_sep_line``: row 1 is
    Excel's ``sep=;`` and nothing else.
    """

    encoding: str
    delimiter: str | None
    quote: str = '"'
    space_before_quote: bool = False
    has_sep_line: bool = False

    @property
    def cuts_with(self) -> str:
        """The one character the csv module cuts at."""
        return self.delimiter if self.delimiter is not None and len(self.delimiter) == 1 else _STAND_IN


def open_csv(path: Path, hints: Hints) -> Table:
    """A delimited text file as a table; ``FileRefused`` when it cannot be read for certain."""
    encoding = find_encoding(path, hints.encoding)
    dialect = _find_dialect(path, encoding.name, hints)
    top = islice(_file_rows(path, dialect), SAMPLE_ROWS)
    above: list[Numbered] = [(number, cells) for number, cells, _ in top]
    if all(is_blank(cells) for _, cells in above):
        raise empty(path, "it holds nothing but blank lines")
    header_row = hints.header_row or find_header(above)
    header = _header(path, dialect, header_row)
    notes = ([encoding.note] if encoding.note else []) + list(title_note(header_row, above))
    found = Found("csv", dialect.encoding, dialect.delimiter, dialect.quote, None, header_row, tuple(notes))
    shape = Shape(header, exact=True)
    blocks = partial(_blocks, path, dialect, header_row, shape)
    if next(blocks(1), None) is None:
        raise no_rows(path, header_row)
    return Table(header, found, blocks)


def _blocks(path: Path, dialect: Dialect, header_row: int, shape: Shape, size: int) -> Iterator[Block]:
    """Plain stretches in bulk, and from the first one that is not plain, row by row."""
    begin = _behind_header(path, dialect, header_row) if size >= WORTH_IT else None
    reached = begin or Place(0, header_row + 1)
    if begin is not None:
        with readable(path):
            cut = Cut(dialect.cuts_with, dialect.quote, shape.width)
            for block, reached in plain_blocks(path, cut, begin, size):  # noqa: B007 - the last place is asked for below
                if len(block.frame):
                    yield block
            if reached.byte == path.stat().st_size:
                return
    below = (row for row in _file_rows(path, dialect) if row[0] >= reached.row)
    yield from make_blocks(below, shape, size)


def _behind_header(path: Path, dialect: Dialect, header_row: int) -> Place | None:
    """Where the rows begin, ``None`` when the file is none that can be read in bulk."""
    marks = dialect.cuts_with + dialect.quote
    odd = dialect.space_before_quote or dialect.has_sep_line or not marks.isascii()
    if odd or codecs.lookup(dialect.encoding).name != "utf-8":
        return None
    with readable(path), path.open("rb") as stream:
        head = b"".join(stream.readline(CHUNK) for _ in range(header_row))
    with suppress(FileRefused, UnicodeDecodeError):
        rows = list(_rows(path, io.StringIO(head.decode(), newline=""), dialect))
        return Place(len(head), header_row + 1) if head.endswith(b"\n") and len(rows) == header_row else None
    return None


def _header(path: Path, dialect: Dialect, header_row: int) -> tuple[str, ...]:
    for number, cells, _ in _file_rows(path, dialect):
        if number == header_row and not is_blank(cells):
            return proven_header(path, cells)
        if number >= header_row:
            break
    raise no_header_row(path, header_row)


def _find_dialect(path: Path, encoding: str, hints: Hints) -> Dialect:
    text = _sample_text(path, encoding)
    quote = _named_quote(path, hints.quote)
    sep = _SEP_LINE.match(text.split("\n", 1)[0].split("\r", 1)[0])
    plain = Dialect(encoding, None, quote, has_sep_line=sep is not None)

    def cut(delimiter: str | None) -> list[Raw]:
        return _cut_sample(path, text, replace(plain, delimiter=delimiter))

    if hints.delimiter:
        delimiter: str | None = named_delimiter(hints.delimiter)
    elif sep:
        delimiter = sep.group(1)
    else:
        delimiter = find_delimiter(path, text, lambda one: [cells for _, cells, _ in cut(one)])
    if delimiter is not None:
        _refuse_useless(path, delimiter, quote)
    sample = cut(delimiter)
    return replace(plain, delimiter=delimiter, space_before_quote=_has_space_before_quote(sample, quote))


def _has_space_before_quote(sample: Sequence[Raw], quote: str) -> bool:
    """Whether cells read as blank-then-quote: the writer put a blank after each delimiter."""
    cells = (cell for _, cells, _ in sample for cell in cells if cell[:1] == " ")
    return bool(quote) and any(cell.lstrip(" ").startswith(quote) for cell in cells)


def _named_quote(path: Path, hint: str | None) -> str:
    if hint is None:
        return '"'
    if hint.strip().casefold() in _NO_QUOTES:
        return ""
    if len(hint) != 1:
        raise _bad_hint(path, f"the quote mark “{hint}” has more than one character")
    return hint


def _refuse_useless(path: Path, delimiter: str, quote: str) -> None:
    if delimiter == quote or any(char in delimiter for char in "\r\n"):
        raise _bad_hint(path, "the delimiter is the quote mark or a line break")


def _bad_hint(path: Path, detail: str) -> FileRefused:
    return FileRefused(
        "unusable_hint",
        f"{path.name} cannot be read as the mapping says: {detail}.",
        "Correct `files: {delimiter: …, quote: …}` in the mapping, or leave them out so that they are found.",
    )


def _sample_text(path: Path, encoding: str) -> str:
    """The beginning of the file; a character or record cut off by the end of the sample is left out."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES + 1)
    text = head[:SAMPLE_BYTES].decode(encoding, "ignore").removeprefix("\ufeff")
    if "\x00" in text:
        raise not_a_table(path, "binary content")
    if len(head) <= SAMPLE_BYTES:
        return text
    last_end = max(text.rfind("\n"), text.rfind("\r"))
    return text[: last_end + 1] if last_end > 0 else text


def _cut_sample(path: Path, text: str, dialect: Dialect) -> list[Raw]:
    rows: list[Raw] = []
    # An open quote at the end of the sample may be closed further down; the real reading decides.
    with suppress(FileRefused):
        rows.extend(islice(_rows(path, io.StringIO(text, newline=""), dialect), SAMPLE_ROWS))
    return rows


def _file_rows(path: Path, dialect: Dialect) -> Iterator[Raw]:
    try:
        with readable(path), path.open(encoding=dialect.encoding, newline="", buffering=CHUNK) as stream:
            yield from _rows(path, stream, dialect)
    except UnicodeDecodeError:
        raise _undecodable(path, dialect) from None


def _rows(path: Path, stream: TextIO, dialect: Dialect) -> Iterator[Raw]:
    """Every record with its ordinal, blank ones included (as ``[]``); line breaks in a cell make no row."""
    lines: list[str] = []
    reader = _reader(_fed(path, stream, lines, dialect), dialect)
    number = 0
    try:
        for cells in reader:
            if lines[-1] == _END:
                if len(lines) > 1:
                    raise _unclosed(path, number + 1, cells)
                return
            number += 1
            flaws = _stray_quote(number, lines, dialect) if len(lines) > 1 else ()
            lines.clear()
            if number == 1 and dialect.has_sep_line:
                continue
            yield number, _restored(cells, dialect), flaws
    except csv.Error:
        raise _unclosed(path, number + 1, ()) from None


def _fed(path: Path, stream: TextIO, lines: list[str], dialect: Dialect) -> Iterator[str]:
    """The lines of the stream, noted in ``lines`` as the reader takes them, then one empty line as a probe.

    The reader gives the probe back as a row of its own, unless a quote is still open: then it swallows it.
    """
    many = dialect.delimiter if dialect.cuts_with == _STAND_IN else None
    first = True
    for read in iter(partial(stream.readline, LONGEST_LINE), ""):
        if len(read) >= LONGEST_LINE:
            raise not_a_table(path, "one endless line")
        line = read.removeprefix("\ufeff") if first else read
        first = False
        lines.append(line)
        yield line.replace(many, _STAND_IN) if many else line
    lines.append(_END)
    yield _END


def _reader(lines: Iterable[str], dialect: Dialect, *, strict: bool = False) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_CELL)
    if not dialect.quote:
        return csv.reader(lines, delimiter=dialect.cuts_with, quoting=csv.QUOTE_NONE, quotechar=None)
    return csv.reader(
        lines,
        delimiter=dialect.cuts_with,
        quotechar=dialect.quote,
        skipinitialspace=dialect.space_before_quote,
        strict=strict,
    )


def _restored(cells: list[str], dialect: Dialect) -> list[str]:
    """Delimiters of several characters that stood inside quotes get their own text back."""
    if dialect.delimiter is None or len(dialect.delimiter) == 1:
        return cells
    return [cell.replace(_STAND_IN, dialect.delimiter) for cell in cells]


def _stray_quote(number: int, lines: Sequence[str], dialect: Dialect) -> tuple[Flaw, ...]:
    """A record over several lines whose closing quote is followed by text: rows have run together."""
    if not dialect.quote:
        return ()
    quote = re.escape(dialect.quote)
    tidy = re.compile(rf"{quote}[ \t]+(?={re.escape(dialect.cuts_with)}|[\r\n]|$)")
    many = dialect.delimiter if dialect.cuts_with == _STAND_IN else None
    swapped = [line.replace(many, _STAND_IN) if many else line for line in lines]
    try:
        list(_reader([tidy.sub(dialect.quote, line) for line in swapped], dialect, strict=True))
    except csv.Error:
        return (
            Flaw(
                "unclosed_quote",
                f"Row {number} runs over {len(lines)} lines because a quote mark in it is not closed.",
                "Close the quote mark (inside a text it is written twice), and give each row its own line.",
            ),
        )
    return ()


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
