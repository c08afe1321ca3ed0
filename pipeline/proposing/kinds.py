"""Which record kind a file holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pipeline.fields import RECORD_KINDS
from pipeline.proposing.layouts import layout_of
from pipeline.proposing.matching import Seen, match

_TELLING: Mapping[str, tuple[str, ...]] = {
    "order": ("quantity", "unit_price", "ordered_at", "order_total", "order_id"),
    "inventory_item": ("stock", "cost", "price", "weight", "location", "name"),
    "shipment": ("tracking_number", "carrier", "shipped_at", "tracking_url"),
    "payment": ("amount", "payment_reference", "paid_at", "payment_method", "bank_name"),
    "customer": ("billing_city", "first_name", "last_name", "phone", "company", "customer_id"),
}
"""Fields that are typical of each kind; the required ones count besides."""


def likeliest_kind(columns: Sequence[Seen]) -> str:
    """The kind whose fields the columns fit best; a known layout decides."""
    layout = layout_of([column.header for column in columns])
    if layout is not None:
        return layout.kind
    found = {kind: {m.field: m.sure for m in match(columns, kind)} for kind in RECORD_KINDS}
    as_order = found["order"].keys()
    scores = {kind: _score(sure, kind) - _against(kind, as_order) for kind, sure in found.items()}
    return max(scores, key=scores.__getitem__)


def _score(sure: Mapping[str, float], kind: str) -> float:
    required = [spec.name for spec in RECORD_KINDS[kind].values() if spec.required]
    needed = sum(sure.get(name, 0.0) for name in required) / len(required)
    telling = sum(sure.get(name, 0.0) for name in _TELLING[kind]) / len(_TELLING[kind])
    return needed + telling + 0.02 * sum(sure.values())


def _against(kind: str, as_order: Collection[str]) -> float:
    """What speaks against a kind: columns only orders have, or the lack of what makes an order one."""
    match kind:
        case "order":
            return 0.0 if {"order_id", "ordered_at"} & set(as_order) else 0.8
        case "inventory_item":
            return 0.6 * len({"order_id", "ordered_at", "email", "tracking_number"} & set(as_order))
        case "shipment":
            bought = {"order_id", "quantity", "unit_price"} <= set(as_order)
            return 0.5 * bought + 0.5 * ("tracking_number" not in as_order)
        case "payment":
            return 0.6 * len({"sku", "product_name", "quantity"} & set(as_order))
    return 0.6 if {"order_id", "ordered_at", "quantity"} & set(as_order) else 0.0
