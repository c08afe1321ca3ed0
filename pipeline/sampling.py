"""A file looked at for what its columns may mean: the first rows, each column with its content."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from zoneinfo import ZoneInfo

from pipeline.fields import FieldSpec
from pipeline.mapping.cells import Reading
from pipeline.mapping.parsers import read_one
from pipeline.proposing.content import look
from pipeline.proposing.matching import Seen
from pipeline.reading.table import Table
from pipeline.reasons import Trouble

SAMPLE_ROWS = 5_000


def columns_of(table: Table, rows: int = SAMPLE_ROWS) -> tuple[Seen, ...]:
    """Every column of a table with its first ``rows`` cells; ``FileRefused`` when the rows cannot be read."""
    frames = [block.frame for block in islice(table.blocks(rows), 1)]
    cells = [tuple(map(str, frame[at])) for frame in frames for at in range(len(table.header))]
    told = cells or [()] * len(table.header)
    return tuple(Seen(at, table.header[at], look(told[at], understood), told[at]) for at in range(len(table.header)))


def understood(parser: str, texts: Sequence[str]) -> float:
    """Which share of the texts a mapping's parser reads; the parser is named like the type of its field."""
    reading = Reading(FieldSpec(parser, parser), parser, ZoneInfo("UTC"))
    good = sum(not isinstance(read_one(text, reading), Trouble) for text in texts)
    return good / len(texts) if texts else 0.0
