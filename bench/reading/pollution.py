"""The polluted files of the Pollock benchmark, made anew from their published description.

Vitagliano et al., "Pollock: A Data Loading Benchmark", PVLDB 16(8), 2023, and the list in the benchmark's README: one
sales file of 84 rows and 9 columns, and from it 2,289 files with one pollution each. Only the source file is needed;
``python bench/reading/scores.py`` compares with the published files where they are present.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

# How often each pollution was seen in the survey of 3,712 real files (same publication): the weights of the score.
# A group's weight is shared by its files.
WEIGHTS = {
    "source.csv": 1, "file_no_payload.csv": 15, "file_no_trailing_newline.csv": 184,
    "file_double_trailing_newline.csv": 5, "file_no_header.csv": 470, "file_header_multirow_2.csv": 47,
    "file_header_multirow_3.csv": 47, "file_preamble.csv": 282, "file_multitable_less.csv": 188 / 3,
    "file_multitable_same.csv": 188 / 3, "file_multitable_more.csv": 188 / 3, "file_header_only.csv": 3,
    "file_one_data_row.csv": 4, "file_record_delimiter_0xD.csv": 7, "file_record_delimiter_0xA.csv": 1691,
    "file_field_delimiter_0x9.csv": 4, "file_field_delimiter_0x3B.csv": 834, "file_field_delimiter_0x20.csv": 4,
    "file_field_delimiter_0x2C_0x20.csv": 101, "file_quotation_char_0x27.csv": 11, "file_escape_char_0x5C.csv": 1,
    "file_escape_char_0x00.csv": 7,
}  # fmt: skip
_GROUP_WEIGHTS = {
    "row_less_sep": 260 / 707, "row_more_sep": 260 / 707, "row_extra_quote": 1 / 108, "row_field_delimiter": 1 / 7,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell; ``marked``: it stands in quote marks. ``glued``: no delimiter before it."""

    text: str
    marked: bool = False
    stray: bool = False
    glued: bool = False
    pushed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row; ``end`` and ``delimiter`` take the place of the file's where they are not ``None``."""

    cells: tuple[Cell, ...]
    delimiter: str | None = None
    end: str | None = None


@dataclass(frozen=True, slots=True)
class Polluted:
    """One file of the benchmark: its bytes, and the rows a perfect reader gives (header first)."""

    name: str
    content: bytes
    clean: tuple[tuple[str, ...], ...]

    @property
    def weight(self) -> float:
        """Its share in the weighted score, not yet divided by the sum of all."""
        group = next((weight for prefix, weight in _GROUP_WEIGHTS.items() if self.name.startswith(prefix)), 0.0)
        return WEIGHTS.get(self.name, group)


@dataclass(frozen=True, slots=True)
class _Writing:
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    end: str = "\r\n"
    before: tuple[Row, ...] = ()
    behind: tuple[Row, ...] = field(default=())


def polluted_files(source: Path) -> Iterator[Polluted]:
    """Every file of the benchmark, made from its source file."""
    rows = _source_rows(source)
    plain = _Writing()
    yield _made("source.csv", rows, plain)
    yield from _whole_files(rows, plain)
    yield from _other_writing(rows, plain)
    for at, row in enumerate(rows):
        yield from _single_rows(rows, at, row, plain)


def _source_rows(source: Path) -> list[Row]:
    """The source with the knowledge which cells stand in quote marks."""
    with source.open(encoding="utf-8", newline="") as stream:
        text = stream.read().replace("\r\n", "\n")
    rows = []
    for line, cells in zip(text.splitlines(), csv.reader(text.splitlines()), strict=True):
        rest, row = line, []
        for cell in cells:
            marked = rest.startswith('"')
            row.append(Cell(cell, marked))
            rest = rest[len(cell) + cell.count('"') * marked + 2 * marked + 1 :]
        rows.append(Row(tuple(row)))
    return rows


def _whole_files(rows: Sequence[Row], plain: _Writing) -> Iterator[Polluted]:
    yield _made("file_no_payload.csv", [], plain, clean=())
    last = replace(rows[-1], end="")
    yield _made("file_no_trailing_newline.csv", [*rows[:-1], last], plain)
    yield _made("file_double_trailing_newline.csv", [*rows[:-1], replace(rows[-1], end="\r\n\r\n")], plain)
    yield _made("file_no_header.csv", rows[1:], plain)
    bare = Row(tuple(replace(cell, marked=False) for cell in rows[0].cells))
    for extra in (1, 2):
        joined = tuple(" ".join([cell.text] * (extra + 1)) for cell in rows[0].cells)
        clean = (joined, *_clean(rows[1:]))
        yield _made(f"file_header_multirow_{extra + 1}.csv", [*[bare] * extra, *rows], plain, clean=clean)
    width = len(rows[0].cells)
    preamble = (Row((Cell("PREAMBLE"), *[Cell("")] * (width - 1))), Row((Cell(""),) * width))
    yield _made("file_preamble.csv", rows, replace(plain, before=preamble))
    for name, columns in (("less", width - 1), ("same", width), ("more", width + 1)):
        second = tuple(_second_table(row, at, columns) for at, row in enumerate(rows[:-1]))
        yield _made(f"file_multitable_{name}.csv", rows, replace(plain, behind=second))
    yield _made("file_header_only.csv", rows[:1], plain)
    yield _made("file_one_data_row.csv", rows[:2], plain)


def _second_table(row: Row, at: int, columns: int) -> Row:
    cells = [*row.cells, Cell("" if at else "col1")][:columns]
    return Row(tuple(replace(cell, marked="," in cell.text or '"' in cell.text) for cell in cells))


def _other_writing(rows: Sequence[Row], plain: _Writing) -> Iterator[Polluted]:
    for end in ("\n", "\r"):
        yield _made(f"file_record_delimiter_0x{ord(end):X}.csv", rows, replace(plain, end=end))
    for delimiter in (";", "\t", ", ", " "):
        name = "_".join(f"0x{ord(char):X}" for char in delimiter)
        yield _made(f"file_field_delimiter_{name}.csv", rows, replace(plain, delimiter=delimiter))
    yield _made("file_quotation_char_0x27.csv", rows, replace(plain, quote="'"))
    yield _made("file_escape_char_0x5C.csv", rows, replace(plain, escape="\\"))
    yield _made("file_escape_char_0x00.csv", rows, replace(plain, escape=""))


def _single_rows(rows: Sequence[Row], at: int, row: Row, plain: _Writing) -> Iterator[Polluted]:
    """The files in which one row of the source is changed."""

    def made(name: str, changed: Row) -> Polluted:
        return _made(name, [*rows[:at], changed, *rows[at + 1 :]], plain)

    for column in range(len(row.cells)):
        yield made(f"row_more_sep_row{at}_col{column}.csv", _with(row, column, pushed=True))
        if column:
            yield made(f"row_less_sep_row{at}_col{column}.csv", _with(row, column, glued=True))
        yield made(f"row_extra_quote{at}_col{column}.csv", _with(row, column, stray=True))
    yield made(f"row_field_delimiter_{at}_0x20.csv", replace(row, delimiter=" "))


def _with(row: Row, column: int, **marks: bool) -> Row:
    cells = list(row.cells)
    cells[column] = replace(cells[column], **marks)
    return replace(row, cells=tuple(cells))


def _made(
    name: str, rows: Sequence[Row], writing: _Writing, *, clean: tuple[tuple[str, ...], ...] | None = None
) -> Polluted:
    whole = [*writing.before, *rows, *writing.behind]
    text = "".join(_written(row, writing) for row in whole)
    return Polluted(name, text.encode(), _clean(rows) if clean is None else clean)


def _clean(rows: Sequence[Row]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(('"' if cell.stray else "") + cell.text for cell in row.cells) for row in rows)


def _written(row: Row, writing: _Writing) -> str:
    delimiter = row.delimiter if row.delimiter is not None else writing.delimiter
    pieces: list[str] = []
    for at, cell in enumerate(row.cells):
        pieces.append(delimiter if at and not cell.glued else "")
        pieces.append(delimiter if cell.pushed else "")
        text = ('"' if cell.stray else "") + cell.text.replace('"', writing.escape + '"')
        pieces.append(writing.quote + text + writing.quote if cell.marked else text)
    return "".join(pieces) + (row.end if row.end is not None else writing.end)
