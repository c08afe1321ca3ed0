"""``check --online --create-fields`` over XML-RPC: which configured order custom fields lack, and making them.

A new field stands in a group of a tab of the order form, both of which a person has made in Keap; the first one is
taken. The name of the record type is told in three ways (``Order`` by two clients, table names by a third; 2026-11):
``Order`` is sent, and a refusal is shown as it comes.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

from pipeline.targets.contract import Answer, Done, Outcome, Plan, Result, Step
from pipeline.targets.keap.custom_fields import readable
from pipeline.targets.keap.readings import matching
from pipeline.targets.keap.xmlrpc.answers import row_id, structs
from pipeline.targets.keap.xmlrpc.lookups import query
from pipeline.targets.keap.xmlrpc.readings import Readings
from pipeline.targets.keap.xmlrpc.steps import FORM_FIELDS
from pipeline.targets.keap.xmlrpc.values import ORDER_FORM
from pipeline.targets.keap.xmlrpc.wire import Id, call

RECORD_TYPE, DATA_TYPE = "Order", "Text"


def fields_plan(read: Readings, *, create: bool) -> Plan:
    """``missing``: texts of ``custom_fields`` no order custom field answers to; ``created``: those made now. Without a
    tab and a group for them nothing is made, and one that got another name than configured stays in ``missing``."""
    missing = yield from _missing_fields(read, "model")
    created = []
    group = (yield from _group(read)) if create and missing else ""
    for label in missing if group else ():
        request = call("DataService.addCustomField", RECORD_TYPE, readable(label), DATA_TYPE, Id(group))
        yield Step(f"create_field:{label}", request, read.made, search_hint=f"order custom field {label}")
        created.append(label)
    if created:
        missing = yield from _missing_fields(read, "model_after")
    return {"missing": missing, "created": created}


def _group(read: Readings) -> Generator[Step, Result, str]:
    """The id of the group new order fields are put into, empty when there is none."""
    tabs = yield _ids(read, "tabs", "DataFormTab", "FormId", str(ORDER_FORM))
    for tab in tabs["ids"]:
        groups = yield _ids(read, f"groups:{tab}", "DataFormGroup", "TabId", tab)
        if groups["ids"]:
            return str(groups["ids"][0])
    return ""


def _ids(read: Readings, name: str, table: str, column: str, value: str) -> Step:
    request = query(table, {column: Id(value)}, ("Id", column))
    return Step(name, request, partial(_row_ids, read), reads_only=True, preview={"ids": []})


def _row_ids(read: Readings, answer: Answer) -> Outcome:
    rows = structs(read.redact, answer)
    return Done({"ids": [row_id(row) for row in rows if row_id(row)]}) if isinstance(rows, list) else rows


def _missing_fields(read: Readings, name: str) -> Generator[Step, Result, list[str]]:
    request = query("DataFormField", {"FormId": ORDER_FORM}, FORM_FIELDS)
    seen = yield Step(name, request, partial(_missing, read), reads_only=True, preview={"missing": []})
    return list(seen["missing"])


def _missing(read: Readings, answer: Answer) -> Outcome:
    known = read.fields(answer)
    if not isinstance(known, list):
        return known
    return Done({"missing": [label for label in read.custom_fields.values() if not matching(known, label)]})
