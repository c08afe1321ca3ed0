"""The orders and payments of one simulated Keap tenant.

Where the documents are silent it chooses: a discount lowers the total whatever its sign, a PATCH replaces the
custom fields of an order as a whole (the stricter reading), the list of payments is in major units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipeline.sandbox.keap_rules import ITEM_MASK, ORDER_MASK, BadRequest, Filters, Index, Json, moment
from pipeline.sandbox.keap_tenant import Tenant, primary_email

MANUAL_TYPES = ("Credit Card (Manual)", "Check", "Cash", "Money Order", "Adjustment")
_PLAIN = ("id", "invoice_id", "order_type", "order_time", "notes")
_TIMED = ("created_since_time", "created_until_time", "modified_since_time", "modified_until_time")
_EXACT = frozenset({"id", "contact_id", "order_type"})


class OrderBook:
    """Orders and payments by id, in the order of creation; ``now`` is the time Keap notes."""

    def __init__(self, tenant: Tenant, now: Callable[[], datetime]) -> None:
        self._tenant = tenant
        self._clock = now
        self.orders: dict[str, Json] = {}
        self.payments: dict[str, Json] = {}
        self._items = 9000
        self._index = Index()
        self._of_order: dict[str, list[Json]] = {}

    def create(self, body: Json) -> Json:
        """A new order; two calls make two orders, as at Keap."""
        if body["contact_id"] not in self._tenant.contacts:
            raise BadRequest("contact_id is invalid")
        for item in body.get("order_items", ()):
            self._check_item(item)
        self._tenant.check_values(body)
        number, now = len(self.orders), self.now()
        order = {
            "id": str(5310 + number),
            "invoice_id": str(5298 + number),
            "creation_time": now,
            "modification_time": now,
            **body,
            "order_items": [self._new_item(item) for item in body.get("order_items", ())],
        }
        self.orders[order["id"]] = order
        self._remember(order)
        return self.view(order)

    def change(self, order_id: str, body: Json, mask: list[str]) -> Json:
        """A PATCH; without a mask every property that was sent counts."""
        for name in mask:
            if name not in ORDER_MASK:
                raise BadRequest(f"update_mask is invalid: {name}")
        if body.get("contact_id", "1042") not in self._tenant.contacts and "contact_id" in body:
            raise BadRequest("contact_id is invalid")
        self._tenant.check_values(body)
        order = self.order(order_id)
        order.update({name: value for name, value in body.items() if not mask or name in mask})
        self.touch(order)
        return self.view(order)

    def touch(self, order: Json) -> None:
        """Note that an order was changed, and make it findable by what it holds now."""
        order["modification_time"] = self.now()
        self._remember(order)

    def add_item(self, order_id: str, item: Json) -> Json:
        """One more item; a second call adds a second one."""
        order = self.order(order_id)
        self._check_item(item)
        order["order_items"].append(self._new_item(item))
        self.touch(order)
        return self._item_view(order["order_items"][-1])

    def change_item(self, order_id: str, item_id: str, body: Json, mask: list[str]) -> Json:
        """A PATCH of one item; its type stays."""
        for name in mask:
            if name not in ITEM_MASK:
                raise BadRequest(f"update_mask is invalid: {name}")
        order = self.order(order_id)
        item = next((item for item in order["order_items"] if item["id"] == item_id), None)
        if item is None:
            raise BadRequest("Order item not found", 404)
        self._check_item(item | body)
        item.update({name: value for name, value in body.items() if not mask or name in mask})
        self.touch(order)
        return self._item_view(item)

    def remove_item(self, order_id: str, item_id: str) -> None:
        """The item is gone, its price with it."""
        order = self.order(order_id)
        kept = [item for item in order["order_items"] if item["id"] != item_id]
        if len(kept) == len(order["order_items"]):
            raise BadRequest("Order item not found", 404)
        order["order_items"] = kept
        self.touch(order)

    def _new_item(self, item: Json) -> Json:
        self._items += 1
        return {"id": str(self._items), **item}

    def order(self, order_id: str) -> Json:
        """The stored order; 404 when there is none."""
        if order_id not in self.orders:
            raise BadRequest("Order not found", 404)
        return self.orders[order_id]

    def view(self, order: Json) -> Json:
        """The order as it is answered: amounts in minor units."""
        contact, items = self._tenant.contacts[order["contact_id"]], order.get("order_items", ())
        total, paid = self.total(order), self.paid(order)
        return {
            **{name: order[name] for name in _PLAIN if name in order},
            "title": order["order_title"],
            "status": "PAID" if paid >= total > 0 else "DRAFT",
            "source_type": "API",
            "creation_time": order["creation_time"],
            "modification_time": order["modification_time"],
            "contact": {"id": contact["id"], "email": primary_email(contact)},
            "total": self._tenant.money(total),
            "total_paid": self._tenant.money(paid),
            "order_items": [self._item_view(item) for item in items],
            "custom_fields": order.get("custom_fields", []),
        }

    def listed(self, filter_text: str) -> list[Json]:
        """The orders a filter lets through, as they are answered."""
        parts = filter_text.split(";") if filter_text else []
        timed = [part for part in parts if part.partition("==")[0] in _TIMED]
        found = list(self._narrowed(filter_text))
        for part in timed:
            moment(part.partition("==")[2], part.partition("==")[0])
            found = [order for order in found if _in_time(order, *part.split("==", 1))]
        rest = ";".join(part for part in parts if part not in timed)
        return [self.view(order) for order in self._filters().picked(rest, found)]

    def _narrowed(self, filter_text: str) -> Iterable[Json]:
        names = ["contact_id", *(field["field_name"] for field in self._tenant.fields.values())]
        named = next((name for name in names if f"{name}==".casefold() in filter_text.casefold()), "")
        return self._index.narrowed(filter_text, named, self.orders) if named else self.orders.values()

    def _remember(self, order: Json) -> None:
        self._index.put("contact_id", order["contact_id"], order)
        for name, value in self._tenant.values_by_name(order).items():
            self._index.put(name, value, order)

    def pay(self, order_id: str, body: Json) -> Json:
        """A manual payment; nothing is ever charged here."""
        order = self.order(order_id)
        if "payment_method_id" in body:
            raise BadRequest("payment_method_id is invalid: this tenant has no cards to charge")
        if body.get("payment_method_type") not in MANUAL_TYPES:
            raise BadRequest("payment_method_type is invalid")
        amount = Decimal(str(body["payment_amount"]))
        if not 0 < amount <= self.total(order) - self.paid(order):
            raise BadRequest("payment_amount must not exceed the current balance of the order")
        payment = {
            "id": str(77 + len(self.payments)),
            "order_id": order_id,
            "invoice_id": order["invoice_id"],
        }
        self.payments[payment["id"]] = {**payment, "creation_time": self.now(), **body}
        self._of_order.setdefault(order_id, []).append(self.payments[payment["id"]])
        return {
            "id": payment["id"],
            "invoice_id": order["invoice_id"],
            "payment_amount": body["payment_amount"],
            "payment_status_message": "APPROVED",
            "transaction_id": "0",
        }

    def payments_listed(self, order_id: str) -> list[Json]:
        """The payments of an order; of what we sent, the list shows amount, time and note only."""
        self.order(order_id)
        return [
            {
                "id": payment["id"],
                "payment_id": payment["id"],
                "invoice_id": payment["invoice_id"],
                "amount": payment["payment_amount"],
                "note": payment.get("notes", ""),
                "pay_time": payment.get("payment_time", payment["creation_time"]),
                "pay_status": "MANUAL_PAID",
            }
            for payment in self._of_order.get(order_id, ())
        ]

    def truth(self, order: Json) -> Json:
        """The order with the sender's own id, lines with SKUs, exact total and payments."""
        custom = self._tenant.values_by_name(order)
        return {
            **{name: value for name, value in order.items() if name not in {"custom_fields", "order_items"}},
            "external_id": custom.get("_ExternalOrderId", order["order_title"]),
            "custom_fields": custom,
            "lines": [self._true_line(item) for item in order.get("order_items", ())],
            "total": str(self.total(order)),
            "payments": self._of_order.get(order["id"], []),
        }

    def total(self, order: Json) -> Decimal:
        """The sum of the lines in major units."""
        items = order.get("order_items", ())
        amounts = [(item.get("item_type", ""), self.price(item) * item["quantity"]) for item in items]
        return sum((-abs(a) if kind.startswith("DISCOUNT") else a for kind, a in amounts), Decimal(0))

    def _filters(self) -> Filters:
        known: dict[str, Callable[[Json], Any]] = {
            "id": lambda o: o["id"],
            "contact_id": lambda o: o["contact_id"],
            "title": lambda o: o["order_title"],
            "order_type": lambda o: o["order_type"],
        }
        for field in self._tenant.fields.values():
            name: str = field["field_name"]
            known.setdefault(name.casefold(), self._reads(name))
        return Filters(known, frozenset(known) - _EXACT)

    def _reads(self, name: str) -> Callable[[Json], Any]:
        return lambda order: self._tenant.values_by_name(order).get(name)

    def _check_item(self, item: Json) -> None:
        kind = item.get("item_type", "PRODUCT")
        if kind in {"PRODUCT", "SUBSCRIPTION"} and item.get("product_id") not in self._tenant.products:
            raise BadRequest("product_id is invalid")
        if kind == "SUBSCRIPTION" and "subscription_plan_id" not in item:
            raise BadRequest("subscription_plan_id is required")

    def _item_view(self, item: Json) -> Json:
        view = {
            "id": item["id"],
            "item_type": item.get("item_type", "PRODUCT"),
            "quantity": item["quantity"],
        }
        if product := self._tenant.products.get(item.get("product_id", "")):
            view["product"] = {"id": product["id"], "sku": product.get("sku", ""), "name": product["name"]}
        return {**view, "price_per_unit": self._tenant.money(self.price(item))}

    def _true_line(self, item: Json) -> Json:
        product = self._tenant.products.get(item.get("product_id", ""), {})
        return {**item, "sku": product.get("sku", ""), "price_per_unit": str(self.price(item))}

    def price(self, item: Json) -> Decimal:
        """The item's own price, else its product's, in major units."""
        if "price_per_unit" in item:
            return Decimal(str(item["price_per_unit"]))
        product = self._tenant.products.get(item.get("product_id", ""))
        return Decimal(product["price"]) / 100 if product else Decimal(0)

    def paid(self, order: Json) -> Decimal:
        """What was paid, in major units."""
        ours = self._of_order.get(order["id"], ())
        return sum((Decimal(str(payment["payment_amount"])) for payment in ours), Decimal(0))

    def now(self) -> str:
        """The time as Keap notes it."""
        return self._clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _in_time(order: Json, name: str, text: str) -> bool:
    """Whether an order's time of creation or change lies on the right side of a filter's; both ends count."""
    then = _time(order["creation_time" if name.startswith("created") else "modification_time"])
    return then >= _time(text) if "since" in name else then <= _time(text)
