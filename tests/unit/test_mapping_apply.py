"""A mapping meets a file: columns found, blocks read, columns deciding for their cells."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from mapped import NEW_YORK, ORDER, ORDER_HEADER, as_frame, mapping_of, rows_of, typed_of

from pipeline.errors import FileRefused
from pipeline.mapping.apply import bind, survey, typed

GOOD = ("1001", "1/5/2026", "2", "$9.50", "A-1", "a@b.com", "yes")


def bound_of(tmp_path, text=ORDER, header=ORDER_HEADER, **more):
    return bind(mapping_of(tmp_path, text), header, NEW_YORK, **more)


def refused_of(tmp_path, text, header):
    with pytest.raises(FileRefused) as refused:
        bound_of(tmp_path, text, header)
    return refused.value


def test_a_row_becomes_typed_values(tmp_path):
    read = typed_of(bound_of(tmp_path), [GOOD])
    assert read.rejections == ()
    assert as_frame(read).loc[2].to_dict() == {
        "order_id": "1001", "ordered_at": datetime(2026, 1, 5, tzinfo=NEW_YORK), "quantity": Decimal(2),
        "unit_price": Decimal("9.50"), "sku": "A-1", "email": "a@b.com", "extra.gift": "yes",
    }  # fmt: skip


def test_headers_match_exactly_first_then_without_case_and_spacing(tmp_path):
    header = ("ORDER", " date ", "qty\n", "Price", "price", "SKU", "e\u00a0mail", "Gift")
    text = ORDER.replace("column: Email", "column: 'E Mail'")
    bound = bound_of(tmp_path, text, header)
    assert {c.name: c.position for c in bound.columns}["unit_price"] == 3
    assert bound.headers["email"] == "e\u00a0mail"
    assert bound.unmapped == ("price",)


def test_the_first_alias_the_file_has_counts(tmp_path):
    text = ORDER.replace("column: Date", "column: [Ordered, Date]")
    both = (*ORDER_HEADER, "Ordered")
    assert bound_of(tmp_path, text).headers["ordered_at"] == "Date"
    assert bound_of(tmp_path, text, both).headers["ordered_at"] == "Ordered"
    assert bound_of(tmp_path, text, both).unmapped == ("Date",)


def test_all_missing_columns_are_named_with_the_nearest_header(tmp_path):
    refused = refused_of(tmp_path, ORDER, ("Order", "Date", "Qtty", "SKU", "Email", "Gift"))
    assert refused.code == "missing_column"
    assert "'Qty' (Did you mean 'Qtty'?)" in refused.message
    assert "'Price'" in refused.message
    assert "acme" in refused.advice


def test_an_optional_column_may_be_missing(tmp_path):
    text = ORDER.replace("column: Email}", "column: Email, optional: true}")
    bound = bound_of(tmp_path, text, ("Order", "Date", "Qty", "Price", "SKU", "Gift"))
    assert "email" not in as_frame(typed_of(bound, [("1", "1/5/2026", "1", "1", "x", "")]))


def test_a_mapped_header_standing_twice_is_refused(tmp_path):
    refused = refused_of(tmp_path, ORDER, (*ORDER_HEADER, "Qty"))
    assert (refused.code, "'Qty' (2 times)" in refused.message) == ("repeated_column", True)
    assert bound_of(tmp_path, ORDER, (*ORDER_HEADER, "X", "X")).unmapped == ("X", "X")


def test_unknown_columns_are_reported_and_refused_when_strict(tmp_path):
    header = (*ORDER_HEADER, "Internal note", "New", "")
    text = ORDER.replace("record: order", 'record: order\nignore_columns: ["internal  NOTE"]')
    assert bound_of(tmp_path, text, header).unmapped == ("New", "column 10 (no header)")
    assert bound_of(tmp_path, text, header, also_ignore=["new", ""]).unmapped == ()
    refused = refused_of(tmp_path, text.replace("record: order", "record: order\nstrict: yes"), header)
    assert (refused.code, "'New'" in refused.message) == ("unmapped_columns", True)


def test_every_problem_of_a_row_is_named_and_other_cells_stay(tmp_path):
    read = typed_of(bound_of(tmp_path), [GOOD, ("1002", "5 o'clock", "2.5", "#REF!", "1.2E+11", "nobody", "no")])
    assert [(r.row, r.column, r.field, r.code) for r in read.rejections] == [
        (3, "Date", "ordered_at", "bad_date"), (3, "Qty", "quantity", "not_whole"),
        (3, "Price", "unit_price", "excel_error_cell"), (3, "SKU", "sku", "excel_damaged_number"),
        (3, "Email", "email", "bad_email"),
    ]  # fmt: skip
    assert as_frame(read).loc[3, "order_id"] == "1002"
    assert as_frame(read).loc[3, "sku"] is None
    assert len(as_frame(read)) == 2


def test_skipped_rows_are_not_read_at_all(tmp_path):
    rule = 'skip_rows_where: [{column: Order, is: ["TOTAL", ""]}, {column: Gift, is: test}]'
    rows = [
        GOOD,
        (" TOTAL ", "", "x", "x", "", "", ""),
        ("", "", "", "", "", "", "z"),
        (*GOOD[:6], "test\u00a0"),
    ]
    read = typed_of(bound_of(tmp_path, ORDER.replace("record: order", f"record: order\n{rule}")), rows)
    assert read.skipped == (3, 4, 5)
    assert list(as_frame(read).index) == [2]
    assert read.rejections == ()


def test_a_skip_rule_needs_its_column(tmp_path):
    rule = "skip_rows_where: {column: Kind, is: TOTAL}"
    refused = refused_of(tmp_path, ORDER.replace("record: order", f"record: order\n{rule}"), ORDER_HEADER)
    assert "'Kind'" in refused.message


def test_the_whole_file_decides_about_marks_not_one_block(tmp_path):
    bound = bound_of(tmp_path, ORDER.replace(', decimal: "."', ""))
    rows = [("1", "1/5/2026", "1", price, "x", "", "") for price in ("1,234", "12.50")]
    first, second = rows_of(rows[:1]), rows_of(rows[1:], first_row=3)
    assert typed(bound, first, survey(bound, [first])).rejections[0].code == "ambiguous_number"
    whole = survey(bound, [first, second])
    assert as_frame(typed(bound, first, whole)).loc[2, "unit_price"] == Decimal(1234)


def test_the_whole_file_decides_about_day_and_month(tmp_path):
    bound = bound_of(tmp_path, ORDER.replace(', format: "%m/%d/%Y"', ""))
    rows = [("1", date, "1", "1", "x", "", "") for date in ("01/05/2026", "13/05/2026")]
    assert [d.month for d in as_frame(typed_of(bound, rows))["ordered_at"]] == [5, 5]
    contradicting = [*rows, ("1", "05/13/2026", "1", "1", "x", "", "")]
    read = typed_of(bound, contradicting)
    assert [(r.row, r.code) for r in read.rejections] == [(2, "ambiguous_date")]


def test_a_skipped_row_decides_nothing(tmp_path):
    text = ORDER.replace(', decimal: "."', "").replace(
        "record: order", "record: order\nskip_rows_where: {column: Order, is: TOTAL}"
    )
    rows = [("1", "1/5/2026", "1", "1,234", "x", "", ""), ("TOTAL", "", "", "9.99", "", "", "")]
    assert [r.code for r in typed_of(bound_of(tmp_path, text), rows).rejections] == ["ambiguous_number"]


def test_one_column_may_feed_several_fields(tmp_path):
    names = "  first_name: {column: Gift, parse: split_name}\n  last_name: {column: Gift, parse: split_name}\n"
    read = typed_of(bound_of(tmp_path, ORDER.replace("  extra:", names + "  extra:")), [(*GOOD[:6], "Jane Ann Doe")])
    row = as_frame(read).loc[2]
    assert (row["first_name"], row["last_name"], row["extra.gift"]) == ("Jane", "Ann Doe", "Jane Ann Doe")


def test_zones_of_field_feed_and_project(tmp_path):
    text = ORDER.replace("record: order", "record: order\ntimezone: Europe/Berlin")
    assert str(as_frame(typed_of(bound_of(tmp_path, text), [GOOD])).loc[2, "ordered_at"].tzinfo) == "Europe/Berlin"
    text = text.replace('"%m/%d/%Y"', '"%m/%d/%Y", timezone: Asia/Tokyo')
    assert str(as_frame(typed_of(bound_of(tmp_path, text), [GOOD])).loc[2, "ordered_at"].tzinfo) == "Asia/Tokyo"


def test_constants_are_typed(tmp_path):
    more = "  line_tax: {constant: 1.250}\n  confirmed: {constant: yes}\n  ordered_at: {constant: 2026-01-05}\n"
    text = ORDER.replace('  ordered_at: {column: Date, format: "%m/%d/%Y"}\n', more)
    row = as_frame(typed_of(bound_of(tmp_path, text), [GOOD])).loc[2]
    assert (row["line_tax"], row["confirmed"]) == (Decimal("1.250"), True)
    assert row["ordered_at"] == datetime(2026, 1, 5, tzinfo=NEW_YORK)


def test_no_rows_are_no_trouble(tmp_path):
    read = typed_of(bound_of(tmp_path), [])
    assert (len(as_frame(read)), read.rejections, read.skipped) == (0, (), ())
