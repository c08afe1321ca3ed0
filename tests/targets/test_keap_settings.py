"""Account settings, deliver options, and the problems named before anything is sent."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keap_bench import FIELDS, KEY, Bench, account, answer, changed, line, money, order

from pipeline.errors import SetupError
from pipeline.settings import Secret
from pipeline.targets.contract import Done, Later, Paused, Rate, Request
from pipeline.targets.keap import build
from pipeline.targets.keap.lines import total_of


def test_the_defaults_stay_below_the_documented_limits():
    known = account(base_url="https://api.infusionsoft.com/crm")
    assert known.rate == Rate(1, 4)
    assert known.concurrency == 1
    assert known.operation_names == ("place_order", "customer", "payment")
    bare = build("crm", {"target": "keap", "api_key": Secret("k", "x")})
    assert bare.base_url == "https://api.infusionsoft.com/crm"


def test_an_account_can_be_built_and_shown_without_its_key():
    known = account(key=None)
    assert known.show(Request("GET", "/rest/v2/orders/model")).headers["authorization"] == "Bearer ***"
    with pytest.raises(SetupError, match="KEAP_API_KEY"):
        known.sign(Request("GET", "/rest/v2/orders/model"))
    outcome = next(known.probe()).read(answer(400, {"message": "no"}))
    assert isinstance(outcome, Paused)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [("bearer", "authorization", f"Bearer {KEY}"), ("x-keap-api-key", "x-keap-api-key", KEY)],
)
def test_both_documented_ways_to_carry_the_key(auth, header, value):
    signed = account(auth=auth).sign(Request("POST", "/rest/v2/orders", (("a", "b==c;d"),), json={"n": "ü"}))
    assert signed.headers[header] == value
    assert signed.url == "http://127.0.0.1:9/keap/crm/rest/v2/orders?a=b%3D%3Dc%3Bd"
    assert json.loads(signed.content) == {"n": "ü"}
    assert signed.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"api": "rest"}, "Did you mean 'rest-v"),
        ({"auth": "bearr"}, "Did you mean 'bearer'"),
        ({"base_ur": "x"}, "Did you mean 'base_url'"),
        ({"base_url": "http://api.infusionsoft.com/crm"}, "clear"),
        ({"base_url": "ftp://x"}, "not a web address"),
        ({"rate": {"burst": 0, "per_second": 1}}, "rate.burst"),
        ({"rate": {"per_second": -1}}, "rate.per_second"),
        ({"rate": {"per_sec": 1}}, "per_sec"),
        ({"concurrency": 0}, "concurrency"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"settle_seconds": -1}, "settle_seconds"),
        ({"look_first": "yes"}, "look_first"),
        ({"custom_fields": {"order_idd": "_X"}}, "Did you mean 'order_id'"),
        ({"custom_fields": {"extra.": "_X"}}, "extra."),
        ({"custom_fields": {"extra": "_X"}}, "extra.<name>"),
        ({"custom_fields": {"status": " "}}, "names no order custom field"),
        ({"custom_fields": {"status": "_X", "note": "_x"}}, "both fill"),
    ],
)
def test_wrong_settings_are_named(table, words):
    with pytest.raises(SetupError) as problem:
        account(**table)
    assert words in str(problem.value)
    assert "accounts.crm" in str(problem.value)


def test_a_key_written_out_is_refused_and_not_repeated():
    with pytest.raises(SetupError) as problem:
        build("crm", {"target": "keap", "api_key": "KeapAK-literal"})
    assert "KeapAK-literal" not in str(problem.value)
    assert "env" in str(problem.value)
    with pytest.raises(SetupError, match="api_key"):
        build("crm", {"target": "keap"})


@pytest.mark.parametrize(
    ("operation", "options", "words"),
    [
        ("place_orders", {}, "Did you mean 'place_order'"),
        ("place_order", {"create_product": True}, "Did you mean 'create_products'"),
        ("place_order", {"create_products": "yes"}, "create_products"),
        ("place_order", {"duplicate_option": "email"}, "Did you mean 'Email'"),
        ("place_order", {"order_type": "Offline"}, "Did you mean 'OFFLINE'"),
        ("place_order", {"discount_sign": "minus"}, "Known: negative, positive"),
        ("place_order", {"payment_method": " "}, "blank"),
        ("place_order", {"payment_methods": {"Visa": ""}}, "blank"),
        ("customer", {"create_products": True}, "create_products"),
        ("customer", {"contact_lists": "keep"}, "contact_lists"),
        ("payment", {"order_type": "ONLINE"}, "order_type"),
    ],
)
def test_wrong_options_are_named(operation, options, words):
    with pytest.raises(SetupError) as problem:
        account().operation(operation, options)
    assert words in str(problem.value)
    assert "crm" in str(problem.value)


def test_payments_need_a_custom_field_to_find_their_order():
    with pytest.raises(SetupError, match=r"custom_fields\.order_id"):
        account(custom_fields={}).operation("payment", {})


@pytest.mark.parametrize(("table", "looks"), [({}, True), ({"look_first": False}, False)])
def test_looking_first(table, looks):
    bench = Bench(account(**table))
    bench.place(order())
    asked = [request for request in bench.sent if request.method == "GET" and request.path == "/rest/v2/orders"]
    assert bool(asked) is looks


def test_the_probe_reads_whatever_custom_fields_lack():
    bench = Bench(account(FIELDS | {"note": "_Gone"}))
    assert bench.walk(bench.account.probe()) == {"id": ""}
    assert bench.writes == []
    bare = account(custom_fields={})
    assert Bench(bare).walk(bare.probe()) == {"id": ""}
    assert isinstance(Bench(account(key="wrong")).walk(account(key="wrong").probe()), Paused)
    assert isinstance(next(bare.probe()).read(answer(200, "")), Later)
    assert isinstance(next(bare.probe()).read(answer(200, {"custom_fields": []})), Done)


# --- problems ---


@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        (order(email=None), "keap_needs_email", "email"),
        (order(email="  "), "keap_needs_email", "email"),
        (order(email="a;b@example.com"), "keap_email", "email"),
        (order(email="a*"), "keap_email", "email"),
        (order(email="a" * 70 + "@x.org"), "keap_too_long", "email"),
        (order(first_name="A" * 41), "keap_too_long", "first_name"),
        (order(first_name=None, last_name=None, full_name="A" * 41 + " B"), "keap_too_long", "full_name"),
        (order(billing_address1="x" * 76), "keap_too_long", "billing_address1"),
        (order(shipping_country="USA"), "keap_country", "shipping_country"),
        (order(order_id=" "), "keap_order_id", "order_id"),
        (order(ordered_at=None), "keap_ordered_at", "ordered_at"),
        (order(line(quantity="0")), "keap_quantity", "quantity"),
        (order(line(quantity="1.5")), "keap_quantity", "quantity"),
        (order(line(quantity="-1")), "keap_quantity", "quantity"),
        (order(line(quantity="99999999999")), "keap_quantity", "quantity"),
        (order(line(quantity="NaN")), "keap_quantity", "quantity"),
        (order(line() | {"quantity": None}), "keap_quantity", "quantity"),
        (order(line(sku="")), "keap_needs_sku", "sku"),
        (order(line(sku="A;B")), "keap_sku", "sku"),
        (order(line(sku="A*")), "keap_sku", "sku"),
        (order(line(line_type="gift")), "keap_line_type", "line_type"),
        (order(line(price="-1")), "keap_price", "unit_price"),
        (order(line() | {"unit_price": None}), "keap_price", "unit_price"),
        (order(line(price="Infinity")), "keap_price", "unit_price"),
        (order(line(price="0.125")), "keap_amount", "unit_price"),
        (order(line(price="10.5"), currency="JPY"), "keap_amount", "unit_price"),
        (order(line(price="9e12")), "keap_amount", "unit_price"),
        (order(line(line_tax=money("-1"))), "keap_amount", "line_tax"),
        (order(tax_total=money("-1")), "keap_amount", "tax_total"),
        (order(shipping_total=money("1.001")), "keap_amount", "shipping_total"),
        (order(discount_total=money("40")), "keap_total", None),
        (order(amount_paid=money("39.91")), "keap_overpaid", "amount_paid"),
        (order(amount_paid=money("-1")), "keap_amount", "amount_paid"),
    ],
)
def test_what_keap_would_refuse_is_named_first(record, code, field):
    problems = Bench().operation().problems(record)
    assert [(problem.code, problem.field) for problem in problems] == [(code, field)]
    (problem,) = problems
    assert problem.message
    assert problem.advice


def test_an_order_without_lines_is_named():
    from dataclasses import replace

    (problem,) = Bench().operation().problems(replace(order(), lines=()))
    assert problem.code == "keap_no_lines"


def test_all_problems_of_a_record_are_named_at_once():
    record = order(line(quantity="0"), line(sku=""), email=None, shipping_country="XX")
    codes = [problem.code for problem in Bench().operation().problems(record)]
    assert codes == ["keap_needs_email", "keap_country", "keap_quantity", "keap_needs_sku"]


def test_totals_are_compared_when_asked():
    record = order(order_total=money("40.00"))
    assert Bench().operation().problems(record) == []
    (problem,) = Bench().operation(require_total_match=True).problems(record)
    assert problem.field == "order_total"
    assert "39.90" in problem.message
    assert Bench().operation(require_total_match=True).problems(changed(record, order_total=money("39.9"))) == []


def test_an_unsent_payment_is_not_judged():
    assert Bench().operation(send_payment=False).problems(order(amount_paid=money("100"))) == []


TEXTS = st.text(max_size=60) | st.sampled_from(["MA", "a\x00b\x0bc", "\ud800", "'; --", "=1+1"])
MONEY = st.decimals("0", "99", places=2)
AMOUNTS = st.one_of(MONEY, MONEY, MONEY, MONEY, st.decimals(allow_nan=True))
QUANTITIES = st.integers(1, 9).map(Decimal) | st.integers(1, 9).map(Decimal) | AMOUNTS
SKUS = st.sampled_from(["WB-100", "NEW-1", "neu ü"]) | TEXTS
KINDS = st.sampled_from(["product", "fee", "tax", "discount", "shipping"])
ROWS = st.fixed_dictionaries(
    {"sku": SKUS, "product_name": TEXTS, "quantity": QUANTITIES, "unit_price": AMOUNTS},
    optional={"line_type": KINDS, "line_tax": AMOUNTS, "line_discount": AMOUNTS},
)
FIELD_TEXTS = (
    "first_name",
    "full_name",
    "phone",
    "company",
    "note",
    "coupon_code",
    "payment_method",
    "status",
)
PLACES = ("address1", "city", "state", "postal_code")
COUNTRIES = st.sampled_from(["US", "CA", "de", ""]) | TEXTS
OTHERS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(FIELD_TEXTS, TEXTS)
    | {f"{side}_{part}": TEXTS for side in ("billing", "shipping") for part in PLACES}
    | dict.fromkeys(("tax_total", "discount_total", "shipping_total", "amount_paid"), AMOUNTS)
    | {"shipping_country": COUNTRIES},
)
EMAILS = st.sampled_from(["ann@example.com", "ü+x@example.com"]) | TEXTS


def test_nonsense_is_refused_by_us_or_taken_by_the_tenant():
    """Whatever a file holds: a problem is named, or the strict tenant takes the order; never a traceback."""
    seen = {"taken": 0, "refused": 0}

    @settings(deadline=None, max_examples=200, database=None, derandomize=True)
    @given(
        email=EMAILS,
        order_id=st.sampled_from(["FH-1", "FH 2"]) | TEXTS,
        rows=st.lists(ROWS, min_size=1, max_size=3),
        fields=OTHERS,
    )
    def prove(email, order_id, rows, fields):
        record = order(*rows, **({"email": email, "order_id": order_id} | fields))
        bench = Bench()
        operation = bench.operation(create_products=True)
        if operation.problems(record):
            seen["refused"] += 1
            return
        seen["taken"] += 1
        result = bench.walk(operation.plan(record, None))
        assert isinstance(result, dict), result
        (placed,) = bench.tenant.truth()["orders"]
        assert Decimal(placed["total"]) == total_of(record)

    prove()
    assert min(seen.values()) > 10, seen
