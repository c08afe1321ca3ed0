"""Contacts, payments, the catalogue style and changes over XML-RPC, and what the account tells."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from keap_bench import EASTERN, FIELDS, Bench, account, changed, line, money, order
from keap_xml import CATALOGUE, PLAIN, step_of, value, writes, xml_bench

from pipeline.errors import SetupError
from pipeline.model import Record
from pipeline.targets.contract import (
    Absent,
    InDoubt,
    Listed,
    Paused,
    PlanRefused,
    Prior,
    Refused,
)

# --- contacts ---


def test_a_known_contact_is_changed_and_keeps_what_the_file_does_not_say():
    bench = xml_bench()
    bench.place(changed(PLAIN, company="Old & Co"))
    bench.place(order(order_id="FH-2", phone="5", first_name="Anna"))
    (contact,) = bench.tenant.truth()["contacts"]
    assert contact["given_name"] == "Anna"
    assert contact["company"] == {"company_name": "Old & Co"}
    assert contact["phone_numbers"] == [{"field": "PHONE1", "number": "5"}]


def test_several_contacts_are_refused_or_the_oldest_is_used():
    bench = xml_bench()
    for _ in range(2):
        bench.tenant._tenant.upsert({"email_addresses": [{"email": "ANN@example.com", "field": "EMAIL1"}]}, "")
    outcome = bench.place(order())
    assert isinstance(outcome, Refused)
    assert outcome.code == "keap_several_contacts"
    assert bench.place(order(), several_contacts="oldest")["contact_id"] == "1042"


def test_email_and_name_makes_a_second_contact_for_a_second_person():
    bench = xml_bench()
    for name, order_id in (("Ann", "1"), ("Bob", "2"), ("Ann", "3")):
        bench.place(order(first_name=name, order_id=order_id), duplicate_option="EmailAndNameAndCompany")
    assert [contact["given_name"] for contact in bench.tenant.truth()["contacts"]] == ["Ann", "Bob"]


def test_customers_and_payments():
    bench = xml_bench()
    customer = Record("customer", "ann@example.com", {"email": "ann@example.com", "full_name": "Ann O'Brien"})
    operation = bench.operation("customer")
    assert operation.problems(customer) == []
    assert bench.walk(operation.plan(customer, None)) == bench.walk(operation.plan(customer, None)) == {"id": "1042"}

    operation = bench.operation("payment")
    paid_at = datetime(2026, 1, 5, tzinfo=EASTERN)
    pay = Record("payment", "x", {"order_id": "FH-2026-000187", "amount": money("9.90"), "paid_at": paid_at})
    outcome = bench.walk(operation.plan(pay, None))
    assert (outcome.code, outcome.field) == ("keap_order_not_found", "order_id")
    bench.place(order())
    assert bench.walk(operation.plan(pay, None)) == {"id": "", "order_id": "5310"}
    assert bench.walk(operation.plan(pay, None)) == {"id": "77", "order_id": "5310", "already_there": True}
    assert len(bench.tenant.truth()["payments"]) == 1
    assert [p.code for p in operation.problems(changed(pay, paid_at=None, amount=money("0")))] == [
        "keap_amount",
        "keap_paid_at",
    ]
    with pytest.raises(SetupError, match=r"custom_fields\.order_id"):
        xml_bench(custom_fields={}).operation("payment")


# --- the catalogue's style ---


def test_place_order_takes_catalogue_prices_and_then_says_whose_it_is():
    bench = xml_bench()
    result = bench.place(CATALOGUE, style="place_order")
    assert writes(bench) == ["ContactService.addWithDupCheck", "OrderService.placeOrder", "DataService.update"]
    (placed,) = bench.tenant.truth()["orders"]
    assert (placed["external_id"], placed["order_title"], placed["total"]) == ("FH-2026-000187",) * 2 + ("24.95",)
    assert placed["order_time"] == "2026-01-01T17:00:00Z"
    assert (result["id"], result["invoice_id"]) == ("5310", "5298")
    second = bench.place(CATALOGUE, style="place_order")
    assert second["already_there"]
    assert len(bench.tenant.truth()["orders"]) == 1


def test_what_placeorder_cannot_carry_is_named_before_sending():
    operation = xml_bench().operation(style="place_order")
    codes = {(p.code, p.field) for p in operation.problems(PLAIN)}
    assert codes == {("keap_catalogue_only", "line_type"), ("keap_catalogue_only", "quantity")}
    allowed = xml_bench().operation(style="place_order", repeat_for_quantity=True)
    assert allowed.problems(order(line(quantity="3"))) == []


def test_a_price_other_than_the_catalogues_is_refused_unless_accepted():
    bench = xml_bench()
    with pytest.raises(PlanRefused) as stopped:
        bench.place(order(line(quantity="1", price="18.00")), style="place_order")
    assert stopped.value.refused.code == "keap_catalogue_price"
    assert "19.95" in stopped.value.refused.message
    assert writes(bench) == []
    bench.place(order(line(quantity="1", price="18.00")), style="place_order", catalogue_prices="accept")
    assert bench.tenant.truth()["orders"][0]["total"] == "19.95"


def test_a_lost_place_order_is_never_taken_for_absent():
    bench = xml_bench()
    step = step_of(bench, CATALOGUE, "order", style="place_order")
    assert bench.find(step) == Absent()
    bench.send(step.request)
    assert "same products" in bench.find(step).message
    other = xml_bench()
    step = step_of(other, CATALOGUE, "order", style="place_order")
    other.place(order(order_id="OTHER"))
    assert other.find(step) == Absent()


@pytest.mark.parametrize("text", ["<struct></struct>", "5", "<i4>5</i4>"])
def test_place_order_without_ids_is_looked_up(text):
    step = step_of(xml_bench(), CATALOGUE, "order", style="place_order")
    assert isinstance(step.read(value(text)), InDoubt)


# --- changes of a delivered order ---


def test_an_update_sets_what_changed_and_adds_lines_and_money():
    bench = xml_bench()
    before = order(note="first", amount_paid=money("10"), payment_method="Check")
    result = bench.place(before)
    bench.sent.clear()
    after = order(line(), line(sku="INS-1", quantity="1", price="5"), status="returned", note=None,
                  tracking_number="1Z", amount_paid=money("20"), payment_method="Check")  # fmt: skip
    for _ in range(2):
        updated = bench.walk(bench.operation().plan(after, Prior(result, before)))
    assert updated["id"] == "5310"
    (placed,) = bench.tenant.truth()["orders"]
    assert placed["notes"] == "first"
    assert placed["custom_fields"]["_FulfillmentStatus"] == "returned"
    assert [item["sku"] for item in placed["lines"]] == ["WB-100", "INS-1"]
    assert [payment["payment_amount"] for payment in placed["payments"]] == [10.0, 10.0]
    update = next(request.text for request in bench.sent if "DataService.update" in request.text)
    assert "ShipStreet1" not in update
    assert "JobNotes" not in update


@pytest.mark.parametrize("rows", [(line(quantity="3"),), (line(price="1"),), (line(sku="INS-1"),)])
def test_changed_lines_are_left_to_a_person(rows):
    bench = xml_bench()
    before = order()
    result = bench.place(before)
    bench.sent.clear()
    outcome = bench.walk(bench.operation().plan(order(*rows), Prior(result, before)))
    assert isinstance(outcome, Refused)
    assert outcome.code == "keap_lines_changed"
    assert writes(bench) == []


def test_an_order_delivered_over_rest_is_updated_over_xmlrpc():
    bench = xml_bench()
    before = order()
    result = Bench(account(), bench.tenant).place(before)
    bench.walk(bench.operation().plan(changed(before, status="x"), Prior(result, before)))
    assert bench.tenant.truth()["orders"][0]["custom_fields"]["_FulfillmentStatus"] == "x"
    gone = bench.walk(bench.operation().plan(changed(before, status="x"), Prior({"id": "9999"}, before)))
    assert isinstance(gone, Refused)
    assert gone.code == "keap_not_found"


def test_an_update_without_a_noted_id_searches_first_and_a_new_address_moves_the_order():
    bench = xml_bench()
    before = order()
    bench.place(before)
    bench.walk(bench.operation().plan(changed(before, email="ann@new.example"), Prior({}, before)))
    outcome = bench.walk(bench.operation().plan(changed(before, status="y"), Prior({}, before)))
    assert isinstance(outcome, dict)
    truth = bench.tenant.truth()
    assert len(truth["orders"]) == 1


# --- the account ---


def test_the_account_warns_of_the_end():
    known = account(api="xmlrpc")
    assert any("2026-12-31" in text for text in known.warnings)
    assert account().warnings == ()


def test_the_probe_and_the_custom_fields_are_read():
    bench = xml_bench()
    assert isinstance(bench.walk(bench.account.probe()), dict)
    bare = xml_bench(custom_fields={})
    assert bare.walk(bare.account.probe()) == {"id": ""}
    assert isinstance(xml_bench(key="wrong").walk(account(key="wrong", api="xmlrpc").probe()), Paused)
    lacking = xml_bench(custom_fields=FIELDS | {"carrier": "_New"})
    assert lacking.walk(lacking.account.fields_plan(False)) == {"missing": ["_New"], "created": []}
    assert lacking.walk(lacking.account.fields_plan(True)) == {"missing": [], "created": ["_New"]}


def test_the_list_tells_our_keys():
    bench = xml_bench()
    bench.place(order(tracking_number="1Z"))
    reading = bench.account.listing("place_order", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    try:
        request = next(reading)
        while True:
            request = reading.send(bench.send(request))
    except StopIteration as end:
        listed = end.value
    assert listed == (Listed("order", "FH-2026-000187", "5310", {"status": "shipped", "tracking_number": "1Z"}),)
    assert bench.account.listing("payment", datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"style": "item"}, "itemized"),
        ({"catalogue_prices": "x"}, "accept"),
        ({"subscriptions": "mirror"}, "subscriptions"),
    ],
)
def test_wrong_options_are_named(options, words):
    with pytest.raises(SetupError, match=words):
        xml_bench().operation(**options)


@pytest.mark.parametrize(("field", "text"), [("email", "a%b@example.com"), ("email", "~x@example.com")])
def test_what_a_query_would_misread_is_named_before_sending(field, text):
    (problem,) = xml_bench().operation().problems(order(**{field: text}))
    assert problem.field == field


def test_a_sku_a_query_would_misread_is_named():
    (problem,) = xml_bench().operation().problems(order(line(sku="50%")))
    assert problem.field == "sku"


def test_a_plan_made_again_gives_the_same_steps():
    bench, again = xml_bench(), xml_bench()
    bench.place(PLAIN)
    again.place(PLAIN)
    assert bench.sent == again.sent
