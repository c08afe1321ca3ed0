"""Record → Order Desk payload: what is sent, what never is, and what is refused before anything is sent."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from orderdesk_shop import account, line, order, shipment, stock

from pipeline.errors import SetupError
from pipeline.model import Record, Value
from pipeline.targets.orderdesk.amounts import amounts, is_exact, number
from pipeline.targets.orderdesk.payload import order_payload, shipment_payload, stock_payload
from pipeline.targets.orderdesk.people import addresses, split_name
from pipeline.targets.orderdesk.settings import OrderOptions

GOLDEN = Path(__file__).parent / "golden" / "orderdesk"

FULL = order(
    "EXP-2026-00017",
    line("MUG-BL", "12.50", "2", line_tax=Decimal("1.10"), line_type="product"),
    line(
        "CLUB",
        "9",
        "1",
        line_type="subscription",
        subscription_status="active",
        subscription_expires_on=date(2027, 1, 5),
    ),
    line("", "4.90", "1", line_type="shipping"),
    line("", "-5.00", "1", line_type="discount", product_name="Winter"),
    line("", "1.50", "2", line_type="fee"),
    ordered_at=datetime(2026, 1, 5, 3, 15, tzinfo=timezone(timedelta(hours=-5))),
    email="anna@example.com",
    middle_name="Maria",
    company="Bergs AS",
    phone="+4790000000",
    customer_id="C-9",
    ip_address="203.0.113.9",
    billing_address1="Storgata 1",
    billing_city="Bergen",
    billing_postal_code="5003",
    billing_country="NO",
    shipping_first_name="Ola",
    shipping_last_name="Nordmann",
    shipping_address1="Kirkegata 4",
    shipping_city="Oslo",
    shipping_postal_code="0153",
    shipping_country="NO",
    shipping_method="Parcel",
    shipping_total=Decimal("99"),
    tax_total=Decimal("3.12"),
    amount_paid=Decimal("40.02"),
    currency="NOK",
    payment_method="Visa",
    payment_reference="PAY-17",
    coupon_code="WINTER",
    note="Ring twice",
    status="shipped",
    tag="acme",
    confirmed=False,
    utm_source="newsletter",
    extra={"gift_wrap": "yes"},
)


def payload_of(record: Record, **options: object) -> dict[str, object]:
    return order_payload(record, OrderOptions(**options))  # type: ignore[arg-type]


def problem_codes(record: Record, operation: str = "order", **options: object) -> list[str]:
    return [problem.code for problem in account().operation(operation, options).problems(record)]


def test_a_full_order_gives_the_golden_payload() -> None:
    golden = json.loads((GOLDEN / "order.json").read_text())
    assert json.loads(json.dumps(payload_of(FULL))) == golden
    assert problem_codes(FULL) == []


def test_a_small_order_sends_nothing_it_does_not_know() -> None:
    sent = payload_of(order())
    assert sent == {
        "source_id": "1001",
        "source_name": "orderdrop",
        "date_added": "2026-01-05 08:15:00",
        "payment_status": "Pending",
        "customer": {"first_name": "Anna", "last_name": "Berg"},
        "shipping": {"first_name": "Anna", "last_name": "Berg"},
        "order_items": [{"name": "The MUG-BL", "code": "MUG-BL", "price": 12.5, "quantity": 2}],
        "discount_list": [],
        "checkout_data": {},
        "order_metadata": {"load_key": "1001"},
        "order_notes": [],
    }


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "Pending"),
        ({"paid_at": datetime(2026, 1, 5, tzinfo=UTC)}, "Captured"),
        ({"amount_paid": Decimal(25)}, "Captured"),
        ({"amount_paid": Decimal("24.99"), "paid_at": datetime(2026, 1, 5, tzinfo=UTC)}, "Pending"),
        ({"amount_paid": Decimal(25), "order_total": Decimal(30)}, "Pending"),
        ({"amount_paid": Decimal(0)}, "Pending"),
    ],
)
def test_the_payment_status_is_always_said_because_the_default_means_paid(
    fields: dict[str, Value], status: str
) -> None:
    assert payload_of(order(**fields))["payment_status"] == status


def test_an_option_fixes_the_payment_status() -> None:
    assert payload_of(order(), payment_status="Authorized")["payment_status"] == "Authorized"
    with pytest.raises(SetupError, match="Did you mean 'Captured'"):
        account().operation("order", {"payment_status": "captured"})


@pytest.mark.parametrize(
    ("lines", "fields", "expected"),
    [
        (
            [line("", "4", "1", line_type="shipping")],
            {"shipping_total": Decimal(9)},
            ("shipping", Decimal(4)),
        ),
        ([], {"shipping_total": Decimal(9)}, ("shipping", Decimal(9))),
        ([], {"shipping_total": Decimal(0)}, ("shipping", Decimal(0))),
        ([], {}, ("shipping", None)),
        ([line("", "2", "1", line_type="tax")], {"tax_total": Decimal(9)}, ("tax", Decimal(2))),
        ([line(line_tax=Decimal(3))], {"tax_total": Decimal(9)}, ("tax", Decimal(9))),
        ([line(line_tax=Decimal(3)), line("B", line_tax=Decimal(1))], {}, ("tax", Decimal(4))),
        ([line("", "2.5", "2", line_type="fee")], {}, ("handling", Decimal(5))),
    ],
)
def test_each_sum_is_counted_once(lines: list, fields: dict[str, Value], expected: tuple[str, object]) -> None:
    sums = amounts(order("1", line(), *lines, **fields))
    assert getattr(sums, expected[0]) == expected[1]


@pytest.mark.parametrize(
    ("lines", "fields", "discounts"),
    [
        ([line("", "-5", "1", line_type="discount")], {"discount_total": Decimal(7)}, [5]),
        ([line("", "5", "1", line_type="discount"), line("", "1", "2", line_type="discount")], {}, [5, 2]),
        ([], {"discount_total": Decimal("-7.25")}, [Decimal("7.25")]),
        ([line("B", line_discount=Decimal(1)), line("C", line_discount=Decimal(2))], {}, [3]),
        ([line("B", line_discount=Decimal(1))], {"discount_total": Decimal(0)}, []),
    ],
)
def test_discounts_are_positive_and_counted_once(lines: list, fields: dict[str, Value], discounts: list) -> None:
    assert [one.amount for one in amounts(order("1", line(), *lines, **fields)).discounts] == discounts


def test_the_total_is_the_one_order_desk_will_compute() -> None:
    assert amounts(FULL).total == Decimal("25") + 9 + Decimal("4.90") + 3 + Decimal("3.12") - 5
    assert problem_codes(order(order_total=Decimal("25.01")), require_total_match=True) == ["total_differs"]
    assert problem_codes(order(order_total=Decimal("25.0")), require_total_match=True) == []


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("Anna Berg", ("Anna", "Berg")),
        ("Anna Maria Berg", ("Anna Maria", "Berg")),
        ("Berg, Anna Maria", ("Anna Maria", "Berg")),
        ("Madonna", ("", "Madonna")),
        ("  Anna   Berg ", ("Anna", "Berg")),
        ("Berg,", ("", "Berg")),
        (",", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_name_in_one_cell_is_split(full: str, parts: tuple[str, str]) -> None:
    assert split_name(full) == parts


def test_one_known_place_serves_both_addresses_whole() -> None:
    there = {"shipping_address1": "Kirkegata 4", "shipping_city": "Oslo"}
    both = addresses(order(**there))
    assert both["customer"]["city"] == both["shipping"]["city"] == "Oslo"
    half = addresses(order(**there, billing_city="Bergen"))
    assert "address1" not in half["customer"]


def test_dates_are_utc_and_amounts_exact() -> None:
    assert payload_of(FULL)["date_added"] == "2026-01-05 08:15:00"
    for text in ("19.95", "0.1", "12.50", "1000", "1E+3", "-5.00", "123456789012.34"):
        assert Decimal(repr(number(Decimal(text)))) == Decimal(text)
        assert is_exact(Decimal(text))
    for text in ("0.12345678901234567", "1e15", "NaN", "Infinity"):
        assert not is_exact(Decimal(text))


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (order(order_id=" "), "order_id_missing"),
        (order("1", line(line_type="shipping")), "no_products"),
        (order("1", line(quantity="1.5")), "quantity_not_whole"),
        (order("1", line(quantity="0")), "quantity_not_whole"),
        (order("1", line(quantity="-1")), "quantity_not_whole"),
        (order("1", line(sku="", product_name="")), "product_missing"),
        (order("1", line(), line(line_type="bogus")), "line_type_unknown"),
        (order(first_name=None, last_name=None), "name_missing"),
        (order(note="x" * 1801), "note_too_long"),
        (order(extra={"a": "x" * 3500}), "extra_too_long"),
        (order("1", line(price="0.12345678901234567")), "amount_too_precise"),
        (order(tax_total=Decimal("NaN")), "amount_too_precise"),
    ],
)
def test_what_order_desk_would_refuse_is_said_before_sending(record: Record, code: str) -> None:
    assert problem_codes(record) == [code]


def test_every_problem_of_an_order_is_told_with_its_field() -> None:
    bad = order("1", line(quantity="0.5"), line(sku="", product_name=""), first_name=None, last_name=None)
    problems = account().operation("order", {}).problems(bad)
    assert [problem.field for problem in problems] == ["last_name", "quantity", "sku"]
    assert all(problem.message and problem.advice for problem in problems)


def test_a_stock_item_says_zero_and_leaves_out_blanks() -> None:
    sent = stock_payload(stock(stock=Decimal(0), price=Decimal("12.50"), location="", extra={"print_sku": "P1"}), "tag")
    assert sent == {
        "name": "The MUG-BL",
        "code": "MUG-BL",
        "price": 12.5,
        "stock": 0,
        "metadata": {"print_sku": "P1"},
        "update_source": "tag",
    }


def test_stock_problems() -> None:
    assert problem_codes(stock("A,B"), "inventory_item") == ["sku_comma"]
    assert problem_codes(stock(" "), "inventory_item") == ["sku_missing"]
    assert problem_codes(stock(name=""), "inventory_item") == ["name_missing"]
    assert problem_codes(order("1", line(sku="")), "inventory_item") == ["sku_missing"]
    assert problem_codes(order("1", line(sku="A,B"), line(sku="A,B")), "inventory_item") == ["sku_comma"]


def test_a_shipment() -> None:
    sent = shipment_payload(shipment(weight=Decimal("0.9"), shipped_at=datetime(2026, 1, 6, 23, tzinfo=UTC)))
    assert sent == {
        "tracking_number": "NO1",
        "carrier_code": "Bring",
        "weight": 0.9,
        "shipment_date": "2026-01-06 23:00:00",
    }
    assert problem_codes(shipment(tracking=""), "shipment") == ["tracking_number_missing"]


def test_payloads_are_pure() -> None:
    for name, record in (
        ("order", FULL),
        ("inventory_item", stock()),
        ("inventory_item", FULL),
        ("shipment", shipment()),
    ):
        operation = account().operation(name, {})
        first, second = (next(operation.plan(record, None)) for _ in range(2))
        assert (first.name, first.request) == (second.name, second.request)
        assert "sandbox-key" not in repr(first.request)
