"""The table of answers: what Keap says → what becomes of the step; and what its headers say of our speed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import msgspec
import pytest
from keap_bench import KEY, Bench, account, answer, line, money, order

from pipeline.targets.contract import (
    Absent,
    Answer,
    Done,
    Found,
    InDoubt,
    Later,
    Paused,
    Refused,
    Step,
    Unclear,
)
from pipeline.targets.keap import answers
from pipeline.targets.keap.lines import is_note
from pipeline.targets.keap.lookups import OrderSought, find_order, find_payment, find_product
from pipeline.targets.keap.pacing import pace, wait_seconds

HTML = "<html><body><h1>Bad gateway</h1></body></html>"


def v2(status: int, message: str) -> Answer:
    return answer(status, {"code": status, "message": message, "status": "x", "details": []})


def fault(status: int, text: str, code: str) -> Answer:
    return answer(status, {"fault": {"faultstring": text, "detail": {"errorcode": code}}})


SPIKE = fault(429, "Spike arrest violation. Allowed rate : 10ps", "policies.ratelimit.SpikeArrestViolation")
TABLE = [
    (
        answer(429, {"code": "429", "message": "Quota Exceeded", "status": "Request Throttled"}),
        Later,
        "keap_too_fast",
    ),
    (fault(429, "Rate limit quota violation.", "policies.ratelimit.QuotaViolation"), Later, "keap_too_fast"),
    (SPIKE, Later, "keap_too_fast"),
    (msgspec.structs.replace(SPIKE, status=500), Later, "keap_too_fast"),
    (answer(429, ""), Later, "keap_too_fast"),
    (fault(401, "Invalid access token", "oauth.v2.InvalidAccessToken"), Paused, "keap_bad_key"),
    (
        fault(401, "Access Token expired", "keymanagement.service.access_token_expired"),
        Paused,
        "keap_expired_key",
    ),
    (v2(401, "Unauthorized"), Paused, "keap_bad_key"),
    (answer(401, ""), Paused, "keap_bad_key"),
    (v2(403, "Forbidden"), Paused, "keap_not_enabled"),
    (answer(302, "", {"location": "https://elsewhere.example/login?x=1"}), Paused, "keap_redirected"),
    (v2(400, "Unrecognized property: item_type"), Paused, "keap_unknown_property"),
    (v2(400, "contact_id is invalid"), Refused, "keap_refused"),
    (v2(404, "Order not found"), Refused, "keap_not_found"),
    (answer(404, HTML), Paused, "keap_wrong_address"),
    (answer(405, ""), Paused, "keap_wrong_address"),
    (v2(405, "Method Not Allowed"), Refused, "keap_refused"),
    (v2(409, "Conflict"), Refused, "keap_conflict"),
    (v2(422, "no"), Refused, "keap_refused"),
    (answer(413, ""), Refused, "keap_refused"),
    (answer(407, ""), Paused, "keap_bad_proxy"),
    (answer(408, ""), InDoubt, "keap_no_answer"),
    (v2(500, "Internal Server Error"), InDoubt, "keap_failed"),
    (answer(502, HTML), InDoubt, "keap_failed"),
    (answer(503, ""), InDoubt, "keap_failed"),
    (answer(200, ""), InDoubt, "keap_unreadable"),
    (answer(200, HTML), InDoubt, "keap_unreadable"),
    (answer(201, {"title": "no id"}), InDoubt, "keap_unreadable"),
    (answer(201, {"id": ""}), InDoubt, "keap_unreadable"),
    (answer(201, {"id": None}), InDoubt, "keap_unreadable"),
    (answer(201, {"id": True}), InDoubt, "keap_unreadable"),
    (answer(201, ["5310"]), InDoubt, "keap_unreadable"),
    (answer(201, '{"id": "53'), InDoubt, "keap_unreadable"),
    (answer(204, ""), InDoubt, "keap_unreadable"),
    (answer(201, b"\xff\xfe\x00"), InDoubt, "keap_unreadable"),
    (answer(201, {"id": 5310}), Done, ""),
    (answer(201, {"id": "5310"}), Done, ""),
]


def steps_of(record) -> dict[str, Step]:
    bench, found = Bench(), {}
    plan = bench.operation(create_products=True).plan(record, None)
    step = next(plan)
    while True:
        found[step.name] = step
        try:
            outcome = bench.perform(step)
            step = plan.send(outcome.result)
        except StopIteration:
            return found


STEPS = steps_of(order(line(), line(sku="NEW"), amount_paid=money("1")))
WRITES = ["contact", "product:NEW", "order", "payment"]


@pytest.mark.parametrize(("said", "outcome", "code"), TABLE)
@pytest.mark.parametrize("name", WRITES)
def test_every_write_reads_the_table(name, said, outcome, code):
    found = STEPS[name].read(said)
    assert type(found) is outcome
    assert getattr(found, "code", "") == code
    if isinstance(found, Done):
        assert found.result["id"] == "5310"


@pytest.mark.parametrize(("said", "outcome", "code"), TABLE)
@pytest.mark.parametrize("name", ["model", "known_contact"])
def test_a_read_is_never_in_doubt_and_never_empty_by_mistake(name, said, outcome, code):
    found = STEPS[name].read(said)
    assert isinstance(found, Later | Paused | Refused)
    if outcome in {InDoubt, Done, Later}:
        assert isinstance(found, Later)
    if outcome is Paused:
        assert found.code == code
    if name == "model":
        assert not isinstance(found, Refused)


def test_every_row_of_the_table_is_reached():
    reached = {code for _, _, code in TABLE if code}
    assert {row.code for row in answers.TABLE} <= reached


def test_a_contact_that_was_there_says_so():
    assert STEPS["contact"].read(answer(200, {"id": "1"})) == Done({"id": "1"}, already_there=True)
    assert STEPS["contact"].read(answer(201, {"id": "1"})) == Done({"id": "1"}, already_there=False)


def test_a_payment_that_was_recorded_as_failed_is_refused():
    said = answer(201, {"id": "7", "payment_status_message": "DECLINED"})
    assert isinstance(STEPS["payment"].read(said), Refused)
    assert isinstance(STEPS["payment"].read(answer(201, {"id": "7", "payment_status_message": "APPROVED"})), Done)


def test_the_key_is_in_no_sentence():
    said = v2(400, f"token {KEY} may not {KEY}")
    outcome = STEPS["order"].read(said)
    assert KEY not in repr(outcome)
    assert "***" in outcome.message
    shown = account().show(STEPS["order"].request)
    assert KEY not in repr(shown)
    assert KEY in repr(account().sign(STEPS["order"].request))
    assert KEY not in repr(account())


def test_a_redirect_names_the_host_only():
    said = answer(302, "", {"location": "https://elsewhere.example/login?token=abc"})
    outcome = STEPS["order"].read(said)
    assert "elsewhere.example" in outcome.message
    assert "abc" not in outcome.message
    assert "another address" in STEPS["order"].read(answer(301, "", {"location": "http://[broken"})).message


def test_a_long_ugly_message_is_short_and_on_one_line():
    outcome = STEPS["order"].read(v2(400, "bad\n\x1b[31m" + "x" * 5000))
    assert len(outcome.message) < 400
    assert "\n" not in outcome.message
    assert "\x1b" not in outcome.message


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("BILLING Region is invalid", "billing_state"),
        ("SHIPPING country_code is invalid", "shipping_country"),
        ("email_addresses.email must be valid", "email"),
        ("given_name must not be longer than 40", "first_name"),
        ("quantity must be at least 1", "quantity"),
        ("payment_method_type is invalid", "payment_method"),
        ("payment_amount must not exceed the current balance", "amount_paid"),
        ("contact_id is invalid", None),
        ("something else", None),
    ],
)
def test_the_cell_keap_means(message, field):
    assert STEPS["order"].read(v2(400, message)).field == field


def test_a_products_name_is_not_the_customers():
    assert STEPS["product:NEW"].read(v2(400, "name must not be blank")).field == "product_name"
    assert STEPS["product:NEW"].read(v2(400, "email is odd")).field is None


# --- speed ---


def test_an_answer_with_room_left_gives_no_hint():
    hint = pace(answer(200, "", {"x-keap-product-throttle-available": "239", "x-keap-product-quota-available": "9"}))
    assert (hint.remaining, hint.wait) == (None, None)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:00:30 GMT", "date": "Fri, 02 Jan 2026 03:00:00 GMT"}, 30.0),
        ({"retry-after": "soon"}, None),
        ({"x-keap-product-throttle-available": "0", "x-keap-product-throttle-time-unit": "minute"}, 60.0),
        ({"x-keap-tenant-throttle-available": "0", "x-keap-tenant-throttle-time-unit": "second",
          "x-keap-tenant-throttle-interval": "5"}, 5.0),
        ({"x-keap-product-quota-available": "0", "x-keap-product-quota-expiry-time": "1767312000000",
          "date": "Fri, 02 Jan 2026 03:00:00 GMT"}, 0.0),  # already over
        ({"x-keap-product-quota-available": "0", "x-keap-product-quota-expiry-time": "1767326400000",
          "date": "Fri, 02 Jan 2026 03:00:00 GMT"}, 3600.0),
        ({"x-keap-product-quota-available": "0"}, None),
        ({"x-keap-product-throttle-available": "-1"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_how_long_to_wait(headers, wait):
    found = wait_seconds(answer(429, "", headers))
    assert found == wait
    assert STEPS["order"].read(answer(429, "", headers)).seconds == found


# --- look-ups ---


def looked(search, *said: Answer):
    asked = [next(search)]
    for one in said:
        try:
            asked.append(search.send(one))
        except StopIteration as end:
            return end.value, asked
    raise AssertionError("the look-up wants more pages")


def redact(text: str) -> str:
    return text.replace(KEY, "***")


SOUGHT = OrderSought("FH-1", "1042", "2026-01-01T17:00:00Z", money("48.89"), "USD", "25", "_ExternalOrderId")
BY_CONTACT = replace(SOUGHT, field_id="", field_name="")
LOOKUPS = {
    "order": (lambda: find_order(SOUGHT, redact), "orders"),
    "order by contact": (lambda: find_order(BY_CONTACT, redact), "orders"),
    "product": (lambda: find_product("WB-100", redact), "products"),
    "payment": (lambda: find_payment("5310", "n", Decimal(5), "USD", redact), "invoice_order_payments"),
}


def found_order(order_id: str, content: str | None, **more):
    fields = [] if content is None else [{"id": "25", "content": content}]
    return {"id": order_id, "contact": {"id": "1042"}, "custom_fields": fields} | more


UNREADABLE = [
    (answer(200, ""), Later),
    (answer(200, HTML), Later),
    (answer(200, {}), Later),
    (answer(200, "[]"), Later),
    (answer(200, {"message": "hm"}), Later),
    (answer(500, ""), Later),
    (answer(429, ""), Later),
    (answer(401, ""), Paused),
    (answer(404, HTML), Paused),
    (answer(400, {"code": 400, "message": f"bad filter {KEY}"}), type(None)),
]


@pytest.mark.parametrize("name", LOOKUPS)
@pytest.mark.parametrize(("said", "blamed"), UNREADABLE)
def test_an_unreadable_list_never_proves_absence(name, said, blamed):
    make, key = LOOKUPS[name]
    finding, _ = looked(make(), said)
    assert isinstance(finding, Unclear)
    assert KEY not in finding.message
    assert type(finding.trouble) is (type(None) if said.ok else blamed)
    odd, _ = looked(make(), answer(200, {key: [{"no": "id"}]}))
    assert isinstance(odd, Unclear)


@pytest.mark.parametrize("name", LOOKUPS)
def test_an_empty_list_is_absence(name):
    make, key = LOOKUPS[name]
    finding, asked = looked(make(), answer(200, {key: [], "next_page_token": ""}))
    assert finding == Absent()
    assert all(request.method == "GET" for request in asked)


def test_pages_are_followed_to_their_end():
    pages = [
        answer(200, {"orders": [found_order("1", "fh-1")], "next_page_token": "A"}),
        answer(200, {"orders": [found_order("2", "FH-1")], "next_page_token": "B"}),
        answer(200, {"orders": [], "next_page_token": "C"}),
    ]
    finding, asked = looked(find_order(SOUGHT, redact), *pages)
    assert isinstance(finding, Found)
    assert finding.result["id"] == "2"
    assert [dict(request.query).get("page_token") for request in asked] == [None, "A", "B"]


def test_endless_pages_are_unclear():
    page = answer(200, {"orders": [found_order("1", "fh-1")], "next_page_token": "A"})
    finding, _ = looked(find_order(SOUGHT, redact), *[page] * 20)
    assert isinstance(finding, Unclear)


@pytest.mark.parametrize(
    ("orders", "kind"),
    [
        ([found_order("1", "FH-1")], Found),
        ([found_order("1", " FH-1 ")], Found),
        ([found_order("1", None, title="FH-1")], Found),
        ([found_order("1", None, title="renamed")], Unclear),
        ([found_order("1", "OTHER-9")], Unclear),  # the filter was not applied
        ([found_order("1", "FH-1"), found_order("2", "FH-1")], Unclear),
        ([found_order("1", "FH-1"), found_order("2", "fh-1")], Found),
        ([found_order("1", "fh-1")], Absent),
        ([found_order("1", "FH-1") | {"contact": {"id": "7"}}], Unclear),
        ([found_order("1", "FH-1") | {"contact": None}], Found),
        ([found_order("1", "FH-1") | {"custom_fields": "odd", "title": "FH-1"}], Found),
    ],
)
def test_which_order_is_ours(orders, kind):
    finding, _ = looked(find_order(SOUGHT, redact), answer(200, {"orders": orders}))
    assert isinstance(finding, kind)


TOTAL = {"amount": 4889, "currency_code": "USD"}


@pytest.mark.parametrize(
    ("orders", "kind"),
    [
        ([{"id": "1", "title": "FH-1", "total": TOTAL}], Found),
        ([{"id": "1", "title": "FH-1", "total": {"amount": 1}}], Unclear),
        ([{"id": "1", "title": "FH-1"}], Unclear),
        (
            [{"id": "1", "title": "FH-1", "total": TOTAL}, {"id": "2", "title": "FH-1", "total": TOTAL}],
            Unclear,
        ),
        (
            [{"id": "1", "title": "Invoice", "total": TOTAL, "order_time": "2026-01-01T17:00:00.000Z"}],
            Unclear,
        ),
        ([{"id": "1", "title": "Invoice", "total": TOTAL, "order_time": "2026-01-02T17:00:00Z"}], Absent),
        ([{"id": "1", "total": {"amount": 1}}], Unclear),
    ],
)
def test_which_order_of_the_contact_is_ours(orders, kind):
    finding, asked = looked(find_order(BY_CONTACT, redact), answer(200, {"orders": orders}))
    assert isinstance(finding, kind)
    assert dict(asked[0].query)["filter"] == "contact_id==1042"


@pytest.mark.parametrize(
    ("payments", "kind"),
    [
        ([{"id": "1", "note": "n", "amount": 5}], Found),
        ([{"id": "1", "note": "n", "amount": 5}, {"id": "2", "note": "n", "amount": 5}], Unclear),
        ([{"id": "1", "note": "by hand", "amount": 5}], Unclear),
        ([{"id": "1", "note": "by hand", "amount": 500}], Unclear),  # the unit of the list is not documented
        ([{"id": "1", "note": "by hand", "amount": 6}], Absent),
        ([{"id": "1", "note": "orderdrop: order FH-1, 5 paid", "amount": 5}], Absent),
        ([{"id": "1", "note": "n", "amount": 5, "pay_status": "VOIDED"}], Absent),
    ],
)
def test_which_payment_is_ours(payments, kind):
    search = find_payment("5310", "n", Decimal(5), "USD", redact)
    finding, _ = looked(search, answer(200, {"invoice_order_payments": payments}))
    assert isinstance(finding, kind)


def test_the_payments_own_id_is_taken():
    search = find_payment("5310", "n", Decimal(5), "USD", redact)
    rows = [{"id": "1", "payment_id": "77", "note": "n", "amount": 5}]
    finding, _ = looked(search, answer(200, {"invoice_order_payments": rows}))
    assert finding == Found({"id": "77"})


@pytest.mark.parametrize(
    ("kept", "same"),
    [
        ("orderdrop: order A&amp;B, 10 paid, by Tom &#39;n&#39; Co", True),
        ("  orderdrop: order A&B,  10 paid, by Tom 'n' Co ", True),
        ("orderdrop: order A&B, 20 paid, by Tom 'n' Co", False),
        ("orderdrop: order A&B", False),
        ("", False),
        (None, False),
    ],
)
def test_a_note_is_known_again_though_keap_escapes_or_trims_it(kept, same):
    assert is_note(kept, "orderdrop: order A&B, 10 paid, by Tom 'n' Co") is same


def test_a_note_cut_by_keap_is_known_again():
    note = "orderdrop: order FH-2026-000187, 48.89 paid, reference " + "4" * 300
    assert is_note(note[:255], note)
    assert not is_note(note[:30], note)
