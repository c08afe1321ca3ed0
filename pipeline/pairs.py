"""Two files that make one: the lines wait in the inbox for the file with their orders, and are claimed with it.

What reads files is loaded for such pairs only: every pass asks, also one that finds the inbox empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import FileRefused
from pipeline.intake.claim import Claim, claim_partner, partner_beside
from pipeline.intake.folder import Dropped
from pipeline.mapping.spec import FeedMapping, match_feed
from pipeline.project import Plan
from pipeline.shapes import same_place


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is not taken for itself; ``remark`` says what it waits for, empty when its lines take it along."""

    path: Path
    remark: str


def waits(plan: Plan, dropped: Dropped, settled: Sequence[Dropped]) -> Waiting | None:
    """Why a settled file is not claimed now; ``None`` when it can be."""
    path = dropped.path
    lines = _lines_of(plan, dropped)
    if lines is not None:
        wanted = same_place(_orders_pattern(lines), path.name)
        there = any(
            same_place(lines.files.pattern[0], other.path.name) == wanted for other in _beside(dropped, settled)
        )
        named = lines.files.pattern[0].replace("*", wanted or "*")
        return Waiting(path, "" if there else f"{path.name} waits for its lines, {named} (feed {lines.feed}).")
    mapping = _pair_of(plan, dropped)
    if mapping is None or is_returned(path):
        return None
    from pipeline.joining import find_partner, partner_name

    partner = find_partner(mapping, path)
    if partner is not None and any(other.path == partner for other in settled):
        return None
    named = partner_name(mapping, path.name)
    return Waiting(path, f"{path.name} waits for its partner, {named} (feed {mapping.feed}).")


def with_partner(plan: Plan, taken: Claim, inbox: Path) -> None:
    """Claim the other file of a pair too; a crash in between is made good when the claim is found again.

    Where it is gone, reading says so.
    """
    mapping = _pair_of(plan, Dropped(taken.path, taken.subfolder))
    if mapping is None or partner_beside(taken.path) is not None or is_returned(taken.path):
        return
    from pipeline.joining import find_partner

    folder = inbox / taken.subfolder if taken.subfolder else inbox
    partner = find_partner(mapping, folder / taken.file_name) if folder.is_dir() else None
    if partner is not None:
        claim_partner(taken, partner)


def partner_of(plan: Plan, dropped: Dropped) -> Path | None:
    """The other file of a pair beside a file that takes it along."""
    mapping = _pair_of(plan, dropped)
    if mapping is None or is_returned(dropped.path):
        return None
    from pipeline.joining import find_partner

    return find_partner(mapping, dropped.path)


def is_returned(path: Path) -> bool:
    """Whether a file is a corrected workbook, which needs no partner: it carries the joined columns itself."""
    from pipeline.closing.correction import is_correction
    from pipeline.reading import open_table

    try:
        return is_correction(open_table(path).header)
    except FileRefused:
        return False


def _pair_of(plan: Plan, dropped: Dropped) -> FeedMapping | None:
    """The feed of a file whose lines are to be joined with another file."""
    try:
        mapping = match_feed(plan.mappings, dropped.path.name, dropped.subfolder)
    except FileRefused:
        return None
    return mapping if mapping.join is not None and mapping.join.files is not None else None


def _lines_of(plan: Plan, dropped: Dropped) -> FeedMapping | None:
    """The feed whose lines a file is the partner of; a file whose own feed claims it by name is none."""
    for mapping in plan.mappings.values():
        if mapping.join is None or mapping.join.files is None:
            continue
        if dropped.subfolder is not None and dropped.subfolder.casefold() != mapping.feed.casefold():
            continue
        is_lines = same_place(mapping.files.pattern[0], dropped.path.name) is not None
        if not is_lines and same_place(mapping.join.files, dropped.path.name) is not None:
            return mapping
    return None


def _orders_pattern(mapping: FeedMapping) -> str:
    return (mapping.join.files if mapping.join else None) or ""


def _beside(dropped: Dropped, settled: Sequence[Dropped]) -> list[Dropped]:
    return [other for other in settled if other.path.parent == dropped.path.parent and other != dropped]
