"""A few values of a column for a person to recognise it by; what tells who somebody is shows only its beginning."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.proposing.content import Look
from pipeline.reasons import shown

_OPEN_FIELDS = (
    "order_id ordered_at status sku product_name name quantity unit_price line_discount line_tax line_type "
    "subscription_status subscription_expires_on shipping_total tax_total discount_total order_total amount_paid "
    "amount currency paid_at payment_method coupon_code confirmed tag carrier shipped_at expected_delivery_on "
    "shipping_method price cost weight stock location manufacturer_sku shipping_country billing_country "
    "shipping_state billing_state shipping_city billing_city utm_source utm_medium utm_campaign utm_term"
)
_OPEN = frozenset(_OPEN_FIELDS.split())
_WIDTH = 28


def examples(look: Look, field: str = "", most: int = 3) -> tuple[str, ...]:
    """Up to ``most`` values on one line each; an address, a name or a free text is cut to its first letters."""
    plain = field in _OPEN or (not field and _harmless(look))
    return tuple(shown(text, _WIDTH) if plain else _hinted(text) for text in look.texts[:most])


def listed(values: Sequence[str]) -> str:
    """``a, b, c``, or that there is none."""
    return ", ".join(values) or "no value in the sample"


def _harmless(look: Look) -> bool:
    """Amounts, days, yes and no; a telephone number is a number too, so long ones are not harmless."""
    short = all(len(text) <= 8 for text in look.texts)
    return look.yes_no >= 0.9 or (look.numbers >= 0.9 and short) or look.dates is not None


def _hinted(text: str) -> str:
    name, at, domain = text.partition("@")
    if at and "." in domain:
        return shown(f"{name[:1]}…@{domain}", _WIDTH)
    return f"{shown(text[:2], 2)}…" if len(text) > 3 else shown(text, 4)
