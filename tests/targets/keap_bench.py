"""Parts of the Keap tests: records, an account at a simulated tenant, and a small driver that walks plans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pipeline.model import Record
from pipeline.sandbox.contract import Call
from pipeline.sandbox.keap import SimulatedKeap
from pipeline.settings import Secret
from pipeline.targets.contract import (
    Absent,
    Account,
    Answer,
    Done,
    Finding,
    Found,
    Operation,
    Outcome,
    Plan,
    Request,
    Result,
    Step,
)
from pipeline.targets.keap import build

KEY = "sandbox-key"
EASTERN = timezone(timedelta(hours=-5))
FIELDS = {
    "order_id": "_ExternalOrderId",
    "status": "Fulfillment Status",
    "tracking_number": "_TrackingNumber",
}


def money(text: str) -> Decimal:
    return Decimal(text)


def account(custom_fields: Mapping[str, str] = FIELDS, key: str | None = KEY, **table: Any) -> Account:
    settings = {
        "target": "keap",
        "api_key": Secret(key, "environment variable KEAP_API_KEY"),
        "base_url": "http://127.0.0.1:9/keap/crm",
        "custom_fields": dict(custom_fields),
    }
    return build("crm", settings | table)


def line(sku: str = "WB-100", quantity: str = "2", price: str = "19.95", **more: Any) -> dict[str, Any]:
    return {
        "sku": sku,
        "quantity": money(quantity),
        "unit_price": money(price),
        "line_type": "product",
    } | more


def order(*lines: Mapping[str, Any], **fields: Any) -> Record:
    known = {
        "order_id": "FH-2026-000187",
        "ordered_at": datetime(2026, 1, 1, 12, 0, tzinfo=EASTERN),
        "email": "ann@example.com",
        "first_name": "Ann",
        "last_name": "O'Brien",
        "status": "shipped",
        "shipping_address1": "1 Main St",
        "shipping_city": "Boston",
        "shipping_state": "MA",
        "shipping_postal_code": "02110",
        "shipping_country": "US",
    } | fields
    return Record(
        "order",
        str(known["order_id"]),
        {k: v for k, v in known.items() if v is not None},
        lines or (line(),),
        (2,),
    )


def changed(record: Record, **fields: Any) -> Record:
    return replace(record, fields={**record.fields, **fields})


def emptied(record: Record, *names: str) -> Record:
    """The record with these fields empty on purpose."""
    kept = {name: value for name, value in record.fields.items() if name not in names}
    return replace(record, fields=kept, cleared=tuple(sorted(names)))


def answer(status: int, body: Any = b"", headers: Mapping[str, str] | None = None) -> Answer:
    import json

    content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status, headers or {}, content)


class Lost(Exception):
    """The work was done (or not) and the answer never came."""


def ticking() -> Callable[[], datetime]:
    """A clock that moves on by a second each time it is read."""
    ticks = count(1)
    return lambda: datetime(2026, 1, 2, 3, 0, tzinfo=UTC) + timedelta(seconds=next(ticks))


@dataclass
class Bench:
    """Walks plans against one simulated tenant, keeping every request; ``lose``: whose answers are lost."""

    account: Account = field(default_factory=account)
    tenant: SimulatedKeap = field(default_factory=lambda: SimulatedKeap(now=ticking()))
    sent: list[Request] = field(default_factory=list)
    lose: Callable[[Request], bool] = lambda _request: False

    def send(self, request: Request) -> Answer:
        self.sent.append(request)
        signed = self.account.sign(request)
        parts = urlsplit(signed.url)
        path = parts.path.removeprefix("/keap")
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        reply = self.tenant.handle(Call(signed.method, path, query, signed.headers, signed.content))
        if self.lose(request):
            raise Lost
        content, _ = reply.encoded()
        return Answer(reply.status, reply.headers, content)

    def find(self, step: Step) -> Finding:
        assert step.find is not None
        search = step.find()
        try:
            request = next(search)
            while True:
                request = search.send(self.send(request))
        except StopIteration as end:
            finding: Finding = end.value
            return finding

    def perform(self, step: Step) -> Outcome | Finding:
        if step.look_first and not isinstance(finding := self.find(step), Absent):
            return finding
        return step.read(self.send(step.request))

    def walk(self, plan: Plan) -> Result | Outcome | Finding:
        """The plan's result, or the first outcome that ends it."""
        try:
            step = next(plan)
            while True:
                outcome = self.perform(step)
                match outcome:
                    case Done(result, already_there):
                        step = plan.send({**result, "already_there": True} if already_there else result)
                    case Found(result):
                        step = plan.send({**result, "already_there": True})
                    case _:
                        return outcome
        except StopIteration as end:
            result: Result = end.value
            return result

    def operation(self, name: str = "place_order", **options: Any) -> Operation:
        return self.account.operation(name, options)

    def place(self, record: Record, **options: Any) -> Any:
        operation = self.operation(**options)
        problems = operation.problems(record)
        assert not problems, problems
        return self.walk(operation.plan(record, None))

    def bodies(self, method: str = "POST") -> list[Any]:
        return [request.json for request in self.sent if request.method == method]

    def body(self, ending: str, method: str = "POST") -> Any:
        """The body of the one write whose path ends so."""
        (found,) = [r.json for r in self.sent if r.method == method and r.path.endswith(ending)]
        return found

    @property
    def writes(self) -> list[str]:
        return [f"{request.method} {request.path}" for request in self.sent if request.method != "GET"]
