"""The sheet of doubts: what was sent and not answered, and a cell in which a person says what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline.closing.cells import write_text
from pipeline.closing.look import Look, Sheet
from pipeline.closing.reference import (
    DECISION,
    DOUBT_REFERENCE,
    PROBLEM,
    REMOTE_ID,
    DoubtOrigin,
    folded,
    read_doubt_reference,
)
from pipeline.closing.sheet import SheetDoubt

if TYPE_CHECKING:  # the type only: a workbook is written without Arrow
    from pipeline.rows import Rows

DOUBT_SHEET = "Settle these doubts"
DECISIONS: Mapping[str, str] = {"It is there": "delivered", "Send it again": "resend", "Let it be": "drop"}
"""What the drop-down offers, and the word of ``orderdrop doubt settle --as`` for it."""

_COLUMNS: Mapping[str, int] = {
    "In doubt since": 17, "Age": 11, "Key": 16, "Row": 7, "Account": 13, "Operation": 16, "What was sent": 52,
    "What was seen since": 30, "Search for": 26, DECISION: 16, REMOTE_ID: 18, PROBLEM: 40, DOUBT_REFERENCE: 6,
}  # fmt: skip
"""Header texts, and widths in characters."""

_ASKED = "Look at the target, then choose. Leave it empty while you do not know."


class Answer(Struct, frozen=True):
    """A row of a returned sheet as it was typed; ``row`` is where it stands there."""

    row: int
    origin: DoubtOrigin | None
    decision: str
    remote_id: str

    @property
    def is_given(self) -> bool:
        """Whether somebody decided, or tried to."""
        return bool(self.decision or self.remote_id)

    @property
    def meant(self) -> str | None:
        """The word of ``doubt settle --as``; ``None`` when no decision can be read out of the cell."""
        words = {folded(text): word for text, word in DECISIONS.items()} | {word: word for word in DECISIONS.values()}
        return words.get(folded(self.decision).rstrip("."))


class DoubtSheet:
    """Writes one sheet, row by row from the top, as XlsxWriter's ``constant_memory`` demands."""

    def __init__(self, sheet: Sheet, look: Look, doubts: Sequence[SheetDoubt]) -> None:
        self.sheet = sheet
        self.look = look
        self.doubts = doubts

    def write(self, *, opens_here: bool) -> None:
        """The whole sheet; ``opens_here``: it is what a person sees first."""
        self._furnish()
        if opens_here:
            self.sheet.activate()
        ours = {DECISION, REMOTE_ID}
        for column, text in enumerate(_COLUMNS):
            write_text(self.sheet, 0, column, text, self.look.our_header if text in ours else self.look.header)
        for line, doubt in enumerate(self.doubts, 1):
            self._row(line, doubt)

    def _furnish(self) -> None:
        sheet, last = self.sheet, len(self.doubts)
        for column, chars in enumerate(_COLUMNS.values()):
            sheet.set_column(column, column, chars, self.look.cell)
        sheet.set_row(0, 30)
        sheet.freeze_panes(1, 3)
        sheet.autofilter(0, 0, last, len(_COLUMNS) - 1)
        sheet.set_tab_color("#B26A00")
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        chosen = list(_COLUMNS).index(DECISION)
        sheet.data_validation(1, chosen, last, chosen, {
            "validate": "list", "source": list(DECISIONS), "input_title": DECISION, "input_message": _ASKED,
            "error_title": "One of the three", "error_message": f"Choose: {', '.join(DECISIONS)}.",
        })  # fmt: skip

    def _row(self, line: int, doubt: SheetDoubt) -> None:
        look = self.look
        told = (
            (f"{doubt.since:%Y-%m-%d %H:%M}", look.cell), (doubt.age, look.cell), (doubt.key, look.cell),
            (doubt.rows, look.cell), (doubt.account, look.cell), (doubt.operation, look.cell),
            (doubt.sent, look.wrapped), (doubt.seen, look.wrapped), (doubt.search_for, look.wrapped),
            ("", look.asked), ("", look.asked), (doubt.problem, look.problem if doubt.problem else look.wrapped),
            (doubt.reference, look.reference),
        )  # fmt: skip
        widths = tuple(_COLUMNS.values())
        tallest = max(1 + len(text) // max(widths[column] - 3, 1) for column, (text, _) in enumerate(told[:-1]))
        self.sheet.set_row(line, 15.5 * min(max(tallest, 2), 12))
        for column, (text, style) in enumerate(told):
            write_text(self.sheet, line, column, text, style)


def is_doubt_sheet(header: Sequence[str]) -> bool:
    """Whether the header is that of the sheet of doubts: the column of doubt references is there."""
    return folded(DOUBT_REFERENCE) in map(folded, header)


def has_decisions(header: Sequence[str]) -> bool:
    """Whether the column of decisions is still there."""
    return folded(DECISION) in map(folded, header)


def answers(header: Sequence[str], rows: Rows) -> Iterator[Answer]:
    """The rows of a block of text rows; columns are known by their header texts."""
    place = {folded(text): position for position, text in reversed(list(enumerate(header)))}
    texts = {
        name: rows[place[folded(name)]].to_pylist() if folded(name) in place else [""] * len(rows)
        for name in (DOUBT_REFERENCE, DECISION, REMOTE_ID)
    }
    told = zip(rows.numbers.tolist(), texts[DOUBT_REFERENCE], texts[DECISION], texts[REMOTE_ID], strict=True)
    for row, reference, decision, remote_id in told:
        yield Answer(int(row), read_doubt_reference(reference), decision.strip(), remote_id.strip())
