"""``order`` and ``shipment``: the plans."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import (
    Answer,
    Done,
    Outcome,
    Paused,
    Plan,
    Prior,
    Refused,
    Request,
    Result,
    Step,
)
from pipeline.targets.orderdesk.answers import Kind, Redact, remote_id, rows, thing, trouble, unreadable
from pipeline.targets.orderdesk.clearing import add_cleared, empty_copies
from pipeline.targets.orderdesk.client import (
    ALREADY_THERE,
    MAX_PAGES,
    PAGE,
    find_order,
    find_shipment,
    orders_by_source_id,
    same_orders,
)
from pipeline.targets.orderdesk.history import note_step
from pipeline.targets.orderdesk.payload import order_payload, shipment_payload
from pipeline.targets.orderdesk.settings import OrderOptions, ShipmentOptions
from pipeline.targets.orderdesk.updating import update_order


def order_plan(options: OrderOptions, redact: Redact, *, look_first: bool, record: Record, prior: Prior | None) -> Plan:
    """Create the order unless it is there, then move it to its folder and note it; or update a delivered one."""
    if prior is not None:
        order_id = str(prior.result.get("id") or (yield from _order_of(record, options.source_name, redact)))
        before, after = (
            add_cleared(order_payload(told, options), told, options)
            for told in (prior.record, record.over(prior.record))
        )
        empty_copies(before, after)
        return (yield from update_order(order_id, before, after, redact))
    order = yield Step(
        name="order",
        request=Request("POST", "/orders", json=order_payload(record, options)),
        read=lambda answer: _read_order(answer, redact),
        find=find_order(record.text("order_id"), options.source_name, redact),
        look_first=look_first,
        search_hint=record.text("order_id"),
    )
    # An order that was there before may have been moved on by people or rules: it is left where it is.
    if not order.get(ALREADY_THERE):
        yield from _finishing(str(order["id"]), record, options, redact)
    return order


def _finishing(order_id: str, record: Record, options: OrderOptions, redact: Redact) -> Generator[Step, Result, None]:
    """What is done to a fresh order once it was taken."""
    if options.folder is not None:
        yield _move(order_id, options.folder, redact)
    if options.history_note is not None:
        yield note_step(order_id, record.text("order_id"), options, redact)


def shipment_plan(options: ShipmentOptions, redact: Redact, *, look_first: bool, record: Record) -> Plan:
    """Find the order by its number, then add the shipment to it."""
    order_id = yield from _order_of(record, options.source_name, redact)
    return (
        yield Step(
            name="shipment",
            request=Request("POST", f"/orders/{order_id}/shipments", json=shipment_payload(record)),
            read=lambda answer: _read_shipment(answer, order_id, record, redact),
            find=find_shipment(order_id, record, redact),
            look_first=look_first,
            search_hint=f"{record.text('order_id')} {record.text('tracking_number')}",
        )
    )


def _read_order(answer: Answer, redact: Redact) -> Outcome:
    bad = trouble(answer, redact, Kind.CREATE)
    if bad is not None:
        return bad
    made = thing(answer, "order")
    return unreadable(answer, redact, Kind.CREATE) if made is None else Done({"id": remote_id(made)})


def _read_shipment(answer: Answer, order_id: str, record: Record, redact: Redact) -> Outcome:
    """The documented answer names no id, so order and tracking number stand for it."""
    bad = trouble(answer, redact, Kind.CREATE)
    if bad is not None:
        return bad
    made = thing(answer, "shipment")
    return Done({"id": remote_id(made) if made else f"{order_id}/{record.text('tracking_number')}"})


def _move(order_id: str, folder: str | int, redact: Redact) -> Step:
    """Moving twice leaves the order where moving once does, so it may be repeated."""
    where = {"destination_folder_id": folder} if isinstance(folder, int) else {"destination_folder_name": folder}
    number = int(order_id) if order_id.isdecimal() else order_id

    def read(answer: Answer) -> Outcome:
        bad = trouble(answer, redact, Kind.REPLACE)
        if isinstance(bad, Refused):
            # The order is there and the row is right; what is wrong is the option.
            return Paused("no_such_folder", bad.message, f"Correct the option folder ('{folder}') of the mapping.")
        return bad or Done({"id": order_id})

    return Step(
        name="move",
        request=Request("POST", "/move-orders", json={"order_id_list": [number], **where}),
        read=read,
        repeatable=True,
    )


def _order_of(record: Record, source_name: str | None, redact: Redact) -> Generator[Step, Result, str]:
    """The internal id of the order a record names; the plan stops when there is none, or more than one."""
    found: list[Mapping[str, Any]] = []
    for page in range(MAX_PAGES):
        result = yield _order_step(record, source_name, page, tuple(found), redact)
        found += result["rows"]
        if result["id"]:
            return str(result["id"])
    raise AssertionError("the last page of a search is never without a verdict")


def _order_step(
    record: Record,
    source_name: str | None,
    page: int,
    before: tuple[Mapping[str, Any], ...],
    redact: Redact,
) -> Step:
    source_id = record.text("order_id")

    def read(answer: Answer) -> Outcome:
        bad = trouble(answer, redact, Kind.READ)
        if bad is not None:
            return bad
        more = rows(answer, "orders")
        if more is None:
            return unreadable(answer, redact, Kind.READ)
        if len(more) == PAGE and page < MAX_PAGES - 1:
            return Done({"id": "", "rows": _slim(more)})
        return _only_order(same_orders([*before, *more], source_id, source_name), source_id)

    name = f"find order, page {page + 1}" if page else "find order"
    stand_in = {"id": f"<id of order {source_id}>", "rows": []}
    return Step(name, orders_by_source_id(source_id, page * PAGE), read, reads_only=True, preview=stand_in)


def _slim(found: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [{name: one.get(name) for name in ("id", "source_id", "source_name")} for one in found]


def _only_order(same: list[Mapping[str, Any]], source_id: str) -> Outcome:
    if len(same) == 1:
        return Done({"id": remote_id(same[0]), "rows": []})
    if not same:
        return Refused(
            "unknown_order",
            f"Order Desk has no order with the number '{source_id}'.",
            "Check the order number; if the order comes later, replay this row then.",
            "order_id",
        )
    ids = ", ".join(remote_id(one) for one in same)
    return Refused(
        "order_not_unique",
        f"Order Desk has {len(same)} orders with the number '{source_id}': ids {ids}.",
        "Name the shop in the option source_name of the mapping, or do it by hand.",
        "order_id",
    )
