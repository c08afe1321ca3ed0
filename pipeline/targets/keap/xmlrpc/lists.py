"""Keap's own list of orders over XML-RPC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pipeline.targets.contract import Done, Listed, ListRead, Unclear
from pipeline.targets.keap.lines import clean
from pipeline.targets.keap.lists import COMPARED, unclear
from pipeline.targets.keap.xmlrpc.answers import row_id
from pipeline.targets.keap.xmlrpc.lookups import JOB_FIELDS, query, whole_table
from pipeline.targets.keap.xmlrpc.readings import Readings
from pipeline.targets.keap.xmlrpc.steps import FORM_FIELDS
from pipeline.targets.keap.xmlrpc.values import ORDER_FORM, Struct
from pipeline.targets.keap.xmlrpc.wire import eastern


def order_list(read: Readings, operation: str, since: datetime, until: datetime) -> ListRead | None:
    """The orders made or changed from ``since`` to ``until``; ``None`` for operations Keap lists nothing of."""
    return _orders(read, eastern(since), eastern(until)) if operation == "place_order" else None


def _orders(read: Readings, since: datetime, until: datetime) -> ListRead:
    fields: Mapping[str, str] = {}
    if read.custom_fields:
        outcome = read.model((yield query("DataFormField", {"FormId": ORDER_FORM}, FORM_FIELDS)))
        if not isinstance(outcome, Done):
            return unclear(outcome)
        fields = {name: field["field_name"] for name, field in outcome.result["fields"].items()}
    found: dict[str, Struct] = {}
    columns = (*JOB_FIELDS, "DateCreated", *fields.values())
    for column in ("DateCreated", "LastUpdated"):
        where = {column: f"~>=~ {since:%Y-%m-%d %H:%M:%S}"}
        rows = yield from whole_table("Job", where, columns, read.redact)
        if isinstance(rows, Unclear):
            return rows
        found |= {row_id(row): row for row in rows if column == "LastUpdated" or _is_before(row, until)}
    return tuple(_listed(row, fields) for row in found.values())


def _is_before(row: Struct, until: datetime) -> bool:
    made = row.get("DateCreated")
    return not isinstance(made, datetime) or made <= until


def _listed(row: Struct, fields: Mapping[str, str]) -> Listed:
    texts = {name: clean(row.get(column)) for name, column in fields.items()}
    facts = {name: text for name, text in texts.items() if text and name in COMPARED}
    return Listed("order", texts.get("order_id") or clean(row.get("JobTitle")), row_id(row), facts)
