"""Record → JSON, compared with golden files; and with Keap's official schema where a copy is at hand."""

from __future__ import annotations

import copy
import json
import os
import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from keap_bench import FIELDS, Bench, account, changed, emptied, line, money, order
from keap_schema import faults, spec_at

from pipeline.model import Record
from pipeline.targets.contract import Prior, Request
from pipeline.targets.keap.lines import items_of, total_of
from pipeline.targets.keap.options import PaymentOptions
from pipeline.targets.keap.payload import minor, payment_method, utc
from pipeline.targets.keap.places import country_code, region_code

GOLDEN = Path(__file__).parent / "golden" / "keap"
PLAIN = order(
    line(product_name="Widget, blue"),
    shipping_method="UPS Ground",
    shipping_total=money("6.50"),
    tax_total=money("2.49"),
    amount_paid=money("48.89"),
    payment_method="Check",
    payment_reference="4711",
)
FULL = order(
    line(product_name="Виджет, синий ™", quantity="3", price="0.10"),
    line(sku="SUB-12", quantity="1", price="27.00", line_type="subscription", subscription_status="active"),
    line(sku="", quantity="1", price="3.00", line_type="fee", product_name="Gift wrap"),
    line(sku="", quantity="1", price="4.00", line_type="shipping"),
    line(sku="", quantity="1", price="-5.00", line_type="discount"),
    ordered_at=datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC),
    first_name=None,
    last_name=None,
    full_name="Ann Mary O'Brien",
    company="O'Brien & Sons",
    phone="617-555-0100",
    ip_address="192.0.2.7",
    birth_date=date(1985, 3, 15),
    billing_address1="9 Elm St\x0b",
    billing_address2="   ",
    billing_city="Toronto",
    billing_state="Ontario",
    billing_postal_code="M5V 2T6",
    billing_country="CA",
    shipping_first_name="Bob",
    shipping_last_name="O'Brien",
    shipping_company="Sons",
    shipping_phone="5",
    shipping_state="Not a state",
    shipping_total=money("99"),
    tax_total=money("1.15"),
    coupon_code="TEN",
    note="=1+1 rush, please",
    tracking_number="1Z999",
)
BARE = order(
    line(line_tax=money("0.40"), line_discount=money("1.00"), product_name="Widget"),
    line(sku="WR-200", quantity="1", price="0", line_tax=money("0.60")),
    status=None,
    first_name="",
    last_name="",
    shipping_address1=None,
    shipping_city=None,
    shipping_state=None,
    shipping_postal_code=None,
)


def writes(record: Record, **options) -> list[dict]:
    bench = Bench()
    bench.place(record, **options)
    shown = [bench.account.show(request) for request in bench.sent if request.method != "GET"]
    return [
        {"call": f"{call.method} {call.url.partition('/keap/crm')[2]}", "body": json.loads(call.content)}
        for call in shown
    ]


@pytest.mark.parametrize(("name", "record"), [("plain", PLAIN), ("full", FULL), ("bare", BARE)])
def test_golden(name, record):
    path = GOLDEN / f"{name}.json"
    made = writes(record)
    if os.environ.get("GOLDEN_WRITE"):
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert made == json.loads(path.read_text(encoding="utf-8"))


def test_amounts_are_written_as_they_are_said():
    bench = Bench()
    bench.place(order(line(price="19.95"), line(sku="INS-1", price="0.1", quantity="3"), shipping_total=money("6.50")))
    text = bench.account.sign(bench.sent[-1]).content.decode()
    assert '"price_per_unit": 19.95' in text
    assert '"price_per_unit": 0.1,' in text
    assert '"price_per_unit": 6.5,' in text


def test_payloads_are_pure():
    record = copy.deepcopy(FULL)
    assert writes(FULL) == writes(FULL)
    assert record == FULL


@pytest.mark.parametrize(
    ("record", "total"),
    [
        (PLAIN, "48.89"),
        (FULL, "30.45"),  # 0.30 + 27 + 3 + 4 − 5 + 1.15; the shipping row hides shipping_total
        (BARE, "39.90"),  # 39.90 + 0 + 0.40 + 0.60 − 1.00
        (
            changed(BARE, tax_total=money("5"), discount_total=money("-2")),
            "42.90",
        ),  # totals hide the rows' amounts
        (changed(BARE, tax_total=money("0")), "39.90"),  # a total of 0 hides nothing
    ],
)
def test_no_amount_counts_twice(record, total):
    assert total_of(record) == money(total)


def test_a_discount_is_positive_when_told_so():
    record = order(line(), discount_total=money("5"))
    assert writes(record)[-1]["body"]["order_items"][-1]["price_per_unit"] == -5.0
    assert writes(record, discount_sign="positive")[-1]["body"]["order_items"][-1]["price_per_unit"] == 5.0


def test_rows_keep_the_order_of_the_file():
    assert [item.item_type for item in items_of(FULL)] == [
        "PRODUCT",
        "PRODUCT",
        "FEE",
        "SHIPPING",
        "DISCOUNT",
        "TAX",
    ]


def test_times_are_utc_without_fractions():
    assert utc(datetime.fromisoformat("2026-03-08T01:59:59.999-05:00")) == "2026-03-08T06:59:59Z"


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("19.95", "USD", 1995), ("0.29", "", 29), ("1050", "JPY", 1050), ("1.234", "KWD", 1234)],
)
def test_minor_units_follow_the_currency(amount, currency, units):
    assert minor(money(amount), currency) == units


@pytest.mark.parametrize(
    ("country", "state", "code"),
    [
        ("US", "MA", "US-MA"),
        ("us", "us-ma", "US-MA"),
        ("US", " massachusetts ", "US-MA"),
        ("CA", "ON", "CA-ON"),
        ("GB", "Kent", "GB-KEN"),
        ("US", "Mass.", None),
        ("US", "ON", None),
        ("", "MA", None),
        ("US", "", None),
        ("ZZ", "MA", None),
        ("USA", "MA", None),
    ],
)
def test_a_region_is_certain_or_left_out(country, state, code):
    assert region_code(country, state) == code


def test_countries_are_alpha_3():
    assert [country_code(code) for code in ("US", "de", "XX", "USA", "")] == ["USA", "DEU", None, None, None]


@pytest.mark.parametrize(
    ("words", "method"),
    [
        ("check", "Check"),
        (" CHEQUE ", "Check"),
        ("Visa", "Credit Card (Manual)"),
        ("money order", "Money Order"),
        ("Bank transfer", "Wire"),
        ("", "Adjustment"),
        ("Bitcoin", "Adjustment"),
    ],
)
def test_payment_methods(words, method):
    options = PaymentOptions("Adjustment", {"bank TRANSFER": "Wire"})
    assert payment_method(words, options) == method


def test_a_plan_made_again_gives_the_same_steps():
    bench, again = Bench(), Bench()
    bench.place(FULL)
    again.place(FULL)
    assert bench.sent == again.sent


# --- against the official schema ---


@pytest.fixture(scope="module")
def spec():
    return spec_at("KEAP_OPENAPI_V2", "keap-rest-v2.yml")


def test_the_official_schema_takes_every_body(spec):
    bench = Bench(account(FIELDS | {"carrier": "_New"}))
    bench.walk(bench.account.fields_plan(True))
    options = {"create_products": True, "subscriptions": "mirror", "subscription_plans": {"SUB-12": "12"}}
    for number, record in enumerate((PLAIN, FULL, BARE)):
        bench.place(changed(record, order_id=f"FH-{number}"), **options)
    bench.place(order(line(sku="NEW"), order_id="FH-9"), create_products=True)
    update(bench, order(order_id="FH-0"), order(line(quantity="7"), line(sku="INS-1"), order_id="FH-0", note="y"))
    update(bench, order(line(), line(sku="INS-1"), order_id="FH-6"), order(order_id="FH-6"), removed_lines="delete")
    full = order(order_id="FH-7", phone="5", note="x", company="Berg", shipping_address2="2")
    update(bench, full, emptied(full, "phone", "note", "company", "shipping_address2"))
    club = [line(sku="SUB-12", quantity="1", price="27", line_type="subscription")]
    ended = [club[0] | {"subscription_status": "cancelled"}]
    update(bench, order(*club, order_id="FH-8"), order(*ended, order_id="FH-8"), **options)
    reading = bench.account.listing("place_order", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    request = next(reading)
    for _ in range(2):
        request = reading.send(bench.send(request))
    bench.send(request)
    seen = {shape_of(request, spec) for request in bench.sent}
    assert {"POST /rest/v2/contacts", "POST /rest/v2/products", "POST /rest/v2/orders"} <= seen
    assert {"PATCH /rest/v2/orders/{order_id}", "POST /rest/v2/orders/{order_id}/payments"} <= seen
    assert {"POST /rest/v2/orders/{order_id}/items", "POST /rest/v2/orders/model/customFields"} <= seen
    assert {"POST /rest/v2/subscriptions", "PATCH /rest/v2/subscriptions/{subscription_id}"} <= seen
    assert {"PATCH /rest/v2/orders/{order_id}/items/{order_item_id}", "PATCH /rest/v2/contacts/{contact_id}"} <= seen
    assert "DELETE /rest/v2/orders/{order_id}/items/{order_item_id}" in seen


def update(bench: Bench, before: Record, after: Record, **options) -> None:
    result = bench.place(before, **options)
    bench.walk(bench.operation(**options).plan(after, Prior(result, before)))


def shape_of(request: Request, spec) -> str:
    """The documented call a request is; its parameters and body are held against the schema."""
    path = re.sub(r"/orders/\d+", "/orders/{order_id}", request.path)
    path = re.sub(r"/contacts/\d+", "/contacts/{contact_id}", path)
    path = re.sub(r"/items/\d+", "/items/{order_item_id}", path)
    path = re.sub(r"/subscriptions/\d+", "/subscriptions/{subscription_id}", path)
    operation = spec["paths"][path][request.method.lower()]
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    assert {name for name, _ in request.query} <= names, request
    if request.json is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert faults(request.json, schema, spec) == [], request
    return f"{request.method} {path}"


def test_the_check_against_the_schema_can_fail(spec):
    schema = {"$ref": "#/components/schemas/RestCreateOrderRequest"}
    body = {"contact_id": 1, "order_type": "Offline", "surprise": 1}
    assert len(faults(body, schema, spec)) == 5


def test_fields_configured_by_label_or_name_are_the_same_field():
    by_label = Bench(account(FIELDS | {"order_id": "external order id"}))
    by_name = Bench()
    by_label.place(PLAIN)
    by_name.place(PLAIN)
    assert by_label.body("/orders")["custom_fields"] == by_name.body("/orders")["custom_fields"]
