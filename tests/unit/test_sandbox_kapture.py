from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from pipeline.sandbox.contract import Call
from pipeline.sandbox.kapture import (
    C_ORDER_PATH,
    C_PULL_PATH,
    CM_ID,
    ORDER_BLOCK,
    ORDER_PATH,
    PAYMENT_PATH,
    PULL_PATH,
    SEARCH_PATH,
    USER_AND_PASSWORD,
    SimulatedKapture,
)

GOOD = {
    "customer_name": "Anna Berg",
    "email_id": "anna@example.com",
    "create_date": "2026-01-05 08:15",
    "erp_order_id": "EXP-1",
    "grand_total": "28.90",
    "product_details": [{"sku_id": "MUG-BL", "rate": "12.50", "quantity": "2", "discount": "0"}],
}


def call(
    path: str, body: Any, key: str, *, verb: str = "POST", kind: str = "application/json", query: Any = ()
) -> Call:
    headers = {"content-type": kind, **({"authorization": f"Basic sandbox-{key}-key"} if key else {})}
    return Call(verb, path, query, headers, body if isinstance(body, bytes) else json.dumps(body).encode())


def ask(tenant: SimulatedKapture, path: str, body: Any, key: str, **more: Any) -> Any:
    reply = tenant.handle(call(path, body, key, **more))
    assert reply.status == 200
    return reply.body


def test_an_order_is_kept_and_the_reply_names_it_twice() -> None:
    tenant = SimulatedKapture()
    (reply,) = ask(tenant, ORDER_PATH, [GOOD], "push")
    assert (reply["status"], reply["order_id"], reply["Order Id"]) == ("success", "5001", "5001")
    (order,) = tenant.truth()["orders"]
    assert (order["erp_order_id"], order["order_id"]) == ("EXP-1", "5001")


def test_a_repeated_order_is_a_second_one() -> None:
    tenant = SimulatedKapture()
    ask(tenant, ORDER_PATH, [GOOD], "push")
    ask(tenant, ORDER_PATH, [GOOD], "push")
    assert [order["erp_order_id"] for order in tenant.truth()["orders"]] == ["EXP-1", "EXP-1"]
    assert {order["customer_id"] for order in tenant.truth()["orders"]} == {"9001"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (GOOD, "Invalid Json."),
        ([GOOD, GOOD], "Invalid Json."),
        ([{**GOOD, "grand_total": 28.9}], "Invalid Json."),
        ([{**GOOD, "note": None}], "Invalid Json."),
        ([{**GOOD, "product_details": ["x"]}], "Invalid Json."),
        (b"not json", "Invalid Json."),
        (["text"], "Invalid Json."),
        ([{"customer_name": "Anna"}], "phone is missing"),
        ([{**GOOD, "grand_total": "28,90"}], "Order Creation Failed..."),
        ([{**GOOD, "create_date": "2026-01-05 08:15:00"}], "Order Creation Failed..."),
    ],
)
def test_what_is_refused(body: Any, message: str) -> None:
    tenant = SimulatedKapture()
    reply = ask(tenant, ORDER_PATH, body, "push")
    assert message in {reply.get("message"), reply.get("Message")}
    assert tenant.truth()["orders"] == []


@pytest.mark.parametrize(
    ("path", "body", "key", "message"),
    [
        (ORDER_PATH, [GOOD], "", "Invalid Auth Key"),
        (ORDER_PATH, [GOOD], "pull", "Invalid Auth Key"),
        (ORDER_PATH, [GOOD], "update", "Invalid Auth Key"),
        (ORDER_PATH, [{**GOOD, "order_id": "5001"}], "push", "Invalid Auth Key"),
        (PULL_PATH, [{"start_date": "2026-01-05"}], "push", "Invalid Auth Key"),
        (SEARCH_PATH, [{"order_id": "1"}], "pull", "Invalid Auth Key"),
        (PAYMENT_PATH, [{"payment_id": "1", "amount_paid": "1"}], "push", "Invalid Auth Key"),
    ],
)
def test_every_call_has_a_key_of_its_own(path: str, body: Any, key: str, message: str) -> None:
    assert ask(SimulatedKapture(), path, body, key) == {"message": message, "status": "failed"}


def test_an_expired_key_says_so_in_the_other_spelling() -> None:
    reply = ask(SimulatedKapture(expired=["push"]), ORDER_PATH, [GOOD], "push")
    assert reply == {"Message": "Auth Key Expired", "Status": "Fail"}


def test_a_key_in_the_query_is_taken_too() -> None:
    tenant = SimulatedKapture()
    assert ask(tenant, ORDER_PATH, [GOOD], "", query=(("auth_key", "sandbox-push-key"),))[0]["order_id"] == "5001"


def test_required_fields_are_the_tenants_choice() -> None:
    reply = ask(SimulatedKapture(required=["zip_code"]), ORDER_PATH, [GOOD], "push")
    assert reply["message"] == "zip_code is missing"


def test_an_update_changes_the_order_it_names() -> None:
    tenant = SimulatedKapture()
    ask(tenant, ORDER_PATH, [GOOD], "push")
    change = {"order_id": "5001", "customer_name": "Anna Berg", "phone": "1", "order_status": "packed"}
    (reply,) = ask(tenant, ORDER_PATH, [change], "update")
    assert reply["order_id"] == "5001"
    (order,) = tenant.truth()["orders"]
    assert (order["order_status"], order["changes"], order["erp_order_id"]) == ("packed", 1, "EXP-1")
    assert ask(tenant, ORDER_PATH, [{**change, "order_id": "1"}], "update")["Status"] == "Fail"
    assert ask(tenant, ORDER_PATH, [{"order_id": "5001"}], "update")["Status"] == "Fail"


def test_an_update_may_make_a_second_order() -> None:
    tenant = SimulatedKapture(update_creates=True)
    ask(tenant, ORDER_PATH, [GOOD], "push")
    (reply,) = ask(tenant, ORDER_PATH, [{**GOOD, "order_id": "5001"}], "update")
    assert reply["order_id"] == "5002"
    assert len(tenant.truth()["orders"]) == 2


def test_a_pull_shows_one_day() -> None:
    tenant = SimulatedKapture()
    ask(tenant, ORDER_PATH, [GOOD], "push")
    ask(tenant, ORDER_PATH, [{**GOOD, "create_date": "2026-01-06 00:00"}], "push")
    shown = ask(tenant, PULL_PATH, [{"start_date": "2026-01-05", "end_date": "2026-01-31"}], "pull")
    assert [order["id"] for order in shown["orders"]] == ["5001"]
    assert "erp_order_id" not in shown["orders"][0]
    empty = ask(tenant, PULL_PATH, [{"start_date": "2026-01-07"}], "pull")
    assert empty == {"Message": "No orders between dates", "Status": "failed"}
    assert ask(tenant, PULL_PATH, [{"end_date": "2026-01-07"}], "pull")["message"] == "start_date is missing"
    assert ask(tenant, PULL_PATH, [{"start_date": "7.1.2026"}], "pull")["status"] == "failed"


def test_a_search_holds_the_record_in_its_message() -> None:
    tenant = SimulatedKapture(pull_shows_erp_id=True)
    ask(tenant, ORDER_PATH, [GOOD], "push")
    assert ask(tenant, SEARCH_PATH, [{"order_id": "5001"}], "search")["message"]["erp_order_id"] == "EXP-1"
    assert ask(tenant, SEARCH_PATH, [{"order_id": "1"}], "search")["Status"] == "failed"


@pytest.mark.parametrize("amount", ["0", "-1", "", "NaN", "much"])
def test_payments_want_an_amount_above_zero(amount: str) -> None:
    tenant = SimulatedKapture()
    reply = ask(tenant, PAYMENT_PATH, [{"payment_id": "P", "amount_paid": amount}], "payment")
    assert reply["Status"] == "Fail"
    assert tenant.truth()["payments"] == []


def test_a_payment_is_kept() -> None:
    tenant = SimulatedKapture()
    by_ids = {"kapture_order_id": "5001", "kapture_customer_id": "9001", "amount_paid": "1"}
    assert ask(tenant, PAYMENT_PATH, [by_ids], "payment")["status"] == "success"
    assert tenant.truth()["payments"] == [by_ids]


def test_other_verbs_and_addresses() -> None:
    tenant = SimulatedKapture()
    assert tenant.handle(call(ORDER_PATH, [GOOD], "push", verb="GET")).status == 405
    assert tenant.handle(call("/elsewhere.html", [GOOD], "push")).status == 404
    assert ask(tenant, ORDER_PATH, [GOOD], "push", kind="text/plain")["message"] == "Invalid Json."


def test_what_writes() -> None:
    tenant = SimulatedKapture()
    assert tenant.writes(call(ORDER_PATH, [], "push"))
    assert tenant.writes(call(PAYMENT_PATH, [], "payment"))
    assert not tenant.writes(call(PULL_PATH, [], "pull"))


def ask_c(tenant: SimulatedKapture, path: str, body: Any, who: str = USER_AND_PASSWORD) -> Any:
    headers = {"authorization": f"Basic {base64.b64encode(who.encode()).decode()}", "content-type": "application/json"}
    return tenant.handle(Call("POST", path, (), headers, json.dumps(body).encode())).body


NEWER = {"customer_info": {"customer_name": "Anna", "update": False}, ORDER_BLOCK: {"erp_order_id": "EXP-1"}}


def test_generation_c_keeps_an_order_and_finds_it_by_our_id() -> None:
    tenant = SimulatedKapture()
    with_phone = {**NEWER, "customer_info": {"customer_name": "Anna", "phone": "1", "update": False}}
    assert ask_c(tenant, C_ORDER_PATH, with_phone)["order_id"] == "5001"
    (order,) = tenant.truth()["orders"]
    assert (order["customer_name"], order["erp_order_id"]) == ("Anna", "EXP-1")
    found = ask_c(tenant, C_PULL_PATH, {"cmId": CM_ID, "erpOrderId": "EXP-1"})
    assert found["orders"] == [{"orderId": "5001", "erpOrderId": "EXP-1"}]
    assert ask_c(tenant, C_PULL_PATH, {"cmId": CM_ID, "erpOrderId": "EXP-2"})["orders"] == []
    assert ask_c(tenant, C_PULL_PATH, {"cmId": 1, "erpOrderId": "EXP-1"})["status"] == "failed"
    changed = {**with_phone, ORDER_BLOCK: {"order_id": "5001", "order_status": "packed"}}
    assert ask_c(tenant, C_ORDER_PATH, changed)["order_id"] == "5001"
    assert tenant.truth()["orders"][0]["order_status"] == "packed"


@pytest.mark.parametrize(
    ("body", "who", "said"),
    [
        (NEWER, "somebody:else", "Invalid Auth Key"),
        ([NEWER], USER_AND_PASSWORD, "Invalid Json."),
        ({**NEWER, "customer_info": {}}, USER_AND_PASSWORD, "customer_name is missing"),
        ({**NEWER, ORDER_BLOCK: {"grand_total": 5}}, USER_AND_PASSWORD, "Invalid Json."),
        ({**NEWER, ORDER_BLOCK: {"order_id": "9"}}, USER_AND_PASSWORD, "valid customer required."),
    ],
)
def test_what_generation_c_refuses(body: Any, who: str, said: str) -> None:
    tenant = SimulatedKapture()
    reply = ask_c(tenant, C_ORDER_PATH, body, who)
    assert said in (reply.get("message") or reply.get("Message"))
    assert tenant.truth()["orders"] == []
