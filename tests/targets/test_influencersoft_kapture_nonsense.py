"""Whatever comes back, and whatever a file holds: an outcome or a problem, no traceback, no guess."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from driven import probed
from hypothesis import given, settings
from hypothesis import strategies as st
from walk import answer, order

from pipeline.model import Record
from pipeline.settings import Secret
from pipeline.targets.contract import Done, Found, InDoubt, Later, Paused, Refused, Unclear
from pipeline.targets.influencersoft import build as build_school
from pipeline.targets.influencersoft.answers import Reader
from pipeline.targets.influencersoft.lookup import Orders
from pipeline.targets.influencersoft.settings import CreateOrderOptions
from pipeline.targets.kapture import build as build_desk
from pipeline.targets.orderdesk import build as build_shop

KEY = Secret("a-very-secret-key", "test")
TABLE = {"login": "demo-shop", "api_key": KEY, "secret": KEY}
CHECKING = build_school("school", TABLE)
SCHOOL = build_school("school", {**TABLE, "check_products": False})
DESK = build_desk(
    "desk", {"base_url": "https://demo.kapturecrm.com", "keys": {"push": KEY, "update": KEY, "pull": KEY}}
)
NEWER = build_desk(
    "desk",
    {"base_url": "https://demo.kapture.cx", "generation": "c", "user": "u", "password": KEY, "cm_id": 1,
     "order_block": "order_info", "pull_proves_absence": True},
)  # fmt: skip
SHOP = build_shop("shop", {"store_id": "1", "api_key": KEY})
OUTCOMES = Done | Refused | Later | InDoubt | Paused

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
KEYS = st.sampled_from(
    ["error_code", "error_text", "result", "hash", "bill_id", "tag", "id", "status", "Status", "message",
     "Message", "order_id", "Order Id", "orders", "erp_order_id", "status", "order", "inventory_items", "good_name",
     "order_shipments", "source_id", "code", "date_updated", "store", "settings", "timezone", "folders"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["success", "failed", "Fail", 0, "0", 601, 604, 400, "5001", "EXP-17", KEY.reveal(), "Invalid Json."]
)
json_values = st.recursive(
    plain | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)
bodies = st.binary(max_size=40) | json_values
statuses = st.sampled_from([200, 200, 200, 201, 204, 301, 302, 307, 400, 401, 404, 408, 429, 500, 503])

texts = st.text(st.characters(codec="utf-8"), max_size=15)
amounts = st.none() | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)
lines = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "sku": texts,
            "product_name": st.none() | texts,
            "quantity": amounts,
            "unit_price": amounts,
            "line_discount": amounts,
            "line_tax": amounts,
            "line_type": st.none() | st.sampled_from(["product", "subscription", "shipping", "tax", "discount", "fee"]),
        },
    ),
    max_size=4,
)
records = st.builds(
    lambda fields, rows: Record("order", "EXP-17", {"order_id": "EXP-17", **fields}, tuple(rows)),
    st.fixed_dictionaries(
        {"ordered_at": st.just(datetime(2026, 1, 5, tzinfo=UTC))},
        optional={
            name: st.none() | texts
            for name in ("email", "first_name", "full_name", "phone", "note", "tag", "status",
                         "payment_method", "billing_postal_code", "shipping_postal_code", "shipping_company")
        }
        | dict.fromkeys(("order_total", "amount_paid", "shipping_total", "tax_total"), amounts),
    ),
    lines,
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(bodies, statuses)
def test_every_answer_gives_an_outcome_and_keeps_the_key(body: Any, status: int) -> None:
    for account, operation in ((SCHOOL, "create_order"), (DESK, "push_order"), (NEWER, "push_order")):
        step = next(account.operation(operation, {}).plan(order(), None))
        outcome = step.read(answer(body, status))
        assert isinstance(outcome, OUTCOMES)
        assert KEY.reveal() not in repr(outcome)
        if status not in {200, 201, 204, 302}:
            assert not isinstance(outcome, Done)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(bodies, statuses), min_size=1, max_size=4))
def test_no_nonsense_is_taken_for_absence_at_kapture(told: list[tuple[Any, int]]) -> None:
    for account in (DESK, NEWER):
        step = next(account.operation("push_order", {}).plan(order(), None))
        assert step.find is not None
        seen = _end(step.find(), told)
        assert isinstance(seen, Found | Unclear) or (account is NEWER and _says_none(*told[0]))


def _says_none(body: Any, status: int) -> bool:
    """The one answer that means "none": success with an empty list, or Kapture's sentence for it."""
    listed = isinstance(body, dict) and [] in [body.get(name) for name in ("orders", "message", "result")]
    return 200 <= status < 300 and listed


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(bodies, statuses), min_size=1, max_size=4))
def test_no_nonsense_breaks_a_list_a_probe_or_a_check_before_sending(told: list[tuple[Any, int]]) -> None:
    since = datetime(2026, 1, 5, tzinfo=UTC)
    for account, operation in ((SCHOOL, "create_order"), (DESK, "push_order"), (SHOP, "order"), (SHOP, "shipment"),
                               (SHOP, "inventory_item")):  # fmt: skip
        assert account.listing is not None
        seen = _end(account.listing(operation, since, since), told)
        assert isinstance(seen, Unclear | tuple)
        assert KEY.reveal() not in repr(seen) or isinstance(seen, tuple)
    for account in (CHECKING, DESK, NEWER, SHOP):
        outcome = probed(account, lambda _path: answer(*told[0]))
        assert isinstance(outcome, OUTCOMES)
        assert KEY.reveal() not in repr(outcome)
    step = next(CHECKING.operation("create_order", {}).plan(order(), None))
    assert isinstance(step.read(answer(*told[0])), OUTCOMES)


@settings(max_examples=80, deadline=None)
@given(bodies)
def test_nonsense_in_the_first_list_is_not_absence_at_influencersoft(body: Any) -> None:
    search = Orders(Reader("https://x.example", Secret("k", "test"))).find(order(), CreateOrderOptions())
    seen = _end(search, [(body, 200), (b"", 200)])
    assert isinstance(seen, Unclear)


@settings(max_examples=120, deadline=None)
@given(records)
def test_every_record_is_refused_or_becomes_a_call(record: Record) -> None:
    for account, operation, options in (
        (SCHOOL, "create_order", {}),
        (SCHOOL, "create_order", {"quantity": "repeat", "other_lines": "note", "mark_in": "note"}),
        (DESK, "push_order", {}),
        (DESK, "push_order", {"other_lines": "product", "also_send": {"note": "remarks"}}),
    ):
        chosen = account.operation(operation, options)
        problems = chosen.problems(record)
        assert all(problem.message and problem.advice for problem in problems)
        if problems:
            continue
        request = next(chosen.plan(record, None)).request
        assert account.sign(request).content
        names = [name for name, _ in request.form or ()]
        assert len(names) == len(set(names))


def _end(search: Any, told: list[tuple[Any, int]]) -> Any:
    try:
        next(search)
        for at in range(200):
            search.send(answer(*told[at % len(told)]))
    except StopIteration as end:
        return end.value
    raise AssertionError("the look-up did not end")
