"""What one simulated Order Desk store holds, and what it refuses to hold.

From the vendor's own documentation source (``sparkweb/slate``, 2018-04-30) and later readings. Where the
documents are silent the store takes the reading that is worst for a careless caller: a repeated order or SKU
is a second one, a replaced order keeps nothing that was left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

PAYMENT_STATUSES = (
    "Approved", "Authorized", "Captured", "Fully Refunded", "Partially Refunded", "Pending", "Rejected",
    "Voided",
)  # fmt: skip
ADDRESS_FIELDS = (
    "first_name", "last_name", "company", "address1", "address2", "city", "state", "postal_code", "country",
    "phone",
)  # fmt: skip
SHIPPING_FIELDS = (*ADDRESS_FIELDS, "address3", "address4")
ORDER_TEXTS = (
    "source_id", "source_name", "email", "shipping_method", "cc_number", "cc_exp", "processor_response",
    "payment_type", "payment_status", "customer_id", "ip_address", "fulfillment_name", "fulfillment_id",
    "date_added",
)  # fmt: skip
ORDER_NUMBERS = ("shipping_total", "handling_total", "tax_total", "refund_total")
RETURN_FIELDS = (
    "title", "name", "company", "address1", "address2", "city", "state", "postal_code", "country", "phone",
)  # fmt: skip
ITEM_TEXTS = ("name", "code", "delivery_type", "category_code")
STOCK_TEXTS = ("name", "code", "location", "update_source", "manufacturer_sku")
STOCK_NUMBERS = ("price", "cost", "weight", "stock")
SHIPMENT_TEXTS = (
    "tracking_number",
    "carrier_code",
    "shipment_method",
    "tracking_url",
    "shipment_date",
    "status",
)
MAP_LIMITS = {"checkout_data": 3500, "order_metadata": 2000}
NOTES_LIMIT = 2000
FOLDERS = {501: "New", 502: "Prepared", 503: "Closed"}


class NotTaken(Exception):
    """The store refuses; the message is what the vendor would say."""


class Store:
    """Orders, shipments and inventory items of one store, in the order of creation."""

    def __init__(self, now: Callable[[], datetime], *, keeps_items: bool = False) -> None:
        self._now = now
        self._keeps_items = keeps_items
        self.orders: dict[str, Json] = {}
        self.shipments: dict[str, Json] = {}
        self.inventory: dict[int, Json] = {}
        self.by_source_id: dict[str, list[str]] = {}
        self.by_code: dict[str, list[int]] = {}
        self._by_order: dict[str, list[Json]] = {}
        self._next = {"order": 100200300, "line": 880011, "shipment": 6601, "inventory": 77001}

    # --- orders -------------------------------------------------------------------------------------------

    def add_order(self, body: Any) -> Json:  # noqa: ANN401 - whatever JSON arrived
        """A new order, even when the same source id is there already."""
        order_id = self._number("order")
        order = self._order(order_id, body, {})
        order["source_id"] = order["source_id"] or order_id
        self.orders[order_id] = order
        self.by_source_id.setdefault(order["source_id"].casefold(), []).append(order_id)
        return order

    def replace_order(self, order_id: str, body: Any) -> Json:  # noqa: ANN401 - whatever JSON arrived
        """The whole order anew: what the call leaves out is blank afterwards."""
        before = self.order(order_id)
        after = self._order(order_id, body, before)
        if self._keeps_items:
            named = {line["id"] for line in after["order_items"]}
            after["order_items"] += [line for line in before["order_items"] if line["id"] not in named]
            after |= _totals(after)
        self.by_source_id[before["source_id"].casefold()].remove(order_id)
        self.by_source_id.setdefault(after["source_id"].casefold(), []).append(order_id)
        self.orders[order_id] = after
        return after

    def remove_order(self, order_id: str) -> None:
        """The order is gone, its shipments with it."""
        order = self.order(order_id)
        self.by_source_id[order["source_id"].casefold()].remove(order_id)
        for shipment in self._by_order.pop(order_id, []):
            del self.shipments[shipment["id"]]
        del self.orders[order_id]

    def remove_line(self, order_id: str, line_id: str) -> None:
        """The order item is gone, the sums with it."""
        order = self.order(order_id)
        kept = [line for line in order["order_items"] if line["id"] != line_id]
        if len(kept) == len(order["order_items"]):
            raise NotTaken("Order Item Not Found")
        order["order_items"] = kept
        order |= _totals(order)

    def order(self, order_id: str) -> Json:
        """The order of that internal id."""
        if order_id not in self.orders:
            raise NotTaken("Order Not Found")
        return self.orders[order_id]

    def _order(self, order_id: str, body: Any, before: Json) -> Json:  # noqa: ANN401 - whatever JSON arrived
        given = _object(body, "order")
        order: Json = {"id": order_id, **_texts(given, ORDER_TEXTS), **_numbers(given, ORDER_NUMBERS)}
        order["source_name"] = order["source_name"] or "Order Desk"
        order["payment_status"] = order["payment_status"] or "Captured"
        if order["payment_status"] not in PAYMENT_STATUSES:
            raise NotTaken(f"Invalid payment_status: {order['payment_status']}")
        order["shipping"], order["customer"] = _addresses(given)
        order["return_address"] = _texts(_object(given.get("return_address") or {}, "return_address"), RETURN_FIELDS)
        order["folder_id"] = given.get("folder_id") or before.get("folder_id") or next(iter(FOLDERS))
        order["order_items"] = [self._line(line) for line in _list(given, "order_items")]
        if not order["order_items"]:
            raise NotTaken("At least one order item is required")
        order["discount_list"] = [_discount(one) for one in _list(given, "discount_list")]
        order["order_notes"] = _notes(given)
        for name, limit in MAP_LIMITS.items():
            order[name] = _map(given, name, limit)
        order["date_added"] = _stamp(order["date_added"]) or self._stamp_now()
        order["date_updated"] = self._stamp_now()
        order["order_history"] = before.get("order_history", [])
        if order["cc_number"] and not (order["cc_number"].isdecimal() and len(order["cc_number"]) == 4):
            raise NotTaken("cc_number is the last four digits only")
        order |= _totals(order)
        return order | {"processor_balance": _number(given, "processor_balance") or order["order_total"]}

    def _line(self, given: Any) -> Json:  # noqa: ANN401 - whatever JSON arrived
        line = _object(given, "order item")
        quantity = line.get("quantity", 1)
        if isinstance(quantity, bool) or not isinstance(quantity, int):
            raise NotTaken("Order item quantity must be an integer")
        texts = _texts(line, ITEM_TEXTS)
        return {
            "id": str(line.get("id") or self._number("line")),
            **texts,
            "delivery_type": texts["delivery_type"] or "ship",
            "quantity": quantity,
            **_numbers(line, ("price", "weight")),
            "variation_list": _map(line, "variation_list"),
            "metadata": _map(line, "metadata"),
        }

    # --- shipments ----------------------------------------------------------------------------------------

    def add_shipment(self, order_id: str, body: Any) -> Json:  # noqa: ANN401 - whatever JSON arrived
        """A new shipment of an order; the same number of the same carrier again is not added."""
        self.order(order_id)
        given = _object(body, "shipment")
        shipment = {**_texts(given, SHIPMENT_TEXTS), **_optional_numbers(given, ("weight", "cost"))}
        if not shipment["tracking_number"]:
            raise NotTaken("tracking_number is required")
        same = ("tracking_number", "carrier_code")
        if any(all(one[name] == shipment[name] for name in same) for one in self.shipments_of(order_id)):
            raise NotTaken("Shipment Not Added")
        day = shipment.pop("shipment_date")[:10] or self._stamp_now()[:10]
        fresh = {"id": self._number("shipment"), "order_id": order_id, **shipment, "date_shipped": day}
        self.shipments[fresh["id"]] = fresh
        self._by_order.setdefault(order_id, []).append(fresh)
        return fresh

    def remove_shipment(self, shipment_id: str) -> None:
        """The shipment is gone."""
        shipment = self.shipments.pop(shipment_id)
        self._by_order[shipment["order_id"]].remove(shipment)

    def shipments_of(self, order_id: str) -> list[Json]:
        """The shipments of one order."""
        self.order(order_id)
        return list(self._by_order.get(order_id, ()))

    # --- inventory ----------------------------------------------------------------------------------------

    def add_inventory(self, body: Any) -> Json:  # noqa: ANN401 - whatever JSON arrived
        """A new inventory item, even when the code is there already."""
        stock_id = int(self._number("inventory"))
        return self._keep_stock(stock_id, _stock(body), self._stamp_now())

    def replace_inventory(self, stock_id: int, body: Any) -> Json:  # noqa: ANN401 - whatever JSON arrived
        """The whole item anew: what the call leaves out is blank afterwards."""
        before, after = self.stock(stock_id), _stock(body)
        self.by_code[before["code"]].remove(stock_id)
        return self._keep_stock(stock_id, after, before["date_added"])

    def remove_inventory(self, stock_id: int) -> None:
        """The inventory item is gone."""
        self.by_code[self.stock(stock_id)["code"]].remove(stock_id)
        del self.inventory[stock_id]

    def _keep_stock(self, stock_id: int, fresh: Json, added: str) -> Json:
        stamps = {"date_added": added, "date_updated": self._stamp_now()}
        self.inventory[stock_id] = {"id": stock_id, **fresh, **stamps}
        self.by_code.setdefault(fresh["code"], []).append(stock_id)
        return self.inventory[stock_id]

    def stock(self, stock_id: int) -> Json:
        """The inventory item of that id."""
        if stock_id not in self.inventory:
            raise NotTaken("Inventory Item Not Found")
        return self.inventory[stock_id]

    # --- small things -------------------------------------------------------------------------------------

    def _number(self, kind: str) -> str:
        self._next[kind] += 1
        return str(self._next[kind] - 1)

    def _stamp_now(self) -> str:
        return self._now().strftime("%Y-%m-%d %H:%M:%S")


def _stock(body: Any) -> Json:  # noqa: ANN401 - whatever JSON arrived
    given = _object(body, "inventory item")
    texts = _texts(given, STOCK_TEXTS)
    if not texts["name"] or not texts["code"]:
        raise NotTaken("name and code are required")
    maps = {name: _map(given, name) for name in ("variation_list", "metadata")}
    return {**texts, **_numbers(given, STOCK_NUMBERS), **maps}


def _addresses(given: Mapping[str, Any]) -> tuple[Json, Json]:
    shipping, customer = given.get("shipping"), given.get("customer")
    one = _texts(_object(shipping or customer or {}, "shipping"), SHIPPING_FIELDS)
    other = _texts(_object(customer or shipping or {}, "customer"), ADDRESS_FIELDS)
    if not any(part[name] for part in (one, other) for name in ("first_name", "last_name", "company")):
        raise NotTaken("A first name, last name or company is required")
    return one, other


def _totals(order: Mapping[str, Any]) -> Json:
    lines, discounts = order["order_items"], order["discount_list"]
    products = sum((_exact(line["price"]) * line["quantity"] for line in lines), Decimal(0))
    discount = sum((_exact(one["amount"]) for one in discounts), Decimal(0))
    added = sum((_exact(order[name]) for name in ("shipping_total", "handling_total", "tax_total")), Decimal(0))
    return {
        "quantity_total": sum(line["quantity"] for line in lines),
        "weight_total": float(sum((_exact(line["weight"]) * line["quantity"] for line in lines), Decimal(0))),
        "product_total": float(products),
        "discount_total": float(discount),
        "order_total": float(products + added - discount),
    }


def _exact(number: float) -> Decimal:
    return Decimal(str(number))


def _discount(given: Any) -> Json:  # noqa: ANN401 - whatever JSON arrived
    discount = _object(given, "discount")
    amount = _number(discount, "amount")
    if amount < 0:
        raise NotTaken("A discount amount is positive")
    return {**_texts(discount, ("name", "code")), "amount": amount}


def _notes(given: Mapping[str, Any]) -> list[Json]:
    notes = [_texts(_object(one, "note"), ("date_added", "username", "content")) for one in _list(given, "order_notes")]
    if sum(len(note["content"]) for note in notes) > NOTES_LIMIT:
        raise NotTaken("Order notes are too long")
    return notes


def _object(value: Any, what: str) -> Mapping[str, Any]:  # noqa: ANN401 - whatever JSON arrived
    if not isinstance(value, Mapping):
        raise NotTaken(f"Invalid {what}")
    return value


def _list(given: Mapping[str, Any], name: str) -> list[Any]:
    value = given.get(name) or []
    if not isinstance(value, list):
        raise NotTaken(f"{name} must be a list")
    return value


def _map(given: Mapping[str, Any], name: str, limit: int | None = None) -> Json:
    value = given.get(name) or {}
    if not isinstance(value, dict):
        raise NotTaken(f"{name} must be an object")
    if limit is not None and len(json.dumps(value, ensure_ascii=False)) > limit:
        raise NotTaken(f"{name} is too long")
    return value


def _texts(given: Mapping[str, Any], names: tuple[str, ...]) -> Json:
    texts = {name: "" if given.get(name) is None else given[name] for name in names}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise NotTaken(f"{name} must be text")
    return texts


def _numbers(given: Mapping[str, Any], names: tuple[str, ...]) -> Json:
    return {name: _number(given, name) for name in names}


def _optional_numbers(given: Mapping[str, Any], names: tuple[str, ...]) -> Json:
    """Shipments give an empty text back for a cost nobody named."""
    return {name: _number(given, name) if given.get(name) not in {None, ""} else "" for name in names}


def _number(given: Mapping[str, Any], name: str) -> int | float:
    value = given.get(name) or 0
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotTaken(f"{name} must be a number")
    return value


def _stamp(text: str) -> str:
    if text:
        try:
            datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - the vendor's stamps are UTC without saying so
        except ValueError:
            raise NotTaken("date_added must be YYYY-MM-DD HH:MM:SS") from None
    return text
