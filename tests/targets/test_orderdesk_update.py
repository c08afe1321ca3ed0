"""A changed file brings a delivered order up to date, and leaves alone what others did to it since."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from orderdesk_shop import Shop, line, order

from pipeline.sandbox.faults import Fault
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.targets.orderdesk.payload import order_payload
from pipeline.targets.orderdesk.settings import OrderOptions
from pipeline.targets.orderdesk.updating import merge_order


@pytest.fixture(params=[False, True], ids=["items left out go", "items left out stay"])
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Whether a PUT deletes the items it leaves out is not documented: both have to do."""
    with Shop(tmp_path, SimulatedOrderDesk(keeps_items=request.param)) as shop:
        yield shop


def the_order(shop: Shop) -> dict[str, Any]:
    (there,) = shop.truth("orders")
    return there


def items(shop: Shop) -> list[tuple[str, int, float]]:
    return [(one["code"], one["quantity"], one["price"]) for one in the_order(shop)["order_items"]]


def test_what_changed_in_the_file_changes_and_the_rest_stays(shop: Shop) -> None:
    shop.deliver(order(status="new", email="anna@example.com", shipping_city="Oslo"))
    there = the_order(shop)
    there["email"], there["folder_id"], there["payment_status"] = "corrected@example.com", 503, "Captured"
    there["checkout_data"]["by_hand"] = "yes"
    item_id = there["order_items"][0]["id"]
    (delivery,) = shop.deliver(
        order("1001", line(quantity="3"), status="shipped", email="anna@example.com", shipping_city="Bergen")
    )
    there = the_order(shop)
    assert (delivery.state, delivery.remote_id) == ("delivered", there["id"])
    assert items(shop) == [("MUG-BL", 3, 12.5)]
    assert there["order_items"][0]["id"] == item_id
    assert (there["email"], there["folder_id"], there["payment_status"]) == (
        "corrected@example.com",
        503,
        "Captured",
    )
    assert there["checkout_data"] == {"status": "shipped", "by_hand": "yes"}
    assert there["shipping"]["city"] == "Bergen"
    assert there["shipping"]["last_name"] == "Berg"
    assert shop.sent("POST") == ["POST /orders"]


def test_lines_come_and_go_and_a_strangers_line_stays(shop: Shop) -> None:
    shop.deliver(order("1001", line("A", "1"), line("B", "2"), line("A", "3")))
    the_order(shop)["order_items"].append(
        {"id": "7", "code": "GIFT", "name": "By hand", "price": 0, "quantity": 1, "weight": 0}
    )
    (delivery,) = shop.deliver(order("1001", line("A", "1", "5"), line("C", "9")))
    assert delivery.state == "delivered"
    assert sorted(items(shop)) == [("A", 5, 1), ("C", 2, 9), ("GIFT", 1, 0)]
    assert len(shop.sent("DELETE")) == 2


def test_a_line_that_only_went_away_is_deleted_without_a_put(shop: Shop) -> None:
    shop.deliver(order("1001", line("A"), line("B")))
    shop.deliver(order("1001", line("A")))
    assert [code for code, _, _ in items(shop)] == ["A"]
    assert shop.sent("PUT") == []
    assert the_order(shop)["order_total"] == 25.0


def test_notes_are_added_and_a_blank_never_erases(shop: Shop) -> None:
    shop.deliver(order(note="first", email="anna@example.com", shipping_total=Decimal(4)))
    the_order(shop)["order_notes"].append({"date_added": "", "username": "bob", "content": "called her"})
    shop.deliver(order(note="second"))
    there = the_order(shop)
    assert [note["content"] for note in there["order_notes"]] == ["first", "called her", "second"]
    assert (there["email"], there["shipping_total"]) == ("anna@example.com", 4)


def test_zero_is_a_value(shop: Shop) -> None:
    shop.deliver(order(shipping_total=Decimal(4)))
    shop.deliver(order(shipping_total=Decimal(0)))
    assert the_order(shop)["shipping_total"] == 0


def test_shipments_survive_an_update(shop: Shop) -> None:
    shop.deliver(order())
    shop.simulated.store.add_shipment("100200300", {"tracking_number": "NO1"})
    shop.deliver(order(status="shipped"))
    assert len(shop.truth("shipments")) == 1


def test_an_order_that_is_gone_is_refused_for_a_person(shop: Shop) -> None:
    shop.deliver(order())
    shop.simulated.store.remove_order("100200300")
    (delivery,) = shop.deliver(order(status="shipped"))
    assert delivery.state == "refused"
    assert delivery.problems[0]["code"] == "order_gone"
    assert shop.truth("orders") == []


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error_before", "error_after", "html", "cut"])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_lost_answer_leaves_the_same_order(shop: Shop, kind: str, method: str) -> None:
    shop.deliver(order("1001", line("A"), line("B")))
    shop.sandbox.faults.add([Fault(kind, method=method, times=2)])
    (delivery,) = shop.deliver(order("1001", line("A", quantity="7"), line("C")))
    assert delivery.state == "delivered"
    assert sorted(items(shop)) == [("A", 7, 12.5), ("C", 2, 12.5)]


def test_a_late_put_adds_no_line_twice(shop: Shop) -> None:
    """A PUT adds lines without an id each time it arrives, so it is looked up and not repeated."""
    shop.deliver(order("1001", line("A")))
    started = shop.clock.time
    shop.clock.on_wait = lambda: shop.clock.time > started + 4 and shop.sandbox.finish_late()
    shop.sandbox.faults.add([Fault("late", method="PUT", times=1, seconds=600)])
    (delivery,) = shop.deliver(order("1001", line("A"), line("C")))
    shop.sandbox.finish_late()
    assert delivery.state == "delivered"
    assert [code for code, _, _ in items(shop)] == ["A", "C"]


def test_the_orders_own_words_are_no_difference() -> None:
    """Amounts as texts, empty maps as lists, nulls: how PHP writes what we wrote."""
    payload = order_payload(order(shipping_total=Decimal("4.90")), OrderOptions())
    there = payload | {
        "id": "1",
        "shipping_total": "4.90",
        "checkout_data": [],
        "order_metadata": {"load_key": "1001"},
        "order_items": [{"id": "5", **payload["order_items"][0], "price": "12.50", "quantity": "2", "metadata": []}],
        "fulfillment_name": None,
    }
    whole, leftover = merge_order(there, {**payload, "order_items": []}, payload)
    assert leftover == []
    assert whole["order_items"] == [{**payload["order_items"][0], "id": "5", "metadata": {}}]
    assert whole["checkout_data"] == {}
    assert "id" not in whole
