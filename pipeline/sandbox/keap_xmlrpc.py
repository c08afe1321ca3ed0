"""The XML-RPC door of the simulated tenant: signatures matched like Java's, faults as recorded, the same truth behind.

Where the documents are silent it chooses: ``createBlankOrder`` puts its description where ``description_fills`` says,
the sixth and seventh argument of ``addOrderItem`` are description (shown as the item's name) and notes, and an
unlisted payment type is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.keap_orders import MANUAL_TYPES, OrderBook
from pipeline.sandbox.keap_rules import BadRequest, Json
from pipeline.sandbox.keap_tables import GROUP, ITEM_TYPES, SHIP_TO, Tables, contact_row, eastern, set_contact, stored
from pipeline.sandbox.keap_tenant import DUPLICATE_MARKS, Tenant
from pipeline.sandbox.keap_wire import WireFault, answer, fault, no_match, parse_call

PATH = "/crm/xmlrpc/v1"
_READS = frozenset(
    {"DataService.query", "DataService.load", "ContactService.findByEmail", "ContactService.load"}
    | {"InvoiceService.getPayments", "InvoiceService.getAllPaymentOptions"}
)
_METHOD = re.compile(rb"<methodName>([\w.]+)</methodName>")
XML = {"content-type": "text/xml;charset=UTF-8"}
Types = tuple[type, ...]


class XmlRpcDoor:
    """Answers XML-RPC calls with the tenant's contacts, products and orders."""

    def __init__(self, tenant: Tenant, book: OrderBook, description_fills: str = "JobTitle") -> None:
        self._tenant = tenant
        self._book = book
        self._tables = Tables(tenant, book)
        self._fills = description_fills
        self._methods = self._signatures()

    def handle(self, call: Call) -> Reply:
        """Match the call, do the work, answer with status 200 whatever comes of it."""
        if call.method != "POST":
            return Reply(405, "XML-RPC takes POST only")
        try:
            body = answer(self._dispatch(call))
        except WireFault as problem:
            body = fault(problem)
        except BadRequest as problem:
            code, name = (5, "RecordNotFound") if problem.status == 404 else (12, "InvalidParameter")
            body = fault(WireFault(code, f"[{name}]{problem.message}"))
        return Reply(200, body, XML)

    def writes(self, call: Call) -> bool:
        """Whether the method named in the body changes something."""
        found = _METHOD.search(call.body)
        return found is None or found.group(1).decode() not in _READS

    def _dispatch(self, call: Call) -> Any:  # noqa: ANN401 - what the method gives
        if not call.headers.get("content-type", "").startswith("text/xml"):
            raise WireFault(0, "Failed to parse XML-RPC request: content type is not text/xml")
        name, arguments = parse_call(call.body)
        if name not in self._methods:
            raise WireFault(0, f"No such handler: {name}")
        method, *signatures = self._methods[name]
        if tuple(type(argument) for argument in arguments) not in [(str, *types) for types in signatures]:
            raise no_match(arguments)
        return method(*arguments[1:])

    def _signatures(self) -> Mapping[str, tuple[Any, ...]]:
        query: Types = (str, int, int, dict, list)
        placed: Types = (int, int, int, list, list, bool, list, int, int)
        return {
            "ContactService.findByEmail": (self._find_by_email, (str, list)),
            "ContactService.addWithDupCheck": (self._add_contact, (dict, str)),
            "ContactService.update": (self._update_contact, (int, dict)),
            "DataService.query": (self._query, query, (*query, str, bool)),
            "DataService.load": (self._load, (str, int, list)),
            "DataService.add": (self._add, (str, dict)),
            "DataService.addCustomField": (self._add_field, (str, str, str, int)),
            "DataService.update": (self._update, (str, int, dict)),
            "InvoiceService.createBlankOrder": (self._blank_order, (int, str, datetime, int, int)),
            "InvoiceService.addOrderItem": (self._add_item, (int, int, int, float, int, str, str)),
            "InvoiceService.addManualPayment": (self._pay, (int, float, datetime, str, str, bool)),
            "InvoiceService.getPayments": (self._payments, (int,)),
            "InvoiceService.getAllPaymentOptions": (lambda: {name: name for name in MANUAL_TYPES}, ()),
            "OrderService.placeOrder": (self._place_order, placed),
        }

    # --- contacts ---

    def _find_by_email(self, email: str, fields: list[str]) -> list[Json]:
        self._tables.check("Contact", fields)
        rows = [contact_row(c) for c in self._tenant.contacts.values()]
        return [_picked(row, fields) for row in rows if str(row["Email"] or "").casefold() == email.casefold()]

    def _add_contact(self, values: Json, option: str) -> int:
        self._tables.check("Contact", values)
        if option not in DUPLICATE_MARKS:
            raise WireFault(12, f"[InvalidParameter]{option} is no duplicate check")
        wanted: Json = {}
        set_contact(wanted, values)
        known = self._tenant.same_contact(wanted, option)
        if known is None:
            contact, _ = self._tenant.upsert(wanted, "")
            return int(contact["id"])
        return self._update_contact(int(known["id"]), values)

    def _update_contact(self, contact_id: int, values: Json) -> int:
        self._tables.check("Contact", values)
        contact = self._tenant.contacts.get(str(contact_id))
        if contact is None:
            raise WireFault(5, f"[RecordNotFound]Contact {contact_id} not found")
        set_contact(contact, values)
        self._tenant.remember(contact)
        return contact_id

    # --- tables ---

    def _query(
        self, table: str, limit: int, page: int, where: Json, fields: list[str], order: str = "Id", *_more: bool
    ) -> list[Json]:
        self._tables.check(table, [*fields, order])
        if not 0 < limit <= 1000 or page < 0:
            raise WireFault(12, "[InvalidParameter]limit must be between 1 and 1000")
        rows = sorted(self._tables.found(table, where), key=lambda row: row[order])
        return [_picked(row, fields) for row in rows[page * limit : (page + 1) * limit]]

    def _load(self, table: str, row_id: int, fields: list[str]) -> Json:
        self._tables.check(table, fields)
        row = next((row for row in self._tables.rows(table) if row["Id"] == row_id), None)
        if row is None:
            raise WireFault(5, f"[RecordNotFound]{table} {row_id} not found")
        return _picked(row, fields)

    def _add(self, table: str, values: Json) -> int:
        if table != "Product":
            raise WireFault(7, f"[NoTableAccess]Access denied to table {table}")
        self._tables.check(table, values)
        if not isinstance(values.get("ProductPrice", 0.0), float):
            raise WireFault(12, "[InvalidParameter]ProductPrice is no double")
        name = values.get("ProductName", "")
        body = {"name": name, "sku": values.get("Sku", ""), "short_description": values.get("ShortDescription", name)}
        return int(self._tenant.add_product(body | {"price": round(values.get("ProductPrice", 0.0) * 100)})["id"])

    def _add_field(self, record: str, label: str, kind: str, group: int) -> int:
        if record != "Order":
            raise WireFault(12, f"[InvalidParameter]{record} is no record type that is simulated")
        if kind != "Text" or group != GROUP:
            raise WireFault(12, "[InvalidParameter]only texts in the one group of this tenant are simulated")
        return int(self._tenant.create_field({"label": label, "field_type": "TEXT"})["id"])

    def _update(self, table: str, row_id: int, values: Json) -> int:
        if table != "Job":
            raise WireFault(7, f"[NoTableAccess]Access denied to table {table}")
        if not values:
            raise WireFault(11, "[NoFields]no fields to update")
        self._tables.check(table, values)
        order = self._book.order(str(row_id))
        setters: Mapping[str, Callable[[Any], Json]] = {
            "JobTitle": lambda value: {"order_title": value},
            "JobNotes": lambda value: {"notes": value},
            "StartDate": lambda value: {"order_time": stored(value)},
            "ContactId": lambda value: {"contact_id": str(value)},
        }
        for name, value in values.items():
            if name in setters:
                order.update(setters[name](value))
            elif name in SHIP_TO:
                order.setdefault("shipping_address", {})[SHIP_TO[name]] = value
            else:
                self._tenant.set_value(order, name, value)
        self._book.touch(order)
        return row_id

    # --- orders ---

    def _blank_order(self, contact_id: int, description: str, date: datetime, _lead: int, _sale: int) -> int:
        texts = {"order_title": "", "notes": description} if self._fills == "JobNotes" else {"order_title": description}
        body = {"contact_id": str(contact_id), "order_time": stored(date), "order_type": "OFFLINE", **texts}
        return int(self._book.create(body)["invoice_id"])

    def _place_order(self, contact_id: int, card: int, _plan: int, products: list[int], *_more: Any) -> Json:  # noqa: ANN401
        if card:
            raise WireFault(12, "[InvalidParameter]this tenant has no cards to charge")
        items = [{"product_id": str(number), "quantity": 1} for number in products]
        body = {"contact_id": str(contact_id), "order_title": "Online Order", "order_type": "ONLINE"}
        made = self._book.create(body | {"order_time": self._book.now(), "order_items": items})
        texts = {"Successful": "false", "Message": "None", "RefNum": "None", "Code": ""}
        return {**texts, "OrderId": made["id"], "InvoiceId": made["invoice_id"]}

    def _add_item(
        self, invoice: int, product: int, kind: int, price: float, quantity: int, name: str, notes: str
    ) -> bool:
        if kind not in ITEM_TYPES:
            raise WireFault(12, f"[InvalidParameter]type {kind} is not simulated")
        item: Json = {"item_type": ITEM_TYPES[kind], "quantity": quantity, "price_per_unit": price, "name": name}
        if product:
            item["product_id"] = str(product)
        self._book.add_item(self._of_invoice(invoice)["id"], item | {"notes": notes})
        return True

    def _pay(self, invoice: int, amount: float, date: datetime, kind: str, note: str, bypass: bool) -> bool:
        body = {"payment_amount": amount, "payment_method_type": kind, "payment_time": stored(date), "notes": note}
        self._book.pay(self._of_invoice(invoice)["id"], body | {"apply_to_commissions": not bypass})
        return True

    def _payments(self, invoice: int) -> list[Json]:
        order = self._of_invoice(invoice)
        return [
            {
                "Id": int(payment["id"]),
                "PayDate": eastern(payment["pay_time"]),
                "PayAmt": float(payment["amount"]),
                "PayType": self._book.payments[payment["id"]]["payment_method_type"],
                "ContactId": int(order["contact_id"]),
                "PayNote": payment["note"],
                "InvoiceId": invoice,
            }
            for payment in self._book.payments_listed(order["id"])
        ]

    def _of_invoice(self, invoice: int) -> Json:
        for order in self._book.orders.values():
            if order["invoice_id"] == str(invoice):
                return order
        raise WireFault(5, f"[RecordNotFound]Invoice {invoice} not found")


def _picked(row: Json, fields: list[str]) -> Json:
    return {name: row[name] for name in fields if row.get(name) is not None}


def refused(message: str) -> Reply:
    """A refusal of a value."""
    return Reply(200, fault(WireFault(12, f"[InvalidParameter]{message}")), XML)
