"""What a file empties on purpose is emptied at Keap; what it says nothing of stays, over both APIs that can change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from keap_bench import Bench, changed, emptied, order
from keap_xml import xml_bench

from pipeline.model import Record
from pipeline.targets.contract import Prior

FULL = order(
    note="Call first", phone="+1 555 0100", company="Berg Ltd", shipping_address2="Apt 4", tracking_number="1Z9",
    billing_address1="2 High St", billing_city="Salem", billing_country="US",
)  # fmt: skip
CUSTOMER = Record("customer", "ann@example.com", {"email": "ann@example.com", "first_name": "Ann", "phone": "5"})


@pytest.fixture(params=["rest-v2", "xmlrpc"])
def bench(request) -> Bench:
    return Bench() if request.param == "rest-v2" else xml_bench()


def update(bench: Bench, before: Record, after: Record, result, name: str = "place_order"):
    bench.sent.clear()
    return bench.walk(bench.operation(name).plan(after, Prior(result, before)))


def only(bench: Bench, kind: str):
    (one,) = bench.tenant.truth()[kind]
    return one


def phones(contact) -> list[str]:
    return [entry["number"] for entry in contact.get("phone_numbers", ()) if entry["number"]]


def test_nothing_is_sent_for_a_cleared_field_of_a_new_order(bench):
    bench.place(emptied(FULL, "note", "phone"))
    texts = [request.text or str(request.json) for request in bench.sent if request.method != "GET"]
    texts = [text for text in texts if "DataService.query" not in text]
    assert not [text for text in texts if "JobNotes" in text or "'notes'" in text or "Phone1" in text]
    assert "phone_numbers" not in only(bench, "contacts")


def test_what_is_cleared_is_emptied_and_the_rest_stays(bench):
    result = bench.place(FULL)
    update(bench, FULL, emptied(FULL, "note", "tracking_number", "shipping_address2", "phone", "company"), result)
    placed, contact = only(bench, "orders"), only(bench, "contacts")
    assert (placed["notes"], placed["custom_fields"]["_TrackingNumber"]) == ("", "")
    assert placed["custom_fields"]["_FulfillmentStatus"] == "shipped"
    assert placed["shipping_address"]["line2"] == ""
    assert placed["shipping_address"]["line1"] == "1 Main St"
    assert (phones(contact), contact["company"]["company_name"]) == ([], "")
    assert contact["email"] == "ann@example.com"


def test_what_people_filled_in_since_is_not_emptied_again(bench):
    result = bench.place(FULL)
    bare = emptied(FULL, "note")
    update(bench, FULL, bare, result)
    only(bench, "orders")["notes"] = "by hand"
    bench.tenant._book.orders["5310"]["notes"] = "by hand"
    update(bench, bare, changed(bare, status="returned"), result)
    assert only(bench, "orders")["notes"] == "by hand"


def test_an_empty_part_of_an_address_leaves_what_was_told(bench):
    result = bench.place(FULL)
    update(bench, FULL, changed(FULL, shipping_address2=None, shipping_city="Salem"), result)
    shipped_to = only(bench, "orders")["shipping_address"]
    assert (shipped_to["line1"], shipped_to["line2"], shipped_to["locality"]) == ("1 Main St", "Apt 4", "Salem")


def test_a_customer_loses_what_is_cleared_and_keeps_other_numbers(bench):
    first = bench.walk(bench.operation("customer").plan(CUSTOMER, None))
    bench.tenant._tenant.contacts["1042"]["phone_numbers"].append({"field": "PHONE2", "number": "6"})
    update(bench, CUSTOMER, emptied(CUSTOMER, "phone"), first, "customer")
    assert phones(only(bench, "contacts")) == ["6"]


def test_a_repeated_change_of_a_customer_is_the_same_again(bench):
    first = bench.walk(bench.operation("customer").plan(CUSTOMER, None))
    for _ in range(2):
        update(bench, CUSTOMER, replace(emptied(CUSTOMER, "phone"), rows=(9,)), first, "customer")
    assert phones(only(bench, "contacts")) == []


def test_the_operations_tell_what_they_can_empty(bench):
    clears = bench.operation("place_order").clears
    assert all(map(clears, ("note", "phone", "status", "shipping_address2", "billing_city")))
    assert not any(map(clears, ("email", "utm_source", "order_id_of_nobody")))
    assert bench.operation("customer").clears("phone")
