"""What would make InfluencerSoft refuse an order, or book something else than the file says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.model import Record
from pipeline.targets.contract import Refused
from pipeline.targets.influencersoft.lines import (
    MAX_REPEATS,
    Line,
    amount_of,
    key_of,
    money,
    other_amounts,
    product_lines,
    quantity_of,
)
from pipeline.targets.influencersoft.payload import order_tag
from pipeline.targets.influencersoft.settings import CreateOrderOptions


def problems(record: Record, options: CreateOrderOptions) -> Sequence[Refused]:
    """All that would make InfluencerSoft refuse the order, or book something else than the file says."""
    return [
        *_customer_problems(record),
        *_product_problems(record, options),
        *_tag_problems(record, options),
        *_amount_problems(record, options),
    ]


def _customer_problems(record: Record) -> Iterator[Refused]:
    if not record.text("email"):
        yield Refused(
            "no_email",
            "InfluencerSoft takes no order without the customer's e-mail address.",
            "Fill in the e-mail address.",
            "email",
        )


def _product_problems(record: Record, options: CreateOrderOptions) -> Iterator[Refused]:
    lines = product_lines(record)
    if not lines:
        yield Refused("no_products", "The order has no product line.", "Give the order at least one product.", "sku")
    for line in lines:
        yield from _line_problems(line, options)
    priced = [line for line in lines if amount_of(line, "unit_price") is not None]
    if priced and len(priced) < len(lines):
        yield Refused(
            "price_missing",
            "Some product lines have a price and some have none; InfluencerSoft takes prices by position.",
            "Give every product line its price, or none of them.",
            "unit_price",
        )


def _line_problems(line: Line, options: CreateOrderOptions) -> Iterator[Refused]:
    key = key_of(line, options)
    field = options.product_key
    if not key:
        yield Refused("no_product_key", "A product line does not say which product it is.", f"Fill in {field}.", field)
    if "," in key:
        yield Refused(
            "comma_in_product",
            f"The product '{key}' has a comma, and InfluencerSoft separates products by commas.",
            "Use the product's short name from the InfluencerSoft product list, without a comma.",
            field,
        )
    price = amount_of(line, "unit_price")
    if price is not None and price < 0:
        yield Refused("price_negative", f"The price {money(price)} is below zero.", "Correct the price.", "unit_price")
    yield from _quantity_problems(line, key, options)


def _quantity_problems(line: Line, key: str, options: CreateOrderOptions) -> Iterator[Refused]:
    quantity = quantity_of(line)
    if quantity == 1:
        return
    if options.quantity == "refuse":
        yield Refused(
            "quantity_not_one",
            f"Product '{key}' has quantity {quantity:f}; InfluencerSoft's order call has no quantity.",
            "Enter the order by hand, or set `quantity: repeat` in the mapping to repeat the product.",
            "quantity",
        )
    elif quantity != quantity.to_integral_value() or not 1 <= quantity <= MAX_REPEATS:
        yield Refused(
            "quantity_not_whole",
            f"Product '{key}' has quantity {quantity:f}; it can be listed 1 to {MAX_REPEATS} times.",
            "Correct the quantity, or enter this order by hand.",
            "quantity",
        )


def _tag_problems(record: Record, options: CreateOrderOptions) -> Iterator[Refused]:
    tag = order_tag(record, options)
    if "," in tag:
        field = "order_id" if options.mark_in == "order_tag" else "tag"
        yield Refused(
            "several_tags",
            f"'{tag}' has a comma, and InfluencerSoft takes exactly one tag for an order.",
            "Leave one tag."
            if field == "tag"
            else "Use an order id without a comma, or set `mark_in: note` in the mapping.",
            field,
        )


def _amount_problems(record: Record, options: CreateOrderOptions) -> Iterator[Refused]:
    if options.other_lines == "note":
        return
    for field, label, amount in other_amounts(record):
        yield Refused(
            "amount_without_place",
            f"The order carries {label} {money(amount)}, and InfluencerSoft's orders have no place for it.",
            "Take it out of the file, or set `other_lines: note` in the mapping to put it in the note.",
            field,
        )
