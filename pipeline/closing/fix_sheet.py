"""The sheet to correct: the file's own table, header in row 1, every cell text, ours to the right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.closing.cells import CELL_LIMIT, CUT_MARK, fit, units, write_text
from pipeline.closing.look import Look, Sheet
from pipeline.closing.reference import our_headers, write_reference
from pipeline.closing.sheet import COLUMN_LIMIT, ErrorsSheet, Problem, SheetRow

_OUR_WIDTHS = (58, 46, 6)  # Problem, What to do, Row reference; in characters
_NOTES_LIMIT = 20_000  # beyond this, notes make a workbook slow to open; the cells are red all the same
_ROWS_MEASURED = 300  # how many rows decide the width of a column


class FixSheet:
    """Writes one sheet, row by row from the top, as XlsxWriter's ``constant_memory`` demands."""

    def __init__(self, sheet: Sheet, look: Look, errors: ErrorsSheet) -> None:
        self.sheet = sheet
        self.look = look
        self.errors = errors
        widest = max([len(errors.header), *(len(row.cells) for row in errors.rows)])
        self.width = min(widest, COLUMN_LIMIT - len(_OUR_WIDTHS))
        self.own = errors.header[: self.width]
        self.ours = our_headers(errors.header, extra_cells=self.width - len(self.own))
        self.notes_left = _NOTES_LIMIT

    def write(self) -> None:
        """The whole sheet."""
        self._furnish()
        self._header_row()
        for line, row in enumerate(self.errors.rows, 1):
            self._body_row(line, row)

    def _furnish(self) -> None:
        """Everything that is not a cell: widths, frozen header, filter, tab, print set-up."""
        sheet, cell = self.sheet, self.look.cell
        for column, chars in enumerate((*self._widths(), *_OUR_WIDTHS)):
            sheet.set_column(column, column, chars, cell)  # with a format: rows people add are text as well
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(len(self.errors.rows), 1), self.width + len(_OUR_WIDTHS) - 1)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        sheet.set_tab_color(self.look.RED)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        if self.errors.rows or not self.errors.doubts:  # where only doubts wait, their sheet is opened
            sheet.activate()

    def _widths(self) -> Iterator[int]:
        sample = self.errors.rows[:_ROWS_MEASURED]
        for column in range(self.width):
            header = (*self.own, *self.ours)[column]
            longest = max((len(row.cells[column]) for row in sample if column < len(row.cells)), default=0)
            yield min(max(len(header) + 4, longest + 2, 8), 34)  # 4: room for the filter's button

    def _header_row(self) -> None:
        wrong = {problem.column for row in self.errors.rows for problem in row.problems}
        self.sheet.set_row(0, 30)
        for column, text in enumerate((*self.own, *self.ours)):
            plain = self.look.wrong_header if column in wrong else self.look.header
            write_text(self.sheet, 0, column, text, plain if column < len(self.own) else self.look.our_header)

    def _body_row(self, line: int, row: SheetRow) -> None:
        look, width = self.look, self.width
        problems = (*row.problems, *self._does_not_fit(row))
        wrong = {problem.column for problem in problems}
        for column in range(width):
            text = row.cells[column] if column < len(row.cells) else ""
            write_text(self.sheet, line, column, text, look.wrong_cell if column in wrong else look.cell)
        style = look.held if all(problem.held for problem in problems) else look.problem
        told, advised = _numbered([p.message for p in problems]), _numbered([p.advice for p in problems])
        write_text(self.sheet, line, width, told, style)
        write_text(self.sheet, line, width + 1, advised, look.advice)
        self.sheet.set_row(line, 15.5 * max(_lines(told, _OUR_WIDTHS[0]), _lines(advised, _OUR_WIDTHS[1])))
        reference = write_reference(self.errors.link, row.number)
        write_text(self.sheet, line, width + 2, reference, look.reference)
        self._notes(line, problems)

    def _notes(self, line: int, problems: Sequence[Problem]) -> None:
        """One note for each wrong cell, with all that is wrong with it."""
        for column in sorted({p.column for p in problems if p.column is not None and p.column < self.width}):
            if self.notes_left > 0:
                told = (fit(f"{p.message}\n{p.advice}".strip())[:1000] for p in problems if p.column == column)
                text = "\n\n".join(told)[:8000]
                self.sheet.write_comment(line, column, text, self.look.note(text))
                self.notes_left -= 1

    def _does_not_fit(self, row: SheetRow) -> Iterator[Problem]:
        """What a workbook cannot show as it is: the Problem text says so, nothing is cut in silence."""
        for column, text in enumerate(row.cells[: self.width]):
            if len(text) > CELL_LIMIT // 2 and units(text) > CELL_LIMIT and fit(text).endswith(CUT_MARK):
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
