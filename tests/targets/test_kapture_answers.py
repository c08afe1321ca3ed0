from __future__ import annotations

import pytest
from walk import answer

from pipeline.settings import Secret
from pipeline.targets.contract import Done, InDoubt, Later, Outcome, Paused, Refused
from pipeline.targets.kapture.answers import Reader

KEY = "cHVzaDprZXk="
READER = Reader("https://demo.kapturecrm.com", (Secret(KEY, "test"), Secret(None, "missing")))
ADDED = {
    "status": "success", "message": "Order Added Successfully", "order_id": "5001", "Order Id": "5001",
    "enquiry_id": "7001", "Enquiry Id": "7001", "kapture_customer_id": "9001", "Kapture Customer Id": "9001",
}  # fmt: skip
IDS = {"id": "5001", "enquiry_id": "7001", "customer_id": "9001"}


def pushed(body: object, status: int = 200, **headers: str) -> Outcome:
    return READER.pushed(answer(body, status, headers))


@pytest.mark.parametrize(
    ("body", "result"),
    [
        ([ADDED], IDS),
        (ADDED, IDS),
        ('[{"status":"success","order_id":"5001"}];', {"id": "5001"}),
        ('\ufeff{"Status":"SUCCESS","Order Id":5001} ; ', {"id": "5001"}),
        ({"status": "success", "order_id": 5001, "Order Id": "5001"}, {"id": "5001"}),
    ],
)
def test_success(body: object, result: dict[str, str]) -> None:
    assert pushed(body) == Done(result)


def test_a_success_that_speaks_of_a_duplicate_was_there_before() -> None:
    assert pushed([{**ADDED, "message": "Duplicate Order 5001"}]) == Done(IDS, already_there=True)


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ("", "unreadable"),
        ("<html>Just a moment</html>", "unreadable"),
        ('[{"status":"success","order_id":"5001"', "unreadable"),
        ("[" * 100_000, "unreadable"),
        (b"\xff\xff", "unreadable"),
        ("null", "unreadable"),
        ("[[]]", "unreadable"),
        ([], "wrong_number"),
        ([ADDED, ADDED], "wrong_number"),
        ({**ADDED, "Order Id": "5002"}, "conflicting"),
        ({"status": "success", "Status": "failed", "order_id": "1"}, "conflicting"),
        ({"status": "success"}, "no_id"),
        ({"status": "success", "order_id": ""}, "no_id"),
        ({"status": "success", "order_id": {"id": 1}}, "no_id"),
        ({"status": "success", "order_id": True}, "no_id"),
        ({"order_id": "5001"}, "no_status"),
        ({"status": "pending", "order_id": "5001"}, "no_status"),
        ({"Status": "failed", "Message": "ServerFailure"}, "server_failure"),
    ],
)
def test_what_cannot_be_believed_is_in_doubt(body: object, slug: str) -> None:
    outcome = pushed(body)
    assert isinstance(outcome, InDoubt)
    assert outcome.code == slug


@pytest.mark.parametrize(
    ("body", "kind", "slug"),
    [
        ({"status": "failed", "message": "Invalid Auth Key"}, Paused, "bad_key"),
        ({"Status": "Fail", "Message": "AuthKeyInvalid"}, Paused, "bad_key"),
        ({"Status": "Fail", "Message": "Auth Key Expired"}, Paused, "expired_key"),
        ({"Status": "failed", "Message": "APIExpired"}, Paused, "expired_key"),
        ({"status": "failed", "message": "Invalid Json."}, Paused, "wrong_shape"),
        ({"status": "failed", "message": "zip_code is missing"}, Refused, "field_missing"),
        ({"Status": "Fail", "Message": "Order Id Or Enquiry Id Or … required."}, Refused, "field_missing"),
        ({"Message": "Order Creation Failed...", "Status": "failed"}, Refused, "refused"),
        ([{"Message": "Order Creation Failed...", "Status": "failed"}], Refused, "refused"),
        ({"status": "failed", "message": "Duplicate lead 9001"}, Refused, "duplicate"),
        ({"status": "failed"}, Refused, "refused"),
        ({"status": "failed", "message": {"why": "odd"}}, Refused, "refused"),
    ],
)
def test_failures(body: object, kind: type, slug: str) -> None:
    outcome = pushed(body)
    assert isinstance(outcome, kind)
    assert outcome.code == slug


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("zip_code", "shipping_postal_code"), ("Email Id", "email"), ("erp_order_id", "order_id"),
        ("customer_name", "full_name"), ("email address", "email"), ("locality", None),
    ],
)  # fmt: skip
def test_a_missing_field_is_named_by_the_records_own_name(name: str, field: str | None) -> None:
    outcome = pushed({"status": "failed", "message": f"{name} is missing"})
    assert isinstance(outcome, Refused)
    assert outcome.field == field
    assert name in outcome.message


@pytest.mark.parametrize(
    ("status", "body", "kind", "slug"),
    [
        (201, [ADDED], Done, ""),
        (500, [ADDED], InDoubt, "http_500"),
        (502, "<html>", InDoubt, "http_502"),
        (500, {"status": "failed", "message": "Invalid Auth Key"}, Paused, "bad_key"),
        (500, {"status": "failed", "message": "zip_code is missing"}, InDoubt, "http_500"),
        (401, "", Paused, "bad_key"),
        (403, {"Status": "Fail", "Message": "Auth Key Expired"}, Paused, "expired_key"),
        (404, "<html>", Paused, "wrong_address"),
        (408, "", InDoubt, "http_408"),
        (429, "", Later, "too_fast"),
        (400, "what?", Refused, "http_400"),
        (400, {"status": "failed", "message": "zip_code is missing"}, Refused, "field_missing"),
        (400, [ADDED], InDoubt, "no_status"),
        (301, "", Paused, "redirected"),
        (307, [ADDED], Paused, "redirected"),
        (302, "", InDoubt, "http_302"),
    ],
)
def test_http_status(status: int, body: object, kind: type, slug: str) -> None:
    outcome = pushed(body, status)
    assert isinstance(outcome, kind)
    assert getattr(outcome, "code", "") == slug


def test_a_redirect_names_the_host_only() -> None:
    outcome = pushed("", 307, location=f"https://elsewhere.example/path?auth_key={KEY}")
    assert isinstance(outcome, Paused)
    assert "elsewhere.example" in outcome.message
    assert KEY not in repr(outcome)


def test_an_update_that_answers_with_another_order_is_in_doubt() -> None:
    assert READER.updated("5001", answer([ADDED])) == Done(IDS)
    outcome = READER.updated("4999", answer([ADDED]))
    assert isinstance(outcome, InDoubt)
    assert outcome.code == "other_order_id"
    assert "4999" in outcome.message
    assert "5001" in outcome.message


def test_a_payment_is_known_by_our_own_id() -> None:
    done = READER.paid(
        "PAY-17", answer({"message": "payment against order updated successfully.", "status": "success"})
    )
    assert done == Done({"id": "PAY-17"})


def test_only_the_two_documented_sentences_mean_nothing_found() -> None:
    empty = answer({"Message": "No orders between dates", "Status": "failed"})
    assert READER.seen(empty) == Done({"found": False})
    assert READER.seen(answer({"message": {"id": "1"}, "status": "success"})) == Done({"found": True})
    assert isinstance(READER.seen(answer({"Message": "nothing here", "Status": "failed"})), Refused)


def test_a_reply_that_repeats_a_key_does_not_leak_it() -> None:
    bodies = [
        {"status": "failed", "message": f"odd {KEY}"},
        f"<html>{KEY}",
        {"status": "failed", "message": {"k": KEY}},
    ]
    for body in bodies:
        for status in (200, 400):
            assert KEY not in repr(pushed(body, status))
