"""Changed lines, mirrored subscriptions, custom fields made on request, the tenant's own list, and the product map."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keap_bench import FIELDS, Bench, Lost, account, answer, changed, emptied, line, money, order

from pipeline.errors import SetupError
from pipeline.targets.contract import (
    Absent,
    Done,
    Found,
    InDoubt,
    Later,
    Listed,
    Paused,
    PlanRefused,
    Prior,
    Refused,
    Unclear,
)
from pipeline.targets.keap.changes import item_change, line_changes
from pipeline.targets.keap.custom_fields import readable
from pipeline.targets.keap.lines import items_of, total_of


def update(bench: Bench, before, after, result, **options):
    return bench.walk(bench.operation(**options).plan(after, Prior(result, before)))


def lines_at(bench: Bench) -> list[tuple]:
    (placed,) = bench.tenant.truth()["orders"]
    return [(item["item_type"], item["sku"], item["quantity"], item["price_per_unit"]) for item in placed["lines"]]


def test_a_changed_quantity_and_price_patch_the_line_they_belong_to():
    bench = Bench()
    before = order(line(), line(sku="INS-1", price="5.00"))
    result = bench.place(before)
    bench.sent.clear()

    update(bench, before, order(line(quantity="3", price="18.50"), line(sku="INS-1", price="5.00")), result)

    assert bench.writes == ["PATCH /rest/v2/orders/5310/items/9001"]
    (request,) = [request for request in bench.sent if request.method == "PATCH"]
    assert request.json == {"quantity": 3, "price_per_unit": 18.5}
    assert request.query == (("update_mask", "quantity"), ("update_mask", "price_per_unit"))
    assert lines_at(bench) == [("PRODUCT", "WB-100", 3, "18.5"), ("PRODUCT", "INS-1", 2, "5.0")]


def test_added_lines_are_added_once_however_often_the_change_is_sent():
    bench = Bench()
    before = order(line())
    result = bench.place(before)
    after = order(line(), line(sku="WR-200", quantity="1", price="24.50"), shipping_total=money("6.50"))
    for _ in range(3):
        update(bench, before, after, result)
    assert lines_at(bench)[1:] == [("PRODUCT", "WR-200", 1, "24.5"), ("SHIPPING", "", 1, "6.5")]
    assert bench.tenant.truth()["orders"][0]["total"] == str(total_of(after))


def removed(bench: Bench, before, after, result):
    return update(bench, before, after, result, removed_lines="delete")


def test_a_line_the_file_no_longer_has_is_deleted_where_asked_for():
    bench = Bench()
    before = order(line(), line(), line(sku="INS-1", price="5.00"), shipping_total=money("3"))
    result = bench.place(before)
    bench.sent.clear()
    after = order(line(), line(sku="WR-200", price="24.50", quantity="1"), shipping_total=money("3"))
    for _ in range(2):
        removed(bench, before, after, result)
    assert sorted(lines_at(bench)) == [
        ("PRODUCT", "WB-100", 2, "19.95"), ("PRODUCT", "WR-200", 1, "24.5"), ("SHIPPING", "", 1, "3.0"),
    ]  # fmt: skip
    assert [call.split()[0] for call in bench.writes] == ["POST", "DELETE", "DELETE"]


def test_a_cleared_total_is_a_line_taken_away():
    bench = Bench()
    before = order(shipping_total=money("3"))
    result = bench.place(before)
    removed(bench, before, emptied(before, "shipping_total"), result)
    assert lines_at(bench) == [("PRODUCT", "WB-100", 2, "19.95")]
    assert bench.operation(removed_lines="delete").clears("shipping_total")
    assert not bench.operation().clears("shipping_total")


def test_a_line_that_somebody_changed_is_not_deleted():
    bench = Bench()
    before = order(line(), line(sku="INS-1", price="5.00"))
    result = bench.place(before)
    bench.tenant._book.orders["5310"]["order_items"][1]["quantity"] = 7
    bench.sent.clear()
    with pytest.raises(PlanRefused) as refused:
        removed(bench, before, order(line()), result)
    assert refused.value.refused.code == "keap_lines_differ"
    assert bench.writes == []


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer(204, b""), Done), (answer(200, b""), Done), (answer(404, {"code": 404, "message": "gone"}), Done),
        (answer(503, "x"), InDoubt), (answer(401, {"fault": {"faultstring": "Invalid access token"}}), Paused),
        (answer(400, {"code": 400, "message": "cannot be removed"}), Refused),
    ],
)  # fmt: skip
def test_what_the_answer_to_a_deletion_means(reply, kind):
    bench = Bench()
    before = order(line(), line(sku="INS-1", price="5.00"))
    result = bench.place(before)
    plan = bench.operation(removed_lines="delete").plan(order(line()), Prior(result, before))
    step = next(plan)
    while not step.name.startswith("remove:"):
        step = plan.send(bench.perform(step).result)
    assert isinstance(step.read(reply), kind)


def test_a_second_equal_line_is_another_line():
    bench = Bench()
    before = order(line())
    result = bench.place(before)
    for _ in range(2):
        update(bench, before, order(line(), line()), result)
    assert lines_at(bench) == [("PRODUCT", "WB-100", 2, "19.95")] * 2


def test_an_added_line_whose_answer_is_lost_is_seen():
    bench = Bench()
    before = order(line())
    result = bench.place(before)
    plan = bench.operation().plan(order(line(), line(sku="INS-1")), Prior(result, before))
    step = next(plan)
    while not step.name.startswith("add:"):
        step = plan.send(bench.perform(step).result)
    assert bench.find(step) == Absent()
    bench.lose = lambda request: request.method == "POST"
    with pytest.raises(Lost):
        bench.send(step.request)
    assert isinstance(bench.find(step), Found)


@pytest.mark.parametrize(
    "reply", [answer(200, b""), answer(200, {"order_items": []}), answer(503, "x"), answer(200, {"id": "9"})]
)
def test_an_order_that_cannot_be_read_says_nothing_of_its_lines(reply):
    bench = Bench()
    before = order(line())
    result = bench.place(before)
    plan = bench.operation().plan(order(line(), line(sku="INS-1")), Prior(result, before))
    step = next(plan)
    while not step.name.startswith("add:"):
        step = plan.send(bench.perform(step).result)
    search = step.find()
    next(search)
    with pytest.raises(StopIteration) as end:
        search.send(reply)
    assert isinstance(end.value.value, Unclear)


@pytest.mark.parametrize(
    ("entry", "kind"),
    [
        ({"product": {"id": "73"}, "price_per_unit": {"amount": 1995}}, Unclear),
        ({"product": {"id": "73", "sku": "INS-1"}}, Unclear),
        ({"product": {"id": "73", "sku": "OTHER"}, "price_per_unit": {"amount": 1995}}, Absent),
        ({"product": {"id": "73", "sku": "INS-1"}, "price_per_unit": {"amount": 1995}}, Found),
    ],
)
def test_a_line_listed_without_its_sku_or_price_may_be_ours(entry, kind):
    bench = Bench()
    before = order(line())
    result = bench.place(before)
    plan = bench.operation().plan(order(line(), line(sku="INS-1")), Prior(result, before))
    step = next(plan)
    while not step.name.startswith("add:"):
        step = plan.send(bench.perform(step).result)
    search = step.find()
    next(search)
    item = {"id": "9", "item_type": "PRODUCT", "quantity": 2} | entry
    with pytest.raises(StopIteration) as end:
        search.send(answer(200, {"id": "5310", "order_items": [item]}))
    assert isinstance(end.value.value, kind)


def test_a_removed_line_is_left_to_a_person_before_anything_is_written():
    bench = Bench()
    before = order(line(), line(sku="INS-1"))
    result = bench.place(before)
    bench.sent.clear()
    outcome = update(bench, before, order(line(quantity="5")), result)
    assert isinstance(outcome, Refused)
    assert outcome.code == "keap_lines_changed"
    assert "2 x INS-1 at 19.95" in outcome.message
    assert bench.writes == []


def test_an_added_line_without_a_product_is_refused_before_anything_is_written():
    bench = Bench()
    before = order(line())
    result = bench.place(before)
    bench.sent.clear()
    outcome = update(bench, before, order(line(), line(sku="GONE"), note="new"), result)
    assert isinstance(outcome, Refused)
    assert outcome.code == "keap_no_product"
    assert bench.writes == []


def test_a_line_somebody_changed_at_keap_is_left_to_a_person():
    bench = Bench()
    before = order(line())
    result = bench.place(before)
    update(bench, before, order(line(quantity="7")), result)
    with pytest.raises(PlanRefused) as stopped:
        update(bench, before, order(line(quantity="3"), note="new"), result)
    assert "notes" not in bench.tenant.truth()["orders"][0]
    assert stopped.value.refused.code == "keap_lines_differ"
    assert lines_at(bench) == [("PRODUCT", "WB-100", 7, "19.95")]


def test_a_line_that_is_already_as_wanted_is_patched_again_without_harm():
    bench = Bench()
    before = order(line(), shipping_total=money("6.50"), discount_total=money("2"))
    result = bench.place(before)
    after = order(line(), shipping_total=money("7.50"), discount_total=money("3"))
    for _ in range(2):
        update(bench, before, after, result)
    assert lines_at(bench)[1:] == [("SHIPPING", "", 1, "7.5"), ("DISCOUNT", "", 1, "-3.0")]


ROW = st.builds(
    lambda sku, quantity, price: line(sku=sku, quantity=str(quantity), price=f"{price}.50"),
    st.sampled_from(["WB-100", "INS-1", "WR-200"]),
    st.integers(1, 3),
    st.integers(1, 3),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=4), st.lists(ROW, min_size=1, max_size=4))
def test_whatever_changed_the_order_at_keap_comes_to_equal_the_file(was, now):
    before, after = order(*was), order(*now)
    changes = line_changes(after, before)
    assert line_changes(before, before).changed == line_changes(before, before).added == ()
    bench = Bench()
    result = bench.place(before)
    for _ in range(2):
        outcome = update(bench, before, after, result)
    if changes.removed:
        assert isinstance(outcome, Refused)
    else:
        (placed,) = bench.tenant.truth()["orders"]
        assert sorted((i["sku"], i["quantity"], i["price_per_unit"]) for i in placed["lines"]) == sorted(
            (i.sku, i.quantity, str(float(i.price))) for i in items_of(after)
        )


def test_a_name_that_went_missing_blanks_nothing():
    (old,) = items_of(order(line(product_name="Widget")))
    (new,) = items_of(order(line(quantity="3")))
    assert item_change(old, new, "negative") == {"quantity": 3}


# --- the product map ---


def lookups(bench: Bench) -> int:
    return sum(request.path == "/rest/v2/products" and request.method == "GET" for request in bench.sent)


def test_a_product_is_looked_up_once_for_many_orders():
    bench = Bench()
    for number in range(3):
        bench.place(order(order_id=f"FH-{number}"))
    assert lookups(bench) == 1


def test_a_known_product_of_another_currency_is_refused_all_the_same():
    bench = Bench()
    bench.place(order())
    outcome = bench.place(order(order_id="FH-2", currency="EUR"))
    assert isinstance(outcome, Refused)
    assert outcome.code == "keap_currency"


def test_a_refused_order_makes_the_map_forget():
    bench = Bench()
    bench.place(order())
    steps = bench.operation().plan(order(order_id="FH-2"), None)
    step = next(steps)
    while step.name != "order":
        step = steps.send(bench.perform(step).result)
    assert isinstance(step.read(answer(400, {"message": "product_id is invalid"})), Refused)
    bench.place(order(order_id="FH-3"))
    assert lookups(bench) == 2


def test_an_absent_product_is_not_remembered():
    bench = Bench()
    for _ in range(2):
        assert isinstance(bench.place(order(line(sku="GONE"))), Refused)
    assert lookups(bench) == 2


# --- subscriptions ---

MIRROR = {"subscriptions": "mirror", "subscription_plans": {"SUB-12": 12}}


def club(status: str = "active", **more):
    return order(
        line(sku="SUB-12", quantity="1", price="27.00", line_type="subscription", subscription_status=status), **more
    )


def test_a_mirrored_subscription_never_bills_and_is_made_once():
    bench = Bench()
    bench.place(club(), **MIRROR)
    bench.place(club(order_id="FH-2"), **MIRROR)
    (made,) = bench.tenant.truth()["subscriptions"]
    assert made == {
        "id": "901",
        "contact_id": "1042",
        "subscription_plan_id": "12",
        "quantity": 1,
        "auto_charge": False,
        "active": True,
    }
    assert bench.body("/subscriptions") == {**{k: v for k, v in made.items() if k != "id"}, "allow_duplicate": False}
    assert {order["lines"][0]["item_type"] for order in bench.tenant.truth()["orders"]} == {"PRODUCT"}


@pytest.mark.parametrize(("unit", "amount"), [("plan", None), ("major", 27.0), ("minor", 2700.0)])
def test_the_amount_of_a_subscription_is_the_plans_unless_a_unit_is_named(unit, amount):
    bench = Bench()
    bench.place(club(), **MIRROR, subscription_amount=unit)
    assert bench.body("/subscriptions").get("billing_amount") == amount


def test_an_ended_subscription_says_why_and_an_update_tells_the_change():
    bench = Bench()
    before = club()
    result = bench.place(before, **MIRROR)
    update(bench, before, club("Cancelled"), result, **MIRROR)
    (made,) = bench.tenant.truth()["subscriptions"]
    assert (made["active"], made["reason_stopped"]) == (False, "Cancelled")


def test_without_mirroring_no_subscription_is_made():
    bench = Bench()
    bench.place(club())
    assert bench.tenant.truth()["subscriptions"] == []


def test_a_subscription_without_a_plan_is_named_before_sending():
    problems = Bench().operation(**{**MIRROR, "subscription_plans": {"OTHER": "7"}}).problems(club())
    assert [(problem.code, problem.field) for problem in problems] == [("keap_no_plan", "sku")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"subscriptions": "mirror"}, "subscription_plans"),
        ({"subscriptions": "miror"}, "Did you mean 'mirror'"),
        ({"subscription_plans": {"A": "twelve"}}, "no id"),
        ({"style": "itemized"}, "style"),
    ],
)
def test_wrong_options_are_named(options, words):
    with pytest.raises(SetupError, match=words):
        Bench().operation(**options)


# --- order custom fields on request ---


def test_missing_custom_fields_are_listed_and_made_when_asked():
    fields = FIELDS | {"carrier": "_ShipCarrier", "extra.gift": "Gift wrap"}
    bench = Bench(account(fields))
    assert bench.walk(bench.account.fields_plan(False)) == {"missing": ["_ShipCarrier", "Gift wrap"], "created": []}
    assert bench.writes == []
    made = bench.walk(bench.account.fields_plan(True))
    assert made == {"missing": [], "created": ["_ShipCarrier (as _ShipCarrier)", "Gift wrap (as _GiftWrap)"]}
    assert bench.bodies()[0] == {"label": "Ship Carrier", "field_type": "TEXT"}
    assert bench.walk(bench.account.fields_plan(True)) == {"missing": [], "created": []}
    assert isinstance(bench.place(order(carrier="UPS")), dict)


def test_a_field_keap_names_otherwise_stays_missing_and_is_told():
    bench = Bench(account({"carrier": "_Ship-Carrier"}))
    made = bench.walk(bench.account.fields_plan(True))
    assert made == {"missing": ["_Ship-Carrier"], "created": ["_Ship-Carrier (as _ShipCarrier)"]}


def test_custom_fields_cannot_be_listed_with_a_bad_key():
    bench = Bench(account(key="wrong"))
    assert isinstance(bench.walk(bench.account.fields_plan(True)), Paused)


@pytest.mark.parametrize(
    ("name", "label"),
    [("_ExternalOrderId", "External Order Id"), ("Gift wrap", "Gift wrap"), ("_SKU", "SKU"), (" _a ", "a")],
)
def test_a_field_name_becomes_a_readable_label(name, label):
    assert readable(name) == label


# --- the tenant's own list ---

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)


def listed(bench: Bench, since=SINCE, until=UNTIL, operation: str = "place_order"):
    reading = bench.account.listing(operation, since, until)
    try:
        request = next(reading)
        while True:
            assert request.method == "GET"
            request = reading.send(bench.send(request))
    except StopIteration as end:
        return end.value


def test_the_list_tells_our_key_and_what_can_be_compared():
    bench = Bench()
    bench.place(order(tracking_number="1Z9"))
    bench.place(order(line(quantity="10", price="2.00"), order_id="FH-2", status=None))
    assert listed(bench) == (
        Listed(
            "order", "FH-2026-000187", "5310", {"status": "shipped", "tracking_number": "1Z9", "order_total": "39.9"}
        ),
        Listed("order", "FH-2", "5311", {"order_total": "20"}),
    )
    assert listed(bench, since=UNTIL) == ()
    assert bench.account.listing("customer", SINCE, UNTIL) is None


def test_an_order_changed_in_the_window_is_listed_once():
    bench = Bench()
    before = order()
    result = bench.place(before)
    changed_at = datetime(2026, 1, 2, 3, 0, 2, tzinfo=UTC)
    update(bench, before, changed(before, note="x"), result)
    assert [entry.remote_id for entry in listed(bench, since=changed_at)] == ["5310"]
    assert [entry.remote_id for entry in listed(bench)] == ["5310"]


def test_without_custom_fields_the_title_is_the_key():
    bench = Bench(account({}))
    bench.place(order())
    (entry,) = listed(bench)
    assert entry.key == "FH-2026-000187"


@pytest.mark.parametrize(("status", "kind"), [(429, Later), (401, Paused), (200, type(None))])
def test_half_a_list_proves_nothing(status, kind):
    for custom_fields in (FIELDS, {}):
        reading = account(custom_fields).listing("place_order", SINCE, UNTIL)
        next(reading)
        with pytest.raises(StopIteration) as end:
            reading.send(answer(status, b"nonsense"))
        assert isinstance(end.value.value, Unclear)
        assert custom_fields or isinstance(end.value.value.trouble, kind)


def test_every_page_is_read():
    bench = Bench(account({}))
    tenant = bench.tenant
    bench.place(order())
    bench.place(order(order_id="FH-2"))
    handle = tenant.handle

    def small_pages(call):
        query = tuple((n, "1" if n == "page_size" else v) for n, v in call.query)
        return handle(replace(call, query=query))

    tenant.handle = small_pages
    assert [entry.key for entry in listed(bench)] == ["FH-2026-000187", "FH-2"]
