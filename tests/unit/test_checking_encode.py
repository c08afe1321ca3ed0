"""What is encoded in bulk is what each record would be encoded to on its own."""

from __future__ import annotations

import json
import tempfile
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapped import NEW_YORK, ORDER, ORDER_HEADER, checked_of, mapping_of, rows_of

from pipeline.checking import check_file, load_schema
from pipeline.mapping.apply import bind, survey, typed
from pipeline.model import Record, decode_record, encode_record, encoded_records, encoded_slices

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8)
EXTRAS = "extra: {zone: {column: Email}, gift: {column: Gift}, area: {column: Gift}}"
MAPPING = ORDER.replace("extra: {gift: {column: Gift}}", EXTRAS).replace("  email: {column: Email}\n", "")
ITEMS = """
feed: stock
record: inventory_item
fields: {sku: {column: SKU}, name: {column: Name}, price: {column: Price, parse: money, decimal: "."}}
deliver: [{account: shop, operation: inventory_item}]
"""
PAID = """
feed: paid
record: order
fields:
  order_id: {column: Order}
  ordered_at: {column: Date, format: "%m/%d/%Y"}
  quantity: {constant: "1"}
  unit_price: {column: Price, parse: money, decimal: "."}
  birth_date: {column: Date, format: "%m/%d/%Y"}
  confirmed: {column: Confirmed, parse: boolean}
deliver: [{account: shop, operation: order}]
"""


def agrees(records) -> int:
    """How many records there are; each encoded in bulk as it would be alone, however many at a time."""
    bulk = list(encoded_records(records))
    assert [one for some in encoded_slices(records, 2) for one in some] == bulk
    for one, record in zip(bulk, records, strict=True):
        assert (one.key, one.fingerprint) == (record.key, record.fingerprint())
        assert json.loads(one.text) == encode_record(record)
        assert decode_record(json.loads(one.text)) == record
    return len(bulk)


@lru_cache(maxsize=1)
def _bound():
    with tempfile.TemporaryDirectory() as folder:
        return bind(mapping_of(Path(folder), MAPPING), ORDER_HEADER, NEW_YORK)


@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", '3"', "é\\"]), TEXT, TEXT, st.sampled_from(["1", "2"])), max_size=9)
)
@settings(max_examples=60, deadline=None)
def test_any_texts_are_encoded_alike(rows):
    texts = [(order, "1/5/2026", qty, "5.00", sku, gift, sku) for order, sku, gift, qty in rows]
    read = rows_of(texts, width=len(ORDER_HEADER))
    block = typed(_bound(), read, survey(_bound(), [read]))
    agrees(check_file(_bound(), [block], [], load_schema(Path(), "order")).records)


def test_custom_fields_keep_the_order_of_the_mapping(tmp_path):
    row = ("1", "1/5/2026", "1", "5.00", "A", "north", "yes")
    (one,) = encoded_records(checked_of(tmp_path, MAPPING, ORDER_HEADER, [row]).records)
    assert list(json.loads(one.text)["fields"]["extra"]["$map"]) == ["zone", "gift", "area"]


@pytest.mark.parametrize(
    ("text", "header", "rows"),
    [
        (ITEMS, ("SKU", "Name", "Price"), [("A", "n", "1.50"), ("B", "m", "")]),
        (PAID, ("Order", "Date", "Price", "Confirmed"), [("1", "1/5/2026", "2", "yes"), ("1", "", "3.10", "no")][:1]),
        (PAID, ("Order", "Date", "Price", "Confirmed"), [("1", "1/5/2026", "2", ""), ("2", "7/5/2026", "1e", "no")]),
    ],
)
def test_every_type_is_encoded_alike(tmp_path, text, header, rows):
    assert agrees(checked_of(tmp_path, text, header, rows).records) > 0


def test_more_records_than_are_encoded_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.model._TOGETHER", 3)
    rows = [(str(n % 8), "1/5/2026", str(n + 1), "5.00", f"S{n}", "", "") for n in range(20)]
    assert agrees(checked_of(tmp_path, ORDER, ORDER_HEADER, rows).records) == 8


def test_records_without_a_quicker_way_are_encoded_one_by_one():
    record = Record("order", "1", {"order_id": "1"}, ({"sku": "A"},), (2,))
    assert agrees([record]) == 1


@given(st.lists(st.tuples(st.sampled_from("12"), st.sampled_from('cbaé"')), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_the_order_of_many_lines_does_not_count(lines) -> None:
    rows = [(key, "1/5/2026", "1", "5.00", sku, "", "") for key, sku in lines]
    read = rows_of(rows)
    bound = _bound()
    agrees(check_file(bound, [typed(bound, read, survey(bound, [read]))], [], load_schema(Path(), "order")).records)
