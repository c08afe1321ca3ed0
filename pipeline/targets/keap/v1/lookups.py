"""How to see over REST v1 whether a call happened: by the contact's orders, because nothing else can be searched."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from decimal import Decimal
from typing import Any

from pipeline.targets.contract import Absent, Answer, Finding, Found, Request, Unclear
from pipeline.targets.keap.answers import Redact, remote_id, rows
from pipeline.targets.keap.lines import as_kept, clean, is_note
from pipeline.targets.keap.lookups import OrderSought, unreadable
from pipeline.targets.keap.payload import NOTE_BEGINS

PAGE_SIZE = 1000
MOST_PAGES = 50
Entry = Mapping[str, Any]
Reading = Generator[Request, Answer, Finding]


def page(path: str, offset: int, *query: tuple[str, str]) -> Request:
    """One page of a list."""
    return Request("GET", path, (*query, ("limit", str(PAGE_SIZE)), ("offset", str(offset))))


def whole_list(
    path: str, name: str, redact: Redact, *query: tuple[str, str]
) -> Generator[Request, Answer, list[Entry] | Unclear]:
    """Every entry of a list over its pages; *unclear* when a page is unreadable or there are too many."""
    found: list[Entry] = []
    for number in range(MOST_PAGES):
        answer = yield page(path, number * PAGE_SIZE, *query)
        entries = rows(answer, name)
        if entries is None:
            return unreadable(answer, f"list of {name}", redact)
        found += entries
        if len(entries) < PAGE_SIZE:
            return found
    return Unclear(f"Keap's list of {name} is too long to be looked through.")


def find_order(sought: OrderSought, redact: Redact) -> Reading:
    """Among all orders of the contact by title and total. No time window: whether ``since`` means our date or Keap's
    is not documented, and a window that misses the order would make it twice."""
    entries = yield from whole_list("/rest/v1/orders", "orders", redact, ("contact_id", sought.contact_id))
    if isinstance(entries, Unclear):
        return entries
    titled = [entry for entry in entries if as_kept(entry.get("title")) == as_kept(sought.order_id)]
    if len(titled) == 1 and decimal(titled[0].get("total")) == sought.total:
        return Found({"id": remote_id(titled[0]), "contact_id": sought.contact_id, "found": True})
    if titled:
        return Unclear(f"Keap has orders titled {sought.order_id} that differ or repeat: ids {_ids(titled)}.")
    nameless = [entry for entry in entries if not clean(entry.get("title"))]
    if alike := [entry for entry in nameless if decimal(entry.get("total")) == sought.total]:
        return Unclear(f"Keap has orders of the same total without a title: ids {_ids(alike)}.")
    return Absent()


def find_product(sku: str, redact: Redact) -> Reading:
    """Among all products: REST v1 has no search by SKU."""
    entries = yield from whole_list("/rest/v1/products", "products", redact)
    if isinstance(entries, Unclear):
        return entries
    exact = [entry for entry in entries if clean(entry.get("sku")) == sku]
    if len(exact) > 1:
        return Unclear(f"Keap has {len(exact)} products with SKU {sku}: ids {_ids(exact)}.")
    return Found({"id": remote_id(exact[0])}) if exact else Absent()


def find_payment(order_id: str, note: str, amount: Decimal, redact: Redact) -> Reading:
    """A payment of this order with our note; the same amount under another note is unclear."""
    answer = yield Request("GET", f"/rest/v1/orders/{order_id}/payments")
    entries = answer.json() if answer.ok else None
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        return unreadable(answer, f"list of payments of order {order_id}", redact)
    ours = [entry for entry in entries if is_note(entry.get("note"), note)]
    if len(ours) == 1:
        return Found({"id": str(ours[0].get("payment_id") or remote_id(ours[0]))})
    foreign = [entry for entry in entries if not clean(entry.get("note")).startswith(NOTE_BEGINS)]
    alike = ours or [entry for entry in foreign if decimal(entry.get("amount")) == amount]
    if alike:
        return Unclear(f"Keap order {order_id} has payments that may be this one: ids {_ids(alike)}.")
    return Absent()


def decimal(value: object) -> Decimal | None:
    """A JSON number as an exact decimal, by the digits it was written with."""
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _ids(entries: list[Entry]) -> str:
    return ", ".join(remote_id(entry) for entry in entries[:5])
