"""How the answer of each XML-RPC call becomes an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import Absent, Answer, Done, Found, Outcome, Refused, Result, Unclear
from pipeline.targets.keap import answers
from pipeline.targets.keap.lines import as_kept, clean
from pipeline.targets.keap.options import ContactOptions
from pipeline.targets.keap.people import Json, names
from pipeline.targets.keap.readings import ONE_PRODUCT, field_trouble, matching, no_product, several_contacts
from pipeline.targets.keap.xmlrpc.answers import Returned, made_id, returned, row_id, said_true, structs
from pipeline.targets.keap.xmlrpc.lookups import judged_products, texts_of
from pipeline.targets.keap.xmlrpc.values import Struct


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of one account; ``redact`` keeps its key out of every sentence."""

    redact: answers.Redact
    custom_fields: Mapping[str, str]
    catalogue: dict[str, Result] = field(default_factory=dict)
    """Products by SKU as Keap answered them; forgotten as soon as Keap refuses a line."""

    def fields(self, answer: Answer) -> list[Mapping[str, Any]] | Outcome:
        """All order custom fields: ``field_name`` (``_`` and the stored name), ``label``, ``type``."""
        rows = structs(self.redact, answer)
        if not isinstance(rows, list):
            return rows
        return [
            {
                "id": row_id(row),
                "field_name": f"_{clean(row.get('Name'))}",
                "label": row.get("Label"),
                "type": row.get("DataType"),
            }
            for row in rows
        ]

    def model(self, answer: Answer) -> Outcome:
        """The stored names and types of the configured custom fields; a missing one is the account's trouble."""
        known = self.fields(answer)
        if not isinstance(known, list):
            return known
        fields: Json = {}
        for name, label in self.custom_fields.items():
            matches = matching(known, label)
            if len(matches) != 1:
                return field_trouble(name, label, len(matches))
            kind = matches[0]["type"]
            fields[name] = {
                "field_name": matches[0]["field_name"],
                "type": kind if isinstance(kind, int) else 15,
            }
        return Done({"fields": fields})

    def probe(self, answer: Answer) -> Outcome:
        """Whether the account answers at all."""
        known = returned(answer, self.redact, reads_only=True)
        return Done({"id": ""}) if isinstance(known, Returned) else known

    def contacts(self, record: Record, options: ContactOptions, answer: Answer) -> Outcome:
        """``id`` of the one contact, ``use`` for the oldest of several, neither for none."""
        rows = structs(self.redact, answer)
        if not isinstance(rows, list):
            return rows
        same = [row for row in rows if _is_same(row, record, options.duplicate_option)]
        ids = sorted((row_id(row) for row in same), key=int)
        if len(ids) > 1 and options.several_contacts == "refuse":
            return several_contacts(record, ids)
        if len(ids) > 1:
            return Done({"use": ids[0]})
        return Done({"id": ids[0]} if ids else {})

    def products(self, sku: str, answer: Answer) -> Outcome:
        """The one product with this SKU."""
        rows = structs(self.redact, answer)
        if not isinstance(rows, list):
            return rows
        match judged_products(rows, sku):
            case Found(result):
                self.catalogue[sku] = result
                return Done(result)
            case Unclear(message):
                return Refused("keap_several_products", message, ONE_PRODUCT, "sku")
            case Absent():
                return no_product(sku)

    def has_product(self, sku: str, answer: Answer) -> Outcome:
        """Whether a product with exactly this SKU is there."""
        rows = structs(self.redact, answer)
        return Done({"known": any(clean(row.get("Sku")) == sku for row in rows)}) if isinstance(rows, list) else rows

    def made(self, answer: Answer) -> Outcome:
        """The id of what was made or changed."""
        return self._forgetful(made_id(self.redact, answer))

    def done(self, answer: Answer) -> Outcome:
        """A call that answers *true*."""
        return self._forgetful(said_true(self.redact, answer))

    def _forgetful(self, outcome: Outcome) -> Outcome:
        if isinstance(outcome, Refused):
            self.catalogue.clear()  # a product may have been deleted since it was looked up
        return outcome

    def placed(self, answer: Answer) -> Outcome:
        """``placeOrder``: order and invoice, whatever it says of success, which speaks of a charge nobody asked for;
        the ids may come as text."""
        known = returned(answer, self.redact, reads_only=False)
        if not isinstance(known, Returned):
            return self._forgetful(known)
        values = known.value if isinstance(known.value, dict) else {}
        order, invoice = (_number(values.get(name)) for name in ("OrderId", "InvoiceId"))
        if order and invoice:
            return Done({"id": invoice, "job_id": order})
        return answers.unreadable(answer, self.redact, reads_only=False)

    def job(self, answer: Answer) -> Outcome:
        """The order of an invoice."""
        known = returned(answer, self.redact, reads_only=True)
        if not isinstance(known, Returned):
            return known
        found = row_id(known.value, "JobId") if isinstance(known.value, dict) else ""
        return Done({"id": found}) if found else answers.unreadable(answer, self.redact, reads_only=True)

    def invoice(self, refusal: Refused | None, job_id: str, answer: Answer) -> Outcome:
        """The one invoice of an order; ``refusal`` when the change is not sent to Keap."""
        rows = structs(self.redact, answer)
        if not isinstance(rows, list):
            return rows
        if len(rows) == 1:
            return refusal or Done({"id": row_id(rows[0])})
        return Refused(
            "keap_not_found",
            f"Keap has {len(rows)} invoices for order {job_id}; one was expected.",
            "See whether the order was deleted in Keap; correct the row or replay it.",
        )

    def lines(self, order_id: str, answer: Answer) -> Outcome:
        """``foreign``: how many lines of an order do not carry our mark."""
        rows = structs(self.redact, answer)
        if not isinstance(rows, list):
            return rows
        return Done({"foreign": sum(not _is_marked(row, order_id) for row in rows)})

    def payment_types(self, wanted: str, answer: Answer) -> Outcome:
        """Whether the tenant has this manual payment type; what Keap does with another is not documented."""
        known = returned(answer, self.redact, reads_only=True)
        if not isinstance(known, Returned):
            return known
        if not isinstance(known.value, dict):
            return answers.unreadable(answer, self.redact, reads_only=True)
        if wanted in known.value:
            return Done({"id": wanted})
        return Refused(
            "keap_payment_method",
            f"This Keap tenant has no payment type '{wanted}'; it has {', '.join(list(known.value)[:8]) or 'none'}.",
            "Add it to payment_methods in the mapping, or correct the payment method.",
            "payment_method",
        )

    def existing(self, answer: Answer) -> Outcome:
        """Orders whose custom field holds our id: ``found`` when there is one at least."""
        rows = structs(self.redact, answer)
        return Done({"found": bool(rows)}) if isinstance(rows, list) else rows

    def paid_order(self, field_name: str, order_id: str, answer: Answer) -> Outcome:
        """The one order a payment belongs to."""
        rows = structs(self.redact, answer)
        if not isinstance(rows, list):
            return rows
        ours = [row for row in rows if as_kept(row.get(field_name)) == as_kept(order_id)]
        if len(ours) == 1:
            return Done({"id": row_id(ours[0])})
        return Refused(
            "keap_order_not_found",
            f"Keap has {'several orders' if ours else 'no order'} with the order id {order_id}.",
            "Deliver the order first, then replay the payment; or correct the order id.",
            "order_id",
        )


def _is_marked(row: Struct, order_id: str) -> bool:
    return any(text.startswith(f"{as_kept(order_id)}: ") for text in texts_of(row))


def _is_same(row: Struct, record: Record, duplicate_option: str) -> bool:
    """Whether Keap's duplicate check would take this contact for the record's person."""
    given, _, family = names(record)
    wanted = {"Email": ()}.get(duplicate_option, (("FirstName", given), ("LastName", family)))
    if duplicate_option == "EmailAndNameAndCompany":
        wanted = (*wanted, ("Company", clean(record.text("company"))))
    pairs = (("Email", clean(record.text("email"))), *wanted)
    return all(clean(row.get(member)).casefold() == text.casefold() for member, text in pairs)


def _number(value: object) -> str:
    text = "" if isinstance(value, bool) else str(value).strip()
    return text if text.isdecimal() and int(text) > 0 else ""
