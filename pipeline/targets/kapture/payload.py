"""Records become Kapture's objects: pure, no network, no clock. Every value is text, as in the samples.

Field names are those of the order page (``resources-order``). A field the record does not have is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.model import Record, Value
from pipeline.targets.kapture.settings import FIELD_OF, MADE_OF, OrderOptions, PaymentOptions

Line = Mapping[str, Value]
Body = dict[str, Any]

PRODUCT_TYPES = frozenset({"", "product", "subscription"})


def push_body(record: Record, options: OrderOptions, zone: ZoneInfo | None) -> Body:
    """A new order."""
    return _filled(
        _head(record, options, zone),
        product_details=[_product(line) for line in order_lines(record, options)],
    )


def update_body(
    record: Record, told: Record | None, options: OrderOptions, zone: ZoneInfo | None, ids: Mapping[str, str]
) -> Body:
    """A change of the order with Kapture's ``ids``; product lines have other names than in a new order.

    An empty cell is left out, and so leaves what Kapture has, unless the record clears the field. A text made of
    several fields is sent with the parts that were ``told`` before: it replaces the whole.
    """
    head = _head(record, options, zone)
    whole = _head(record.over(told), options, zone) if told else head
    made = {field: whole[field] for field, parts in MADE_OF.items() if head[field] or {*parts} & {*record.cleared}}
    head |= made | {name: text for name, text in ids.items() if text}
    body = _filled(head, product_details=[_changed_product(line) for line in order_lines(record, options)])
    return {field: "" for field in _cleared(record, options) if field not in body} | body


def _cleared(record: Record, options: OrderOptions) -> list[str]:
    """Kapture's fields that a record clears; of one made of several fields, when all of them are empty."""
    alone = [options.also_send.get(name) or FIELD_OF.get(name, "") for name in record.cleared]
    made = [field for field, parts in MADE_OF.items() if {*parts} & {*record.cleared}]
    return [field for field in (*alone, *made) if field]


def clears(name: str, options: OrderOptions) -> bool:
    """Whether a change can empty the field at Kapture."""
    return name in options.also_send or name in FIELD_OF or any(name in parts for parts in MADE_OF.values())


def payment_body(record: Record, options: PaymentOptions) -> Body:
    """A payment against an order."""
    ours = options.order_id == "ours"
    return _filled(
        {
            "erp_order_id" if ours else "kapture_order_id": record.text("order_id"),
            "payment_id": record.text("payment_reference"),
            "amount_paid": _money(record.money("amount")),
            "payment_mode": record.text("payment_method"),
            "cheque_number": record.text("cheque_number"),
            "cheque_date": as_text(record.day("cheque_on")),
            "bank_name": record.text("bank_name"),
            "remarks": record.text("note"),
        }
    )


def kapture_id(record: Record, options: OrderOptions) -> str:
    """Kapture's own order id where the record carries it, else empty."""
    return source_text(record, options.kapture_id).strip()


def customer_name(record: Record) -> str:
    """The full name, its parts joined, or the company."""
    parts = [record.text(f"{part}_name") for part in ("first", "middle", "last")]
    return record.text("full_name") or " ".join(part for part in parts if part) or record.text("company")


def create_date(record: Record, zone: ZoneInfo | None) -> datetime | None:
    """When the order was placed, in the account's zone where it names one."""
    when = record.time("ordered_at")
    return when.astimezone(zone) if when and zone else when


def as_text(value: Value) -> str:
    """Any value in Kapture's spelling: days YYYY-MM-DD, times without seconds, plain decimals."""
    match value:
        case None:
            return ""
        case bool():
            return "Yes" if value else "No"
        case Decimal():
            return _plain(value)
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
    return str(value)


def _head(record: Record, options: OrderOptions, zone: ZoneInfo | None) -> Body:
    return {
        "customer_id": record.text("customer_id") if options.customer_id == "kapture" else "",
        "customer_name": customer_name(record),
        "phone": record.text("phone") or record.text("shipping_phone"),
        "email_id": record.text("email"),
        "order_status": record.text("status"),
        "create_date": as_text(create_date(record, zone)),
        "date_of_birth": as_text(record.day("birth_date")),
        "address": _address(record, "billing"),
        "shipping_address": _address(record, "shipping"),
        "zip_code": _zip_code(record),
        "payment_mode": record.text("payment_method"),
        "transaction": record.text("payment_reference"),
        "total_paid": _money(record.money("amount_paid")),
        "grand_total": _money(record.money("order_total")),
        "expected_delivery_date": as_text(record.day("expected_delivery_on")),
        "erp_order_id": record.text("order_id"),
        **{field: source_text(record, source) for source, field in options.also_send.items()},
    }


def order_lines(record: Record, options: OrderOptions) -> list[Line]:
    """The lines that are sent as products."""
    if options.other_lines == "product":
        return list(record.lines)
    return [line for line in record.lines if kind_of(line) in PRODUCT_TYPES]


def _product(line: Line) -> Body:
    return _filled(
        {
            "sku_id": text_of(line, "sku"),
            "product_name": text_of(line, "product_name")
            or ("" if text_of(line, "sku") else kind_of(line).capitalize()),
            **_figures(line),
        }
    )


def _changed_product(line: Line) -> Body:
    named = text_of(line, "product_name") or text_of(line, "sku") or kind_of(line).capitalize()
    return _filled({"product_details": named, **_figures(line)})


def _figures(line: Line) -> Body:
    return {
        "rate": "" if line.get("unit_price") is None else _money(amount_of(line, "unit_price")),
        "quantity": _plain(quantity_of(line)),
        "discount": _money(amount_of(line, "line_discount")) if amount_of(line, "line_discount") else "0",
    }


def _address(record: Record, which: str) -> str:
    """One line; the postal code has its own field, and stands here only when that holds another one."""
    parts = [record.text(f"{which}_{part}") for part in ("address1", "address2")]
    code = record.text(f"{which}_postal_code")
    town = [code if code != _zip_code(record) else "", record.text(f"{which}_city")]
    ends = [record.text(f"{which}_{part}") for part in ("state", "country")]
    return ", ".join(part for part in (*parts, " ".join(part for part in town if part), *ends) if part)


def _zip_code(record: Record) -> str:
    return record.text("shipping_postal_code") or record.text("billing_postal_code")


def source_text(record: Record, source: str) -> str:
    """A record field, or ``extra.<name>``, in Kapture's spelling; empty when absent."""
    if source.startswith("extra."):
        return str(record.extra().get(source.removeprefix("extra."), ""))
    return as_text(record.fields.get(source))


def _filled(body: Body, **more: Any) -> Body:  # noqa: ANN401 - lists of objects
    """Without the empty fields: a blank must never overwrite what Kapture has."""
    return {name: value for name, value in {**body, **more}.items() if value not in ("", [])}


def _money(value: Decimal | None) -> str:
    """A decimal point and at least two places: 12.5 is ``12.50``; empty when there is no amount."""
    if value is None:
        return ""
    exponent = value.normalize().as_tuple().exponent
    places = max(2, -exponent) if isinstance(exponent, int) else 2
    return f"{value:.{places}f}"


def _plain(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def kind_of(line: Line) -> str:
    """The line type, empty for a product that does not name it."""
    return str(line.get("line_type") or "")


def text_of(line: Line, name: str) -> str:
    """A text of the line, empty when absent."""
    return str(line.get(name) or "").strip()


def amount_of(line: Line, name: str) -> Decimal:
    """A decimal of the line, zero when absent."""
    value = line.get(name)
    return value if isinstance(value, Decimal) else Decimal(0)


def quantity_of(line: Line) -> Decimal:
    """The quantity, one where none is given."""
    value = line.get("quantity")
    return value if isinstance(value, Decimal) else Decimal(1)
