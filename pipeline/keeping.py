"""Keeping the ledger: backed up, put back with care, and purged of personal data that is no longer needed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from pipeline.errors import OrderdropError, SetupError
from pipeline.intake.claim import fingerprint
from pipeline.ledger import backup as copies
from pipeline.ledger import purge as purging
from pipeline.ledger import restores
from pipeline.ledger.alerts import moment, note_moment
from pipeline.ledger.backup import sqlite_file
from pipeline.ledger.batches import Batch
from pipeline.project import Project
from pipeline.settings import Settings

DAY = 86_400.0
_PURGED = "purged"


# --- backup and restore ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restored:
    """``kept`` is where the replaced ledger lies; ``unknown`` are files taken in after the backup was made."""

    kept: Path | None
    unknown: tuple[Path, ...]


def restore(settings: Settings, backup: Path, now: float) -> Restored:
    """Put a backup in the ledger's place, and mark it: what was sent since it was made is not known in it."""
    sqlite_file(settings.ledger_url)  # another database: say so before anything else
    unknown: list[Path] = []

    def mark(connection: sa.Connection) -> None:
        unknown.extend(_unknown_files(settings, restores.known_links(connection)))
        restores.note(connection, now, {fingerprint(path)[0] for path in unknown})

    with _nobody_else(settings):
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
        kept = copies.restore(settings.ledger_url, backup, stamp, mark)
    return Restored(kept, tuple(unknown))


def be_careful(project: Project) -> tuple[Path, ...]:
    """The same mark for a ledger that was put back with the tools of its database."""
    with project.engine.connect() as connection:
        unknown = tuple(_unknown_files(project.plan.settings, restores.known_links(connection)))
    digests = {fingerprint(path)[0] for path in unknown}
    project.writer.write(lambda c: restores.note(c, project.clock.now(), digests))
    return unknown


def _unknown_files(settings: Settings, known: frozenset[str]) -> Iterator[Path]:
    """Originals in the archive, or under way, of files that this ledger does not know."""
    archive, work = settings.var / "archive", settings.var / "work"
    for path in sorted((*archive.glob("*/*/*"), *work.glob("*/*"))):
        if path.is_file() and path.parent.name.partition("@")[0] not in known and not path.name.startswith("."):
            yield path


@contextmanager
def _nobody_else(settings: Settings) -> Iterator[None]:
    path = settings.var / "run.lock"
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise OrderdropError("A run is at work in this project: wait for its end. Nothing was changed.") from None
    except OSError as problem:
        raise SetupError(f"{path} cannot be locked ({problem}). Make the var folder writable.") from None
    try:
        yield
    finally:
        lock.release()


# --- purge -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Purged:
    """What was blanked, or would be: files, their deliveries, and sentences about what could not be removed."""

    files: int
    deliveries: int = 0
    remarks: tuple[str, ...] = ()


def due_for_purge(project: Project, days: float) -> list[Batch]:
    """Files whose every delivery has ended that many days ago, and that wait for nobody."""
    with project.engine.connect() as connection:
        return purging.due(connection, project.clock.now() - days * DAY)


def purge(project: Project, days: float, *, always_wipe: bool = False) -> Purged:
    """Blank personal data of files that ended that many days ago; the caller holds the run lock.

    The original goes first: a crash in between leaves a file that the next purge still finds.
    """
    files = deliveries = 0
    remarks: list[str] = []
    for batch in due_for_purge(project, days):
        try:
            _remove_original(project, batch)
        except OSError as problem:
            remarks.append(f"{batch.path} cannot be removed ({problem.strerror}); the next purge tries it again.")
            continue
        now = project.clock.now()
        deliveries += project.writer.write(lambda c, b=batch, t=now: purging.blank(c, b.id, t))  # type: ignore[misc]
        files += 1
    if (files or always_wipe) and not purging.wipe(project.engine):
        remarks.append("What was purged may still lie in the ledger's file: others read it. `orderdrop purge` again.")
    return Purged(files, deliveries, tuple(remarks))


def purge_when_due(project: Project) -> tuple[str, ...]:
    """Once a day, where ``[ledger] keep_personal_data_days`` says so; sentences for people."""
    days, now = project.plan.settings.ledger.keep_personal_data_days, project.clock.now()
    if days is None:
        return ()
    with project.engine.connect() as connection:
        last = moment(connection, _PURGED)
    if last is not None and 0 <= now - last < DAY:
        return ()
    purged = purge(project, days)
    project.writer.write(lambda c: note_moment(c, _PURGED, now))
    if not purged.files:
        return purged.remarks
    return (f"Personal data of {purged.files} files older than {days} days was purged.", *purged.remarks)


def _remove_original(project: Project, batch: Batch) -> None:
    """The archived original and the workbooks kept beside it, in the folder that is this file's alone."""
    path = project.folder / batch.path
    if batch.path.startswith("var/archive/") and path.parent.name == batch.link and path.parent.is_dir():
        shutil.rmtree(path.parent)
