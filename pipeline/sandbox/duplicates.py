"""What exists twice at a simulated target: the sandbox's answer to "was anything sent again?"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

BUSINESS_KEYS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "orderdesk": {
        "orders": ("source_id",),
        "shipments": ("order_id", "tracking_number"),
        "inventory_items": ("code",),
    },
    "keap": {"orders": ("external_id",), "contacts": ("email",), "products": ("sku",)},
    "influencersoft": {"orders": ("tag",)},
    "kapture": {"orders": ("erp_order_id",)},
}
"""By target and kind, the fields that make one thing of the sender's world; they may exist once."""


def duplicates(target: str, truth: Mapping[str, Any]) -> dict[str, int]:
    """Keys that exist more than once with their number, as ``{"orders 1001": 2}``; a blank key is none."""
    found: Counter[str] = Counter()
    for kind, names in BUSINESS_KEYS.get(target, {}).items():
        for thing in truth.get(kind, ()):
            values = [str(thing.get(name) or "") for name in names]
            if any(values):
                found[f"{kind} {' '.join(values)}"] += 1
    return {key: number for key, number in found.items() if number > 1}
