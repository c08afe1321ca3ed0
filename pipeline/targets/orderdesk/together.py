"""``PUT /batch-inventory-items``: many changed stock rows in one call, each looked at before and after.

Seen in a client in use, not in the vendor's pages of 2018: a bare array of whole rows with their ids. Its answer tells
nothing of the single row, its longest array is not documented, nor whether it makes rows; so rows are made one by one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import (
    Answer,
    Done,
    Later,
    Outcome,
    Paused,
    Refused,
    Request,
    Together,
    Unclear,
)
from pipeline.targets.orderdesk.answers import Kind, Redact, remote_id, rows, trouble
from pipeline.targets.orderdesk.settings import InventoryOptions
from pipeline.targets.orderdesk.stock import changed_row

LONGEST_LIST = 1500
"""Characters of SKUs in one search: an address stays well below what servers take."""
PAGE = 500
MAX_PAGES = 20


def stock_together(options: InventoryOptions, redact: Redact) -> Together | None:
    """The way of many stock rows at once; ``None`` where the options do not ask for it."""
    if not options.together:
        return None

    def change(record: Record, there: Mapping[str, Any]) -> Mapping[str, Any] | None:
        row = changed_row(record, options, there)
        return None if row is None else {"id": there["id"], **row}

    def read(answer: Answer) -> Outcome:
        if answer.status in {404, 405}:
            return Refused("no_batch_call", "This store takes no call for several stock items.", "")
        return trouble(answer, redact, Kind.REPLACE) or Done({})

    return Together(
        most=options.together,
        fits=_fits,
        look=lambda records: _look(records, redact),
        change=change,
        request=lambda parts: Request("PUT", "/batch-inventory-items", json=list(parts)),
        read=read,
        result=lambda there: {"id": remote_id(there)},
    )


def _fits(record: Record) -> bool:
    """A SKU with a comma, or with blanks at its ends, cannot stand in a list of SKUs."""
    sku = record.text("sku")
    return record.kind == "inventory_item" and bool(sku) and "," not in sku and sku == sku.strip()


def _look(
    records: Sequence[Record], redact: Redact
) -> Generator[Request, Answer, Mapping[str, Mapping[str, Any]] | Unclear]:
    """The one row of each SKU, by record key; a SKU that stands there twice is left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for codes in _lists(dict.fromkeys(record.text("sku") for record in records)):
        for page in range(MAX_PAGES):
            query = (("code", ",".join(codes)), ("limit", str(PAGE)), ("offset", str(page * PAGE)))
            answer = yield Request("GET", "/inventory-items", query)
            bad = trouble(answer, redact, Kind.READ)
            more = rows(answer, "inventory_items") if bad is None else None
            if more is None:
                return Unclear("the stock items could not be read", bad if isinstance(bad, Later | Paused) else None)
            for row in more:
                found.setdefault(str(row.get("code")), []).append(row)
            if len(more) < PAGE:
                break
        else:
            return Unclear("the search by several SKUs does not end")
    once = {code: same[0] for code, same in found.items() if len(same) == 1}
    return {record.key: once[record.text("sku")] for record in records if record.text("sku") in once}


def _lists(codes: Mapping[str, Any]) -> Iterator[list[str]]:
    """The SKUs in lists of at most ``LONGEST_LIST`` characters."""
    held: list[str] = []
    for code in codes:
        if held and sum(map(len, held)) + len(held) + len(code) > LONGEST_LIST:
            yield held
            held = []
        held.append(code)
    yield held
