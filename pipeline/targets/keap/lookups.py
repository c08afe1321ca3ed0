"""How to see at Keap whether a call happened: read-only, exact, rather *unclear* than wrongly *absent*."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipeline.targets.contract import Absent, Answer, Done, Finding, Found, Later, Paused, Request, Unclear
from pipeline.targets.keap.answers import Redact, field_named, remote_id, rows, trouble
from pipeline.targets.keap.lines import Item, as_kept, clean, is_note, shown
from pipeline.targets.keap.payload import NOTE_BEGINS, minor

PAGE_SIZE = 100
MOST_PAGES = 20
_SYNTAX = frozenset(";,<>=!")
Entry = Mapping[str, Any]
Reading = Generator[Request, Answer, Finding]


@dataclass(frozen=True, slots=True)
class OrderSought:
    """What tells our order from others; ``field_id`` and ``field_name`` hold the id, empty without one."""

    order_id: str
    contact_id: str
    order_time: str
    total: Decimal
    currency: str
    field_id: str = ""
    field_name: str = ""


def may_filter(value: str) -> bool:
    """Whether a value can stand in a filter: ``;`` and ``,`` join filters, operators would split it."""
    return bool(value) and not _SYNTAX & set(value)


def listing(path: str, filter_text: str = "", *, fields: str = "") -> Request:
    """One page of a list; filters are exact (``==``) on purpose: a trailing ``*`` would match more."""
    query = [("filter", filter_text)] if filter_text else []
    if fields:
        query.append(("fields", fields))
    return Request("GET", path, (*query, ("page_size", str(PAGE_SIZE))))


def whole_list(
    request: Request, name: str, redact: Redact, most_pages: int = MOST_PAGES
) -> Generator[Request, Answer, list[Entry] | Unclear]:
    """Every entry of a list over its pages; *unclear* when a page is unreadable or there are too many."""
    found: list[Entry] = []
    page = request
    for _ in range(most_pages):
        answer = yield page
        entries = rows(answer, name)
        if entries is None:
            return unreadable(answer, f"list {_named(request)}", redact)
        found += entries
        token = answer.json().get("next_page_token")
        if not entries or not token:
            return found
        page = Request(request.method, request.path, (*request.query, ("page_token", str(token))))
    return Unclear(f"Keap's list {_named(request)} is too long to be looked through.")


def unreadable(answer: Answer, what: str, redact: Redact) -> Unclear:
    """A read that proves nothing; trouble of the account is passed on with it."""
    bad = trouble(answer, redact, field_named, reads_only=True)
    said = f": {bad.message}" if bad is not None and not isinstance(bad, Done) else "."
    blamed = bad if isinstance(bad, Later | Paused) else None
    return Unclear(f"Keap's {what} could not be read{said}", blamed)


def _named(request: Request) -> str:
    wanted = next((value for name, value in request.query if name == "filter"), "")
    return f"{request.path.removeprefix('/rest/v2/')} ({wanted})" if wanted else request.path.removeprefix("/rest/v2/")


def find_order(sought: OrderSought, redact: Redact) -> Reading:
    """By the custom field that holds our order id, else among the orders of the contact."""
    if sought.field_id and may_filter(sought.order_id):
        return _by_custom_field(sought, redact)
    return _by_contact(sought, redact)


def find_product(sku: str, redact: Redact) -> Reading:
    """A product with exactly this SKU; Keap's own comparison ignores case, ours does not."""
    entries = yield from whole_list(listing("/rest/v2/products", f"sku=={sku}"), "products", redact)
    if isinstance(entries, Unclear):
        return entries
    return judge_products(entries, sku)


def judge_products(entries: list[Entry], sku: str) -> Finding:
    """Which of the listed products is meant."""
    exact = [entry for entry in entries if clean(entry.get("sku")) == sku]
    if len(exact) == 1:
        return Found({"id": remote_id(exact[0]), "currency": _currency(exact[0])})
    if exact:
        return Unclear(f"Keap has {len(exact)} products with SKU {sku}: ids {_ids(exact)}.")
    if not entries:
        return Absent()
    others = ", ".join(sorted({clean(entry.get("sku")) or "(none)" for entry in entries})[:3])
    return Unclear(f"Keap has no product with SKU {sku} but answers with others: {others}.")


def find_payment(order_id: str, note: str, amount: Decimal, currency: str, redact: Redact) -> Reading:
    """A payment of this order with our note; the same amount under another note is unclear."""
    request = listing(f"/rest/v2/orders/{order_id}/payments")
    entries = yield from whole_list(request, "invoice_order_payments", redact)
    if isinstance(entries, Unclear):
        return entries
    alive = [entry for entry in entries if entry.get("pay_status") not in {"VOIDED", "FAILED", "ERROR"}]
    ours = [entry for entry in alive if is_note(entry.get("note"), note)]
    if len(ours) == 1:
        return Found({"id": str(ours[0].get("payment_id") or remote_id(ours[0]))})
    if ours:
        return Unclear(f"Keap order {order_id} has {len(ours)} payments with the note '{note}': ids {_ids(ours)}.")
    # The unit of `amount` in this list is not documented: both readings count.
    amounts = {amount, Decimal(minor(amount, currency))}
    foreign = [entry for entry in alive if not clean(entry.get("note")).startswith(NOTE_BEGINS)]
    if alike := [entry for entry in foreign if _number(entry.get("amount")) in amounts]:
        return Unclear(f"Keap order {order_id} has a payment of the same amount without our note: ids {_ids(alike)}.")
    return Absent()


def find_item(order_id: str, item: Item, number: int, currency: str, redact: Redact) -> Reading:
    """Whether the order lists at least ``number`` items equal to this one."""
    answer = yield Request("GET", f"/rest/v2/orders/{order_id}")
    body = answer.json() if answer.ok else None
    listed = body.get("order_items") if isinstance(body, Mapping) and remote_id(body) == order_id else None
    if not isinstance(listed, list):
        return unreadable(answer, f"order {order_id}", redact)
    entries = [entry for entry in listed if isinstance(entry, Mapping)]
    same = [entry for entry in entries if is_item(entry, item, currency)]
    if len(same) >= number:
        return Found({"id": remote_id(same[number - 1])})
    if dim := [entry for entry in entries if entry.get("quantity") == item.quantity and _is_dim(entry, item)]:
        return Unclear(f"Keap order {order_id} has a line that may be {shown(item)}: ids {_ids(dim)}.")
    return Absent()


def _is_dim(entry: Entry, item: Item) -> bool:
    """An item listed without what would tell it from ours: its SKU where ours has one, or its price."""
    product, price = entry.get("product"), entry.get("price_per_unit")
    nameless = bool(item.sku) and not (isinstance(product, Mapping) and clean(product.get("sku")))
    same_kind = clean(entry.get("item_type")) in ("", item.item_type)
    return same_kind and (nameless or not isinstance(price, Mapping))


def is_item(entry: Mapping[str, Any], item: Item, currency: str) -> bool:
    """Whether an item as Keap lists it is this one: type, SKU, quantity and price; a discount by its size."""
    price = entry.get("price_per_unit")
    amount = price.get("amount") if isinstance(price, Mapping) else None
    if not isinstance(amount, int) or isinstance(amount, bool):
        return False
    same_price = abs(amount) == minor(abs(item.price), currency)
    return is_kind(entry, item) and same_price and entry.get("quantity") == item.quantity


def is_kind(entry: Mapping[str, Any], item: Item) -> bool:
    """Whether an item as Keap lists it has the type and SKU of this one."""
    product = entry.get("product")
    sku = clean(product.get("sku")) if isinstance(product, Mapping) else ""
    return clean(entry.get("item_type")) == item.item_type and sku == item.sku


def _by_custom_field(sought: OrderSought, redact: Redact) -> Reading:
    request = listing("/rest/v2/orders", f"{sought.field_name}=={sought.order_id}")
    entries = yield from whole_list(request, "orders", redact)
    if isinstance(entries, Unclear):
        return entries
    ours = [entry for entry in entries if _is_ours(entry, sought)]
    if len(ours) > 1:
        return Unclear(f"Keap has {len(ours)} orders with {sought.field_name} {sought.order_id}: ids {_ids(ours)}.")
    if ours:
        return _of_contact(ours[0], sought)
    strangers = [entry for entry in entries if not _is_near(entry, sought)]
    if strangers:
        return Unclear(f"Keap answers the search for {sought.field_name} {sought.order_id} with other orders.")
    return Absent()


def _of_contact(entry: Entry, sought: OrderSought) -> Finding:
    """Two feeds may use one order number: under another contact it is not taken for ours."""
    contact_id = remote_id(entry.get("contact"))
    if contact_id and sought.contact_id and contact_id != sought.contact_id:
        return Unclear(
            f"Keap order {remote_id(entry)} carries the order id {sought.order_id} but belongs to contact "
            f"{contact_id}, not {sought.contact_id}."
        )
    return found_order(entry)


def found_order(entry: Entry) -> Found:
    """The result of an order that stands at Keap already."""
    return Found({"id": remote_id(entry), "contact_id": remote_id(entry.get("contact")), "found": True})


def _by_contact(sought: OrderSought, redact: Redact) -> Reading:
    request = listing("/rest/v2/orders", f"contact_id=={sought.contact_id}")
    entries = yield from whole_list(request, "orders", redact)
    if isinstance(entries, Unclear):
        return entries
    titled = [entry for entry in entries if as_kept(entry.get("title")) == as_kept(sought.order_id)]
    if len(titled) == 1 and _amount(titled[0]) == minor(sought.total, sought.currency):
        return found_order(titled[0])
    if titled:
        return Unclear(f"Keap has orders titled {sought.order_id} that differ or repeat: ids {_ids(titled)}.")
    if alike := [entry for entry in entries if _looks_alike(entry, sought)]:
        return Unclear(f"Keap has an order of the same time and total under another title: ids {_ids(alike)}.")
    return Absent()


def _looks_alike(entry: Entry, sought: OrderSought) -> bool:
    """An unnamed order, or one of our time and total: which title the list shows is not documented."""
    if not clean(entry.get("title")):
        return True
    same_time = clean(entry.get("order_time"))[:19] == sought.order_time[:19]
    return same_time and _amount(entry) == minor(sought.total, sought.currency)


def _is_ours(entry: Entry, sought: OrderSought) -> bool:
    content = field_content(entry, sought.field_id)
    return as_kept(entry.get("title") if content is None else content) == as_kept(sought.order_id)


def _is_near(entry: Entry, sought: OrderSought) -> bool:
    """What an honest filter may also return: another case, or more letters after a trailing ``*``."""
    content = field_content(entry, sought.field_id)
    if content is None:
        return False
    wanted = sought.order_id.casefold()
    text = clean(content).casefold()
    return text == wanted or (wanted.endswith("*") and text.startswith(wanted.rstrip("*")))


def field_content(entry: Entry, field_id: str) -> str | None:
    """The text of one custom field, ``None`` when the answer does not carry it."""
    values = entry.get("custom_fields")
    for value in values if isinstance(values, list) else ():
        if isinstance(value, Mapping) and str(value.get("id")) == field_id and value.get("content") is not None:
            return str(value["content"])
    return None


def _currency(entry: Entry) -> str:
    price = entry.get("price")
    return clean(price.get("currency_code")) if isinstance(price, Mapping) else ""


def _amount(entry: Entry) -> int | None:
    total = entry.get("total")
    amount = total.get("amount") if isinstance(total, Mapping) else None
    return amount if isinstance(amount, int) else None


def _number(value: object) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _ids(entries: list[Entry]) -> str:
    return ", ".join(remote_id(entry) for entry in entries[:5])
