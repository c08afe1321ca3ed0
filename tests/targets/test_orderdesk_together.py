"""Many stock rows in one call: half-taken arrays, lost and late answers come out right row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from orderdesk_shop import Shop, account, stock

from pipeline.errors import SetupError
from pipeline.ledger import sends
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.orderdesk import SimulatedOrderDesk

TOGETHER = {"together": 50}
SKUS = [f"SKU-{number}" for number in range(6)]
LOST = ["drop_before", "drop_after", "error_before", "error_after", "html", "empty", "cut", "late"]


@pytest.fixture(params=["", "silently", "aloud"])
def shop(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Shop]:
    with Shop(tmp_path, SimulatedOrderDesk(halves_batches=request.param)) as made:
        yield made


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[Shop]:
    with Shop(tmp_path, SimulatedOrderDesk()) as made:
        yield made


def rows(price: int, *, skus: list[str] = SKUS, **fields: Any) -> list[Any]:
    return [stock(sku, price=Decimal(price), **fields) for sku in skus]


def prices(shop: Shop) -> dict[str, Any]:
    return {one["code"]: one["price"] for one in shop.truth("inventory_items")}


def states(shop: Shop, count: int = len(SKUS)) -> set[str]:
    return {one.state for one in shop.deliveries("inventory_item")[-count:]}


def known(shop: Shop, price: int = 1) -> None:
    shop.deliver(*rows(price, location="Oslo", stock=Decimal(3)), to="inventory_item")


def test_changed_rows_go_in_one_call_and_each_is_read_back(shop: Shop) -> None:
    known(shop)
    shop.deliver(*rows(2), to="inventory_item", options=TOGETHER)
    assert prices(shop) == dict.fromkeys(SKUS, 2)
    assert states(shop) == {"delivered"}
    assert {one["location"] for one in shop.truth("inventory_items")} == {"Oslo"}
    assert shop.sent("PUT").count("PUT /batch-inventory-items") == 1


def test_a_thousand_rows_take_a_handful_of_calls(whole: Shop) -> None:
    skus = [f"S{number}" for number in range(120)]
    whole.deliver(*rows(1, skus=skus), to="inventory_item")
    before = len(whole.sandbox.calls)
    whole.deliver(*rows(2, skus=skus), to="inventory_item", options=TOGETHER)
    assert prices(whole) == dict.fromkeys(skus, 2)
    assert len(whole.sandbox.calls) - before == 3 * 3  # 50, 50 and 20 rows: look, change, look


def test_new_and_unchanged_rows_are_told_apart(shop: Shop) -> None:
    known(shop)
    shop.deliver(*rows(1, location="Oslo", stock=Decimal(3)), *rows(9, skus=["NEW"]), to="inventory_item",
                 options=TOGETHER)  # fmt: skip
    found = {one.record_key: one.state for one in shop.deliveries("inventory_item")[-7:]}
    assert found == dict.fromkeys(SKUS, "unchanged") | {"NEW": "delivered"}
    assert shop.sent("PUT") == []
    shop.deliver(*rows(1, note="x"), to="inventory_item", options=TOGETHER)  # other content, nothing to change there
    assert states(shop) == {"already_there"}
    assert shop.sent("PUT") == []


@pytest.mark.parametrize("kind", LOST)
def test_an_answer_that_does_not_come_settles_row_by_row(shop: Shop, kind: str) -> None:
    known(shop)
    shop.sandbox.faults.add([Fault(kind, path="batch", times=1, seconds=3600)])
    shop.deliver(*rows(2), to="inventory_item", options=TOGETHER)
    shop.sandbox.finish_late()
    assert prices(shop) == dict.fromkeys(SKUS, 2)
    assert states(shop) == {"delivered"}
    assert shop.drain().attended == 0


@pytest.mark.parametrize("kind", ["throttle", "drop_before", "error_before", "html", "empty", "cut"])
@pytest.mark.parametrize("skip", [0, 1])
def test_a_look_that_fails_before_or_after_the_call_loses_nothing(shop: Shop, kind: str, skip: int) -> None:
    known(shop)
    fault = Fault(kind, method="GET", path="inventory", only_writes=False, times=1, skip=skip, seconds=2)
    shop.sandbox.faults.add([fault])
    shop.deliver(*rows(2), to="inventory_item", options=TOGETHER)
    assert prices(shop) == dict.fromkeys(SKUS, 2)
    assert states(shop) == {"delivered"}


def test_a_throttled_call_is_made_again_for_all(whole: Shop) -> None:
    known(whole)
    whole.sandbox.faults.add([Fault("throttle", path="batch", times=1, seconds=2)])
    whole.deliver(*rows(2), to="inventory_item", options=TOGETHER)
    assert (prices(whole), states(whole)) == (dict.fromkeys(SKUS, 2), {"delivered"})
    assert set(whole.sent("PUT")) == {"PUT /batch-inventory-items"}


def test_a_bad_key_pauses_the_account_and_no_row_is_blamed(whole: Shop) -> None:
    known(whole)
    whole.sandbox.faults.add([Fault("unauthorized", path="batch", times=1)])
    whole.take_in(*rows(2), to="inventory_item", options=TOGETHER)
    drained = whole.drain()
    assert drained.paused is not None
    assert states(whole) == {"waiting"}
    whole.drain()
    assert (prices(whole), states(whole)) == (dict.fromkeys(SKUS, 2), {"delivered"})


def test_a_store_without_the_call_gets_every_row_alone(whole: Shop) -> None:
    known(whole)
    whole.sandbox.faults.add([Fault("refuse", path="batch")])
    whole.deliver(*rows(2), to="inventory_item", options=TOGETHER)
    assert (prices(whole), states(whole)) == (dict.fromkeys(SKUS, 2), {"delivered"})
    assert len(whole.sent("PUT", "/inventory-items/")) == len(SKUS)


def test_a_crash_after_the_intents_is_looked_up(whole: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    known(whole)
    whole.take_in(*rows(2), to="inventory_item", options=TOGETHER)

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.delivery.together.Group._outcome", killed)
        with pytest.raises(Killed):
            whole.drain()
    with whole.engine.connect() as connection:
        journals = [sends.steps_of(connection, one.id) for one in whole.deliveries("inventory_item")[-6:]]
    assert {step.state for journal in journals for step in journal.values()} == {"intended"}
    whole.drain()
    assert (prices(whole), states(whole)) == (dict.fromkeys(SKUS, 2), {"delivered"})


def test_what_cannot_be_listed_with_others_goes_alone(whole: Shop) -> None:
    skus = ["A,B", "C D"]
    whole.deliver(*rows(1, skus=["C D"]), to="inventory_item")
    whole.deliver(*rows(2, skus=skus), to="inventory_item", options=TOGETHER)
    found = {one.record_key: one.state for one in whole.deliveries("inventory_item")[-2:]}
    assert found == {"A,B": "refused", "C D": "delivered"}


def test_two_records_of_one_stock_row_do_not_share_a_call(whole: Shop) -> None:
    known(whole)
    twice = [replace(record, key=f"{record.key}/2") for record in rows(3)]
    whole.deliver(*rows(2), *twice, to="inventory_item", options=TOGETHER)
    assert prices(whole) == dict.fromkeys(SKUS, 3)
    assert states(whole, 12) == {"delivered"}


@pytest.mark.parametrize("most", [-1, 101, "many"])
def test_a_call_has_its_limits(most: object) -> None:
    with pytest.raises(SetupError, match="together"):
        account().operation("inventory_item", {"together": most})
