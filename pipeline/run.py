"""The story: files in the inbox become orders at the targets, and what could not go comes back as a workbook."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

from pipeline.closing.balance import balance, exit_code
from pipeline.errors import OrderdropError, TargetError
from pipeline.events import Event
from pipeline.faults import Faults
from pipeline.hand_back import hand_back, retire_refusals
from pipeline.inbox import Left, claims
from pipeline.intake.claim import Claim
from pipeline.keeping import purge_when_due
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Batch
from pipeline.ledger.figures import figures
from pipeline.model import DeliveryState
from pipeline.progress import Bound, Progress
from pipeline.project import Project, alone
from pipeline.send_out import TransportOf, complain, http_transport, send_out
from pipeline.staged import clear_unfinished
from pipeline.sweeping import loading
from pipeline.unpack import opened


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
    stuck: bool = False
    """Whether a person has to mend something on this machine: a folder that cannot be written, a full disk."""
    closed: tuple[Batch, ...] = ()
    """Files that came to their end, whichever pass took them in."""
    going_on: frozenset[str] = frozenset()
    """Accounts that left off for now; they have more to do at once."""
    faults: Mapping[str, str] = field(default_factory=dict)
    """Errors nobody foresaw, by the file they ended the reading of."""


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
    project: Project,
    stop: threading.Event,
    progress: Progress,
    transport_of: TransportOf = http_transport,
    spell: float = inf,
) -> Passed:
    """The same without the balance, whose cost grows with all that was ever taken in.

    ``spell``: seconds after which no delivery is begun, however many are due: what else there is to do has its turn.
    """
    begun = time.monotonic()
    with alone(project, progress, stop):
        passed = _pass(project, stop, progress, transport_of, spell)
    _note_end(progress, begun, passed)
    return passed


def _pass(
    project: Project, stop: threading.Event, progress: Progress, transport_of: TransportOf, spell: float = inf
) -> Passed:
    begun = project.clock.now()
    project.writer.write(lambda c: book.recover(c, begun))
    clear_unfinished(project)
    left = Left()
    claimed = (found for one in claims(project, stop, left) for found in opened(project, one, left))
    taken = [batch for found in claimed if (batch := _take(project, found, progress, stop, left)) is not None]
    drained = send_out(project, stop, progress, transport_of, spell)
    going_on = frozenset(drain.account for drain in drained if drain.left_off)
    answered = {batch.corrects for batch in taken if batch.corrects is not None and batch.received_at >= begun}
    handed = hand_back(project, progress, going_on, answered)
    purged = purge_when_due(project)
    troubles = [*([TargetError(left.away)] if left.away else []), *complain(drained)]
    return Passed(
        tuple(taken),
        (*left.remarks, *handed.unwritten, *purged),
        tuple(troubles),
        stuck=left.stuck or bool(handed.unwritten),
        closed=handed.closed,
        going_on=going_on,
        faults=left.faults,
    )


def _note_end(progress: Progress, begun: float, passed: Passed, **more: int) -> None:
    seconds = round(time.monotonic() - begun, 3)
    progress.note(Event.RUN_ENDED, seconds=seconds, files=len(passed.batches), **more)


def _take(project: Project, found: Claim, progress: Progress, stop: threading.Event, left: Left) -> Batch | None:
    """One file, taken in; ``None`` where it could not be read to its end, and is read anew by the next run."""
    with loading("pipeline.take_in"):  # all that reads files: a quarter of a second an empty inbox does not cost
        from pipeline.take_in import take_in

    about = Bound(progress, batch=found.link, file=found.file_name)
    about.say(f"Reading {found.file_name}", Event.READING)
    begun = time.monotonic()
    try:
        batch = take_in(project, found, about, stop)
    except (OrderdropError, OSError):
        raise
    except Exception as problem:  # noqa: BLE001 - nobody foresaw it: one file must not hold up the others
        doing = f"Reading {found.file_name}"
        left.faults[doing] = said = Faults(about).note(doing, problem)
        left.stuck = True
        left.remarks.append(f"{doing} ended with {said}. It lies under var/work; each run tries again.")
        return None
    if batch.state == "claimed":
        left.remarks.append(f"{found.file_name} was not read to its end: a stop was asked for. The next run reads it.")
        return None
    about.note(
        Event.FILE_TAKEN_IN, feed=batch.feed, state=batch.state, code=batch.reason_code, read=batch.rows_read,
        accepted=batch.rows_accepted, rejected=batch.rows_rejected, skipped=batch.rows_skipped,
        seconds=round(time.monotonic() - begun, 3),
    )  # fmt: skip
    if batch.state == "delivering":
        retire_refusals(project, batch.file_name)
    return batch


def _report(project: Project, passed: Passed) -> Report:
    with project.engine.connect() as connection:
        found = figures(connection)
    told = balance(found, project.targets)
    in_doubt = any(state == DeliveryState.IN_DOUBT for _, _, state, _ in found.deliveries)
    code = 3 if passed.troubles else max(exit_code(told, in_doubt=in_doubt), int(passed.stuck))
    return Report(passed.batches, told, passed.remarks, passed.troubles, code)
