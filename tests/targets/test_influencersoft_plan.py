from __future__ import annotations

from typing import Any

import pytest
from driven import ended
from walk import FULL_ORDER, Stop, Walk, answer, first_step, line, order

from pipeline.errors import SetupError
from pipeline.model import Record
from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
from pipeline.settings import Secret
from pipeline.targets.contract import Absent, Found, Paused, Refused, Request, Unclear
from pipeline.targets.influencersoft import build
from pipeline.targets.influencersoft.answers import Reader
from pipeline.targets.influencersoft.client import Signer, encode_form, post, signature
from pipeline.targets.influencersoft.lookup import Orders
from pipeline.targets.influencersoft.settings import CreateOrderOptions, read_account

KEY = Secret("sandbox-key", "test")
ORDERS = Orders(Reader("https://demo-shop.influencersoft.com", KEY))


def walk(shop: SimulatedInfluencerSoft | None = None, **table: Any) -> Walk:
    settings = {"target": "influencersoft", "login": "demo-shop", "api_key": KEY, "check_products": False, **table}
    return Walk(build("school", settings), shop or SimulatedInfluencerSoft())


def orders(walk: Walk) -> list[dict[str, Any]]:
    return walk.target.truth()["orders"]


def test_a_full_order_arrives_as_the_file_says() -> None:
    driven = walk()
    result = driven.run(driven.account.operation("create_order", {}), FULL_ORDER)
    assert result == {"id": None}
    (arrived,) = orders(driven)
    assert arrived["products"] == ["course-basic", "workbook"]
    assert arrived["prices"] == ["49.00", "9.50"]
    assert (arrived["tag"], arrived["email"], arrived["status"]) == ("EXP-17", "anna@example.com", "Paid")
    assert arrived["fields"]["coupon"] == "31"  # the coupon's id, looked up
    assert arrived["ignored"] == {}


def test_no_request_of_a_plan_carries_the_key() -> None:
    driven = walk(secret=KEY)
    driven.run(driven.account.operation("create_order", {}), FULL_ORDER)
    shown = [driven.account.show(request) for request in driven.sent]
    assert "sandbox-key" not in repr(driven.sent)
    assert "sandbox-key" not in repr(shown)
    assert all(b"rpsKey=***" in call.content for call in shown)


def test_the_same_plan_gives_the_same_steps_again() -> None:
    operation = walk().account.operation("create_order", {})
    first, second = (first_step(operation, order()) for _ in range(2))
    assert (first.name, first.request) == (second.name, second.request)
    assert first.find is None  # without a secret only a person can tell
    assert "EXP-17" in first.search_hint


def test_a_mapped_coupon_costs_no_call() -> None:
    driven = walk()
    operation = driven.account.operation("create_order", {"coupons": {"WINTER": "31"}})
    driven.run(operation, order(coupon_code="WINTER"))
    assert [request.path for request in driven.sent] == ["/api/createorder"]


def test_an_unknown_coupon_refuses_the_order_before_it_is_sent() -> None:
    driven = walk()
    with pytest.raises(Stop) as stopped:
        driven.run(driven.account.operation("create_order", {}), order(coupon_code="NOPE"))
    assert isinstance(stopped.value.outcome, Refused)
    assert orders(driven) == []


def test_products_are_checked_first_where_the_account_asks() -> None:
    driven = walk(check_products=True)
    with pytest.raises(Stop) as stopped:
        driven.run(driven.account.operation("create_order", {}), order([line("nowhere")]))
    assert stopped.value.step.reads_only
    assert "nowhere" in stopped.value.outcome.message


def test_the_shop_says_so_when_a_product_is_unknown() -> None:
    driven = walk()
    with pytest.raises(Stop) as stopped:
        driven.run(driven.account.operation("create_order", {}), order([line("nowhere")]))
    assert isinstance(stopped.value.outcome, Refused)
    assert "nowhere" in stopped.value.outcome.message


def test_a_wrong_key_pauses() -> None:
    driven = walk(api_key=Secret("wrong", "test"))
    with pytest.raises(Stop) as stopped:
        driven.run(driven.account.operation("create_order", {}), order())
    assert isinstance(stopped.value.outcome, Paused)


def test_a_missing_key_is_a_setup_error_but_can_be_shown() -> None:
    account = walk(api_key=Secret(None, "environment variable NOPE")).account
    request = first_step(account.operation("create_order", {}), order()).request
    assert b"rpsKey=***" in account.show(request).content
    with pytest.raises(SetupError, match="NOPE"):
        account.sign(request)


def test_the_probe_reads_only() -> None:
    driven = walk()
    assert driven.probe()["goods"] > 0
    assert orders(driven) == []


# --- looking up an unanswered order ---


@pytest.mark.parametrize("mark_in", ["order_tag", "note"])
def test_an_unanswered_order_is_found_by_its_mark(mark_in: str) -> None:
    driven = walk(secret=KEY)
    operation = driven.account.operation("create_order", {"mark_in": mark_in})
    for number in ("EXP-16", "EXP-17", "EXP-18"):
        driven.run(operation, order(order_id=number, note="thank you"))
    step = first_step(operation, order())
    assert driven.look(step) == Found({"id": orders(driven)[1]["bill_id"]})
    assert driven.look(first_step(operation, order(order_id="EXP-99"))) == Absent()


def test_nothing_of_this_customer_is_absence() -> None:
    driven = walk(secret=KEY)
    assert driven.look(first_step(driven.account.operation("create_order", {}), order())) == Absent()


@pytest.mark.parametrize("said", ["Expected", "Paid", "Cancel"])
def test_every_listed_state_is_found(said: str) -> None:
    driven = walk(secret=KEY)
    operation = driven.account.operation("create_order", {})
    driven.run(operation, order(status=said))
    assert isinstance(driven.look(first_step(operation, order(status=said))), Found)


def test_a_refunded_order_is_on_no_list_so_its_days_are_read_and_absence_proves_nothing() -> None:
    driven = walk(secret=KEY)
    operation = driven.account.operation("create_order", {})
    step = first_step(operation, order(status="MoneyBack"))
    assert isinstance(driven.look(step), Unclear)
    driven.run(operation, order(status="MoneyBack"))
    assert driven.look(step) == Found({"id": "100234"})
    assert driven.sent[-1].form == (("begin_date", "04.01.2026"), ("end_date", "02.02.2026"))


def test_twice_there_is_unclear() -> None:
    driven = walk(secret=KEY)
    operation = driven.account.operation("create_order", {})
    driven.run(operation, order())
    driven.run(operation, order())
    finding = driven.look(first_step(operation, order()))
    assert isinstance(finding, Unclear)
    assert "100234" in finding.message


def test_the_same_products_without_any_mark_are_unclear() -> None:
    driven = walk(secret=KEY)
    unmarked = driven.account.operation("create_order", {"mark_in": "note"})
    driven.run(unmarked, order())  # has no tag
    finding = driven.look(first_step(driven.account.operation("create_order", {}), order()))
    assert isinstance(finding, Unclear)
    assert isinstance(
        driven.look(first_step(driven.account.operation("create_order", {}), order([line("workbook")]))),
        Absent,
    )


@pytest.mark.parametrize(
    "unreadable",
    [
        answer("<html>"),
        answer("", 500),
        answer({"error_code": 4}),
        answer({"error_code": 0, "result": "text"}),
        answer({"error_code": 0, "result": ["100234"]}),
        answer({"error_code": 400, "error_text": "order not found"}, 502),
    ],
)
def test_an_unreadable_list_is_never_absence(unreadable: Any) -> None:
    assert isinstance(ended(ORDERS.find(order(), CreateOrderOptions()), unreadable), Unclear)


@pytest.mark.parametrize(
    "details",
    [{"error_code": 400}, {"error_code": 0, "result": []},
     {"error_code": 0, "result": {"id": "9", "tag": "EXP-17"}}, {"error_code": 0, "result": {"id": "5"}}],
)  # fmt: skip
def test_an_unreadable_order_is_never_absence(details: Any) -> None:
    lists = [{"error_code": 0, "result": {"5": {"501": {"good_name": "x"}}}}, {"error_code": 0, "result": []}]
    told = [answer(said) for said in (*lists, {"error_code": 0}, details)]
    assert isinstance(ended(ORDERS.find(order(), CreateOrderOptions()), *told), Unclear)


def test_a_list_of_orders_instead_of_a_map_is_read_too() -> None:
    search = ORDERS.find(order(), CreateOrderOptions())
    next(search)
    search.send(answer({"error_code": 0, "result": [{"bill_id": 7}]}))
    search.send(answer({"error_code": 400}))
    asked = search.send(answer({"error_code": 400}))
    assert asked.form == (("bill_id", "7"),)


# --- "already exists" ---


def by_customer(form: dict[str, str], there: Any) -> bool:
    return form["customer_email"] == there.email and form["product_names"] == ",".join(there.products)


def test_an_order_the_shop_has_is_already_there() -> None:
    driven = walk(SimulatedInfluencerSoft(same_order=by_customer), secret=KEY)
    operation = driven.account.operation("create_order", {})
    driven.run(operation, order())
    again = driven.run(operation, order())
    assert (again["already_there"], again["id"]) == (True, "100234")
    assert len(orders(driven)) == 1


def test_the_shop_taking_one_order_for_another_is_not_taken_as_delivered() -> None:
    driven = walk(SimulatedInfluencerSoft(same_order=by_customer), secret=KEY)
    operation = driven.account.operation("create_order", {})
    driven.run(operation, order())
    with pytest.raises(Stop) as stopped:
        driven.run(operation, order(order_id="EXP-18"))
    assert isinstance(stopped.value.outcome, Refused)
    assert "EXP-17" in stopped.value.outcome.message


def test_without_a_secret_the_shop_is_believed() -> None:
    driven = walk(SimulatedInfluencerSoft(same_order=by_customer))
    operation = driven.account.operation("create_order", {})
    driven.run(operation, order())
    assert driven.run(operation, order())["already_there"]


# --- signatures (vectors made with the login and secret below) ---


@pytest.mark.parametrize(
    ("form", "md5"),
    [
        (
            (
                ("bill_email", "anna@example.com"),
                ("bill_first_name", "Anna"),
                ("goods[0][good_name]", "course-basic"),
                ("goods[0][good_sum]", "49.00"),
                ("bill_comment", "export row 17"),
            ),
            "010700c31adfd05a48277cc9cf6f3f74",
        ),
        ((("bill_id", "100234"),), "ff4ba05486892c8b430f91169e361cf4"),
        ((), "09d3b23ee2d0b0416da9bf4ac6d0fdb3"),
    ],
)
def test_signature_vectors(form: tuple[tuple[str, str], ...], md5: str) -> None:
    secret = Secret("not-a-real-secret", "test")
    assert signature(encode_form(form), "demo-shop", "not-a-real-secret") == md5
    signer = Signer(read_account("school", {"login": "demo-shop", "api_key": KEY, "secret": secret}))
    assert signer.sign(post("X", form, signed=True)).content.endswith(f"hash={md5}".encode())


def test_php_escapes_the_tilde() -> None:
    assert encode_form((("a~", "1 2~ü&="),)) == "a%7E=1+2%7E%C3%BC%26%3D"


# --- settings ---


def test_the_address_is_made_from_the_login() -> None:
    account = walk().account
    assert account.sign(Request("POST", "/api/createorder")).url == (
        "https://demo-shop.influencersoft.com/api/createorder"
    )
    assert (account.rate.burst, account.rate.per_second) == (1.0, 0.9)


def test_the_method_name_can_be_set() -> None:
    step = first_step(walk(method_name="CreateOrder").account.operation("create_order", {}), order())
    assert step.request.path == "/api/CreateOrder"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"login": ""}, "login is missing"),
        ({"login": "evil.example/"}, "login"),
        ({"login": "", "base_url": "https://x.example", "secret": KEY}, "login is missing"),
        ({"base_url": "http://shop.example"}, "https"),
        ({"look_first": True}, "secret"),
        ({"method_name": "../x"}, "method_name"),
        ({"timezone": "Mars"}, "time zone"),
        ({"api_key": "literal"}, "never written here"),
        ({"apikey": 1}, "api_key"),
        ({"rate": {"per_second": 0}}, "rate"),
    ],
)
def test_wrong_settings_are_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(SetupError, match=words):
        walk(**table)


@pytest.mark.parametrize(
    ("operation", "options", "words"),
    [
        ("create_orders", {}, "create_order"),
        ("create_order", {"quantitys": "repeat"}, "quantity"),
        ("create_order", {"quantity": "double"}, "double"),
        ("create_order", {"statuses": {"open": "Open"}}, "Open"),
    ],
)
def test_wrong_operations_and_options_are_refused(operation: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(SetupError, match=words):
        walk().account.operation(operation, options)


def test_statuses_of_the_mapping_are_read_without_regard_to_case() -> None:
    driven = walk()
    driven.run(driven.account.operation("create_order", {"statuses": {"On Hold": "Cancel"}}), order(status="on hold"))
    assert orders(driven)[0]["status"] == "Cancel"


def test_a_record_of_another_kind_is_not_taken() -> None:
    assert walk().account.operation("create_order", {}).kinds == {"order"}
    assert Record("payment", "x", {}).kind not in walk().account.operation("create_order", {}).kinds
