from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from walk import FULL_ORDER, line, order

from pipeline.model import Record
from pipeline.targets.kapture.payload import payment_body, push_body, update_body
from pipeline.targets.kapture.problems import order_problems, payment_problems, update_problems
from pipeline.targets.kapture.settings import OrderOptions, PaymentOptions

GOLDEN = Path(__file__).parent / "golden" / "kapture"
PLAIN = OrderOptions()
MIXED = order(
    [
        line("MUG-BL", "12.5", "2", line_discount=Decimal("1.50")),
        line("", "4.90", product_name="", line_type="shipping"),
        line("", "-2", product_name="Voucher", line_type="discount"),
    ],
    order_total=Decimal("27.90"),
)


def payment(**fields: Any) -> Record:
    known: dict[str, Any] = {
        "order_id": "EXP-17",
        "amount": Decimal("28.9"),
        "payment_reference": "PAY-17",
        "payment_method": "cheque",
        "cheque_number": "0042",
        "cheque_on": datetime(2026, 1, 6, tzinfo=UTC).date(),
        "bank_name": "First Bank",
        "note": "thank you",
    }
    return Record("payment", "EXP-17 PAY-17", known | fields)


BODIES = {
    "full_order": lambda: push_body(FULL_ORDER, PLAIN, None),
    "smallest_order": lambda: push_body(order(), PLAIN, None),
    "other_lines_in_total": lambda: push_body(MIXED, PLAIN, None),
    "other_lines_as_products": lambda: push_body(MIXED, OrderOptions(other_lines="product"), None),
    "update": lambda: update_body(FULL_ORDER, None, PLAIN, None, {"order_id": "5001", "customer_id": "9001"}),
    "payment": lambda: payment_body(payment(), PaymentOptions()),
}


@pytest.mark.parametrize("name", BODIES)
def test_golden_body(name: str) -> None:
    assert BODIES[name]() == json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", BODIES)
def test_every_value_is_text_and_none_is_blank(name: str) -> None:
    def texts(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [text for inner in value.values() for text in texts(inner)]
        return [text for inner in value for text in texts(inner)] if isinstance(value, list) else [value]

    assert all(isinstance(text, str) and text for text in texts(BODIES[name]()))


def test_times_have_no_seconds_and_follow_the_account_zone() -> None:
    assert push_body(order(), PLAIN, None)["create_date"] == "2026-01-05 08:15"
    assert push_body(order(), PLAIN, ZoneInfo("Asia/Kolkata"))["create_date"] == "2026-01-05 13:45"


def test_our_customer_id_is_not_passed_off_as_theirs() -> None:
    record = order(customer_id="C-1")
    assert "customer_id" not in push_body(record, PLAIN, None)
    assert push_body(record, OrderOptions(customer_id="kapture"), None)["customer_id"] == "C-1"


def test_a_second_postal_code_is_not_lost() -> None:
    body = push_body(FULL_ORDER, PLAIN, None)
    assert body["zip_code"] == "0153"
    assert body["address"] == "Storgata 1, 5003 Bergen, NO"
    assert body["shipping_address"] == "Kirkegata 4, Oppgang B, Oslo, NO"


def test_fields_of_the_tenant_are_filled_from_the_record() -> None:
    options = OrderOptions(
        also_send={
            "note": "remarks",
            "extra.gift": "gift_flag",
            "extra.none": "x",
            "shipping_total": "freight",
            "confirmed": "ok",
            "paid_at": "paid_on",
            "birth_date": "born",
        }
    )
    record = order(
        note="leave at door",
        extra={"gift": "yes"},
        shipping_total=Decimal("4.90"),
        confirmed=False,
        paid_at=datetime(2026, 1, 5, 9, tzinfo=UTC),
        birth_date=datetime(1990, 2, 3, tzinfo=UTC).date(),
    )
    body = push_body(record, options, None)
    assert body["remarks"] == "leave at door"
    assert body["gift_flag"] == "yes"
    assert "x" not in body
    assert (body["freight"], body["ok"], body["paid_on"], body["born"]) == (
        "4.9",
        "No",
        "2026-01-05 09:00",
        "1990-02-03",
    )


def test_names() -> None:
    assert push_body(order(full_name="Dr Anna Berg"), PLAIN, None)["customer_name"] == "Dr Anna Berg"
    nameless = order(first_name=None, last_name=None, company="Berg AS")
    assert push_body(nameless, PLAIN, None)["customer_name"] == "Berg AS"


def test_amounts_are_exact() -> None:
    (product,) = push_body(order([line(price="0.1000000001", quantity="2.50")]), PLAIN, None)["product_details"]
    assert (product["rate"], product["quantity"], product["discount"]) == ("0.1000000001", "2.5", "0")
    (large,) = push_body(order([line(price="1E+3", quantity="100")]), PLAIN, None)["product_details"]
    assert (large["rate"], large["quantity"]) == ("1000.00", "100")


def test_a_line_without_a_price_sends_none() -> None:
    (product,) = push_body(order([line(price=None)]), PLAIN, None)["product_details"]
    assert "rate" not in product


def test_a_line_with_neither_sku_nor_name_is_refused() -> None:
    (problem,) = order_problems(order([line("", product_name="")]), PLAIN)
    assert (problem.code, problem.field) == ("no_product", "sku")


@pytest.mark.parametrize(
    ("fields", "contact"),
    [({}, True), ({"email": None}, False), ({"email": None, "phone": "1"}, True),
     ({"email": None, "customer_id": "9"}, False)],
)  # fmt: skip
def test_a_customer_can_be_reached(fields: dict[str, Any], contact: bool) -> None:
    codes = [problem.code for problem in order_problems(order(**fields), PLAIN)]
    assert codes == ([] if contact else ["no_contact"])


def test_their_own_customer_id_is_contact_enough() -> None:
    assert order_problems(order(email=None, customer_id="9001"), OrderOptions(customer_id="kapture")) == []


def test_amounts_without_a_row_of_their_own_need_a_grand_total() -> None:
    bare = order([line(), line(price="4.90", line_type="shipping")])
    (problem,) = order_problems(bare, PLAIN)
    assert (problem.code, problem.field) == ("no_total", "order_total")
    assert order_problems(bare, OrderOptions(other_lines="product")) == []
    assert order_problems(order([line(), line(price="0", line_type="shipping")]), PLAIN) == []


def test_an_update_names_their_order() -> None:
    (problem,) = update_problems(order(), PLAIN)
    assert (problem.code, problem.field) == ("no_kapture_id", "extra")
    assert update_problems(order(extra={"kapture_order_id": "5001"}), PLAIN) == []
    assert update_problems(order(payment_reference="5001"), OrderOptions(kapture_id="payment_reference")) == []


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"amount": Decimal(0)}, "amount_not_positive", "amount"),
        ({"amount": Decimal("-1")}, "amount_not_positive", "amount"),
        ({"amount": None}, "amount_not_positive", "amount"),
        ({"payment_reference": None}, "no_payment_id", "payment_reference"),
        ({"order_id": None}, "no_order_id", "order_id"),
    ],
)
def test_payment_problems(fields: dict[str, Any], code: str, field: str) -> None:
    assert payment_problems(payment()) == []
    (problem,) = payment_problems(payment(**fields))
    assert (problem.code, problem.field) == (code, field)


def test_a_payment_may_name_their_order() -> None:
    body = payment_body(payment(order_id="5001"), PaymentOptions(order_id="kapture"))
    assert body["kapture_order_id"] == "5001"
    assert "erp_order_id" not in body
