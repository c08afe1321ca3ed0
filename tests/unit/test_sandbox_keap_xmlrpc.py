"""The simulated tenant over XML-RPC: types matched like Java's, faults as recorded, one truth behind three doors."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from xmlrpc.client import Fault, dumps, loads

import pytest

from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.keap import SimulatedKeap

KEY = {"authorization": "Bearer sandbox-key", "content-type": "text/xml; charset=UTF-8"}
NOON = datetime(2026, 1, 1, 12, 0)
BLANK = ("InvoiceService.createBlankOrder", 1042, "FH-1", NOON, 0, 0)
LINE = ("InvoiceService.addOrderItem", 5298, 71, 4, 19.95, 2, "Widget", "note")
PAY = ("InvoiceService.addManualPayment", 5298, 39.9, NOON, "Check", "paid", False)


def post(keap: SimulatedKeap, body: str | bytes, **headers: str) -> Reply:
    content = body if isinstance(body, bytes) else body.encode()
    sent = KEY | {name.replace("_", "-"): value for name, value in headers.items()}
    return keap.handle(Call("POST", "/crm/xmlrpc/v1", (), sent, content))


def call(keap: SimulatedKeap, method: str, *arguments: Any, key: str = "placeholder") -> Any:
    reply = post(keap, dumps((key, *arguments), method))
    assert reply.status == 200
    (answer,), _ = loads(reply.body, use_builtin_types=True)
    return answer


def fault(keap: SimulatedKeap, method: str, *arguments: Any) -> tuple[int, str]:
    with pytest.raises(Fault) as problem:
        call(keap, method, *arguments)
    return problem.value.faultCode, problem.value.faultString


@pytest.fixture
def keap() -> SimulatedKeap:
    tenant = SimulatedKeap(now=lambda: datetime(2026, 1, 2, 3, 0, tzinfo=UTC))
    contact = {"FirstName": "Ann", "Email": "ann@example.com", "StreetAddress1": "1 Main St"}
    assert call(tenant, "ContactService.addWithDupCheck", contact, "Email") == 1042
    return tenant


@pytest.fixture
def invoice(keap: SimulatedKeap) -> int:
    return int(call(keap, *BLANK))


def rows(keap: SimulatedKeap, table: str, where: dict[str, Any], *fields: str) -> list[dict[str, Any]]:
    return list(call(keap, "DataService.query", table, 1000, 0, where, list(fields), "Id", True))


def test_the_story_of_an_order(keap, invoice):
    assert invoice == 5298
    assert call(keap, "DataService.load", "Invoice", invoice, ["Id", "JobId"]) == {"Id": 5298, "JobId": 5310}
    values = {"_ExternalOrderId": "FH-1", "ShipCity": "Boston", "JobNotes": "rush"}
    assert call(keap, "DataService.update", "Job", 5310, values) == 5310
    assert call(keap, *LINE) is True
    assert call(keap, *PAY) is True
    assert rows(keap, "Job", {"_ExternalOrderId": "fh-1"}, "Id", "JobTitle", "ShipCity", "StartDate") == [
        {"Id": 5310, "JobTitle": "FH-1", "ShipCity": "Boston", "StartDate": NOON}
    ]
    (payment,) = call(keap, "InvoiceService.getPayments", invoice)
    assert (payment["PayAmt"], payment["PayType"], payment["PayNote"]) == (39.9, "Check", "paid")
    (order,) = keap.truth()["orders"]
    assert (order["external_id"], order["total"], order["order_time"]) == ("FH-1", "39.90", "2026-01-01T17:00:00Z")


def test_the_same_order_is_seen_through_every_door(keap, invoice):
    call(keap, "DataService.update", "Job", 5310, {"_ExternalOrderId": "FH-1"})
    headers = {"authorization": "Bearer sandbox-key"}
    found = keap.handle(Call("GET", "/crm/rest/v2/orders", (("filter", "_ExternalOrderId==FH-1"),), headers, b""))
    assert [order["id"] for order in found.body["orders"]] == ["5310"]
    listed = keap.handle(Call("GET", "/crm/rest/v1/orders", (("contact_id", "1042"),), headers, b""))
    assert [(order["id"], order["title"]) for order in listed.body["orders"]] == [(5310, "FH-1")]


WRONG_TYPES = [
    ("InvoiceService.createBlankOrder", 1042, "FH-1", "2026-01-01", 0, 0),
    ("InvoiceService.createBlankOrder", "1042", "FH-1", NOON, 0, 0),
    ("InvoiceService.createBlankOrder", 1042, "FH-1", NOON, 0),
    ("InvoiceService.addOrderItem", 5298, 71, 4, 19, 2, "a", "b"),
    ("InvoiceService.addManualPayment", 5298, 39.9, NOON, "Check", "paid", 0),
    ("InvoiceService.addManualPayment", 5298, 39, NOON, "Check", "paid", False),
    ("OrderService.placeOrder", 1042, 0, 0, [71], []),
    ("DataService.query", "Job", 10, 0, {}, ["Id"], "Id"),
]


@pytest.mark.parametrize("arguments", WRONG_TYPES)
def test_types_and_number_of_arguments_are_matched(keap, invoice, arguments):
    code, text = fault(keap, *arguments)
    assert code == 0
    assert text.startswith("No method matching arguments: java.lang.String")
    assert len(keap.truth()["orders"]) == 1


def test_without_the_leading_key_every_argument_is_shifted(keap):
    reply = post(keap, dumps(BLANK[1:], BLANK[0]))
    with pytest.raises(Fault, match="No method matching arguments"):
        loads(reply.body)


FAULTS = [
    (("No.such",), 0, "No such handler: No.such"),
    (("DataService.load", "Invoice", 1, ["JobId"]), 5, "[RecordNotFound]"),
    (("DataService.load", "Nothing", 1, ["Id"]), 9, "[NoTableFound]"),
    (("DataService.load", "Invoice", 5298, ["Colour"]), 10, "[NoFieldFound]"),
    (("DataService.query", "Job", 10, 0, {"_Nope": "x"}, ["Id"]), 10, "[NoFieldFound]"),
    (("DataService.query", "Job", 5000, 0, {}, ["Id"]), 12, "[InvalidParameter]"),
    (("DataService.query", "Job", 10, 0, {"JobTitle": "~<>~x"}, ["Id"]), 12, "[InvalidParameter]"),
    (("DataService.add", "Invoice", {}), 7, "[NoTableAccess]"),
    (("DataService.add", "Product", {"ProductPrice": 5}), 12, "[InvalidParameter]"),
    (("DataService.update", "Invoice", 1, {}), 7, "[NoTableAccess]"),
    (("DataService.update", "Job", 5310, {}), 11, "[NoFields]"),
    (("DataService.update", "Job", 1, {"JobTitle": "x"}), 5, "[RecordNotFound]"),
    (("DataService.update", "Job", 5310, {"_Nope": "x"}), 10, "[NoFieldFound]"),
    (("ContactService.addWithDupCheck", {"Email": "a@b.c"}, "Phone"), 12, "[InvalidParameter]"),
    (("ContactService.addWithDupCheck", {"Mail": "a@b.c"}, "Email"), 10, "[NoFieldFound]"),
    (("ContactService.update", 7, {"FirstName": "x"}), 5, "[RecordNotFound]"),
    (("ContactService.findByEmail", "a@b.c", ["Mail"]), 10, "[NoFieldFound]"),
    (("InvoiceService.createBlankOrder", 7, "x", NOON, 0, 0), 12, "[InvalidParameter]"),
    (("InvoiceService.addOrderItem", 1, 71, 4, 1.0, 1, "a", "b"), 5, "[RecordNotFound]"),
    (("InvoiceService.addOrderItem", 5298, 999, 4, 1.0, 1, "a", "b"), 12, "[InvalidParameter]"),
    (("InvoiceService.addOrderItem", 5298, 0, 99, 1.0, 1, "a", "b"), 12, "[InvalidParameter]"),
    (("InvoiceService.addManualPayment", 5298, 5.0, NOON, "Bitcoin", "x", False), 12, "[InvalidParameter]"),
    (("InvoiceService.addManualPayment", 5298, 5.0, NOON, "Check", "x", False), 12, "[InvalidParameter]"),
    (("OrderService.placeOrder", 1042, 33, 0, [71], [], False, [], 0, 0), 12, "[InvalidParameter]"),
    (("OrderService.placeOrder", 1042, 0, 0, [999], [], False, [], 0, 0), 12, "[InvalidParameter]"),
]


@pytest.mark.parametrize(("arguments", "code", "text"), FAULTS)
def test_refusals_are_faults_with_status_200_and_change_nothing(keap, invoice, arguments, code, text):
    before = json.dumps(keap.truth())
    found = fault(keap, *arguments)
    assert found[0] == code
    assert found[1].startswith(text)
    assert json.dumps(keap.truth()) == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<x/>",
        b"\xff",
        b"<methodCall><methodName>a</methodName></methodCall>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><methodCall><methodName>a</methodName><params/></methodCall>",
        dumps(("k",), "A.b").replace("<string>k</string>", "<nil/>").encode(),
        dumps(("k", 5), "A.b").replace("<int>5</int>", "<int>9999999999</int>").encode(),
        dumps(("k", NOON), "A.b").replace("20260101T12:00:00", "2026-01-01T12:00:00").encode(),
    ],
)
def test_what_is_no_call_is_fault_0(keap, body):
    with pytest.raises(Fault) as problem:
        loads(post(keap, body).body)
    assert problem.value.faultCode == 0
    assert "Failed to parse" in problem.value.faultString


def test_the_gateway_refuses_in_json(keap):
    reply = post(keap, dumps(("k", 1), "A.b"), authorization="Bearer wrong")
    assert reply.status == 401
    assert reply.body["fault"]["detail"]["errorcode"] == "oauth.v2.InvalidAccessToken"
    assert keap.handle(Call("GET", "/crm/xmlrpc/v1", (), KEY, b"")).status == 405
    assert fault_text(post(keap, dumps(("k",), "A.b"), content_type="application/json")).startswith("Failed to parse")


def fault_text(reply: Reply) -> str:
    with pytest.raises(Fault) as problem:
        loads(reply.body)
    return str(problem.value.faultString)


def test_answers_have_the_servers_habits(keap, invoice):
    text = post(keap, dumps(("k", "Job", 5310, ["Id", "JobTitle", "ShipCity"]), "DataService.load")).body.decode()
    assert "<i4>5310</i4>" in text
    assert "<value>FH-1</value>" in text
    assert "ShipCity" not in text  # a value that is not there is no member
    assert post(keap, "x").headers["content-type"].startswith("text/xml")


def test_contacts_are_found_added_once_and_changed_without_losing_the_rest(keap):
    again = {"FirstName": "Anna", "Email": "ANN@example.com"}
    assert call(keap, "ContactService.addWithDupCheck", again, "Email") == 1042
    assert call(keap, "ContactService.addWithDupCheck", {"FirstName": "Bob", "Email": "ann@example.com"},
                "EmailAndName") == 1043  # fmt: skip
    found = call(keap, "ContactService.findByEmail", "ann@example.com", ["Id", "FirstName", "StreetAddress1"])
    assert found == [{"Id": 1042, "FirstName": "Anna", "StreetAddress1": "1 Main St"}, {"Id": 1043, "FirstName": "Bob"}]
    assert call(keap, "ContactService.update", 1042, {"Email": "new@example.com"}) == 1042
    assert len(call(keap, "ContactService.findByEmail", "new@example.com", ["Id"])) == 1


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ({}, [5310, 5311]),
        ({"JobTitle": "fh-%"}, [5310, 5311]),
        ({"JobTitle": "FH-2"}, [5311]),
        ({"Id": [5311, 7]}, [5311]),
        ({"ContactId": 1042, "JobTitle": "FH-1"}, [5310]),
        ({"StartDate": "~>=~ 2026-01-02 00:00:00"}, [5311]),
        ({"_ExternalOrderId": "x"}, []),
    ],
)
def test_queries(keap, invoice, where, ids):
    call(keap, "InvoiceService.createBlankOrder", 1042, "FH-2", datetime(2026, 1, 3), 0, 0)
    assert [row["Id"] for row in rows(keap, "Job", where, "Id")] == ids
    assert [row["Id"] for row in call(keap, "DataService.query", "Job", 1, 1, where, ["Id"])] == ids[1:2]


def test_place_order_takes_the_catalogue_and_answers_in_texts(keap):
    made = call(keap, "OrderService.placeOrder", 1042, 0, 0, [71, 73], [], False, [], 0, 0)
    assert made == {"Successful": "false", "Message": "None", "RefNum": "None", "OrderId": "5310", "InvoiceId": "5298",
                    "Code": ""}  # fmt: skip
    assert keap.truth()["orders"][0]["total"] == "24.95"


def test_the_description_may_land_in_the_notes():
    tenant = SimulatedKeap(description_fills="JobNotes")
    call(tenant, "ContactService.addWithDupCheck", {"Email": "a@b.c"}, "Email")
    call(tenant, *BLANK)
    assert rows(tenant, "Job", {}, "JobTitle", "JobNotes") == [{"JobTitle": "", "JobNotes": "FH-1"}]


def test_reads_are_told_from_writes(keap):
    def writes(method: str) -> bool:
        return keap.writes(Call("POST", "/crm/xmlrpc/v1", (), KEY, dumps(("k",), method).encode()))

    assert not writes("DataService.query")
    assert not writes("InvoiceService.getPayments")
    assert writes("DataService.update")
    assert keap.writes(Call("POST", "/crm/xmlrpc/v1", (), KEY, b"nonsense"))
    assert keap.refusal(Call("POST", "/crm/xmlrpc/v1", (), KEY, b""), "no").status == 200
    assert keap.refusal(Call("POST", "/crm/rest/v2/orders", (), KEY, b""), "no").status == 400
