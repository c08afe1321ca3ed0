"""Walks a plan against a simulated target without a network: sign, call, answer, read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

from pipeline.model import Record, Value
from pipeline.sandbox.contract import Call, SimulatedTarget
from pipeline.targets.contract import (
    Account,
    Answer,
    Done,
    Finding,
    Operation,
    Outcome,
    Prior,
    Request,
    Result,
    Step,
)


class Stop(Exception):
    """A step did not end well; ``outcome`` says how."""

    def __init__(self, step: Step, outcome: Outcome) -> None:
        super().__init__(f"{step.name}: {outcome}")
        self.step = step
        self.outcome = outcome


@dataclass
class Walk:
    """One account in front of one simulated target; keeps every request it sent."""

    account: Account
    target: SimulatedTarget
    sent: list[Request] = field(default_factory=list)

    def run(self, operation: Operation, record: Record, prior: Prior | None = None) -> Result:
        plan = operation.plan(record, prior)
        try:
            step = next(plan)
            while True:
                step = plan.send(self.perform(step))
        except StopIteration as end:
            return end.value

    def probe(self) -> Result:
        plan = self.account.probe()
        try:
            step = next(plan)
            while True:
                step = plan.send(self.perform(step))
        except StopIteration as end:
            return end.value

    def perform(self, step: Step) -> Result:
        outcome = step.read(self.ask(step.request))
        if not isinstance(outcome, Done):
            raise Stop(step, outcome)
        return {**outcome.result, "already_there": True} if outcome.already_there else outcome.result

    def look(self, step: Step) -> Finding:
        assert step.find is not None
        search = step.find()
        try:
            request = next(search)
            while True:
                request = search.send(self.ask(request))
        except StopIteration as end:
            return end.value

    def ask(self, request: Request) -> Answer:
        self.sent.append(request)
        signed = self.account.sign(request)
        parts = urlsplit(signed.url)
        path = parts.path.removeprefix(urlsplit(self.account.base_url).path)
        headers = {name.lower(): value for name, value in signed.headers.items()}
        call = Call(signed.method, path, tuple(parse_qsl(parts.query)), headers, signed.content)
        reply = self.target.handle(call)
        body, kind = reply.encoded()
        return Answer(reply.status, {"content-type": kind, **{k.lower(): v for k, v in reply.headers.items()}}, body)


def first_step(operation: Operation, record: Record, prior: Prior | None = None) -> Step:
    return next(operation.plan(record, prior))


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    import json

    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status, headers or {}, content)


def line(
    sku: str = "course-basic", price: str | None = "49.00", quantity: str = "1", **more: Value
) -> dict[str, Value]:
    return {
        "sku": sku,
        "product_name": f"The {sku}",
        "quantity": Decimal(quantity),
        "unit_price": None if price is None else Decimal(price),
        **more,
    }


def order(lines: Sequence[Mapping[str, Value]] | None = None, **fields: Value) -> Record:
    known: dict[str, Value] = {
        "order_id": "EXP-17",
        "ordered_at": datetime(2026, 1, 5, 8, 15, tzinfo=UTC),
        "email": "anna@example.com",
        "first_name": "Anna",
        "last_name": "Berg",
    }
    known.update(fields)
    return Record("order", str(known["order_id"]), known, tuple([line()] if lines is None else lines), (2,))


FULL_ORDER = order(
    [
        line("course-basic", "49.00", line_type="product"),
        line("workbook", "9.5", line_type=None),
    ],
    middle_name="Maria",
    phone="+4790000000",
    ip_address="203.0.113.9",
    billing_address1="Storgata 1",
    billing_city="Bergen",
    billing_postal_code="5003",
    billing_country="NO",
    shipping_first_name="Ola",
    shipping_last_name="Nordmann",
    shipping_address1="Kirkegata 4",
    shipping_address2="Oppgang B",
    shipping_city="Oslo",
    shipping_postal_code="0153",
    shipping_country="NO",
    shipping_phone="+4791111111",
    order_total=Decimal("58.50"),
    amount_paid=Decimal("58.50"),
    paid_at=datetime(2026, 1, 5, 9, 0, tzinfo=UTC),
    payment_method="Visa",
    payment_reference="PAY-17",
    coupon_code="WINTER",
    affiliate="bob,carol",
    sales_manager="77",
    confirmed=True,
    tag="acme",
    note="Gift wrap & card, 100 % ~ok",
    birth_date=datetime(1990, 2, 3, tzinfo=UTC).date(),
    expected_delivery_on=datetime(2026, 1, 9, tzinfo=UTC).date(),
    utm_source="newsletter",
    utm_medium="email",
)
