"""Everything Keap would refuse, named before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from pipeline.model import Record, Value
from pipeline.targets.contract import Refused
from pipeline.targets.keap.lines import ITEM_TYPES, NEEDS_PRODUCT, clean, line_type, number, total_of
from pipeline.targets.keap.lookups import may_filter
from pipeline.targets.keap.options import OrderOptions
from pipeline.targets.keap.payload import minor_digits
from pipeline.targets.keap.people import names
from pipeline.targets.keap.places import country_code

# Lengths documented in the official v2 spec (2026-08-20), in characters.
_LIMITS: Mapping[str, int] = {
    "email": 75, "phone": 40, "billing_address1": 75, "billing_address2": 75, "billing_city": 50,
    "billing_postal_code": 15, "shipping_address1": 100, "shipping_address2": 100, "shipping_city": 100,
    "shipping_postal_code": 20,
}  # fmt: skip
_NAME_LIMITS = (("first_name", 40), ("middle_name", 100), ("last_name", 40))
_TOTALS = ("shipping_total", "tax_total", "amount_paid")
MOST_QUANTITY = 2**31 - 1


def contact_problems(record: Record) -> Iterator[Refused]:
    """What makes the record's person impossible as a contact."""
    email = clean(record.text("email"))
    if not email:
        yield Refused(
            "keap_needs_email",
            "There is no e-mail address; Keap knows an existing contact by it and would make a second one.",
            "Fill in the e-mail address.",
            "email",
        )
    elif not may_filter(email) or "*" in email:
        yield Refused("keap_email", f"'{email}' cannot be looked up at Keap.", "Correct the e-mail address.", "email")
    yield from _too_long(record)
    for field in ("billing_country", "shipping_country"):
        country = clean(record.text(field))
        if country and not country_code(country):
            yield Refused(
                "keap_country",
                f"'{country}' is not an ISO 3166 country code.",
                "Write a two-letter code such as US.",
                field,
            )


def order_problems(record: Record, options: OrderOptions) -> Iterator[Refused]:
    """What makes the record impossible as an order."""
    if not clean(record.text("order_id")):
        yield Refused("keap_order_id", "There is no order id.", "Fill in the order id.", "order_id")
    if record.time("ordered_at") is None:
        yield Refused(
            "keap_ordered_at",
            "There is no order date; Keap demands one.",
            "Fill in the order date.",
            "ordered_at",
        )
    if not record.lines:
        yield Refused("keap_no_lines", "The order has no lines.", "Add at least one row with a quantity and a price.")
    broken = [*_line_problems(record), *_amount_problems(record)]
    yield from broken
    if not broken:
        yield from _total_problems(record, options)


def _too_long(record: Record) -> Iterator[Refused]:
    named = zip(_NAME_LIMITS, names(record), strict=True)
    parts = [(field, text, most) for (field, most), text in named]
    parts += [(field, clean(record.text(field)), most) for field, most in _LIMITS.items()]
    for field, text, most in parts:
        if len(text) > most:
            shown = field if record.text(field) else "full_name"
            yield Refused(
                "keap_too_long",
                f"{shown} has {len(text)} characters; Keap takes {most}.",
                "Shorten the text.",
                shown,
            )


def _line_problems(record: Record) -> Iterator[Refused]:
    digits = minor_digits(record.text("currency"))
    for position, line in enumerate(record.lines, start=1):
        yield from _one_line(line, f"Line {position}", digits)


def _one_line(line: Mapping[str, Value], where: str, digits: int) -> Iterator[Refused]:
    kind = line_type(line)
    if kind not in ITEM_TYPES:
        known = ", ".join(ITEM_TYPES)
        yield Refused("keap_line_type", f"{where}: '{kind}' is no line type.", f"Write one of: {known}.", "line_type")
    if kind in NEEDS_PRODUCT and not clean(line.get("sku")):
        yield Refused(
            "keap_needs_sku",
            f"{where} has no SKU, so its product cannot be found.",
            "Fill in the SKU.",
            "sku",
        )
    elif kind in NEEDS_PRODUCT and (not may_filter(clean(line.get("sku"))) or "*" in clean(line.get("sku"))):
        yield Refused(
            "keap_sku", f"{where}: the SKU '{clean(line.get('sku'))}' cannot be looked up at Keap.",
            "Use a SKU without ; , < > = ! and *.", "sku",
        )  # fmt: skip
    yield from _quantity(line, where)
    yield from _price(line, where, kind, digits)


def _quantity(line: Mapping[str, Value], where: str) -> Iterator[Refused]:
    quantity = line.get("quantity")
    if not isinstance(quantity, Decimal) or not _is_whole(quantity):
        shown = "missing" if quantity is None else str(quantity)
        yield Refused(
            "keap_quantity",
            f"{where}: the quantity is {shown}; Keap takes whole numbers from 1.",
            "Write a whole number of at least 1, or leave the row out.",
            "quantity",
        )


def _is_whole(quantity: Decimal) -> bool:
    return quantity.is_finite() and 1 <= quantity <= MOST_QUANTITY and quantity == int(quantity)


def _price(line: Mapping[str, Value], where: str, kind: str, digits: int) -> Iterator[Refused]:
    price = line.get("unit_price")
    if not isinstance(price, Decimal) or not price.is_finite():
        yield Refused(
            "keap_price",
            f"{where} has no price; Keap would take the catalogue's.",
            "Fill in the unit price.",
            "unit_price",
        )
        return
    if price < 0 and kind != "discount":
        yield Refused(
            "keap_price",
            f"{where}: the price {price} is negative.",
            "Give money off as a row of line type discount.",
            "unit_price",
        )
    amounts = {"unit_price": price} | {name: number(line.get(name)) for name in ("line_tax", "line_discount")}
    for field, amount in amounts.items():
        if _too_fine(amount, digits):
            yield _fineness(f"{where}: {field}", amount, digits, field)
        elif field == "line_tax" and amount < 0:
            yield Refused("keap_amount", f"{where}: line_tax is negative.", "Correct the amount.", field)


def _amount_problems(record: Record) -> Iterator[Refused]:
    digits = minor_digits(record.text("currency"))
    for field in (*_TOTALS, "discount_total"):
        amount = number(record.fields.get(field))
        if _too_fine(amount, digits):
            yield _fineness(field, amount, digits, field)
        elif amount < 0 and field in _TOTALS:
            yield Refused(
                "keap_amount",
                f"{field} is {amount}; Keap takes no negative amount.",
                "Correct the amount.",
                field,
            )


def _total_problems(record: Record, options: OrderOptions) -> Iterator[Refused]:
    total = total_of(record)
    paid, stated = number(record.fields.get("amount_paid")), record.money("order_total")
    if total < 0:
        yield Refused(
            "keap_total",
            f"The discounts are larger than the order: it comes to {total}.",
            "Correct the discounts.",
        )
    elif options.send_payment and paid > total:
        yield Refused(
            "keap_overpaid",
            f"The amount paid is {paid} but the lines, shipping, tax and discounts come to {total}; "
            "Keap takes no payment above the balance.",
            "Correct the amount paid, or add the missing lines.",
            "amount_paid",
        )
    if options.require_total_match and stated is not None and stated != total:
        yield Refused(
            "keap_total",
            f"The order total is {stated} but the lines, shipping, tax and discounts come to {total}.",
            "Correct the total or the lines.",
            "order_total",
        )


def _too_fine(amount: Decimal, digits: int) -> bool:
    if not amount.is_finite() or abs(amount) >= 10**12:
        return True
    return amount != amount.quantize(Decimal(1).scaleb(-digits))


def _fineness(what: str, amount: Decimal, digits: int, field: str) -> Refused:
    return Refused(
        "keap_amount",
        f"{what} is {amount}; Keap keeps amounts below a trillion with {digits} decimals.",
        "Round the amount as it was charged.",
        field,
    )
