"""Take in one file: from its claim to everything the ledger has to know of it.

A short file is written in one transaction. A longer one is written in several, each a moment long, while its batch is
still ``claimed`` and nobody sees what is there; the last one makes all of it count at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice, zip_longest
from typing import NamedTuple

import sqlalchemy as sa

from pipeline.checking import Checked
from pipeline.decisions import CarriedOut, carry_out_decisions
from pipeline.errors import FileRefused
from pipeline.events import Event
from pipeline.intake.claim import Claim, content_of
from pipeline.judging import Judging, Told, judge
from pipeline.ledger import batches as files
from pipeline.ledger.batches import Accepted, Batch
from pipeline.mapping.spec import FeedMapping
from pipeline.model import DeliverTo, Encoded, Rejection, encoded_slices
from pipeline.progress import Progress, Quiet
from pipeline.project import Project
from pipeline.recognise import peek, recognise
from pipeline.returned import completed, corrected_rows, decided_before, linked
from pipeline.staged import clear_staged

TOGETHER = 2_500
"""Records, or rejections, written in one transaction: other writers wait no longer than that takes, and what they are
made of fits into memory that was used before."""

UNDER_WAY = 2
"""Parts that wait to be written, at most: judging need not wait for each."""


class _Stopped(Exception):
    """A stop was asked for between two blocks of a long file; what was written of it nobody sees."""


def take_in(
    project: Project, claim: Claim, progress: Progress | None = None, stop: threading.Event | None = None
) -> Batch:
    """Read, map, check and write down one claimed file; a file already written down is left as it is.

    Where ``stop`` is set while a long file is read, its batch stays ``claimed``, and the next start reads it anew.
    """
    batch = begin(project, claim)
    if batch.state != "claimed":
        return batch
    clear_staged(project, batch)
    told, asked = progress or Quiet(), stop or threading.Event()
    try:
        peeked = peek(claim.path)
        decided = carry_out_decisions(project, claim.path, peeked)
        if decided is not None and decided.nothing_else:
            project.writer.write(lambda c: files.accept(c, batch, _nothing_but(decided), project.clock.now()))
            return _reread(project, batch)
        recognised = recognise(project, claim.path, claim.subfolder, peeked=peeked)
        if _seen_before(project, batch, recognised.mapping):
            return _reread(project, batch)
        judging = judge(
            project.plan, recognised, decided_before(project, recognised.links), _telling(told, claim, "Reading", asked)
        )
        notes = decided.notes if decided else ()
        _write_down(project, batch, judging, _telling(told, claim, "Checking", asked), notes)
    except _Stopped:
        return batch
    except FileRefused as refusal:
        from pipeline.drift import with_proposal  # what makes proposals is loaded where a file needs one

        clear_staged(project, batch)
        refused = with_proposal(project, claim.path, claim.subfolder, refusal)
        values = {"reason_code": refused.code, "reason": refused.message, "advice": refused.advice}
        project.writer.write(lambda c: files.refuse(c, batch, values))
    return _reread(project, batch)


def _telling(progress: Progress, claim: Claim, doing: str, stop: threading.Event) -> Told:
    """Says how far a long file is read, or checked; between its blocks is where a stop is heeded."""

    def tell(rows: int) -> None:
        if stop.is_set():
            raise _Stopped
        progress.say(f"{doing} {claim.file_name}: {rows:,} rows", Event.READING, rows=rows)

    return tell


def begin(project: Project, claim: Claim) -> Batch:
    """The ledger's entry of a claimed file, made where there is none yet."""
    with project.engine.connect() as connection:
        known = files.by_link(connection, [claim.link])
    if known:
        return known[claim.link]
    try:
        sha256, size = content_of(claim.path)
    except OSError:
        sha256, size = "", 0  # unreadable: reading it will say so in words
    values = {
        "link": claim.link, "file_name": claim.file_name, "subfolder": claim.subfolder, "sha256": sha256, "size": size,
        "received_at": project.clock.now(), "path": claim.path.relative_to(project.folder).as_posix(),
    }  # fmt: skip
    return project.writer.write(lambda c: files.begin(c, values))


def _reread(project: Project, batch: Batch) -> Batch:
    with project.engine.connect() as connection:
        return files.get(connection, batch.id)


def _seen_before(project: Project, batch: Batch, mapping: FeedMapping) -> bool:
    with project.engine.connect() as connection:
        earlier = files.twin(connection, batch, mapping.feed, mapping.fingerprint())
    if earlier is None:
        return False
    project.writer.write(lambda c: files.mark_duplicate(c, batch, earlier))
    return True


# --- writing -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Counts:
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0

    def add(self, checked: Checked) -> None:
        self.read += checked.read
        self.accepted += checked.accepted
        self.rejected += checked.rejected
        self.skipped += checked.skipped


class _Part(NamedTuple):
    """What one transaction writes; ``followed`` where another part is sure to come."""

    records: Sequence[Encoded] = ()
    rejections: Sequence[Rejection] = ()
    followed: bool = False


def _write_down(project: Project, batch: Batch, judging: Judging, tell: Told, notes: tuple[str, ...]) -> None:
    """Write part by part while the next one is being judged; the last part goes with what makes the file count.

    A part that may be the last one waits until it is known whether another comes.
    """
    corrected = corrected_rows(project, judging.origins)
    counts, now, deliver = _Counts(), project.clock.now(), judging.mapping.deliver
    under_way: deque[Future[None]] = deque()
    thread = ThreadPoolExecutor(1, "parts")
    parts = _parts(project, judging, corrected, counts, tell)
    try:
        last: _Part | None = None
        for part in parts:
            known = [one for one in (last, part) if one is not None]
            last = None if part.followed else known.pop()
            for one in known:
                if len(under_way) == UNDER_WAY:
                    under_way.popleft().result()
                under_way.append(thread.submit(_write, project, batch, deliver, one, now))
    finally:
        parts.close()
        thread.shutdown()
    for write in under_way:
        write.result()
    _write(project, batch, deliver, last or _Part(), now, _accepted(judging, counts, corrected, notes))


def _write(
    project: Project, batch: Batch, deliver: Sequence[DeliverTo], part: _Part, now: float,
    accepted: Accepted | None = None,
) -> None:  # fmt: skip
    """Write one part; with the last one goes what makes the file count."""

    def stage(connection: sa.Connection) -> None:
        files.stage(connection, batch.id, deliver, part.records, part.rejections, now)
        if accepted is not None:
            files.finish(connection, batch, accepted)

    project.writer.write(stage)


def _nothing_but(decided: CarriedOut) -> Accepted:
    """What a workbook gives whose only content are decisions: no rows."""
    return Accepted(
        feed=decided.feed, mapping_fingerprint="", found={}, header=[], deliver=[], on_change="update", records=[],
        rejections=[], read=0, accepted=0, rejected=0, skipped=0, notes=decided.notes, corrects=decided.batch_id,
    )  # fmt: skip


def _parts(
    project: Project, judging: Judging, corrected: Mapping[int, Sequence[int]], counts: _Counts, tell: Told
) -> Generator[_Part]:
    with closing(judging.portions(tell)) as portions:
        for checked in portions:
            counts.add(checked)
            rejections = map(partial(linked, origins=judging.origins), checked.rejections)
            records = completed(project, judging.mapping, checked.records, corrected)
            left = -(-max(len(records), len(checked.rejections)) // TOGETHER)
            for some, rejected in zip_longest(encoded_slices(records, TOGETHER), _slices(rejections), fillvalue=()):
                left -= 1
                # What is left to do of the records is done here: the thread that writes is the busier one.
                yield _Part(list(some), rejected, followed=left > 0)


def _slices(rejections: Iterator[Rejection]) -> Iterator[Sequence[Rejection]]:
    while some := list(islice(rejections, TOGETHER)):
        yield some


def _accepted(
    judging: Judging, counts: _Counts, corrected: Mapping[int, Sequence[int]], notes: tuple[str, ...]
) -> Accepted:
    mapping = judging.mapping
    return Accepted(
        feed=mapping.feed,
        mapping_fingerprint=mapping.fingerprint(),
        found=judging.found(),
        header=judging.header,
        deliver=mapping.deliver,
        on_change=mapping.on_change,
        records=(),
        rejections=(),
        read=counts.read,
        accepted=counts.accepted,
        rejected=counts.rejected,
        skipped=counts.skipped,
        notes=(*judging.notes, *notes),
        corrects=min(corrected, default=None),
        corrected_rows=corrected,
    )
