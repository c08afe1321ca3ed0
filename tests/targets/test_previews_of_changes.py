"""What a preview shows of a changed record: the same calls as a run, nobody answering, whatever the ledger knows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orderdesk_shop
import pytest
from walk import order

from pipeline.settings import Secret
from pipeline.targets.contract import Account, Prior
from pipeline.targets.influencersoft import build as build_school
from pipeline.targets.kapture import build as build_desk

KEY = Secret("a-key", "test")
KEYS = dict.fromkeys(("push", "update", "search"), KEY)
WHEN = datetime(2026, 1, 6, tzinfo=UTC)
SCHOOL = build_school("school", {"login": "demo-shop", "api_key": KEY, "secret": KEY})
DESK = build_desk("desk", {"base_url": "https://demo.kapturecrm.com", "keys": KEYS})
SHOP = orderdesk_shop.account()
PAID = order(paid_at=WHEN, tracking_number="NO1", shipped_at=WHEN)


def previewed(account: Account, operation: str, record: Any, prior: Prior | None, **options: Any) -> list[str]:
    plan = account.operation(operation, options).plan(record, prior)
    names = []
    try:
        step = next(plan)
        while True:
            assert account.show(step.request).url
            names.append(step.name)
            step = plan.send(step.preview if step.preview is not None else {"id": f"<id of {step.name}>"})
    except StopIteration:
        return names


@pytest.mark.parametrize(
    ("told", "looked"), [({"id": "7"}, []), ({"id": None}, ["find order 1"]), ({}, ["find order 1"])]
)
def test_a_change_of_status(told: dict[str, Any], looked: list[str]) -> None:
    changed = ["see status before paid", "status paid", "see status before sent", "status sent"]
    assert previewed(SCHOOL, "create_order", PAID, Prior(told, order())) == looked + changed


def test_a_change_at_kapture() -> None:
    assert previewed(DESK, "push_order", PAID, Prior({"id": "5001"}, order())) == ["update", "read back"]


@pytest.mark.parametrize(("told", "looked"), [({"id": "7"}, []), ({}, ["find order"])])
def test_a_change_at_order_desk(told: dict[str, Any], looked: list[str]) -> None:
    names = previewed(SHOP, "order", PAID, Prior(told, order()))
    assert names == [*looked, "read order", "replace order"]


def test_a_fresh_order_with_all_that_follows() -> None:
    names = previewed(SHOP, "order", PAID, None, folder="Prepared", history_note="Taken")
    assert names == ["order", "move", "history note"]
    assert previewed(SCHOOL, "create_order", order(coupon_code="WINTER"), None) == ["goods", "coupon", "order"]
