"""Workbooks of any kind as tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from pipeline.reading.blocks import Shape, TooLarge, make_blocks, visible_width
from pipeline.reading.encoding import Encoding
from pipeline.reading.header import (
    SAMPLE_ROWS,
    Numbered,
    below_note,
    described_rows,
    numbered_header,
    title_note,
)
from pipeline.reading.piece_blocks import blocks_of
from pipeline.reading.refusals import empty, no_header_row, no_rows, too_large_inside
from pipeline.reading.sheets import DOUBT_SHEET, RETURNED_SHEET, Sheet, choose_sheet
from pipeline.reading.table import Block, Found, Hints, Table
from pipeline.reading.tiers import find_tiers, tiered, tiers_note
from pipeline.reading.views import View, seen, seen_pieces, view_notes

_WORDS = {"html": "table"}
"""What people call a sheet of the format, where it is not a sheet."""


def open_workbook(path: Path, kind: str, hints: Hints) -> Table:
    """One sheet of a workbook, or one table of a web page, as a table, or ``FileRefused``."""
    encoding = _page_encoding(path, hints.encoding) if kind == "html" else None
    sheet, notes = choose_sheet(path, _sheets(path, kind, encoding), hints.sheet, _WORDS.get(kind, "sheet"))
    top: list[Numbered] = [(number, cells) for number, cells, _ in islice(sheet.rows(), SAMPLE_ROWS)]
    # A returned errors workbook has a layout of its own, whatever the mapping says about the feed's files.
    said = Hints(below_header=0, header_rows=1) if sheet.name in {RETURNED_SHEET, DOUBT_SHEET} else hints
    view = sheet.view()
    tiers = find_tiers(path, top, said, {one.top for one in view.merged if one.right > one.left})
    header_row = tiers[0]
    width = max((visible_width(cells) for _, cells in top), default=0)
    if not width:
        raise empty(path, f"there is nothing on sheet “{sheet.name}”")
    header = tiered(top, _header(path, sheet, header_row), tiers) if header_row else numbered_header(width)
    shape = Shape(header, exact=False)
    below = said.below_header if said.below_header is not None else described_rows(top, header_row)
    last_above = header_row + below
    notes += [encoding.note] if encoding and encoding.note else []
    notes += [*title_note(header_row - tiers[1] + 1, top), *tiers_note(tiers), *below_note(header_row, below)]
    notes += view_notes(path, sheet.name, view, said, last_above)
    blocks = partial(_blocks, path, sheet, view, said, last_above, shape)
    if next(blocks(1), None) is None:
        raise no_rows(path, header_row)
    found = Found(
        kind, encoding.name if encoding else None, sheet=sheet.name, header_row=header_row, notes=tuple(notes),
        below_header=below,
        hidden_rows=said.hidden_rows, merged_cells=said.merged_cells, header_rows=tiers[1],
    )  # fmt: skip
    return Table(shape.header, found, blocks)


def _page_encoding(path: Path, hint: str | None) -> Encoding:
    from pipeline.reading.html_file import page_encoding

    return page_encoding(path, hint)


def _sheets(path: Path, kind: str, encoding: Encoding | None) -> Sequence[Sheet]:
    opener: Callable[[Path], Sequence[Sheet]]
    if encoding:
        from pipeline.reading.html_file import open_sheets as tables_of

        return tables_of(path, encoding)
    match kind:
        case "xlsx":
            from pipeline.reading.xlsx_file import open_sheets as opener
        case "xml":
            from pipeline.reading.spreadsheetml_file import open_sheets as opener
        case "ods":
            from pipeline.reading.ods_file import open_sheets as opener
        case "xls":
            from pipeline.reading.xls_file import open_sheets as opener
        case _:
            from pipeline.reading.xlsb_file import open_sheets as opener
    return opener(path)


def _header(path: Path, sheet: Sheet, header_row: int) -> tuple[str, ...]:
    for number, cells, _ in sheet.rows():
        if number == header_row and visible_width(cells):
            return tuple(cells[: visible_width(cells)])
        if number >= header_row:
            break
    raise no_header_row(path, header_row)


def _blocks(
    path: Path, sheet: Sheet, view: View, said: Hints, last_above: int, shape: Shape, size: int
) -> Iterator[Block]:
    try:
        if sheet.pieces and not (said.merged_cells == "fill" and view.merged):
            yield from blocks_of(seen_pieces(sheet.pieces(), view, said, last_above), shape, size)
        else:
            yield from make_blocks(seen(sheet.rows(), view, said, last_above), shape, size)
    except TooLarge:
        raise too_large_inside(path) from None
