"""Hand back: the workbook for what a person has to correct, then the original into the archive, last.

May be run again at any point, also after a crash between any two of its lines: it looks at what the ledger says is
still open and makes the folders agree with it.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.closing.reference import DoubtOrigin, write_doubt_reference
from pipeline.closing.sheet import DRAFT, ErrorsSheet, Problem, SheetDoubt, SheetRow
from pipeline.delivery import doubts
from pipeline.delivery.doubts import NOT_UNDERSTOOD, Doubt
from pipeline.delivery.plain_words import age_in_words
from pipeline.errors import FileRefused
from pipeline.events import Event
from pipeline.intake.claim import fingerprint, put_away
from pipeline.intake.folder import open_elsewhere
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Batch
from pipeline.ledger.deliveries import Delivery
from pipeline.mapping.spec import FeedMapping
from pipeline.model import Rejection
from pipeline.progress import Bound, Progress, Quiet
from pipeline.project import Project

if TYPE_CHECKING:  # the type only: status and find never load pandas
    import pandas as pd


HELD_BACK = frozenset({"order_held_back", "file_held_back"})
"""Codes of rows that only wait for others: nothing in them has to be corrected."""


def hand_back(project: Project, progress: Progress | None = None) -> list[str]:
    """Bring ``errors/`` and the archive up to date; returns sentences about what could not be written."""
    remarks: list[str] = []
    _sweep(project.plan.settings.errors)
    with project.engine.connect() as connection:
        waiting = files.unfinished(connection)
    for batch in waiting:
        try:
            _attend(project, batch, Bound(progress or Quiet(), batch=batch.link, file=batch.file_name, feed=batch.feed))
        except (OSError, FileRefused) as problem:
            remarks.append(
                f"{batch.file_name}: its workbook or original could not be put in place ({problem}). "
                "It is tried again with the next run; nothing is lost."
            )
    return remarks


def _sweep(errors: Path) -> None:
    """Remove drafts that a killed run left behind; this run holds the run lock, so nobody is writing one."""
    with suppress(OSError):  # a folder that cannot be written is told by what has to be written there
        for draft in errors.glob(f"{DRAFT}*.part"):
            draft.unlink(missing_ok=True)


def _attend(project: Project, batch: Batch, progress: Progress) -> None:
    if batch.state == "refused":
        _refusal(project, batch, progress)
    elif batch.state != "duplicate":
        _problems(project, batch, progress)
    with project.engine.connect() as connection:
        still_open = bool(book.in_states(connection, *book.OPEN, batch_id=batch.id))
    if not still_open:
        _close(project, batch, progress)


def _close(project: Project, batch: Batch, progress: Progress) -> None:
    """The original goes to the archive, and only then is the batch closed."""
    target = archive_path(batch)
    put_away(project.folder / batch.path, project.folder / target)
    closed = {"state": "closed"} if batch.state == "delivering" else {}
    if batch.path != target or closed:
        now = project.clock.now()
        project.writer.write(lambda c: files.change(c, batch.id, path=target, closed_at=now, **closed))
        progress.note(Event.FILE_PUT_AWAY, state=closed.get("state", batch.state))


def archive_path(batch: Batch) -> str:
    """Where an original ends up, relative to the project folder: always the same, so a crash in between is harmless."""
    day = datetime.fromtimestamp(batch.received_at, UTC).strftime("%Y-%m-%d")
    return f"var/archive/{day}/{batch.link}/{batch.file_name}"


# --- the workbook of a file whose rows have problems -------------------------------------------------------------


def _problems(project: Project, batch: Batch, progress: Progress) -> None:
    with project.engine.connect() as connection:
        rejected = files.open_rejections(connection, batch.id)
        refused = book.open_refusals(connection, batch.id)
        asked = [d for d in doubts.listed(connection, project.clock.now(), batch.id) if d.waits_for_person]
    digest = _digest(rejected, refused, asked)
    if digest == batch.problems_digest and (digest is not None or batch.workbook is None):
        _dismissed(project, batch)
        return
    if batch.workbook is not None:
        _retire(project, batch)
    if not digest:
        project.writer.write(
            lambda c: files.change(c, batch.id, workbook=None, workbook_sha256=None, problems_digest=None)
        )
        return
    path = _free_path(project, batch)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_workbook(project, batch, path, rejected, refused, asked)
    _remember(project, batch, path, digest)
    progress.note(Event.WORKBOOK_WRITTEN, workbook=path.name)


def _write_workbook(
    project: Project,
    batch: Batch,
    path: Path,
    rejected: Sequence[Rejection],
    refused: Sequence[Delivery],
    asked: Sequence[Doubt],
) -> None:
    from pipeline.closing.workbook import write_errors_workbook

    header = tuple(batch.header or ())
    problems: dict[int, list[Problem]] = {}
    for rejection in rejected:
        position = header.index(rejection.column) if rejection.column in header else None
        held = rejection.code in HELD_BACK
        problems.setdefault(rejection.row, []).append(Problem(position, rejection.message, rejection.advice, held))
    columns = _columns_of_fields(project, batch)
    for delivery in refused:
        for row, problem in _refused_rows(delivery, columns):
            problems.setdefault(row, []).append(problem)
    wanted = _cells(project, batch, set(problems)) if problems else ()
    rows = [SheetRow(number, cells, tuple(problems[number])) for number, cells in wanted]
    sheet = replace(_sheet(project, batch, header, rows), doubts=[_sheet_doubt(project, batch, d) for d in asked])
    write_errors_workbook(path, sheet, _announcing(project, batch, path))


def _sheet_doubt(project: Project, batch: Batch, doubt: Doubt) -> SheetDoubt:
    delivery, step = doubt.delivery, doubt.step
    return SheetDoubt(
        reference=write_doubt_reference(DoubtOrigin(batch.link, delivery.id, step.id, step.sends)),
        since=datetime.fromtimestamp(step.doubt_since or delivery.updated_at, project.plan.settings.timezone),
        age=age_in_words(doubt.age), key=delivery.record_key, rows=", ".join(map(str, delivery.record.rows)),
        account=delivery.account, operation=delivery.operation, sent=doubt.in_words,
        seen=step.last_look or "nothing: this target has no look-up for it", search_for=doubt.search_for,
        problem=" ".join(p["message"] for p in delivery.problems if p["code"] == NOT_UNDERSTOOD),
    )  # fmt: skip


def _sheet(project: Project, batch: Batch, header: tuple[str, ...], rows: Sequence[SheetRow]) -> ErrorsSheet:
    sent: dict[str, dict[str, int]] = {}
    with project.engine.connect() as connection:
        for _, account, state, number in book.counts(connection, batch.id):
            sent.setdefault(account, {})[state] = number
    return ErrorsSheet(
        file_name=batch.file_name, feed=batch.feed or "", link=batch.link, header=header, rows=rows,
        read=batch.rows_read, accepted=batch.rows_accepted, rejected=batch.rows_rejected, skipped=batch.rows_skipped,
        received=datetime.fromtimestamp(batch.received_at, project.plan.settings.timezone),
        deliveries=sent, notes=tuple(batch.notes or ()),
    )  # fmt: skip


def _refused_rows(delivery: Delivery, columns: Mapping[str, int]) -> Iterator[tuple[int, Problem]]:
    """A refusal of an order is told on its first row; the other rows come along so that the order stays whole."""
    where = f"{delivery.account} refused it: "
    first, *others = dict.fromkeys(delivery.record.rows or (0,))
    for problem in delivery.problems:
        position = columns.get(problem.get("field") or "")
        yield first, Problem(position, where + problem["message"], problem.get("advice") or "")
    for row in others:
        told = f"This row belongs to {delivery.record_key}: see row {first}."
        yield row, Problem(None, told, "Leave it as it is.", held=True)


def _columns_of_fields(project: Project, batch: Batch) -> dict[str, int]:
    """Position of the column behind each field, by the mapping as it is now."""
    mapping = project.plan.mappings.get(batch.feed or "")
    header = list(batch.header or ())
    if mapping is None:
        return {}
    found = {}
    for name, columns in mapping.columns_of_fields().items():
        position = next((header.index(column) for column in columns if column in header), None)
        if position is not None:
            found[name] = position
    return {**_behind_made_columns(mapping, header), **found}


def _behind_made_columns(mapping: FeedMapping, header: list[str]) -> dict[str, int]:
    """For fields whose column is made by ``unpivot`` or ``split``: the file's column behind the first item."""
    from pipeline.recognise import unfolding_of

    try:
        unfold = unfolding_of(mapping, header)
    except FileRefused:  # the mapping has changed since the file was taken in
        return {}
    places = {name: unfold.place(at, 0)[0] for at, name in enumerate(unfold.header)} if unfold else {}
    behind = {}
    for name, columns in mapping.columns_of_fields().items():
        place = next((places[column] for column in columns if places.get(column)), None)
        if place is not None:
            behind[name] = header.index(place)
    return behind


def _cells(project: Project, batch: Batch, wanted: set[int]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """The wanted rows of the original, every cell as it came, read again the way it was read the first time."""
    from pipeline.closing.correction import own_header
    from pipeline.closing.reference import our_columns
    from pipeline.joining import reopened
    from pipeline.reading import Found

    known = {name: value for name, value in (batch.found or {}).items() if name != "decided"}
    hints = Found(**known).hints() if known else None
    table = reopened(_original(project, batch), hints, known.get("joined"))
    ours = our_columns(table.header)
    kept = [p for p in range(len(table.header)) if ours is None or p not in ours.all]
    assert len(kept) == len(own_header(table.header))  # noqa: S101 - both leave out exactly our columns
    filled = [kept[position] for position in _filled_columns(project, batch)]
    above: dict[int, str] = {}
    for block in table.blocks(50_000):
        frame = _fill(block.frame, filled, above) if filled else block.frame
        rows = frame.loc[frame.index.isin(wanted)]
        for number, cells in zip(
            rows.index.tolist(), rows.iloc[:, kept].itertuples(index=False, name=None), strict=True
        ):
            extra = () if ours is not None else block.overflow.get(number, ())
            yield int(number), (*(str(cell) for cell in cells), *extra)


def _filled_columns(project: Project, batch: Batch) -> list[int]:
    """Columns whose blank cells take the value of the row above: written out, so that sorting cannot part them."""
    mapping = project.plan.mappings.get(batch.feed or "")
    columns = _columns_of_fields(project, batch)
    return [columns[name] for name in (mapping.fill_down if mapping else ()) if name in columns]


def _fill(frame: pd.DataFrame, columns: Sequence[int], above: dict[int, str]) -> pd.DataFrame:
    """The block with those columns filled from above; ``above`` carries the last value into the next block."""
    filled = frame.copy()
    for column in columns:
        cells = filled[column].where(filled[column].str.strip() != "")
        filled[column] = cells.ffill().fillna(above.get(column, ""))
        above[column] = str(filled[column].iloc[-1]) if len(filled) else above.get(column, "")
    return filled


def _original(project: Project, batch: Batch) -> Path:
    path = project.folder / batch.path
    return path if path.exists() else project.folder / archive_path(batch)


# --- the notice for a file that was refused as a whole -----------------------------------------------------------


def _refusal(project: Project, batch: Batch, progress: Progress) -> None:
    from pipeline.closing.workbook import write_refusal_workbook

    if batch.problems_digest is not None:
        _dismissed(project, batch)
        return
    _retire(project, batch)
    path = _free_path(project, batch)
    path.parent.mkdir(parents=True, exist_ok=True)
    received = datetime.fromtimestamp(batch.received_at, project.plan.settings.timezone)
    write_refusal_workbook(
        path, batch.file_name, batch.reason or "", batch.advice or "", received, tuple(batch.notes or ()),
        _announcing(project, batch, path),
    )  # fmt: skip
    _remember(project, batch, path, "refused")
    progress.note(Event.WORKBOOK_WRITTEN, workbook=path.name, code=batch.reason_code)


def retire_refusals(project: Project, file_name: str) -> None:
    """A file of this name was taken in at last: notices about earlier tries no longer need anybody."""
    with project.engine.connect() as connection:
        old = [b for b in files.listed(connection, "refused") if b.file_name == file_name and b.workbook]
    for batch in old:
        _retire(project, batch)
        project.writer.write(lambda c, b=batch: files.change(c, b.id, workbook=None))  # type: ignore[misc]


# --- the file in errors/ -----------------------------------------------------------------------------------------


def _announcing(project: Project, batch: Batch, path: Path) -> Callable[[Path], None]:
    """Writes name and digest down before the workbook gets its name: after a crash in between, the next run knows it.

    Until ``_remember`` the problems count as untold, so that run takes the workbook back and writes it anew.
    """
    name = path.relative_to(project.folder).as_posix()

    def announce(draft: Path) -> None:
        sha256, _ = fingerprint(draft)
        project.writer.write(
            lambda c: files.change(c, batch.id, workbook=name, workbook_sha256=sha256, problems_digest=None)
        )

    return announce


def _remember(project: Project, batch: Batch, path: Path, digest: str) -> None:
    sha256, _ = fingerprint(path)
    name = path.relative_to(project.folder).as_posix()
    project.writer.write(
        lambda c: files.change(c, batch.id, workbook=name, workbook_sha256=sha256, problems_digest=digest)
    )


def _dismissed(project: Project, batch: Batch) -> None:
    """``errors/`` is the tray of what waits for a person: a workbook taken out of it waits no longer."""
    if batch.workbook is not None and not (project.folder / batch.workbook).exists():
        project.writer.write(lambda c: files.change(c, batch.id, workbook=None))


def _retire(project: Project, batch: Batch) -> None:
    """Take a workbook that is answered out of the tray; one that a person has worked in is kept beside the original."""
    path = project.folder / (batch.workbook or "")
    if not path.is_file():
        return
    if said := open_elsewhere(path, time.time()):  # saved once more, it would come back under our hands
        raise OSError(said)
    if fingerprint(path)[0] == batch.workbook_sha256:
        path.unlink()
        return
    target = project.folder / archive_path(batch)
    target.parent.mkdir(parents=True, exist_ok=True)
    path.rename(target.parent / path.name)


def _free_path(project: Project, batch: Batch) -> Path:
    """``errors/<file name>.errors.xlsx``, with a number where another file's workbook has that name."""
    stem = re.sub(r"(\.errors( \(\d+\))?)+$", "", Path(batch.file_name).stem)
    folder = project.plan.settings.errors
    path, number = folder / f"{stem}.errors.xlsx", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}.errors ({number}).xlsx"
    return path


def _digest(rejected: Sequence[Rejection], refused: Sequence[Delivery], asked: Sequence[Doubt]) -> str | None:
    if not rejected and not refused and not asked:
        return None
    told = [[r.row, r.column, r.code, r.message] for r in rejected]
    told += [[d.id, list(map(dict, d.problems))] for d in refused]  # type: ignore[list-item]
    told += [["doubt", d.delivery.id, d.step.id, d.step.sends, str(d.delivery.problems)] for d in asked]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
