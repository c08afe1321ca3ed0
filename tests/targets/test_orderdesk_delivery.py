"""Whole deliveries to a simulated store in bad weather, counted by the store's own truth."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from orderdesk_shop import Shop, account, line, order, shipment, stock
from shelf import FakeClock

from pipeline.sandbox.faults import Fault
from pipeline.sandbox.orderdesk import SimulatedOrderDesk

THERE = {
    "source_id": "1001",
    "source_name": "orderdrop",
    "customer": {"last_name": "B"},
    "order_items": [{"code": "X"}],
}
LOST = ["drop_before", "drop_after", "error_before", "error_after", "html", "empty", "cut", "late"]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path) as shop:
        yield shop


def states(found: list) -> list[str]:
    return [str(one.state) for one in found]


# --- orders -------------------------------------------------------------------------------------------------


def test_an_order_arrives_once_with_its_id(shop: Shop) -> None:
    (delivery,) = shop.deliver(order())
    (there,) = shop.truth("orders")
    assert (delivery.state, delivery.remote_id) == ("delivered", there["id"])
    assert there["order_total"] == 25.0
    assert shop.sent() == ["GET /orders", "POST /orders"]


def test_an_order_that_is_there_is_not_sent(shop: Shop) -> None:
    shop.simulated.store.add_order(THERE)
    (delivery,) = shop.deliver(order())
    assert (delivery.state, delivery.remote_id) == ("already_there", "100200300")
    assert shop.sent("POST") == []


@pytest.mark.parametrize(
    "other", [{"source_id": "10010"}, {"source_id": "1001", "source_name": "Shopify"}, {"source_id": "A1001"}]
)
def test_a_neighbour_the_search_also_finds_is_not_the_order(tmp_path: Path, other: dict[str, str]) -> None:
    with Shop(tmp_path, SimulatedOrderDesk(loose_search=True)) as shop:
        for _ in range(60):  # more than one page of them
            shop.simulated.store.add_order(THERE | {"source_name": ""} | other)
        (delivery,) = shop.deliver(order())
        assert delivery.state == "delivered"
        assert len(shop.truth("orders")) == 61
        assert shop.sent("GET /orders") == ["GET /orders"] * 2


def test_look_first_can_be_switched_off(tmp_path: Path) -> None:
    with Shop(tmp_path, look_first=False) as shop:
        shop.deliver(order())
        assert shop.sent() == ["POST /orders"]


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_makes_no_second_order(shop: Shop, kind: str) -> None:
    shop.clock.on_wait = shop.sandbox.finish_late
    shop.sandbox.faults.add([Fault(kind, times=2, seconds=600)])
    found = shop.deliver(*(order(str(number)) for number in range(1001, 1006)))
    assert states(found) == ["delivered"] * 5
    assert shop.sandbox.duplicates() == {"orderdesk": {}}
    assert len(shop.truth("orders")) == 5


@pytest.mark.parametrize("kind", [k for k in LOST if k != "late"])
def test_a_lost_answer_makes_no_second_order_when_all_calls_suffer(shop: Shop, kind: str) -> None:
    shop.sandbox.faults.add([Fault(kind, only_writes=False, probability=0.4, times=12, seed=7)])
    records = [order(str(number)) for number in range(1001, 1009)]
    shop.take_in(*records, to="order")
    for _ in range(12):
        shop.drain()
        shop.clock.time += 600
    assert shop.sandbox.duplicates() == {"orderdesk": {}}
    assert states(shop.deliveries()) == ["delivered"] * 8


@pytest.mark.parametrize("status", [200, 400, 409])
def test_a_refused_duplicate_is_seen_to_be_there(tmp_path: Path, status: int) -> None:
    simulated = SimulatedOrderDesk(refuses_duplicates=True, refusal_status=status)
    with Shop(tmp_path, simulated, look_first=False) as shop:
        simulated.store.add_order(THERE)
        (delivery,) = shop.deliver(order())
        assert delivery.remote_id == "100200300"
        assert delivery.state in {"delivered", "already_there"}
        assert len(shop.truth("orders")) == 1


def test_a_refusal_blames_its_row_with_the_vendors_words_and_no_other(shop: Shop) -> None:
    shop.sandbox.faults.add([Fault("refuse", skip=1, times=1, message="Invalid email address.")])
    found = shop.deliver(order("1001"), order("1002"), order("1003"))
    assert states(found) == ["delivered", "refused", "delivered"]
    (problem,) = found[1].problems
    assert (problem["code"], problem["field"]) == ("orderdesk_refused", "email")
    assert problem["message"] == "Order Desk refused it: Invalid email address."


@pytest.mark.parametrize("look_first", [True, False])
def test_a_bad_key_pauses_the_account_and_blames_no_row(shop: Shop, look_first: bool) -> None:
    bad = account(shop.account.base_url, "wrong-key", look_first=look_first)
    shop.take_in(order(), order("1002"), to="order")
    drained = shop.drain(bad)
    assert drained.paused is not None
    assert drained.paused.code == "bad_key"
    assert states(shop.deliveries()) == ["waiting", "waiting"]
    shop.drain()
    assert states(shop.deliveries()) == ["delivered", "delivered"]


def test_a_redirect_is_not_followed_and_pauses(tmp_path: Path) -> None:
    with Shop(tmp_path, look_first=False) as shop:
        shop.sandbox.faults.add([Fault("redirect", times=1)])
        shop.take_in(order(), to="order")
        drained = shop.drain()
        assert drained.paused is not None
        assert drained.paused.code == "redirected"
        assert "elsewhere.invalid" in drained.paused.message


def test_the_bucket_is_obeyed_to_the_second(tmp_path: Path) -> None:
    clock = FakeClock()
    simulated = SimulatedOrderDesk(throttled=True, clock=clock.now)
    with Shop(tmp_path, simulated, clock, rate={"burst": 20, "per_second": 3}) as shop:
        found = shop.deliver(*(order(str(number)) for number in range(1001, 1041)))
        assert states(found) == ["delivered"] * 40
        assert 18 <= sum(clock.waits) <= 24  # 80 calls, 20 at once, 3 a second
        assert [call for call in shop.sandbox.calls if call.status == 429] == []


def test_an_account_that_is_too_fast_waits_as_long_as_it_is_told(tmp_path: Path) -> None:
    clock = FakeClock()
    with Shop(tmp_path, SimulatedOrderDesk(throttled=True, clock=clock.now), clock) as shop:
        found = shop.deliver(*(order(str(number)) for number in range(1001, 1041)))
        assert states(found) == ["delivered"] * 40
        assert [call.status for call in shop.sandbox.calls].count(429) > 0
        assert len(shop.truth("orders")) == 40


def test_a_fresh_order_is_moved_to_its_folder_and_an_old_one_is_left(shop: Shop) -> None:
    (delivery,) = shop.deliver(order(), options={"folder": "Prepared"})
    assert delivery.state == "delivered"
    assert shop.truth("orders")[0]["folder_id"] == 502
    (delivery,) = shop.deliver(order("1002"), options={"folder": 503})
    assert shop.truth("orders")[1]["folder_id"] == 503
    shop.simulated.store.add_order(THERE | {"source_id": "1003"})
    shop.deliver(order("1003"), options={"folder": 503})
    assert shop.truth("orders")[2]["folder_id"] == 501


def test_a_folder_that_does_not_exist_is_the_accounts_fault(shop: Shop) -> None:
    shop.take_in(order(), to="order", options={"folder": "Preparred"})
    drained = shop.drain()
    assert drained.paused is not None
    assert drained.paused.code == "no_such_folder"
    assert "Preparred" in drained.paused.advice
    assert len(shop.truth("orders")) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error_after"])
def test_a_lost_move_is_simply_repeated(shop: Shop, kind: str) -> None:
    shop.sandbox.faults.add([Fault(kind, path="move-orders", times=1)])
    (delivery,) = shop.deliver(order(), options={"folder": "Prepared"})
    assert delivery.state == "delivered"
    assert shop.truth("orders")[0]["folder_id"] == 502
    assert len(shop.truth("orders")) == 1


# --- stock --------------------------------------------------------------------------------------------------


def test_a_new_stock_item_is_created_and_the_same_again_sends_nothing(shop: Shop) -> None:
    (delivery,) = shop.deliver(stock(price=Decimal("12.50"), stock=Decimal(120)), to="inventory_item")
    (there,) = shop.truth("inventory_items")
    assert (delivery.state, delivery.remote_id) == ("delivered", str(there["id"]))
    assert (there["price"], there["stock"], there["update_source"]) == (12.5, 120, "orderdrop")


def test_a_changed_stock_item_keeps_what_the_file_does_not_say(shop: Shop) -> None:
    shop.simulated.store.add_inventory(
        {
            "code": "MUG-BL",
            "name": "Old name",
            "price": 0,
            "cost": 4.1,
            "weight": 0.4,
            "stock": 7,
            "location": "Oslo",
            "metadata": {"print_sku": "P1", "a": "b"},
            "manufacturer_sku": "M-1",
            "update_source": "somebody",
        }
    )
    record = stock(stock=Decimal(0), extra={"print_sku": "P2"})
    (delivery,) = shop.deliver(record, to="inventory_item", options={"update_source": "erp"})
    (there,) = shop.truth("inventory_items")
    assert delivery.state == "delivered"
    assert {name: there[name] for name in ("name", "price", "cost", "weight", "stock", "location")} == {
        "name": "The MUG-BL",
        "price": 0,
        "cost": 4.1,
        "weight": 0.4,
        "stock": 0,
        "location": "Oslo",
    }
    assert there["metadata"] == {"print_sku": "P2", "a": "b"}
    assert (there["manufacturer_sku"], there["update_source"]) == ("M-1", "erp")


def test_a_stock_item_that_differs_in_nothing_is_left_alone(shop: Shop) -> None:
    shop.simulated.store.add_inventory({"code": "MUG-BL", "name": "The MUG-BL", "price": 12.5, "update_source": "x"})
    (delivery,) = shop.deliver(stock(price=Decimal("12.50")), to="inventory_item")
    assert delivery.state == "already_there"
    assert shop.sent() == ["GET /inventory-items"]


def test_a_near_miss_is_refused_and_named(tmp_path: Path) -> None:
    with Shop(tmp_path, SimulatedOrderDesk(loose_search=True)) as shop:
        shop.simulated.store.add_inventory({"code": "Mug-bl", "name": "x"})
        stock_delivery = shop.deliver(stock(), to="inventory_item")[0]
        assert stock_delivery.state == "refused"
        assert stock_delivery.problems[0]["code"] == "sku_near_miss"
        assert "'Mug-bl'" in stock_delivery.problems[0]["message"]
        shop.simulated.store.add_inventory({"code": "MUG-BL", "name": "x"})
        assert shop.deliver(stock(price=Decimal(1)), to="inventory_item")[0].state == "delivered"
        assert [one["price"] for one in shop.truth("inventory_items")] == [0, 1]


def test_a_sku_that_exists_twice_is_not_guessed_at(shop: Shop) -> None:
    for _ in range(2):
        shop.simulated.store.add_inventory({"code": "MUG-BL", "name": "x"})
    (delivery,) = shop.deliver(stock(), to="inventory_item")
    assert delivery.problems[0]["code"] == "sku_twice"
    assert shop.sent("PUT") == []


def test_a_changed_file_updates_the_stock(shop: Shop) -> None:
    shop.deliver(stock(stock=Decimal(5)), to="inventory_item")
    (delivery,) = shop.deliver(stock(stock=Decimal(3)), to="inventory_item")
    assert delivery.state == "delivered"
    assert [one["stock"] for one in shop.truth("inventory_items")] == [3]


@pytest.mark.parametrize("echoes", [True, False])
@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_makes_no_second_stock_item(tmp_path: Path, kind: str, echoes: bool) -> None:
    with Shop(tmp_path, SimulatedOrderDesk(echoes=echoes)) as shop:
        shop.clock.on_wait = shop.sandbox.finish_late
        shop.sandbox.faults.add([Fault(kind, times=1, seconds=600)])
        found = shop.deliver(stock("A", stock=Decimal(1)), stock("B", stock=Decimal(2)), to="inventory_item")
        assert set(states(found)) <= {"delivered", "already_there"}
        assert [(one["code"], one["stock"]) for one in shop.truth("inventory_items")] in (
            [("A", 1), ("B", 2)],
            [("B", 2), ("A", 1)],
        )


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error_after", "html", "empty"])
def test_a_lost_put_is_simply_repeated(shop: Shop, kind: str) -> None:
    shop.simulated.store.add_inventory({"code": "MUG-BL", "name": "x", "stock": 9, "cost": 3})
    shop.sandbox.faults.add([Fault(kind, method="PUT", times=1)])
    (delivery,) = shop.deliver(stock(stock=Decimal(4)), to="inventory_item")
    assert delivery.state in {"delivered", "already_there"}
    assert [(one["stock"], one["cost"]) for one in shop.truth("inventory_items")] == [(4, 3)]


def test_the_products_of_an_order_become_known_and_known_ones_stay(shop: Shop) -> None:
    shop.simulated.store.add_inventory({"code": "B", "name": "Mine", "price": 99, "stock": 5})
    record = order("1", line("A", "4"), line("B", "1"), line("A", "4"), line("SHIP", "9", "1", line_type="shipping"))
    (delivery,) = shop.deliver(record, to="inventory_item")
    there = {one["code"]: one for one in shop.truth("inventory_items")}
    assert delivery.state == "delivered"
    assert set(there) == {"A", "B"}
    assert (there["B"]["price"], there["B"]["stock"], there["B"]["name"]) == (99, 5, "Mine")
    (again,) = shop.deliver(order("2", line("A"), line("B")), to="inventory_item")
    assert again.state == "already_there"
    assert again.remote_id == f"{there['A']['id']} {there['B']['id']}"


# --- shipments ----------------------------------------------------------------------------------------------


def test_a_shipment_finds_its_order(shop: Shop) -> None:
    shop.deliver(order())
    (delivery,) = shop.deliver(shipment(weight=Decimal("0.9")), to="shipment")
    (there,) = shop.truth("shipments")
    assert delivery.state == "delivered"
    assert (there["order_id"], there["tracking_number"], there["weight"], there["cost"]) == (
        "100200300",
        "NO1",
        0.9,
        "",
    )


def test_a_shipment_of_an_unknown_order_is_refused_with_its_field(shop: Shop) -> None:
    (delivery,) = shop.deliver(shipment("9999"), to="shipment")
    assert delivery.state == "refused"
    assert (delivery.problems[0]["code"], delivery.problems[0]["field"]) == ("unknown_order", "order_id")


def test_a_number_two_shops_use_needs_the_shops_name(shop: Shop) -> None:
    shop.deliver(order())
    shop.simulated.store.add_order(THERE | {"source_name": "Etsy"})
    (refused,) = shop.deliver(shipment(), to="shipment")
    assert refused.problems[0]["code"] == "order_not_unique"
    (taken,) = shop.deliver(shipment(tracking="NO2"), to="shipment", options={"source_name": "orderdrop"})
    assert taken.state == "delivered"
    assert [one["order_id"] for one in shop.truth("shipments")] == ["100200300"]


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_answer_makes_no_second_shipment(tmp_path: Path, kind: str) -> None:
    with Shop(tmp_path, SimulatedOrderDesk(refusal_status=200)) as shop:
        shop.deliver(order())
        shop.clock.on_wait = shop.sandbox.finish_late
        shop.sandbox.faults.add([Fault(kind, path="shipments", times=1, seconds=600)])
        found = shop.deliver(shipment(tracking="NO1"), shipment(tracking="NO2"), to="shipment")
        assert states(found) == ["delivered"] * 2
        assert sorted(one["tracking_number"] for one in shop.truth("shipments")) == ["NO1", "NO2"]


@pytest.mark.parametrize("look_first", [True, False])
@pytest.mark.parametrize("status", [200, 400])
def test_a_shipment_that_is_there_is_not_added_again(tmp_path: Path, look_first: bool, status: int) -> None:
    with Shop(tmp_path, SimulatedOrderDesk(refusal_status=status), look_first=look_first) as shop:
        shop.deliver(order())
        shop.simulated.store.add_shipment("100200300", {"tracking_number": "NO1", "carrier_code": "BRING"})
        shop.simulated.store.add_shipment("100200300", {"tracking_number": "NO1", "carrier_code": "DHL"})
        shop.simulated.store.add_shipment("100200300", {"tracking_number": "NO9", "carrier_code": "Bring"})
        (delivery,) = shop.deliver(shipment(carrier="BRING"), to="shipment")
        assert delivery.state in {"already_there", "delivered"}
        assert delivery.remote_id == "6601"
        assert len(shop.truth("shipments")) == 3


def test_the_probe_is_the_vendors_test_call_and_the_store_is_never_read(shop: Shop) -> None:
    step = next(shop.account.probe())
    assert (step.request.method, step.request.path, step.reads_only) == ("GET", "/test", True)
    shop.deliver(order(), options={"folder": "Prepared"})
    assert not [call for call in shop.sent() if "/store" in call]
