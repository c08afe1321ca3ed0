"""Keap's own list of orders, for the comparison with the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pipeline.fields import RECORD_KINDS
from pipeline.targets.contract import Later, Listed, ListRead, Paused, Request, Unclear
from pipeline.targets.keap.answers import remote_id
from pipeline.targets.keap.lines import clean
from pipeline.targets.keap.lookups import field_content, whole_list
from pipeline.targets.keap.payload import minor_digits
from pipeline.targets.keap.readings import Readings

PAGE_SIZE = 1000
MOST_PAGES = 260
"""A day's quota of a tenant is 250 000 calls; a longer list is not for one reading."""
COMPARED = tuple(
    name
    for name, spec in RECORD_KINDS["order"].items()
    if spec.type == "text" and spec.level == "record" and name != "order_id"
)


def order_list(read: Readings, operation: str, since: datetime, until: datetime) -> ListRead | None:
    """The orders made or changed from ``since`` to ``until``; ``None`` for operations Keap lists nothing of."""
    return _orders(read, since, until) if operation == "place_order" else None


def _orders(read: Readings, since: datetime, until: datetime) -> ListRead:
    ids: dict[str, str] = {}
    if read.custom_fields:
        answer = yield Request("GET", "/rest/v2/orders/model")
        outcome = read.model(answer)
        fields = getattr(outcome, "result", {}).get("fields")
        if fields is None:
            return unclear(outcome)
        ids = {name: field["id"] for name, field in fields.items()}
    found: dict[str, Mapping[str, Any]] = {}
    # A change after the window hides an earlier one in it, so the list of changes has no upper end.
    for filter_text in (
        f"created_since_time=={_text(since)};created_until_time=={_text(until)}",
        f"modified_since_time=={_text(since)}",
    ):
        request = Request(
            "GET", "/rest/v2/orders", (("filter", filter_text), ("order_by", "id asc"), ("page_size", str(PAGE_SIZE)))
        )
        entries = yield from whole_list(request, "orders", read.redact, MOST_PAGES)
        if isinstance(entries, Unclear):
            return entries
        found |= {remote_id(entry): entry for entry in entries}
    return tuple(_listed(entry, ids) for entry in found.values())


def _listed(entry: Mapping[str, Any], ids: Mapping[str, str]) -> Listed:
    texts = {name: clean(field_content(entry, field_id)) for name, field_id in ids.items()}
    key = texts.get("order_id") or clean(entry.get("title"))
    facts = {name: text for name, text in texts.items() if text and name in COMPARED}
    return Listed("order", key, remote_id(entry), facts | _total(entry))


def _total(entry: Mapping[str, Any]) -> dict[str, str]:
    total = entry.get("total")
    amount = total.get("amount") if isinstance(total, Mapping) else None
    if not isinstance(total, Mapping) or not isinstance(amount, int) or isinstance(amount, bool):
        return {}
    text = format(Decimal(amount).scaleb(-minor_digits(clean(total.get("currency_code")))), "f")
    return {"order_total": text.rstrip("0").rstrip(".") if "." in text else text}


def _text(moment: datetime) -> str:
    """The longest documented form; milliseconds are demanded elsewhere in this API."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def unclear(outcome: Any) -> Unclear:  # noqa: ANN401 - any outcome but done
    """A list that could not be read; trouble of the account is passed on with it."""
    trouble = outcome if isinstance(outcome, Later | Paused) else None
    return Unclear(str(outcome.message), trouble)
