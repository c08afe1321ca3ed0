"""What an errors workbook shows, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

COLUMN_LIMIT = 16_384
"""Columns one sheet can hold (Excel's specification of limits)."""


DRAFT = ".orderdrop-"
"""How the name of a workbook begins while it is being written."""


class Problem(Struct, frozen=True):
    """One thing wrong with a row. ``column`` is the position from 0, ``None`` when the whole row is meant.

    ``held``: nothing is wrong with the row itself, it waits for another row of its order.
    """

    column: int | None
    message: str
    advice: str = ""
    held: bool = False


class SheetRow(Struct, frozen=True):
    """A row to correct: its number in the file, its cells (as many as it had), its problems."""

    number: int
    cells: tuple[str, ...]
    problems: tuple[Problem, ...]


class SheetDoubt(Struct, frozen=True):
    """One unanswered send that a person has to settle, in words. ``problem``: why an earlier decision did not do."""

    reference: str
    since: datetime
    age: str
    key: str
    rows: str
    account: str
    operation: str
    sent: str
    seen: str
    search_for: str
    problem: str = ""


class ErrorsSheet(Struct, frozen=True):
    """Everything an errors workbook shows.

    ``link``: 1 to 64 URL-safe characters that lead the ledger to the batch; ``header``: the file's own texts,
    cell by cell; ``rows`` are gone through more than once; ``deliveries``: counts by account and delivery state;
    ``received``: a time with a zone.
    """

    file_name: str
    feed: str
    link: str
    header: tuple[str, ...]
    rows: Iterable[SheetRow]
    read: int
    accepted: int
    rejected: int
    skipped: int
    received: datetime
    deliveries: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    doubts: Sequence[SheetDoubt] = ()
