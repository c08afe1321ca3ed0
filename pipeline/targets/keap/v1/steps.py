"""The single REST v1 calls, how their answers are read, and the product map an account keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from pipeline.model import Record
from pipeline.targets.contract import Answer, Done, Outcome, Refused, Request, Step
from pipeline.targets.keap import answers
from pipeline.targets.keap.lines import clean
from pipeline.targets.keap.lookups import OrderSought
from pipeline.targets.keap.options import ContactOptions, PaymentOptions
from pipeline.targets.keap.payload import payment_note
from pipeline.targets.keap.people import Json, is_same_person
from pipeline.targets.keap.readings import Readings, age, several_contacts
from pipeline.targets.keap.v1.lookups import PAGE_SIZE, find_order, find_payment, find_product, page
from pipeline.targets.keap.v1.payload import payment_payload, person_payload, product_payload


@dataclass(slots=True)
class ProductMap:
    """Product ids by SKU as Keap listed them, whole or not at all; ``None`` until the list was read."""

    ids: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """The calls of one account."""

    read: Readings
    looks_first: bool
    products_known: ProductMap = field(default_factory=ProductMap)

    def known_contact(self, record: Record, options: ContactOptions) -> Step:
        """Which contacts have the e-mail address: REST v1 takes the first of several without a word."""
        request = Request("GET", "/rest/v1/contacts", (("email", clean(record.text("email"))), ("limit", "100")))
        read = partial(self._contacts, record, options)
        return Step("known_contact", request, read, reads_only=True, preview={})

    def contact(self, record: Record, options: ContactOptions) -> Step:
        """The upsert: Keap's own duplicate check makes a second send an update, so it may be repeated."""
        request = Request("PUT", "/rest/v1/contacts", json=person_payload(record, options))
        email = clean(record.text("email"))
        return Step(
            "contact",
            request,
            self.read.contact,
            repeatable=True,
            search_hint=f"contact {email}",
            shares=f"contact:{email.casefold()}",
        )

    def product_page(self, offset: int) -> Step:
        """One page of all products; ``ids`` by SKU, ``more`` when another page follows."""
        request = page("/rest/v1/products", offset)
        return Step(f"products:{offset}", request, self._product_page, reads_only=True, preview={"more": False})

    def product(self, record: Record, sku: str) -> Step:
        """Make a product that the list does not have."""
        return Step(
            f"product:{sku}",
            Request("POST", "/rest/v1/products", json=product_payload(record, sku)),
            self.read.product,
            find=partial(find_product, sku, self.read.redact),
            search_hint=f"product with SKU {sku}",
            shares=f"product:{sku}",
        )

    def order(self, payload: Json, sought: OrderSought) -> Step:
        """The one call that makes the order; our order id is its title."""
        return Step(
            "order",
            Request("POST", "/rest/v1/orders", json=payload),
            self._order,
            find=partial(find_order, sought, self.read.redact),
            look_first=self.looks_first,
            search_hint=f"order {sought.order_id} of contact {sought.contact_id}",
        )

    def payment(
        self, record: Record, order_id: str, amount: Decimal, options: PaymentOptions, *, look_first: bool
    ) -> Step:
        """Money received elsewhere, recorded on the order; never a charge."""
        note = payment_note(record)
        body = payment_payload(record, amount, options)
        return Step(
            "payment",
            Request("POST", f"/rest/v1/orders/{order_id}/payments", json=body),
            self.read.payment,
            find=partial(find_payment, order_id, note, amount, self.read.redact),
            look_first=look_first,
            search_hint=f"payment of order {order_id} with the note '{note}'",
        )

    def probe(self) -> Step:
        """One harmless read."""
        request = Request("GET", "/rest/v1/products", (("limit", "1"),))
        return Step("probe", request, self._product_page, reads_only=True)

    def _contacts(self, record: Record, options: ContactOptions, answer: Answer) -> Outcome:
        entries = self.read.entries(answer, "contacts")
        if not isinstance(entries, list):
            return entries
        same = [entry for entry in entries if is_same_person(entry, record, options.duplicate_option)]
        ids = sorted((answers.remote_id(entry) for entry in same), key=age)
        if len(ids) > 1 and options.several_contacts == "refuse":
            return several_contacts(record, ids)
        return Done({"use": ids[0]} if len(ids) > 1 else {})

    def _product_page(self, answer: Answer) -> Outcome:
        entries = self.read.entries(answer, "products", of_row=False)
        if not isinstance(entries, list):
            return entries
        found = [(clean(entry.get("sku")), answers.remote_id(entry)) for entry in entries]
        return Done({"ids": [pair for pair in found if pair[0]], "more": len(entries) >= PAGE_SIZE})

    def _order(self, answer: Answer) -> Outcome:
        outcome = self.read.order(answer)
        if isinstance(outcome, Refused):
            self.products_known.ids = None  # a product may have been deleted since the list was read
        return outcome
