"""Products known before sending, status changes of a delivered order, and the shop's own list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from driven import Driven, ended, listed, probed
from walk import Stop, Walk, answer, line, order

from pipeline.ledger import deliveries as book
from pipeline.model import Record
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
from pipeline.settings import Secret
from pipeline.targets.contract import Account, Done, Later, Paused, PlanRefused, Prior, Refused, Unclear
from pipeline.targets.influencersoft import build
from pipeline.targets.influencersoft.lookup import windows

KEY = Secret("sandbox-key", "test")
PAID_AT = datetime(2026, 1, 6, 10, 0, tzinfo=UTC)
SHIPPED_AT = datetime(2026, 1, 7, 15, 30, tzinfo=UTC)


def account(base_url: str = "https://demo-shop.influencersoft.com", **table: Any) -> Account:
    settings = {"target": "influencersoft", "login": "demo-shop", "api_key": KEY, "secret": KEY, "base_url": base_url}
    return build("school", {**settings, "rate": {"burst": 1000, "per_second": 1000}, "settle_seconds": 5, **table})


def walk(shop: SimulatedInfluencerSoft | None = None, **table: Any) -> Walk:
    return Walk(account(**table), shop or SimulatedInfluencerSoft())


def paths(driven: Walk) -> list[str]:
    return [request.path.removeprefix("/api/") for request in driven.sent]


def the_order(driven: Walk | Driven) -> dict[str, Any]:
    target = driven.target if isinstance(driven, Walk) else driven.simulated
    (there,) = target.truth()["orders"]
    return there


# --- products, before anything is sent ---


def test_the_product_list_is_read_once_for_many_orders() -> None:
    driven = walk(secret=None)
    for number in range(3):
        operation = driven.account.operation("create_order", {})  # each drain binds its operations anew
        driven.run(operation, order(order_id=f"EXP-{number}"))
    assert paths(driven) == ["getgoods", "createorder", "createorder", "createorder"]


def test_an_unknown_product_is_refused_unsent_and_asked_for_again_each_time() -> None:
    shop = SimulatedInfluencerSoft(products=["workbook"])
    driven = walk(shop, secret=None)
    operation = driven.account.operation("create_order", {})
    driven.run(operation, order([line("workbook")]))
    for _ in range(2):
        with pytest.raises(Stop) as stopped:
            driven.run(operation, order([line("course-new")], order_id="EXP-2"))
        assert isinstance(stopped.value.outcome, Refused)
        assert (stopped.value.outcome.code, stopped.value.outcome.field) == ("unknown_product", "sku")
    shop._products = ("workbook", "course-new")  # made in the shop at noon
    driven.run(operation, order([line("course-new")], order_id="EXP-2"))
    assert paths(driven).count("getgoods") == 4
    assert len(shop.truth()["orders"]) == 2


def test_a_shop_that_does_not_show_its_products_is_not_asked_again() -> None:
    driven = walk(SimulatedInfluencerSoft(closed=["getgoods"]), secret=None)
    for number in range(2):
        driven.run(driven.account.operation("create_order", {}), order(order_id=f"EXP-{number}"))
    assert paths(driven) == ["getgoods", "createorder", "createorder"]


def test_a_coupon_is_looked_up_once() -> None:
    driven = walk(secret=None, check_products=False)
    for number in range(2):
        driven.run(driven.account.operation("create_order", {}), order(order_id=f"EXP-{number}", coupon_code="WINTER"))
    assert paths(driven) == ["getcoupons", "createorder", "createorder"]


def test_a_dry_run_teaches_the_catalogue_nothing() -> None:
    operation = account().operation("create_order", {})
    names = []
    for _ in range(2):
        plan = operation.plan(order(), None)
        names.append([next(plan).name, plan.send({"id": "<id>"}).name])
    assert names == [["goods", "order"]] * 2


# --- status changes ---


@pytest.fixture(params=[True, False], ids=["number told", "number not told"])
def school(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Driven]:
    """Whether ``createorder`` tells the number of the order is not documented: both have to do."""
    with Driven(tmp_path, SimulatedInfluencerSoft(shows_bill_id=request.param), account) as driven:
        yield driven


def test_a_paid_and_shipped_order_is_told_and_nothing_is_created(school: Driven) -> None:
    school.deliver(order(), to="create_order")
    (paid,) = school.deliver(order(paid_at=PAID_AT, payment_method="Visa"), to="create_order")
    assert (paid.state, the_order(school)["status"]) == ("delivered", "Paid")
    shipped = order(
        paid_at=PAID_AT, payment_method="Visa", tracking_number="NO1", shipped_at=SHIPPED_AT, carrier="Bring"
    )
    (sent,) = school.deliver(shipped, to="create_order")
    assert (sent.state, sent.remote_id) == ("delivered", "100234")
    assert the_order(school)["changes"] == [
        {"bill_id": "100234", "status": "paid", "date": str(int(PAID_AT.timestamp()))},
        {"bill_id": "100234", "status": "sent", "date": str(int(SHIPPED_AT.timestamp())), "rpo": "NO1"},
    ]
    (same,) = school.deliver(shipped, to="create_order")
    assert same.state == "unchanged"
    (never_sent,) = school.deliver(
        order(paid_at=PAID_AT, tracking_number="NO1", shipped_at=SHIPPED_AT, company="Berg AS"), to="create_order"
    )
    assert never_sent.state == "already_there"
    assert len(the_order(school)["changes"]) == 2


@pytest.mark.parametrize(("status", "word"), [("cancelled", "cancel"), ("refunded", "return")])
def test_an_order_is_cancelled_and_refunded(school: Driven, status: str, word: str) -> None:
    school.deliver(order(), to="create_order")
    school.deliver(order(status=status), to="create_order")
    assert [change["status"] for change in the_order(school)["changes"]] == [word]
    (back,) = school.deliver(order(status="expected"), to="create_order")
    assert (back.state, back.problems[0]["code"]) == ("refused", "status_not_reversible")


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        (order(email="else@example.com"), "only_status_can_change", "email"),
        (order([line(price="59.00")]), "only_status_can_change", "unit_price"),
        (order([line("workbook")]), "only_status_can_change", "sku"),
        (order(note="call first"), "only_status_can_change", "note"),
        (order(status="Paid"), "no_paid_at", "paid_at"),
        (order(tracking_number="NO1"), "no_shipped_at", "shipped_at"),
    ],
)
def test_what_cannot_change_is_refused_and_named(tmp_path: Path, changed: Record, code: str, field: str) -> None:
    with Driven(tmp_path, SimulatedInfluencerSoft(), account) as driven:
        driven.deliver(order(), to="create_order")
        calls = len(driven.paths())
        (delivery,) = driven.deliver(changed, to="create_order")
        assert (delivery.state, delivery.problems[0]["code"], delivery.problems[0]["field"]) == ("refused", code, field)
        assert len(driven.paths()) == calls
        assert the_order(driven)["changes"] == []


def test_without_a_secret_on_change_decides() -> None:
    assert not account(secret=None).operation("create_order", {}).can_update
    assert account(secret=None).listing is None


def test_an_order_nobody_can_name_is_a_persons() -> None:
    driven = walk()
    with pytest.raises(PlanRefused) as refused:
        driven.run(driven.account.operation("create_order", {}), order(paid_at=PAID_AT), Prior({"id": None}, order()))
    assert refused.value.refused.code == "unknown_remote_id"


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "error_after", "html", "empty"])
def test_a_lost_answer_to_a_payment_tells_it_once(school: Driven, kind: str) -> None:
    school.deliver(order(), to="create_order")
    school.sandbox.faults.add([Fault(kind, path="UpdateOrderStatus", times=1)])
    (delivery,) = school.deliver(order(paid_at=PAID_AT), to="create_order")
    assert delivery.state == "delivered"
    assert [change["status"] for change in the_order(school)["changes"]] == ["paid"]


def test_a_parcel_that_may_have_been_told_is_a_persons(school: Driven) -> None:
    """No read shows whether an order was marked as sent, and a second time may write to the customer again."""
    school.deliver(order(paid_at=PAID_AT), to="create_order")
    school.sandbox.faults.add([Fault("drop_after", path="UpdateOrderStatus", times=1)])
    shipped = order(paid_at=PAID_AT, tracking_number="NO1", shipped_at=SHIPPED_AT)
    (delivery,) = school.deliver(shipped, to="create_order")
    for _ in range(8):
        school.clock.time += 3600
        school.drain()
    (delivery,) = school.deliveries("create_order")[-1:]
    assert (delivery.state, delivery.due_at) == ("in_doubt", None)
    assert len(the_order(school)["changes"]) == 1


def test_an_order_already_paid_at_the_shop_is_not_told_again(school: Driven) -> None:
    school.deliver(order(), to="create_order")
    simulated: Any = school.simulated
    simulated._change({"bill_id": "100234", "status": "paid", "date": "1"})
    (delivery,) = school.deliver(order(paid_at=PAID_AT), to="create_order")
    assert delivery.state == "delivered"
    assert len(the_order(school)["changes"]) == 1


@pytest.mark.parametrize(
    ("code", "outcome", "said"),
    [(302, Refused, "order_not_found"), (303, Refused, "wrong_status"), (202, Refused, "not_paid"),
     (4, Paused, "bad_key"), (1, Paused, "wrong_generation"), (8, Later, "quota")],
)  # fmt: skip
def test_every_answer_to_a_change_of_status_has_its_outcome(code: int, outcome: type, said: str) -> None:
    plan = account().operation("create_order", {}).plan(order(paid_at=PAID_AT), Prior({"id": "7"}, order()))
    next(plan)
    step = plan.send({"pay_status": "waiting"})
    got: Any = step.read(answer({"error_code": code, "error_text": "no"}))
    assert (type(got), got.code) == (outcome, said)
    if outcome is Paused:
        assert "api_key" not in got.advice


def test_a_changed_total_that_is_paid_is_still_only_a_payment() -> None:
    """``amount_paid`` is never sent itself: it only decides between Expected and Paid."""
    driven = walk(SimulatedInfluencerSoft(shows_bill_id=True))
    operation = driven.account.operation("create_order", {})
    first = driven.run(operation, order())
    driven.run(operation, order(amount_paid=Decimal("49.00"), paid_at=PAID_AT), Prior(first, order()))
    assert the_order(driven)["status"] == "Paid"


# --- look-ups where the e-mail cannot tell ---


def test_a_closed_list_of_bills_is_made_up_for_by_the_days() -> None:
    driven = walk(SimulatedInfluencerSoft(closed=["GetBills"]), check_products=False)
    operation = driven.account.operation("create_order", {})
    step = next(operation.plan(order(), None))
    assert isinstance(driven.look(step), Unclear)
    driven.run(operation, order())
    assert driven.look(step).result == {"id": "100234"}
    driven.run(operation, order())
    assert isinstance(driven.look(step), Unclear)  # two carry the mark


@pytest.mark.parametrize(
    ("said", "trouble"),
    [(answer("", 429), Later), (answer("", 503), Later), (answer("", 401), Paused), (answer({"error_code": 8}), Later),
     (answer({"error_code": 4}), Paused), (answer({"error_code": 2}), type(None)), (answer("<html>"), type(None))],
)  # fmt: skip
def test_trouble_of_the_account_in_a_look_up_is_no_rows_fault(said: Any, trouble: type) -> None:
    step = next(account(check_products=False).operation("create_order", {}).plan(order(), None))
    assert step.find is not None
    finding = ended(step.find(), said)
    assert isinstance(finding, Unclear)
    assert isinstance(finding.trouble, trouble)


# --- the shop's own list ---


def test_the_list_of_a_year_is_read_in_windows_the_shop_does_not_cut() -> None:
    driven = walk(check_products=False)
    for number in range(13):
        when = datetime(2025, 1, 5, 12, tzinfo=UTC) + timedelta(days=28 * number)
        mark = {"mark_in": "note"} if number % 2 else {}
        record = order(order_id=f"EXP-{number}", ordered_at=when, note="thanks")
        driven.run(driven.account.operation("create_order", mark), record)
    driven.sent.clear()
    since, until = datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 31, tzinfo=UTC)
    found = listed(driven.account, driven.ask, "create_order", since, until)
    assert {one.key for one in found} == {f"EXP-{number}" for number in range(13)}
    assert found[0].facts == {"email": "anna@example.com"}
    assert len(driven.sent) == 13
    assert listed(driven.account, driven.ask, "nothing", since, until) is None


def test_windows_meet_without_a_gap() -> None:
    first, last = datetime(2026, 1, 1).date(), datetime(2026, 3, 5).date()
    pieces = list(windows(first, last))
    assert pieces[0][0] == first
    assert pieces[-1][1] == last
    assert all(end + timedelta(days=1) == start for (_, end), (start, _) in pairwise(pieces))
    assert max((end - start).days for start, end in pieces) == 29


@pytest.mark.parametrize(
    "said", [answer({"error_code": 2}), answer("<html>"), answer({"error_code": 0, "result": [1]})]
)
def test_half_a_list_proves_nothing(said: Any) -> None:
    since = datetime(2025, 1, 1, tzinfo=UTC)
    assert isinstance(listed(account(), lambda _request: said, "create_order", since, since), Unclear)


# --- the probe ---


@pytest.mark.parametrize(
    ("said", "code"),
    [({"error_code": 1}, "wrong_generation"), ({"error_code": 2}, "not_enabled"), ({"error_code": 4}, "bad_key"),
     ({"error_code": 5}, "bad_login"), ({"error_code": 6}, "address_not_allowed"), ({"error_code": 7}, "not_enabled"),
     ({"error_code": 8}, "not_enabled")],
)  # fmt: skip
@pytest.mark.parametrize("where", ["/api/getgoods", "/api/GetAllGoods"])
def test_the_probe_tells_troubles_apart(said: dict[str, Any], code: str, where: str) -> None:
    good = {"error_code": 0, "result": [{"good_name": "x"}]}
    outcome = probed(account(), lambda path: answer(said if path == where else good))
    assert isinstance(outcome, Paused)
    assert outcome.code == code


def test_the_probe_proves_key_and_secret() -> None:
    driven = walk()
    assert "secret is good" in driven.probe()["note"]
    assert "secret" not in walk(secret=None).probe()["note"]
    with pytest.raises(Stop) as stopped:
        walk(secret=Secret("wrong", "test")).probe()
    assert isinstance(stopped.value.outcome, Paused)
    assert "secret" in stopped.value.outcome.advice
    assert isinstance(probed(account(), lambda _path: answer({"error_code": 700})), Done)


def test_an_order_in_doubt_stays_in_doubt_when_its_product_is_gone(tmp_path: Path) -> None:
    """A check before sending must not call an order refused that may have arrived."""
    shop = SimulatedInfluencerSoft()
    with Driven(tmp_path, shop, lambda url: account(url, secret=None)) as driven:
        driven.sandbox.faults.add([Fault("drop_after", path="createorder", times=1)])
        (delivery,) = driven.deliver(order(), to="create_order")
        assert delivery.state == "in_doubt"
        shop._products = ("workbook",)
        driven.account = account(driven.account.base_url, secret=None)  # the next run knows no products yet
        driven.writer.write(lambda c: book.move(c, delivery.id, "in_doubt", 0, due_at=0))
        driven.drain()
        (delivery,) = driven.deliveries("create_order")
        assert (delivery.state, delivery.due_at) == ("in_doubt", None)
        assert "product" in delivery.problems[0]["message"]
        assert len(driven.truth("orders")) == 1
