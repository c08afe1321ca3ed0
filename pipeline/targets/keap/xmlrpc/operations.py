"""The plans over XML-RPC, in both styles of the vendor's advice: our own lines, or the catalogue's."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipeline.errors import SetupError, nearest
from pipeline.model import Record
from pipeline.targets.contract import Operation, Plan, PlanRefused, Prior, Refused, Result, Step
from pipeline.targets.keap.changes import LineChanges, line_changes, unsendable
from pipeline.targets.keap.clearing import CLEARED_BY_ORDER, NO_NAMES, PERSON, cleared_since
from pipeline.targets.keap.lines import Item, clean, items_of, number, shown, skus
from pipeline.targets.keap.named import Named, unknown_products
from pipeline.targets.keap.operations import (
    ALREADY_THERE,
    OPERATIONS,
    Part,
    amount_problems,
    lacks_order_field,
    model_part,
    unless,
)
from pipeline.targets.keap.options import ContactOptions, PaymentOptions, XmlOrderOptions, read_options
from pipeline.targets.keap.people import Json
from pipeline.targets.keap.xmlrpc.lookups import JobSought, may_query
from pipeline.targets.keap.xmlrpc.problems import USE_ITEMIZED, person_problems, place_problems
from pipeline.targets.keap.xmlrpc.steps import Steps
from pipeline.targets.keap.xmlrpc.values import contact_blanks, contact_values, job_blanks, job_values, marked_items
from pipeline.targets.keap.xmlrpc.wire import Id, eastern


def build_operation(name: str, options: Mapping[str, Any], steps: Steps, account: str) -> Operation:
    """One operation with its options bound; ``SetupError`` for an unknown name or option."""
    where = f"deliver options of {name} ({account})"
    match name:
        case "place_order":
            return PlaceOrder(steps, read_options(XmlOrderOptions, options, where)).operation()
        case "customer":
            return Customer(steps, read_options(ContactOptions, options, where)).operation()
        case "payment":
            return Payment(steps, read_options(PaymentOptions, options, where)).operation(account)
    raise SetupError(
        f"Account {account}: Keap has no operation '{name}'.{nearest(name, OPERATIONS)} Known: {', '.join(OPERATIONS)}."
    )


def contact_part(steps: Steps, record: Record, options: ContactOptions, cleared: Collection[str] = NO_NAMES) -> Part:
    """The contact, found, changed or added, the ``cleared`` fields emptied; ``id`` of the contact."""
    known = yield steps.known_contact(record, options)
    if known.get("use"):
        return {"id": known["use"]}
    blanks = contact_blanks(record, cleared)
    contact = yield steps.contact(record, str(known.get("id", "")), options, blanks)
    return {"id": contact.get("id", "")}


def sought_order(record: Record, contact_id: str, fields: Result) -> JobSought:
    """What tells this order from others at Keap."""
    moment = record.time("ordered_at")
    return JobSought(
        order_id=clean(record.text("order_id")),
        contact_id=contact_id,
        start=eastern(moment) if moment else None,
        field=fields.get("order_id", {}).get("field_name", ""),
    )


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """``place_order``: contact, products, order, its details and lines, payment."""

    steps: Steps
    options: XmlOrderOptions

    def operation(self) -> Operation:
        """The operation as the registry hands it out."""
        return Operation(
            "place_order",
            frozenset({"order"}),
            self.plan,
            self.problems,
            can_update=True,
            clears=lambda name: name in CLEARED_BY_ORDER or name in self.steps.custom_fields,
            named_products=self._named_products,
        )

    def _named_products(self, named: Named) -> Plan:
        """Products that are made where they lack need not be there."""
        wanted = [] if self.options.create_products else named.get("sku", ())
        return unknown_products(wanted, self.steps.named_product)

    def problems(self, record: Record) -> list[Refused]:
        """Everything that stands against the order."""
        return place_problems(record, self.options)

    def plan(self, record: Record, prior: Prior | None) -> Plan:
        """A new order, or the change of one that was delivered before."""
        return self._update(record, prior) if prior else self._place(record)

    def _place(self, record: Record) -> Plan:
        order = yield from self._order(record, look_first=self.steps.looks_first)
        paid = number(record.fields.get("amount_paid"))
        return (yield from self._pay(record, unless("found", order), paid, look_first="found" in order))

    def _order(self, record: Record, *, look_first: bool) -> Part:
        # Reads come first: an order that Keap lacks a product or payment type for leaves nothing behind.
        fields = yield from model_part(self.steps)
        products = yield from self._products(record)
        if self.options.send_payment and number(record.fields.get("amount_paid")) > 0:
            yield self.steps.payment_types(record, self.options.payment)
        contact_id = (yield from contact_part(self.steps, record, self.options)).get("id", "")
        sought = sought_order(record, contact_id, fields)
        order = yield from self._head(record, sought, products, look_first=look_first)
        job_id = order.get("job_id") or (yield self.steps.job(order["id"]))["id"]
        marks = {name: True for name in ("found", ALREADY_THERE) if order.get(name)}
        result = {"id": job_id, "invoice_id": order["id"], "contact_id": contact_id} | marks
        return (yield from self._fill(record, result, fields, products))

    def _head(self, record: Record, sought: JobSought, products: Json, *, look_first: bool) -> Part:
        if self.options.style == "itemized":
            return (yield self.steps.blank_order(record, sought, look_first=look_first))
        ids = [products[item.sku]["id"] for item in items_of(record) for _ in range(item.quantity)]
        found = False
        if look_first and sought.field and may_query(sought.order_id):
            found = bool((yield self.steps.existing(sought)).get("found"))
        return (yield self.steps.placed_order(sought, ids, found=found))

    def _fill(self, record: Record, result: Json, fields: Result, products: Json) -> Part:
        """Details and lines; an order that was there with lines of others is left as it is."""
        if result.get(ALREADY_THERE):
            itemized = self.options.style == "itemized"
            lines = yield self.steps.lines(result["id"], clean(record.text("order_id")))
            if lines.get("foreign") or not itemized:
                return result
        yield self.steps.details(result["id"], job_values(record, fields))
        if self.options.style == "itemized":
            marked = list(marked_items(record))
            return (yield from self._items(result, marked, products, look_first="found" in result))
        return result

    def _items(self, result: Json, marked: Collection[tuple[str, Item]], products: Json, *, look_first: bool) -> Part:
        for mark, item in marked:
            product = products[item.sku]["id"] if item.sku else "0"
            ids = (result["invoice_id"], result["id"], product)
            added = yield self.steps.item(ids, item, mark, self.options, look_first=look_first)
            result = result if added.get(ALREADY_THERE) else unless(ALREADY_THERE, result)
        return result

    def _products(self, record: Record, wanted: Collection[str] | None = None) -> Generator[Step, Result, Json]:
        products: Json = {}
        for sku in skus(record):
            if wanted is None or sku in wanted:
                known = self.steps.read.catalogue.get(sku)
                create = self.options.create_products
                products[sku] = known or (yield self.steps.product(record, sku, create=create))
                self._prove_price(record, sku, str(products[sku].get("price", "")))
        return products

    def _prove_price(self, record: Record, sku: str, price: str) -> None:
        if self.options.style == "itemized" or self.options.catalogue_prices == "accept" or not price:
            return
        for item in items_of(record):
            if item.sku == sku and item.price != Decimal(price):
                raise PlanRefused(_other_price(item, price))

    def _pay(self, record: Record, result: Json, amount: Decimal, *, look_first: bool) -> Part:
        if amount <= 0 or not self.options.send_payment:
            return result
        invoice, options = result["invoice_id"], self.options.payment
        payment = yield self.steps.payment(record, invoice, amount, options, look_first=look_first)
        done = result if payment.get(ALREADY_THERE) else unless(ALREADY_THERE, result)
        return done | {"payment_id": payment.get("id", "")}

    def _update(self, fresh: Record, prior: Prior) -> Plan:
        record = fresh.over(prior.record)
        known = unless(ALREADY_THERE, prior.result)
        if not known.get("id"):  # a person said "delivered" and nobody noted the id: search before all else
            known = unless(ALREADY_THERE, (yield from self._order(record, look_first=True)))
        lines = line_changes(record, prior.record)
        refusal = self._unsendable(record, prior.record, lines)
        invoice = yield self.steps.invoice(known["id"], refusal)
        # What can refuse comes before the first write.
        products = yield from self._products(record, {item.sku for item, _ in lines.added})
        known = dict((yield from self._details(record, prior.record, known | {"invoice_id": invoice["id"]})))
        added = _added_marks(record, prior.record)
        known = dict((yield from self._items(known, added, products, look_first=True)))
        more = number(record.fields.get("amount_paid")) - number(prior.record.fields.get("amount_paid"))
        return (yield from self._pay(record, unless("found", known), more, look_first=True))

    def _unsendable(self, record: Record, before: Record, lines: LineChanges) -> Refused | None:
        """Changed lines too are left to a person: the totals of an invoice are not kept in the table of its lines."""
        added = lines.added if self.options.style == "place_order" else ()
        gone = [*lines.removed, *(old for old, _ in lines.changed), *(item for item, _ in added)]
        return unsendable(record, before, gone, send_payment=self.options.send_payment)

    def _details(self, record: Record, before: Record, known: Json) -> Part:
        fields = yield from model_part(self.steps)
        was = job_values(before, fields)
        cleared = cleared_since(record, before)
        change = job_blanks(cleared, fields)
        change |= {name: value for name, value in job_values(record, fields).items() if was.get(name) != value}
        if cleared & PERSON or contact_values(record) != contact_values(before):
            contact = yield from contact_part(self.steps, record, self.options, cleared)
            if contact["id"] != known.get("contact_id"):
                change["ContactId"] = Id(contact["id"])
            known = known | {"contact_id": contact["id"]}
        if change:
            yield self.steps.details(known["id"], change)
        return known


def _added_marks(record: Record, before: Record) -> list[tuple[str, Item]]:
    """The marked lines that are new; equal lines have their number in the mark."""
    known = {mark for mark, _ in marked_items(before)}
    return [(mark, item) for mark, item in marked_items(record) if mark not in known]


def _other_price(item: Item, price: str) -> Refused:
    return Refused(
        "keap_catalogue_price",
        f"The order has {shown(item)} but Keap's catalogue says {price}; placeOrder takes the catalogue's price.",
        f"{USE_ITEMIZED} Or set catalogue_prices: accept.",
        "unit_price",
    )


@dataclass(frozen=True, slots=True)
class Customer:
    """``customer``: the contact alone."""

    steps: Steps
    options: ContactOptions

    def operation(self) -> Operation:
        """The operation as the registry hands it out."""
        kinds = frozenset({"customer"})
        return Operation("customer", kinds, self.plan, person_problems, can_update=True, clears=PERSON.__contains__)

    def plan(self, record: Record, prior: Prior | None) -> Plan:
        """Find, then change or add; an update is the same, and empties what the record clears."""
        if prior is None:
            return contact_part(self.steps, record, self.options)
        now = record.over(prior.record)
        return contact_part(self.steps, now, self.options, cleared_since(now, prior.record))


@dataclass(frozen=True, slots=True)
class Payment:
    """``payment``: money received elsewhere, on an order found by the custom field that holds its id."""

    steps: Steps
    options: PaymentOptions

    def operation(self, account: str) -> Operation:
        """The operation; ``SetupError`` when no custom field holds the order id."""
        if "order_id" not in self.steps.custom_fields:
            raise lacks_order_field(account)
        return Operation("payment", frozenset({"payment"}), self.plan, self.problems)

    def problems(self, record: Record) -> list[Refused]:
        """Everything that stands against the payment."""
        found = amount_problems(record, searchable=may_query(clean(record.text("order_id"))))
        if record.time("paid_at") is None:
            said = "There is no date of payment; XML-RPC demands one."
            found.append(Refused("keap_paid_at", said, "Fill in the date of payment.", "paid_at"))
        return found

    def plan(self, record: Record, _prior: Prior | None) -> Plan:
        """Find the order and its invoice, look for the payment, record it."""
        yield self.steps.payment_types(record, self.options)
        fields = yield from model_part(self.steps)
        order_id = clean(record.text("order_id"))
        order = yield self.steps.paid_order(order_id, fields["order_id"]["field_name"])
        invoice = yield self.steps.invoice(order["id"], None)
        amount = number(record.fields.get("amount"))
        payment = yield self.steps.payment(record, invoice["id"], amount, self.options, look_first=True)
        mark = {ALREADY_THERE: True} if payment.get(ALREADY_THERE) else {}
        return {"id": payment.get("id", ""), "order_id": order["id"]} | mark
