"""Keys that end, updates read back, empty cells, generation c, and Kapture's own list."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from driven import Driven, ended, listed, probed
from walk import FULL_ORDER, Stop, Walk, answer, first_step, line, order

from pipeline.errors import SetupError
from pipeline.sandbox.faults import Fault
from pipeline.sandbox.kapture import C_ORDER_PATH, CM_ID, ORDER_BLOCK, SimulatedKapture
from pipeline.settings import Secret
from pipeline.targets.contract import (
    Absent,
    Account,
    Done,
    Found,
    InDoubt,
    Later,
    Paused,
    PlanRefused,
    Prior,
    Refused,
    Unclear,
)
from pipeline.targets.kapture import build
from pipeline.targets.kapture.settings import expiry_warnings, read_account

CALLS = ("push", "update", "payment", "search", "pull")
KEYS = {call: Secret(f"sandbox-{call}-key", "test") for call in CALLS}
PASSWORD = Secret("sandbox-password", "test")
URL = "http://127.0.0.1:9/kapture"
C: dict[str, Any] = {
    "generation": "c", "user": "sandbox-user", "password": PASSWORD, "cm_id": CM_ID, "order_block": ORDER_BLOCK,
}  # fmt: skip


def account(base_url: str = URL, **table: Any) -> Account:
    settings = {"target": "kapture", "base_url": base_url, "rate": {"burst": 1000, "per_second": 1000}}
    return build("desk", {**settings, "settle_seconds": 5, **table})


def b(base_url: str = URL, **table: Any) -> Account:
    return account(base_url, **{"keys": KEYS, **table})


def orders(driven: Walk | Driven) -> list[dict[str, Any]]:
    target = driven.target if isinstance(driven, Walk) else driven.simulated
    found: list[dict[str, Any]] = target.truth()["orders"]
    return found


# --- keys with an end date ---


@pytest.mark.parametrize(
    ("days", "words"), [(-1, "ended on"), (0, "ends on"), (13, "ends on"), (14, None), (400, None)]
)
def test_a_key_is_warned_of_two_weeks_before_it_ends(days: int, words: str | None) -> None:
    today = date(2026, 12, 20)
    ends = today + timedelta(days=days)
    settings = read_account("desk", {"base_url": URL, "keys": KEYS, "expires": {"push": ends}})
    told = list(expiry_warnings(settings, today))
    assert len(told) == (0 if words is None else 1)
    assert all(f"keys.push {words} {ends}" in text for text in told)


def test_the_warning_reaches_the_account() -> None:
    (warning,) = b(expires={"pull": date(2020, 1, 1)}).warnings
    assert "keys.pull ended on 2020-01-01" in warning


# --- updates ---


def test_an_update_keeps_the_enquiry_id_and_an_order_unknown_to_the_ledger_is_a_persons() -> None:
    driven = Walk(b(), SimulatedKapture())
    operation = driven.account.operation("push_order", {})
    first = driven.run(operation, order())
    assert driven.run(operation, order(status="packed"), Prior(first, order())) == first
    with pytest.raises(PlanRefused) as refused:
        driven.run(operation, order(status="packed"), Prior({}, order()))
    assert refused.value.refused.code == "unknown_remote_id"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"status": "success", "message": {"id": "5001", "name": "Anna"}}, Done),
        ({"status": "success", "message": {"id": "5002"}}, Refused),
        ({"status": "success", "message": "text"}, Refused),
        ({"Status": "failed", "Message": "could not find the order"}, Refused),
        ({"status": "failed", "message": "Invalid Auth Key"}, Paused),
    ],
)
def test_what_is_read_back_has_to_be_the_order_that_was_changed(said: dict[str, Any], outcome: type) -> None:
    plan = b().operation("push_order", {}).plan(order(status="packed"), Prior({"id": "5001"}, order()))
    update = next(plan)
    assert (update.find, update.repeatable) == (None, False)
    read_back = plan.send({"id": "5001"})
    assert read_back.reads_only
    assert isinstance(read_back.read(answer(said)), outcome)


def test_without_a_search_key_nothing_is_read_back() -> None:
    keys = {call: KEYS[call] for call in ("push", "update")}
    driven = Walk(b(keys=keys), SimulatedKapture())
    operation = driven.account.operation("push_order", {})
    first = driven.run(operation, order())
    driven.run(operation, order(status="packed"), Prior(first, order()))
    assert [request.key for request in driven.sent] == ["push", "update"]


def test_an_empty_cell_leaves_what_is_there_and_a_cleared_one_empties_it() -> None:
    full = order(status="packed", payment_method="Visa", note="x", billing_address1="1 Main St", billing_city="Oslo")
    options = {"also_send": {"note": "remarks"}}
    driven = Walk(b(), SimulatedKapture())
    operation = driven.account.operation("push_order", options)
    first = driven.run(operation, replace(full, cleared=("expected_delivery_on",)))
    assert "expected_delivery_date" not in driven.sent[0].json[0]
    driven.run(operation, replace(order(billing_city="Bergen"), cleared=("note", "status")), Prior(first, full))
    (there,) = orders(driven)
    assert (there["order_status"], there["payment_mode"], there["remarks"]) == ("", "Visa", "")
    assert there["address"] == "1 Main St, Bergen"  # the street was told before, and the file says nothing of it
    assert operation.clears("note")
    assert not operation.clears("utm_source")


@pytest.fixture(params=["b", "c"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Driven]:
    made = b if request.param == "b" else lambda url: account(url, **C, pull_proves_absence=True)
    with Driven(tmp_path, SimulatedKapture(pull_shows_erp_id=True), made) as driven:
        yield driven


def test_day_two_sends_only_what_changed(desk: Driven) -> None:
    desk.deliver(order(order_id="A", status="new"), order(order_id="B", status="new"), to="push_order")
    desk.deliver(order(order_id="A", status="new"), order(order_id="B", status="packed"), to="push_order")
    assert [(one["erp_order_id"], one["order_status"], one["changes"]) for one in orders(desk)] == [
        ("A", "new", 0),
        ("B", "packed", 1),
    ]
    assert [one.state for one in desk.deliveries("push_order")] == ["delivered"] * 2 + ["unchanged", "delivered"]


@pytest.mark.parametrize("kind", ["drop_after", "error_after", "cut", "empty"])
def test_a_push_that_was_not_answered_is_found_and_not_repeated(desk: Driven, kind: str) -> None:
    desk.sandbox.faults.add([Fault(kind, times=1)])
    (delivery,) = desk.deliver(order(), to="push_order")
    assert (delivery.state, delivery.remote_id) == ("delivered", "5001")
    assert len(orders(desk)) == 1


# --- generation c ---


def test_generation_c_speaks_the_newer_addresses_with_user_and_password() -> None:
    driven = Walk(account(**C), SimulatedKapture())
    assert driven.run(driven.account.operation("push_order", {}), FULL_ORDER)["id"] == "5001"
    (request,) = driven.sent
    assert request.path == C_ORDER_PATH
    assert request.json["customer_info"] == {
        "customer_name": "Anna Maria Berg", "phone": "+4790000000", "email_id": "anna@example.com",
        "address": "Storgata 1", "city": "Bergen", "country": "NO", "pincode": "5003", "update": False,
    }  # fmt: skip
    assert request.json["contact_info"] == [
        {
            "first_name": "Anna", "last_name": "Berg", "contact_person_phone": "+4790000000",
            "contact_person_email": "anna@example.com", "matchEmailPhone": True,
        }
    ]  # fmt: skip
    block = request.json[ORDER_BLOCK]
    assert (block["erp_order_id"], block["grand_total"], "phone" in block) == ("EXP-17", "58.50", False)
    signed = driven.account.sign(request)
    assert signed.headers["Authorization"] == "Basic " + base64.b64encode(b"sandbox-user:sandbox-password").decode()
    assert "sandbox-password" not in repr(driven.account.show(request)) + repr(request)
    assert driven.account.show(request).headers["Authorization"] == "Basic ***"


def test_a_reply_that_echoes_the_password_is_blacked_out() -> None:
    step = first_step(account(**C).operation("push_order", {}), order())
    token = base64.b64encode(b"sandbox-user:sandbox-password").decode()
    refused = step.read(answer({"status": "failed", "message": f"no {token} sandbox-password"}))
    assert isinstance(refused, Refused)
    assert "no *** ***" in refused.message


def test_names_of_the_order_block_are_the_tenants() -> None:
    named = account(**C, order_fields={"grand_total": "order_value", "zip_code": ""})
    request = first_step(named.operation("push_order", {"also_send": {"note": "remarks"}}), FULL_ORDER).request
    block = request.json[ORDER_BLOCK]
    assert (block["order_value"], block["remarks"]) == ("58.50", FULL_ORDER.text("note"))
    assert not {"grand_total", "zip_code", "address"} & set(block)


def test_an_update_of_generation_c_names_the_order_in_its_block() -> None:
    driven = Walk(account(**C), SimulatedKapture())
    operation = driven.account.operation("push_order", {})
    first = driven.run(operation, order())
    driven.run(operation, order([line("workbook")], status="packed"), Prior(first, order()))
    assert driven.sent[-1].json[ORDER_BLOCK]["order_id"] == "5001"
    assert orders(driven)[0]["order_status"] == "packed"


def test_our_own_id_is_a_filter_and_its_absence_is_believed_on_request_only() -> None:
    driven = Walk(account(**C), SimulatedKapture())
    step = first_step(driven.account.operation("push_order", {}), order())
    assert isinstance(driven.look(step), Unclear)
    vouched = Walk(account(**C, pull_proves_absence=True), driven.target)
    assert vouched.look(first_step(vouched.account.operation("push_order", {}), order())) == Absent()
    driven.run(driven.account.operation("push_order", {}), order())
    assert driven.look(step) == Found({"id": "5001"})
    driven.run(driven.account.operation("push_order", {}), order())
    assert isinstance(driven.look(step), Unclear)


@pytest.mark.parametrize(
    "said",
    [
        {"status": "success", "orders": [{"orderId": "1", "erpOrderId": "EXP-1"}]},  # the filter was not heeded
        {"status": "success", "orders": [{"orderId": "1"}]},
        {"status": "success"},
        {"status": "success", "orders": [], "data": []},
        {"orders": []},
    ],
)
def test_an_unreadable_pull_of_generation_c_is_never_absence(said: dict[str, Any]) -> None:
    step = first_step(account(**C, pull_proves_absence=True).operation("push_order", {}), order())
    assert step.find is not None
    assert isinstance(ended(step.find(), answer(said)), Unclear)


@pytest.mark.parametrize("inner", ["message", "data"])
def test_a_reply_with_the_order_one_level_down_is_read(inner: str) -> None:
    step = first_step(account(**C).operation("push_order", {}), order())
    assert step.read(answer({"status": "success", inner: {"orderId": 5001}})) == Done({"id": "5001"})
    assert isinstance(step.read(answer({"status": "success", inner: {}})), InDoubt)


@pytest.mark.parametrize(
    ("table", "operation", "words"),
    [
        ({"password": None}, "push_order", "user and password"),
        ({"order_block": ""}, "push_order", "order_block"),
        ({}, "payment", "keys.payment"),
    ],
)
def test_what_generation_c_lacks_is_said(table: dict[str, Any], operation: str, words: str) -> None:
    settings = {name: value for name, value in (C | table).items() if value is not None}
    with pytest.raises(SetupError, match=words):
        account(**settings).operation(operation, {})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"user": "x"}, "generation"),
        ({"cm_id": 4}, "cm_id belongs to generation"),
        ({"generation": "d"}, "d"),
        ({**C, "user": "a:b"}, "colon"),
        ({**C, "cm_id": 0}, "cm_id"),
        ({**C, "auth_in": "query"}, "auth_in"),
        ({**C, "order_block": "product_details"}, "order_block"),
        ({**C, "order_fields": {"grandtotal": "x"}}, "grand_total"),
        ({**C, "look_first": True}, "pull_proves_absence"),
        ({"paths": {"push": "//evil.example/x y"}}, "paths.push"),
        ({"paths": {"pushes": "/x"}}, "push"),
        ({"expires": {"push": "soon"}}, "expires"),
    ],
)
def test_wrong_settings_are_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(SetupError, match=words):
        account(**table)


def test_a_problem_of_the_name_is_told_before_anything_is_sent() -> None:
    nameless = order(first_name=None, last_name=None)
    assert [one.code for one in account(**C).operation("push_order", {}).problems(nameless)] == ["no_name"]
    assert b().operation("push_order", {}).problems(nameless) == []


def test_addresses_can_be_set() -> None:
    step = first_step(b(paths={"push": "/v.2.0/orders.html"}).operation("push_order", {}), order())
    assert step.request.path == "/v.2.0/orders.html"


# --- look-ups and the account ---


@pytest.mark.parametrize(
    ("said", "trouble"),
    [(answer("", 429), Later), (answer("", 503), Later), (answer("", 401), Paused),
     (answer({"status": "failed", "message": "Invalid Auth Key"}), Paused),
     (answer({"Status": "Fail", "Message": "Auth Key Expired"}), Paused),
     (answer({"status": "failed", "message": "ServerFailure"}), Later), (answer("<html>"), type(None))],
)  # fmt: skip
@pytest.mark.parametrize("made", [b, lambda: account(**C)])
def test_trouble_of_the_account_in_a_look_up_is_no_rows_fault(made: Any, said: Any, trouble: type) -> None:
    step = first_step(made().operation("push_order", {}), order())
    assert step.find is not None
    finding = ended(step.find(), said)
    assert isinstance(finding, Unclear)
    assert isinstance(finding.trouble, trouble)


# --- the tenant's own list ---


def test_the_list_of_some_days_shows_every_order_with_its_key() -> None:
    driven = Walk(b(list_days_back=2), SimulatedKapture(pull_shows_erp_id=True))
    operation = driven.account.operation("push_order", {})
    for number in range(5):
        when = datetime(2026, 1, 5, 12, tzinfo=UTC) + timedelta(days=number)
        driven.run(operation, order(order_id=f"EXP-{number}", ordered_at=when))
    driven.sent.clear()
    since, until = datetime(2026, 1, 8, tzinfo=UTC), datetime(2026, 1, 8, 23, tzinfo=UTC)
    found = listed(driven.account, driven.ask, "push_order", since, until)
    assert [(one.key, one.remote_id) for one in found] == [(f"EXP-{n}", str(5001 + n)) for n in range(5)]
    assert found[0].facts == {"email": "anna@example.com"}
    assert len(driven.sent) == 5  # three days before, and a day more at the end
    assert listed(driven.account, driven.ask, "update_order", since, until) is None


def test_half_a_list_proves_nothing_and_no_key_is_no_list() -> None:
    since = datetime(2026, 1, 6, tzinfo=UTC)
    assert isinstance(listed(b(), lambda _request: answer("<html>"), "push_order", since, since), Unclear)
    assert b(keys={"push": KEYS["push"]}).listing is None
    assert account(**C).listing is None


# --- the probe ---


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"status": "failed", "message": "Invalid Auth Key"}, "bad_key"),
        ({"Status": "Fail", "Message": "Auth Key Expired"}, "expired_key"),
        ({"status": "failed", "message": "Invalid Json."}, "wrong_shape"),
    ],
)
@pytest.mark.parametrize("made", [b, lambda: account(**C)])
def test_the_probe_tells_troubles_apart(made: Any, said: dict[str, Any], code: str) -> None:
    outcome = probed(made(), lambda _path: answer(said))
    assert isinstance(outcome, Paused)
    assert outcome.code == code


def test_an_address_of_the_other_generation_is_told() -> None:
    outcome = probed(account(**C), lambda _path: answer("<html>Not Found</html>", 404))
    assert isinstance(outcome, Paused)
    assert "generation" in outcome.advice


def test_the_probe_of_generation_c_reads() -> None:
    driven = Walk(account(**C), SimulatedKapture())
    assert "reading key" in driven.probe()["note"]
    assert "cm_id" in Walk(account(**{**C, "cm_id": None}), SimulatedKapture()).probe()["note"]
    with pytest.raises(Stop):
        Walk(account(**{**C, "password": Secret("wrong", "test")}), SimulatedKapture()).probe()
