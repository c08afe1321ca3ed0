"""The sheet to correct: the file's own table, header in row 1, every cell text, ours to the right."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pipeline.closing.cells import CELL_LIMIT, CUT_MARK, fit, units
from pipeline.closing.look import Look, Sheet
from pipeline.closing.passing import Ahead, Passing, Seen
from pipeline.closing.reference import our_headers, write_reference
from pipeline.closing.row_writer import RowWriter
from pipeline.closing.sheet import COLUMN_LIMIT, ErrorsSheet, Problem, SheetRow

_OUR_WIDTHS = (58, 46, 6)  # Problem, What to do, Row reference; in characters
NOTES_LIMIT = 20_000
"""Beyond so many, notes make a workbook slow to open; the cells are red all the same."""

_TALLEST_NOTE = 25
"""Rows that a note may reach over."""


class FixSheet:
    """Writes one sheet, row by row from the top."""

    def __init__(self, sheet: Sheet, look: Look, errors: ErrorsSheet, ahead: Ahead) -> None:
        self.sheet = sheet
        self.look = look
        self.errors = errors
        self.ahead = ahead
        self.width = min(max(len(errors.header), ahead.widest), COLUMN_LIMIT - len(_OUR_WIDTHS))
        self.own = errors.header[: self.width]
        self.ours = our_headers(errors.header, extra_cells=self.width - len(self.own))
        self.seen = Seen()
        self.notes = 0
        self._noted = -_TALLEST_NOTE
        self._writer = RowWriter(sheet, self.width + len(_OUR_WIDTHS))
        style = self._writer.style
        self._cell, self._wrong_cell, self._problem = style(look.cell), style(look.wrong_cell), style(look.problem)
        self._held, self._advice, self._reference = style(look.held), style(look.advice), style(look.reference)

    def write(self, rows: Passing, most: int, most_bytes: int) -> None:
        """The whole sheet: of the rows, as many as it may hold."""
        self._furnish()
        self._header_row()
        for line, row in enumerate(rows.take(most), 1):
            self._body_row(line, row)
            self.seen.add(row)
            if self._writer.written > most_bytes:
                break
        self.sheet.autofilter(0, 0, max(self.seen.rows, 1), self.width + len(_OUR_WIDTHS) - 1)
        self._writer.close()

    def _furnish(self) -> None:
        """Everything that is not a cell: widths, frozen header, tab, print set-up."""
        sheet, cell = self.sheet, self.look.cell
        for column, chars in enumerate((*self._widths(), *_OUR_WIDTHS)):
            sheet.set_column(column, column, chars, cell)  # with a format: rows people add are text as well
        sheet.freeze_panes(1, 0)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        sheet.set_tab_color(self.look.RED)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        if self.ahead.any or not self.errors.doubts:  # where only doubts wait, their sheet is opened
            sheet.activate()

    def _widths(self) -> Iterator[int]:
        for column, header in zip(range(self.width), (*self.own, *self.ours), strict=False):
            longest = self.ahead.longest[column] if column < len(self.ahead.longest) else 0
            yield min(max(len(header) + 4, longest + 2, 8), 34)  # 4: room for the filter's button

    def _header_row(self) -> None:
        style, wrong, own = self._writer.style, self.ahead.wrong, len(self.own)
        plain, marked = style(self.look.header), style(self.look.wrong_header)
        styles = [marked if column in wrong else plain for column in range(own)]
        self._writer.row(
            (*self.own, *self.ours), (*styles, *(style(self.look.our_header),) * len(self.ours)), 30, noted=True
        )

    def _body_row(self, line: int, row: SheetRow) -> None:
        width = self.width
        problems = (*row.problems, *self._does_not_fit(row))
        styles = [self._cell] * width
        wrong = {p.column for p in problems if p.column is not None and p.column < width}
        for column in wrong:
            styles[column] = self._wrong_cell
        short = ("",) * (width - len(row.cells))
        told, advised = _numbered([p.message for p in problems]), _numbered([p.advice for p in problems])
        reference = write_reference(self.errors.link, row.number)
        self._notes(line, problems, wrong)
        self._writer.row(
            (*row.cells[:width], *short, told, advised, reference),
            (*styles, self._held if all(p.held for p in problems) else self._problem, self._advice, self._reference),
            15.5 * max(_lines(told, _OUR_WIDTHS[0]), _lines(advised, _OUR_WIDTHS[1])),
            noted=line - self._noted < _TALLEST_NOTE,
        )

    def _notes(self, line: int, problems: Sequence[Problem], wrong: Collection[int]) -> None:
        """One note for each wrong cell, with all that is wrong with it."""
        for column in sorted(wrong):
            if self.notes < NOTES_LIMIT:
                told = (fit(f"{p.message}\n{p.advice}".strip())[:1000] for p in problems if p.column == column)
                text = "\n\n".join(told)[:8000]
                self.sheet.write_comment(line, column, text, self.look.note(text))
                self._noted = line
            self.notes += 1

    def _does_not_fit(self, row: SheetRow) -> Iterator[Problem]:
        """What a workbook cannot show as it is: the Problem text says so, nothing is cut in silence."""
        long = max(map(len, row.cells), default=0) > CELL_LIMIT // 2
        for column, text in enumerate(row.cells[: self.width] if long else ()):
            if units(text) > CELL_LIMIT and fit(text).endswith(CUT_MARK):
                yield Problem(
                    column,
                    f"Column '{(*self.own, *self.ours)[column]}' holds {len(text):,} characters: too many.",
                    f"Shorten it to at most {CELL_LIMIT:,} characters and take the mark at its end away.",
                )
        if len(row.cells) > self.width:
            yield Problem(
                None,
                f"The row has {len(row.cells):,} cells; a sheet has room for {self.width:,} of them.",
                "Delete this row here and correct it in the original file.",
            )


def _lines(text: str, width: int) -> int:
    """Lines a wrapped text takes in a column of ``width`` characters; a row is at most 409 points high."""
    return min(max(sum(1 + len(line) // (width - 6) for line in text.splitlines()), 1), 26)


def _numbered(sentences: Sequence[str]) -> str:
    """The sentences of one row in one cell, each with the number of its problem when they differ."""
    distinct = {sentence for sentence in sentences if sentence}
    if len(distinct) < 2:
        return "".join(distinct)
    return "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1) if sentence)
