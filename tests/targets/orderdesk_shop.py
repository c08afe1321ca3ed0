"""One simulated Order Desk store, driven by the real ledger, journal and HTTP; only the clock is a fake."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

from shelf import FakeClock

from pipeline.delivery.deliver import Drain, Drained
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Accepted
from pipeline.ledger.engine import open_engine
from pipeline.ledger.writer import GroupWriter
from pipeline.model import DeliverTo, Record, Value
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer
from pipeline.settings import Secret
from pipeline.targets.contract import Account
from pipeline.targets.http import HttpTransport
from pipeline.targets.orderdesk import build

KEY = "sandbox-key"


def account(base_url: str = "http://127.0.0.1:1/orderdesk/api/v2", key: str | None = KEY, **more: Any) -> Account:
    table = {"target": "orderdesk", "store_id": 90001, "api_key": Secret(key, "here"), "base_url": base_url}
    return build("shop", table | {"rate": {"burst": 1000, "per_second": 1000}} | more)


def line(sku: str = "MUG-BL", price: str = "12.50", quantity: str = "2", **more: Value) -> dict[str, Value]:
    return {
        "sku": sku,
        "product_name": f"The {sku}",
        "quantity": Decimal(quantity),
        "unit_price": Decimal(price),
        **more,
    }


def order(order_id: str = "1001", *lines: Mapping[str, Value], **fields: Value) -> Record:
    known: dict[str, Value] = {
        "order_id": order_id,
        "ordered_at": datetime(2026, 1, 5, 8, 15, tzinfo=UTC),
        "first_name": "Anna",
        "last_name": "Berg",
    }
    return Record("order", order_id, known | fields, tuple(lines) or (line(),), (2,))


def stock(sku: str = "MUG-BL", **fields: Value) -> Record:
    return Record("inventory_item", sku, {"sku": sku, "name": f"The {sku}", **fields}, rows=(2,))


def shipment(order_id: str = "1001", tracking: str = "NO1", **fields: Value) -> Record:
    known: dict[str, Value] = {"order_id": order_id, "tracking_number": tracking, "carrier": "Bring"}
    return Record("shipment", f"{order_id}|{tracking}", known | fields, rows=(2,))


class Shop:
    """A store, an account for it, and a ledger."""

    def __init__(
        self,
        folder: Path,
        simulated: SimulatedOrderDesk | None = None,
        clock: FakeClock | None = None,
        **settings: Any,
    ) -> None:
        self.simulated = simulated or SimulatedOrderDesk()
        self.sandbox = SandboxServer([self.simulated])
        self.account = account(self.sandbox.base_urls()["orderdesk"], **({"settle_seconds": 5} | settings))
        self.clock = clock or FakeClock()
        self.engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
        self.writer = GroupWriter(self.engine)

    def __enter__(self) -> Self:
        self.sandbox.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()
        self.engine.dispose()
        self.sandbox.stop()
        assert self.sandbox.log.mistakes == []

    def take_in(self, *records: Record, to: str, options: Mapping[str, Any] | None = None) -> None:
        values = {
            "link": f"b{self.clock.time}"[-16:], "file_name": "f.csv", "sha256": "0" * 64, "size": 1,
            "received_at": self.clock.now(), "path": "var/work/x",
        }  # fmt: skip
        batch = self.writer.write(lambda c: files.begin(c, values))
        accepted = Accepted(
            feed="f", mapping_fingerprint="m", found={}, header=[],
            deliver=[DeliverTo("shop", to, options or {})],
            on_change="update", records=list(records), rejections=[],
            read=len(records), accepted=len(records), rejected=0, skipped=0,
        )  # fmt: skip
        self.writer.write(lambda c: files.accept(c, batch, accepted, self.clock.now()))
        self.clock.time += 1

    def drain(self, using: Account | None = None) -> Drained:
        self.writer.write(lambda c: book.recover(c, self.clock.now()))
        driven = using or self.account
        with HttpTransport(driven.base_url, driven.timeout, driven.concurrency) as transport:
            return Drain(
                driven, transport, self.engine, self.writer, self.clock, patience=60, stop=threading.Event()
            ).run()

    def deliver(
        self, *records: Record, to: str = "order", options: Mapping[str, Any] | None = None
    ) -> list[book.Delivery]:
        """Take the records in and drain; returns their deliveries, newest version of each."""
        self.take_in(*records, to=to, options=options)
        self.drain()
        return self.deliveries(to)[-len(records) :]

    def deliveries(self, to: str = "order") -> list[book.Delivery]:
        with self.engine.connect() as connection:
            states = ("waiting", "in_doubt", "delivered", "already_there", "unchanged", "refused")
            found = book.in_states(connection, *states)
        return sorted((one for one in found if one.operation == to), key=lambda one: one.id)

    def truth(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.simulated.truth()[kind]
        return found

    def sent(self, method: str = "", path: str = "") -> list[str]:
        """The calls that arrived, as ``GET /orders``."""
        calls = [f"{call.method} {call.path.removeprefix('/api/v2')}" for call in self.sandbox.calls]
        return [call for call in calls if call.startswith(method) and path in call]
