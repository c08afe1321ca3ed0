"""Take in one file: from its claim to everything the ledger has to know of it, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd

from pipeline.checking import Checked, check_file, load_schema
from pipeline.closing.correction import is_correction, leftovers, split_correction
from pipeline.closing.reference import Origin
from pipeline.closing.workbook import is_refusal
from pipeline.errors import FileRefused
from pipeline.intake.claim import Claim, fingerprint
from pipeline.ledger import batches as files
from pipeline.ledger.batches import Accepted, Batch
from pipeline.mapping.apply import BoundMapping, bind, survey, typed
from pipeline.mapping.spec import FeedMapping, match_feed
from pipeline.model import Rejection
from pipeline.project import Plan, Project
from pipeline.reading import open_table
from pipeline.reading.table import Hints, Table

BLOCK_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file with its feed, and the header without our own columns. ``returned``: it is a corrected workbook."""

    mapping: FeedMapping
    table: Table
    returned: bool
    links: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Judged:
    """A file read, mapped and checked. ``origins`` leads each row of a returned workbook to where it came from."""

    mapping: FeedMapping
    table: Table
    header: tuple[str, ...]
    checked: Checked
    origins: Mapping[int, Origin | None]
    notes: tuple[str, ...]


def take_in(project: Project, claim: Claim) -> Batch:
    """Read, map, check and write down one claimed file; a file already written down is left as it is."""
    batch = _begin(project, claim)
    if batch.state != "claimed":
        return batch
    try:
        recognised = recognise(project, claim.path, claim.subfolder)
        if _seen_before(project, batch, recognised.mapping):
            return _reread(project, batch)
        judged = judge(project.plan, recognised)
    except FileRefused as refused:
        told = {"reason_code": refused.code, "reason": refused.message, "advice": refused.advice}
        project.writer.write(lambda c: files.refuse(c, batch, told))
        return _reread(project, batch)
    accepted = _accepted(project, judged)
    project.writer.write(lambda c: files.accept(c, batch, accepted, project.clock.now()))
    return _reread(project, batch)


def _begin(project: Project, claim: Claim) -> Batch:
    with project.engine.connect() as connection:
        known = files.by_link(connection, [claim.link])
    if known:
        return known[claim.link]
    try:
        sha256, size = fingerprint(claim.path)
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


# --- which feed, and is it a corrected workbook? -----------------------------------------------------------------


def recognise(project: Project | None, path: Path, subfolder: str | None, plan: Plan | None = None) -> Recognised:
    """Find the feed of a file; ``FileRefused`` when none, or two, fit. A returned workbook names its own."""
    the_plan = project.plan if project is not None else plan
    assert the_plan is not None  # noqa: S101 - one of the two is always given
    mapping, no_feed = _feed_by_name(the_plan.mappings, path.name, subfolder)
    table = _peek(path)
    if table is not None and is_refusal(table.header):
        raise FileRefused(
            "own_notice",
            f"'{path.name}' is the notice about a file that could not be read, not the file itself.",
            "Repair the file the notice speaks of, and drop that one.",
        )
    if table is not None and is_correction(table.header):
        links = _links(table)
        named = _feed_by_links(project, links)
        if named is not None or mapping is not None:
            return Recognised(
                the_plan.mappings.get(named or "") or _certain(mapping), table, returned=True, links=links
            )
        raise FileRefused(
            "unknown_correction",
            f"'{path.name}' is a corrected workbook, but none of its rows is known here.",
            "Drop it where it came from, or name its feed: put it into inbox/<feed>/.",
        )
    if mapping is None:
        raise no_feed or AssertionError
    hints = mapping_hints(mapping)
    if table is None or hints != Hints():
        table = open_table(path, hints)
    return Recognised(mapping, table, returned=False)


def _certain(mapping: FeedMapping | None) -> FeedMapping:
    if mapping is None:
        raise FileRefused(
            "unknown_feed",
            "The feed this corrected workbook came from is no longer among the mappings.",
            "Put its mapping back, or put the workbook into inbox/<feed>/.",
        )
    return mapping


def mapping_hints(mapping: FeedMapping) -> Hints:
    """What the mapping names about its files."""
    files_of = mapping.files
    return Hints(files_of.encoding, files_of.delimiter, files_of.quote, files_of.sheet, files_of.header_row)


def _feed_by_name(
    mappings: Mapping[str, FeedMapping], name: str, subfolder: str | None
) -> tuple[FeedMapping | None, FileRefused | None]:
    try:
        return match_feed(mappings, name, subfolder), None
    except FileRefused as refused:
        return None, refused


def _peek(path: Path) -> Table | None:
    """The file opened with nothing named; ``None`` when it cannot be read that way."""
    try:
        return open_table(path, Hints())
    except FileRefused:
        return None


def _links(table: Table) -> frozenset[str]:
    links: set[str] = set()
    for block in table.blocks(BLOCK_ROWS):
        split = split_correction(table.header, block.frame)
        links.update(origin.link for origin in split.origins.values() if origin is not None)
    return frozenset(links)


def _feed_by_links(project: Project | None, links: frozenset[str]) -> str | None:
    """The feed the rows of a returned workbook came from; ``FileRefused`` when they came from two."""
    if project is None or not links:
        return None
    with project.engine.connect() as connection:
        feeds = {batch.feed for batch in files.by_link(connection, sorted(links)).values() if batch.feed}
    if len(feeds) > 1:
        raise FileRefused(
            "two_feeds",
            f"The rows of this workbook came from several feeds: {', '.join(sorted(feeds))}.",
            "Correct and drop back one workbook per feed.",
        )
    return next(iter(feeds), None)


# --- reading, mapping, checking ----------------------------------------------------------------------------------


def judge(plan: Plan, recognised: Recognised) -> Judged:
    """Read every row, type it, and check it."""
    mapping, table = recognised.mapping, recognised.table
    blocks = [_own(recognised, block.frame, block.broken) for block in table.blocks(BLOCK_ROWS)]
    header = blocks[0].header if blocks else table.header
    bound = bind(mapping, header, plan.settings.timezone, also_ignore=leftovers(header))
    decisions = survey(bound, [block.frame for block in blocks])
    broken = [rejection for block in blocks for rejection in block.broken]
    typed_blocks = (typed(bound, block.frame, decisions) for block in blocks)
    checked = check_file(bound, typed_blocks, broken, load_schema(plan.settings.folder, mapping.record))
    origins = {row: origin for block in blocks for row, origin in block.origins.items()}
    return Judged(mapping, table, header, checked, origins, (*table.found.notes, *_unmapped(bound)))


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
    names = ", ".join(f"'{name}'" for name in bound.unmapped)
    return (f"Columns nobody mapped: {names}. Map them, or name them in ignore_columns of feed {bound.mapping.feed}.",)


def _accepted(project: Project, judged: Judged) -> Accepted:
    checked, mapping = judged.checked, judged.mapping
    corrected = _corrected_rows(project, judged.origins)
    return Accepted(
        feed=mapping.feed,
        mapping_fingerprint=mapping.fingerprint(),
        found={k: v for k, v in asdict(judged.table.found).items() if k != "notes"},
        header=judged.header,
        deliver=mapping.deliver,
        on_change=mapping.on_change,
        records=checked.records,
        rejections=[_linked(r, judged.origins) for r in checked.rejections],
        read=checked.read,
        accepted=checked.accepted,
        rejected=checked.rejected,
        skipped=checked.skipped,
        notes=judged.notes,
        corrects=min(corrected, default=None),
        corrected_rows=corrected,
    )


def _corrected_rows(project: Project, origins: Mapping[int, Origin | None]) -> dict[int, Sequence[int]]:
    """Original rows that came back, by the batch they came from."""
    by_link: dict[str, list[int]] = {}
    for origin in origins.values():
        if origin is not None:
            by_link.setdefault(origin.link, []).append(origin.row)
    with project.engine.connect() as connection:
        known = files.by_link(connection, sorted(by_link))
    return {known[link].id: rows for link, rows in by_link.items() if link in known}


def _linked(rejection: Rejection, origins: Mapping[int, Origin | None]) -> Rejection:
    """The same rejection, telling also which row of the original file is meant."""
    origin = origins.get(rejection.row)
    if origin is None or origin.row == rejection.row:
        return rejection
    return replace(rejection, message=f"{rejection.message} (Row {origin.row} of the original file.)")
