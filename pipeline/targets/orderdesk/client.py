"""The calls orderdrop makes to Order Desk, and how it looks for what may be there already."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import Absent, Answer, Finding, Found, Later, LookUp, Paused, Request, Unclear
from pipeline.targets.orderdesk.answers import Kind, Redact, remote_id, rows, trouble

PAGE = 50
"""Rows asked for at a time: the documented default, far below the documented most of 500."""

ALREADY_THERE = "already_there"
"""Set in a result when nothing had to be sent: the journal's word for "it was there before"."""

MAX_PAGES = 200
"""A search for one key that fills more pages than this has not understood the filter."""

Thing = Mapping[str, Any]
Search = Callable[[int], Request]


def orders_by_source_id(source_id: str, offset: int) -> Request:
    """A search for an order number.

    No range of dates, although the vendor asks for one on searches: an order that came another way may carry
    another date, and missing it would create it again.
    """
    query = (("source_id", source_id), ("order", "ASC"), ("limit", str(PAGE)), ("offset", str(offset)))
    return Request("GET", "/orders", query)


def stock_by_code(code: str, offset: int) -> Request:
    """A search for a SKU; one with a comma cannot be searched for."""
    return Request("GET", "/inventory-items", (("code", code), ("limit", str(PAGE)), ("offset", str(offset))))


def shipments_of(order_id: str) -> Request:
    """All shipments of an order, by its internal id."""
    return Request("GET", f"/orders/{order_id}/shipments")


def find_order(source_id: str, source_name: str, redact: Redact) -> LookUp:
    """Sees whether the order is there: same number and same shop, compared by ourselves.

    How exactly Order Desk compares is not documented (read 2026-11): a hit of its search is only a candidate.
    """

    def look() -> Generator[Request, Answer, Finding]:
        found = yield from _all_pages(lambda offset: orders_by_source_id(source_id, offset), "orders", redact)
        if isinstance(found, Unclear):
            return found
        return _single(same_orders(found, source_id, source_name), f"orders with the number {source_id}")

    return look


def find_stock(code: str, redact: Redact) -> LookUp:
    """Sees whether a stock row with exactly this SKU is there."""

    def look() -> Generator[Request, Answer, Finding]:
        found = yield from _all_pages(lambda offset: stock_by_code(code, offset), "inventory_items", redact)
        if isinstance(found, Unclear):
            return found
        return _single([one for one in found if one.get("code") == code], f"stock items with the SKU {code}")

    return look


def find_shipment(order_id: str, record: Record, redact: Redact) -> LookUp:
    """Sees whether the order has a shipment with this tracking number and carrier."""

    def look() -> Generator[Request, Answer, Finding]:
        answer = yield shipments_of(order_id)
        found = _rows_of(answer, "shipments", redact)
        if isinstance(found, Unclear):
            return found
        number = record.text("tracking_number")
        return _single([one for one in found if same_shipment(one, record)], f"shipments with the number {number}")

    return look


def same_orders(found: list[Thing], source_id: str, source_name: str | None) -> list[Thing]:
    """The orders that bear this number and, unless it is ``None``, come from this shop."""
    return [
        one for one in found if str(one.get("source_id")) == source_id and source_name in {None, one.get("source_name")}
    ]


def same_shipment(shipment: Thing, record: Record) -> bool:
    """Same tracking number and carrier; a carrier that one side does not name tells nothing."""
    if str(shipment.get("tracking_number") or "") != record.text("tracking_number"):
        return False
    theirs, ours = str(shipment.get("carrier_code") or ""), record.text("carrier")
    return not theirs or not ours or theirs.casefold() == ours.casefold()


def _all_pages(search: Search, name: str, redact: Redact) -> Generator[Request, Answer, list[Thing] | Unclear]:
    """Read to a short page: the vendor's own totals have been seen wrong (``"0"`` with three rows)."""
    found: list[Thing] = []
    for page in range(MAX_PAGES):
        answer = yield search(page * PAGE)
        more = _rows_of(answer, name, redact)
        if isinstance(more, Unclear):
            return more
        found += more
        if len(more) < PAGE:
            return found
    return Unclear(f"Order Desk's search filled {MAX_PAGES} pages; it does not seem to heed what is searched for.")


def _rows_of(answer: Answer, name: str, redact: Redact) -> list[Thing] | Unclear:
    bad = trouble(answer, redact, Kind.READ)
    if bad is not None:
        message = getattr(bad, "message", "Order Desk did not answer the search.")
        return Unclear(message, bad if isinstance(bad, Later | Paused) else None)
    found = rows(answer, name)
    return Unclear(f"Order Desk's answer to the search holds no list of {name}.") if found is None else found


def _single(found: list[Thing], what: str) -> Finding:
    if not found:
        return Absent()
    if len(found) > 1:
        ids = ", ".join(remote_id(one) for one in found)
        return Unclear(f"Order Desk has {len(found)} {what}: ids {ids}.")
    return Found({"id": remote_id(found[0])})
