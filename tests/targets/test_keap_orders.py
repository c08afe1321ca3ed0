"""Orders, walked step by step against a simulated tenant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from keap_bench import FIELDS, Bench, Lost, account, changed, emptied, line, money, order

from pipeline.model import Record
from pipeline.sandbox.contract import Call
from pipeline.sandbox.keap import SimulatedKeap
from pipeline.targets.contract import Absent, Found, Paused, Prior, Refused, Unclear


def test_an_order_arrives_whole():
    bench = Bench()
    record = order(
        line(),
        shipping_total=money("6.50"),
        tax_total=money("2.49"),
        amount_paid=money("48.89"),
        tracking_number="1Z999",
        payment_method="cheque",
        paid_at=datetime(2026, 1, 1, 17, 5, tzinfo=UTC),
    )

    result = bench.place(record)

    (placed,) = bench.tenant.truth()["orders"]
    assert result == {"id": placed["id"], "contact_id": "1042", "payment_id": "77"}
    assert (placed["external_id"], placed["total"], placed["contact_id"]) == (
        "FH-2026-000187",
        "48.89",
        "1042",
    )
    assert placed["custom_fields"] == {
        "_ExternalOrderId": "FH-2026-000187",
        "_FulfillmentStatus": "shipped",
        "_TrackingNumber": "1Z999",
    }
    assert [(row["item_type"], row["sku"], row["price_per_unit"]) for row in placed["lines"]] == [
        ("PRODUCT", "WB-100", "19.95"),
        ("SHIPPING", "", "6.5"),
        ("TAX", "", "2.49"),
    ]
    (payment,) = placed["payments"]
    assert payment["payment_method_type"] == "Check"
    assert payment["payment_time"] == "2026-01-01T17:05:00Z"
    assert payment["payment_amount"] == 48.89
    assert placed["order_time"] == "2026-01-01T17:00:00Z"


def test_reads_come_before_the_first_write():
    bench = Bench()
    bench.place(order())
    methods = [request.method for request in bench.sent]
    assert methods[: methods.index("POST")] == ["GET", "GET", "GET"]
    assert bench.writes == ["POST /rest/v2/contacts", "POST /rest/v2/orders"]


def test_a_second_placing_writes_no_second_order():
    bench = Bench()
    record = order(amount_paid=money("39.90"))
    first = bench.place(record)
    second = bench.place(record)

    assert second == first | {"already_there": True}
    truth = bench.tenant.truth()
    assert (len(truth["orders"]), len(truth["payments"]), len(truth["contacts"])) == (1, 1, 1)


def test_an_order_that_was_there_gets_the_payment_it_lacks():
    bench = Bench()
    record = order(amount_paid=money("39.90"))
    bench.place(record, send_payment=False)
    result = bench.place(record)
    assert "already_there" not in result
    assert len(bench.tenant.truth()["payments"]) == 1


def test_without_a_custom_field_nothing_is_looked_for_first_but_a_lost_order_is_found():
    bench = Bench(account(custom_fields={}))
    bench.place(order())
    assert all("orders" not in request.path for request in bench.sent if request.method == "GET")

    steps = {}
    plan = bench.operation().plan(order(), None)
    step = next(plan)
    while step.name != "order":
        steps[step.name] = step
        step = plan.send(bench.perform(step).result)
    assert isinstance(bench.find(step), Found)


@pytest.mark.parametrize("custom_fields", [FIELDS, {}])
def test_a_lost_order_is_seen_and_one_never_sent_is_absent(custom_fields):
    bench = Bench(account(custom_fields=custom_fields))
    plan = bench.operation().plan(order(), None)
    step = next(plan)
    while step.name != "order":
        step = plan.send(bench.perform(step).result)
    assert bench.find(step) == Absent()

    bench.lose = lambda request: request.method == "POST"
    with pytest.raises(Lost):
        bench.send(step.request)
    bench.lose = lambda _request: False
    found = bench.find(step)
    assert isinstance(found, Found)
    assert found.result["id"] == bench.tenant.truth()["orders"][0]["id"]


def test_an_order_id_with_filter_signs_is_found_by_its_contact():
    bench = Bench()
    odd = order(order_id="FH;1,2==3")
    bench.place(odd)
    assert bench.place(odd)["already_there"]
    assert len(bench.tenant.truth()["orders"]) == 1


def test_an_order_id_with_a_star_is_not_taken_for_a_longer_one():
    bench = Bench()
    bench.place(order(order_id="FH-12"))
    result = bench.place(order(order_id="FH-1*"))
    assert "already_there" not in result
    assert len(bench.tenant.truth()["orders"]) == 2


def test_an_order_id_in_another_case_is_another_order():
    bench = Bench()
    bench.place(order(order_id="fh-1"))
    assert "already_there" not in bench.place(order(order_id="FH-1"))


def test_one_order_id_under_another_contact_is_left_to_a_person():
    bench = Bench()
    bench.place(order())
    outcome = bench.place(order(email="bob@example.com"))
    assert isinstance(outcome, Unclear)
    assert "1042" in outcome.message
    assert "1043" in outcome.message


def test_two_orders_with_one_id_are_unclear():
    bench = Bench(account(look_first=False))
    bench.place(order())
    bench.place(order())
    looking = Bench(account(), bench.tenant)
    outcome = looking.place(order())
    assert isinstance(outcome, Unclear)
    assert "2 orders" in outcome.message


def test_a_missing_product_refuses_before_anything_is_written():
    bench = Bench()
    outcome = bench.place(order(line(), line(sku="GONE-1")))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.field) == ("keap_no_product", "sku")
    assert "GONE-1" in outcome.message
    assert bench.writes == []


def test_a_missing_product_is_made_in_minor_units_when_allowed():
    bench = Bench()
    bench.place(order(line(), line(sku="NEW-1", price="12.50", product_name="New thing")), create_products=True)
    assert bench.body("/products") == {
        "name": "New thing",
        "short_description": "New thing",
        "sku": "NEW-1",
        "price": 1250,
        "active": True,
    }
    bench.place(order(line(sku="NEW-1"), order_id="FH-2"), create_products=True)
    assert len([product for product in bench.tenant.truth()["products"] if product["sku"] == "NEW-1"]) == 1


def test_a_product_of_another_case_is_named_not_used():
    bench = Bench()
    outcome = bench.place(order(line(sku="wb-100")))
    assert isinstance(outcome, Refused)
    assert "WB-100" in outcome.message


def test_two_products_with_one_sku_are_refused():
    twice = SimulatedKeap(products=[("WB-100", "A", 1), ("WB-100", "B", 2)])
    outcome = Bench(tenant=twice).place(order())
    assert isinstance(outcome, Refused)
    assert outcome.code == "keap_several_products"
    assert "71, 72" in outcome.message


def test_an_order_in_another_currency_is_refused():
    bench = Bench(tenant=SimulatedKeap(currency="USD"))
    outcome = bench.place(order(currency="EUR"))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.field) == ("keap_currency", "currency")
    assert isinstance(Bench().place(order(currency="USD")), dict)


def test_a_missing_custom_field_pauses_the_account_and_names_it():
    bench = Bench(account(custom_fields={"order_id": "_Nowhere"}))
    outcome = bench.place(order())
    assert isinstance(outcome, Paused)
    assert "_Nowhere" in outcome.message
    assert bench.writes == []


def test_two_custom_fields_of_one_label_pause_the_account():
    tenant = SimulatedKeap(custom_fields={"_A": "External Order Id", "_B": "External Order Id"})
    outcome = Bench(account(custom_fields={"order_id": "external order id"}), tenant).place(order())
    assert isinstance(outcome, Paused)
    assert "2 order custom fields" in outcome.message


def test_custom_fields_take_extra_and_line_values():
    fields = FIELDS | {
        "extra.gift": "_Carrier",
        "subscription_status": "_SubscriptionStatus",
        "subscription_expires_on": "_SubscriptionExpires",
    }
    bench = Bench(account(custom_fields=fields))
    lines = [
        line(subscription_status="active", subscription_expires_on=date(2027, 1, 31), line_type="subscription"),
        line(sku="INS-1", subscription_status="active"),
        line(sku="WR-200", subscription_status="lapsed"),
    ]
    bench.place(order(*lines, extra={"gift": "yes", "other": "no"}))
    (placed,) = bench.tenant.truth()["orders"]
    assert placed["custom_fields"]["_Carrier"] == "yes"
    assert placed["custom_fields"]["_SubscriptionStatus"] == "active; lapsed"
    assert placed["custom_fields"]["_SubscriptionExpires"] == "2027-01-31"
    assert placed["lines"][0]["item_type"] == "PRODUCT"


# --- contacts ---


def stored(bench: Bench, **body) -> None:
    """A contact that another system keeps at the tenant."""
    import json

    call = Call(
        "POST",
        "/crm/rest/v2/contacts",
        (),
        {"authorization": "Bearer sandbox-key", "content-type": "application/json"},
        json.dumps(body).encode(),
    )
    assert bench.tenant.handle(call).status == 201


ANN = {
    "given_name": "Ann",
    "email_addresses": [
        {"email": "Ann@Example.com", "field": "EMAIL1"},
        {"email": "b@x.org", "field": "EMAIL2"},
    ],
    "phone_numbers": [{"number": "111", "field": "PHONE1"}, {"number": "222", "field": "PHONE2"}],
    "addresses": [{"field": "BILLING", "line1": "9 Elm St", "region_code": "US-NY", "country_code": "USA"}],
}


def test_the_other_phones_and_addresses_of_a_contact_survive():
    bench = Bench()
    stored(bench, **ANN)
    bench.place(order(phone="333"))
    (contact,) = bench.tenant.truth()["contacts"]
    assert {entry["field"]: entry["email"] for entry in contact["email_addresses"]} == {
        "EMAIL1": "ann@example.com",
        "EMAIL2": "b@x.org",
    }
    assert {entry["field"]: entry["number"] for entry in contact["phone_numbers"]} == {
        "PHONE1": "333",
        "PHONE2": "222",
    }
    assert {entry["field"]: entry["line1"] for entry in contact["addresses"]} == {
        "SHIPPING": "1 Main St",
        "BILLING": "9 Elm St",
    }


def test_a_list_the_record_says_nothing_about_is_not_sent():
    bench = Bench()
    stored(bench, **ANN)
    bench.place(order())
    assert "phone_numbers" not in bench.body("/contacts")
    assert len(bench.tenant.truth()["contacts"][0]["phone_numbers"]) == 2


def test_replacing_lists_saves_the_look_when_several_contacts_do_not_matter():
    bench = Bench()
    bench.place(order(), contact_lists="replace", several_contacts="oldest")
    assert all("contacts" not in request.path for request in bench.sent if request.method == "GET")


def test_several_contacts_of_one_address_are_refused_or_the_oldest_is_used_untouched():
    bench = Bench()
    stored(bench, **ANN)
    stored(bench, **ANN)
    outcome = bench.place(order())
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.field) == ("keap_several_contacts", "email")
    assert "1042, 1043" in outcome.message

    before = bench.tenant.truth()["contacts"]
    result = bench.place(order(), several_contacts="oldest")
    assert result["contact_id"] == "1042"
    assert bench.tenant.truth()["contacts"] == before


def test_email_and_name_makes_a_second_contact_for_a_second_person():
    bench = Bench()
    bench.place(order(), duplicate_option="EmailAndName")
    bench.place(order(first_name="Bob", order_id="FH-2"), duplicate_option="EmailAndName")
    bench.place(order(order_id="FH-3"), duplicate_option="EmailAndName")
    assert [contact["given_name"] for contact in bench.tenant.truth()["contacts"]] == ["Ann", "Bob"]


# --- changes of a delivered order ---


def test_an_update_sets_what_changed_and_keeps_the_rest():
    bench = Bench()
    before = order(tracking_number="1Z999", note="first")
    result = bench.place(before)
    bench.sent.clear()
    after = changed(before, status="returned", tracking_number=None, note=None)

    updated = bench.walk(bench.operation().plan(after, Prior(result, before)))

    assert updated["id"] == result["id"]
    assert bench.writes == [f"PATCH /rest/v2/orders/{result['id']}"]
    (placed,) = bench.tenant.truth()["orders"]
    assert placed["custom_fields"]["_FulfillmentStatus"] == "returned"
    assert placed["custom_fields"]["_TrackingNumber"] == "1Z999"
    assert placed["notes"] == "first"


def test_an_update_that_changes_nothing_at_keap_writes_nothing():
    bench = Bench()
    before = order()
    result = bench.place(before)
    bench.sent.clear()
    bench.walk(bench.operation().plan(changed(before, utm_source="mail"), Prior(result, before)))
    assert bench.writes == []


def test_an_update_adds_the_money_that_came_since():
    bench = Bench()
    before = order(amount_paid=money("10.00"))
    result = bench.place(before)
    after = changed(before, amount_paid=money("20.00"))
    for _ in range(2):
        bench.walk(bench.operation().plan(after, Prior(result, before)))
    assert [payment["payment_amount"] for payment in bench.tenant.truth()["payments"]] == [10.0, 10.0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"cleared": ("shipping_total",)}, "keap_lines_changed"),
        ({"cleared": ("amount_paid",)}, "keap_payment_lowered"),
        ({"amount_paid": money("1")}, "keap_payment_lowered"),
    ],
)
def test_changed_lines_and_lowered_payments_are_left_to_a_person(change, code):
    bench = Bench()
    before = order(amount_paid=money("10"), shipping_total=money("3"))
    result = bench.place(before)
    bench.sent.clear()
    after = emptied(before, *change["cleared"]) if "cleared" in change else changed(before, **change)
    outcome = bench.walk(bench.operation().plan(after, Prior(result, before)))
    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert bench.writes == []


def test_empty_amounts_of_a_later_file_take_nothing_away():
    bench = Bench()
    before = order(amount_paid=money("10"), shipping_total=money("3"))
    result = bench.place(before)
    bench.sent.clear()
    after = changed(before, amount_paid=None, shipping_total=None)
    assert bench.walk(bench.operation().plan(after, Prior(result, before)))["id"] == result["id"]
    assert bench.writes == []


def test_an_update_of_an_order_deleted_at_keap_is_refused():
    bench = Bench()
    outcome = bench.walk(bench.operation().plan(changed(order(), status="x"), Prior({"id": "9999"}, order())))
    assert isinstance(outcome, Refused)
    assert outcome.code == "keap_not_found"


def test_an_update_without_a_noted_id_searches_before_it_writes():
    bench = Bench()
    before = order()
    bench.place(before)
    outcome = bench.walk(bench.operation().plan(changed(before, status="returned"), Prior({}, before)))
    assert outcome["id"] == "5310"
    (placed,) = bench.tenant.truth()["orders"]
    assert placed["custom_fields"]["_FulfillmentStatus"] == "returned"


def test_a_new_email_address_moves_the_order_to_its_contact():
    bench = Bench()
    before = order()
    result = bench.place(before)
    bench.walk(bench.operation().plan(changed(before, email="ann@new.example"), Prior(result, before)))
    truth = bench.tenant.truth()
    assert truth["orders"][0]["contact_id"] == truth["contacts"][1]["id"]


# --- customers and payments ---


def test_a_customer_is_upserted():
    bench = Bench()
    record = Record("customer", "ann@example.com", {"email": "ann@example.com", "full_name": "Ann O'Brien"})
    operation = bench.operation("customer")
    assert operation.problems(record) == []
    first = bench.walk(operation.plan(record, None))
    second = bench.walk(operation.plan(replace(record, fields={**record.fields, "phone": "5"}), None))
    assert first == second == {"id": "1042"}
    (contact,) = bench.tenant.truth()["contacts"]
    assert (contact["given_name"], contact["family_name"]) == ("Ann", "O'Brien")
    assert contact["phone_numbers"][0]["number"] == "5"


def pay(amount: str = "10.00", **fields) -> Record:
    known = {"order_id": "FH-2026-000187", "amount": money(amount), "payment_method": "Cash"} | fields
    return Record("payment", f"{known['order_id']} {fields.get('payment_reference', '')}", known)


def test_a_payment_finds_its_order_and_is_recorded_once():
    bench = Bench()
    placed = bench.place(order())
    operation = bench.operation("payment")
    first = bench.walk(operation.plan(pay(), None))
    second = bench.walk(operation.plan(pay(), None))
    third = bench.walk(operation.plan(pay(payment_reference="R-2"), None))
    assert first == {"id": "77", "order_id": placed["id"]}
    assert second == first | {"already_there": True}
    assert third["id"] == "78"
    assert [payment["payment_method_type"] for payment in bench.tenant.truth()["payments"]] == [
        "Cash",
        "Cash",
    ]


def test_a_payment_without_its_order_is_refused():
    outcome = Bench().walk(Bench().operation("payment").plan(pay(), None))
    assert isinstance(outcome, Refused)
    assert (outcome.code, outcome.field) == ("keap_order_not_found", "order_id")


def test_the_same_amount_paid_by_hand_is_left_to_a_person():
    bench = Bench()
    placed = bench.place(order())
    by_hand = {
        "payment_amount": 10,
        "payment_method_type": "Cash",
        "apply_to_commissions": False,
        "notes": "counter",
    }
    from pipeline.targets.contract import Request

    bench.send(Request("POST", f"/rest/v2/orders/{placed['id']}/payments", json=by_hand))
    outcome = bench.walk(bench.operation("payment").plan(pay(), None))
    assert isinstance(outcome, Unclear)
    assert "same amount" in outcome.message


@pytest.mark.parametrize("amount", ["0", "-1", "1.005", "NaN"])
def test_impossible_payments_are_named_before_sending(amount):
    (problem,) = Bench().operation("payment").problems(pay(amount))
    assert problem.field == "amount"
