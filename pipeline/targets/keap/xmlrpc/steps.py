"""The single XML-RPC calls of the plans: each says how its answer is read and how it can be seen afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import Refused, Step
from pipeline.targets.keap.lines import Item, clean
from pipeline.targets.keap.options import ContactOptions, PaymentOptions, XmlOrderOptions
from pipeline.targets.keap.payload import payment_method, payment_note, product_payload
from pipeline.targets.keap.xmlrpc.lookups import (
    ITEM_FIELDS,
    JOB_FIELDS,
    PRODUCT_FIELDS,
    JobSought,
    find_item,
    find_order,
    find_payment,
    find_placed,
    find_product,
    query,
)
from pipeline.targets.keap.xmlrpc.readings import Readings
from pipeline.targets.keap.xmlrpc.values import ORDER_FORM, Struct, contact_values, item_arguments
from pipeline.targets.keap.xmlrpc.wire import Id, call, eastern

CONTACT_FIELDS = ("Id", "FirstName", "LastName", "Email", "Company")
FORM_FIELDS = ("Id", "Name", "Label", "DataType")


@dataclass(frozen=True, slots=True)
class Steps:
    """The calls of one account."""

    read: Readings
    custom_fields: Mapping[str, str]
    looks_first: bool

    def model(self) -> Step:
        """Stored names and types of the configured order custom fields; they differ per tenant."""
        stand_in = {name: {"field_name": label, "type": 15} for name, label in self.custom_fields.items()}
        request = query("DataFormField", {"FormId": ORDER_FORM}, FORM_FIELDS)
        return Step("model", request, self.read.model, reads_only=True, preview={"fields": stand_in})

    def known_contact(self, record: Record, options: ContactOptions) -> Step:
        """Which contacts have the e-mail address."""
        request = call("ContactService.findByEmail", clean(record.text("email")), CONTACT_FIELDS)
        read = partial(self.read.contacts, record, options)
        return Step("known_contact", request, read, reads_only=True, preview={})

    def contact(self, record: Record, contact_id: str, options: ContactOptions, blanks: Struct) -> Step:
        """Update the one that is there, else add with Keap's duplicate check: sent twice it leaves one contact."""
        values = contact_values(record)
        request = (
            call("ContactService.update", Id(contact_id), values | blanks)
            if contact_id
            else call("ContactService.addWithDupCheck", values, options.duplicate_option)
        )
        email = clean(record.text("email"))
        return Step(
            "contact",
            request,
            self.read.made,
            repeatable=True,
            search_hint=f"contact {email}",
            shares=f"contact:{email.casefold()}",
        )

    def product(self, record: Record, sku: str, *, create: bool) -> Step:
        """Look the SKU up; with ``create`` make the product when Keap has none."""
        name, stand_in = f"product:{sku}", {"id": f"<id of {sku}>", "price": ""}
        if not create:
            request = query("Product", {"Sku": sku}, PRODUCT_FIELDS)
            return Step(name, request, partial(self.read.products, sku), reads_only=True, preview=stand_in)
        made = product_payload(record, sku)
        line = next(line for line in record.lines if clean(line.get("sku")) == sku)
        price = line.get("unit_price")
        values = {
            "ProductName": made["name"],
            "ShortDescription": made["name"],
            "Sku": sku,
            "ProductPrice": price if isinstance(price, Decimal) else Decimal(0),
            "Status": 1,
        }
        return Step(
            name,
            call("DataService.add", "Product", values),
            self.read.made,
            find=partial(find_product, sku, self.read.redact),
            look_first=True,
            search_hint=f"product with SKU {sku}",
            shares=name,
            preview=stand_in,
        )

    def named_product(self, sku: str) -> Step:
        """Whether there is a product with this SKU."""
        request = query("Product", {"Sku": sku}, PRODUCT_FIELDS)
        read = partial(self.read.has_product, sku)
        return Step(f"named:{sku}", request, read, reads_only=True, preview={"known": True})

    def blank_order(self, record: Record, sought: JobSought, *, look_first: bool) -> Step:
        """``createBlankOrder`` answers the id of the invoice; the order id stands in its description."""
        moment = record.time("ordered_at")
        assert moment is not None  # noqa: S101 - named as a problem before
        request = call("InvoiceService.createBlankOrder", Id(sought.contact_id), sought.order_id, eastern(moment), 0, 0)
        return Step(
            "order",
            request,
            self.read.made,
            find=partial(find_order, sought, self.read.redact),
            look_first=look_first,
            search_hint=f"order {sought.order_id} of contact {sought.contact_id}",
        )

    def existing(self, sought: JobSought) -> Step:
        """Whether an order carries our id already."""
        request = query("Job", {sought.field: sought.order_id}, ("Id", "ContactId", sought.field))
        return Step("existing", request, self.read.existing, reads_only=True, preview={"found": False})

    def placed_order(self, sought: JobSought, products: list[str], *, found: bool) -> Step:
        """``placeOrder``: no card, the default pay plan, no cart discounts; lines at the catalogue's prices."""
        ids = [Id(product) for product in products]
        request = call("OrderService.placeOrder", Id(sought.contact_id), 0, 0, ids, [], False, [], 0, 0)
        return Step(
            "order",
            request,
            self.read.placed,
            find=partial(find_placed, sought, products, self.read.redact),
            look_first=found,
            search_hint=f"order of contact {sought.contact_id} with the products of {sought.order_id}",
            preview={"id": "<id of invoice>", "job_id": "<id of order>"},
        )

    def job(self, invoice: str) -> Step:
        """From the invoice to its order."""
        request = call("DataService.load", "Invoice", Id(invoice), ("Id", "JobId", "InvoiceTotal", "TotalPaid"))
        return Step("job", request, self.read.job, reads_only=True)

    def invoice(self, job_id: str, refusal: Refused | None) -> Step:
        """From the order to its invoice, before an update."""
        request = query("Invoice", {"JobId": Id(job_id)}, ("Id", "JobId"))
        return Step("invoice", request, partial(self.read.invoice, refusal, job_id), reads_only=True)

    def lines(self, job_id: str, order_id: str) -> Step:
        """The lines of an order that was there before our first call."""
        request = query("OrderItem", {"OrderId": Id(job_id)}, ITEM_FIELDS)
        read = partial(self.read.lines, order_id)
        return Step("lines", request, read, reads_only=True, preview={"foreign": 0})

    def details(self, job_id: str, values: Struct) -> Step:
        """Set the named members of the order; sent twice it leaves the same order."""
        request = call("DataService.update", "Job", Id(job_id), values)
        return Step("details", request, self.read.made, repeatable=True, search_hint=f"Keap order {job_id}")

    def item(
        self, ids: tuple[str, str, str], item: Item, mark: str, options: XmlOrderOptions, *, look_first: bool
    ) -> Step:
        """One line; ``ids`` are those of invoice, order and product (``0`` for none)."""
        invoice, job_id, product = ids
        arguments = item_arguments(Id(invoice), Id(product), item, mark, options.discount_sign)
        return Step(
            f"item:{mark}",
            call("InvoiceService.addOrderItem", *arguments),
            self.read.done,
            find=partial(find_item, job_id, mark, item, self.read.redact),
            look_first=look_first,
            search_hint=f"line '{mark}' of Keap order {job_id}",
        )

    def payment_types(self, record: Record, options: PaymentOptions) -> Step:
        """The tenant's own list of manual payment types."""
        wanted = payment_method(record.text("payment_method"), options)
        request = call("InvoiceService.getAllPaymentOptions")
        return Step("payment_types", request, partial(self.read.payment_types, wanted), reads_only=True)

    def payment(
        self, record: Record, invoice: str, amount: Decimal, options: PaymentOptions, *, look_first: bool
    ) -> Step:
        """Money received elsewhere, recorded on the invoice; never a charge."""
        note, moment = payment_note(record), record.time("paid_at") or record.time("ordered_at")
        assert moment is not None  # noqa: S101 - named as a problem before
        method = payment_method(record.text("payment_method"), options)
        arguments: tuple[Any, ...] = (Id(invoice), amount, eastern(moment), method, note)
        return Step(
            "payment",
            call("InvoiceService.addManualPayment", *arguments, not options.apply_to_commissions),
            self.read.done,
            find=partial(find_payment, invoice, note, amount, self.read.redact),
            look_first=look_first,
            search_hint=f"payment of invoice {invoice} with the note '{note}'",
        )

    def paid_order(self, order_id: str, field_name: str) -> Step:
        """The order a payment belongs to, by the custom field that holds our order id."""
        request = query("Job", {field_name: order_id}, (*JOB_FIELDS, field_name))
        read = partial(self.read.paid_order, field_name, order_id)
        return Step("order", request, read, reads_only=True)
