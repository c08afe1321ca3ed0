"""One account of any target before its simulation, driven by the real ledger, drain and HTTP; the clock is a fake."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import jsonbox
from shelf import FakeClock

from pipeline.delivery.deliver import Drain, Drained
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger import sends
from pipeline.ledger.batches import Accepted
from pipeline.ledger.engine import open_engine
from pipeline.ledger.writer import GroupWriter
from pipeline.model import DeliverTo, Record, Value
from pipeline.sandbox.contract import SimulatedTarget
from pipeline.sandbox.influencersoft import SimulatedInfluencerSoft
from pipeline.sandbox.kapture import PAYMENT_PATH, SimulatedKapture
from pipeline.sandbox.keap import SimulatedKeap
from pipeline.sandbox.orderdesk import SimulatedOrderDesk
from pipeline.sandbox.server import SandboxServer
from pipeline.settings import Secret
from pipeline.targets.contract import Account
from pipeline.targets.http import HttpTransport
from pipeline.targets.registry import build_account

SECRET = "s3cret-Zq7w"
"""Stands in every secret of every account, so that one search finds any that got out."""

YESTERDAY = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
KAPTURE_KEYS = {call: f"{SECRET}-{call}" for call in ("push", "update", "payment", "search", "pull")}
Truth = Mapping[str, Any]


def secret(value: str = SECRET) -> Secret:
    return Secret(value, "the test")


def order(number: str, **more: Value) -> Record:
    """An order every target takes."""
    fields: dict[str, Value] = {
        "order_id": number, "ordered_at": YESTERDAY, "email": f"anna{number}@example.com",
        "first_name": "Anna", "last_name": "Berg", "full_name": "Anna Berg", "phone": "+4790000000",
        "shipping_address1": "1 Main St", "shipping_city": "Boston", "shipping_state": "MA",
        "shipping_postal_code": "02110", "shipping_country": "US", "status": "shipped",
        "order_total": Decimal("19.95"), "amount_paid": Decimal("19.95"), "payment_method": "Visa",
        "paid_at": YESTERDAY, "payment_reference": f"PAY-{number}",
    }  # fmt: skip
    line = {
        "sku": "WB-100", "product_name": "Widget, blue", "quantity": Decimal(1), "unit_price": Decimal("19.95"),
        "line_type": "product",
    }  # fmt: skip
    return Record("order", number, fields | more, (line,), (2,))


def stock(number: str) -> Record:
    fields = {"sku": f"SKU-{number}", "name": "Mug", "stock": Decimal(7), "price": Decimal("12.50")}
    return Record("inventory_item", f"SKU-{number}", fields, rows=(2,))


def shipment(number: str) -> Record:
    fields = {"order_id": number, "tracking_number": f"NO{number}", "carrier": "Bring"}
    return Record("shipment", f"{number}|NO{number}", fields, rows=(2,))


def payment(number: str, **more: Value) -> Record:
    fields: dict[str, Value] = {
        "order_id": number, "amount": Decimal("19.95"), "payment_method": "Visa", "payment_reference": f"PAY-{number}",
        "paid_at": YESTERDAY,
    }  # fmt: skip
    return Record("payment", f"{number}|PAY-{number}", fields | more, rows=(2,))


def customer(number: str) -> Record:
    email = f"anna{number}@example.com"
    return Record("customer", email, {"email": email, "first_name": "Anna", "last_name": "Berg"}, rows=(2,))


def _kapture_id(truth: Truth, number: str) -> str:
    return str(next(one for one in truth["orders"] if one["erp_order_id"] == number)["order_id"])


@dataclass(frozen=True)
class Way:
    """One operation under test: which record goes, and which has to be there first."""

    record: Callable[[str, Truth], Record]
    options: Mapping[str, Any] = field(default_factory=dict)
    first: str = ""
    base: Callable[[str], Record] = order


@dataclass(frozen=True)
class Stand:
    """One target under test: its simulation, the account in front of it, and a way for each operation."""

    simulated: Callable[[], SimulatedTarget]
    table: Callable[[], Mapping[str, Any]]
    ways: Mapping[str, Way]

    def secrets(self) -> set[str]:
        """Every secret of the account."""
        table = self.table()
        held = [*table.values(), *table.get("keys", {}).values()]
        return {one.reveal() for one in held if isinstance(one, Secret)}


_PUSH = Way(lambda number, _: order(number))
_UPDATE = Way(
    lambda number, truth: order(number, extra={"kapture_order_id": _kapture_id(truth, number)}), first="push_order"
)
_KAPTURE_WAYS = {
    "push_order": _PUSH,
    "update_order": _UPDATE,
    "payment": Way(lambda number, truth: payment(_kapture_id(truth, number)), {"order_id": "kapture"}, "push_order"),
}

_KEAP = {"api_key": secret(), "custom_fields": {"order_id": "_ExternalOrderId", "status": "_FulfillmentStatus"}}


def _keap_ways(**options: Any) -> Mapping[str, Way]:
    return {
        "place_order": Way(lambda number, _: order(number), {"create_products": True, **options}),
        "customer": Way(lambda number, _: customer(number)),
        "payment": Way(
            lambda number, _: payment(number), first="place_order", base=lambda n: order(n, amount_paid=None)
        ),
    }


STANDS: Mapping[str, Stand] = {
    "orderdesk": Stand(
        lambda: SimulatedOrderDesk(api_key=SECRET),
        lambda: {"store_id": "90001", "api_key": secret()},
        {
            "inventory_item": Way(lambda number, _: stock(number)),
            "order": Way(lambda number, _: order(number)),
            "shipment": Way(lambda number, _: shipment(number), first="order"),
        },
    ),
    "keap": Stand(lambda: SimulatedKeap([SECRET]), lambda: _KEAP, _keap_ways()),
    "keap xmlrpc": Stand(lambda: SimulatedKeap([SECRET]), lambda: {**_KEAP, "api": "xmlrpc"}, _keap_ways()),
    "keap xmlrpc at catalogue prices": Stand(
        lambda: SimulatedKeap([SECRET]), lambda: {**_KEAP, "api": "xmlrpc"}, _keap_ways(style="place_order")
    ),
    "keap rest-v1": Stand(
        lambda: SimulatedKeap([SECRET]),
        lambda: {"api": "rest-v1", "api_key": secret()},
        {name: way for name, way in _keap_ways().items() if name != "payment"},
    ),
    "influencersoft": Stand(
        lambda: SimulatedInfluencerSoft(key=SECRET, secret=SECRET),
        lambda: {"login": "demo-shop", "api_key": secret(), "secret": secret()},
        {"create_order": Way(lambda number, _: order(number))},
    ),
    "influencersoft without look-up": Stand(
        lambda: SimulatedInfluencerSoft(key=SECRET),
        lambda: {"login": "demo-shop", "api_key": secret()},
        {"create_order": Way(lambda number, _: order(number))},
    ),
    "kapture": Stand(
        lambda: SimulatedKapture(KAPTURE_KEYS, pull_shows_erp_id=True),
        lambda: {
            "keys": {call: secret(key) for call, key in KAPTURE_KEYS.items()}, "payment_path": PAYMENT_PATH,
            "pull_proves_absence": True, "list_days_back": 1,
        },
        _KAPTURE_WAYS,
    ),
    "kapture without look-up": Stand(
        lambda: SimulatedKapture(KAPTURE_KEYS),
        lambda: {
            "keys": {call: secret(KAPTURE_KEYS[call]) for call in ("push", "update", "payment")},
            "payment_path": PAYMENT_PATH,
        },
        _KAPTURE_WAYS,
    ),
    "jsonbox": Stand(
        lambda: jsonbox.SimulatedJsonBox(SECRET),
        lambda: {"api_key": secret()},
        {"put": Way(lambda number, _: order(number))},
    ),
}  # fmt: skip
"""By target, with a further word where one target is tried in two ways of being set up."""


class Depot:
    """A simulated target, an account for it, and a ledger. Used with ``with``."""

    def __init__(self, folder: Path, stand: str, **settings: Any) -> None:
        self.stand = STANDS[stand]
        self.simulated = self.stand.simulated()
        self.sandbox = SandboxServer([self.simulated])
        base_url = self.sandbox.base_urls()[self.simulated.name]
        table = {"target": self.simulated.name, "base_url": base_url, **self.stand.table(), "settle_seconds": 5.0}
        if self.simulated.name != "jsonbox":
            table["rate"] = {"burst": 1000, "per_second": 1000}
        self.account: Account = build_account("acc", table | settings)
        self.clock = FakeClock(time.time())
        self.clock.on_wait = self._weather_passes
        self.url = f"sqlite:///{folder / 'ledger.db'}"
        self.engine = open_engine(self.url)
        self.writer = GroupWriter(self.engine)
        self._files = 0

    def __enter__(self) -> Self:
        self.sandbox.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()
        self.engine.dispose()
        self.sandbox.stop()
        assert self.sandbox.log.mistakes == []

    def _weather_passes(self) -> None:
        self.sandbox.finish_late()

    def prepare(self, operation: str, number: str) -> Record:
        """The record of an operation, with what it builds on already at the target."""
        way = self.stand.ways[operation]
        if way.first:
            self.deliver(way.first, way.base(number))
        return way.record(number, self.simulated.truth())

    def take_in(self, operation: str, *records: Record) -> None:
        self._files += 1
        values = {
            "link": f"b{self._files}", "file_name": "f.csv", "sha256": "0" * 64, "size": 1,
            "received_at": self.clock.now(), "path": "var/work/x",
        }  # fmt: skip
        batch = self.writer.write(lambda c: files.begin(c, values))
        accepted = Accepted(
            feed="f", mapping_fingerprint="m", found={}, header=[],
            deliver=[DeliverTo("acc", operation, self.stand.ways[operation].options)],
            on_change="update", records=list(records), rejections=[],
            read=len(records), accepted=len(records), rejected=0, skipped=0,
        )  # fmt: skip
        self.writer.write(lambda c: files.accept(c, batch, accepted, self.clock.now()))

    def drain(self, *, patience: float = 60) -> Drained:
        self.writer.write(lambda c: book.recover(c, self.clock.now()))
        with HttpTransport(self.account.base_url, self.account.timeout, 1) as transport:
            return Drain(
                self.account, transport, self.engine, self.writer, self.clock, patience=patience, stop=threading.Event()
            ).run()

    def deliver(self, operation: str, *records: Record, patience: float = 60) -> list[book.Delivery]:
        """Take in, drain, and the deliveries of these records."""
        self.take_in(operation, *records)
        self.drain(patience=patience)
        return self.deliveries()[-len(records) :]

    def deliveries(self) -> list[book.Delivery]:
        states = ("waiting", "in_doubt", "delivered", "already_there", "unchanged", "refused")
        with self.engine.connect() as connection:
            return sorted(book.in_states(connection, *states), key=lambda one: one.id)

    def ends(self, delivery: book.Delivery) -> list[str]:
        """How the first send of the first step that was not simply done ended, and the sends after it."""
        sent = [outcomes for outcomes in self.attempts(delivery).values() if outcomes]
        return next(outcomes for outcomes in sent if not {"done", "already_there"}.issuperset(outcomes))

    def attempts(self, delivery: book.Delivery) -> dict[str, list[str]]:
        """How each send of each step ended, oldest first."""
        with self.engine.connect() as connection:
            steps = sends.steps_of(connection, delivery.id).values()
            return {one.name: [str(a["outcome"]) for a in sends.attempts_of(connection, one.id)] for one in steps}

    def writes(self) -> Sequence[str]:
        """The calls that arrived and would change something."""
        return [f"{call.method} {call.path}" for call in self.sandbox.calls if self._writes(call)]

    def _writes(self, call: Any) -> bool:
        from pipeline.sandbox.contract import Call

        return self.simulated.writes(Call(call.method, call.path, call.query, call.headers, call.body.encode()))

    def counted(self) -> dict[str, int]:
        """How many of each kind exist, by the simulation's own truth."""
        return {kind: len(things) for kind, things in self.simulated.truth().items()}
