"""Keap over REST v1: what is sent, what is refused before, what a look-up sees; held against the official schema."""

from __future__ import annotations

import json
import os
import re
from datetime import date
from pathlib import Path

import pytest
from keap_bench import FIELDS, Bench, Lost, account, answer, changed, line, money, order, ticking
from keap_schema import faults, spec_at

from pipeline.errors import SetupError
from pipeline.model import Record
from pipeline.sandbox.keap import SimulatedKeap
from pipeline.targets.contract import Absent, Done, Found, InDoubt, Later, Paused, PlanRefused, Refused, Unclear

GOLDEN = Path(__file__).parent / "golden" / "keap"
STAND_INS = {"line_products": {"shipping": "INS-1", "tax": "INS-1", "fee": "INS-1"}}
FULL = order(
    line(product_name="Widget, blue", quantity="3", price="0.10"),
    line(sku="SUB-12", quantity="1", price="27.00", line_type="subscription"),
    line(sku="", quantity="1", price="3.00", line_type="fee", product_name="Gift wrap"),
    shipping_total=money("6.50"),
    tax_total=money("2.49"),
    amount_paid=money("39.29"),
    payment_method="Visa",
    company="O'Brien & Sons",
    phone="617-555-0100",
    birth_date=date(1985, 3, 15),
    ip_address="192.0.2.7",
    billing_address1="9 Elm St",
    billing_city="Toronto",
    billing_state="Ontario",
    billing_postal_code="M5V 2T6",
    billing_country="CA",
)


def v1_bench(tenant: SimulatedKeap | None = None, custom_fields=None, **table) -> Bench:
    return Bench(account(custom_fields or {}, api="rest-v1", **table), tenant or SimulatedKeap(now=ticking()))


def step_of(bench: Bench, record: Record, name: str, **options):
    plan = bench.operation(**STAND_INS | options).plan(record, None)
    step = next(plan)
    while not step.name.startswith(name):
        outcome = bench.perform(step)
        assert isinstance(outcome, Done | Found), outcome
        step = plan.send(outcome.result)
    return step


def test_golden():
    bench = v1_bench()
    bench.place(FULL, **STAND_INS)
    made = [
        {"call": f"{request.method} {request.path}", "query": dict(request.query), "body": request.json}
        for request in bench.sent
    ]
    path = GOLDEN / "v1.json"
    if os.environ.get("GOLDEN_WRITE"):
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert made == json.loads(path.read_text(encoding="utf-8"))


def test_the_order_at_the_tenant_is_the_order_of_the_file():
    bench = v1_bench()
    result = bench.place(FULL, **STAND_INS)
    assert result == {"id": "5310", "contact_id": "1042", "payment_id": "77"}
    (placed,) = bench.tenant.truth()["orders"]
    assert (placed["total"], placed["order_title"]) == ("39.29", "FH-2026-000187")
    assert [item["item_type"] for item in placed["lines"]] == ["PRODUCT", "PRODUCT", "FEE", "SHIPPING", "TAX"]
    (payment,) = placed["payments"]
    assert payment["payment_method_type"] == "Credit Card (Manual)"
    assert bench.body("/payments")["charge_now"] is False
    assert bench.body("/orders")["order_items"][0]["price"] == "0.10"
    assert bench.body("/contacts", "PUT")["duplicate_option"] == "Email"


def test_a_second_send_creates_nothing_because_it_looks_first():
    bench = v1_bench()
    first = bench.place(FULL, **STAND_INS)
    second = bench.place(FULL, **STAND_INS)
    assert second["already_there"]
    assert second["id"] == first["id"]
    assert len(bench.tenant.truth()["payments"]) == 1


def test_a_change_cannot_be_sent():
    assert not v1_bench().operation().can_update
    assert v1_bench().operation("customer").can_update


def test_limits_are_said():
    with_fields = account(FIELDS, api="rest-v1").warnings
    assert any("changes no order" in text for text in with_fields)
    assert any("custom_fields are not written" in text for text in with_fields)
    assert len(v1_bench().account.warnings) == 1
    assert v1_bench().account.listing is None
    assert v1_bench().account.fields_plan is None


@pytest.mark.parametrize(
    ("record", "options", "code"),
    [
        (order(discount_total=money("5")), {}, "keap_v1_discount"),
        (order(shipping_total=money("5")), {}, "keap_v1_line_product"),
        (order(amount_paid=money("5"), payment_method="Money order"), {}, "keap_payment_method"),
        (order(email=None), {}, "keap_needs_email"),
    ],
)
def test_what_v1_cannot_carry_is_named_before_sending(record, options, code):
    (problem,) = v1_bench().operation(**options).problems(record)
    assert problem.code == code
    assert problem.advice


def test_a_method_may_be_mapped_to_one_of_v1s_own():
    options = {"payment_methods": {"money order": "CHECK"}}
    record = order(amount_paid=money("5"), payment_method="Money order")
    assert v1_bench().operation(**options).problems(record) == []
    assert v1_bench().operation(send_payment=False).problems(record) == []


@pytest.mark.parametrize(
    ("operation", "options", "words"),
    [
        ("place_order", {"duplicate_option": "EmailAndNameAndCompany"}, "over REST v1"),
        ("place_order", {"line_products": {"discount": "X"}}, "line_products"),
        ("place_order", {"style": "itemized"}, "style"),
        ("customer", {"duplicate_option": "EmailAndNameAndCompany"}, "over REST v1"),
        ("payment", {}, "cannot find an order"),
        ("refund", {}, "no operation"),
    ],
)
def test_wrong_options_are_named(operation, options, words):
    with pytest.raises(SetupError, match=words):
        v1_bench().operation(operation, **options)


# --- products ---


def product_reads(bench: Bench) -> int:
    return sum(request.path == "/rest/v1/products" and request.method == "GET" for request in bench.sent)


def test_the_product_list_is_read_once_and_anew_for_a_sku_it_lacks():
    bench = v1_bench()
    for number in range(3):
        bench.place(order(order_id=f"FH-{number}"))
    assert product_reads(bench) == 1
    bench.tenant._tenant.add_product({"sku": "LATE-1", "name": "Late", "short_description": "x", "price": 1})
    bench.place(order(line(sku="LATE-1"), order_id="FH-9"))
    assert product_reads(bench) == 2


def test_every_page_of_products_is_read():
    products = [(f"S-{number}", "x", 100) for number in range(2500)]
    bench = v1_bench(SimulatedKeap(products=products, now=ticking()))
    bench.place(order(line(sku="S-2400", price="1.00")))
    assert product_reads(bench) == 3
    assert bench.tenant.truth()["orders"][0]["lines"][0]["sku"] == "S-2400"


@pytest.mark.parametrize(
    ("products", "sku", "code"),
    [([("A", "A", 1), ("A", "B", 1)], "A", "keap_several_products"), ([], "A", "keap_no_product")],
)
def test_an_unclear_or_missing_product_refuses_the_order(products, sku, code):
    bench = v1_bench(SimulatedKeap(products=products))
    with pytest.raises(PlanRefused) as stopped:
        bench.place(order(line(sku=sku)))
    assert (stopped.value.refused.code, stopped.value.refused.field) == (code, "sku")
    assert bench.writes == []


def test_a_missing_product_is_made_with_a_decimal_price():
    bench = v1_bench()
    bench.place(order(line(sku="NEW-1", price="12.50", product_name="New thing")), create_products=True)
    assert bench.body("/products")["product_price"] == 12.5
    made = [product for product in bench.tenant.truth()["products"] if product.get("sku") == "NEW-1"]
    assert [product["price"] for product in made] == [1250]
    step = step_of(v1_bench(bench.tenant), order(line(sku="NEW-2")), "product:", create_products=True)
    assert Bench(bench.account, bench.tenant).find(step) == Absent()
    bench.send(step.request)
    assert isinstance(bench.find(step), Found)


def test_a_refused_order_makes_the_list_be_read_anew():
    bench = v1_bench()
    step = step_of(bench, order(), "order")
    assert isinstance(step.read(answer(400, {"message": "product_id is invalid"})), Refused)
    bench.place(order())
    assert product_reads(bench) == 2


# --- look-ups ---


def test_a_lost_order_is_seen_and_one_never_sent_is_absent():
    bench = v1_bench()
    step = step_of(bench, FULL, "order")
    assert bench.find(step) == Absent()
    bench.lose = lambda request: request.method == "POST"
    with pytest.raises(Lost):
        bench.send(step.request)
    bench.lose = lambda _request: False
    assert isinstance(bench.find(step), Found)
    bench.send(step.request)
    assert isinstance(bench.find(step), Unclear)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"title": "FH-2026-000187", "total": 39.9}, Found),
        ({"title": "FH-2026-000187", "total": 40}, Unclear),
        ({"title": "FH-2026-000187"}, Unclear),
        ({"title": "", "total": 39.9}, Unclear),
        ({"title": "other", "total": 39.9}, Absent),
    ],
)
def test_an_order_is_told_by_title_and_total(entry, kind):
    search = step_of(v1_bench(), order(), "order").find()
    next(search)
    with pytest.raises(StopIteration) as end:
        search.send(answer(200, {"orders": [{"id": 1} | entry], "count": 1}))
    assert isinstance(end.value.value, kind)


@pytest.mark.parametrize(
    "reply", [answer(200, b""), answer(200, {"orders": {}}), answer(200, {"orders": [{}]}), answer(503, "x")]
)
def test_an_unreadable_list_is_never_empty(reply):
    bench = v1_bench()
    for name in ("order", "payment"):
        search = step_of(bench, changed(FULL, order_id=name), name).find()
        next(search)
        with pytest.raises(StopIteration) as end:
            search.send(reply)
        assert isinstance(end.value.value, Unclear)
    page = next(bench.operation(**STAND_INS).plan(order(line(sku="X")), None))
    assert isinstance(page.read(reply), Later)


def test_a_lost_payment_is_seen_and_an_equal_one_by_hand_is_unclear():
    bench = v1_bench()
    step = step_of(bench, FULL, "payment")
    assert bench.find(step) == Absent()
    bench.send(step.request)
    assert bench.find(step) == Found({"id": "77"})
    bench.tenant._book.payments["77"]["notes"] = "by hand"
    assert isinstance(bench.find(step), Unclear)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (201, {"id": 5}, Done),
        (201, {"id": "x"}, Done),
        (201, {}, InDoubt),
        (201, "", InDoubt),
        (400, {"message": "Input could not be converted to a valid request"}, Refused),
        (401, {"fault": {"faultstring": "Invalid access token"}}, Paused),
        (404, "<html>", Paused),
        (429, {"message": "Quota Exceeded"}, Later),
        (500, {"message": "x"}, InDoubt),
    ],
)
def test_answers_have_their_outcome(status, body, kind):
    assert isinstance(step_of(v1_bench(), order(), "order").read(answer(status, body)), kind)


def test_several_contacts_are_refused_or_the_oldest_is_used():
    bench = v1_bench()
    for _ in range(2):
        bench.tenant._tenant.upsert({"email_addresses": [{"email": "ANN@example.com", "field": "EMAIL1"}]}, "")
    assert bench.place(order()).code == "keap_several_contacts"
    assert bench.place(order(), several_contacts="oldest")["contact_id"] == "1042"


def test_the_probe_proves_the_key():
    bench = v1_bench()
    assert isinstance(bench.walk(bench.account.probe()), dict)
    wrong = v1_bench(key="wrong")
    assert isinstance(wrong.walk(wrong.account.probe()), Paused)


# --- against the official schema ---


def test_the_official_schema_takes_every_body():
    spec = spec_at("KEAP_OPENAPI_V1", "keap-rest-v1.json")
    bench = v1_bench()
    bench.place(FULL, **STAND_INS)
    bench.place(order(line(sku="NEW"), order_id="FH-2"), create_products=True)
    step = step_of(bench, changed(FULL, order_id="FH-3"), "payment")
    bench.find(step)
    seen = set()
    for request in bench.sent:
        path = re.sub(r"/orders/\d+", "/orders/{orderId}", request.path.removeprefix("/rest"))
        operation = spec["paths"][path][request.method.lower()]
        assert {name for name, _ in request.query} <= {known["name"] for known in operation.get("parameters", ())}
        if request.json is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            assert faults(request.json, schema, spec) == [], request
        seen.add(f"{request.method} {path}")
    assert seen == {
        "GET /v1/products", "POST /v1/products", "GET /v1/contacts", "PUT /v1/contacts", "GET /v1/orders",
        "POST /v1/orders", "GET /v1/orders/{orderId}/payments", "POST /v1/orders/{orderId}/payments",
    }  # fmt: skip
