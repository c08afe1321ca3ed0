"""XML-RPC on the wire: exact calls, hostile answers, every fault, and the gateway."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from xmlrpc.client import loads

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keap_bench import KEY, answer
from keap_xml import CATALOGUE, PLAIN, fault, reply, step_of, value, xml_bench

from pipeline.targets.contract import (
    Done,
    InDoubt,
    Later,
    Paused,
    Refused,
    Unclear,
)
from pipeline.targets.keap.xmlrpc import wire
from pipeline.targets.keap.xmlrpc.answers import FAULTS

GOLDEN = Path(__file__).parent / "golden" / "keap"

# --- the wire ---


@pytest.mark.parametrize(("name", "record", "options"), [
    ("xmlrpc_itemized", PLAIN, {}),
    ("xmlrpc_place_order", CATALOGUE, {"style": "place_order"}),
])  # fmt: skip
def test_golden(name, record, options):
    bench = xml_bench()
    bench.place(record, **options)
    made = "\n".join((request.text or "").partition("\n")[2].replace("<param>", "\n <param>") for request in bench.sent)
    path = GOLDEN / f"{name}.xml.txt"
    if os.environ.get("GOLDEN_WRITE"):
        path.write_text(made + "\n", encoding="utf-8")
    assert made + "\n" == path.read_text(encoding="utf-8")


def test_every_call_carries_a_placeholder_first_and_the_key_in_a_header_only():
    bench = xml_bench()
    bench.place(PLAIN)
    for request in bench.sent:
        signed = bench.account.sign(request)
        assert signed.url == "http://127.0.0.1:9/keap/crm/xmlrpc/v1"
        assert signed.headers["authorization"] == f"Bearer {KEY}"
        assert signed.headers["content-type"] == "text/xml; charset=UTF-8"
        assert KEY.encode() not in signed.content
        arguments, _ = loads(request.text)
        assert arguments[0] == wire.PLACEHOLDER
    assert "***" in str(bench.account.show(bench.sent[0]).headers)


TYPED = st.recursive(
    st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | st.decimals("-99999999", "99999999", places=2)
    | st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]))
    | st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aZ_ <&", max_size=5), inner, max_size=3),
    max_leaves=8,
)


def plainly(known):
    """What another reader makes of our bytes, as our own reader shows it."""
    if isinstance(known, list):
        return [plainly(entry) for entry in known]
    if isinstance(known, dict):
        return {name: plainly(entry) for name, entry in known.items()}
    return Decimal(str(known)) if isinstance(known, float) else known


@settings(deadline=None, max_examples=80)
@given(TYPED)
def test_what_is_written_is_what_the_standard_library_reads(known):
    (_, read), name = loads(wire.call("A.b", known).text, use_builtin_types=True)
    assert name == "A.b"
    assert plainly(read) == known


def test_types_are_exact():
    text = wire.call(
        "X", 1, True, Decimal("5"), Decimal("-0.10"), datetime(2026, 1, 1, 9, 5), [], {}, wire.Id("7")
    ).text
    for part in (
        "<int>1</int>", "<boolean>1</boolean>", "<double>5.0</double>", "<double>-0.1</double>",
        "<dateTime.iso8601>20260101T09:05:00</dateTime.iso8601>", "<array><data></data></array>", "<struct></struct>",
        "<int>7</int>",
    ):  # fmt: skip
        assert f"<param><value>{part}</value></param>" in text
    assert "<string>ab</string>" in wire.call("X", "a\ufffe\x0b\ud800b").text
    for nothing in (None, 1.5, datetime(2026, 1, 1, tzinfo=UTC), b"x"):
        with pytest.raises(TypeError):
            wire.call("X", nothing)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-01-01T12:00:00-05:00", "2026-01-01T12:00:00"),
        ("2026-07-01T16:00:00+00:00", "2026-07-01T12:00:00"),
        ("2026-01-01T02:00:00+00:00", "2025-12-31T21:00:00"),
        ("2026-03-08T07:30:00.900000+00:00", "2026-03-08T03:30:00"),
    ],
)
def test_times_are_eastern_without_a_zone(moment, text):
    assert wire.eastern(datetime.fromisoformat(moment)) == datetime.fromisoformat(text)


def test_the_answers_of_the_documents_are_read():
    read = wire.read(
        value(
            "<array><data><value><struct><member><name>Id</name><value><i4>77</i4></value></member>"
            "<member><name>PayDate</name><value><dateTime.iso8601>20260101T00:00:00</dateTime.iso8601></value></member>"
            "<member><name>PayAmt</name><value><double>46.4</double></value></member>"
            "<member><name>PayType</name><value>Check</value></member>"
            "<member><name>PayNote</name><value/></member>"
            "<member><name>Ok</name><value><boolean>0</boolean></value></member></struct></value></data></array>"
        ).content
    )
    assert read == [
        {
            "Id": 77,
            "PayDate": datetime(2026, 1, 1),
            "PayAmt": Decimal("46.4"),
            "PayType": "Check",
            "PayNote": "",
            "Ok": False,
        }
    ]


def test_control_characters_in_stored_texts_do_not_hide_a_list():
    assert wire.read(value("<string>a\x0bb&#x0B;c&#11;d&#10;&amp;#11;</string>").content) == "abcd\n&#11;"


ENTITIES = "<!DOCTYPE x [<!ENTITY a 'lol'>]>"
HOSTILE = [
    b"",
    b"<",
    b"\xff\xfe\x00",
    b"<html><body>Bad gateway</body></html>",
    b"<methodResponse/>",
    b"<methodResponse><params/></methodResponse>",
    b"<methodResponse><params><param><value><i4>1</i4></value></param></params>",
    b'{"code": 400}',
    f"{ENTITIES}<methodResponse><params><param><value>&a;</value></param></params></methodResponse>".encode(),
    b"<?xml version='1.0' encoding='no-such'?><methodResponse/>",
    b"<a>" * 3000 + b"</a>" * 3000,
    value("<i4>x</i4>").content,
    value("<double>1e999999999</double>").content,
    value("<double>NaN</double>").content,
    value("<boolean>2</boolean>").content,
    value("<base64>AAAA</base64>").content,
    value("<i4>1</i4><i4>2</i4>").content,
    value("<dateTime.iso8601>2026-01-01</dateTime.iso8601>").content,
    value("<struct><member><name>a</name></member></struct>").content,
    value("<array><value>1</value></array>").content,
    value("<array><data>" * 40 + "</data></array>" * 40).content,
    value("<array><data><value>" * 40 + "</value></data></array>" * 40).content,
    value("<i4>" + "9" * 5000 + "</i4>").content,
    reply("<fault><value>no code</value></fault>").content,
    reply("<fault/>").content,
]


@pytest.mark.parametrize("content", HOSTILE)
def test_what_cannot_be_read_is_in_doubt_after_a_write_and_proves_nothing_after_a_read(content):
    with pytest.raises(wire.Unreadable):
        wire.read(content)
    bench = xml_bench()
    write = step_of(bench, PLAIN, "order")
    assert isinstance(write.read(answer(200, content)), InDoubt)
    reading = next(bench.operation().plan(PLAIN, None))
    assert isinstance(reading.read(answer(200, content)), Later)
    search = write.find()
    next(search)
    with pytest.raises(StopIteration) as end:
        search.send(answer(200, content))
    assert isinstance(end.value.value, Unclear)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
def test_no_bytes_are_a_traceback(content):
    with pytest.raises(wire.Unreadable):
        wire.read(content)


# --- the fault table ---

TABLE = [
    (0, "No method matching arguments: java.lang.String, java.lang.Integer", Paused, "keap_call"),
    (0, "No such handler: X.y", Paused, "keap_call"),
    (0, "Failed to parse XML-RPC request: Invalid byte 1 of 1-byte UTF-8 sequence", Refused, "keap_refused"),
    (1, "[InvalidConfig]x", InDoubt, "keap_failed"),
    (2, "[InvalidKey]Invalid Key", Paused, "keap_bad_key"),
    (3, "[UnexpectedError]x", InDoubt, "keap_failed"),
    (4, "[DatabaseError]Error creating custom field", InDoubt, "keap_failed"),
    (5, "[RecordNotFound]x", Refused, "keap_not_found"),
    (6, "[Loading]Error loading Contact", Refused, "keap_not_found"),
    (7, "[NoTableAccess]Access denied to table Invoice", Paused, "keap_not_enabled"),
    (8, "[NoFieldAccess]x", Paused, "keap_not_enabled"),
    (9, "[NoTableFound]x", Paused, "keap_call"),
    (10, "[NoFieldFound]x", Paused, "keap_custom_field"),
    (11, "[NoFields]x", Paused, "keap_call"),
    (12, "[InvalidParameter]Quantity is wrong", Refused, "keap_refused"),
    (13, "[FailedLoginAttempt]username not found", Paused, "keap_bad_key"),
    (14, "[NoAccess]x", Paused, "keap_not_enabled"),
    (15, "[FailedLoginAttemptPasswordExpired]x", Paused, "keap_expired_key"),
    (500, "com.infusionsoft.throttle.ThrottlingException: Maximum number of threads throttled", Later, "keap_too_fast"),
    (500, "java.lang.IllegalStateException: Cannot create a session", InDoubt, "keap_failed"),
    (77, "nobody knows", InDoubt, "keap_failed"),
]


@pytest.mark.parametrize(("code", "text", "kind", "name"), TABLE)
def test_every_fault_has_its_outcome(code, text, kind, name):
    bench = xml_bench()
    write = step_of(bench, PLAIN, "order")
    outcome = write.read(fault(code, f"{text} {KEY}"))
    assert isinstance(outcome, kind)
    assert outcome.code == name
    assert KEY not in outcome.message
    reading = next(bench.operation().plan(PLAIN, None)).read(fault(code, text))
    assert isinstance(reading, Later if kind is InDoubt else kind)


def test_the_table_has_every_documented_code():
    assert {code for row in FAULTS for code in row.faults} == {*range(16), 500}
    assert {row[0] for row in TABLE} >= {code for row in FAULTS for code in row.faults}


def test_a_fault_that_names_a_cell_marks_it():
    outcome = step_of(xml_bench(), PLAIN, "order").read(fault(12, "[InvalidParameter]Quantity is wrong"))
    assert outcome.field == "quantity"


QUOTA = {"fault": {"faultstring": "Rate limit", "detail": {"errorcode": "policies.ratelimit.QuotaViolation"}}}
GATEWAY = [
    (429, {"code": "429", "message": "Quota Exceeded", "status": "Request Throttled"}, Later, "keap_too_fast"),
    (429, QUOTA, Later, "keap_too_fast"),
    (503, QUOTA, Later, "keap_too_fast"),
    (200, QUOTA, Later, "keap_too_fast"),
    (401, {"fault": {"faultstring": "Invalid access token"}}, Paused, "keap_bad_key"),
    (401, {"fault": {"faultstring": "Access Token expired"}}, Paused, "keap_expired_key"),
    (403, {"message": "no"}, Paused, "keap_not_enabled"),
    (400, {"message": "no"}, Paused, "keap_wrong_address"),
    (404, {"message": "no"}, Paused, "keap_wrong_address"),
    (404, "<html>", Paused, "keap_wrong_address"),
    (410, "gone", Paused, "keap_wrong_address"),
    (302, "", Paused, "keap_redirected"),
    (500, "x", InDoubt, "keap_failed"),
    (503, "down for the brownout", InDoubt, "keap_failed"),
]


@pytest.mark.parametrize(("status", "body", "kind", "name"), GATEWAY)
def test_the_gateway_speaks_json_and_no_row_is_blamed_for_it(status, body, kind, name):
    bench = xml_bench()
    outcome = step_of(bench, PLAIN, "order").read(answer(status, body))
    assert isinstance(outcome, kind)
    assert outcome.code == name


def test_a_false_is_looked_up():
    step = step_of(xml_bench(), PLAIN, "item:")
    assert isinstance(step.read(value("<boolean>0</boolean>")), InDoubt)
    assert isinstance(step.read(value("<i4>1</i4>")), InDoubt)
    assert step.read(value("<boolean>1</boolean>")) == Done({})


@pytest.mark.parametrize("text", ["<i4>0</i4>", "<i4>-1</i4>", "<boolean>1</boolean>", "5298"])
def test_an_answer_that_is_no_id_is_looked_up(text):
    assert isinstance(step_of(xml_bench(), PLAIN, "order").read(value(text)), InDoubt)
