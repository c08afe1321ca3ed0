"""Which feed a file belongs to, and whether it is a corrected workbook on its way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from pipeline.closing.correction import is_correction, split_correction
from pipeline.closing.doubt_sheet import is_doubt_sheet
from pipeline.closing.reference import is_refusal
from pipeline.errors import FileRefused
from pipeline.joining import open_joined
from pipeline.ledger import batches as files
from pipeline.mapping.prove_shapes import numeric_columns
from pipeline.mapping.spec import FeedMapping, match_feed
from pipeline.mapping.texts import fold
from pipeline.project import Plan, Project
from pipeline.reading import open_table
from pipeline.reading.table import Hints, Table
from pipeline.reshaping import Unfolding, unfolding
from pipeline.reshaping.groups import numbered, refuse_uneven

BLOCK_ROWS = 24_576
"""Rows read at a time: memory does not grow with the file's length."""


class Recognised(Struct, frozen=True):
    """A file with its feed, and the header without our own columns. ``returned``: it is a corrected workbook.
    ``size`` in bytes."""

    mapping: FeedMapping
    table: Table
    returned: bool
    links: frozenset[str] = frozenset()
    size: int = 0


def recognise(
    project: Project | None, path: Path, subfolder: str | None, plan: Plan | None = None, *, peeked: Table | None = None
) -> Recognised:
    """Find the feed of a file; ``FileRefused`` when none, or two, fit. A returned workbook names its own.

    ``peeked``: the file as ``peek`` opened it, where that was done before.
    """
    the_plan = project.plan if project is not None else plan
    assert the_plan is not None  # noqa: S101 - one of the two is always given
    mapping, no_feed = _feed_by_name(the_plan.mappings, path.name, subfolder)
    table = peeked or peek(path)
    if table is not None and is_doubt_sheet(table.header):
        raise FileRefused(
            "only_decisions",
            f"'{path.name}' holds decisions about what was not answered, and no rows of a file.",
            "Drop it into the inbox: the next run carries the decisions out.",
        )
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
    if table is None or hints != Hints() or mapping.join is not None:
        table = open_joined(path, mapping, hints)
    return Recognised(mapping, table, returned=False, size=path.stat().st_size)


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
    return Hints(
        encoding=files_of.encoding,
        delimiter=files_of.delimiter,
        quote=files_of.quote,
        escape=files_of.escape,
        sheet=files_of.sheet,
        header_row=files_of.header_row,
        header_rows=files_of.header_rows,
        footer_rows=files_of.footer_rows,
        below_header=files_of.below_header,
        hidden_rows=files_of.hidden_rows,
        merged_cells=files_of.merged_cells,
    )


def unfolding_of(mapping: FeedMapping, header: Sequence[str]) -> Unfolding | None:
    """How a mapping unfolds rows with that header; ``None`` where it does not. ``FileRefused`` when it cannot."""
    if mapping.unpivot:
        _refuse_uneven(mapping, header)
    numeric = numeric_columns(mapping.record, mapping.fields)
    return unfolding(mapping.unpivot, mapping.split, header, mapping.feed, numeric)


def _refuse_uneven(mapping: FeedMapping, header: Sequence[str]) -> None:
    asked = [text for rule in mapping.fields.values() if not rule.optional for text in rule.column]
    asked += [*mapping.split.column, *mapping.split.columns] if mapping.split else []
    wanted = {fold(text) for text in asked}
    others = [text for rule in mapping.fields.values() for text in rule.column]
    others += [text for skip in mapping.skip_rows_where for text in skip.column]
    known = {fold(text) for text in (*others, *mapping.ignore_columns)}
    needed = [made for made in mapping.unpivot if fold(made) in wanted]
    if any(numbered(patterns, header) for patterns in mapping.unpivot.values()):
        refuse_uneven(mapping.unpivot, header, mapping.feed, needed, known)


def _feed_by_name(
    mappings: Mapping[str, FeedMapping], name: str, subfolder: str | None
) -> tuple[FeedMapping | None, FileRefused | None]:
    try:
        return match_feed(mappings, name, subfolder), None
    except FileRefused as refused:
        return None, refused


def peek(path: Path) -> Table | None:
    """The file opened with nothing named; ``None`` when it cannot be read that way."""
    try:
        return open_table(path, Hints())
    except FileRefused:
        return None


def _links(table: Table) -> frozenset[str]:
    links: set[str] = set()
    for block in table.blocks(BLOCK_ROWS):
        split = split_correction(table.header, block.rows)
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
