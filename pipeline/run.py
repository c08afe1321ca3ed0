"""The story: files in the inbox become orders at the targets, and what could not go comes back as a workbook."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pipeline.closing.balance import balance, exit_code
from pipeline.errors import FileRefused, TargetError
from pipeline.events import Event
from pipeline.hand_back import hand_back, retire_refusals
from pipeline.intake.claim import Claim, claim, unfinished
from pipeline.intake.folder import Listing, look
from pipeline.keeping import purge_when_due
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Batch, feed_of_workbook
from pipeline.ledger.figures import figures
from pipeline.mapping.spec import match_feed
from pipeline.model import DeliveryState
from pipeline.pairs import waits, with_partner
from pipeline.progress import Bound, Progress
from pipeline.project import Project, alone
from pipeline.send_out import TransportOf, complain, http_transport, send_out
from pipeline.staged import clear_unfinished


@dataclass(frozen=True, slots=True)
class Report:
    """What one run did. ``exit_code`` as in the table of the README."""

    batches: tuple[Batch, ...]
    balance: Mapping[str, Any]
    remarks: tuple[str, ...]
    troubles: tuple[TargetError, ...]
    exit_code: int


@dataclass(frozen=True, slots=True)
class Passed:
    """What one pass did, told without looking at what was done before it."""

    batches: tuple[Batch, ...]
    remarks: tuple[str, ...]
    troubles: tuple[TargetError, ...]


def run(
    project: Project, stop: threading.Event, progress: Progress, transport_of: TransportOf = http_transport
) -> Report:
    """One pass: take in every settled file, deliver until nothing is due, hand back, balance."""
    begun = time.monotonic()
    with alone(project, progress, stop):
        passed = _pass(project, stop, progress, transport_of)
        report = _report(project, passed)
    _note_end(progress, begun, passed, exit_code=report.exit_code)
    return report


def one_pass(
    project: Project, stop: threading.Event, progress: Progress, transport_of: TransportOf = http_transport
) -> Passed:
    """The same without the balance, whose cost grows with all that was ever taken in."""
    begun = time.monotonic()
    with alone(project, progress, stop):
        passed = _pass(project, stop, progress, transport_of)
    _note_end(progress, begun, passed)
    return passed


def _pass(project: Project, stop: threading.Event, progress: Progress, transport_of: TransportOf) -> Passed:
    project.writer.write(lambda c: book.recover(c, project.clock.now()))
    clear_unfinished(project)
    remarks: list[str] = []
    taken = [_take(project, found, progress) for found in _claims(project, stop, remarks)]
    drained = send_out(project, stop, progress, transport_of)
    remarks += hand_back(project, progress)
    remarks += purge_when_due(project)
    return Passed(tuple(taken), tuple(remarks), tuple(complain(drained)))


def _note_end(progress: Progress, begun: float, passed: Passed, **more: int) -> None:
    seconds = round(time.monotonic() - begun, 3)
    progress.note(Event.RUN_ENDED, seconds=seconds, files=len(passed.batches), **more)


def _take(project: Project, found: Claim, progress: Progress) -> Batch:
    from pipeline.take_in import take_in  # pandas and all that reads files: half a second an empty inbox does not cost

    about = Bound(progress, batch=found.link, file=found.file_name)
    about.say(f"Reading {found.file_name}", Event.READING)
    begun = time.monotonic()
    batch = take_in(project, found, about)
    about.note(
        Event.FILE_TAKEN_IN, feed=batch.feed, state=batch.state, code=batch.reason_code, read=batch.rows_read,
        accepted=batch.rows_accepted, rejected=batch.rows_rejected, skipped=batch.rows_skipped,
        seconds=round(time.monotonic() - begun, 3),
    )  # fmt: skip
    if batch.state == "delivering":
        retire_refusals(project, batch.file_name)
    return batch


def _claims(project: Project, stop: threading.Event, remarks: list[str]) -> Iterator[Claim]:
    """Files claimed before a crash first, then what is settled in the inbox."""
    work = project.plan.settings.var / "work"
    plan, inbox = project.plan, project.plan.settings.inbox
    for found in unfinished(work):
        if not is_held(project, found.file_name, found.subfolder):
            with_partner(plan, found, inbox)
            yield found
    listing = _settled(project, stop)
    remarks += listing.remarks
    remarks += [f"{path.name} is still being written; the next run takes it." for path in listing.unsettled]
    for dropped in listing.settled:
        if stop.is_set():
            return
        waiting = waits(plan, dropped, listing.settled)
        if waiting is not None and waiting.remark:
            remarks.append(waiting.remark)
        if waiting is not None or is_held(project, dropped.path.name, dropped.subfolder):
            continue
        taken = claim(dropped.path, dropped.subfolder, work)
        if taken is None:
            remarks.append(f"{dropped.path.name} is held open by another program or gone; the next run takes it.")
        else:
            with_partner(plan, taken, inbox)
            yield taken


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
    with suppress(OSError):  # a read-only project folder is told by what really needs to write
        settings.inbox.mkdir(exist_ok=True)
    settle = settings.intake.settle_seconds
    listing = look(settings.inbox, project.plan.mappings, {}, settle, clock.now())
    if listing.unsettled:
        clock.wait(settle, stop)
        listing = look(settings.inbox, project.plan.mappings, listing.sights, settle, clock.now())
    return listing


def _report(project: Project, passed: Passed) -> Report:
    with project.engine.connect() as connection:
        found = figures(connection)
    told = balance(found, project.targets)
    in_doubt = any(state == DeliveryState.IN_DOUBT for _, _, state, _ in found.deliveries)
    code = 3 if passed.troubles else exit_code(told, in_doubt=in_doubt)
    return Report(passed.batches, told, passed.remarks, passed.troubles, code)
