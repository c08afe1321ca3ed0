"""What changed between two states of one record, as Keap can be told: pure, and never a blank over a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import PlanRefused, Refused, Result
from pipeline.targets.keap.answers import remote_id
from pipeline.targets.keap.clearing import cleared_since, order_blanks
from pipeline.targets.keap.lines import Item, clean, items_of, number, shown
from pipeline.targets.keap.lookups import is_item, is_kind
from pipeline.targets.keap.payload import custom_values, item_payload, order_details
from pipeline.targets.keap.people import Json

Entry = Mapping[str, Any]
LOOK_AND_LEAVE_OUT = "Change it in Keap by hand, then leave this row out."


@dataclass(frozen=True, slots=True)
class LineChanges:
    """``kept``: items in both; ``changed``: pairs of old and new with the same SKU; ``added`` with the number of equal
    items once it is there; ``removed``: what the file no longer has."""

    kept: tuple[Item, ...]
    changed: tuple[tuple[Item, Item], ...]
    added: tuple[tuple[Item, int], ...]
    removed: tuple[Item, ...]


def line_changes(record: Record, before: Record) -> LineChanges:
    """How the items differ; items of one type and SKU are paired in the order of the file."""
    now, was = items_of(record), items_of(before)
    gone, new = _without(was, now), _without(now, was)
    changed, added = [], []
    for item in new:
        old = next((old for old in gone if _kind(old) == _kind(item)), None)
        if old is None:
            added.append(item)
        else:
            gone.remove(old)
            changed.append((old, item))
    there = Counter(_without(now, added))
    kept = _without(was, _without(was, now))
    return LineChanges(tuple(kept), tuple(changed), tuple(_numbered(added, there)), tuple(gone))


def _numbered(added: Iterable[Item], there: Counter[Item]) -> Iterable[tuple[Item, int]]:
    for item in added:
        there[item] += 1
        yield item, there[item]


def _kind(item: Item) -> tuple[str, str]:
    return item.item_type, item.sku


def _without(items: Iterable[Item], others: Iterable[Item]) -> list[Item]:
    """The items that are left when each of the others takes away one equal item."""
    rest = Counter(others)
    left = []
    for item in items:
        if rest[item]:
            rest[item] -= 1
        else:
            left.append(item)
    return left


def order_change(record: Record, before: Record, fields: Result, stored: Mapping[str, Any]) -> Json:
    """What an update sets: changed values, and blanks where the record clears a field.

    The ship-to goes whole, and so do custom fields: whether Keap merges or replaces them is not documented.
    """
    was, cleared = order_details(before), cleared_since(record, before)
    details = order_details(record)
    change: Json = {key: value for key, value in details.items() if was.get(key) != value}
    blanks = order_blanks(cleared)
    if ship_to := blanks.pop("shipping_address", None):
        change["shipping_address"] = ship_to | details.get("shipping_address", {})
    change |= blanks
    now = {fields[name]["id"]: "" for name in fields if name in cleared}
    now |= {value["id"]: value["content"] for value in custom_values(record, fields)}
    if any((stored.get(field_id) or "") != text for field_id, text in now.items()):
        change["custom_fields"] = [{"id": key, "content": text} for key, text in (dict(stored) | now).items()]
    return change


def item_change(old: Item, new: Item, discount_sign: str) -> Json:
    """The properties of an order item that differ; a name the file no longer has is left as it is."""
    same = {old.sku: ""}
    was, now = item_payload(old, same, discount_sign), item_payload(new, same, discount_sign)
    return {name: value for name, value in now.items() if was.get(name) != value}


def item_ids(changes: LineChanges, listed: list[Entry] | None, currency: str) -> list[str]:
    """Keap's ids of the changed items, still as they were or already as they shall be; stand-ins for ``None``.

    Items that stay as they are take their entries first, so that a change that is sent again never meets them.
    Raises :class:`PlanRefused` when a changed item is neither: then somebody has worked on the order.
    """
    if listed is None:  # a dry run, which has read nothing
        return [f"<id of {shown(old)}>" for old, _ in changes.changed]
    free, found = list(listed), []
    for item in changes.kept:
        _take(free, (item,), currency)
    for old, new in changes.changed:
        entry = _take(free, (new, old), currency)
        if entry is None:
            raise PlanRefused(_differs(old))
        found.append(remote_id(entry))
    return found


def removed_ids(changes: LineChanges, listed: list[Entry] | None, currency: str) -> list[str]:
    """Keap's ids of the items the file no longer has; one that is not there any more is gone already.

    Raises :class:`PlanRefused` when one is there otherwise than it was sent: then somebody has worked on the order.
    """
    if listed is None:  # a dry run, which has read nothing
        return [f"<id of {shown(old)}>" for old in changes.removed]
    free, found = list(listed), []
    stay = [*changes.kept, *(item for item, _ in changes.added)]
    for item in stay:
        _take(free, (item,), currency)
    for old, new in changes.changed:
        _take(free, (new, old), currency)
    for old in changes.removed:
        entry = _take(free, (old,), currency)
        if entry is not None:
            found.append(remote_id(entry))
        elif any(is_kind(other, old) for other in free):
            raise PlanRefused(_differs(old))
    return found


def _take(free: list[Entry], wanted: Iterable[Item], currency: str) -> Entry | None:
    """The entry of the first item that has one, by its name too where that helps; it is free no longer."""
    for item in wanted:
        alike = [entry for entry in free if is_item(entry, item, currency)]
        if alike:
            entry = next((entry for entry in alike if clean(entry.get("name")) == item.name), alike[0])
            free.remove(entry)
            return entry
    return None


def unsendable(record: Record, before: Record, removed: Iterable[Item], *, send_payment: bool) -> Refused | None:
    """What is left to a person: taking lines away or money back."""
    if gone := [shown(item) for item in removed]:
        return Refused(
            "keap_lines_changed",
            f"Lines that went to Keap are no longer in the file: {', '.join(gone[:5])}. They are not taken away there.",
            LOOK_AND_LEAVE_OUT,
        )
    if send_payment and number(record.fields.get("amount_paid")) < number(before.fields.get("amount_paid")):
        return Refused(
            "keap_payment_lowered",
            "The amount paid is lower than what Keap was told before; payments cannot be taken back.",
            "Correct the payment in Keap by hand, then leave this row out.",
            "amount_paid",
        )
    return None


def _differs(old: Item) -> Refused:
    return Refused(
        "keap_lines_differ",
        f"The order at Keap no longer has the line {shown(old)} as it was sent; somebody has changed it there.",
        LOOK_AND_LEAVE_OUT,
        "sku" if old.sku else None,
    )
