"""Rows of a corrected workbook meet what the ledger knows of the file they came from."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from pipeline.closing.reference import Origin
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.mapping.spec import FeedMapping
from pipeline.model import DeliveryState, Record, Rejection, Value
from pipeline.project import Project


class Origins:
    """Where each row of a returned workbook came from, in a few bytes a row; ``get`` is ``None`` for other rows."""

    def __init__(self) -> None:
        self._links: dict[str, int] = {}
        self._blocks: list[npt.NDArray[np.int64]] = []

    def add(self, origins: Mapping[int, Origin | None]) -> None:
        """The rows of the next block, in their order."""
        known = [(row, origin) for row, origin in origins.items() if origin is not None]
        if known:
            numbered = [(row, self._links.setdefault(o.link, len(self._links)), o.row) for row, o in known]
            self._blocks.append(np.array(numbered, dtype=np.int64))

    def get(self, row: int) -> Origin | None:
        """Where a row came from."""
        for block in self._blocks:
            if block[0, 0] <= row <= block[-1, 0]:
                at = int(np.searchsorted(block[:, 0], row))
                _, link, origin = block[at].tolist()
                return Origin(list(self._links)[link], origin) if block[at, 0] == row else None
        return None

    def by_link(self) -> dict[str, array[int]]:
        """The original rows that came back, by the link of their file; 8 bytes a row."""
        found: dict[str, array[int]] = {}
        for block in self._blocks:
            for link, number in self._links.items():
                rows = block[block[:, 1] == number, 2]
                if len(rows):
                    found.setdefault(link, array("q")).frombytes(rows.tobytes())
        return found


def corrected_rows(project: Project, origins: Origins) -> dict[int, Sequence[int]]:
    """Original rows that came back, by the batch they came from."""
    by_link = origins.by_link()
    with project.engine.connect() as connection:
        known = files.by_link(connection, sorted(by_link))
    return {known[link].id: rows for link, rows in by_link.items() if link in known}


def decided_before(project: Project, links: frozenset[str]) -> dict[str, frozenset[str]]:
    """What the columns of the original files showed about their notation (see ``mapping.apply.survey``)."""
    if not links:
        return {}
    decided: dict[str, frozenset[str]] = {}
    with project.engine.connect() as connection:
        for batch in files.by_link(connection, sorted(links)).values():
            for name, marks in ((batch.found or {}).get("decided") or {}).items():
                decided[name] = decided.get(name, frozenset()) | frozenset(marks)
    return decided


def linked(rejection: Rejection, origins: Origins) -> Rejection:
    """The same rejection, telling also which row of the original file is meant."""
    origin = origins.get(rejection.row)
    if origin is None or origin.row == rejection.row:
        return rejection
    return rejection._replace(message=f"{rejection.message} (Row {origin.row} of the original file.)")


def completed(
    project: Project, mapping: FeedMapping, records: Sequence[Record], corrected: Mapping[int, Sequence[int]]
) -> Sequence[Record]:
    """Records with the lines that went out before them.

    Under ``reject: row`` an order goes out without its bad lines. When such a line comes back corrected, the order is
    all its lines together; sent alone, it would take the place of the others.
    """
    if not corrected or mapping.record != "order" or mapping.reject != "row":
        return records
    returned = {batch: frozenset(rows) for batch, rows in corrected.items()}
    return [_with_earlier_lines(project, record, returned) for record in records]


def _with_earlier_lines(project: Project, record: Record, corrected: Mapping[int, frozenset[int]]) -> Record:
    with project.engine.connect() as connection:
        earlier = [d for d in book.by_key(connection, record.key) if d.state != DeliveryState.REFUSED]
    if not earlier:
        return record
    newest = earlier[-1]
    returned = corrected.get(newest.batch_id, frozenset())
    kept = _lines_not_in(newest.record, returned)
    # What came back may be one row of several, and the value may stand in another: it clears nothing.
    return replace(replace(record, cleared=()).over(newest.record), lines=(*kept, *record.lines))


def _lines_not_in(record: Record, rows: frozenset[int]) -> list[Mapping[str, Value]]:
    """The lines of a record whose rows did not come back; lines from still earlier files stand first, without rows."""
    older = len(record.lines) - len(record.rows)
    own = zip(record.rows, record.lines[older:], strict=True)
    return [*record.lines[:older], *(line for row, line in own if row not in rows)]
