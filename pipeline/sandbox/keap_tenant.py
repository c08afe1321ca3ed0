"""What one simulated Keap tenant holds: contacts, products and the model of its order custom fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pipeline.sandbox.keap_rules import CONTACT_MASK, BadRequest, Filters, Index, Json

DUPLICATE_MARKS = {"Email": 0, "EmailAndName": 2, "EmailAndNameAndCompany": 3}
"""By duplicate option, how many of given name, family name and company must agree besides the address."""


class Tenant:
    """Plain JSON by id, in the order of creation; ids count from the first ones of the wire examples."""

    def __init__(
        self, products: Sequence[tuple[str, str, int]], custom_fields: Mapping[str, str], currency: str
    ) -> None:
        self.currency = currency
        self.contacts: dict[str, Json] = {}
        self.products: dict[str, Json] = {}
        self.fields: dict[str, Json] = {}
        self._by_email, self._by_sku = Index(), Index()
        for sku, name, price in products:
            self.add_product({"sku": sku, "name": name, "short_description": name, "price": price})
        for field_name, label in custom_fields.items():
            self._add_field(label, "TEXT", field_name)

    # --- contacts ---

    def upsert(self, body: Json, option: str) -> tuple[Json, bool]:
        """The contact and whether it is new; lists that were sent replace what was stored."""
        if option and option not in DUPLICATE_MARKS:
            raise BadRequest("duplicate_option is invalid")
        if not any(body.get(name) for name in ("email_addresses", "phone_numbers", "addresses")):
            raise BadRequest("Contact must contain at least one item in email_addresses, phone_numbers, or addresses")
        found = self.same_contact(body, option) if option else None
        contact = found or {"id": str(1042 + len(self.contacts))}
        contact.update(body)
        self.contacts[contact["id"]] = contact
        self.remember(contact)
        return contact, found is None

    def change(self, contact_id: str, body: Json, mask: list[str]) -> Json:
        """A PATCH of one contact; without a mask every property that was sent counts."""
        for name in mask:
            if name not in CONTACT_MASK:
                raise BadRequest(f"update_mask is invalid: {name}")
        if contact_id not in self.contacts:
            raise BadRequest("Contact not found", 404)
        contact = self.contacts[contact_id]
        contact.update({name: value for name, value in body.items() if not mask or name in mask})
        self.remember(contact)
        return contact

    def remember(self, contact: Json) -> None:
        """Make a contact findable by the address it holds now."""
        self._by_email.put("email", primary_email(contact), contact)

    def same_contact(self, body: Json, option: str) -> Json | None:
        """The contact the duplicate check takes for the same person."""
        wanted = _marks(body, option)
        if not wanted[0]:
            return None
        alike = self._by_email.narrowed(f"email=={wanted[0]}", "email", self.contacts)
        return next((c for c in alike if _marks(c, option) == wanted), None)

    def contacts_listed(self, filter_text: str) -> list[Json]:
        """The contacts a filter lets through."""
        known = {
            "email": primary_email,
            "given_name": lambda c: c.get("given_name"),
            "family_name": lambda c: c.get("family_name"),
            "contact_id": lambda c: c["id"],
        }
        filters = Filters(known, frozenset({"email", "given_name", "family_name"}))
        return filters.picked(filter_text, self._by_email.narrowed(filter_text, "email", self.contacts))

    # --- products ---

    def add_product(self, body: Json) -> Json:
        """A new product; a second one with the same SKU is made without a word."""
        product = {"id": str(71 + len(self.products)), **body}
        self.products[product["id"]] = product
        self._by_sku.put("sku", product.get("sku", ""), product)
        return product

    def product_view(self, product: Json) -> Json:
        """The product as it is answered."""
        return {**product, "price": self.money(Decimal(product["price"]) / 100)}

    def products_listed(self, filter_text: str) -> list[Json]:
        """The products a filter lets through, as they are answered."""
        known = {"sku": lambda p: p.get("sku"), "name": lambda p: p["name"], "product_id": lambda p: p["id"]}
        filters = Filters(known, frozenset({"sku", "name"}))
        found = filters.picked(filter_text, self._by_sku.narrowed(filter_text, "sku", self.products))
        return [self.product_view(product) for product in found]

    # --- order custom fields ---

    def create_field(self, body: Json) -> Json:
        """A new order custom field; its ``field_name`` is made from the label."""
        name = "_" + re.sub(r"\W", "", body["label"].title())
        taken = {field["field_name"].casefold() for field in self.fields.values()}
        return self._add_field(
            body["label"], body["field_type"], f"{name}{len(taken)}" if name.casefold() in taken else name
        )

    def check_values(self, body: Json) -> None:
        """Refuse values of custom fields that do not exist."""
        for value in body.get("custom_fields", ()):
            if value["id"] not in self.fields:
                raise BadRequest(f"custom field {value['id']} does not exist")

    def values_by_name(self, order: Json) -> dict[str, Any]:
        """An order's custom field values by ``field_name``."""
        values = order.get("custom_fields", ())
        return {self.fields[value["id"]]["field_name"]: value.get("content") for value in values}

    def set_value(self, order: Json, field_name: str, value: object) -> None:
        """Set one custom field of an order, the others untouched."""
        field_id = next(f["id"] for f in self.fields.values() if f["field_name"] == field_name)
        others = [entry for entry in order.get("custom_fields", ()) if entry["id"] != field_id]
        order["custom_fields"] = [*others, {"id": field_id, "content": value}]

    def _add_field(self, label: str, field_type: str, field_name: str) -> Json:
        field: Json = {"id": str(25 + len(self.fields)), "label": label, "field_name": field_name}
        field |= {"field_type": field_type, "record_type": "ORDER", "options": []}
        self.fields[field["id"]] = field
        return field

    def money(self, amount: Decimal) -> Json:
        """An amount as Keap answers it: minor units, the tenant's currency."""
        return {
            "amount": int(amount * 100),
            "currency_code": self.currency,
            "formatted_amount": f"{self.currency} {amount:.2f}",
        }


def primary_email(contact: Json) -> str:
    """The address in EMAIL1, empty when there is none."""
    entries = contact.get("email_addresses", ())
    return next((str(entry.get("email", "")) for entry in entries if entry.get("field") == "EMAIL1"), "")


def _marks(contact: Json, option: str) -> list[str]:
    company = (contact.get("company") or {}).get("company_name")
    names = [contact.get("given_name"), contact.get("family_name"), company]
    marks = [primary_email(contact), *names[: DUPLICATE_MARKS[option]]]
    return [str(mark or "").casefold() for mark in marks]
