"""Order Desk's own lists, for `reconcile`: orders, shipments and stock items that were made or changed in some time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from pipeline.targets.contract import Answer, Later, Listed, ListRead, Paused, Request, Unclear
from pipeline.targets.orderdesk.answers import Kind, Redact, remote_id, rows, trouble

PAGE = 500
"""Rows asked for at a time: the documented most."""

MAX_PAGES = 400
DAY = timedelta(days=1)
Thing = Mapping[str, Any]

_ORDER_FACTS: Mapping[str, str] = {
    "email": "email", "customer_id": "customer_id", "shipping_method": "shipping_method", "order_total": "order_total",
}  # fmt: skip
_SHIPMENT_FACTS: Mapping[str, str] = {"carrier": "carrier_code", "shipping_method": "shipment_method"}
_STOCK_FACTS: Mapping[str, str] = {
    name: name for name in ("name", "price", "cost", "weight", "stock", "location", "manufacturer_sku")
}


class Lists(Struct, frozen=True):
    """The lists of one store; ``shops`` are the source names whose orders are ours (empty: every shop's)."""

    redact: Redact
    shops: Callable[[str], frozenset[str]]
    days_back: int

    def read(self, operation: str, since: datetime, until: datetime) -> ListRead | None:
        """A day more at both ends: whether these filters are in UTC or in the store's zone is told both ways.

        Shipments are read from ``days_back`` days before, because adding one need not change the time of its order.
        """
        match operation:
            case "order":
                return self._orders(since - DAY, until + DAY)
            case "shipment":
                return self._shipments(since - DAY * (1 + self.days_back), until + DAY)
            case "inventory_item":
                return self._stock(since - DAY, until + DAY)
        return None

    def _orders(self, since: datetime, until: datetime) -> ListRead:
        found = yield from self._changed_orders(since, until, "order")
        return found if isinstance(found, Unclear) else tuple(_order(one) for one in found)

    def _shipments(self, since: datetime, until: datetime) -> ListRead:
        found = yield from self._changed_orders(since, until, "shipment")
        if isinstance(found, Unclear):
            return found
        if not all(isinstance(one.get("order_shipments"), list) for one in found):
            return Unclear("Order Desk's list of orders does not show their shipments.")
        return tuple(_shipment(order, one) for order in found for one in order["order_shipments"])

    def _stock(self, since: datetime, until: datetime) -> ListRead:
        """There is no filter by time, so all are read; what tells its own time is then held to it."""
        found = yield from self._all("/inventory-items", (), "inventory_items")
        if isinstance(found, Unclear):
            return found
        return tuple(_stock_item(one) for one in found if _within(one, since, until))

    def _changed_orders(
        self, since: datetime, until: datetime, operation: str
    ) -> Generator[Request, Answer, list[Thing] | Unclear]:
        query = (
            ("modified_start_date", _stamp(since)),
            ("modified_end_date", _stamp(until)),
            ("order_by", "date_added"),
            ("order", "ASC"),
        )
        found = yield from self._all("/orders", query, "orders")
        shops = self.shops(operation)
        return (
            found
            if isinstance(found, Unclear) or not shops
            else [one for one in found if one.get("source_name") in shops]
        )

    def _all(
        self, path: str, query: tuple[tuple[str, str], ...], name: str
    ) -> Generator[Request, Answer, list[Thing] | Unclear]:
        """Every page to a short one; an order that moves while we read comes twice, and counts once."""
        found: dict[str, Thing] = {}
        for page in range(MAX_PAGES):
            more = (("limit", str(PAGE)), ("offset", str(page * PAGE)))
            answer = yield Request("GET", path, (*query, *more))
            bad = trouble(answer, self.redact, Kind.READ)
            if bad is not None:
                message = getattr(bad, "message", "Order Desk did not answer.")
                return Unclear(message, bad if isinstance(bad, Later | Paused) else None)
            seen = rows(answer, name)
            if seen is None:
                return Unclear(f"Order Desk's answer holds no list of {name}.")
            found.update({remote_id(one): one for one in seen})
            if len(seen) < PAGE:
                return list(found.values())
        return Unclear(f"Order Desk's list of {name} does not end after {MAX_PAGES} pages.")


def _order(order: Thing) -> Listed:
    facts = _facts(order, _ORDER_FACTS)
    added = str(order.get("date_added") or "")
    if added:
        facts["ordered_at"] = f"{added.replace(' ', 'T')}+00:00"
    return Listed("order", str(order.get("source_id") or ""), remote_id(order), facts)


def _shipment(order: Thing, shipment: Thing) -> Listed:
    """The key is made as record keys are: its parts joined by a slash, one within a part written ``\\/``."""
    parts = (str(order.get("source_id") or ""), str(shipment.get("tracking_number") or ""))
    key = "/".join(part.replace("\\", "\\\\").replace("/", "\\/") for part in parts)
    return Listed("shipment", key, remote_id(shipment), _facts(shipment, _SHIPMENT_FACTS))


def _stock_item(item: Thing) -> Listed:
    return Listed("inventory_item", str(item.get("code") or ""), remote_id(item), _facts(item, _STOCK_FACTS))


def _facts(thing: Thing, names: Mapping[str, str]) -> dict[str, str]:
    """What is told; a blank, or a null, tells nothing."""
    told = {ours: thing.get(theirs) for ours, theirs in names.items()}
    return {name: str(value) for name, value in told.items() if value not in (None, "")}


def _within(item: Thing, since: datetime, until: datetime) -> bool:
    """By the row's own stamp; one without a readable stamp counts."""
    try:
        changed = datetime.fromisoformat(str(item.get("date_updated") or item.get("date_added"))).replace(tzinfo=UTC)
    except ValueError:
        return True
    return since <= changed <= until


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
