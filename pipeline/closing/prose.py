"""The sheets that are read rather than corrected: the balance, the instructions, the notice of refusal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pipeline.closing.cells import write_text
from pipeline.closing.doubt_sheet import DECISIONS, DOUBT_SHEET
from pipeline.closing.look import Look, Sheet
from pipeline.closing.passing import Seen
from pipeline.closing.reference import ADVICE, DECISION, PROBLEM, REFERENCE, REFUSAL_TITLE, REMOTE_ID
from pipeline.closing.sheet import ErrorsSheet
from pipeline.model import DeliveryState

_STATES = {
    DeliveryState.DELIVERED: "Delivered",
    DeliveryState.ALREADY_THERE: "Already there",
    DeliveryState.UNCHANGED: "Unchanged",
    DeliveryState.REFUSED: "Refused",
    DeliveryState.WAITING: "Waiting",
    DeliveryState.IN_DOUBT: "In doubt",
}
_TROUBLED = (DeliveryState.REFUSED, DeliveryState.IN_DOUBT)

_STEPS = (
    f"Correct the red cells. Rest the pointer on one to see what is wrong, or read '{PROBLEM}' on the right.",
    "Save the workbook. Saving it as CSV is fine too.",
    "Drop it into the inbox folder, as you did with the first file.",
)
_MAY = (
    "Sort and filter as you like.",
    "Delete a row that should not be sent at all.",
    "Add a row: it is taken in like a row of a new file.",
    "Split a row in two: copy the whole row, its row reference included.",
    "Delete a column you do not need, or move one. Your own header texts have to stay as they are.",
)
_KNOW = (
    "Only the rows of this workbook are read again. What was delivered is recognised and not sent twice.",
    "A yellow row has nothing wrong itself: it waits for another row of its order. Leave it in.",
    "What is still wrong comes back in a new workbook.",
    f"'{REFERENCE}' leads a row back to its place in the first file; a row without one counts as new.",
    "Every cell is text, so zeros in front and dates stay as they are. Write new values as the file does.",
    "A sign such as \u241b stands for a character that cannot be seen. Delete it.",
)
_SETTLING = (
    (
        f"What was sent and not answered: sheet '{DOUBT_SHEET}'",
        (
            "Look at the target for what stands under 'Search for'.",
            f"Choose in the column '{DECISION}': {', '.join(f'“{word}”' for word in DECISIONS)}.",
            "Leave it empty while you do not know.",
            f"'{REMOTE_ID}' goes with “{next(iter(DECISIONS))}”: what follows (such as the payment) is then sent too.",
            "Save, and drop the workbook into the inbox folder, with or without corrected rows.",
        ),
    ),
)


def write_summary(sheet: Sheet, look: Look, errors: ErrorsSheet, seen: Seen) -> None:
    """The balance of the file: rows, columns in trouble, deliveries by account, notes. ``seen``: its rows here."""
    _prose_sheet(sheet, look.BLUE, widths=(26, *(14,) * len(_STATES)))
    write_text(sheet, 0, 0, "Summary", look.title)
    line = _facts(sheet, look, errors)
    line = _rows_balance(sheet, look, errors, seen.rows, line + 1)
    line = _columns_in_trouble(sheet, look, errors.header, seen.in_trouble, line + 1)
    line = _deliveries(sheet, look, errors, line + 1)
    _sentences(sheet, look, "Notes", errors.notes, line + 1)


def write_instructions(sheet: Sheet, look: Look, *, doubts: bool = False) -> None:
    """How to correct and send back, in the order of doing; with ``doubts`` also how to settle those."""
    _prose_sheet(sheet, look.GREEN, widths=(6, 100))
    write_text(sheet, 0, 0, "How to correct", look.title)
    for number, step in enumerate(_STEPS, 1):
        sheet.write_number(number + 1, 0, number, look.step)
        write_text(sheet, number + 1, 1, step, look.remedy)
    line = len(_STEPS) + 3
    for heading, sentences in (*_SETTLING[: int(doubts)], ("You may", _MAY), ("Good to know", _KNOW)):
        write_text(sheet, line, 0, "", look.heading)
        write_text(sheet, line, 1, heading, look.heading)
        for offset, sentence in enumerate(sentences, 1):
            write_text(sheet, line + offset, 0, "•", look.step)
            write_text(sheet, line + offset, 1, sentence, look.prose)
        line += len(sentences) + 2


def write_refusal(
    sheet: Sheet,
    look: Look,
    *,
    file_name: str,
    reason: str,
    advice: str,
    received: datetime,
    notes: Sequence[str],
) -> None:
    """The one reason why a file could not be read, and what to do about it."""
    _prose_sheet(sheet, look.RED, widths=(40, 90))
    write_text(sheet, 0, 0, REFUSAL_TITLE, look.alarm)
    write_text(sheet, 0, 1, file_name, look.alarm)
    rows = (
        ("Received", _moment(received), look.prose),
        (PROBLEM, reason, look.fault),
        (ADVICE, advice, look.remedy),
        (
            "Nothing is lost",
            "Nothing of this file was sent anywhere; the file itself is kept.",
            look.prose,
        ),
        *(("Note", note, look.prose) for note in notes),
    )
    for line, (label, text, style) in enumerate(rows, 2):
        write_text(sheet, line, 0, label, look.label)
        write_text(sheet, line, 1, text, style)


def _prose_sheet(sheet: Sheet, tab: str, widths: Sequence[int]) -> None:
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.hide_gridlines(2)
    sheet.set_tab_color(tab)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _facts(sheet: Sheet, look: Look, errors: ErrorsSheet) -> int:
    facts = (("File", errors.file_name), ("Feed", errors.feed), ("Received", _moment(errors.received)))
    for line, (label, text) in enumerate(facts, 2):
        write_text(sheet, line, 0, label, look.label)
        write_text(sheet, line, 1, text, look.line)
    return 2 + len(facts)


def _rows_balance(sheet: Sheet, look: Look, errors: ErrorsSheet, here: int, line: int) -> int:
    counts = (
        ("Read", errors.read, "every row below the header that holds anything", look.number),
        ("Accepted", errors.accepted, "read without a fault and passed on for delivery", look.number),
        ("Rejected", errors.rejected, "held back until they are corrected", look.red_number),
        ("Skipped", errors.skipped, "left out on purpose: totals and the like", look.number),
        ("In this workbook", here, "rejected rows, and rows an account refused", look.red_number),
    )
    _heading(sheet, look, line, "Rows")
    for offset, (label, number, meaning, style) in enumerate(counts, 1):
        write_text(sheet, line + offset, 0, label, look.label)
        sheet.write_number(line + offset, 1, number, style)
        write_text(sheet, line + offset, 2, meaning, look.meaning)
    line += len(counts) + 1
    write_text(sheet, line, 0, _adds_up(errors), look.line)
    return line + 1


def _adds_up(errors: ErrorsSheet) -> str:
    total = errors.accepted + errors.rejected + errors.skipped
    sum_ = f"{errors.accepted:,} accepted + {errors.rejected:,} rejected + {errors.skipped:,} skipped"
    if total == errors.read:
        return f"{errors.read:,} read = {sum_}: every row is accounted for."
    return f"{errors.read:,} read, but {sum_} make {total:,}: tell the person who runs orderdrop."


def _columns_in_trouble(sheet: Sheet, look: Look, header: Sequence[str], counts: Counter[int | None], line: int) -> int:
    if not counts:
        return line - 1
    _heading(sheet, look, line, "Where to look")
    for column, rows in counts.most_common():
        line += 1
        sheet.write_number(line, 1, rows, look.number)
        write_text(sheet, line, 0, _column_name(header, column), look.label)
        write_text(sheet, line, 2, "row" if rows == 1 else "rows", look.meaning)
    return line + 1


def _column_name(header: Sequence[str], column: int | None) -> str:
    if column is None:
        return "The row as a whole"
    return header[column].strip() if column < len(header) and header[column].strip() else f"Column {column + 1}"


def _deliveries(sheet: Sheet, look: Look, errors: ErrorsSheet, line: int) -> int:
    if not errors.deliveries:
        return line - 1
    _heading(sheet, look, line, "Deliveries")
    for column, title in enumerate(("Account", *_STATES.values())):
        write_text(sheet, line + 1, column, title, look.count_head if column else look.column_head)
    line += 2
    for account, counts in errors.deliveries.items():
        write_text(sheet, line, 0, account, look.label)
        for column, state in enumerate(_STATES, 1):
            number = counts.get(state, 0)
            sheet.write_number(line, column, number, look.red_number if number and state in _TROUBLED else look.number)
        line += 1
    return line


def _sentences(sheet: Sheet, look: Look, heading: str, sentences: Sequence[str], line: int) -> None:
    if sentences:
        _heading(sheet, look, line, heading)
        for offset, sentence in enumerate(sentences, 1):
            write_text(sheet, line + offset, 0, f"• {sentence}", look.line)


def _heading(sheet: Sheet, look: Look, line: int, text: str) -> None:
    for column in range(len(_STATES) + 1):
        write_text(sheet, line, column, text if column == 0 else "", look.heading)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} {moment.tzname() or ''}".strip()
