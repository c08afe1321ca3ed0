"""Order Desk's further fields, what an empty cell does, notes in the history, its own lists, and what a store tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from driven import ended, listed, probed
from orderdesk_shop import Shop, account, line, order, shipment, stock
from walk import Walk, answer

from pipeline.errors import SetupError
from pipeline.ledger import sends
from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.targets.contract import Done, Later, Paused, Prior, Refused, Unclear
from pipeline.targets.orderdesk.payload import order_payload
from pipeline.targets.orderdesk.settings import ALSO, OrderOptions


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path) as shop:
        yield shop


@dataclass
class BelowPrefix:
    """The store at its documented prefix, which the walk takes off."""

    store: SimulatedOrderDesk
    name: str = "orderdesk"

    def handle(self, call: Call) -> Reply:
        return self.store.handle(replace(call, path=f"/api/v2{call.path}"))

    def truth(self) -> dict[str, Any]:
        return self.store.truth()

    def writes(self, call: Call) -> bool:
        return self.store.writes(call)


def walk(simulated: SimulatedOrderDesk) -> Walk:
    return Walk(account(), BelowPrefix(simulated))


def the_order(shop: Shop) -> dict[str, Any]:
    (there,) = shop.truth("orders")
    return there


# --- further fields ---

EXTRA = {
    "card": "4242", "card_end": "01/2030", "balance": "1.50", "refunded": "0", "house": "Nordic 3PL", "house_id": "F-7",
    "floor": "3rd floor", "door": "Door B", "hook": "https://example.com/hook/7", "gift": "yes",
}  # fmt: skip
SENT = {
    "extra.card": "cc_number", "extra.card_end": "cc_exp", "extra.balance": "processor_balance",
    "extra.refunded": "refund_total", "extra.house": "fulfillment_name", "extra.house_id": "fulfillment_id",
    "extra.floor": "shipping.address3", "extra.door": "shipping.address4", "company": "return_address.company",
    "extra.hook": "order_metadata.ship_notify_url", "tag": "checkout_data.Campaign",
}  # fmt: skip


def test_every_field_of_an_order_can_be_sent(shop: Shop) -> None:
    record = order(shipping_city="Oslo", company="Berg AS", tag="acme", extra=EXTRA)
    options = {"also_send": SENT, "delivery_type": "noship", "category_code": "GIFT"}
    (delivery,) = shop.deliver(record, options=options)
    assert delivery.state == "delivered"
    there = the_order(shop)
    assert (there["cc_number"], there["cc_exp"]) == ("4242", "01/2030")
    assert (there["processor_balance"], there["refund_total"]) == (1.5, 0)
    assert (there["fulfillment_name"], there["fulfillment_id"]) == ("Nordic 3PL", "F-7")
    assert (there["shipping"]["address3"], there["shipping"]["address4"]) == ("3rd floor", "Door B")
    assert there["return_address"]["company"] == "Berg AS"
    assert there["order_metadata"] == {"load_key": "1001", "ship_notify_url": "https://example.com/hook/7"}
    assert there["checkout_data"] == {"tag": "acme", "gift": "yes", "Campaign": "acme"}  # nothing is said twice
    assert (there["order_items"][0]["delivery_type"], there["order_items"][0]["category_code"]) == ("noship", "GIFT")


def test_a_card_number_survives_an_update_it_is_masked_in(shop: Shop) -> None:
    options = {"also_send": SENT}
    shop.deliver(order(extra=EXTRA, status="new"), options=options)
    shop.deliver(order(extra=EXTRA, status="shipped"), options=options)
    assert (the_order(shop)["cc_number"], the_order(shop)["checkout_data"]["status"]) == ("4242", "shipped")
    shop.deliver(order(extra={**EXTRA, "card": "1881"}, status="shipped"), options=options)
    assert the_order(shop)["cc_number"] == "1881"
    assert len(shop.sent("PUT")) == 2


def test_a_masked_card_number_is_no_difference(shop: Shop) -> None:
    options = {"also_send": SENT}
    shop.deliver(order(extra=EXTRA, status="new"), options=options)
    the_order(shop)["checkout_data"]["status"] = "shipped"  # somebody was there before the file
    shop.deliver(order(extra=EXTRA, status="shipped"), options=options)
    assert shop.sent("PUT") == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("card", "4242424242424242", "last four"),
        ("card_end", "13/2030", "MM/YYYY"),
        ("balance", "1,5", "plain number"),
        ("balance", "NaN", "plain number"),
        ("hook", "x" * 2000, "2000"),
    ],
)
def test_what_a_further_field_cannot_hold_is_refused_unsent(shop: Shop, name: str, text: str, said: str) -> None:
    (delivery,) = shop.deliver(order(extra={**EXTRA, name: text}), options={"also_send": SENT})
    assert delivery.state == "refused"
    assert said in delivery.problems[0]["message"]
    assert shop.sent() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"also_send": {"extra.x": "cc_numbr"}}, "cc_number"),
        ({"also_send": {"extra.x": "order_total"}}, "none of the fields"),
        ({"also_send": {"nots": "cc_exp"}}, "Did you mean 'note'"),
        ({"also_send": {"sku": "cc_exp"}}, "sku"),
        ({"also_send": {"extra.x": "order_metadata.load_key"}}, "load_key"),
        ({"delivery_type": "post"}, "delivery_type"),
        ({"category_code": " "}, "category_code"),
        ({"history_note": "x" * 1801}, "1800"),
        ({"history_note": ""}, "history_note"),
    ],
)
def test_wrong_options_are_refused_by_name(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SetupError, match=said):
        account().operation("order", options)


def test_the_defaults_send_none_of_them() -> None:
    payload = order_payload(order(extra={"gift": "yes"}), OrderOptions())
    assert not {target.split(".")[0] for target in ALSO} - {"shipping"} & set(payload)


# --- empty cells ---


def body_of(shop: Shop, operation: str) -> dict[str, Any]:
    """What the one step of the newest delivery sent, as the journal keeps it."""
    with shop.engine.connect() as connection:
        (step,) = sends.steps_of(connection, shop.deliveries(operation)[-1].id).values()
    body: dict[str, Any] = step.request["json"]
    return body


def test_an_empty_cell_of_an_order_leaves_what_is_there_and_a_cleared_one_empties_it(shop: Shop) -> None:
    full = {"email": "a@example.com", "phone": "+47", "shipping_total": Decimal(4), "discount_total": Decimal(1),
            "shipping_city": "Oslo", "shipping_address2": "B", "amount_paid": Decimal(28), "tag": "vip",
            "note": "Call first", "extra": {"gift": "yes"}}  # fmt: skip
    shop.deliver(replace(order(**full), cleared=("ip_address",)))
    there = the_order(shop)
    assert "ip_address" not in body_of(shop, "order")
    shop.deliver(order(shipping_city="Bergen"))
    there = the_order(shop)
    assert (there["email"], there["shipping_total"], there["discount_total"]) == ("a@example.com", 4, 1)
    assert (there["payment_status"], there["shipping"]["city"]) == ("Captured", "Bergen")
    cleared = ("amount_paid", "discount_total", "extra.gift", "note", "phone", "shipping_address2", "shipping_total",
               "tag")  # fmt: skip
    (last,) = shop.deliver(replace(order(status="new"), cleared=cleared))
    assert last.state == "delivered"
    there = the_order(shop)
    assert (there["email"], there["customer"]["phone"], there["shipping_total"]) == ("a@example.com", "", 0)
    assert (there["shipping"]["address2"], there["shipping"]["city"]) == ("", "Bergen")
    assert (there["shipping"]["phone"], there["customer"]["address2"]) == ("", "")  # lent from the other address
    assert (there["discount_total"], there["payment_status"], there["order_notes"]) == (0, "Pending", [])
    assert (there["checkout_data"]["tag"], there["checkout_data"]["gift"]) == ("", "")


def test_what_people_filled_in_since_is_not_cleared_again(shop: Shop) -> None:
    shop.deliver(order(status="new", email="a@example.com"))
    shop.deliver(replace(order(status="new"), cleared=("email",)))
    assert the_order(shop)["email"] == ""
    the_order(shop)["email"] = "found@example.com"
    shop.deliver(replace(order(status="shipped"), cleared=("email",)))
    assert the_order(shop)["email"] == "found@example.com"


def test_a_part_of_an_address_that_people_corrected_stays_when_another_part_changes(shop: Shop) -> None:
    shop.deliver(order(shipping_city="Oslo", shipping_address1="Kirkegata 4"))
    the_order(shop)["shipping"]["address1"] = "Kirkegata 4b"
    shop.deliver(order(shipping_city="Bergen", shipping_address1="Kirkegata 4"))
    shipped_to = the_order(shop)["shipping"]
    assert (shipped_to["address1"], shipped_to["city"]) == ("Kirkegata 4b", "Bergen")


def test_an_empty_cell_of_a_stock_item_leaves_what_is_there_and_a_cleared_one_empties_it(shop: Shop) -> None:
    full = stock(stock=Decimal(5), location="Oslo", cost=Decimal(2), extra={"bin": "7"})
    shop.deliver(replace(full, cleared=("weight",)), to="inventory_item")
    assert "weight" not in body_of(shop, "inventory_item")
    cleared = ("cost", "extra.bin", "location")
    shop.deliver(replace(stock(), cleared=cleared), to="inventory_item")
    (there,) = shop.truth("inventory_items")
    assert (there["stock"], there["location"], there["cost"], there["metadata"]) == (5, "", 0, {"bin": ""})
    shop.deliver(replace(stock(price=Decimal(0)), cleared=cleared), to="inventory_item")
    assert len(shop.sent("PUT")) == 1  # what is blank already is no difference


def test_the_operations_tell_what_they_can_empty() -> None:
    order_, item = (account().operation(name, {}) for name in ("order", "inventory_item"))
    assert all(map(order_.clears, ("email", "note", "tag", "extra.gift", "discount_total", "shipping_address2")))
    assert all(map(item.clears, ("stock", "location", "extra.bin")))
    assert not order_.clears("order_total") | item.clears("name")


# --- folder and history ---


def history(shop: Shop) -> list[str]:
    return [entry["content"] for entry in the_order(shop)["order_history"]]


def test_a_fresh_order_is_moved_and_noted_and_one_that_was_there_is_not(shop: Shop) -> None:
    options = {"folder": "Prepared", "history_note": "Taken from the export"}
    (fresh,) = shop.deliver(order(), options=options)
    assert (fresh.state, the_order(shop)["folder_id"], history(shop)) == ("delivered", 502, ["Taken from the export"])
    shop.deliver(order(status="shipped"), options=options)
    assert history(shop) == ["Taken from the export"]
    assert len(shop.sent("POST", "/move-orders")) == 1
    shop.simulated.store.add_order(order_payload(order("2002"), OrderOptions()))
    (there,) = shop.deliver(order("2002"), options=options)
    assert there.state == "already_there"
    assert shop.truth("orders")[1]["order_history"] == []


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error_before", "error_after", "html", "cut"])
def test_a_note_with_a_lost_answer_stands_there_once(shop: Shop, kind: str) -> None:
    shop.sandbox.faults.add([Fault(kind, path="/order-history", times=1)])
    (delivery,) = shop.deliver(order(), options={"history_note": "Taken"})
    assert delivery.state == "delivered"
    assert history(shop) == ["Taken"]
    assert len(shop.sent("POST", "/orders")) == len(shop.sent("POST", "/order-history")) + 1


@pytest.mark.parametrize(
    "said",
    [answer({"status": "success", "order": {"id": "1"}}), answer({"status": "error", "message": "no"}), answer("", 500),
     answer({"status": "success"})],
)  # fmt: skip
def test_a_history_that_is_not_shown_proves_nothing(said: Any) -> None:
    plan = account(look_first=False).operation("order", {"history_note": "Taken"}).plan(order(), None)
    next(plan)
    step = plan.send({"id": "1"})
    assert step.find is not None
    assert isinstance(ended(step.find(), said), Unclear)


# --- an update whose order the ledger cannot name ---


def test_an_order_without_a_remembered_id_is_found_by_its_number() -> None:
    simulated = SimulatedOrderDesk()
    driven = walk(simulated)
    operation = driven.account.operation("order", {})
    driven.run(operation, order(status="new"))
    result = driven.run(operation, order(status="shipped"), Prior({}, order(status="new")))
    (there,) = simulated.truth()["orders"]
    assert (result["id"], there["checkout_data"]["status"]) == (there["id"], "shipped")


# --- its own lists ---

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def stocked(moment: list[datetime]) -> SimulatedOrderDesk:
    return SimulatedOrderDesk(now=lambda: moment[0])


def test_the_list_of_orders_is_read_to_its_end_and_leaves_other_shops_alone() -> None:
    moment = [NOW - timedelta(days=90)]
    simulated = stocked(moment)
    simulated.store.add_order(order_payload(order("OLD"), OrderOptions()))
    moment[0] = NOW
    for number in range(501):
        simulated.store.add_order(order_payload(order(f"N{number}", email="a@example.com"), OrderOptions()))
    simulated.store.add_order(order_payload(order("ETSY-1"), OrderOptions(source_name="Etsy")))
    driven = walk(simulated)
    found = listed(driven.account, driven.ask, "order", NOW, NOW)
    assert len(driven.sent) == 2
    assert {one.key for one in found} == {f"N{number}" for number in range(501)}
    assert found[0].facts == {
        "email": "a@example.com",
        "order_total": "25.0",
        "ordered_at": "2026-01-05T08:15:00+00:00",
    }
    driven.account.operation("order", {"source_name": "Etsy"})
    assert [one.key for one in listed(driven.account, driven.ask, "order", NOW, NOW)] == ["ETSY-1"]


def test_shipments_are_listed_under_the_keys_of_their_records() -> None:
    moment = [NOW - timedelta(days=20)]
    simulated = stocked(moment)
    for number in ("A/1", "B"):
        made = simulated.store.add_order(order_payload(order(number), OrderOptions()))
        moment[0] = NOW
        simulated.store.add_shipment(made["id"], {"tracking_number": f"T-{number}", "carrier_code": "Bring"})
    driven = walk(simulated)
    found = listed(driven.account, driven.ask, "shipment", NOW, NOW)
    assert [(one.kind, one.key) for one in found] == [("shipment", "A\\/1/T-A\\/1"), ("shipment", "B/T-B")]
    assert found[0].facts == {"carrier": "Bring"}


def test_stock_items_are_listed_where_they_changed_in_that_time() -> None:
    moment = [NOW - timedelta(days=90)]
    simulated = stocked(moment)
    simulated.store.add_inventory({"name": "Old", "code": "OLD"})
    moment[0] = NOW
    simulated.store.add_inventory({"name": "Mug", "code": "MUG", "stock": 0, "price": 12.5})
    driven = walk(simulated)
    (item,) = listed(driven.account, driven.ask, "inventory_item", NOW, NOW)
    assert (item.key, item.remote_id, item.facts["stock"], item.facts["price"]) == ("MUG", "77002", "0", "12.5")
    assert "location" not in item.facts
    assert listed(driven.account, driven.ask, "nothing", NOW, NOW) is None


@pytest.mark.parametrize(
    ("said", "trouble"),
    [(answer("", 500), Later), (answer("", 401), Paused), (answer("<html>"), Later),
     (answer({"status": "success"}), type(None)), (answer({"status": "success", "orders": [{"id": "1"}]}), type(None))],
)  # fmt: skip
def test_half_a_list_proves_nothing(said: Any, trouble: type) -> None:
    finding = listed(account(), lambda _request: said, "shipment", NOW, NOW)
    assert isinstance(finding, Unclear)
    assert isinstance(finding.trouble, trouble)


# --- the probe ---


def test_the_probe_tells_zone_and_folders_and_keeps_nothing_else_of_the_store() -> None:
    driven = walk(SimulatedOrderDesk())
    told = driven.probe()
    assert "UTC" in told["note"]
    assert "New, Prepared, Closed" in told["note"]
    assert "sandbox-key" not in repr(told)
    driven.account.operation("order", {"folder": "Prepared"})
    driven.account.operation("order", {"folder": 503})
    assert driven.probe() == told
    driven.account.operation("order", {"folder": "Prepard"})
    outcome = probed(driven.account, lambda path: driven.ask(next(r for r in driven.sent if r.path == path)))
    assert isinstance(outcome, Paused)
    assert (outcome.code, "'Prepard'" in outcome.message) == ("no_such_folder", True)


@pytest.mark.parametrize(
    "said",
    [
        answer({"status": "error", "message": "secret smtp"}, 403),
        answer("secret smtp", 500),
        answer({"store": "secret smtp"}),
        answer({"store": {"folders": []}}),
    ],
)
def test_a_store_that_does_not_tell_is_no_trouble_and_never_quoted(said: Any) -> None:
    good = answer({"status": "success", "message": "Connection Successful"})
    outcome = probed(account(), lambda path: said if path == "/store" else good)
    assert isinstance(outcome, Done)
    assert "smtp" not in repr(outcome)


def test_a_bad_key_shows_in_the_first_call() -> None:
    outcome = probed(account(), lambda _path: answer({"status": "error", "message": "Invalid API Key"}, 401))
    assert isinstance(outcome, Paused)
    assert outcome.code == "bad_key"


def test_a_shipment_of_an_unknown_order_is_named() -> None:
    step = next(account().operation("shipment", {}).plan(shipment(), None))
    refused = step.read(answer({"status": "success", "orders": []}))
    assert isinstance(refused, Refused)
    assert refused.code == "unknown_order"


def test_lines_keep_their_own_values_beside_the_fixed_ones() -> None:
    payload = order_payload(order("1", line("A"), line("B")), OrderOptions(delivery_type="download"))
    assert [(one["code"], one["delivery_type"]) for one in payload["order_items"]] == [
        ("A", "download"),
        ("B", "download"),
    ]
