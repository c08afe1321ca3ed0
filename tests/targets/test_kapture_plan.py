from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from walk import FULL_ORDER, Stop, Walk, answer, first_step, line, order

from pipeline.errors import SetupError
from pipeline.model import Record
from pipeline.sandbox.kapture import PAYMENT_PATH, SimulatedKapture
from pipeline.settings import Secret
from pipeline.targets.contract import Absent, Found, InDoubt, Paused, Prior, Refused, Request, Unclear
from pipeline.targets.kapture import build
from pipeline.targets.kapture.settings import ORDER_PATH

CALLS = ("push", "update", "payment", "search", "pull")


def secrets(*calls: str) -> dict[str, Secret]:
    return {call: Secret(f"sandbox-{call}-key", "test") for call in calls}


def walk(tenant: SimulatedKapture | None = None, keys: Any = CALLS, **table: Any) -> Walk:
    named = secrets(*keys) if isinstance(keys, tuple) else keys
    settings = {"target": "kapture", "base_url": "http://127.0.0.1:9/kapture", "keys": named, **table}
    return Walk(build("desk", settings), tenant or SimulatedKapture())


def orders(driven: Walk) -> list[dict[str, Any]]:
    return driven.target.truth()["orders"]


def push(driven: Walk, record: Record, prior: Prior | None = None) -> Any:
    return driven.run(driven.account.operation("push_order", {}), record, prior)


def test_a_full_order_arrives() -> None:
    driven = walk()
    assert push(driven, FULL_ORDER) == {"id": "5001", "enquiry_id": "7001", "customer_id": "9001"}
    (arrived,) = orders(driven)
    assert arrived["erp_order_id"] == "EXP-17"
    assert arrived["grand_total"] == "58.50"
    assert [product["sku_id"] for product in arrived["product_details"]] == ["course-basic", "workbook"]


def test_a_tenant_may_want_the_bare_object() -> None:
    assert push(walk(SimulatedKapture(wants_array=False), wrap={"push": "object"}), order())["id"] == "5001"
    with pytest.raises(Stop) as stopped:
        push(walk(SimulatedKapture(wants_array=False)), order())
    assert isinstance(stopped.value.outcome, Paused)
    assert "wrap" in stopped.value.outcome.advice


def test_keys_travel_in_the_header_as_issued_and_are_never_shown() -> None:
    driven = walk(keys=("push",))
    push(driven, order())
    (request,) = driven.sent
    signed = driven.account.sign(request)
    assert signed.headers["Authorization"] == "Basic sandbox-push-key"
    assert "?" not in signed.url
    shown = driven.account.show(request)
    assert "sandbox-push-key" not in repr(shown) + repr(request)
    assert shown.headers["Authorization"] == "Basic ***"


def test_a_key_copied_with_its_scheme_is_sent_once() -> None:
    account = walk(keys={"push": Secret(" Basic abc= \n", "test")}).account
    assert account.sign(Request("POST", "/x", json=[], key="push")).headers["Authorization"] == "Basic abc="


def test_keys_in_the_query_are_opt_in_and_warned_of() -> None:
    driven = walk(auth_in="query")
    push(driven, order())
    signed, shown = driven.account.sign(driven.sent[0]), driven.account.show(driven.sent[0])
    assert signed.url.endswith("?auth_key=sandbox-push-key")
    assert shown.url.endswith("?auth_key=***")
    assert "Authorization" not in signed.headers
    assert any("auth_in" in warning for warning in driven.account.warnings)


def test_the_body_is_plain_ascii() -> None:
    content = walk().account.sign(Request("POST", "/x", json=[{"name": "Ærlig ☃ \ud800"}], key="push")).content
    assert content.isascii()


@pytest.mark.parametrize(("expired", "code"), [((), "bad_key"), (("push",), "expired_key")])
def test_a_bad_key_pauses(expired: tuple[str, ...], code: str) -> None:
    table = {} if expired else {"keys": {"push": Secret("wrong", "test")}}
    with pytest.raises(Stop) as stopped:
        push(walk(SimulatedKapture(expired=expired), **table), order())
    assert isinstance(stopped.value.outcome, Paused)
    assert stopped.value.outcome.code == code


def test_a_field_the_tenant_requires_is_named() -> None:
    with pytest.raises(Stop) as stopped:
        push(walk(SimulatedKapture(required=["zip_code"])), order())
    assert isinstance(stopped.value.outcome, Refused)
    assert stopped.value.outcome.field == "shipping_postal_code"


# --- updates ---


def test_a_changed_order_is_updated_under_its_own_id() -> None:
    driven = walk()
    operation = driven.account.operation("push_order", {})
    assert operation.can_update
    first = push(driven, order(status="new"))
    changed = order([line("workbook", "9.50", "3")], status="packed")
    again = push(driven, changed, Prior(first, order(status="new")))
    assert again["id"] == first["id"]
    (there,) = orders(driven)
    assert (there["changes"], there["order_status"]) == (1, "packed")
    assert there["product_details"] == [
        {"product_details": "The workbook", "rate": "9.50", "quantity": "3", "discount": "0"}
    ]
    assert [request.key for request in driven.sent] == ["push", "update", "search"]  # the last reads it back


def test_an_update_that_makes_a_second_order_is_a_persons() -> None:
    driven = walk(SimulatedKapture(update_creates=True))
    first = push(driven, order())
    with pytest.raises(Stop) as stopped:
        push(driven, order(status="packed"), Prior(first, order()))
    assert isinstance(stopped.value.outcome, InDoubt)
    assert stopped.value.outcome.code == "other_order_id"
    assert stopped.value.step.find is None
    assert not stopped.value.step.repeatable


def test_without_an_update_key_nothing_can_be_changed() -> None:
    assert not walk(keys=("push",)).account.operation("push_order", {}).can_update


def test_update_order_takes_the_id_from_the_record() -> None:
    driven = walk()
    push(driven, order())
    operation = driven.account.operation("update_order", {})
    record = order(status="packed", extra={"kapture_order_id": "5001"})
    assert driven.run(operation, record)["id"] == "5001"
    assert orders(driven)[0]["order_status"] == "packed"
    with pytest.raises(Stop) as stopped:
        driven.run(operation, order(extra={"kapture_order_id": "4711"}))
    assert isinstance(stopped.value.outcome, Refused)


# --- payments ---


def paid(**fields: Any) -> Record:
    known = {"order_id": "EXP-17", "amount": Decimal("28.90"), "payment_reference": "PAY-17"}
    return Record("payment", "EXP-17 PAY-17", {**known, **fields})


def test_a_payment_arrives() -> None:
    driven = walk(payment_path=PAYMENT_PATH)
    assert driven.run(driven.account.operation("payment", {}), paid()) == {"id": "PAY-17"}
    assert driven.target.truth()["payments"] == [
        {"erp_order_id": "EXP-17", "payment_id": "PAY-17", "amount_paid": "28.90"}
    ]


def test_the_address_that_creates_orders_is_warned_of_as_payment_path() -> None:
    warnings = walk(payment_path=ORDER_PATH).account.warnings
    assert any("payment_path" in warning for warning in warnings)


# --- looking up an unanswered push ---


def test_without_a_pull_key_a_person_must_tell() -> None:
    step = first_step(walk(keys=("push",)).account.operation("push_order", {}), order())
    assert step.find is None
    assert "EXP-17" in step.search_hint


def test_an_order_that_shows_our_id_is_found() -> None:
    driven = walk(SimulatedKapture(pull_shows_erp_id=True))
    push(driven, order(order_id="EXP-16"))
    push(driven, order())
    finding = driven.look(first_step(driven.account.operation("push_order", {}), order()))
    assert finding == Found({"id": "5002", "enquiry_id": "7002", "customer_id": "9001"})


def test_it_is_found_on_the_day_before_too() -> None:
    driven = walk(SimulatedKapture(pull_shows_erp_id=True))
    push(driven, order(ordered_at=datetime(2026, 1, 4, 23, 59, tzinfo=UTC)))
    assert isinstance(driven.look(first_step(driven.account.operation("push_order", {}), order())), Found)


def test_an_order_of_the_same_customer_without_our_id_is_unclear() -> None:
    driven = walk()
    push(driven, order())
    finding = driven.look(first_step(driven.account.operation("push_order", {}), order()))
    assert isinstance(finding, Unclear)
    assert "5001" in finding.message


def test_absence_is_not_believed_unless_the_settings_vouch_for_the_pull() -> None:
    plain = walk(SimulatedKapture(pull_shows_erp_id=True))
    assert isinstance(plain.look(first_step(plain.account.operation("push_order", {}), order())), Unclear)
    vouched = walk(SimulatedKapture(pull_shows_erp_id=True), pull_proves_absence=True)
    push(vouched, order(order_id="EXP-1"))
    assert vouched.look(first_step(vouched.account.operation("push_order", {}), order())) == Absent()


def test_absence_is_not_believed_where_orders_carry_no_id_of_ours() -> None:
    driven = walk(pull_proves_absence=True)
    push(driven, order(order_id="EXP-1", first_name="Else", email="else@example.com"))
    assert isinstance(driven.look(first_step(driven.account.operation("push_order", {}), order())), Unclear)


def test_twice_there_is_unclear() -> None:
    driven = walk(SimulatedKapture(pull_shows_erp_id=True))
    push(driven, order())
    push(driven, order())
    finding = driven.look(first_step(driven.account.operation("push_order", {}), order()))
    assert isinstance(finding, Unclear)
    assert "5001, 5002" in finding.message


def test_a_long_day_is_read_page_by_page() -> None:
    driven = walk(SimulatedKapture(pull_shows_erp_id=True))
    for number in range(205):
        push(driven, order(order_id=f"EXP-{1000 + number}"))
    step = first_step(driven.account.operation("push_order", {}), order(order_id="EXP-1204"))
    driven.sent.clear()
    assert isinstance(driven.look(step), Found)
    assert len(driven.sent) == 3


@pytest.mark.parametrize(
    "unreadable",
    [answer("<html>"), answer("", 500), answer({"status": "failed", "message": "Invalid Auth Key"}),
     answer({"status": "success", "orders": "none"}), answer({"status": "success"}), answer([]),
     answer({"orders": [1], "status": "success"}), answer({"orders": [], "status": "pending"}),
     answer({"Message": "No orders between dates", "Status": "failed"}, 500)],
)  # fmt: skip
def test_an_unreadable_pull_is_never_absence(unreadable: Any) -> None:
    driven = walk(pull_proves_absence=True)
    step = first_step(driven.account.operation("push_order", {}), order())
    assert step.find is not None
    search = step.find()
    next(search)
    with pytest.raises(StopIteration) as end:
        search.send(unreadable)
    assert isinstance(end.value.value, Unclear)


def test_a_pull_that_ignores_its_start_does_not_go_round_for_ever() -> None:
    driven = walk(pull_proves_absence=True)
    step = first_step(driven.account.operation("push_order", {}), order())
    assert step.find is not None
    search = step.find()
    page = answer({"status": "success", "orders": [{"id": str(n), "erp_order_id": f"E{n}"} for n in range(100)]})
    next(search)
    search.send(page)
    with pytest.raises(StopIteration) as end:
        search.send(page)
    assert "again and again" in end.value.value.message


# --- probe and settings ---


@pytest.mark.parametrize("keys", [("push", "pull"), ("push", "search")])
def test_the_probe_reads_where_a_reading_key_is_set(keys: tuple[str, ...]) -> None:
    driven = walk(keys=keys)
    assert driven.probe()["found"] is False
    assert len(driven.sent) == 1


def test_the_probe_says_that_nothing_can_be_asked() -> None:
    driven = walk(keys=("push",))
    assert "writes" in driven.probe()["note"]
    assert driven.sent == []


def test_a_bad_reading_key_shows_in_the_probe() -> None:
    driven = walk(keys={"pull": Secret("wrong", "test")})
    with pytest.raises(Stop) as stopped:
        driven.probe()
    assert isinstance(stopped.value.outcome, Paused)


@pytest.mark.parametrize(
    ("keys", "operation", "options", "words"),
    [
        (("update",), "push_order", {}, "keys.push"),
        (("push",), "update_order", {}, "keys.update"),
        (("push",), "payment", {}, "keys.payment"),
        (("payment",), "payment", {}, "payment_path"),
        (("push",), "push_orders", {}, "push_order"),
        (("push",), "push_order", {"other_line": "total"}, "other_lines"),
        (("push",), "push_order", {"also_send": {"notes": "remarks"}}, "note"),
        (("push",), "push_order", {"also_send": {"note": "order_id"}}, "order_id"),
        (("push",), "push_order", {"also_send": {"sku": "x"}}, "sku"),
        (("update",), "update_order", {"kapture_id": "extra"}, "extra"),
    ],
)
def test_what_an_operation_lacks_is_said(
    keys: tuple[str, ...], operation: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(SetupError, match=words):
        walk(keys=keys).account.operation(operation, options)


def test_a_key_whose_secret_is_missing_is_named_when_it_is_needed() -> None:
    account = walk(keys={"push": Secret(None, "environment variable NOPE")}).account
    request = first_step(account.operation("push_order", {}), order()).request
    assert account.show(request).headers["Authorization"] == "Basic ***"
    with pytest.raises(SetupError, match="NOPE"):
        account.sign(request)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"base_url": "http://demo.kapturecrm.com"}, "https"),
        ({"keys": {"pushh": Secret("x", "t")}}, "push"),
        ({"keys": {"push": "literal"}}, "never written here"),
        ({"wrap": {"push": "list"}}, "list"),
        ({"payment_path": "https://x.example/"}, "payment_path"),
        ({"payment_path": "/a/../b"}, "payment_path"),
        ({"look_first": True}, "pull_proves_absence"),
        ({"timezone": "Nowhere/Town"}, "time zone"),
        ({"auth_in": "cookie"}, "cookie"),
        ({"bas_url": ""}, "base_url"),
    ],
)
def test_wrong_settings_are_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(SetupError, match=words):
        walk(**table)


def test_base_url_has_no_default() -> None:
    with pytest.raises(SetupError, match="host of its own"):
        build("desk", {"target": "kapture", "keys": secrets("push")})
