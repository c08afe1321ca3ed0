"""The simulated tenant over REST v1 refuses what the documents say is refused; items and subscriptions over v2."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.keap import SimulatedKeap

KEY = {"authorization": "Bearer sandbox-key", "content-type": "application/json"}
ANN = {"duplicate_option": "Email", "email_addresses": [{"email": "ann@example.com", "field": "EMAIL1"}]}
ITEM = {"product_id": 71, "quantity": 2, "price": "19.95"}
ORDER = {
    "contact_id": 1042,
    "order_title": "FH-1",
    "order_date": "2026-01-01T17:00:00.000Z",
    "order_type": "Offline",
    "order_items": [ITEM],
}
PAYMENT = {"payment_amount": "10.00", "payment_method_type": "CHECK", "charge_now": False, "notes": "n"}


def call(keap: SimulatedKeap, method: str, path: str, body: Any = None, **query: str) -> Reply:
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return keap.handle(Call(method, f"/crm/rest{path}", tuple(query.items()), KEY, content))


@pytest.fixture
def keap() -> SimulatedKeap:
    tenant = SimulatedKeap(now=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    assert call(tenant, "PUT", "/v1/contacts", ANN).status == 201
    return tenant


def test_the_story_of_an_order(keap):
    assert call(keap, "PUT", "/v1/contacts", ANN | {"given_name": "Ann"}).status == 200
    made = call(keap, "POST", "/v1/orders", ORDER)
    assert (made.status, made.body["id"], made.body["total"]) == (201, 5310, 39.9)
    paid = call(keap, "POST", "/v1/orders/5310/payments", PAYMENT)
    assert (paid.status, paid.body["payment_status"]) == (201, "APPROVED")
    (listed,) = call(keap, "GET", "/v1/orders/5310/payments").body
    assert (listed["id"], listed["amount"], listed["note"]) == (77, 10.0, "n")
    page = call(keap, "GET", "/v1/products", limit="2", offset="1").body
    assert ([product["id"] for product in page["products"]], page["count"]) == ([72, 73], 4)
    assert [
        contact["id"] for contact in call(keap, "GET", "/v1/contacts", email="ANN@example.com").body["contacts"]
    ] == [1042]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"custom_fields": []}, "Unrecognized property: custom_fields"),
        ({"contact_id": "1042"}, "integer"),
        ({"contact_id": 7}, "contact_id is invalid"),
        ({"order_type": "OFFLINE"}, "order_type is invalid"),
        ({"order_items": [{"quantity": 1}]}, "product_id is required"),
        ({"order_items": [ITEM | {"product_id": 999}]}, "product_id is invalid"),
        ({"order_items": [ITEM | {"price": 19.95}]}, "string"),
        ({"order_items": [ITEM | {"price": "-1"}]}, "greater than or equal to 0"),
        ({"order_items": [ITEM | {"price": "dear"}]}, "invalid"),
        ({"order_items": [ITEM | {"item_type": "DISCOUNT"}]}, "item_type is invalid"),
        ({"order_items": [ITEM | {"quantity": 0}]}, "at least 1"),
        ({"shipping_address": {"region": "US-MA"}}, "country_code is required"),
        ({"order_date": "2026-01-01"}, "ISO-8601"),
    ],
)
def test_wrong_orders_are_refused_with_a_message_alone(keap, change, words):
    reply = call(keap, "POST", "/v1/orders", ORDER | change)
    assert reply.status == 400
    assert list(reply.body) == ["message"]
    assert words in reply.body["message"]
    assert keap.truth()["orders"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"charge_now": True}, {"payment_method_type": "TOKEN"}, {"payment_method_type": "Check"},
        {"payment_amount": 10}, {"payment_amount": "999"},
    ],
)  # fmt: skip
def test_nothing_is_charged_and_wrong_payments_are_refused(keap, change):
    call(keap, "POST", "/v1/orders", ORDER)
    assert call(keap, "POST", "/v1/orders/5310/payments", PAYMENT | change).status == 400
    assert keap.truth()["payments"] == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("PATCH", "/v1/orders", 405), ("GET", "/v1/nothing", 404), ("PUT", "/v1/orders/5310", 404)],
)
def test_an_order_cannot_be_changed(keap, method, path, status):
    assert call(keap, method, path, {}).status == status


def test_a_body_that_is_no_json_is_refused(keap):
    assert "could not be converted" in call(keap, "POST", "/v1/orders", b"{").body["message"]
    assert call(keap, "PUT", "/v1/contacts", {"given_name": "x"}).status == 400
    assert call(keap, "PUT", "/v1/contacts", ANN | {"duplicate_option": "EmailAndNameAndCompany"}).status == 400


# --- items and subscriptions over v2 ---


def test_items_are_added_and_changed_but_keep_their_type(keap):
    call(keap, "POST", "/v1/orders", ORDER)
    added = call(keap, "POST", "/v2/orders/5310/items", {"item_type": "FEE", "name": "Gift", "quantity": 1})
    assert added.status == 201
    path = f"/v2/orders/5310/items/{added.body['id']}"
    changed = keap.handle(
        Call("PATCH", f"/crm/rest{path}", (("update_mask", "quantity"),), KEY, b'{"quantity": 3, "price_per_unit": 9}')
    )
    assert changed.body["quantity"] == 3
    assert changed.body["price_per_unit"]["amount"] == 0  # the mask names the quantity alone
    assert call(keap, "PATCH", path, {"item_type": "TAX"}).status == 400
    assert call(keap, "PATCH", path, {"quantity": 0}).status == 400
    assert call(keap, "PATCH", path, {"quantity": 1}, update_mask="item_type").status == 400
    assert call(keap, "PATCH", "/v2/orders/5310/items/1", {"quantity": 1}).status == 404
    assert call(keap, "POST", "/v2/orders/5310/items", {"quantity": 1}).status == 400


def test_a_subscription_is_there_once_and_never_starts_in_the_past(keap):
    body = {"contact_id": "1042", "subscription_plan_id": "12"}
    assert call(keap, "POST", "/v2/subscriptions", body | {"start_date": "2026-01-01"}).status == 400
    made = call(keap, "POST", "/v2/subscriptions", body | {"start_date": "2026-01-02"})
    assert (made.status, made.body["auto_charge"]) == (201, True)  # Keap's default bills
    assert call(keap, "POST", "/v2/subscriptions", body).status == 400
    assert call(keap, "POST", "/v2/subscriptions", body | {"allow_duplicate": True}).status == 201
    assert call(keap, "POST", "/v2/subscriptions", body | {"contact_id": "7"}).status == 400
    assert call(keap, "PATCH", "/v2/subscriptions/901", {"active": False}).body["active"] is False
    assert call(keap, "PATCH", "/v2/subscriptions/1", {"active": False}).status == 404
    listed = call(keap, "GET", "/v2/subscriptions", filter="contact_id==1042;subscription_plan_id==12")
    assert len(listed.body["subscriptions"]) == 2
