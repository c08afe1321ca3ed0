"""Schemas judge typed cells; every failure names its row; keys of single rows are not used twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mapped import NEW_YORK, ORDER, ORDER_HEADER, checked_of, mapping_of, rows_of, told

from pipeline.checking import check_file, load_schema, load_schemas
from pipeline.checking.orders import key_text
from pipeline.errors import LedgerError, SetupError
from pipeline.fields import RECORD_KINDS
from pipeline.mapping.apply import Typed, bind, typed
from pipeline.model import Rejection

ITEM = """
feed: stock
record: inventory_item
fields:
  sku: {column: SKU}
  name: {column: Name}
  price: {column: Price, parse: money, decimal: "."}
  stock: {column: Stock, parse: integer}
deliver: []
"""
ITEM_HEADER = ("SKU", "Name", "Price", "Stock")
SHIPMENT = """
feed: ships
record: shipment
fields:
  order_id: {column: Order}
  tracking_number: {column: Tracking}
  tracking_url: {column: URL}
deliver: []
"""


def items(folder, *rows, text=ITEM):
    return checked_of(folder, text, ITEM_HEADER, rows)


def own_schema(folder, body, kind="inventory_item"):
    (folder / "schemas").mkdir(exist_ok=True)
    path = folder / "schemas" / f"{kind}.py"
    path.write_text(f"import pandera.pandas as pa\n{body}\n")
    return path


def refusal(folder, kind="inventory_item"):
    with pytest.raises(SetupError) as refused:
        load_schema(folder, kind)
    return str(refused.value)


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        (("x" * 256, "n", "1", "1"), "text_too_long", "SKU"),
        (("A", "n", "-1", "1"), "below_minimum", "Price"),
        (("A", "n", "10000001", "1"), "above_maximum", "Price"),
        (("A", "", "1", "1"), "missing_value", "Name"),
    ],
)
def test_what_is_out_of_bounds_is_named(tmp_path, row, code, column):
    (rejection,) = items(tmp_path, row, ("B", "n", "1", "-5")).rejections
    assert (rejection.row, rejection.code, rejection.column) == (2, code, column)
    assert rejection.message.endswith(".")
    assert rejection.advice


def test_the_sentence_quotes_the_value_and_the_header(tmp_path):
    (rejection,) = items(tmp_path, ("A", "n", "-1.50", "1")).rejections
    assert rejection.message == "'-1.50' in 'Price' must be 0 or more."


def test_unreadable_and_out_of_bounds_are_both_named(tmp_path):
    assert told(items(tmp_path, ("A", "n", "-1", "many"))) == [(2, "bad_number"), (2, "below_minimum")]


def test_a_bad_neighbour_hides_nothing(tmp_path):
    rows = [("A", "n", "x", "1"), ("B", "n", "-1", "1"), ("C", "n", "1", "1")]
    assert told(items(tmp_path, *rows)) == [(2, "bad_number"), (3, "below_minimum")]


def test_a_key_used_twice_is_named_with_its_first_row(tmp_path):
    checked = items(
        tmp_path, ("A", "n", "1", "1"), ("B", "n", "1", "1"), ("A", "other", "2", "1"), ("A", "n", "1", "1")
    )
    assert told(checked) == [(4, "repeated_key"), (5, "repeated_key")]
    assert "row 2" in checked.rejections[0].message
    assert [r.key for r in checked.records] == ["A", "B"]
    assert checked.records[0].lines == ()


def test_a_key_counts_as_used_also_by_a_row_that_is_at_fault(tmp_path):
    assert told(items(tmp_path, ("A", "n", "x", "1"), ("A", "n", "1", "1"))) == [(2, "bad_number"), (3, "repeated_key")]


def test_keys_of_several_fields(tmp_path):
    header = ("Order", "Tracking", "URL")
    rows = [("1", "T1", ""), ("1", "T2", "https://x.example/T2"), ("1", "", ""), ("2", "T2", "x")]
    checked = checked_of(tmp_path, SHIPMENT, header, rows)
    assert [r.key for r in checked.records] == ["1/T1", "1/T2"]
    assert told(checked) == [(4, "missing_value"), (5, "bad_web_address")]


def test_a_key_of_custom_fields_needs_one_of_its_parts(tmp_path):
    fields = "  extra: {a: {column: A}, b: {column: B}}\n"
    text = ITEM.replace("record: inventory_item", "record: inventory_item\nkey: [extra.a, extra.b]").replace(
        "deliver:", f"{fields}deliver:"
    )
    rows = [("1", "n", "1", "1", "x", ""), ("2", "n", "1", "1", "", "x"), ("3", "n", "1", "1", "", "")]
    checked = checked_of(tmp_path, text, (*ITEM_HEADER, "A", "B"), rows)
    assert [r.key for r in checked.records] == ["x", "/x"]
    assert told(checked) == [(4, "missing_value")]


def test_different_keys_have_different_texts():
    keys = [("a/b", "c"), ("a", "b/c"), ("a", "b", "c"), ("a/b/c",), ("a\\", "b", "c"), ("a", "", "c"), ("a", "c")]
    assert (
        len({key_text(key) for key in keys}) == len(keys) - 1
    )  # ("a", "b", "c") and ("a/b/c",) are of different feeds
    assert key_text(("1001", None)) == "1001"


def test_default_values_are_judged_too(tmp_path):
    text = ITEM.replace("column: Price,", "column: Price, default: '-1',")
    assert told(items(tmp_path, ("A", "n", "", "1"), text=text)) == [(2, "below_minimum")]


def test_a_default_of_an_order_is_judged_and_named_once(tmp_path):
    text = ORDER.replace("  sku:", "  currency: {column: Gift, default: dollar}\n  sku:").replace(
        "  extra: {gift: {column: Gift}}\n", ""
    )
    row = ("1", "1/5/2026", "1", "1", "x", "", "")
    assert told(checked_of(tmp_path, text, ORDER_HEADER, [row, row])) == [(2, "bad_currency"), (3, "order_held_back")]


def test_every_kind_has_a_schema_and_only_of_its_fields(tmp_path):
    schemas = load_schemas(tmp_path)
    assert set(schemas) == set(RECORD_KINDS)
    for kind, schema in schemas.items():
        assert set(schema.columns) <= set(RECORD_KINDS[kind])


def test_the_projects_own_schema_comes_first(tmp_path):
    body = "{'sku': pa.Column(None, pa.Check.str_startswith('Z'), nullable=True, required=False)}"
    own_schema(tmp_path, f"schema = pa.DataFrameSchema({body})")
    checked = items(tmp_path, ("A", "n", "-1", "1"), ("Z", "n", "1", "1"))
    assert told(checked) == [(2, "str_startswith")]
    assert checked.rejections[0].message == "'A' in 'SKU' does not pass the check str_startswith('Z')."


def test_own_checks_may_use_what_stands_beside_them(tmp_path):
    own_schema(
        tmp_path,
        "MOST = 3\ndef few(cells):\n    return cells <= MOST\n"
        "schema = pa.DataFrameSchema({'stock': pa.Column(None, pa.Check(few), nullable=True, required=False)})",
    )
    assert told(items(tmp_path, ("A", "n", "1", "5"), ("B", "n", "1", "3"))) == [(2, "few")]


def test_own_checks_over_several_columns_name_the_row(tmp_path):
    own_schema(
        tmp_path,
        "schema = pa.DataFrameSchema({}, checks=pa.Check(lambda f: f['stock'] <= f['price'], "
        "name='odd', error='has more stock than price', description='Look again.'))",
    )
    checked = items(tmp_path, ("A", "n", "1", "5"), ("B", "n", "9", "5"), ("C", "n", "x", "5"))
    assert told(checked) == [(2, "odd"), (4, "bad_number")]
    assert (checked.rejections[0].message, checked.rejections[0].advice) == (
        "The row has more stock than price.",
        "Look again.",
    )


def test_a_schema_may_ask_for_values(tmp_path):
    own_schema(tmp_path, "schema = pa.DataFrameSchema({'price': pa.Column(None, nullable=False, required=False)})")
    assert told(items(tmp_path, ("A", "n", "", "1"), ("B", "n", "x", "1"))) == [(2, "missing_value"), (3, "bad_number")]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("schma = 1", "must define `schema`"),
        ("schema = 5", "must define `schema`"),
        ("schema = pa.DataFrameSchema({'skuu': pa.Column(None, required=False)})", "Did you mean 'sku'?"),
        ("schema = pa.DataFrameSchema({'sku': pa.Column(None)})", "required=False"),
        ("schema = pa.DataFrameSchema({'sku': pa.Column(str, required=False)})", "dtype"),
        ("schema = pa.DataFrameSchema({'sku': pa.Column(None, required=False, coerce=True)})", "coerce"),
        ("schema = pa.DataFrameSchema({}, coerce=True)", "coerce"),
        ("schema = pa.DataFrameSchema({}, strict='filter')", "strict"),
        ("schema = pa.DataFrameSchema({}, drop_invalid_rows=True)", "drop_invalid_rows"),
        ("\n1/0", "line 3: ZeroDivisionError"),
        ("schema = (", "line 2"),
        ("import nowhere", "nowhere"),
    ],
)
def test_a_schema_that_cannot_judge_is_refused(tmp_path, body, says):
    own_schema(tmp_path, body)
    said = refusal(tmp_path)
    assert says in said
    assert "schemas/inventory_item.py" in said


def test_a_schema_file_of_no_kind_is_refused(tmp_path):
    own_schema(tmp_path, "", kind="orders")
    assert "Did you mean 'order'?" in refusal(tmp_path)
    shutil.rmtree(tmp_path / "schemas")
    own_schema(tmp_path, "", kind="_shared")
    assert load_schema(tmp_path, "order") is not None


@pytest.mark.parametrize("check", ["lambda s: s > 'a'", "lambda s: True if 1/0 else s", "lambda s: False"])
def test_a_check_that_breaks_stops_the_file_and_loses_nothing(tmp_path, check):
    own_schema(
        tmp_path,
        f"schema = pa.DataFrameSchema({{'price': pa.Column(None, pa.Check({check}), nullable=True, required=False)}})",
    )
    with pytest.raises(SetupError, match=r"schemas/inventory_item\.py"):
        items(tmp_path, ("A", "n", "1", "1"))


def test_a_row_counted_twice_or_from_nowhere_stops_everything(tmp_path):
    bound = bind(mapping_of(tmp_path, ITEM), ITEM_HEADER, NEW_YORK)
    block = typed(bound, rows_of([("A", "n", "1", "1")]), {})
    schema = load_schema(tmp_path, "inventory_item")
    with pytest.raises(LedgerError, match="twice"):
        check_file(bound, [block, block], [], schema)
    with pytest.raises(LedgerError, match="twice"):
        check_file(
            bound,
            [
                block,
                Typed(
                    {name: column.taken(np.arange(0)) for name, column in block.columns.items()},
                    block.rows[:0],
                    (),
                    (2,),
                ),
            ],
            [],
            schema,
        )
    with pytest.raises(LedgerError, match="not among"):
        check_file(bound, [block], [Rejection(99, None, None, "x", "x", "x")], schema)


def test_a_records_numbers_do_not_depend_on_numpy(tmp_path):
    record = items(tmp_path, ("A", "n", "1", "1")).records[0]
    assert type(record.rows[0]) is int
    assert not any(isinstance(value, np.generic | pd.Timestamp) for value in record.fields.values())


def test_the_schemas_lie_where_a_checkout_has_them():
    assert {path.stem for path in Path("schemas").glob("*.py")} == set(RECORD_KINDS)
