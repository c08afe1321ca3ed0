"""What an empty cell means: a mapping declares it, `check` refuses what makes no sense, records carry it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from mapped import NEW_YORK, ORDER, ORDER_HEADER, checked_of, mapping_of, told

from pipeline.errors import SetupError
from pipeline.mapping.apply import bind
from pipeline.model import Record, decode_record, encode_record, encoded_records
from pipeline.reasons import reject

CLEAR = ORDER.replace("email: {column: Email}", "email: {column: Email, when_empty: clear}")
REJECT = CLEAR.replace("when_empty: clear", "when_empty: reject")
EVERYWHERE = ORDER.replace("record: order", "record: order\nwhen_empty: GENERAL")
STOCK = """
feed: stock
record: inventory_item
when_empty: clear
fields:
  sku: {column: SKU}
  name: {column: Name}
  stock: {column: Stock, parse: decimal, decimal: "."}
  location: {column: Place, optional: true}
deliver: [{account: shop, operation: inventory_item}]
"""


def line(order="1", date="1/5/2026", qty="1", price="5.00", sku="A", email="", gift=""):
    return (order, date, qty, price, sku, email, gift)


def cleared(checked):
    """What each record clears, told alike by the records and by what the ledger is given in bulk."""
    told_by_records = {record.key: record.cleared for record in checked.records}
    for one, record in zip(encoded_records(checked.records), checked.records, strict=True):
        assert json.loads(one.text) == encode_record(record)
        assert one.fingerprint == record.fingerprint()
        assert decode_record(json.loads(one.text)) == record
    return told_by_records


def test_an_empty_cell_says_nothing_unless_the_mapping_declares_it(tmp_path):
    checked = checked_of(tmp_path, ORDER, ORDER_HEADER, [line()])
    assert cleared(checked) == {"1": ()}
    assert "cleared" not in encode_record(checked.records[0])


def test_a_cleared_field_is_told_apart_from_an_absent_one(tmp_path):
    rows = [line("1"), line("2", email="a@b.com")]
    assert cleared(checked_of(tmp_path, CLEAR, ORDER_HEADER, rows)) == {"1": ("email",), "2": ()}
    plain, clearing = Record("order", "1", {}), Record("order", "1", {}, cleared=("email",))
    assert plain.fingerprint() != clearing.fingerprint()


def test_within_an_order_one_value_is_enough_not_to_clear(tmp_path):
    rows = [line("1"), line("1", sku="B", email="a@b.com"), line("2"), line("2", sku="B")]
    assert cleared(checked_of(tmp_path, CLEAR, ORDER_HEADER, rows)) == {"1": (), "2": ("email",)}


def test_a_value_that_could_not_be_read_clears_nothing(tmp_path):
    by_row = CLEAR.replace("record: order", "record: order\nreject: row")
    shifted = reject(3, None, None, "failed_check", sentence="has too many cells")
    rows = [line("1"), line("1", sku="B")]
    checked = checked_of(tmp_path, by_row, ORDER_HEADER, rows, broken=[shifted])
    assert (checked.accepted, cleared(checked)) == (1, {"1": ()})


def test_custom_fields_are_cleared_by_their_own_name(tmp_path):
    text = ORDER.replace("{gift: {column: Gift}}", "{gift: {column: Gift, when_empty: clear}}")
    rows = [line("1"), line("2", gift="yes")]
    assert cleared(checked_of(tmp_path, text, ORDER_HEADER, rows)) == {"1": ("extra.gift",), "2": ()}


def test_zero_is_a_value_and_a_column_that_is_missing_clears_nothing(tmp_path):
    rows = [("A", "n", "0"), ("B", "m", "")]
    checked = checked_of(tmp_path, STOCK, ("SKU", "Name", "Stock"), rows)
    assert cleared(checked) == {"A": (), "B": ("stock",)}
    assert checked.records[0].fields["stock"] == Decimal(0)


def test_the_general_word_reaches_every_field_it_fits(tmp_path):
    bound = bind(mapping_of(tmp_path, EVERYWHERE.replace("GENERAL", "clear")), ORDER_HEADER, NEW_YORK)
    assert set(bound.clearing) == {"email", "extra.gift"}
    bound = bind(mapping_of(tmp_path, EVERYWHERE.replace("GENERAL", "reject")), ORDER_HEADER, NEW_YORK)
    assert set(bound.never_empty) == {"email", "extra.gift", "sku"}
    leaving = EVERYWHERE.replace("GENERAL", "clear").replace("{column: Email}", "{column: Email, when_empty: leave}")
    assert bind(mapping_of(tmp_path, leaving), ORDER_HEADER, NEW_YORK).clearing == ("extra.gift",)


def test_a_rejected_blank_names_its_row_once_and_holds_the_order(tmp_path):
    rows = [line("1"), line("1", sku="B"), line("2", email="a@b.com"), line("2")]
    checked = checked_of(tmp_path, REJECT, ORDER_HEADER, rows)
    assert told(checked) == [(2, "empty_cell"), (3, "order_held_back")]
    assert [record.key for record in checked.records] == ["2"]
    assert "'Email' is empty" in checked.rejections[0].message


def test_a_rejected_blank_of_a_line_names_every_row(tmp_path):
    text = ORDER.replace("sku: {column: SKU}", "sku: {column: SKU, when_empty: reject}")
    rows = [line("1"), line("1", sku=""), line("1", sku="")]
    assert [t for t in told(checked_of(tmp_path, text, ORDER_HEADER, rows)) if t[1] == "empty_cell"] == [
        (3, "empty_cell"), (4, "empty_cell"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("sku: {column: SKU, when_empty: clear}", "the lines of an order"),
        ("note: {column: N, when_empty: erase}", "not one of leave, clear, reject"),
        ("note: {column: N, when_empty: claer}", "Did you mean 'clear'?"),
        ("note: {constant: x, when_empty: clear}", "a constant is never empty"),
        ("note: {column: N, default: x, when_empty: reject}", "its default takes the place"),
        ("last_name: {column: N, parse: split_name, when_empty: clear}", "a part of a name"),
        ("order_id: {column: Order, when_empty: clear}", "it is required"),
        ("ordered_at: {column: Date, when_empty: leave}", "it is required"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, rule, said):
    name = rule.partition(":")[0]
    kept = [text for text in ORDER.splitlines() if not text.strip().startswith(f"{name}:")]
    with pytest.raises(SetupError) as refused:
        mapping_of(tmp_path, "\n".join(kept).replace("fields:", f"fields:\n  {rule}"))
    assert said in str(refused.value)
    assert f"fields.{name}" in str(refused.value)


def test_the_general_word_must_be_one_of_the_three(tmp_path):
    with pytest.raises(SetupError, match="when_empty: 'never' is not one of leave, clear, reject"):
        mapping_of(tmp_path, EVERYWHERE.replace("GENERAL", "never"))


@pytest.mark.parametrize("key", ["key: [order_id, payment_reference]", "fill_down: payment_reference"])
def test_what_the_key_needs_or_the_row_above_gives_is_never_cleared(tmp_path, key):
    fields = "fields:\n  payment_reference: {column: Ref%s}"
    text = ORDER.replace("record: order", f"record: order\n{key}")
    with pytest.raises(SetupError, match="it cannot be cleared"):
        mapping_of(tmp_path, text.replace("fields:", fields % ", when_empty: clear"))
    text = text.replace("record: order", "record: order\nwhen_empty: clear").replace("fields:", fields % "")
    bound = bind(mapping_of(tmp_path, text), ("Ref", *ORDER_HEADER), NEW_YORK)
    assert set(bound.clearing) == {"email", "extra.gift"}


def test_what_the_policy_comes_to_is_part_of_what_a_mapping_says(tmp_path):
    plain, clearing = mapping_of(tmp_path, ORDER), mapping_of(tmp_path, CLEAR)
    assert plain.fingerprint() == mapping_of(tmp_path, EVERYWHERE.replace("GENERAL", "leave")).fingerprint()
    assert len({plain.fingerprint(), clearing.fingerprint(), mapping_of(tmp_path, REJECT).fingerprint()}) == 3
