"""Parts of the XML-RPC tests: an account, its calls by name, and answers as Keap writes them."""

from __future__ import annotations

import re
from datetime import date

from keap_bench import FIELDS, Bench, account, answer, line, money, order, ticking

from pipeline.model import Record
from pipeline.sandbox.keap import SimulatedKeap
from pipeline.targets.contract import (
    Answer,
    Done,
    Found,
    Prior,
    Request,
)

PLAIN = order(
    line(product_name="Widget, blue"),
    line(sku="INS-1", quantity="1", price="5.00"),
    shipping_method="UPS Ground",
    shipping_total=money("6.50"),
    tax_total=money("2.49"),
    discount_total=money("5"),
    amount_paid=money("48.89"),
    payment_method="Check",
    payment_reference="4711",
    phone="617-555-0100",
    company="O'Brien & <Sons>",
    birth_date=date(1985, 3, 15),
    note="rush, please",
    tracking_number="1Z999",
)
CATALOGUE = order(line(quantity="1"), line(sku="INS-1", quantity="1", price="5.00"), tracking_number="1Z999")


def xml_bench(tenant: SimulatedKeap | None = None, custom_fields=FIELDS, **table) -> Bench:
    return Bench(account(custom_fields, api="xmlrpc", **table), tenant or SimulatedKeap(now=ticking()))


def method_of(request: Request) -> str:
    return re.search("<methodName>(.*)</methodName>", request.text or "").group(1)


def methods(bench: Bench) -> list[str]:
    return [method_of(request) for request in bench.sent]


def writes(bench: Bench) -> list[str]:
    reads = {"query", "load", "findByEmail", "getPayments", "getAllPaymentOptions"}
    return [name for name in methods(bench) if name.partition(".")[2] not in reads]


def reply(inner: str) -> Answer:
    return answer(200, f"<?xml version='1.0'?><methodResponse>{inner}</methodResponse>")


def value(text: str) -> Answer:
    return reply(f"<params><param><value>{text}</value></param></params>")


def fault(code: int, text: str) -> Answer:
    return reply(
        f"<fault><value><struct><member><name>faultCode</name><value><i4>{code}</i4></value></member>"
        f"<member><name>faultString</name><value>{text}</value></member></struct></value></fault>"
    )


def step_of(bench: Bench, record: Record, name: str, prior: Prior | None = None, **options):
    """The step whose name begins so, all before it carried out."""
    plan = bench.operation(**options).plan(record, prior)
    step = next(plan)
    while not step.name.startswith(name):
        outcome = bench.perform(step)
        assert isinstance(outcome, Done | Found), outcome
        step = plan.send(outcome.result)
    return step
