from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlencode

import pytest

from pipeline.sandbox.contract import Call
from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GOOD = {
    "rpsKey": "sandbox-key",
    "customer_email": "anna@example.com",
    "product_names": "course-basic,workbook",
    "product_prices": "49.00",
}


def call(method: str, form: dict[str, str] | str, *, verb: str = "POST", kind: str = FORM["Content-Type"]) -> Call:
    body = form if isinstance(form, str) else urlencode(form)
    return Call(verb, f"/api/{method}", (), {"content-type": kind}, body.encode())


def ask(shop: SimulatedInfluencerSoft, method: str, form: dict[str, str] | str, **more: str) -> dict[str, Any]:
    reply = shop.handle(call(method, form, **more))
    assert reply.status == 200
    return reply.body


def signed(form: dict[str, str], secret: str = "sandbox-key") -> str:
    query = urlencode(form)
    proof = hashlib.md5(f"{query}::demo-shop::{secret}".encode()).hexdigest()
    return f"{query}&hash={proof}" if query else f"hash={proof}"


def test_an_order_is_kept_and_the_reply_is_signed() -> None:
    shop = SimulatedInfluencerSoft()
    body = ask(shop, "createorder", {**GOOD, "order_tag": "EXP-1", "surprise": "x"})
    assert (body["error_code"], body["result"]) == (0, [])
    assert body["hash"] == hashlib.md5(b"0::OK::sandbox-key").hexdigest()
    (order,) = shop.truth()["orders"]
    assert (order["tag"], order["products"], order["prices"]) == (
        "EXP-1",
        ["course-basic", "workbook"],
        ["49.00"],
    )
    assert order["ignored"] == {"surprise": "x"}
    assert "sandbox-key" not in repr(shop.truth())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"rpsKey": "wrong"}, 4),
        ({"customer_email": ""}, 600),
        ({"customer_email": "anna"}, 600),
        ({"product_names": ""}, 603),
        ({"product_names": "course-basic,nothing"}, 604),
        ({"product_prices": "1,2,3"}, 3),
        ({"product_prices": "1;2"}, 3),
        ({"order_status": "paid"}, 3),
        ({"order_confirmed": "yes"}, 3),
        ({"order_created_at": "01/30/2020 04:22:16"}, 3),
        ({"order_paid_at": "30.01.2020 04:22:16"}, 3),
        ({"order_tag": "a,b"}, 3),
        ({"payment_method": "Visa"}, 3),
        ({"customer_shipping_country_code": "NOR"}, 3),
    ],
)
def test_what_is_refused(change: dict[str, str], code: int) -> None:
    shop = SimulatedInfluencerSoft()
    assert ask(shop, "createorder", {**GOOD, **change})["error_code"] == code
    assert shop.truth()["orders"] == []


@pytest.mark.parametrize(
    ("method", "form", "more", "code"),
    [
        ("createorder", GOOD, {"verb": "GET"}, 2),
        ("createorder", GOOD, {"kind": "application/json"}, 2),
        ("createorder", "", {}, 2),
        ("createorder", "just words", {}, 2),
        ("createorder", {"customer_email": "a@b.c"}, {}, 1),
        ("nothing", GOOD, {}, 2),
        ("GetBills", {"email": "a@b.c", "hash": "0" * 32}, {}, 4),
    ],
)
def test_who_calls_and_how(method: str, form: Any, more: dict[str, str], code: int) -> None:
    assert ask(SimulatedInfluencerSoft(), method, form, **more)["error_code"] == code


def test_the_cyrillic_word_of_the_page_is_taken() -> None:
    shop = SimulatedInfluencerSoft()
    assert ask(shop, "createorder", {**GOOD, "order_confirmed": "\u0421onfirmed"})["error_code"] == 0


def test_goods_that_are_shipped_want_an_address() -> None:
    shop = SimulatedInfluencerSoft(physical=["workbook"])
    assert ask(shop, "createorder", GOOD)["error_code"] == 605
    address = {"customer_first_name": "Anna", "customer_shipping": "Kirkegata 4"}
    assert ask(shop, "createorder", {**GOOD, **address})["error_code"] == 0


def test_signed_reads_show_the_order_again() -> None:
    shop = SimulatedInfluencerSoft()
    ask(shop, "createorder", {**GOOD, "order_tag": "EXP-1", "order_status": "Paid"})
    listed = ask(shop, "GetBills", signed({"email": "anna@example.com", "pay_status": "paid"}))
    assert list(listed["result"]) == ["100234"]
    assert ask(shop, "GetBills", signed({"email": "anna@example.com", "pay_status": "waiting"}))["error_code"] == 400
    shown = ask(shop, "getOrderDetails", signed({"bill_id": "100234"}))
    assert shown["result"]["tag"] == "EXP-1"
    assert ask(shop, "getOrderDetails", signed({"bill_id": "1"}))["error_code"] == 400
    assert ask(shop, "GetAllGoods", signed({}))["result"][0]["good_name"] == "course-basic"


def test_the_configured_rule_of_existing_orders_names_the_order() -> None:
    shop = SimulatedInfluencerSoft(same_order=lambda form, there: form["customer_email"] == there.email)
    ask(shop, "createorder", GOOD)
    body = ask(shop, "createorder", GOOD)
    assert (body["error_code"], body["result"]) == (601, {"bill_id": 100234})
    assert len(shop.truth()["orders"]) == 1


def test_a_code_can_be_forced() -> None:
    shop = SimulatedInfluencerSoft(shows_bill_id=True)
    shop.answer_code = 602
    assert ask(shop, "createorder", GOOD)["error_code"] == 602
    shop.answer_code = None
    assert ask(shop, "createorder", GOOD)["result"] == {"bill_id": 100234}


def test_the_lists_and_their_redirect() -> None:
    shop = SimulatedInfluencerSoft()
    moved = shop.handle(call("getalllists", {"rpsKey": "sandbox-key"}))
    assert (moved.status, moved.headers["Location"]) == (307, "/api/GetAllGroups")
    assert ask(shop, "GetAllGroups", {"rpsKey": "sandbox-key"})["error_code"] == 0
    assert ask(shop, "getcoupons", {"rpsKey": "sandbox-key"})["result"] == [{"id": "31", "coupon": "WINTER"}]
    assert ask(SimulatedInfluencerSoft(products=()), "getgoods", {"rpsKey": "sandbox-key"})["error_code"] == 700


def test_only_orders_write() -> None:
    shop = SimulatedInfluencerSoft()
    assert shop.writes(call("CreateOrder", GOOD))
    assert not shop.writes(call("getgoods", GOOD))
    assert shop.handle(Call("POST", "/elsewhere", (), {}, b"")).status == 404


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"bill_id": "100234", "status": "paid", "date": "1767600900"}, 0),
        ({"bill_id": "100234", "status": "cancel"}, 0),
        ({"bill_id": "100234", "status": "sent", "date": "1767600900", "rpo": "NO1"}, 0),
        ({"bill_id": "100234", "status": "sent", "date": "1767600900"}, 303),
        ({"bill_id": "100234", "status": "paid"}, 303),
        ({"bill_id": "100234", "status": "Paid", "date": "1767600900"}, 303),
        ({"bill_id": "9", "status": "cancel"}, 302),
        ({"status": "cancel"}, 203),
    ],
)
def test_a_status_is_changed_by_its_own_words_only(form: dict[str, str], code: int) -> None:
    shop = SimulatedInfluencerSoft()
    ask(shop, "createorder", GOOD)
    assert ask(shop, "UpdateOrderStatus", signed(form))["error_code"] == code
    (order,) = shop.truth()["orders"]
    assert order["changes"] == ([] if code else [form])
    assert shop.writes(call("UpdateOrderStatus", form))


def test_a_long_time_is_cut_to_its_last_month_without_a_word() -> None:
    shop = SimulatedInfluencerSoft()
    for tag, day in (("old", "2026-01-05"), ("new", "2026-03-05")):
        ask(shop, "createorder", {**GOOD, "order_tag": tag, "order_created_at": f"{day} 08:00:00"})
    days = {"begin_date": "01.01.2026", "end_date": "05.03.2026"}
    assert [one["tag"] for one in ask(shop, "getOrdersWithGoods", signed(days))["result"]] == ["new"]
    assert ask(shop, "getOrdersWithGoods", signed({"begin_date": "2026-01-01"}))["error_code"] == 3


def test_a_closed_method_is_told_as_nothing_received() -> None:
    shop = SimulatedInfluencerSoft(closed=["GetGoods"])
    assert ask(shop, "getgoods", {"rpsKey": "sandbox-key"})["error_code"] == 2
