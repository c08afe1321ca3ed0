"""The single calls of the plans: each says how its answer is read and how it can be seen afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from pipeline.model import Record
from pipeline.targets.contract import Refused, Request, Step
from pipeline.targets.keap.lines import Item, clean, shown
from pipeline.targets.keap.lookups import (
    OrderSought,
    find_item,
    find_order,
    find_payment,
    find_product,
    listing,
)
from pipeline.targets.keap.options import ContactOptions, PaymentOptions
from pipeline.targets.keap.payload import payment_note, payment_payload, product_payload
from pipeline.targets.keap.people import Json, contact_payload
from pipeline.targets.keap.readings import Readings

CONTACT_FIELDS = "id,given_name,family_name,company,email_addresses,phone_numbers,addresses"


@dataclass(frozen=True, slots=True)
class Steps:
    """The calls of one account."""

    read: Readings
    custom_fields: Mapping[str, str]
    looks_first: bool

    def model(self) -> Step:
        """Ids and names of the configured order custom fields; they differ per tenant."""
        stand_in = {name: {"id": f"<id of {label}>", "field_name": label} for name, label in self.custom_fields.items()}
        request = Request("GET", "/rest/v2/orders/model")
        return Step("model", request, self.read.model, reads_only=True, preview={"fields": stand_in})

    def known_contact(self, record: Record, options: ContactOptions) -> Step:
        """What the contact holds now: ``lists`` to keep, or ``use``: the oldest of several."""
        request = listing("/rest/v2/contacts", f"email=={clean(record.text('email'))}", fields=CONTACT_FIELDS)
        return Step("known_contact", request, partial(self.read.contacts, record, options), reads_only=True)

    def contact(self, record: Record, stored: Json, options: ContactOptions) -> Step:
        """The upsert: Keap's own duplicate check makes a second send an update, so it may be repeated."""
        request = Request(
            "POST",
            "/rest/v2/contacts",
            (("duplicate_option", options.duplicate_option),),
            json=contact_payload(record, stored),
        )
        email = clean(record.text("email"))
        return Step(
            "contact",
            request,
            self.read.contact,
            repeatable=True,
            search_hint=f"contact {email}",
            shares=f"contact:{email.casefold()}",
        )

    def contact_change(self, contact_id: str, payload: Json) -> Step:
        """Empty the named properties of a contact; sent twice it leaves the same contact."""
        mask = tuple(("update_mask", name) for name in payload)
        request = Request("PATCH", f"/rest/v2/contacts/{contact_id}", mask, json=payload)
        hint = f"Keap contact {contact_id}"
        return Step("contact_cleared", request, self.read.order, repeatable=True, search_hint=hint)

    def product(self, record: Record, sku: str, *, create: bool) -> Step:
        """Look the SKU up; with ``create`` make the product when Keap has none."""
        name = f"product:{sku}"
        if not create:
            request = listing("/rest/v2/products", f"sku=={sku}")
            return Step(name, request, partial(self.read.products, record, sku), reads_only=True)
        return Step(
            name,
            Request("POST", "/rest/v2/products", json=product_payload(record, sku)),
            self.read.product,
            find=partial(find_product, sku, self.read.redact),
            look_first=True,
            search_hint=f"product with SKU {sku}",
            shares=f"product:{sku}",
        )

    def named_product(self, sku: str) -> Step:
        """Whether there is a product with this SKU."""
        request = listing("/rest/v2/products", f"sku=={sku}")
        read = partial(self.read.has_product, sku)
        return Step(f"named:{sku}", request, read, reads_only=True, preview={"known": True})

    def order(self, payload: Json, sought: OrderSought, *, look_first: bool) -> Step:
        """The one call that makes the order: lines, ship-to and our order id together."""
        return Step(
            "order",
            Request("POST", "/rest/v2/orders", json=payload),
            self.read.order,
            find=partial(find_order, sought, self.read.redact),
            look_first=look_first,
            search_hint=f"order {sought.order_id} of contact {sought.contact_id}",
        )

    def existing_order(self, sought: OrderSought) -> Step:
        """The order a payment belongs to, by the custom field that holds our order id."""
        request = listing("/rest/v2/orders", f"{sought.field_name}=={sought.order_id}")
        return Step("order", request, partial(self.read.existing, sought), reads_only=True)

    def payment(
        self, record: Record, order_id: str, amount: Decimal, options: PaymentOptions, *, look_first: bool
    ) -> Step:
        """Money received elsewhere, recorded on the order; never a charge."""
        note = payment_note(record)
        return Step(
            "payment",
            Request("POST", f"/rest/v2/orders/{order_id}/payments", json=payment_payload(record, amount, options)),
            self.read.payment,
            find=partial(find_payment, order_id, note, amount, record.text("currency"), self.read.redact),
            look_first=look_first,
            search_hint=f"payment of order {order_id} with the note '{note}'",
        )

    def current_order(self, order_id: str, refusal: Refused | None) -> Step:
        """The order as it stands, read before an update; ``refusal`` when the change is not sent to Keap."""
        request = Request("GET", f"/rest/v2/orders/{order_id}")
        return Step(
            "current_order",
            request,
            partial(self.read.current, refusal),
            reads_only=True,
            preview={"id": order_id, "custom_fields": {}, "items": None},
        )

    def change(self, order_id: str, payload: Json) -> Step:
        """Set the named properties; sent twice it leaves the same order."""
        mask = tuple(("update_mask", name) for name in payload)
        request = Request("PATCH", f"/rest/v2/orders/{order_id}", mask, json=payload)
        return Step("change", request, self.read.order, repeatable=True, search_hint=f"Keap order {order_id}")

    def item_change(self, order_id: str, item_id: str, payload: Json) -> Step:
        """Set quantity, price or name of one line; sent twice it leaves the same line."""
        mask = tuple(("update_mask", name) for name in payload)
        request = Request("PATCH", f"/rest/v2/orders/{order_id}/items/{item_id}", mask, json=payload)
        return Step(f"line:{item_id}", request, self.read.order, repeatable=True, search_hint=f"Keap order {order_id}")

    def item_remove(self, order_id: str, item_id: str) -> Step:
        """Delete one line; it may be repeated, for what is gone stays gone."""
        request = Request("DELETE", f"/rest/v2/orders/{order_id}/items/{item_id}")
        read = partial(self.read.removed, item_id)
        return Step(f"remove:{item_id}", request, read, repeatable=True, search_hint=f"Keap order {order_id}")

    def item_add(self, order_id: str, item: Item, number: int, payload: Json, currency: str) -> Step:
        """One more line; it is there when the order lists ``number`` equal ones."""
        return Step(
            f"add:{shown(item)}#{number}",
            Request("POST", f"/rest/v2/orders/{order_id}/items", json=payload),
            self.read.order,
            find=partial(find_item, order_id, item, number, currency, self.read.redact),
            look_first=True,
            search_hint=f"line {shown(item)} of order {order_id}",
        )
