"""The plans over REST v1: create only, a product for every line, no custom fields."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import SetupError, nearest
from pipeline.model import Record
from pipeline.targets.contract import Operation, Plan, PlanRefused, Prior, Refused, Result, Step
from pipeline.targets.keap.lines import Item, clean, items_of, number, shown, skus
from pipeline.targets.keap.named import Named
from pipeline.targets.keap.operations import ALREADY_THERE, Part, sought_order, unless
from pipeline.targets.keap.options import ContactOptions, V1OrderOptions, one_of, read_options
from pipeline.targets.keap.payload import shipping_payload
from pipeline.targets.keap.people import Json
from pipeline.targets.keap.problems import contact_problems, order_problems
from pipeline.targets.keap.readings import ONE_PRODUCT, no_product
from pipeline.targets.keap.v1.lookups import MOST_PAGES, PAGE_SIZE
from pipeline.targets.keap.v1.payload import ITEM_TYPES, method_of, order_payload, stands_for
from pipeline.targets.keap.v1.steps import Steps

OPERATIONS = ("place_order", "customer")
DUPLICATE_OPTIONS = ("Email", "EmailAndName")
LINE_PRODUCTS = ("shipping", "tax", "fee")


def build_operation(name: str, options: Mapping[str, Any], steps: Steps, account: str) -> Operation:
    """One operation with its options bound; ``SetupError`` for an unknown name or option."""
    where = f"deliver options of {name} ({account})"
    match name:
        case "place_order":
            order_options = read_options(V1OrderOptions, options, where)
            one_of(order_options.duplicate_option, DUPLICATE_OPTIONS, f"{where} duplicate_option over REST v1")
            for kind in order_options.line_products:
                one_of(kind, LINE_PRODUCTS, f"{where} line_products")
            return PlaceOrder(steps, order_options).operation()
        case "customer":
            contact_options = read_options(ContactOptions, options, where)
            one_of(contact_options.duplicate_option, DUPLICATE_OPTIONS, f"{where} duplicate_option over REST v1")
            return Customer(steps, contact_options).operation()
        case "payment":
            raise SetupError(
                f"[accounts.{account}] Keap's REST v1 cannot find an order by our order id, so no payment."
            )
    raise SetupError(
        f"Account {account}: Keap has no operation '{name}'.{nearest(name, OPERATIONS)} Known: {', '.join(OPERATIONS)}."
    )


def contact_part(steps: Steps, record: Record, options: ContactOptions) -> Part:
    """The contact, upserted; ``id`` of the contact."""
    known = yield steps.known_contact(record, options)
    if known.get("use"):
        return {"id": known["use"]}
    contact = yield steps.contact(record, options)
    return {"id": contact.get("id", "")}


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """``place_order``: contact, products, order, payment. A change of a delivered order cannot be sent."""

    steps: Steps
    options: V1OrderOptions

    def operation(self) -> Operation:
        """The operation as the registry hands it out."""
        return Operation(
            "place_order", frozenset({"order"}), self.plan, self.problems, named_products=self._named_products
        )

    def _named_products(self, named: Named) -> Plan:
        """What stands for other lines has to be there; products that are made where they lack need not."""
        wanted = [] if self.options.create_products else named.get("sku", ())
        wanted = list(dict.fromkeys([*wanted, *self.options.line_products.values()]))
        known = (yield from self._read_products()) if wanted else {}
        unknown = [sku for sku in wanted if known is not None and sku not in known]
        return {"unknown": unknown, "asked": len(wanted)}

    def problems(self, record: Record) -> list[Refused]:
        """Everything that stands against the order."""
        found = [*contact_problems(record), *order_problems(record, self.options)]
        if not found:
            found += [trouble for item in items_of(record) for trouble in _item_problems(item, self.options)]
            found += self._payment_problems(record)
        return found

    def _payment_problems(self, record: Record) -> Iterator[Refused]:
        paid = self.options.send_payment and number(record.fields.get("amount_paid")) > 0
        if paid and not method_of(record, self.options.payment):
            yield Refused(
                "keap_payment_method",
                f"REST v1 knows CREDIT_CARD, CHECK and CASH, not '{clean(record.text('payment_method'))}'.",
                "Add the words to payment_methods in the mapping.",
                "payment_method",
            )

    def plan(self, record: Record, _prior: Prior | None) -> Plan:
        """A new order."""
        products = yield from self._products(record)
        contact_id = (yield from contact_part(self.steps, record, self.options)).get("id", "")
        payload = order_payload(record, contact_id, products, shipping_payload(record), self.options)
        order = yield self.steps.order(payload, sought_order(record, contact_id, {}))
        marks = {ALREADY_THERE: True} if order.get(ALREADY_THERE) else {}
        result: Json = {"id": order.get("id", ""), "contact_id": contact_id} | marks
        return (yield from self._pay(record, result, look_first="found" in order))

    def _pay(self, record: Record, result: Json, *, look_first: bool) -> Part:
        amount = number(record.fields.get("amount_paid"))
        if amount <= 0 or not self.options.send_payment:
            return result
        payment = yield self.steps.payment(record, result["id"], amount, self.options.payment, look_first=look_first)
        done = result if payment.get(ALREADY_THERE) else unless(ALREADY_THERE, result)
        return done | {"payment_id": payment.get("id", "")}

    def _products(self, record: Record) -> Generator[Step, Result, dict[str, str]]:
        """Product ids by SKU from the map; a SKU it lacks makes the list be read anew, once."""
        wanted = list(dict.fromkeys(stands_for(item, self.options) for item in items_of(record)))
        known = self.steps.products_known.ids
        if known is None or any(sku not in known for sku in wanted):
            known = yield from self._read_products()
        if known is None:  # a dry run, which has read nothing
            return {sku: f"<id of {sku}>" for sku in wanted}
        products: dict[str, str] = {}
        for sku in wanted:
            products[sku] = yield from self._product(record, sku, known.get(sku, ()))
        return products

    def _product(self, record: Record, sku: str, ids: tuple[str, ...]) -> Generator[Step, Result, str]:
        if len(ids) == 1:
            return ids[0]
        if ids:
            said = f"Keap has {len(ids)} products with SKU {sku}: ids {', '.join(ids[:5])}."
            raise PlanRefused(Refused("keap_several_products", said, ONE_PRODUCT, "sku"))
        if not self.options.create_products or sku not in skus(record):
            raise PlanRefused(no_product(sku))
        made = yield self.steps.product(record, sku)
        return str(made.get("id", ""))

    def _read_products(self) -> Generator[Step, Result, Mapping[str, tuple[str, ...]] | None]:
        found: dict[str, tuple[str, ...]] = {}
        for number_of_page in range(MOST_PAGES):
            page = yield self.steps.product_page(number_of_page * PAGE_SIZE)
            if "ids" not in page:
                return None
            for sku, product_id in page["ids"]:
                found[sku] = (*found.get(sku, ()), product_id)
            if not page["more"]:
                break
        self.steps.products_known.ids = found
        return found


def _item_problems(item: Item, options: V1OrderOptions) -> Iterator[Refused]:
    if item.item_type not in ITEM_TYPES:
        yield Refused(
            "keap_v1_discount",
            f"REST v1 takes no price below 0, and this order has the discount {shown(item)}.",
            'Take it off the prices, or set api = "rest-v2" for this account.',
            "line_type",
        )
    elif not stands_for(item, options):
        kind = item.item_type.lower()
        yield Refused(
            "keap_v1_line_product",
            f"REST v1 wants a product for every line; none is named for {kind}.",
            f"Make a product for {kind} in Keap and name its SKU in line_products in the mapping.",
            "line_type",
        )


@dataclass(frozen=True, slots=True)
class Customer:
    """``customer``: the contact alone."""

    steps: Steps
    options: ContactOptions

    def operation(self) -> Operation:
        """The operation as the registry hands it out."""

        def problems(record: Record) -> list[Refused]:
            return list(contact_problems(record))

        return Operation("customer", frozenset({"customer"}), self.plan, problems, can_update=True)

    def plan(self, record: Record, _prior: Prior | None) -> Plan:
        """An upsert; an update is the same call."""
        return contact_part(self.steps, record, self.options)
