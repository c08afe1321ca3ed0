"""Take in one file: from its claim to everything the ledger has to know of it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

import pandas as pd

from pipeline.checking import Checked, check_file, load_schema
from pipeline.closing.correction import leftovers, split_correction
from pipeline.closing.reference import Origin
from pipeline.decisions import CarriedOut, carry_out_decisions
from pipeline.drift import likely_meanings, with_proposal
from pipeline.errors import FileRefused
from pipeline.intake.claim import Claim, content_of
from pipeline.ledger import batches as files
from pipeline.ledger.batches import Accepted, Batch
from pipeline.mapping.apply import BoundMapping, Decisions, bind, survey, typed
from pipeline.mapping.spec import FeedMapping
from pipeline.model import Rejection
from pipeline.project import Plan, Project
from pipeline.reading.table import Table
from pipeline.recognise import BLOCK_ROWS, Recognised, peek, recognise, unfolding_of
from pipeline.returned import completed, corrected_rows, decided_before, linked


@dataclass(frozen=True, slots=True)
class Judged:
    """A file read, mapped and checked. ``origins`` leads each row of a returned workbook to where it came from."""

    mapping: FeedMapping
    table: Table
    header: tuple[str, ...]
    checked: Checked
    origins: Mapping[int, Origin | None]
    notes: tuple[str, ...]
    decisions: Decisions


def take_in(project: Project, claim: Claim) -> Batch:
    """Read, map, check and write down one claimed file; a file already written down is left as it is."""
    batch = _begin(project, claim)
    if batch.state != "claimed":
        return batch
    try:
        peeked = peek(claim.path)
        decided = carry_out_decisions(project, claim.path, peeked)
        if decided is not None and decided.nothing_else:
            project.writer.write(lambda c: files.accept(c, batch, _nothing_but(decided), project.clock.now()))
            return _reread(project, batch)
        recognised = recognise(project, claim.path, claim.subfolder, peeked=peeked)
        if _seen_before(project, batch, recognised.mapping):
            return _reread(project, batch)
        judged = judge(project.plan, recognised, decided_before(project, recognised.links))
    except FileRefused as refusal:
        refused = with_proposal(project, claim.path, claim.subfolder, refusal)
        told = {"reason_code": refused.code, "reason": refused.message, "advice": refused.advice}
        project.writer.write(lambda c: files.refuse(c, batch, told))
        return _reread(project, batch)
    accepted = _accepted(project, judged, decided.notes if decided else ())
    project.writer.write(lambda c: files.accept(c, batch, accepted, project.clock.now()))
    return _reread(project, batch)


def _begin(project: Project, claim: Claim) -> Batch:
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


# --- reading, mapping, checking ----------------------------------------------------------------------------------


def judge(plan: Plan, recognised: Recognised, decided: Decisions = MappingProxyType({})) -> Judged:
    """Read every row, type it, and check it.

    ``decided`` is what the columns of the original file showed about their notation: the few rows of a returned
    workbook may not show it themselves.
    """
    mapping, table = recognised.mapping, recognised.table
    blocks = [_own(recognised, block.frame, block.broken) for block in table.blocks(BLOCK_ROWS)]
    header = blocks[0].header if blocks else table.header
    unfold = unfolding_of(mapping, header)
    parts = [unfold.unfold(block.frame, block.broken) if unfold else (block.frame, block.broken) for block in blocks]
    names = unfold.header if unfold else header
    bound = bind(mapping, names, plan.settings.timezone, also_ignore=leftovers(names), unfolded=unfold)
    decisions = {**survey(bound, [frame for frame, _ in parts]), **decided}
    broken = [rejection for _, found in parts for rejection in found]
    typed_blocks = (typed(bound, frame, decisions) for frame, _ in parts)
    checked = check_file(bound, typed_blocks, broken, load_schema(plan.settings.folder, mapping.record))
    origins = {row: origin for block in blocks for row, origin in block.origins.items()}
    notes = (*table.found.notes, *(unfold.notes if unfold else ()), *_unmapped(bound))
    return Judged(mapping, table, header, checked, origins, notes, decisions)


@dataclass(frozen=True, slots=True)
class _Own:
    header: tuple[str, ...]
    frame: pd.DataFrame
    broken: tuple[Rejection, ...]
    origins: Mapping[int, Origin | None]


def _own(recognised: Recognised, frame: pd.DataFrame, broken: tuple[Rejection, ...]) -> _Own:
    """A block without the columns that are ours."""
    if not recognised.returned:
        return _Own(recognised.table.header, frame, broken, {})
    split = split_correction(recognised.table.header, frame)
    return _Own(split.header, split.frame, (*broken, *split.broken), split.origins)


def _unmapped(bound: BoundMapping) -> tuple[str, ...]:
    if not bound.unmapped:
        return ()
    meanings = likely_meanings(bound.mapping, {column.name for column in bound.columns}, bound.unmapped)
    names = ", ".join(f"'{n}' (perhaps {meanings[n]})" if n in meanings else f"'{n}'" for n in bound.unmapped)
    return (f"Columns nobody mapped: {names}. Map them, or name them in ignore_columns of feed {bound.mapping.feed}.",)


def _found(judged: Judged) -> dict[str, object]:
    """What makes a second reading read the same, and a returned workbook be understood the same."""
    found = {name: value for name, value in asdict(judged.table.found).items() if name != "notes"}
    return found | {"decided": {name: sorted(marks) for name, marks in judged.decisions.items() if marks}}


def _nothing_but(decided: CarriedOut) -> Accepted:
    """What a workbook gives whose only content are decisions: no rows."""
    return Accepted(
        feed=decided.feed, mapping_fingerprint="", found={}, header=[], deliver=[], on_change="update", records=[],
        rejections=[], read=0, accepted=0, rejected=0, skipped=0, notes=decided.notes, corrects=decided.batch_id,
    )  # fmt: skip


def _accepted(project: Project, judged: Judged, notes: tuple[str, ...]) -> Accepted:
    checked, mapping = judged.checked, judged.mapping
    corrected = corrected_rows(project, judged.origins)
    return Accepted(
        feed=mapping.feed,
        mapping_fingerprint=mapping.fingerprint(),
        found=_found(judged),
        header=judged.header,
        deliver=mapping.deliver,
        on_change=mapping.on_change,
        records=completed(project, mapping, checked.records, corrected),
        rejections=[linked(r, judged.origins) for r in checked.rejections],
        read=checked.read,
        accepted=checked.accepted,
        rejected=checked.rejected,
        skipped=checked.skipped,
        notes=(*judged.notes, *notes),
        corrects=min(corrected, default=None),
        corrected_rows=corrected,
    )
