"""Taking files out of the inbox, one by one, and saying why the others stay there."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.intake.claim import Claim, claim, clean_name, unfinished
from pipeline.intake.folder import Dropped, Listing, look
from pipeline.ledger.batches import any_batch, feed_of_workbook
from pipeline.mapping.spec import match_feed
from pipeline.pairs import waits, with_partner
from pipeline.project import Project


@dataclass(slots=True)
class Left:
    """What there is to say about the inbox after a pass.

    ``stuck``: a person has to mend something on this machine. ``away``: the inbox could not be listed, and why.
    ``faults``: errors nobody foresaw, by what was being done.
    """

    remarks: list[str] = field(default_factory=list)
    stuck: bool = False
    away: str | None = None
    faults: dict[str, str] = field(default_factory=dict)


def claims(project: Project, stop: threading.Event, left: Left) -> Iterator[Claim]:
    """Files claimed before a crash first, then what is settled in the inbox."""
    work = project.plan.settings.var / "work"
    plan, inbox = project.plan, project.plan.settings.inbox
    for found in unfinished(work):
        if not is_held(project, found.file_name, found.subfolder):
            with_partner(plan, found, inbox)
            yield found
    listing = _settled(project, stop)
    left.away = listing.away
    left.remarks += listing.remarks
    left.remarks += [
        f"{clean_name(path.name)} is still being written; the next run takes it." for path in listing.unsettled
    ]
    for dropped in listing.settled:
        if stop.is_set():
            return
        waiting = waits(plan, dropped, listing.settled)
        if waiting is not None and waiting.remark:
            left.remarks.append(waiting.remark)
        if waiting is not None or is_held(project, dropped.path.name, dropped.subfolder):
            continue
        taken = _claimed(dropped, work, left)
        if taken is not None:
            with_partner(plan, taken, inbox)
            yield taken


def _claimed(dropped: Dropped, work: Path, left: Left) -> Claim | None:
    """The file, taken out of the inbox; ``None`` leaves it where it is, and says why."""
    name = clean_name(dropped.path.name)
    try:
        taken = claim(dropped.path, dropped.subfolder, work)
    except OSError as problem:
        left.stuck = True
        left.remarks.append(f"{name} stays in the inbox: {_why(problem)} The next run takes it.")
        return None
    if taken is None:
        left.remarks.append(f"{name} is held open by another program or gone; the next run takes it.")
    return taken


def _why(problem: OSError) -> str:
    where = clean_name(Path(str(problem.filename or "inbox")).name)
    if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "there is no room on the disk, or no further file may be made there. Make room."
    if problem.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
        return f"it may not be moved ({problem.strerror}: {where}). Make inbox/ and var/ writable for this user."
    return f"it cannot be moved ({problem.strerror}: {where})."


def is_held(project: Project, name: str, subfolder: str | None) -> bool:
    """Whether a file has to wait: while a mapping is wrong, what no other feed claims may belong to its feed."""
    if not project.plan.stopped:
        return False
    with project.engine.connect() as connection:
        origin = feed_of_workbook(connection, f"errors/{name}")
    if origin is not None:
        return origin not in project.plan.mappings
    try:
        match_feed(project.plan.mappings, name, subfolder)
    except FileRefused:
        return True
    return False


def _settled(project: Project, stop: threading.Event) -> Listing:
    """Look at the inbox, and once more after the settle time where something was too fresh to tell."""
    settings, clock = project.plan.settings, project.clock
    if not _was_used(project):  # later, a share that has gone must not become an empty folder in its place
        with suppress(OSError):  # a read-only project folder is told by what really needs to write
            settings.inbox.mkdir(exist_ok=True)
    settle = settings.intake.settle_seconds
    listing = look(settings.inbox, project.plan.mappings, {}, settle, clock.now())
    if listing.unsettled:
        clock.wait(settle, stop)
        listing = look(settings.inbox, project.plan.mappings, listing.sights, settle, clock.now())
    return listing


def _was_used(project: Project) -> bool:
    with project.engine.connect() as connection:
        return any_batch(connection)
