"""Decisions about doubts that come back in a workbook, carried out as ``orderdrop doubt settle`` would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import sqlalchemy as sa
from msgspec import Struct

from pipeline.closing.correction import is_correction
from pipeline.closing.doubt_sheet import DECISIONS, DOUBT_SHEET, Answer, answers, has_decisions, is_doubt_sheet
from pipeline.closing.reference import DECISION, REMOTE_ID, DoubtOrigin
from pipeline.delivery import doubts
from pipeline.delivery.doubts import Decided
from pipeline.errors import FileRefused
from pipeline.ledger import batches as files
from pipeline.project import Project
from pipeline.reading import open_table
from pipeline.reading.table import Hints, Table

_BLOCK_ROWS = 10_000
_LONGEST_ID = 200


class CarriedOut(Struct, frozen=True):
    """What a workbook with a sheet of doubts gave. ``nothing_else``: it carries no rows to correct.

    ``feed`` and ``batch_id`` are of the file whose doubts they are, as far as they are known here.
    """

    notes: tuple[str, ...]
    nothing_else: bool
    feed: str = ""
    batch_id: int | None = None


def carry_out_decisions(project: Project, path: Path, peeked: Table | None) -> CarriedOut | None:
    """Settle what a person decided in the sheet of doubts; ``None`` when the file has no such sheet.

    ``peeked`` is the file as it opens by itself. All decisions of a file are one transaction. To do it again, after a
    crash or because the workbook is dropped twice, changes nothing: a doubt is settled once.
    """
    table = _sheet_of_doubts(path, peeked)
    if table is None:
        return None
    nothing_else = peeked is None or is_doubt_sheet(peeked.header)
    rows = [answer for block in table.blocks(_BLOCK_ROWS) for answer in answers(table.header, block.rows)]
    told = [answer for answer in rows if answer.is_given]
    notes = tuple(_complaints(table, told))
    with project.engine.connect() as connection:
        links = sorted({answer.origin.link for answer in rows if answer.origin is not None})
        known = list(files.by_link(connection, links).values())

    def write(connection: sa.Connection) -> list[str]:
        for batch in known:  # what stays undecided is asked again: its workbook may have been moved here
            files.change(connection, batch.id, problems_digest=None)
        return _settled(connection, told, project.clock.now())

    settled = project.writer.write(write)
    origin = (known[0].feed or "", known[0].id) if known else ("", None)
    return CarriedOut((*notes, *settled), nothing_else, *origin)


def _sheet_of_doubts(path: Path, peeked: Table | None) -> Table | None:
    """The sheet alone, saved as CSV for instance, or beside the rows to correct."""
    if peeked is not None and is_doubt_sheet(peeked.header):
        return peeked
    if peeked is not None and not is_correction(peeked.header):
        return None
    try:
        table = open_table(path, Hints(sheet=DOUBT_SHEET))
    except FileRefused:
        return None
    return table if is_doubt_sheet(table.header) else None


def _complaints(table: Table, told: Iterable[Answer]) -> Iterator[str]:
    if not has_decisions(table.header):
        yield f"The sheet '{DOUBT_SHEET}' has no column '{DECISION}' any more: nothing was decided."
    elif not told:
        yield f"Nothing was decided in the sheet '{DOUBT_SHEET}': its column '{DECISION}' is empty."
    for answer in told:
        if answer.origin is None:
            yield (
                f"Row {answer.row} of '{DOUBT_SHEET}': its reference was changed, so nobody can tell which doubt is "
                "meant. Decide in the workbook in errors/, or with `orderdrop doubt settle`."
            )


def _settled(connection: sa.Connection, told: Iterable[Answer], now: float) -> list[str]:
    """Carry out each doubt's decision; the sentences say what was not carried out, and how many were."""
    by_doubt: dict[DoubtOrigin, list[Answer]] = {}
    for answer in told:
        if answer.origin is not None:
            by_doubt.setdefault(answer.origin, []).append(answer)
    notes, done, late = [], 0, 0
    for origin, given in by_doubt.items():
        decided = Decided(origin.delivery, origin.step, origin.sends, given[0].meant or "", given[0].remote_id or None)
        problem = _problem(given)
        if problem is None:
            carried = doubts.carry_out(connection, decided, origin.link, now) is not None
            done, late = done + carried, late + (not carried)
        elif doubts.not_understood(connection, decided, origin.link, problem, now):
            notes.append(f"Row {given[0].row} of '{DOUBT_SHEET}': {problem}")
        else:
            late += 1
    if done:
        notes.append(f"{_many(done, 'decision')} carried out.")
    if late:
        notes.append(f"{_many(late, 'decision')} left alone: the doubt was settled before, or is not known here.")
    return notes


def _problem(given: list[Answer]) -> str | None:
    """Why the rows about one doubt cannot be carried out, or ``None``."""
    words = " or ".join(f"“{word}”" for word in DECISIONS)
    if len({(answer.meant, answer.remote_id) for answer in given}) > 1:
        return "Two rows decide differently about it: keep one."
    answer = given[0]
    if not answer.decision:
        return f"'{REMOTE_ID}' is filled in, but '{DECISION}' is empty: choose {words}."
    if answer.meant is None:
        return f"“{answer.decision[:60]}” is no decision: choose {words}."
    if answer.remote_id and answer.meant != "delivered":
        return f"“{answer.decision[:60]}” goes without an id: empty the cell '{REMOTE_ID}', or choose “It is there”."
    if len(answer.remote_id) > _LONGEST_ID or not answer.remote_id.isprintable():
        return f"What stands in '{REMOTE_ID}' is no id: write it as the target shows it."
    return None


def _many(number: int, what: str) -> str:
    return f"1 {what} was" if number == 1 else f"{number} {what}s were"
