"""Hand back: the workbook for what a person has to correct, then the original into the archive, last.

May be run again at any point, also after a crash between any two of its lines: it looks at what the ledger says is
still open and makes the folders agree with it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import escape
from pathlib import Path

from msgspec.structs import replace

from pipeline.closing.reference import DoubtOrigin, write_doubt_reference
from pipeline.closing.sheet import DRAFT, ErrorsSheet, SheetDoubt, SheetRow
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
from pipeline.ledger.unsettled import where_under_way
from pipeline.progress import Bound, Progress, Quiet
from pipeline.project import Project
from pipeline.to_correct import RowsToCorrect, digest, same_rows


@dataclass(frozen=True, slots=True)
class HandedBack:
    """Files that came to their end, as they were before, and sentences about what could not be put in place."""

    closed: tuple[Batch, ...]
    unwritten: tuple[str, ...]


def hand_back(
    project: Project,
    progress: Progress | None = None,
    going_on: Collection[str] = frozenset(),
    answered: Collection[int] = frozenset(),
) -> HandedBack:
    """Bring ``errors/`` and the archive up to date.

    Accounts in ``going_on`` are only just being sent to: a file of which more is on its way there keeps the workbook
    it has, so that none changes time and again under the eyes of whoever has it open. It is none of the ``answered``
    ones, whose workbook has just come back.
    """
    closed: list[Batch] = []
    remarks: list[str] = []
    _sweep(project.plan.settings.errors)
    with project.engine.connect() as connection:
        waiting = files.unfinished(connection)
    for batch in waiting:
        try:
            about = Bound(progress or Quiet(), batch=batch.link, file=batch.file_name, feed=batch.feed)
            if _attend(project, batch, about, frozenset() if batch.id in answered else going_on):
                closed.append(batch)
        except (OSError, FileRefused) as problem:
            remarks.append(
                f"{batch.file_name}: its workbook or original could not be put in place ({problem}). "
                "It is tried again with the next run; nothing is lost."
            )
    return HandedBack(tuple(closed), tuple(remarks))


def _sweep(errors: Path) -> None:
    """Remove drafts that a killed run left behind; this run holds the run lock, so nobody is writing one."""
    with suppress(OSError):  # a folder that cannot be written is told by what has to be written there
        for draft in errors.glob(f"{DRAFT}*.part"):
            draft.unlink(missing_ok=True)


def _attend(project: Project, batch: Batch, progress: Progress, going_on: Collection[str]) -> bool:
    """Whether the file has come to its end now."""
    with project.engine.connect() as connection:
        under_way = where_under_way(connection, batch.id)
    if batch.state == "refused":
        _refusal(project, batch, progress)
    elif batch.state != "duplicate" and (batch.workbook is None or under_way.isdisjoint(going_on)):
        _problems(project, batch, progress)
    return not under_way and _close(project, batch, progress)


def _close(project: Project, batch: Batch, progress: Progress) -> bool:
    """The original goes to the archive, and only then is the batch closed; ``False`` where all that was done before."""
    target = archive_path(batch)
    put_away(project.folder / batch.path, project.folder / target)
    closed = {"state": "closed"} if batch.state == "delivering" else {}
    if batch.path == target and not closed:
        return False
    now = project.clock.now()
    project.writer.write(lambda c: files.change(c, batch.id, path=target, closed_at=now, **closed))
    progress.note(Event.FILE_PUT_AWAY, state=closed.get("state", batch.state))
    return True


def archive_path(batch: Batch) -> str:
    """Where an original ends up, relative to the project folder: always the same, so a crash in between is harmless."""
    day = datetime.fromtimestamp(batch.received_at, UTC).strftime("%Y-%m-%d")
    return f"var/archive/{day}/{batch.link}/{batch.file_name}"


# --- the workbook of a file whose rows have problems -------------------------------------------------------------


def _problems(project: Project, batch: Batch, progress: Progress) -> None:
    with project.engine.connect() as connection:
        asked = [d for d in doubts.listed(connection, project.clock.now(), batch.id) if d.waits_for_person]
    seen = digest(project, batch, asked)
    if seen == batch.problems_digest and (seen is not None or batch.workbook is None):
        _dismissed(project, batch)
        return
    if not asked and same_rows(seen, batch.problems_digest) and _is_thrown_away(project, batch):
        # What was asked beside the rows is settled; that brings back no row that somebody has thrown away.
        project.writer.write(lambda c: files.change(c, batch.id, workbook=None, problems_digest=seen))
        return
    if batch.workbook is not None:
        _retire(project, batch)
    if seen is None:
        project.writer.write(
            lambda c: files.change(c, batch.id, workbook=None, workbook_sha256=None, problems_digest=None)
        )
        return
    path = _free_path(project, batch)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_workbook(project, batch, path, asked, progress)
    _remember(project, batch, path, seen)
    progress.note(Event.WORKBOOK_WRITTEN, workbook=path.name)


def _write_workbook(project: Project, batch: Batch, path: Path, asked: Sequence[Doubt], progress: Progress) -> None:
    from pipeline.closing.workbook import write_errors_workbook

    rows = RowsToCorrect(project, batch, _original(project, batch))
    sheet = replace(_sheet(project, batch, rows), doubts=[_sheet_doubt(project, batch, d) for d in asked])

    def tell(number: int) -> None:
        progress.say(f"Writing {path.name}: {number:,} rows", Event.WRITING, rows=number)

    write_errors_workbook(path, sheet, _announcing(project, batch, path), tell)


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


def _sheet(project: Project, batch: Batch, rows: Iterable[SheetRow]) -> ErrorsSheet:
    sent: dict[str, dict[str, int]] = {}
    with project.engine.connect() as connection:
        for _, account, state, number in book.counts(connection, batch.id):
            sent.setdefault(account, {})[state] = number
    return ErrorsSheet(
        file_name=batch.file_name, feed=batch.feed or "", link=batch.link,
        header=tuple(batch.header or ()), rows=rows,
        read=batch.rows_read, accepted=batch.rows_accepted, rejected=batch.rows_rejected, skipped=batch.rows_skipped,
        received=datetime.fromtimestamp(batch.received_at, project.plan.settings.timezone),
        deliveries=sent, notes=tuple(batch.notes or ()),
    )  # fmt: skip


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
    if batch.workbook is not None and _is_thrown_away(project, batch):
        project.writer.write(lambda c: files.change(c, batch.id, workbook=None))


def _is_thrown_away(project: Project, batch: Batch) -> bool:
    return batch.workbook is None or not (project.folder / batch.workbook).exists()


def _retire(project: Project, batch: Batch) -> None:
    """Take a workbook that is answered out of the tray; one that a person has worked in is kept beside the original."""
    if batch.workbook is None:
        return
    path = project.folder / batch.workbook
    parts = _further_parts(path)
    for each in (path, *parts):
        if said := open_elsewhere(each, time.time()):  # saved once more, it would come back under our hands
            raise OSError(said)
    kept = (project.folder / archive_path(batch)).parent
    kept.mkdir(parents=True, exist_ok=True)
    for part in parts:  # nobody knows how they were when they were written
        part.rename(_beside(batch, kept / part.name))
    if not path.is_file():
        return
    if fingerprint(path)[0] == batch.workbook_sha256:
        path.unlink()
    else:
        path.rename(_beside(batch, kept / path.name))


def _beside(batch: Batch, path: Path) -> Path:
    """The same, or with a number: a corrected workbook, the original here, often has the name of the one it brought."""
    number, free = 1, path
    while free.exists() or free.name.casefold() == batch.file_name.casefold():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free


def _further_parts(path: Path) -> list[Path]:
    """What lies beside a workbook that did not fit into one."""
    found = path.parent.glob(f"{escape(path.stem)}.part*{path.suffix}")
    return sorted(each for each in found if re.fullmatch(r"\.part[0-9]+", each.stem.removeprefix(path.stem)))


def _free_path(project: Project, batch: Batch) -> Path:
    """``errors/<file name>.errors.xlsx``, with a number where another file's workbook has that name."""
    stem = re.sub(r"(\.errors( \(\d+\))?)+$", "", Path(batch.file_name).stem)
    folder = project.plan.settings.errors
    path, number = folder / f"{stem}.errors.xlsx", 1
    while path.exists() or _further_parts(path):
        number += 1
        path = folder / f"{stem}.errors ({number}).xlsx"
    return path
