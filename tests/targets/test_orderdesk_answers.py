"""What Order Desk answered → what it means: each documented answer, and the ones nobody documents."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from orderdesk_shop import account, order, shipment

from pipeline.targets.contract import Answer, Done, InDoubt, Later, Outcome, Paused, Refused
from pipeline.targets.orderdesk.answers import Kind, field_named, pace, trouble


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def said(message: str, status: str = "error") -> dict[str, str]:
    return {"status": status, "message": message, "execution_time": "0.1 seconds"}


def judged(got: Answer, kind: Kind = Kind.CREATE) -> Outcome | None:
    return trouble(got, lambda text: text.replace("very-secret", "[redacted]"), kind)


@pytest.mark.parametrize(
    ("got", "outcome", "code"),
    [
        (answer(429, said("Slow down"), x_retry_after="7"), Later, "throttled"),
        (answer(200, said("Too Many Requests")), Later, "throttled"),
        (answer(401, b"no"), Paused, "bad_key"),
        (answer(403, said("Forbidden")), Paused, "bad_key"),
        (answer(402, b""), Paused, "bad_key"),
        (answer(200, said("Invalid API Key")), Paused, "bad_key"),
        (answer(400, said("Unauthorized request")), Paused, "bad_key"),
        (answer(301, b"", location="https://x.example/a?key=1"), Paused, "redirected"),
        (answer(307, b"", location="https://[bad"), Paused, "redirected"),
        (answer(404, b"<html>nginx</html>"), Paused, "wrong_address"),
        (answer(405, b""), Paused, "wrong_address"),
        (answer(404, said("Order Not Found")), Refused, "orderdesk_refused"),
        (answer(400, said("payment_status is unknown")), Refused, "orderdesk_refused"),
        (answer(200, said("payment_status is unknown")), Refused, "orderdesk_refused"),
        (answer(200, said("nope", "fail")), Refused, "orderdesk_refused"),
        (answer(422, b"\xff\xfe"), Refused, "orderdesk_refused"),
        (answer(400, said("Duplicate order 100200300")), InDoubt, "maybe_duplicate"),
        (answer(200, said("Shipment Not Added")), InDoubt, "shipment_not_added"),
        (answer(408, b""), InDoubt, "no_answer"),
        (answer(500, b"oops"), InDoubt, "orderdesk_failed"),
        (answer(503, said("maintenance")), InDoubt, "orderdesk_failed"),
        (answer(200, b""), InDoubt, "unreadable_answer"),
        (answer(204, b""), InDoubt, "unreadable_answer"),
        (answer(200, b"<html>wait</html>"), InDoubt, "unreadable_answer"),
        (answer(200, b'{"order": {"id": "1"}}'), InDoubt, "unreadable_answer"),
        (answer(200, b"[]"), InDoubt, "unreadable_answer"),
        (answer(200, {"status": 1}), InDoubt, "unreadable_answer"),
        (answer(102, b""), InDoubt, "unreadable_answer"),
        (answer(999, b""), InDoubt, "unreadable_answer"),
    ],
)
def test_the_table(got: Answer, outcome: type[Outcome], code: str) -> None:
    found = judged(got)
    assert isinstance(found, outcome)
    assert found.code == code
    assert found.message.endswith(".")


@pytest.mark.parametrize("status", [200, 201, 202])
def test_success_is_any_2xx_that_says_so(status: int) -> None:
    assert judged(answer(status, {"status": "success"})) is None


def test_an_error_status_that_says_success_is_none() -> None:
    assert isinstance(judged(answer(500, {"status": "success"})), InDoubt)
    assert isinstance(judged(answer(400, {"status": "success", "message": "eh"})), Refused)


@pytest.mark.parametrize("status", [200, 204, 408, 500, 502, 503])
def test_a_read_that_failed_is_later_and_never_in_doubt(status: int) -> None:
    assert isinstance(judged(answer(status, b""), Kind.READ), Later)


def test_a_repeatable_write_never_takes_a_word_for_a_duplicate() -> None:
    assert isinstance(judged(answer(400, said("Duplicate code")), Kind.REPLACE), Refused)


def test_the_vendors_words_are_kept_on_one_line_capped_and_without_a_key() -> None:
    found = judged(answer(400, said("Bad\n value\t\x07 very-secret. ")))
    assert isinstance(found, Refused)
    assert found.message == "Order Desk refused it: Bad value [redacted]."
    long = judged(answer(400, said("x" * 5000)))
    assert isinstance(long, Refused)
    assert len(long.message) < 400


def test_a_redirect_names_the_host_only() -> None:
    found = judged(answer(302, b"", location="https://other.example/path?api_key=very-secret"))
    assert isinstance(found, Paused)
    assert "other.example" in found.message
    assert "very-secret" not in found.message


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("tracking_number is required", "tracking_number"),
        ("Invalid email address", "email"),
        ("A first name, last name or company is required", "last_name"),
        ("source_id too long", "order_id"),
        ("something else", None),
    ],
)
def test_the_field_a_message_speaks_of(message: str, name: str | None) -> None:
    assert field_named(message) == name


@pytest.mark.parametrize(
    ("headers", "remaining", "wait"),
    [
        ({"x-tokens-remaining": "4"}, 4.0, None),
        ({"x-tokens-remaining": "0", "x-retry-after": "2"}, 0.0, 2.0),
        ({"x-retry-after": "0.5", "retry-after": "9"}, None, 0.5),
        ({"retry-after": "9"}, None, 9.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None, None),
        ({"x-tokens-remaining": "many", "x-retry-after": "-1"}, None, None),
        ({"x-retry-after": "9" * 400}, None, None),
        ({}, None, None),
    ],
)
def test_pace_reads_the_vendors_own_headers(
    headers: Mapping[str, str], remaining: float | None, wait: float | None
) -> None:
    hint = pace(Answer(200, headers, b""))
    assert (hint.remaining, hint.wait) == (remaining, wait)


def test_an_order_answer_gives_its_id_and_one_without_is_in_doubt() -> None:
    step = next(account().operation("order", {}).plan(order(), None))
    made = {"status": "success", "order": {"id": "100200300"}}
    assert step.read(answer(201, made)) == Done({"id": "100200300"})
    assert step.read(answer(200, {"status": "success", "order": {"id": 7}})) == Done({"id": "7"})
    for order_part in (None, [], {}, {"id": ""}, {"id": None}, {"id": True}):
        assert isinstance(step.read(answer(200, {"status": "success", "order": order_part})), InDoubt)


def test_a_shipment_answer_needs_no_id() -> None:
    plan = account().operation("shipment", {}).plan(shipment(), None)
    next(plan)
    step = plan.send({"id": "100200300", "rows": []})
    assert step.request.path == "/orders/100200300/shipments"
    assert step.read(answer(200, said("Shipment Added", "success"))) == Done({"id": "100200300/NO1"})
    with_id = {"status": "success", "shipment": {"id": "6601"}}
    assert step.read(answer(200, with_id)) == Done({"id": "6601"})


def test_no_answer_shows_the_accounts_key() -> None:
    step = next(account(key="very-secret").operation("order", {}).plan(order(), None))
    for status in (200, 302, 400, 404, 429, 500):
        found = step.read(answer(status, said("key very-secret is odd"), location="https://very-secret.example/"))
        assert "very-secret" not in repr(found).replace("very-secret.example", "")
