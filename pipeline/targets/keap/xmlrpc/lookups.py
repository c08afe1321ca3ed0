"""How to see over XML-RPC whether a call happened: queries only, exact, rather *unclear* than wrongly *absent*."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pipeline.targets.contract import Absent, Answer, Finding, Found, Later, Paused, Request, Unclear
from pipeline.targets.keap.answers import Redact
from pipeline.targets.keap.lines import Item, as_kept, clean, is_note
from pipeline.targets.keap.payload import NOTE_BEGINS
from pipeline.targets.keap.xmlrpc.answers import row_id, structs
from pipeline.targets.keap.xmlrpc.values import ITEM_TYPES, Struct
from pipeline.targets.keap.xmlrpc.wire import Id, call

PAGE_SIZE = 1000
MOST_PAGES = 20
MOST_ORDERS = 20
"""An order without a mark is only looked into this often; a contact with more is a person's business."""
JOB_FIELDS = ("Id", "ContactId", "JobTitle", "JobNotes", "StartDate")
ITEM_FIELDS = ("Id", "ProductId", "ItemType", "ItemName", "ItemDescription", "Notes", "Qty", "PPU")
PRODUCT_FIELDS = ("Id", "ProductName", "Sku", "ProductPrice")
Reading = Generator[Request, Answer, Finding]


@dataclass(frozen=True, slots=True)
class JobSought:
    """What tells our order from others; ``field`` is the custom field that holds our id, empty without one."""

    order_id: str
    contact_id: str
    start: datetime | None
    field: str = ""


def may_query(text: str) -> bool:
    """Whether a text can stand in a query: ``%`` is a wildcard, a leading ``~`` an operator."""
    return bool(text) and "%" not in text and not text.startswith("~")


def query(table: str, where: Struct, fields: tuple[str, ...], page: int = 0) -> Request:
    """One page of a table, oldest first."""
    return call("DataService.query", table, PAGE_SIZE, page, where, fields, "Id", True)


def whole_table(
    table: str, where: Struct, fields: tuple[str, ...], redact: Redact
) -> Generator[Request, Answer, list[Struct] | Unclear]:
    """Every row that matches; *unclear* when a page is unreadable or there are too many."""
    found: list[Struct] = []
    for page in range(MOST_PAGES):
        rows = structs(redact, (yield query(table, where, fields, page)))
        if not isinstance(rows, list):
            return _unreadable(table, rows)
        found += rows
        if len(rows) < PAGE_SIZE:
            return found
    return Unclear(f"Keap's table {table} is too long to be looked through.")


def _unreadable(table: str, outcome: Any) -> Unclear:  # noqa: ANN401 - any outcome but done
    blamed = outcome if isinstance(outcome, Later | Paused) else None
    return Unclear(f"Keap's {table} could not be read: {outcome.message}", blamed)


def find_order(sought: JobSought, redact: Redact) -> Reading:
    """By the custom field, else among the contact's orders by title or note; with the id of its invoice."""
    found = yield from find_job(sought, redact)
    if isinstance(found, Found):
        return (yield from with_invoice(found, redact))
    return found


def find_job(sought: JobSought, redact: Redact) -> Reading:
    """The order without its invoice."""
    if sought.field and may_query(sought.order_id):
        rows = yield from _jobs({sought.field: sought.order_id}, sought, redact)
        if isinstance(rows, Unclear):
            return rows
        ours = [row for row in rows if _is_ours(row, sought)]
        if ours or not sought.contact_id:
            return _judged(ours, sought)
    rows = yield from _jobs({"ContactId": Id(sought.contact_id)}, sought, redact)
    if isinstance(rows, Unclear):
        return rows
    return _judged([row for row in rows if _is_ours(row, sought)], sought, rows)


def _jobs(where: Struct, sought: JobSought, redact: Redact) -> Generator[Request, Answer, list[Struct] | Unclear]:
    fields = (*JOB_FIELDS, sought.field) if sought.field else JOB_FIELDS
    return (yield from whole_table("Job", where, fields, redact))


def _is_ours(row: Struct, sought: JobSought) -> bool:
    """By the custom field where it is filled; else by title or note: which of them a new order's description
    becomes is not documented."""
    if marked := clean(row.get(sought.field)) if sought.field else "":
        return as_kept(marked) == as_kept(sought.order_id)
    return as_kept(sought.order_id) in (as_kept(row.get("JobTitle")), as_kept(row.get("JobNotes")))


def _judged(ours: list[Struct], sought: JobSought, others: list[Struct] | None = None) -> Finding:
    if len(ours) > 1:
        return Unclear(f"Keap has {len(ours)} orders called {sought.order_id}: ids {_ids(ours)}.")
    if ours:
        return _of_contact(ours[0], sought)
    nameless = [row for row in others or () if _is_nameless(row, sought)]
    if nameless:
        return Unclear(f"Keap has an order of the same time without a title: ids {_ids(nameless)}.")
    return Absent()


def _of_contact(row: Struct, sought: JobSought) -> Finding:
    contact = row_id(row, "ContactId")
    if contact and sought.contact_id and contact != sought.contact_id:
        return Unclear(
            f"Keap order {row_id(row)} carries the order id {sought.order_id} but belongs to contact {contact}, "
            f"not {sought.contact_id}."
        )
    return Found({"job_id": row_id(row), "contact_id": contact, "found": True})


def _is_nameless(row: Struct, sought: JobSought) -> bool:
    named = clean(row.get("JobTitle")) or clean(row.get("JobNotes"))
    return not named and sought.start is not None and row.get("StartDate") == sought.start


def with_invoice(found: Found, redact: Redact) -> Reading:
    """The same with ``id``: the invoice of the order. An order has one; a subscription would have several."""
    rows = yield from whole_table("Invoice", {"JobId": Id(found.result["job_id"])}, ("Id", "JobId"), redact)
    if isinstance(rows, Unclear):
        return rows
    if len(rows) != 1:
        return Unclear(f"Keap order {found.result['job_id']} has {len(rows)} invoices; one was expected.")
    return Found({**found.result, "id": row_id(rows[0])})


def find_placed(sought: JobSought, products: list[str], redact: Redact) -> Reading:
    """An order made by ``placeOrder``, which carries no word of ours until it is updated: one of the same products
    without a mark of its own may be it."""
    found = yield from find_order(sought, redact)
    if not isinstance(found, Absent):
        return found
    rows = yield from _jobs({"ContactId": Id(sought.contact_id)}, sought, redact)
    if isinstance(rows, Unclear):
        return rows
    unmarked = [row for row in rows if not (sought.field and clean(row.get(sought.field)))]
    if len(unmarked) > MOST_ORDERS:
        return Unclear(f"Contact {sought.contact_id} has {len(unmarked)} orders without an order id.")
    for row in unmarked:
        items = yield from whole_table("OrderItem", {"OrderId": Id(row_id(row))}, ITEM_FIELDS, redact)
        if isinstance(items, Unclear):
            return items
        if sorted(str(item["ProductId"]) for item in items if item.get("ProductId")) == sorted(products):
            return Unclear(f"Keap order {row_id(row)} has the same products and no order id; it may be ours.")
    return Absent()


def find_item(job_id: str, mark: str, item: Item, redact: Redact) -> Reading:
    """The line that carries our mark; an unmarked one of the same kind, quantity and price is unclear."""
    rows = yield from whole_table("OrderItem", {"OrderId": Id(job_id)}, ITEM_FIELDS, redact)
    if isinstance(rows, Unclear):
        return rows
    ours = [row for row in rows if as_kept(mark) in texts_of(row)]
    if len(ours) == 1:
        return Found({"id": row_id(ours[0])})
    if ours:
        return Unclear(f"Keap order {job_id} has {len(ours)} lines marked '{mark}': ids {_ids(ours)}.")
    begins = as_kept(mark.partition(": ")[0]) + ": "
    unmarked = [row for row in rows if not any(text.startswith(begins) for text in texts_of(row))]
    if alike := [row for row in unmarked if _is_alike(row, item)]:
        return Unclear(f"Keap order {job_id} has a line like '{mark}' without our mark: ids {_ids(alike)}.")
    return Absent()


def texts_of(row: Struct) -> tuple[str, str, str]:
    """Where a mark may stand: which argument of ``addOrderItem`` becomes which of these is told in two ways."""
    return as_kept(row.get("Notes")), as_kept(row.get("ItemDescription")), as_kept(row.get("ItemName"))


def _is_alike(row: Struct, item: Item) -> bool:
    price = row.get("PPU")
    same_price = isinstance(price, int | Decimal) and abs(price) == abs(item.price)
    return row.get("ItemType") == ITEM_TYPES[item.item_type] and same_price and row.get("Qty") == item.quantity


def find_payment(invoice: str, note: str, amount: Decimal, redact: Redact) -> Reading:
    """A payment of this invoice with our note; the same amount under another or no note is unclear."""
    rows = structs(redact, (yield call("InvoiceService.getPayments", Id(invoice))))
    if not isinstance(rows, list):
        return _unreadable("payments", rows)
    ours = [row for row in rows if is_note(row.get("PayNote"), note)]
    if len(ours) == 1:
        return Found({"id": row_id(ours[0])})
    if ours:
        return Unclear(f"Keap invoice {invoice} has {len(ours)} payments with the note '{note}': ids {_ids(ours)}.")
    foreign = [row for row in rows if not clean(row.get("PayNote")).startswith(NOTE_BEGINS)]
    if alike := [row for row in foreign if row.get("PayAmt") == amount]:
        return Unclear(f"Keap invoice {invoice} has a payment of the same amount without our note: ids {_ids(alike)}.")
    return Absent()


def find_product(sku: str, redact: Redact) -> Reading:
    """A product with exactly this SKU; Keap's own comparison ignores case, ours does not."""
    rows = yield from whole_table("Product", {"Sku": sku}, PRODUCT_FIELDS, redact)
    return rows if isinstance(rows, Unclear) else judged_products(rows, sku)


def judged_products(rows: list[Struct], sku: str) -> Finding:
    """Which of the products is meant; ``price`` is the catalogue's, as text."""
    exact = [row for row in rows if clean(row.get("Sku")) == sku]
    if len(exact) == 1:
        return Found({"id": row_id(exact[0]), "price": str(exact[0].get("ProductPrice", ""))})
    if exact:
        return Unclear(f"Keap has {len(exact)} products with SKU {sku}: ids {_ids(exact)}.")
    if not rows:
        return Absent()
    others = ", ".join(sorted({clean(row.get("Sku")) or "(none)" for row in rows})[:3])
    return Unclear(f"Keap has no product with SKU {sku} but answers with others: {others}.")


def _ids(rows: list[Struct]) -> str:
    return ", ".join(row_id(row) for row in rows[:5])
