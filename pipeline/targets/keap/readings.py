"""How the answer of each call becomes an outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import Absent, Answer, Done, Found, Outcome, Paused, Refused, Unclear
from pipeline.targets.keap import answers
from pipeline.targets.keap.lines import clean
from pipeline.targets.keap.lookups import PAGE_SIZE, OrderSought, field_content, judge_products
from pipeline.targets.keap.options import ContactOptions
from pipeline.targets.keap.people import Json, is_same_person, stored_lists

ONE_PRODUCT = "Give each product in Keap its own SKU, spelt exactly as in the file."


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of one account; ``redact`` keeps its key out of every sentence."""

    redact: answers.Redact
    custom_fields: Mapping[str, str]
    catalogue: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Products by SKU as Keap answered them; forgotten as soon as Keap refuses an order."""

    def entries(self, answer: Answer, name: str, *, of_row: bool = True) -> list[Mapping[str, Any]] | Outcome:
        """The list, or what its absence means; ``of_row``: a value of the row is in the call."""
        bad = answers.trouble(answer, self.redact, answers.field_named, reads_only=True)
        if isinstance(bad, Refused) and (answer.status == 404 or not of_row):
            return Paused("keap_wrong_address", bad.message, "Check base_url and whether this tenant has the REST v2.")
        if bad is not None:
            return bad
        found = answers.rows(answer, name)
        return answers.unreadable(answer, self.redact, reads_only=True) if found is None else found

    def fields(self, answer: Answer) -> list[Mapping[str, Any]] | Outcome:
        """All order custom fields of the tenant."""
        return self.entries(answer, "custom_fields", of_row=False)

    def model(self, answer: Answer) -> Outcome:
        """The ids of the configured custom fields; a missing one is the account's trouble, not the row's."""
        known = self.fields(answer)
        if not isinstance(known, list):
            return known
        fields: Json = {}
        for name, label in self.custom_fields.items():
            matches = matching(known, label)
            if len(matches) != 1:
                return field_trouble(name, label, len(matches))
            fields[name] = {
                "id": answers.remote_id(matches[0]),
                "field_name": clean(matches[0].get("field_name")),
            }
        return Done({"fields": fields})

    def probe(self, answer: Answer) -> Outcome:
        """Whether the account answers at all, with the list every tenant has."""
        known = self.fields(answer)
        return Done({"id": ""}) if isinstance(known, list) else known

    def contacts(self, record: Record, options: ContactOptions, answer: Answer) -> Outcome:
        """The lists to keep of the one contact, or what to do about several."""
        entries = self.entries(answer, "contacts")
        if not isinstance(entries, list):
            return entries
        same = [entry for entry in entries if is_same_person(entry, record, options.duplicate_option)]
        if len(same) > 1 and options.several_contacts == "refuse":
            return several_contacts(record, [answers.remote_id(entry) for entry in same])
        if len(same) > 1:
            return Done({"use": min((answers.remote_id(entry) for entry in same), key=age)})
        return Done({"lists": stored_lists(same[0]) if same else {}})

    def contact(self, answer: Answer) -> Outcome:
        """The upserted contact; 200 says it was there before."""
        return answers.written(answer, self.redact, answers.field_named, existed=(200,))

    def products(self, record: Record, sku: str, answer: Answer) -> Outcome:
        """The one product with this SKU, in the order's currency."""
        entries = self.entries(answer, "products")
        if not isinstance(entries, list):
            return entries
        if len(entries) >= PAGE_SIZE:
            return Refused("keap_several_products", f"Keap lists too many products for SKU {sku}.", ONE_PRODUCT, "sku")
        match judge_products(entries, sku):
            case Found(result):
                self.catalogue[sku] = result
                return _same_currency(record, sku, result)
            case Unclear(message):
                return Refused("keap_several_products", message, ONE_PRODUCT, "sku")
            case Absent():
                return no_product(sku)

    def has_product(self, sku: str, answer: Answer) -> Outcome:
        """Whether a product with exactly this SKU is listed."""
        entries = self.entries(answer, "products")
        if not isinstance(entries, list):
            return entries
        return Done({"known": any(clean(entry.get("sku")) == sku for entry in entries)})

    def product(self, answer: Answer) -> Outcome:
        """The product that was made."""
        return answers.written(answer, self.redact, _fields_of("sku", "unit_price", "product_name"))

    def known_product(self, record: Record, sku: str) -> str:
        """The id of a product seen before and in the order's currency, else empty."""
        seen = self.catalogue.get(sku)
        same = seen is not None and isinstance(_same_currency(record, sku, seen), Done)
        return str(seen["id"]) if seen is not None and same else ""

    def order(self, answer: Answer) -> Outcome:
        """The order, or item of it, that was made or changed."""
        outcome = answers.written(answer, self.redact, answers.field_named)
        if isinstance(outcome, Refused):
            self.catalogue.clear()  # a product may have been deleted since it was looked up
        return outcome

    def removed(self, item_id: str, answer: Answer) -> Outcome:
        """An item that was deleted; one that is gone already is, too."""
        bad = answers.trouble(answer, self.redact, answers.field_named, reads_only=False)
        gone = answer.status == 404 and isinstance(bad, Refused)
        return bad if bad is not None and not gone else Done({"id": item_id})

    def existing(self, sought: OrderSought, answer: Answer) -> Outcome:
        """The one order with this order id."""
        entries = self.entries(answer, "orders")
        if not isinstance(entries, list):
            return entries
        ours = [e for e in entries if clean(field_content(e, sought.field_id) or sought.order_id) == sought.order_id]
        if len(ours) == 1 and len(entries) < PAGE_SIZE:
            return Done({"id": answers.remote_id(ours[0])})
        found = "several orders" if ours else "no order"
        return Refused(
            "keap_order_not_found",
            f"Keap has {found} with the order id {sought.order_id}.",
            "Deliver the order first, then replay the payment; or correct the order id.",
            "order_id",
        )

    def payment(self, answer: Answer) -> Outcome:
        """The payment that was recorded."""
        outcome = answers.written(answer, self.redact, answers.field_named)
        body = answer.json()
        status = clean(body.get("payment_status_message")) if isinstance(body, Mapping) else ""
        if isinstance(outcome, Done) and status.upper() in {"DECLINED", "ERROR", "FAILED"}:
            return Refused(
                "keap_payment_refused",
                f"Keap recorded the payment as {status}.",
                "Look at the order in Keap.",
                "amount_paid",
            )
        return outcome

    def current(self, refusal: Refused | None, answer: Answer) -> Outcome:
        """The order before an update, its custom fields by id."""
        bad = answers.trouble(answer, self.redact, answers.field_named, reads_only=True)
        if bad is not None:
            return bad
        body = answer.json()
        if not answers.remote_id(body):
            return answers.unreadable(answer, self.redact, reads_only=True)
        if refusal:
            return refusal
        values = [v for v in body.get("custom_fields") or () if isinstance(v, Mapping) and v.get("content") is not None]
        kept = {str(v.get("id")): v["content"] for v in values if clean(v["content"])}
        return Done({"id": answers.remote_id(body), "custom_fields": kept, "items": listed_items(body)})


def listed_items(order: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The items of an order as Keap answers them, those without an id left out."""
    items = order.get("order_items")
    found = items if isinstance(items, list) else []
    return [item for item in found if isinstance(item, Mapping) and answers.remote_id(item)]


def matching(known: list[Mapping[str, Any]], label: str) -> list[Mapping[str, Any]]:
    """By field name, else by label; Keap compares field names without case."""
    wanted = clean(label).casefold()
    for key in ("field_name", "label"):
        if found := [field for field in known if clean(field.get(key)).casefold() == wanted]:
            return found
    return []


def field_trouble(name: str, label: str, count: int) -> Paused:
    """A configured custom field the tenant has not, or has several times."""
    what = f"has {count} order custom fields called '{label}'" if count else f"has no order custom field '{label}'"
    return Paused(
        "keap_custom_field",
        f"This Keap tenant {what}, which custom_fields.{name} of the account names.",
        f"Make an order custom field '{label}' in Keap, or correct custom_fields in pipeline.toml.",
    )


def no_product(sku: str) -> Refused:
    """A SKU Keap does not know."""
    return Refused(
        "keap_no_product",
        f"Keap has no product with SKU {sku}.",
        "Make the product in Keap, correct the SKU, or set create_products: true in the mapping.",
        "sku",
    )


def several_contacts(record: Record, ids: Sequence[str]) -> Refused:
    """Several contacts that are the record's person."""
    return Refused(
        "keap_several_contacts",
        f"Keap has {len(ids)} contacts with the e-mail address {clean(record.text('email'))}: "
        f"ids {', '.join(ids[:5])}.",
        "Merge them in Keap and replay, or set several_contacts: oldest in the mapping.",
        "email",
    )


def _same_currency(record: Record, sku: str, result: Mapping[str, Any]) -> Outcome:
    """An order of Keap has no currency of its own: it is the tenant's, which the product's price shows."""
    theirs, ours = str(result.get("currency", "")), clean(record.text("currency")).upper()
    if theirs and ours and theirs.upper() != ours:
        return Refused(
            "keap_currency",
            f"The order is in {ours} but this Keap tenant keeps {theirs} (product {sku}).",
            "Send the order to an account of its currency, or convert the amounts.",
            "currency",
        )
    return Done({"id": result["id"]})


def age(contact_id: str) -> tuple[int, str]:
    """A key that sorts ids of Keap by age: they count up."""
    return (int(contact_id), "") if contact_id.isdecimal() else (2**63, contact_id)


def _fields_of(*allowed: str) -> Callable[[str], str | None]:
    """Only fields a product is made of: its ``name`` is the product's, not the customer's."""

    def named(message: str) -> str | None:
        field = answers.field_named(message)
        if field is None and "name" in message.casefold():
            return "product_name"
        return field if field in allowed else None

    return named
