from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from walk import FULL_ORDER, line, order

from pipeline.model import Record
from pipeline.targets.influencersoft.payload import order_form, order_status
from pipeline.targets.influencersoft.problems import problems
from pipeline.targets.influencersoft.settings import CreateOrderOptions

GOLDEN = Path(__file__).parent / "golden" / "influencersoft"
PLAIN = CreateOrderOptions()
REPEAT = CreateOrderOptions(quantity="repeat")


def form(record: Record, options: CreateOrderOptions = PLAIN, zone: ZoneInfo | None = None) -> dict[str, str]:
    return dict(order_form(record, options, zone))


def codes(record: Record, options: CreateOrderOptions = PLAIN) -> list[str]:
    return [problem.code for problem in problems(record, options)]


@pytest.mark.parametrize(
    ("name", "record", "options"),
    [
        ("full_order", FULL_ORDER, PLAIN),
        ("smallest_order", order(), PLAIN),
        ("marked_in_note", FULL_ORDER, CreateOrderOptions(mark_in="note")),
        (
            "repeated_with_amounts_in_note",
            order(
                [
                    line("workbook", "9.50", "3", line_tax=Decimal("1.20")),
                    line("", "4.9", line_type="shipping"),
                    line("", "-5", line_type="discount"),
                ],
                shipping_total=Decimal("4.90"),
                tax_total=Decimal("1.20"),
            ),
            CreateOrderOptions(quantity="repeat", other_lines="note"),
        ),
    ],
)
def test_golden_form(name: str, record: Record, options: CreateOrderOptions) -> None:
    assert problems(record, options) == []
    golden = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert order_form(record, options, None) == tuple(golden.items())


def test_times_are_year_first_and_keep_their_zone_unless_the_account_names_one() -> None:
    assert form(order())["order_created_at"] == "2026-01-05 08:15:00"
    assert form(order(), zone=ZoneInfo("Asia/Tokyo"))["order_created_at"] == "2026-01-05 17:15:00"


@pytest.mark.parametrize(
    ("said", "fields", "meant"),
    [
        ("paid", {}, "Paid"),
        ("MONEYBACK", {}, "MoneyBack"),
        ("cancelled", {"paid_at": datetime(2026, 1, 5, tzinfo=UTC)}, "Cancel"),
        ("refunded", {}, "MoneyBack"),
        ("shipped", {}, "Expected"),
        ("shipped", {"paid_at": datetime(2026, 1, 5, tzinfo=UTC)}, "Paid"),
        ("", {"amount_paid": Decimal("49.00")}, "Paid"),
        ("", {"amount_paid": Decimal("48.99")}, "Expected"),
        ("", {"amount_paid": Decimal("49.00"), "order_total": Decimal("55")}, "Expected"),
        ("On Hold", {"amount_paid": Decimal("49.00")}, "Cancel"),
    ],
)
def test_status(said: str, fields: dict[str, object], meant: str) -> None:
    options = CreateOrderOptions(statuses={"on hold": "Cancel"})
    assert order_status(order(status=said, **fields), options) == meant


def test_a_full_name_alone_is_split() -> None:
    sent = form(order(first_name=None, last_name=None, full_name="Anna van der Berg"))
    assert (sent["customer_first_name"], sent["customer_last_name"]) == ("Anna", "van der Berg")


def test_the_recipient_is_only_noted_when_it_is_somebody_else() -> None:
    assert "note" not in form(order(shipping_first_name="Anna", shipping_last_name="Berg"))
    assert form(order(shipping_company="Berg AS"))["note"] == "ship to: Berg AS"


@pytest.mark.parametrize(("method", "sent"), [("paypal", "PayPal"), ("STRIPE", "Stripe"), ("Visa", None)])
def test_only_the_two_documented_payment_methods_are_sent(method: str, sent: str | None) -> None:
    shown = form(order(payment_method=method))
    assert shown.get("payment_method") == sent
    assert ("note" in shown) == (sent is None)


def test_prices_are_all_or_none() -> None:
    both = order([line("course-basic", None), line("workbook", None)])
    assert codes(both) == []
    assert "product_prices" not in form(both)
    assert codes(order([line("course-basic", None), line("workbook", "1")])) == ["price_missing"]


def test_a_free_course_keeps_its_price_of_nothing() -> None:
    assert form(order([line(price="0")]))["product_prices"] == "0.00"


def test_prices_keep_every_decimal() -> None:
    assert form(order([line(price="0.125")]))["product_prices"] == "0.125"
    assert form(order([line(price="1E+3")]))["product_prices"] == "1000.00"


def test_no_confirmation_is_sent_where_the_file_says_nothing() -> None:
    assert "order_confirmed" not in form(order())
    assert form(order(confirmed=False))["order_confirmed"] == "No"


@pytest.mark.parametrize(
    ("record", "options", "code", "field"),
    [
        (order(email=None), PLAIN, "no_email", "email"),
        (order([]), PLAIN, "no_products", "sku"),
        (order([line("a,b")]), PLAIN, "comma_in_product", "sku"),
        (order([line("")]), PLAIN, "no_product_key", "sku"),
        (order([line(quantity="2")]), PLAIN, "quantity_not_one", "quantity"),
        (order([line(quantity="1.5")]), REPEAT, "quantity_not_whole", "quantity"),
        (order([line(quantity="101")]), REPEAT, "quantity_not_whole", "quantity"),
        (order([line(quantity="0")]), REPEAT, "quantity_not_whole", "quantity"),
        (order([line(price="-1")]), PLAIN, "price_negative", "unit_price"),
        (order(order_id="1,2"), PLAIN, "several_tags", "order_id"),
        (order(tag="a,b"), CreateOrderOptions(mark_in="note"), "several_tags", "tag"),
        (order(shipping_total=Decimal("4.90")), PLAIN, "amount_without_place", "shipping_total"),
        (order([line(), line(price="2", line_type="fee")]), PLAIN, "amount_without_place", "line_type"),
        (order([line(line_discount=Decimal(1))]), PLAIN, "amount_without_place", "line_discount"),
    ],
)  # fmt: skip
def test_problems_before_sending(record: Record, options: CreateOrderOptions, code: str, field: str) -> None:
    (problem,) = problems(record, options)
    assert (problem.code, problem.field) == (code, field)
    assert problem.advice


def test_amounts_of_zero_are_no_problem() -> None:
    zero = Decimal("0.00")
    record = order([line(line_tax=zero), line(price="0", line_type="shipping")], tax_total=zero, shipping_total=zero)
    assert codes(record) == []


def test_a_tag_with_a_comma_is_fine_in_the_note() -> None:
    assert codes(order(tag="a,b")) == []


def test_half_a_surrogate_does_not_break_the_form() -> None:
    from pipeline.targets.influencersoft.client import encode_form

    assert encode_form((("note", "a\ud800b"),)) == "note=a%3Fb"


def test_every_documented_parameter_can_be_sent() -> None:
    everything = order(
        billing_address2="Floor 2", billing_state="Vestland", shipping_state="Oslo", utm_campaign="c", utm_content="d",
        utm_term="e", **{**FULL_ORDER.fields, "payment_method": "PayPal"},
    )  # fmt: skip
    sent = {name for name, _ in order_form(everything, CreateOrderOptions(), None, "31")}
    assert sent == {
        "customer_email", "customer_first_name", "customer_last_name", "customer_middle_name", "customer_phone",
        "order_ip", "customer_shipping", "customer_shipping_phone", "customer_shipping_address_2",
        "customer_shipping_city", "customer_shipping_state", "customer_shipping_zip",
        "customer_shipping_country_code", "customer_billing_address_1", "customer_billing_address_2",
        "customer_billing_city", "customer_billing_state", "customer_billing_zip", "customer_billing_country_code",
        "order_tag", "note", "order_created_at", "order_paid_at", "order_status", "order_confirmed",
        "order_sales_manager", "product_names", "product_prices", "payment_method", "coupon", "affiliates",
        "utm_medium", "utm_source", "utm_campaign", "utm_content", "utm_term",
    }  # fmt: skip
