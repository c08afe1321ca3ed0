"""The simulated Keap refuses what the documents say is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.keap import SimulatedKeap

JSON = {"content-type": "application/json"}
KEY = {"authorization": "Bearer sandbox-key"}
ANN = {"given_name": "Ann", "email_addresses": [{"email": "ann@example.com", "field": "EMAIL1"}]}
PRODUCT_LINE = {"product_id": "71", "quantity": 2, "price_per_unit": 19.95}


def call(
    keap: SimulatedKeap,
    method: str,
    path: str,
    body: Any = None,
    query: dict[str, str] | None = None,
    **headers: str,
) -> Reply:
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = KEY | JSON | {name.replace("_", "-"): value for name, value in headers.items()}
    return keap.handle(Call(method, f"/crm/rest/v2{path}", tuple((query or {}).items()), sent, content))


def order_body(**more: Any) -> dict[str, Any]:
    return {
        "contact_id": "1042",
        "order_title": "FH-1",
        "order_time": "2026-01-01T17:00:00Z",
        "order_type": "OFFLINE",
        "order_items": [PRODUCT_LINE],
    } | more


@pytest.fixture
def keap() -> SimulatedKeap:
    tenant = SimulatedKeap(expired_keys=["old-key"])
    assert call(tenant, "POST", "/contacts", ANN).status == 201
    return tenant


@pytest.fixture
def placed(keap: SimulatedKeap) -> str:
    return str(call(keap, "POST", "/orders", order_body()).body["id"])


def said(reply: Reply) -> str:
    return str(reply.body["message"])


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": "Bearer wrong"}, "oauth.v2.InvalidAccessToken"),
        ({"authorization": "sandbox"}, "oauth.v2.InvalidAccessToken"),
        ({"authorization": "Bearer old-key"}, "keymanagement.service.access_token_expired"),
        ({"x_keap_api_key": "wrong"}, "oauth.v2.InvalidAccessToken"),
    ],
)
def test_a_key_is_required(keap, headers, code):
    reply = call(keap, "POST", "/contacts", ANN, **headers)
    assert reply.status == 401
    assert reply.body["fault"]["detail"]["errorcode"] == code
    assert len(keap.truth()["contacts"]) == 1


def test_the_key_may_come_in_keaps_own_header(keap):
    call_without_bearer = Call("GET", "/crm/rest/v2/orders/model", (), {"x-keap-api-key": "sandbox-key"}, b"")
    assert keap.handle(call_without_bearer).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("DELETE", "/orders", 405),
        ("GET", "/orders/5310", 404),
        ("GET", "/orders/model/customFields", 405),
        ("GET", "/orders/99/payments", 404),
    ],
)
def test_unknown_addresses(keap, method, path, status):
    reply = call(keap, method, path)
    assert (reply.status, reply.body["code"]) == (status, status)
    assert reply.body["details"][0]["resource"].startswith(method)


def test_another_api_is_not_here(keap):
    assert keap.handle(Call("POST", "/crm/xmlrpc/v2", (), KEY, b"<x/>")).status == 404
    assert keap.handle(Call("GET", "/rest/v2/orders", (), KEY, b"")).status == 404


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"", {}, 400),
        (b"[]", {}, 400),
        (b"\xff", {}, 400),
        (ANN, {"content_type": "text/plain"}, 415),
    ],
)
def test_only_json_objects_are_read(keap, body, headers, status):
    assert call(keap, "POST", "/contacts", body, **headers).status == status


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/contacts", ANN | {"surname": "x"}, "Unrecognized property: surname"),
        ("/contacts", ANN | {"given_name": " "}, "blank"),
        ("/contacts", ANN | {"given_name": "x" * 41}, "40"),
        ("/contacts", {"given_name": "Ann"}, "at least one item"),
        ("/contacts", {"email_addresses": [{"email": "a@x.org", "field": "EMAIL9"}]}, "invalid"),
        (
            "/contacts",
            {"addresses": [{"field": "BILLING", "region_code": "US-MA"}]},
            "country_code is required",
        ),
        (
            "/contacts",
            {"addresses": [{"field": "BILLING", "region_code": "CA", "country_code": "USA"}]},
            "BILLING Region",
        ),
        (
            "/contacts",
            {"addresses": [{"field": "BILLING", "country_code": "USX"}]},
            "country_code is invalid",
        ),
        ("/contacts", {"addresses": [{"field": "BILLING", "line1": "x" * 76}]}, "75"),
        ("/products", {"name": "a", "price": 1}, "short_description is required"),
        ("/products", {"name": "a", "price": 19.95, "short_description": "a"}, "integer"),
        ("/products", {"name": "a", "price": -1, "short_description": "a"}, "integer"),
        ("/orders", order_body(contact_id="9"), "contact_id is invalid"),
        ("/orders", order_body(contact_id=1042), "string"),
        ("/orders", order_body(order_type="Offline"), "order_type is invalid"),
        ("/orders", order_body(order_time="2026-01-01"), "order_time"),
        ("/orders", order_body(order_time="2026-13-01T00:00:00Z"), "order_time"),
        ("/orders", order_body(notes=""), "notes must not be blank"),
        ("/orders", order_body(order_items=[{"product_id": "71"}]), "quantity is required"),
        ("/orders", order_body(order_items=[PRODUCT_LINE | {"quantity": 0}]), "quantity"),
        ("/orders", order_body(order_items=[PRODUCT_LINE | {"quantity": 1.0}]), "quantity"),
        ("/orders", order_body(order_items=[PRODUCT_LINE | {"price_per_unit": "19.95"}]), "number"),
        ("/orders", order_body(order_items=[PRODUCT_LINE | {"product_id": "1"}]), "product_id is invalid"),
        ("/orders", order_body(order_items=[{"quantity": 1}]), "product_id is invalid"),
        ("/orders", order_body(order_items=[PRODUCT_LINE | {"item_type": "GIFT"}]), "item_type is invalid"),
        (
            "/orders",
            order_body(order_items=[PRODUCT_LINE | {"item_type": "SUBSCRIPTION"}]),
            "subscription_plan_id",
        ),
        ("/orders", order_body(custom_fields=[{"id": "999", "content": "x"}]), "custom field 999"),
        ("/orders", order_body(status="PAID"), "Unrecognized property: status"),
        ("/orders", order_body(shipping_address={"postal_code": "1"}), "Unrecognized property: postal_code"),
        ("/orders/model/customFields", {"label": "x"}, "field_type is required"),
    ],
)
def test_what_is_refused(keap, path, body, words):
    before = keap.truth()
    reply = call(keap, "POST", path, body)
    assert reply.status == 400
    assert words in said(reply)
    assert keap.truth() == before


def test_an_upsert_replaces_lists_and_keeps_the_rest(keap):
    phones = [{"number": "1", "field": "PHONE1"}, {"number": "2", "field": "PHONE2"}]
    call(keap, "POST", "/contacts", ANN | {"phone_numbers": phones}, {"duplicate_option": "Email"})
    reply = call(keap, "POST", "/contacts", ANN | {"phone_numbers": phones[:1]}, {"duplicate_option": "Email"})
    assert (reply.status, reply.body["id"]) == (200, "1042")
    (contact,) = keap.truth()["contacts"]
    assert contact["phone_numbers"] == phones[:1]
    assert contact["email"] == "ann@example.com"


def test_without_a_duplicate_option_a_second_contact_is_made(keap):
    assert call(keap, "POST", "/contacts", ANN).status == 201
    assert len(keap.truth()["contacts"]) == 2
    assert call(keap, "POST", "/contacts", ANN, {"duplicate_option": "email"}).status == 400


def test_two_posts_make_two_orders(keap, placed):
    again = call(keap, "POST", "/orders", order_body())
    assert again.body["id"] != placed
    assert [order["external_id"] for order in keap.truth()["orders"]] == ["FH-1", "FH-1"]


def test_money_comes_back_in_minor_units(keap):
    lines = [
        PRODUCT_LINE,
        {"item_type": "DISCOUNT", "name": "x", "quantity": 1, "price_per_unit": -5},
        {"product_id": "73", "quantity": 1},
    ]
    body = call(keap, "POST", "/orders", order_body(order_items=lines)).body
    assert body["total"]["amount"] == 3990 - 500 + 500
    assert body["order_items"][0]["price_per_unit"]["amount"] == 1995


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ["5310", "5311"]),
        ("id==5311", ["5311"]),
        ("contact_id==1042", ["5310", "5311"]),
        ("contact_id==7", []),
        ("title==fh-1", ["5310"]),
        ("title==FH*", ["5310", "5311"]),
        ("_externalorderid==A-1", ["5310"]),
        ("_ExternalOrderId==a*", ["5310", "5311"]),
        ("contact_id==1042;_ExternalOrderId==A-10", ["5311"]),
        ("_ExternalOrderId==A-1*", ["5310", "5311"]),
        ("created_since_time==2000-01-01T00:00:00Z", ["5310", "5311"]),
        ("created_since_time==2999-01-01T00:00:00Z", []),
        ("created_until_time==2000-01-01T00:00:00Z", []),
    ],
)
def test_orders_are_filtered(keap, text, ids):
    call(keap, "POST", "/orders", order_body(custom_fields=[{"id": "25", "content": "A-1"}]))
    call(
        keap,
        "POST",
        "/orders",
        order_body(order_title="FH-2", custom_fields=[{"id": "25", "content": "A-10"}]),
    )
    reply = call(keap, "GET", "/orders", query={"filter": text} if text else {})
    assert [order["id"] for order in reply.body["orders"]] == ids


@pytest.mark.parametrize(
    "text", ["order_title==x", "_Nowhere==x", "id", "contact_id>1", "created_since_time==yesterday"]
)
def test_unknown_filters_are_refused(keap, text):
    assert call(keap, "GET", "/orders", query={"filter": text}).status == 400


def test_products_and_contacts_are_filtered(keap):
    assert [p["id"] for p in call(keap, "GET", "/products", query={"filter": "sku==wb-100"}).body["products"]] == ["71"]
    assert len(call(keap, "GET", "/products", query={"filter": "sku==W*"}).body["products"]) == 2
    assert len(call(keap, "GET", "/contacts", query={"filter": "email==ANN@example.com"}).body["contacts"]) == 1
    assert call(keap, "GET", "/contacts", query={"filter": "email==bob@example.com"}).body["contacts"] == []


def test_pages(keap):
    first = call(keap, "GET", "/products", query={"page_size": "3"}).body
    rest = call(keap, "GET", "/products", query={"page_size": "3", "page_token": first["next_page_token"]}).body
    assert (len(first["products"]), len(rest["products"]), rest["next_page_token"]) == (3, 1, "")
    for size in ("1001", "x", "-1"):
        assert call(keap, "GET", "/products", query={"page_size": size}).status == 400


def test_a_change_touches_what_the_mask_names(keap, placed):
    body = {"notes": "shipped", "order_title": "FH-9"}
    reply = call(keap, "PATCH", f"/orders/{placed}", body, {"update_mask": "notes"})
    assert reply.status == 200
    (order,) = keap.truth()["orders"]
    assert (order["notes"], order["order_title"]) == ("shipped", "FH-1")
    assert call(keap, "PATCH", f"/orders/{placed}", body, {"update_mask": "status"}).status == 400
    assert call(keap, "PATCH", f"/orders/{placed}", {"order_items": []}).status == 400
    assert call(keap, "PATCH", f"/orders/{placed}", {"contact_id": "9"}).status == 400


def test_a_changed_custom_field_is_found_by_its_new_value(keap, placed):
    call(keap, "PATCH", f"/orders/{placed}", {"custom_fields": [{"id": "25", "content": "B-2"}]})
    found = call(keap, "GET", "/orders", query={"filter": "_ExternalOrderId==B-2"}).body["orders"]
    assert [order["id"] for order in found] == [placed]
    call(keap, "PATCH", f"/orders/{placed}", {"custom_fields": [{"id": "25", "content": "B-3"}]})
    assert call(keap, "GET", "/orders", query={"filter": "_ExternalOrderId==B-2"}).body["orders"] == []


PAYMENT = {"payment_amount": 10.0, "payment_method_type": "Cash", "apply_to_commissions": False, "notes": "n"}


def test_payments_are_recorded_up_to_the_balance(keap, placed):
    path = f"/orders/{placed}/payments"
    assert call(keap, "POST", path, PAYMENT).status == 201
    assert call(keap, "POST", path, PAYMENT | {"payment_amount": 29.91}).status == 400
    assert call(keap, "POST", path, PAYMENT | {"payment_amount": 29.9}).status == 201
    assert call(keap, "GET", f"/orders/{placed}").body["status"] == "PAID"
    listed = call(keap, "GET", path).body["invoice_order_payments"]
    assert [(payment["amount"], payment["note"]) for payment in listed] == [(10.0, "n"), (29.9, "n")]
    assert [payment["payment_amount"] for payment in keap.truth()["orders"][0]["payments"]] == [10.0, 29.9]


@pytest.mark.parametrize(
    "change",
    [
        {"payment_method_type": "Visa"},
        {"payment_method_type": "cash"},
        {"payment_method_id": "5"},
        {"payment_amount": 0},
        {"payment_amount": "10"},
        {"apply_to_commissions": "no"},
    ],
)
def test_payments_that_are_refused(keap, placed, change):
    assert call(keap, "POST", f"/orders/{placed}/payments", PAYMENT | change).status == 400
    assert keap.truth()["payments"] == []


def test_custom_fields_can_be_made(keap):
    made = call(keap, "POST", "/orders/model/customFields", {"label": "External order ID", "field_type": "TEXT"}).body
    assert made["field_name"] != "_ExternalOrderId"
    model = call(keap, "GET", "/orders/model").body["custom_fields"]
    assert made in model
    assert len({field["id"] for field in model}) == 7


def test_the_documented_limits_throttle():
    now = [0.0]
    keap = SimulatedKeap(throttled=True, clock=lambda: now[0])
    assert [call(keap, "GET", "/orders/model").status for _ in range(11)] == [200] * 10 + [429]
    statuses = []
    for _ in range(240):
        now[0] += 0.11
        statuses.append(call(keap, "GET", "/orders/model"))
    assert [reply.status for reply in statuses].count(200) == 230
    last = statuses[-1]
    assert last.body == {
        "code": "429",
        "message": "Quota Exceeded",
        "status": "Request Throttled",
        "details": None,
    }
    assert last.headers["x-keap-product-throttle-available"] == "0"
    now[0] += 60
    assert call(keap, "GET", "/orders/model").status == 200


def test_unthrottled_it_never_says_no():
    keap = SimulatedKeap()
    assert {call(keap, "GET", "/orders/model").status for _ in range(300)} == {200}


def test_writes(keap):
    assert not keap.writes(Call("GET", "/x", (), {}, b""))
    assert keap.writes(Call("POST", "/x", (), {}, b""))
    assert keap.writes(Call("PATCH", "/x", (), {}, b""))


def test_what_is_answered_can_be_changed_without_changing_the_truth(keap):
    call(keap, "GET", "/contacts").body["contacts"].clear()
    assert len(keap.truth()["contacts"]) == 1
