"""Whatever a file holds: what orderdrop lets through, a strict Order Desk takes; the rest is named."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from orderdesk_shop import account

from pipeline.fields import RECORD_KINDS
from pipeline.model import Record
from pipeline.sandbox.contract import Call
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.targets.orderdesk.amounts import amounts

ACCOUNT = account()
TAME = {
    "text": st.text(min_size=1, max_size=20).map(lambda text: f"x{text}"),
    "decimal": st.decimals(0, 100000, places=2),
    "time": st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    "date": st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    "boolean": st.booleans(),
}
WILD = TAME | {
    "text": st.sampled_from(["", " ", "A,B", "=1+1", "ü" * 40, "x" * 4000, "Berg, Anna", "\ud7ff\U0001f600", "\x00"]),
    "decimal": st.sampled_from([Decimal(text) for text in ("-1", "0", "1.5", "1E+3", "0.123456789012345678", "NaN")]),
}
LINE_TYPES = ("", "product", "subscription", "shipping", "tax", "discount", "fee")


def _fields(kind: str, level: str, values: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    specs = [spec for spec in RECORD_KINDS[kind].values() if spec.level == level]
    extra = {"map": st.dictionaries(values["text"], values["text"], max_size=3)}
    known = {spec.name: (values | extra).get(spec.type, values["text"]) for spec in specs}
    if values is TAME and level == "line":
        known["quantity"] = st.integers(1, 50).map(Decimal)
    if level == "line":
        known["line_type"] = st.sampled_from(LINE_TYPES if values is TAME else ("odd", "Product ", *LINE_TYPES))
    always = {"sku", "last_name"} if values is TAME else set()
    required = {spec.name: known.pop(spec.name) for spec in specs if spec.required or spec.name in always}
    return st.fixed_dictionaries(required, optional={name: st.none() | one for name, one in known.items()})


def _records(kind: str, values: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Record]:
    lines = st.lists(_fields(kind, "line", values), min_size=1, max_size=4) if kind == "order" else st.just([])
    return st.builds(
        lambda fields, lines: Record(kind, "k", fields, tuple(lines), (2,)),
        _fields(kind, "record", values),
        lines,
    )


def sent(operation: str, record: Record) -> Call | None:
    """The writing call of a plan that finds nothing there, ``None`` when problems were named."""
    bound = ACCOUNT.operation(operation, {})
    problems = bound.problems(record)
    assert all(problem.code and problem.message and problem.advice and problem.field for problem in problems)
    if problems:
        return None
    plan = bound.plan(record, None)
    step = next(plan)
    while step.reads_only:
        step = plan.send(step.preview or {})
    signed = ACCOUNT.sign(step.request)
    headers = {name.lower(): value for name, value in signed.headers.items()}
    path = signed.url.removeprefix("http://127.0.0.1:1/orderdesk").replace("%3C", "<")
    return Call(signed.method, path, (), headers, signed.content)


@settings(max_examples=300, deadline=None)
@given(_records("order", TAME) | _records("order", WILD))
def test_an_order_is_taken_or_its_problems_are_named(record: Record) -> None:
    call = sent("order", record)
    if call is None:
        return
    desk = SimulatedOrderDesk()
    reply = desk.handle(call)
    assert reply.status == 200, reply.body
    (there,) = desk.truth()["orders"]
    assert there["source_id"] == record.text("order_id")
    assert abs(Decimal(str(there["order_total"])) - amounts(record).total) < Decimal("0.001")


@settings(max_examples=150, deadline=None)
@given(_records("inventory_item", TAME) | _records("inventory_item", WILD))
def test_a_stock_item_is_taken_or_its_problems_are_named(record: Record) -> None:
    call = sent("inventory_item", record)
    if call is None:
        return
    desk = SimulatedOrderDesk()
    assert desk.handle(call).status == 200
    (there,) = desk.truth()["inventory_items"]
    assert (there["code"], there["name"]) == (record.text("sku"), record.text("name"))


@settings(max_examples=150, deadline=None)
@given(_records("shipment", TAME) | _records("shipment", WILD))
def test_a_shipment_is_taken_or_its_problems_are_named(record: Record) -> None:
    call = sent("shipment", record)
    if call is None:
        return
    desk = SimulatedOrderDesk()
    order = {
        "source_id": record.text("order_id"),
        "customer": {"last_name": "B"},
        "order_items": [{"code": "X"}],
    }
    desk.store.add_order(order)
    reply = desk.handle(Call("POST", "/api/v2/orders/100200300/shipments", (), call.headers, call.body))
    assert reply.status == 200, reply.body
    assert json.loads(call.body)["tracking_number"] == desk.truth()["shipments"][0]["tracking_number"]
