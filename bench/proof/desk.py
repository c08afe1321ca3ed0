"""One account at one simulated target: a ledger, the real delivery over real HTTP, and a clock that only waits move."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from pipeline.delivery.deliver import Drain, Drained
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Accepted
from pipeline.ledger.engine import open_engine
from pipeline.ledger.figures import figures
from pipeline.ledger.writer import GroupWriter
from pipeline.model import DeliverTo, Record, Value
from pipeline.sandbox.server import SandboxServer
from pipeline.settings import Secret
from pipeline.targets.contract import Account
from pipeline.targets.http import HttpTransport
from pipeline.targets.registry import build_account


class WaitedTime:
    """Seconds that pass only when somebody waits; ``on_wait`` is called with the time that has passed in all."""

    def __init__(self, on_wait: Callable[[float], None] = lambda _passed: None) -> None:
        self._begun = datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()
        self._passed = 0.0
        self._on_wait = on_wait

    def now(self) -> float:
        """The time in seconds since 1970."""
        return self._begun + self._passed

    def set_ahead(self, seconds: float) -> None:
        """What a person or a time server does: the time is another, and nobody has waited."""
        self._passed += seconds

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Let ``seconds`` pass at once, unless a stop was asked for."""
        self._passed += 0.0 if stop.is_set() else seconds
        self._on_wait(self._passed)


@dataclass
class Desk:
    """What a drain needs, and the moves a proof makes."""

    folder: Path
    account: Account
    clock: WaitedTime = field(default_factory=WaitedTime)
    batches: int = 0

    def __post_init__(self) -> None:
        """Open an empty ledger."""
        self.engine = open_engine(f"sqlite:///{self.folder / 'ledger.db'}")
        self.writer = GroupWriter(self.engine)

    def close(self) -> None:
        """Let go of the ledger."""
        self.writer.close()
        self.engine.dispose()

    def take_in(self, operation: str, records: Sequence[Record], options: Mapping[str, Any] | None = None) -> None:
        """Write a file's worth of records into the ledger."""
        self.batches += 1
        values = {
            "link": uuid4().hex[:16], "file_name": "orders.csv", "sha256": "0" * 64, "size": 1,
            "received_at": self.clock.now(), "path": "var/work/x",
        }  # fmt: skip
        batch = self.writer.write(lambda c: files.begin(c, values))
        accepted = Accepted(
            feed="f", mapping_fingerprint="m", found={}, header=[],
            deliver=[DeliverTo(self.account.name, operation, options or {})], on_change="update", records=records,
            rejections=[], read=len(records), accepted=len(records), rejected=0, skipped=0,
        )  # fmt: skip
        self.writer.write(lambda c: files.accept(c, batch, accepted, self.clock.now()))

    def drain(self) -> Drained:
        """Deliver what is due, as a run does."""
        self.writer.write(lambda c: book.recover(c, self.clock.now()))
        transport = HttpTransport(self.account.base_url, self.account.timeout, self.account.concurrency)
        try:
            return Drain(
                self.account, transport, self.engine, self.writer, self.clock, patience=15.0, stop=threading.Event()
            ).run()
        finally:
            transport.close()

    def told(self) -> Counter[str]:
        """The same by the tallies, at once however many there are."""
        with self.engine.connect() as connection:
            told: Counter[str] = Counter()
            for _, _, state, number in figures(connection).deliveries:
                told[state] += number
            return told

    def states(self) -> Counter[str]:
        """Deliveries counted by state."""
        with self.engine.connect() as connection:
            return Counter({state: n for _, _, state, n in book.counts(connection)})


_TABLES: Mapping[str, Mapping[str, Any]] = {
    "orderdesk": {"store_id": "90001", "api_key": "sandbox-key"},
    "keap": {"api_key": "sandbox-key", "custom_fields": {"order_id": "_ExternalOrderId"}},
    "influencersoft": {"login": "demo-shop", "api_key": "sandbox-key"},
    "kapture": {
        "payment_path": "/add-payment-against-order.html",
        "keys": {name: f"sandbox-{name}-key" for name in ("push", "update", "payment", "search", "pull")},
    },
}
_SECRET_KEYS = frozenset({"api_key", "secret", "keys"})


def account_at(target: str, sandbox: SandboxServer, **more: Any) -> Account:  # noqa: ANN401 - account settings
    """An account of a sandbox as ``pipeline.toml`` would make it, with a rate that never waits."""
    return sealed_account(target, sandbox.base_urls()[target], **more)


def sealed_account(target: str, base_url: str, **more: Any) -> Account:  # noqa: ANN401 - account settings
    """An account as ``pipeline.toml`` would make it; keys are secrets, the settle time is the default one."""
    table = {**_TABLES[target], **more}
    sealed = {name: _sealed(value) if name in _SECRET_KEYS else value for name, value in table.items()}
    rate = {"burst": 1_000_000, "per_second": 1_000_000}
    return build_account(target, {"target": target, "base_url": base_url, "rate": rate, **sealed})


def _sealed(value: Any) -> Any:  # noqa: ANN401 - a text or a table of texts
    return {k: _sealed(v) for k, v in value.items()} if isinstance(value, Mapping) else Secret(value, "the proof")


def order(order_id: str, *, price: str = "12.50", fields: Mapping[str, Value] | None = None) -> Record:
    """An order of one line that every target takes."""
    known: dict[str, Value] = {
        "order_id": order_id, "ordered_at": datetime(2026, 1, 5, 8, 15, tzinfo=UTC),
        "email": f"{order_id}@example.com", "first_name": "Anna", "last_name": "Berg",
        "shipping_address1": "1 Main St", "shipping_city": "Boston", "shipping_state": "MA",
        "shipping_postal_code": "02110", "shipping_country": "US",
    }  # fmt: skip
    line: dict[str, Value] = {
        "sku": "WB-100", "product_name": "Mug", "quantity": Decimal(1), "unit_price": Decimal(price),
        "line_type": "product",
    }  # fmt: skip
    return Record("order", order_id, {**known, **(fields or {})}, (line,), (2,))
