"""The plans: what is sent, in which order, read like the story of an order."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from pipeline.errors import SetupError, nearest
from pipeline.model import Record
from pipeline.targets.contract import Operation, Plan, Prior, Refused, Result, Step
from pipeline.targets.keap.changes import (
    LineChanges,
    item_change,
    item_ids,
    line_changes,
    order_change,
    removed_ids,
    unsendable,
)
from pipeline.targets.keap.clearing import (
    CLEARED_BY_ORDER,
    NO_NAMES,
    PERSON,
    cleared_since,
    contact_blanks,
)
from pipeline.targets.keap.lines import clean, number, skus, total_of
from pipeline.targets.keap.lookups import OrderSought, may_filter
from pipeline.targets.keap.named import Named, unknown_products
from pipeline.targets.keap.options import ContactOptions, PaymentOptions, PlaceOrderOptions, read_options
from pipeline.targets.keap.payload import item_payload, minor_digits, order_details, order_payload
from pipeline.targets.keap.people import Json, contact_payload
from pipeline.targets.keap.problems import contact_problems, order_problems
from pipeline.targets.keap.steps import Steps
from pipeline.targets.keap.subscriptions import mirror_part, subscription_problems

OPERATIONS = ("place_order", "customer", "payment")
ALREADY_THERE = "already_there"
"""Key of a result: the target had it before our first call."""
Part = Generator[Step, Result, Result]
Silent = Generator[Step, Result, None]


class HasModel(Protocol):
    """The calls of an account that knows order custom fields."""

    @property
    def custom_fields(self) -> Mapping[str, str]:
        """Record field → order custom field."""
        ...

    def model(self) -> Step:
        """The read of the tenant's order custom fields."""
        ...


def build_operation(name: str, options: Mapping[str, Any], steps: Steps, account: str) -> Operation:
    """One operation with its options bound; ``SetupError`` for an unknown name or option."""
    where = f"deliver options of {name} ({account})"
    match name:
        case "place_order":
            return PlaceOrder(steps, read_options(PlaceOrderOptions, options, where)).operation()
        case "customer":
            return Customer(steps, read_options(ContactOptions, options, where)).operation()
        case "payment":
            return Payment(steps, read_options(PaymentOptions, options, where), account).operation()
    raise SetupError(
        f"Account {account}: Keap has no operation '{name}'.{nearest(name, OPERATIONS)} Known: {', '.join(OPERATIONS)}."
    )


def contact_part(steps: Steps, record: Record, options: ContactOptions, cleared: Collection[str] = NO_NAMES) -> Part:
    """The contact, its other phones and addresses kept, the ``cleared`` fields emptied; ``id`` of the contact."""
    stored: Result = {}
    if options.contact_lists == "merge" or options.several_contacts == "refuse":
        stored = yield steps.known_contact(record, options)
    if stored.get("use"):
        return {"id": stored["use"]}
    lists = stored.get("lists", {}) if options.contact_lists == "merge" else {}
    contact = yield steps.contact(record, lists, options)
    if blanks := contact_blanks(record, cleared, lists):
        yield steps.contact_change(str(contact.get("id", "")), blanks)
    return {"id": contact.get("id", "")}


def model_part(steps: HasModel) -> Part:
    """Ids and names of the configured custom fields by record field; empty when none are configured."""
    if not steps.custom_fields:
        return {}
    fields: Result = (yield steps.model()).get("fields", {})
    return fields


def sought_order(record: Record, contact_id: str, fields: Result) -> OrderSought:
    """What tells this order from others at Keap."""
    by_id = fields.get("order_id", {})
    return OrderSought(
        order_id=clean(record.text("order_id")),
        contact_id=contact_id,
        order_time=order_details(record).get("order_time", ""),
        total=total_of(record),
        currency=record.text("currency"),
        field_id=by_id.get("id", ""),
        field_name=by_id.get("field_name", ""),
    )


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """``place_order``: contact, products, order with lines and custom fields, payment."""

    steps: Steps
    options: PlaceOrderOptions

    def operation(self) -> Operation:
        """The operation as the registry hands it out."""
        return Operation(
            "place_order",
            frozenset({"order"}),
            self.plan,
            self.problems,
            can_update=True,
            clears=self._clears,
            named_products=self._named_products,
        )

    def _clears(self, name: str) -> bool:
        """Totals become lines of the order, so they go where lines may."""
        totals = ("shipping_total", "tax_total", "discount_total") if self.options.removed_lines == "delete" else ()
        return name in CLEARED_BY_ORDER or name in self.steps.custom_fields or name in totals

    def _named_products(self, named: Named) -> Plan:
        """Products that are made where they lack need not be there."""
        wanted = [] if self.options.create_products else [*named.get("sku", ()), *self.options.subscription_plans]
        return unknown_products(wanted, self.steps.named_product)

    def problems(self, record: Record) -> list[Refused]:
        """Everything Keap would refuse."""
        return [
            *contact_problems(record),
            *order_problems(record, self.options),
            *subscription_problems(record, self.options),
        ]

    def plan(self, record: Record, prior: Prior | None) -> Plan:
        """A new order, or the change of one that was delivered before."""
        return self._update(record, prior) if prior else self._place(record)

    def _place(self, record: Record) -> Plan:
        order = yield from self._order(record, look_first=self.steps.looks_first)
        yield from self._mirror(record, None, order["contact_id"])
        paid = number(record.fields.get("amount_paid"))
        return (yield from self._pay(record, unless("found", order), paid, look_first="found" in order))

    def _order(self, record: Record, *, look_first: bool) -> Part:
        # Reads come first: an order that Keap lacks a product or custom field for leaves nothing behind.
        fields = yield from model_part(self.steps)
        products = yield from self._products(record)
        contact_id = (yield from contact_part(self.steps, record, self.options)).get("id", "")
        payload = order_payload(record, contact_id, products, fields, self.options)
        sought = sought_order(record, contact_id, fields)
        order = yield self.steps.order(payload, sought, look_first=look_first)
        marks = {name: True for name in ("found", ALREADY_THERE) if order.get(name)}
        return {"id": order.get("id", ""), "contact_id": contact_id} | marks

    def _products(self, record: Record, wanted: Collection[str] | None = None) -> Part:
        products: dict[str, Any] = {}
        for sku in skus(record):
            if wanted is None or sku in wanted:
                products[sku] = yield from self._product(record, sku)
        return products

    def _product(self, record: Record, sku: str) -> Generator[Step, Result, str]:
        if known := self.steps.read.known_product(record, sku):
            return known
        found = yield self.steps.product(record, sku, create=self.options.create_products)
        return str(found.get("id", ""))

    def _pay(self, record: Record, result: Json, amount: Decimal, *, look_first: bool) -> Part:
        if amount <= 0 or not self.options.send_payment:
            return result
        step = self.steps.payment(record, result["id"], amount, self.options.payment, look_first=look_first)
        payment = yield step
        done = result if payment.get(ALREADY_THERE) else unless(ALREADY_THERE, result)
        return done | {"payment_id": payment.get("id", "")}

    def _update(self, fresh: Record, prior: Prior) -> Plan:
        record = fresh.over(prior.record)
        known = unless(ALREADY_THERE, prior.result)
        if not known.get("id"):  # a person said "delivered" and nobody noted the id: search before all else
            known = unless(ALREADY_THERE, (yield from self._order(record, look_first=True)))
        lines = line_changes(record, prior.record)
        kept_there = lines.removed if self.options.removed_lines == "refuse" else ()
        refusal = unsendable(record, prior.record, kept_there, send_payment=self.options.send_payment)
        current = yield self.steps.current_order(known["id"], refusal)
        # Once more, what can refuse comes before the first write.
        ids = item_ids(lines, current["items"], record.text("currency"))
        gone = removed_ids(lines, current["items"], record.text("currency"))
        products = yield from self._products(record, {item.sku for item, _ in lines.added})
        known = dict((yield from self._details(record, prior.record, known, current)))
        yield from self._lines(record, known["id"], lines, ids, products)
        for item_id in gone:  # after those that came: an order is never without a line
            yield self.steps.item_remove(known["id"], item_id)
        yield from self._mirror(record, prior.record, known.get("contact_id", ""))
        more = number(record.fields.get("amount_paid")) - number(prior.record.fields.get("amount_paid"))
        return (yield from self._pay(record, unless("found", known), more, look_first=True))

    def _details(self, record: Record, before: Record, known: Json, current: Result) -> Part:
        fields = yield from model_part(self.steps)
        change = order_change(record, before, fields, current.get("custom_fields", {}))
        cleared = cleared_since(record, before) & PERSON
        if cleared or contact_payload(record, {}) != contact_payload(before, {}):
            contact = yield from contact_part(self.steps, record, self.options, cleared)
            change |= {} if contact["id"] == known.get("contact_id") else contact_of(contact)
            known = known | contact_of(contact)
        if change:
            yield self.steps.change(known["id"], change)
        return known

    def _lines(self, record: Record, order_id: str, lines: LineChanges, ids: Sequence[str], products: Result) -> Silent:
        """Lines that changed in quantity, price or name, then those that came."""
        currency, sign = record.text("currency"), self.options.discount_sign
        for (old, new), item_id in zip(lines.changed, ids, strict=True):
            if payload := item_change(old, new, sign):
                yield self.steps.item_change(order_id, item_id, payload)
        for item, count in lines.added:
            payload = item_payload(item, products, sign)
            yield self.steps.item_add(order_id, item, count, payload, currency)

    def _mirror(self, record: Record, before: Record | None, contact_id: str) -> Silent:
        yield from mirror_part(record, before, contact_id, self.options, self.steps.read.redact)


def contact_of(contact: Result) -> Json:
    """The order's side of a contact."""
    return {"contact_id": contact["id"]}


def unless(mark: str, result: Result) -> Json:
    """The result without one of its marks."""
    return {name: value for name, value in result.items() if name != mark}


@dataclass(frozen=True, slots=True)
class Customer:
    """``customer``: the contact alone."""

    steps: Steps
    options: ContactOptions

    def operation(self) -> Operation:
        """The operation as the registry hands it out."""
        return Operation(
            "customer",
            frozenset({"customer"}),
            self.plan,
            lambda record: list(contact_problems(record)),
            can_update=True,
            clears=PERSON.__contains__,
        )

    def plan(self, record: Record, prior: Prior | None) -> Plan:
        """An upsert; an update is the same call, and empties what the record clears."""
        if prior is None:
            return contact_part(self.steps, record, self.options)
        now = record.over(prior.record)
        return contact_part(self.steps, now, self.options, cleared_since(now, prior.record) & PERSON)


@dataclass(frozen=True, slots=True)
class Payment:
    """``payment``: money received elsewhere, on an order found by the custom field that holds its id."""

    steps: Steps
    options: PaymentOptions
    account: str

    def operation(self) -> Operation:
        """The operation; ``SetupError`` when no custom field holds the order id."""
        if "order_id" not in self.steps.custom_fields:
            raise lacks_order_field(self.account)
        return Operation("payment", frozenset({"payment"}), self.plan, self.problems)

    def problems(self, record: Record) -> list[Refused]:
        """Everything Keap would refuse."""
        order_id = clean(record.text("order_id"))
        return amount_problems(record, searchable=may_filter(order_id) and "*" not in order_id)

    def plan(self, record: Record, _prior: Prior | None) -> Plan:
        """Find the order, look for the payment, record it."""
        fields = yield from model_part(self.steps)
        order = yield self.steps.existing_order(sought_order(record, "", fields))
        order_id = str(order.get("id", ""))
        step = self.steps.payment(record, order_id, number(record.fields.get("amount")), self.options, look_first=True)
        payment = yield step
        mark = {ALREADY_THERE: True} if payment.get(ALREADY_THERE) else {}
        return {"id": payment.get("id", ""), "order_id": order_id} | mark


def lacks_order_field(account: str) -> SetupError:
    """A payment has nothing but the order id to find its order by."""
    return SetupError(
        f"[accounts.{account}] payment needs custom_fields.order_id: without it the order of a payment cannot be found."
    )


def amount_problems(record: Record, *, searchable: bool) -> list[Refused]:
    """What stands against a payment: an order id that cannot be searched, an amount Keap cannot keep."""
    found, amount, digits = [], number(record.fields.get("amount")), minor_digits("")
    if not searchable:
        said = f"The order id '{clean(record.text('order_id'))}' cannot be looked up at Keap."
        found.append(Refused("keap_order_id", said, "Correct it.", "order_id"))
    if not amount.is_finite() or not 0 < amount < 10**12 or amount != round(amount, digits):
        said = f"The amount is {amount}; Keap takes amounts above 0 with {digits} decimals."
        found.append(Refused("keap_amount", said, "Correct the amount.", "amount"))
    return found
