from __future__ import annotations

import pytest
from walk import answer

from pipeline.settings import Secret
from pipeline.targets.contract import Done, InDoubt, Later, Outcome, Paused, Refused
from pipeline.targets.influencersoft.answers import Reader, response_hash

SECRET = "not-a-real-secret"
READER = Reader("https://demo-shop.influencersoft.com", Secret(SECRET, "test"))


def created(body: object, status: int = 200, **headers: str) -> Outcome:
    return READER.created(answer(body, status, headers))


def reply(code: object, text: str = "some words", **more: object) -> dict[str, object]:
    return {"error_code": code, "error_text": text, **more}


def test_documented_hash_vector() -> None:
    assert response_hash("0", "OK", SECRET) == "a128b791a542a94d2e96ffbd378c9c8f"


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (reply(0, "OK", result=[], hash="a128b791a542a94d2e96ffbd378c9c8f"), {"id": None}),
        (
            reply("0", "OK", result={"bill_id": 100234}, hash="A128B791A542A94D2E96FFBD378C9C8F"),
            {"id": "100234"},
        ),
        (reply(0, "ok"), {"id": None}),
        (reply(0, "OK", result=[], hash="0" * 32), {"id": None, "hash_ok": False}),
        (reply(0, "OK", result={"bill_id": ""}), {"id": None}),
    ],
)
def test_done(body: object, result: object) -> None:
    assert created(body) == Done(result)


def test_an_existing_order_is_already_there_with_its_number() -> None:
    outcome = created(reply(601, "order already exist", result={"bill_id": 100234}))
    assert outcome == Done({"id": "100234", "code": 601}, already_there=True)


@pytest.mark.parametrize(
    ("code", "kind", "slug"),
    [
        (1, Paused, "wrong_generation"), (2, Paused, "no_input_seen"), (3, Refused, "bad_parameter"),
        (4, Paused, "bad_key"), (5, Paused, "bad_login"), (6, Paused, "address_not_allowed"),
        (7, Paused, "account_disabled"), (8, Later, "quota"), (600, Refused, "wrong_email"),
        (602, InDoubt, "creating_failed"), (603, Refused, "no_products"), (604, Refused, "unknown_product"),
        (605, Refused, "no_delivery_address"), (100, Refused, "code_100"), (4711, Refused, "code_4711"),
        (-1, Refused, "code_-1"),
    ],
)  # fmt: skip
def test_every_code(code: int, kind: type, slug: str) -> None:
    outcome = created(reply(code))
    assert isinstance(outcome, kind)
    assert outcome.code == slug
    assert "some words" in outcome.message


def test_an_unknown_product_is_named() -> None:
    outcome = created(reply(604, "product not exist", result="course-x"))
    assert isinstance(outcome, Refused)
    assert "course-x" in outcome.message
    assert outcome.field == "sku"


def test_the_quota_waits_long() -> None:
    outcome = created(reply(8))
    assert isinstance(outcome, Later)
    assert outcome.seconds == 3600


@pytest.mark.parametrize(
    "body",
    ["", "<html>hello</html>", "[]", "null", "{}", '{"error_code": null}', '{"error_code": "x"}',
     '{"error_code": true}', "[" * 100_000, b"\xff\xfe\x00", '{"error_code": 0', "0", '"OK"'],
)  # fmt: skip
def test_what_is_no_reply_is_in_doubt(body: object) -> None:
    assert isinstance(created(body), InDoubt)


@pytest.mark.parametrize(
    ("status", "body", "kind", "slug"),
    [
        (302, reply(0, "OK"), Done, ""),
        (302, "moved", InDoubt, "http_302"),
        (303, "", InDoubt, "http_303"),
        (201, reply(0, "OK"), Done, ""),
        (401, reply(0), Paused, "bad_key"),
        (403, "", Paused, "bad_key"),
        (404, "<html>", Paused, "wrong_address"),
        (405, "", Paused, "wrong_address"),
        (408, "", InDoubt, "http_408"),
        (400, "bad", Refused, "http_400"),
        (400, reply(603), Refused, "no_products"),
        (400, reply(0), InDoubt, "http_400"),
        (429, "", Later, "too_fast"),
        (500, reply(0), InDoubt, "http_500"),
        (503, "", InDoubt, "http_503"),
        (101, "", InDoubt, "http_101"),
    ],
)
def test_http_status(status: int, body: object, kind: type, slug: str) -> None:
    outcome = created(body, status)
    assert isinstance(outcome, kind)
    assert getattr(outcome, "code", "") == slug


def test_retry_after_is_heeded_when_it_is_seconds() -> None:
    named = created("", 429, **{"retry-after": "7"})
    unnamed = created("", 429, **{"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"})
    assert isinstance(named, Later)
    assert isinstance(unnamed, Later)
    assert (named.seconds, unnamed.seconds) == (7.0, None)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("/api/CreateOrder", "CreateOrder"),
        ("https://demo-shop.influencersoft.com/api/CreateOrder", "CreateOrder"),
        ("https://elsewhere.example/api/createorder", "elsewhere.example"),
        ("", "another place"),
    ],
)
def test_redirects_are_never_followed_and_pause(location: str, words: str) -> None:
    for status in (301, 307, 308):
        outcome = created("", status, location=location)
        assert isinstance(outcome, Paused)
        assert outcome.code == "redirected"
        assert words in outcome.message


def test_a_reply_that_repeats_the_key_does_not_leak_it() -> None:
    for body in (reply(3, f"bad rpsKey {SECRET}"), reply(604, "x", result=SECRET), f"<html>{SECRET}</html>"):
        assert SECRET not in repr(created(body))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (reply(0, result=[{"id": "1", "good_name": "a"}, {"id": "2", "good_name": "b"}]), Done),
        (reply(0, result=[{"id": "1", "good_name": "a"}]), Refused),
        (reply(0, result=[]), InDoubt),
        (reply(0, result="nonsense"), InDoubt),
        (reply(700, "no products"), Refused),
        (reply(4), Paused),
    ],
)
def test_products(body: object, kind: type) -> None:
    assert isinstance(READER.goods(("a", "b"), answer(body)), kind)


def test_an_empty_shop_still_proves_the_key() -> None:
    assert READER.goods((), answer(reply(700, "no products"))) == Done({"goods": 0})


def test_coupons() -> None:
    listed = answer(reply(0, result=[{"id": 31, "coupon": "WINTER"}, "nonsense"]))
    assert READER.coupon("WINTER", listed) == Done({"id": "31"})
    unknown = READER.coupon("SUMMER", listed)
    assert isinstance(unknown, Refused)
    assert unknown.field == "coupon_code"
