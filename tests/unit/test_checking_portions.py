"""A file judged in portions comes to what it comes to as a whole, wherever the rows of its records stand."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapped import NEW_YORK, ORDER, ORDER_HEADER, mapping_of, rows_of

from pipeline.checking import (
    AtFault,
    Checked,
    Places,
    at_fault,
    check_file,
    gather,
    judged,
    load_schema,
    portions,
    read_sheet,
    together,
    verdict,
    whole_records,
)
from pipeline.errors import LedgerError
from pipeline.mapping.apply import bind, keys_only, typed
from pipeline.model import Rejection

KEYS = st.sampled_from(["1", "2", "3", "4", " 1 ", "", "1.2E+11", "TOTAL"])
ROW = st.tuples(
    KEYS,
    st.sampled_from(["1/5/2026", "1/5/2026", "", "1/6/2026", "#N/A"]),
    st.sampled_from(["1", "2", "", "0", "x"]),
    st.sampled_from(["5.00", "", "9" * 20]),
    st.sampled_from(["A", "", "1-Mar"]),
    st.sampled_from(["", "a@b.com", "a@b.com", "c@d.com"]),
    st.sampled_from(["", "yes"]),
)
ROWS = st.lists(ROW, min_size=1, max_size=14)
ITEMS = """
feed: stock
record: inventory_item
key: [sku, location]
fields: {sku: {column: Order}, name: {column: SKU}, location: {column: Gift, optional: true}}
deliver: [{account: shop, operation: inventory_item}]
"""


@lru_cache(maxsize=16)
def _bound(kind: str, policy: str, filled: bool):
    text = ORDER.replace("parse: integer", 'parse: integer, decimal: "."') if kind == "order" else ITEMS
    text = text.replace("\nfields:", f"\nreject: {policy}\nskip_rows_where: {{column: Order, is: TOTAL}}\nfields:")
    if kind == "order" and filled:
        text = text.replace("\nfields:", "\nfill_down: true\nfields:")
    with tempfile.TemporaryDirectory() as folder:
        return bind(mapping_of(Path(folder), text), ORDER_HEADER, NEW_YORK)


@lru_cache(maxsize=2)
def _schema(kind: str):
    return load_schema(Path(), kind)


def in_portions(bound, schema, blocks, broken) -> Checked:
    """As a long file is judged: one pass for the keys, one for everything."""

    def sheets(binding):
        above = {}
        for block in blocks:
            own = [rejection for rejection in broken if rejection.row in block.numbers]
            yield read_sheet(gather(binding, [typed(binding, block, {})], own), above)

    places = Places()
    for sheet in sheets(keys_only(bound)):
        places.add(sheet)

    def whole():
        return whole_records(sheets(bound), places.scattered(), places.rows)

    file = at_fault(judged(sheet, schema) for sheet in whole()) if bound.reject == "file" else AtFault()
    return together([verdict(judged(sheet, schema), file) for sheet in whole()])


@given(
    ROWS,
    st.sampled_from(["order", "inventory_item"]),
    st.sampled_from(["order", "row", "file"]),
    st.booleans(),
    st.integers(1, 5),
    st.sets(st.integers(2, 15), max_size=2),
    st.integers(1, 20),
)
@settings(max_examples=120, deadline=None)
def test_portions_come_to_what_the_whole_file_comes_to(rows, kind, policy, filled, block, shifted, kept_aside):
    bound = _bound(kind, "row" if kind != "order" and policy == "order" else policy, filled)
    read = rows_of(rows, width=len(ORDER_HEADER))
    blocks = [read.part(at, at + block) for at in range(0, len(read), block)]
    broken = [Rejection(row, None, None, "too_few_cells", "x", "x") for row in sorted(shifted) if row in read.numbers]
    whole = check_file(bound, [typed(bound, part, {}) for part in blocks], broken, _schema(kind))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(portions, "KEPT_ASIDE", kept_aside)
        parts = in_portions(bound, _schema(kind), blocks, broken)
    assert (parts.read, parts.accepted, parts.rejected, parts.skipped) == (
        whole.read, whole.accepted, whole.rejected, whole.skipped,
    )  # fmt: skip
    assert sorted(parts.rejections, key=repr) == sorted(whole.rejections, key=repr)
    assert sorted(parts.records, key=repr) == sorted(whole.records, key=repr)


def test_a_long_file_in_good_order_sets_nothing_aside_but_its_last_record() -> None:
    bound, schema = _bound("order", "order", False), _schema("order")
    rows = [(str(n // 3), "1/5/2026", "1", "5.00", "A", "", "") for n in range(30)]
    read = rows_of(rows)
    blocks = [read.part(at, at + 7) for at in range(0, 30, 7)]
    places, above = Places(), {}
    sheets = [read_sheet(gather(bound, [typed(bound, part, {})], []), above) for part in blocks]
    for sheet in sheets:
        places.add(sheet)
    assert not len(places.scattered())
    found = [verdict(judged(s, schema), AtFault()) for s in whole_records(sheets, places.scattered(), places.rows)]
    assert [[record.key for record in part.records] for part in found] == [
        ["0", "1"], ["2", "3"], ["4", "5"], ["6", "7", "8"], [], ["9"],
    ]  # fmt: skip


def test_a_file_that_changes_between_the_passes_stops_everything() -> None:
    bound = _bound("order", "order", False)
    read = rows_of([("1", "1/5/2026", "1", "5.00", "A", "", "")] * 4)
    sheets = [read_sheet(gather(bound, [typed(bound, read, {})], []), {})]
    with pytest.raises(LedgerError, match="changed in between"):
        list(whole_records(sheets, Places().scattered(), 5))
    with pytest.raises(LedgerError, match="stands twice"):
        list(whole_records([*sheets, *sheets], Places().scattered(), 8))
