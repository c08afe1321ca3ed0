"""The simulated Order Desk refuses what the documents refuse, and answers the way they show."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.orderdesk import SimulatedOrderDesk

KEYS = {"orderdesk-store-id": "90001", "orderdesk-api-key": "sandbox-key"}
JSON = {"content-type": "application/json"}
NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)


class Caller:
    """Calls a store the way a client would, and reads its JSON."""

    def __init__(self, **options: Any) -> None:
        self.store = SimulatedOrderDesk(now=lambda: NOW, **options)
        self.last = Reply(0)

    def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, **query: str
    ) -> Any:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        known = KEYS | (JSON if content else {}) | (headers or {})
        call = Call(method, f"/api/v2{path}", tuple(query.items()), known, content)
        self.last = self.store.handle(call)
        return json.loads(self.last.encoded()[0])


def an_order(source_id: str = "1001", **more: Any) -> dict[str, Any]:
    return {
        "source_id": source_id,
        "shipping": {"first_name": "Anna", "last_name": "Berg"},
        "order_items": [{"name": "Mug", "code": "MUG-BL", "price": 12.5, "quantity": 2}],
        **more,
    }


@pytest.fixture
def caller() -> Caller:
    return Caller()


# --- the door -----------------------------------------------------------------------------------------------


def test_the_test_call(caller: Caller) -> None:
    found = caller("GET", "/test")
    assert (found["status"], found["message"]) == ("success", "Connection Successful")
    assert found["current_date_time"] == "2026-01-05 09:30:00"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/test", None, {"orderdesk-api-key": "wrong"}, 401),
        ("GET", "/test", None, {"orderdesk-store-id": ""}, 401),
        ("GET", "/test", None, JSON, 400),
        ("GET", "/test", None, {"content-length": "0"}, 400),
        ("GET", "/test", b"{}", {}, 400),
        ("PATCH", "/orders/1", {}, {}, 405),
        ("POST", "/orders", {}, {"content-type": "text/plain"}, 400),
        ("POST", "/orders", b"{", {}, 400),
        ("POST", "/orders", b"", {}, 400),
        ("GET", "/nowhere", None, {}, 404),
        ("GET", "/order/1", None, {}, 404),
        ("GET", "/orders/999", None, {}, 404),
    ],
)
def test_invalid_calls(caller: Caller, method: str, path: str, body: Any, headers: dict[str, str], status: int) -> None:
    assert caller(method, path, body, headers)["status"] == "error"
    assert caller.last.status == status
    assert caller.store.truth()["orders"] == []


def test_the_bucket_holds_twenty_and_drips_three_a_second() -> None:
    clock = [0.0]
    caller = Caller(throttled=True, clock=lambda: clock[0])
    remaining = [(caller("GET", "/test"), caller.last.headers["X-Tokens-Remaining"])[1] for _ in range(20)]
    assert remaining == [str(n) for n in range(19, -1, -1)]
    assert caller("GET", "/test")["status"] == "error"
    assert caller.last.status == 429
    assert caller.last.headers["X-Retry-After"] == "1"
    clock[0] += 1
    statuses = [(caller("GET", "/test"), caller.last.status)[1] for _ in range(4)]
    assert statuses == [200, 200, 200, 429]


def test_a_throttled_call_does_nothing() -> None:
    caller = Caller(throttled=True, clock=lambda: 0.0)
    for number in range(25):
        caller("POST", "/orders", an_order(str(number)))
    assert len(caller.store.truth()["orders"]) == 20


def test_reads_are_told_from_writes(caller: Caller) -> None:
    assert [caller.store.writes(Call(m, "/", (), {}, b"")) for m in ("GET", "POST", "PUT", "DELETE")] == [False] + [
        True
    ] * 3


# --- orders -------------------------------------------------------------------------------------------------


def test_an_order_is_answered_as_documented(caller: Caller) -> None:
    order = caller(
        "POST",
        "/orders",
        an_order(shipping_total=4.9, tax_total=3.12, discount_list=[{"name": "X", "amount": 5}]),
    )["order"]
    assert isinstance(order["id"], str)
    assert (order["payment_status"], order["source_name"]) == ("Captured", "Order Desk")
    assert (order["product_total"], order["discount_total"], order["order_total"]) == (25.0, 5.0, 28.02)
    assert order["customer"]["last_name"] == "Berg"
    assert order["checkout_data"] == order["order_metadata"] == order["order_items"][0]["metadata"] == []
    assert order["date_added"] == "2026-01-05 09:30:00"
    assert order["folder_id"] == 501


def test_a_blank_source_id_becomes_the_internal_one(caller: Caller) -> None:
    order = caller("POST", "/orders", an_order(""))["order"]
    assert order["source_id"] == order["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"order_items": []},
        {"order_items": {}},
        {"order_items": [7]},
        {"order_items": [{"code": "A", "quantity": 1.5}]},
        {"order_items": [{"code": "A", "quantity": "2"}]},
        {"order_items": [{"code": "A", "quantity": True}]},
        {"order_items": [{"code": 7}]},
        {"order_items": [{"code": "A", "price": "12.50"}]},
        {"shipping": {"address1": "Kirkegata 4"}},
        {"shipping": "Anna Berg"},
        {"payment_status": "captured"},
        {"email": 7},
        {"shipping_total": "4.90"},
        {"shipping_total": True},
        {"date_added": "05.01.2026"},
        {"checkout_data": {"a": "x" * 3500}},
        {"checkout_data": ["a"]},
        {"order_metadata": {"a": "x" * 2000}},
        {"order_notes": [{"content": "x" * 1001}] * 2},
        {"discount_list": [{"name": "X", "amount": -5}]},
    ],
)
def test_what_the_documents_refuse(caller: Caller, change: dict[str, Any]) -> None:
    assert caller("POST", "/orders", an_order(**change))["status"] == "error"
    assert caller.last.status == 400
    assert caller.store.truth()["orders"] == []


def test_a_company_is_name_enough(caller: Caller) -> None:
    assert caller("POST", "/orders", an_order(shipping=None, customer={"company": "Bergs AS"}))["status"] == "success"


def test_a_put_replaces_and_blanks_what_it_leaves_out(caller: Caller) -> None:
    made = caller("POST", "/orders", an_order(email="a@example.com", shipping_total=4.9, order_metadata={"k": "v"}))[
        "order"
    ]
    item = made["order_items"][0] | {"quantity": 3}
    after = caller("PUT", f"/orders/{made['id']}", an_order(order_items=[item, {"code": "NEW"}]))["order"]
    assert (after["email"], after["shipping_total"], after["order_metadata"]) == ("", 0, [])
    assert [line["code"] for line in after["order_items"]] == ["MUG-BL", "NEW"]
    assert after["order_items"][0]["id"] == item["id"]
    assert after["order_items"][1]["id"] != item["id"]


def test_search_pages_filters_and_sorts(caller: Caller) -> None:
    for number in range(60):
        caller("POST", "/orders", an_order(str(number), email=f"{number % 2}@example.com"))
    page = caller("GET", "/orders")
    assert (page["total_records"], page["records_returned"], page["limit"]) == (60, 50, 50)
    assert page["orders"][0]["source_id"] == "59"
    assert caller("GET", "/orders", order="ASC", offset="50")["orders"][0]["source_id"] == "50"
    assert [o["source_id"] for o in caller("GET", "/orders", source_id="7")["orders"]] == ["7"]
    assert caller("GET", "/orders", email="1@example.com")["total_records"] == 30
    assert caller("GET", "/orders", source_id="7", source_name="Etsy")["orders"] == []
    assert caller("GET", "/orders", folder_id="502,503")["orders"] == []
    assert (
        caller("GET", "/orders", search_start_date="2026-01-05", search_end_date="2026-01-05", limit="1")[
            "total_records"
        ]
        == 60
    )
    assert caller("GET", "/orders", search_start_date="2026-01-06")["total_records"] == 0
    for wrong in ({"limit": "501"}, {"limit": "many"}, {"offset": "-1"}):
        assert caller("GET", "/orders", **wrong)["status"] == "error"


def test_a_loose_search_finds_neighbours() -> None:
    caller = Caller(loose_search=True)
    for source_id in ("1001", "10010", "X1001"):
        caller("POST", "/orders", an_order(source_id))
    assert caller("GET", "/orders", source_id="1001")["total_records"] == 3


def test_the_same_source_id_makes_a_second_order_unless_told_otherwise() -> None:
    for refuses, number in ((False, 2), (True, 1)):
        caller = Caller(refuses_duplicates=refuses)
        caller("POST", "/orders", an_order())
        second = caller("POST", "/orders", an_order())
        assert len(caller.store.truth()["orders"]) == number
        assert ("100200300" in second.get("message", "")) == refuses


def test_orders_move_between_folders(caller: Caller) -> None:
    for number in range(2):
        caller("POST", "/orders", an_order(str(number)))
    found = caller("POST", "/move-orders", {"order_id_list": [100200300], "destination_folder_name": "Prepared"})
    assert found["results"] == [
        {"order_id": 100200300, "message": "Order Moved to Prepared Folder", "original_folder_id": 501}
    ]
    assert [order["folder_id"] for order in caller.store.truth()["orders"]] == [502, 501]
    for wrong in (
        {"destination_folder_name": "prepared"},
        {"destination_folder_id": 999},
        {"destination_folder_id": 502, "destination_folder_name": "Prepared"},
        {},
    ):
        assert caller("POST", "/move-orders", {"order_id_list": [100200301]} | wrong)["status"] == "error"
    assert caller("POST", "/move-orders", {"destination_folder_id": 502})["status"] == "error"


def test_history_is_only_added_to(caller: Caller) -> None:
    caller("POST", "/orders", an_order())
    assert len(caller("POST", "/orders/100200300/order-history", {"note": "a"})["order"]["order_history"]) == 1
    assert caller("POST", "/orders/100200300/order-history", {"note": "x" * 1801})["status"] == "error"
    caller("PUT", "/orders/100200300", an_order())
    assert len(caller("POST", "/orders/100200300/order-history", {"note": "b"})["order"]["order_history"]) == 2


def test_items_and_orders_can_be_deleted(caller: Caller) -> None:
    made = caller("POST", "/orders", an_order(order_items=[{"code": "A", "price": 1}, {"code": "B", "price": 2}]))[
        "order"
    ]
    item = made["order_items"][0]["id"]
    assert caller("DELETE", f"/orders/100200300/order-items/{item}")["status"] == "success"
    assert caller("DELETE", f"/orders/100200300/order-items/{item}")["status"] == "error"
    assert caller("GET", "/orders/100200300")["order"]["order_total"] == 2
    caller("POST", "/orders/100200300/shipments", {"tracking_number": "A"})
    assert caller("DELETE", "/orders/100200300")["status"] == "success"
    assert caller.store.truth() == {"orders": [], "shipments": [], "inventory_items": []}
    assert caller("GET", "/orders", source_id="1001")["orders"] == []


def test_the_store_echoes_its_key_as_the_real_one_does(caller: Caller) -> None:
    store = caller("GET", "/store")["store"]
    assert store["settings"]["api_key"] == "sandbox-key"
    assert store["folders"] == {"501": "New", "502": "Prepared", "503": "Closed"}


# --- shipments ----------------------------------------------------------------------------------------------


def test_a_repeated_shipment_is_not_added(caller: Caller) -> None:
    caller("POST", "/orders", an_order())
    one = {"tracking_number": "NO1", "carrier_code": "Bring", "weight": 0.9}
    assert caller("POST", "/orders/100200300/shipments", one)["message"] == "Shipment Added"
    again = caller("POST", "/orders/100200300/shipments", one)
    assert (again["status"], again["message"]) == ("error", "Shipment Not Added")
    assert caller("POST", "/orders/100200300/shipments", one | {"carrier_code": "DHL"})["status"] == "success"
    found = caller("GET", "/orders/100200300/shipments")["shipments"]
    assert [(s["id"], s["cost"], s["date_shipped"]) for s in found] == [
        ("6601", "", "2026-01-05"),
        ("6602", "", "2026-01-05"),
    ]
    assert caller("GET", "/orders/100200300")["order"]["order_shipments"] == found
    assert caller("DELETE", "/orders/100200300/shipments/6601")["message"] == "Shipment 6601 Deleted"
    assert caller("DELETE", "/orders/100200300/shipments/6601")["status"] == "error"


def test_a_shipment_needs_a_number_and_an_order(caller: Caller) -> None:
    caller("POST", "/orders", an_order())
    assert caller("POST", "/orders/100200300/shipments", {"carrier_code": "Bring"})["status"] == "error"
    assert caller("POST", "/orders/1001/shipments", {"tracking_number": "A"})["status"] == "error"
    assert caller("GET", "/orders/1001/shipments")["status"] == "error"
    assert caller("POST", "/batch-shipments", {"shipments": []})["status"] == "error"
    assert (
        caller("POST", "/batch-shipments", [{"order_id": "100200300", "tracking_number": "n/a"}])["status"] == "success"
    )
    assert len(caller.store.truth()["shipments"]) == 1


# --- inventory ----------------------------------------------------------------------------------------------


def test_a_stock_item_is_numbered_replaced_and_blanked(caller: Caller) -> None:
    made = caller(
        "POST",
        "/inventory-items",
        {"name": "Mug", "code": "MUG-BL", "price": 12.5, "stock": 120, "location": "Oslo"},
    )
    assert (made["message"], made["inventory_item"]["id"]) == ("Inventory Item Added", 77001)
    assert made["inventory_item"]["metadata"] == []
    caller("PUT", "/inventory-items/77001", {"name": "Mug", "code": "MUG-BL", "stock": 0})
    after = caller("GET", "/inventory-items/77001")["inventory_item"]
    assert (after["price"], after["stock"], after["location"]) == (0, 0, "")
    for wrong in ({"code": "A"}, {"name": "A"}, {"name": "A", "code": "A", "price": "1"}, []):
        assert caller("POST", "/inventory-items", wrong)["status"] == "error"
        assert caller("PUT", "/inventory-items/77001", wrong)["status"] == "error"
    assert caller("PUT", "/inventory-items/1", {"name": "A", "code": "A"})["status"] == "error"


def test_a_created_stock_item_may_stay_unseen() -> None:
    assert "inventory_item" not in Caller(echoes=False)("POST", "/inventory-items", {"name": "Mug", "code": "M"})


def test_stock_is_found_by_exact_code(caller: Caller) -> None:
    for code in ("MUG-BL", "mug-bl", "MUG-RD"):
        caller("POST", "/inventory-items", {"name": "Mug", "code": code})
    found = caller("GET", "/inventory-items", code="MUG-BL,MUG-RD")
    assert [one["code"] for one in found["inventory_items"]] == ["MUG-BL", "MUG-RD"]
    assert found["total_records"] == "2"
    assert len(caller("GET", "/inventory-items", search="mug-b")["inventory_items"]) == 2
    assert len(caller("GET", "/inventory-items", limit="2", offset="2")["inventory_items"]) == 1


def test_a_code_follows_its_item_and_goes_with_it(caller: Caller) -> None:
    caller("POST", "/inventory-items", {"name": "Mug", "code": "OLD"})
    caller("PUT", "/inventory-items/77001", {"name": "Mug", "code": "NEW"})
    assert caller("GET", "/inventory-items", code="OLD")["inventory_items"] == []
    assert caller("GET", "/inventory-items", code="NEW")["records_returned"] == 1
    assert caller("DELETE", "/inventory-items/77001")["message"] == "Inventory Item 77001 Deleted"
    assert caller("GET", "/inventory-items", code="NEW")["inventory_items"] == []


def test_a_batch_is_a_bare_list_of_whole_items(caller: Caller) -> None:
    for code in ("A", "B"):
        caller("POST", "/inventory-items", {"name": code, "code": code, "stock": 1})
    batch = [{"id": 77001, "name": "A", "code": "A", "stock": 5}, {"id": 77002, "name": "B", "code": "B"}]
    assert caller("PUT", "/batch-inventory-items", batch)["status"] == "success"
    assert [one["stock"] for one in caller.store.truth()["inventory_items"]] == [5, 0]
    assert caller("PUT", "/batch-inventory-items", {"inventory_items": batch})["status"] == "error"
    assert caller("PUT", "/batch-inventory-items", [batch[0] | {"stock": 9}, {"id": 1}])["status"] == "error"
    assert [one["stock"] for one in caller.store.truth()["inventory_items"]] == [5, 0]


@pytest.mark.parametrize("body", [None, 7, "x", [], [[]], {"a": {"b": []}}, {"order_items": [None]}, {"id": []}])
@pytest.mark.parametrize(
    "path",
    [
        "/orders",
        "/orders/1",
        "/move-orders",
        "/inventory-items",
        "/batch-shipments",
        "/batch-inventory-items",
        "/orders/1/shipments",
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nonsense_is_refused_and_breaks_nothing(caller: Caller, method: str, path: str, body: Any) -> None:
    found = caller(method, path, json.dumps(body).encode())
    assert found["status"] == "error" or body == []
    assert 200 <= caller.last.status < 500
    assert caller.store.truth() == {"orders": [], "shipments": [], "inventory_items": []}
