"""Orders over XML-RPC at the simulated tenant: our own lines, each call lost and found."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from keap_bench import FIELDS, Bench, Lost, account, changed, line, money, order
from keap_xml import PLAIN, method_of, step_of, writes, xml_bench

from pipeline.sandbox.keap import SimulatedKeap
from pipeline.targets.contract import (
    Absent,
    Found,
    Paused,
    Refused,
    Unclear,
)
from pipeline.targets.keap.xmlrpc.values import custom_value, marked_items

# --- orders of our own lines ---


def test_the_calls_of_an_itemized_order_in_their_order():
    bench = xml_bench()
    result = bench.place(PLAIN)
    assert writes(bench) == [
        "ContactService.addWithDupCheck",
        "InvoiceService.createBlankOrder",
        "DataService.update",
        *["InvoiceService.addOrderItem"] * 5,
        "InvoiceService.addManualPayment",
    ]
    assert (result["id"], result["invoice_id"], result["contact_id"]) == ("5310", "5298", "1042")
    (placed,) = bench.tenant.truth()["orders"]
    assert placed["external_id"] == "FH-2026-000187"
    assert placed["custom_fields"]["_TrackingNumber"] == "1Z999"
    assert placed["shipping_address"]["country"] == "United States"
    assert placed["order_time"] == "2026-01-01T17:00:00Z"
    assert Decimal(placed["total"]) == money("48.89")
    kinds = [(item["item_type"], item["price_per_unit"]) for item in placed["lines"]]
    assert kinds == [
        ("PRODUCT", "19.95"), ("PRODUCT", "5.0"), ("SHIPPING", "6.5"), ("TAX", "2.49"), ("DISCOUNT", "-5.0"),
    ]  # fmt: skip
    (payment,) = placed["payments"]
    assert (payment["payment_method_type"], payment["payment_amount"]) == ("Check", 48.89)
    assert payment["apply_to_commissions"] is False


def test_a_second_send_creates_nothing():
    bench = xml_bench()
    first = bench.place(PLAIN)
    bench.sent.clear()
    second = bench.place(PLAIN)
    assert second["already_there"]
    assert (second["id"], second["contact_id"]) == (first["id"], first["contact_id"])
    assert set(writes(bench)) <= {"ContactService.update", "DataService.update"}
    assert len(bench.tenant.truth()["orders"][0]["lines"]) == 5


@pytest.mark.parametrize("description_fills", ["JobTitle", "JobNotes"])
@pytest.mark.parametrize("custom_fields", [FIELDS, {}])
def test_an_order_that_stopped_half_way_is_completed(description_fills, custom_fields):
    """Whatever was written when the ledger was lost: the rest is added, nothing twice."""
    whole = xml_bench(custom_fields=custom_fields, look_first=True)
    whole.place(PLAIN)
    total = len(writes(whole))
    for stop in range(1, total):
        bench = xml_bench(SimulatedKeap(description_fills=description_fills), custom_fields, look_first=True)
        done = []

        def lost(request, done=done, bench=bench, stop=stop):
            if len(writes(bench)) == stop and method_of(request) == writes(bench)[-1] and not done:
                done.append(1)
                return True
            return False

        bench.lose = lost
        with pytest.raises(Lost):
            bench.place(PLAIN)
        bench.place(PLAIN)
        (placed,) = bench.tenant.truth()["orders"]
        assert len(bench.tenant.truth()["contacts"]) == 1
        assert (len(placed["lines"]), placed["total"], len(placed["payments"])) == (5, "48.89", 1), stop


def test_lines_of_somebody_else_are_left_alone():
    bench = xml_bench()
    v2 = Bench(account(), bench.tenant)
    v2.place(changed(PLAIN, amount_paid=None))
    bench.place(PLAIN)
    (placed,) = bench.tenant.truth()["orders"]
    assert len(placed["lines"]) == 5
    assert len(placed["payments"]) == 1


def test_equal_lines_have_marks_of_their_own():
    rows = (line(), line(), line(product_name="Another name"), line(sku="", line_type="fee", product_name="Gift"))
    marks = [mark for mark, _ in marked_items(order(*rows))]
    assert len(set(marks)) == 4
    bench = xml_bench()
    bench.place(order(*rows))
    assert len(bench.tenant.truth()["orders"][0]["lines"]) == 4


def test_a_lost_line_is_seen_and_a_line_like_it_without_a_mark_is_unclear():
    bench = xml_bench()
    step = step_of(bench, PLAIN, "item:")
    assert bench.find(step) == Absent()
    bench.send(step.request)
    assert isinstance(bench.find(step), Found)
    bench.send(step.request)
    assert "2 lines" in bench.find(step).message
    other = xml_bench()
    step = step_of(other, PLAIN, "item:")
    other.tenant._book.add_item("5310", {"product_id": "71", "quantity": 2, "price_per_unit": 19.95})
    assert "without our mark" in other.find(step).message


def test_a_lost_payment_is_seen_by_its_note_and_an_equal_one_by_hand_is_unclear():
    bench = xml_bench()
    step = step_of(bench, PLAIN, "payment")
    if step.name != "payment":
        step = step_of(bench, PLAIN, "payment")
    bench = xml_bench()
    plan = bench.operation().plan(PLAIN, None)
    step = next(plan)
    while step.name != "payment":
        step = plan.send(bench.perform(step).result)
    assert bench.find(step) == Absent()
    bench.send(step.request)
    assert bench.find(step) == Found({"id": "77"})
    bench.tenant._book.payments["77"]["notes"] = ""
    assert isinstance(bench.find(step), Unclear)
    bench.tenant._book.payments["77"]["payment_amount"] = 1.0
    assert bench.find(step) == Absent()


def test_an_order_id_with_a_wildcard_is_found_by_its_contact():
    bench = xml_bench()
    odd = order(order_id="FH%1")
    bench.place(odd)
    assert bench.place(odd)["already_there"]
    assert "already_there" not in bench.place(order(order_id="FH-1"))


def test_one_order_id_under_another_contact_or_twice_is_left_to_a_person():
    bench = xml_bench()
    bench.place(order())
    assert "1043" in bench.place(order(email="bob@example.com")).message
    twice = xml_bench(look_first=False)
    twice.place(order())
    twice.place(order())
    assert "2 orders" in xml_bench(twice.tenant).place(order()).message


def test_an_order_without_a_title_at_the_same_time_is_unclear():
    bench = xml_bench(custom_fields={}, look_first=True)
    bench.place(order())
    (stored,) = bench.tenant._book.orders.values()
    stored["order_title"] = ""
    assert "without a title" in bench.place(order()).message
    stored["order_time"] = "2025-01-01T00:00:00Z"
    assert isinstance(bench.place(order()), dict)


def test_a_missing_product_or_payment_type_leaves_nothing_behind():
    bench = xml_bench()
    for record, code, field in (
        (order(line(), line(sku="GONE")), "keap_no_product", "sku"),
        (order(line(sku="wb-100")), "keap_several_products", "sku"),
        (order(amount_paid=money("1"), payment_method="Wire"), "keap_payment_method", "payment_method"),
    ):
        outcome = bench.place(record, payment_methods={"wire": "Wire Transfer"})
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.field) == (code, field)
    assert writes(bench) == []


def test_a_missing_product_is_made_when_allowed():
    bench = xml_bench()
    for number in range(2):
        bench.place(order(line(sku="NEW-1", price="12.50"), order_id=f"FH-{number}"), create_products=True)
    made = [product for product in bench.tenant.truth()["products"] if product.get("sku") == "NEW-1"]
    assert [product["price"] for product in made] == [1250]


def test_a_product_is_looked_up_once():
    bench = xml_bench()
    for number in range(3):
        bench.place(order(order_id=f"FH-{number}"))
    assert sum("<string>Product</string>" in (request.text or "") for request in bench.sent) == 1


@pytest.mark.parametrize("label", ["_ExternalOrderId", "external order id"])
def test_custom_fields_by_name_or_label(label):
    bench = xml_bench(custom_fields={"order_id": label})
    bench.place(order())
    assert bench.tenant.truth()["orders"][0]["custom_fields"] == {"_ExternalOrderId": "FH-2026-000187"}


def test_a_missing_custom_field_pauses_the_account():
    outcome = xml_bench(custom_fields={"order_id": "_Nowhere"}).place(order())
    assert isinstance(outcome, Paused)
    assert "_Nowhere" in outcome.message


def test_custom_values_take_the_type_of_the_field():
    record = order(amount_paid=money("1.50"), shipped_at=datetime(2026, 1, 2, tzinfo=UTC), birth_date=date(2026, 1, 3))
    assert custom_value(record, "amount_paid", 3) == money("1.50")
    assert custom_value(changed(record, amount_paid=money("2")), "amount_paid", 12) == 2
    assert custom_value(record, "amount_paid", 12) == "1.50"
    assert custom_value(record, "shipped_at", 14) == datetime(2026, 1, 1, 19)
    assert custom_value(record, "birth_date", 13) == datetime(2026, 1, 3)
    assert custom_value(record, "birth_date", 15) == "2026-01-03"


def test_a_mark_is_known_again_though_keap_escapes_it():
    record = order(line(sku="", line_type="fee", product_name="Wrap & 'bow' " + "x" * 200, quantity="1"))
    bench = xml_bench()
    step = step_of(bench, record, "item:")
    bench.send(step.request)
    (stored,) = bench.tenant._book.orders.values()
    (item,) = stored["order_items"]
    item["notes"] = item["notes"].replace("&", "&amp;").replace("'", "&#39;")
    assert isinstance(bench.find(step), Found)
    assert len(step.name) < 140
