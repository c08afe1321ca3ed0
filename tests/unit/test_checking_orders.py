"""Rows become orders: what one row says counts for all, what contradicts is named, what is uncertain waits."""

from __future__ import annotations

from decimal import Decimal

import pytest
from mapped import ORDER, ORDER_HEADER, checked_of, told

from pipeline.model import Rejection

BY_ROW = ORDER.replace("record: order", "record: order\nreject: row")
BY_FILE = ORDER.replace("record: order", "record: order\nreject: file")
DOWN = ORDER.replace("record: order", "record: order\nfill_down: true")


def line(order="1", date="1/5/2026", qty="1", price="5.00", sku="A", email="", gift=""):
    return (order, date, qty, price, sku, email, gift)


def check(folder, rows, text=ORDER, **more):
    return checked_of(folder, text, ORDER_HEADER, rows, **more)


def counts(checked):
    assert checked.read == checked.accepted + checked.rejected + checked.skipped
    return (checked.read, checked.accepted, checked.rejected, checked.skipped)


def test_rows_with_one_key_are_one_order_even_when_not_adjacent(tmp_path):
    rows = [line("2", sku="A"), line("1", sku="B"), line("2", sku="C", email="a@b.com")]
    checked = check(tmp_path, rows, blocks=3)
    assert [(r.key, r.rows, [x["sku"] for x in r.lines]) for r in checked.records] == [
        ("2", (2, 4), ["A", "C"]),
        ("1", (3,), ["B"]),
    ]
    assert checked.records[0].fields["email"] == "a@b.com"
    assert "email" not in checked.records[1].fields
    assert counts(checked) == (3, 3, 0, 0)


def test_a_record_holds_typed_values_and_no_empty_ones(tmp_path):
    record = check(tmp_path, [line(gift="yes", sku="")]).records[0]
    assert record.kind == "order"
    assert record.extra() == {"gift": "yes"}
    assert record.lines == ({"quantity": Decimal(1), "unit_price": Decimal("5.00")},)
    assert set(record.fields) == {"order_id", "ordered_at", "extra"}


def test_records_are_a_sequence(tmp_path):
    records = check(tmp_path, [line(str(n)) for n in range(5)]).records
    assert [r.key for r in records[1:3]] == ["1", "2"]
    assert len(records) == 5
    assert records[-1].key == "4"
    assert list(records) == list(records)


def test_order_fields_need_to_stand_in_one_row_only(tmp_path):
    rows = [line(date="", qty="2"), line(date="1/5/2026", email="a@b.com"), line(date="", email="")]
    checked = check(tmp_path, rows)
    assert told(checked) == []
    assert len(checked.records[0].lines) == 3


def test_rows_that_contradict_each_other_are_named_with_both_values(tmp_path):
    rows = [line(email="a@b.com"), line(email=""), line(email="c@d.com"), line("2")]
    checked = check(tmp_path, rows)
    assert told(checked) == [(2, "order_held_back"), (3, "order_held_back"), (4, "lines_disagree")]
    message = checked.rejections[2].message
    assert all(part in message for part in ("c@d.com", "a@b.com", "Row 4", "row 2", "'Email'"))
    assert checked.rejections[2].record_key == "1"
    assert [r.key for r in checked.records] == ["2"]


def test_the_same_amount_in_two_spellings_is_no_contradiction(tmp_path):
    text = ORDER.replace("  sku:", "  order_total: {column: Gift, parse: money}\n  sku:").replace(
        "  extra: {gift: {column: Gift}}\n", ""
    )
    assert told(check(tmp_path, [line(gift="2.0"), line(gift="2.00")], text)) == []


def test_under_row_only_the_line_at_fault_is_left_out(tmp_path):
    checked = check(tmp_path, [line(qty="x"), line(qty="2"), line("2", qty="0")], BY_ROW)
    assert told(checked) == [(2, "bad_number"), (4, "below_minimum")]
    assert [r.rows for r in checked.records] == [(3,)]
    assert counts(checked) == (3, 1, 2, 0)


def test_under_file_every_row_waits(tmp_path):
    checked = check(tmp_path, [line("1"), line("2", qty="x"), line("3")], BY_FILE)
    assert told(checked) == [(2, "file_held_back"), (3, "bad_number"), (4, "file_held_back")]
    assert "row 3" in checked.rejections[0].message
    assert len(checked.records) == 0


def test_under_order_the_other_rows_wait_and_are_told_for_whom(tmp_path):
    checked = check(tmp_path, [line("1"), line("2"), line("1", qty="0")])
    assert told(checked) == [(2, "order_held_back"), (4, "below_minimum")]
    held = checked.rejections[0]
    assert "row 4" in held.message
    assert "Nothing to correct here" in held.advice
    assert held.column is None


@pytest.mark.parametrize("text", [ORDER, BY_ROW])
def test_an_order_without_a_required_value_never_goes_out(tmp_path, text):
    checked = check(tmp_path, [line(date=""), line(date=""), line("2")], text)
    assert told(checked) == [(2, "missing_value"), (3, "order_held_back")]
    assert [r.key for r in checked.records] == ["2"]


@pytest.mark.parametrize("text", [ORDER, BY_ROW])
def test_an_order_whose_only_date_is_unreadable_never_goes_out(tmp_path, text):
    checked = check(tmp_path, [line(date="soon"), line(date="")], text)
    assert told(checked) == [(2, "bad_date"), (3, "order_held_back")]


@pytest.mark.parametrize("text", [ORDER, BY_ROW])
def test_an_order_whose_only_email_is_unreadable_never_goes_out_without_it(tmp_path, text):
    checked = check(tmp_path, [line(email="nobody"), line()], text)
    assert told(checked) == [(2, "bad_email"), (3, "order_held_back")]


def test_an_unreadable_value_that_another_row_states_readably_costs_its_own_row(tmp_path):
    checked = check(tmp_path, [line(email="nobody"), line(email="a@b.com")], BY_ROW)
    assert told(checked) == [(2, "bad_email")]
    assert checked.records[0].fields["email"] == "a@b.com"


@pytest.mark.parametrize("text", [ORDER, BY_ROW])
def test_a_shared_value_judged_wrong_is_named_once_and_not_passed_on(tmp_path, text):
    text = text.replace("  sku:", "  currency: {column: Gift}\n  sku:").replace("  extra: {gift: {column: Gift}}\n", "")
    checked = check(tmp_path, [line(gift=""), line(gift="dollar"), line(gift="")], text)
    assert told(checked) == [(2, "order_held_back"), (3, "bad_currency"), (4, "order_held_back")]


def test_each_line_needs_its_own_quantity_and_price(tmp_path):
    checked = check(tmp_path, [line(), line(qty=""), line(price="")])
    assert told(checked) == [(2, "order_held_back"), (3, "missing_value"), (4, "missing_value")]
    assert "'Qty' is empty" in checked.rejections[1].message


def test_a_row_without_a_key_is_told_only_that(tmp_path):
    checked = check(tmp_path, [line("", date=""), line("1")])
    assert told(checked) == [(2, "missing_value")]
    assert checked.rejections[0].column == "Order"
    assert checked.rejections[0].record_key is None


def test_empty_keys_are_filled_from_above_when_declared(tmp_path):
    rows = [line("1"), line("", date="", sku="B"), line("2"), line("", date="", sku="C")]
    checked = check(tmp_path, rows, DOWN, blocks=4)
    assert [(r.key, r.rows) for r in checked.records] == [("1", (2, 3)), ("2", (4, 5))]
    assert told(check(tmp_path, rows)) == [
        (2, "order_held_back"), (3, "missing_value"), (4, "order_held_back"), (5, "missing_value"),
    ]  # fmt: skip


def test_nothing_is_filled_from_a_key_that_cannot_be_read(tmp_path):
    rows = [line("1"), line("1.2E+11"), line("", date=""), line("", date=""), line("2")]
    checked = check(tmp_path, rows, DOWN)
    assert told(checked) == [(3, "excel_damaged_number"), (4, "row_above_unreadable"), (5, "row_above_unreadable")]
    assert "row 3" in checked.rejections[1].message
    assert [r.rows for r in checked.records] == [(2,), (6,)]


def test_nothing_is_filled_from_a_row_with_shifted_cells(tmp_path):
    rows = [line("1"), line("9", date="x"), line("", date=""), line("2")]
    checked = check(tmp_path, rows, DOWN, broken=[short_row(3)])
    assert told(checked) == [(3, "too_few_cells"), (4, "row_above_unreadable")]


def test_nothing_is_filled_into_the_first_row(tmp_path):
    assert told(check(tmp_path, [line(""), line("1")], DOWN)) == [(2, "missing_value")]


def test_a_declared_field_is_filled_across_orders(tmp_path):
    text = ORDER.replace("record: order", "record: order\nfill_down: [Email]")
    checked = check(tmp_path, [line("1", email="a@b.com"), line("2"), line("3", email="c@d.com")], text)
    assert [r.text("email") for r in checked.records] == ["a@b.com", "a@b.com", "c@d.com"]


def test_defaults_fill_what_an_order_leaves_empty_and_nothing_else(tmp_path):
    text = BY_ROW.replace("column: Email}", "column: Email, default: none@x.com}").replace(
        "column: SKU}", "column: SKU, default: none}"
    )
    rows = [line("1", email="a@b.com"), line("1", sku=""), line("2"), line("3", email="nobody"), line("3")]
    checked = check(tmp_path, rows, text)
    assert [r.text("email") for r in checked.records] == ["a@b.com", "none@x.com"]
    assert [x["sku"] for x in checked.records[0].lines] == ["A", "none"]
    assert told(checked) == [(5, "bad_email"), (6, "order_held_back")]


def short_row(row):
    return Rejection(row, None, None, "too_few_cells", f"Row {row} is short.", "Fill it up.")


def test_a_broken_row_holds_its_order_back_and_nothing_else_of_it_is_named(tmp_path):
    checked = check(tmp_path, [line("1"), line("1", qty="x", price=""), line("2")], broken=[short_row(3)])
    assert told(checked) == [(2, "order_held_back"), (3, "too_few_cells")]
    assert counts(checked) == (3, 1, 2, 0)


def test_a_broken_row_that_is_skipped_is_skipped(tmp_path):
    text = ORDER.replace("record: order", "record: order\nskip_rows_where: {column: Order, is: TOTAL}")
    checked = check(tmp_path, [line(), ("TOTAL", *[""] * 6)], text, broken=[short_row(3)])
    assert told(checked) == []
    assert counts(checked) == (2, 1, 0, 1)


def test_a_cell_found_broken_by_reading_leaves_the_rest_of_the_row_to_be_named(tmp_path):
    odd = Rejection(2, "SKU", "?", "undecodable", "A byte is lost.", "Save it again.")
    assert told(check(tmp_path, [line(qty="x")], broken=[odd])) == [(2, "undecodable"), (2, "bad_number")]


def test_a_file_without_rows(tmp_path):
    checked = check(tmp_path, [])
    assert counts(checked) == (0, 0, 0, 0)
    assert (list(checked.records), checked.rejections) == ([], ())


def test_an_order_waits_for_a_line_below_it_that_names_no_order(tmp_path):
    rows = [line("1"), line("", date="", sku="B"), line("", date="", sku="C"), line("2")]
    checked = check(tmp_path, rows)
    assert [record.key for record in checked.records] == ["2"]
    assert [(r.row, r.code) for r in checked.rejections] == [
        (2, "order_held_back"),
        (3, "missing_value"),
        (4, "missing_value"),
    ]
    assert "waits for row 3" in checked.rejections[0].message


@pytest.mark.parametrize(
    "below",
    [
        line("", sku="B"),  # it has a date: an order of its own that lacks its number
        line("", date="", sku="", qty="12"),  # a total nobody knew for one
        line("", date="", sku="B", qty=""),
    ],
)
def test_an_order_does_not_wait_for_what_is_no_line_of_it(tmp_path, below):
    assert [record.key for record in check(tmp_path, [line("1"), below]).records] == ["1"]
    assert [r.key for r in check(tmp_path, [line("1"), line("", date="", sku="B")], BY_ROW).records] == ["1"]


@pytest.mark.timeout(90)
def test_a_long_run_of_lines_without_an_order_is_walked_once(tmp_path):
    rows = [("1", "1/5/2026", "1", "5.00", "A", "a@b.co", ""), *[("", "", "1", "5.00", "B", "", "")] * 60_000]
    checked = checked_of(tmp_path, f"{ORDER}reject: order\n", ORDER_HEADER, rows)
    assert (checked.accepted, checked.rejected) == (0, 60_001)
