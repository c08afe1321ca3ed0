"""What the workbook readers have in common: sheets of rows, and the choice of the one that is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from msgspec import Struct

from pipeline.errors import FileRefused, nearest
from pipeline.reading.blocks import Raw, is_blank, visible_width
from pipeline.reading.header import SAMPLE_ROWS
from pipeline.reading.pieces import SheetPiece
from pipeline.reading.refusals import empty
from pipeline.reading.views import View

# The first sheet of an errors workbook that comes back corrected; its other sheets are for people.
RETURNED_SHEET = "Fix these rows"
# Its sheet of decisions about unanswered calls, which may come back alone.
DOUBT_SHEET = "Settle these doubts"
LAST_ROW, LAST_COLUMN = 1_048_576, 16_384


class Sheet(Struct, frozen=True):
    """One sheet; ``rows()`` reads from the start each time, ``view()`` tells of hidden rows and merged cells.

    ``pieces()``, where a reader has it, gives the same rows many at once.
    """

    name: str
    rows: Callable[[], Iterator[Raw]]
    is_hidden: bool = False
    view: Callable[[], View] = View
    pieces: Callable[[], Iterator[SheetPiece]] | None = None


def choose_sheet(
    path: Path, sheets: Sequence[Sheet], wanted: str | None, word: str = "sheet"
) -> tuple[Sheet, list[str]]:
    """The sheet to read and sentences about the choice; ``FileRefused`` when it cannot be told.

    ``word`` is what people call a sheet of that file: a ``table`` of a web page.
    """
    ours = {sheet.name: sheet for sheet in sheets if sheet.name in {RETURNED_SHEET, DOUBT_SHEET}}
    if ours:
        meant = wanted if wanted in ours else RETURNED_SHEET
        return ours.get(meant) or ours[DOUBT_SHEET], []
    if wanted:
        return _named(path, sheets, wanted, word), []
    visible = [sheet for sheet in sheets if not sheet.is_hidden]
    widths = {sheet.name: _columns(sheet) for sheet in visible}
    filled = [sheet for sheet in visible if widths[sheet.name]]
    notes = _hidden_note(sheets, word)
    if not filled:
        raise empty(path, f"its visible {word}s hold nothing")
    tables = [sheet for sheet in filled if widths[sheet.name] >= 2] or filled
    if len(tables) > 1:
        raise _which(path, tables, word)
    others = [sheet.name for sheet in filled if sheet is not tables[0]]
    if others:
        left = _listed(others, word)
        notes.append(f"Read {word} “{tables[0].name}”; {left} holds no rows and columns, and was left out.")
    return tables[0], notes


def _named(path: Path, sheets: Sequence[Sheet], wanted: str, word: str) -> Sheet:
    for same in (str, str.strip, lambda name: name.strip().casefold()):
        for sheet in sheets:
            if same(sheet.name) == same(wanted):
                return sheet
    names = [sheet.name for sheet in sheets]
    raise FileRefused(
        "no_such_sheet",
        f"{path.name} has no {word} “{wanted}”.{nearest(wanted, names)} It has {_listed(names, word)}.",
        f"Rename the {word} in the file, or correct `files: {{sheet: …}}` in the mapping.",
        tuple(names),
    )


def _columns(sheet: Sheet) -> int:
    """How many columns the top of a sheet uses, 0 when there is nothing."""
    top = (cells for _, cells, _ in islice(sheet.rows(), SAMPLE_ROWS) if not is_blank(cells))
    used = [frozenset(i for i, cell in enumerate(cells[: visible_width(cells)]) if cell.strip()) for cells in top]
    return len(frozenset[int]().union(*used))


def _hidden_note(sheets: Sequence[Sheet], word: str) -> list[str]:
    hidden = [sheet.name for sheet in sheets if sheet.is_hidden]
    return [f"Hidden: {_listed(hidden, word)}; not read."] if hidden else []


def _which(path: Path, tables: Sequence[Sheet], word: str) -> FileRefused:
    names = _listed([sheet.name for sheet in tables], word)
    return FileRefused(
        "which_sheet",
        f"{path.name} has rows on several {word}s: {names}. It cannot be told which one is meant.",
        f'Name one in the mapping, for example `files: {{sheet: "{tables[0].name}"}}`, or send a workbook '
        "with that sheet only.",
        tuple(sheet.name for sheet in tables),
    )


def _listed(names: Sequence[str], word: str) -> str:
    shown = [f"“{name}”" for name in names[:8]] + (["…"] if len(names) > 8 else [])
    return (f"{word} " if len(names) == 1 else f"{word}s ") + ", ".join(shown)
