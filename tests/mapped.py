"""Mappings from YAML texts and rows of text, for the tests of mapping and checking."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from pipeline.checking import Checked, check_file, load_schema
from pipeline.mapping.apply import BoundMapping, Typed, bind, survey, typed
from pipeline.mapping.spec import FeedMapping, load_mapping
from pipeline.model import Rejection
from pipeline.rows import Rows

NEW_YORK = ZoneInfo("America/New_York")
ORDER = """
feed: acme
record: order
fields:
  order_id: {column: Order}
  ordered_at: {column: Date, format: "%m/%d/%Y"}
  quantity: {column: Qty, parse: integer}
  unit_price: {column: Price, parse: money, decimal: "."}
  sku: {column: SKU}
  email: {column: Email}
  extra: {gift: {column: Gift}}
deliver: [{account: shop, operation: order}]
"""
ORDER_HEADER = ("Order", "Date", "Qty", "Price", "SKU", "Email", "Gift")


def mapping_of(folder: Path, text: str, name: str = "acme.yaml") -> FeedMapping:
    """The mapping of a YAML text, read from a real file."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def rows_of(lines: Sequence[Sequence[str]], first_row: int = 2, width: int | None = None) -> Rows:
    """Rows as reading gives them: text columns by position, row numbers counted up."""
    return Rows.of(lines, range(first_row, first_row + len(lines)), width if width is not None else len(lines[0]))


def as_frame(read: Typed) -> pd.DataFrame:
    """Rows that were read as objects, by row number."""
    return pd.DataFrame({name: c.objects() for name, c in read.columns.items()}, index=read.rows, dtype=object)


def typed_of(bound: BoundMapping, rows: Sequence[Sequence[str]]) -> Typed:
    """Rows surveyed and read."""
    read = rows_of(rows, width=max((c.position for c in bound.columns), default=0) + 1 if not rows else None)
    return typed(bound, read, survey(bound, [read]))


def checked_of(
    folder: Path,
    text: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    broken: Sequence[Rejection] = (),
    blocks: int = 1,
) -> Checked:
    """A whole file read and judged by the schemas of the product."""
    mapping = mapping_of(folder, text)
    bound = bind(mapping, header, NEW_YORK)
    size = -(-len(rows) // blocks) or 1
    parts = [rows_of(rows[at : at + size], 2 + at, len(header)) for at in range(0, len(rows), size)]
    decisions = survey(bound, parts)
    return check_file(
        bound, (typed(bound, part, decisions) for part in parts), broken, load_schema(folder, mapping.record)
    )


def told(checked: Checked) -> list[tuple[int, str]]:
    """Row number and code of every rejection."""
    return [(rejection.row, rejection.code) for rejection in checked.rejections]
