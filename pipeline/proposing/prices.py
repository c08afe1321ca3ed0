"""Is it the price of one piece, or of all pieces of a line? Taking one for the other would multiply an order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation

from pipeline.proposing.rules import Proposed

_CENT = Decimal("0.02")


def price_of_line(rules: Sequence[Proposed]) -> str:
    """What a person must decide when the price column grows with the quantity, "" when it does not."""
    cells = {rule.field: rule.column.cells for rule in rules}
    if not {"quantity", "unit_price"} <= cells.keys():
        return ""
    lines = list(_lines(cells["quantity"], cells["unit_price"], cells.get("sku") or cells.get("product_name") or ()))
    growing, steady = _by_product(lines)
    totals = _by_total(cells, lines)
    growing, steady = growing + totals[0], steady + totals[1]
    if growing <= steady:
        return ""
    header = next(rule.column.header for rule in rules if rule.field == "unit_price")
    return (
        f"unit_price: '{header}' grows with the quantity, so it looks like the price of a whole line. "
        "An order needs the price of one piece."
    )


def _lines(
    quantities: Sequence[str], prices: Sequence[str], products: Sequence[str]
) -> Iterator[tuple[int, str, Decimal, Decimal]]:
    for at, (quantity, price) in enumerate(zip(quantities, prices, strict=True)):
        pieces, each = _number(quantity), _number(price)
        if pieces and each and pieces > 0 and each > 0:
            yield at, products[at].strip() if at < len(products) else "", pieces, each


def _by_product(lines: Sequence[tuple[int, str, Decimal, Decimal]]) -> tuple[int, int]:
    """How many products cost more per line the more pieces it has, and how many do not."""
    seen: dict[str, dict[Decimal, Decimal]] = {}
    for _, product, pieces, price in lines:
        if product:
            seen.setdefault(product, {}).setdefault(pieces, price)
    several = [prices for prices in seen.values() if len(prices) > 1]
    growing = sum(len({round(p / n, 2) for n, p in prices.items()}) == 1 for prices in several)
    steady = sum(len(set(prices.values())) == 1 for prices in several)
    return growing, steady


def _by_total(cells: dict[str, tuple[str, ...]], lines: Sequence[tuple[int, str, Decimal, Decimal]]) -> tuple[int, int]:
    """The same told by orders of one line, where a total stands: is it the price, or price times quantity?"""
    keys, totals = cells.get("order_id", ()), cells.get("order_total", ())
    if not keys or not totals:
        return 0, 0
    growing = steady = 0
    for at, _, pieces, price in lines:
        total = _number(totals[at])
        if pieces > 1 and total and keys.count(keys[at]) == 1:
            growing += abs(total - price) <= _CENT
            steady += abs(total - price * pieces) <= _CENT
    return growing, steady


def _number(text: str) -> Decimal | None:
    """A rough reading, good enough to compare: the last mark is the decimal one."""
    digits = re.sub(r"[^\d.,-]", "", text)
    whole, mark, fraction = digits.rpartition("," if digits.rfind(",") > digits.rfind(".") else ".")
    plain = f"{re.sub('[.,]', '', whole)}.{fraction}" if mark else digits
    try:
        return Decimal(plain)
    except InvalidOperation:
        return None
