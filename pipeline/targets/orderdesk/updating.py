"""Bringing a delivered order up to date: read, change what the file changed, put the whole back.

What changed is told by the two versions of the record. A field that is the same in both is left as it stands
in Order Desk, where people and rules may have edited it since; so is an item that never came from the file.

Order Desk blanks what a PUT leaves out (documented 2018 and later), adds order items without an id, and does
not say clearly what becomes of items left out. So every item there goes back under its id, matched by SKU;
those the file had and no longer has are then deleted one by one, by their documented call.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.targets.contract import (
    Absent,
    Answer,
    Done,
    Finding,
    Found,
    Later,
    LookUp,
    Outcome,
    Paused,
    Plan,
    Refused,
    Request,
    Step,
    Unclear,
)
from pipeline.targets.orderdesk.answers import Kind, Redact, remote_id, thing, trouble, unreadable
from pipeline.targets.orderdesk.payload import Json

READ_ONLY = (
    "id", "quantity_total", "weight_total", "product_total", "discount_total", "order_total", "email_count",
    "date_updated", "order_shipments", "order_history", "cc_number_masked",
)  # fmt: skip
_MAPS = ("checkout_data", "order_metadata", "customer", "shipping")
_ITEM_MAPS = ("variation_list", "metadata")
CARD = "cc_number"
"""Written as four digits, read back masked: it goes back with every PUT, so that none blanks it."""


def update_order(order_id: str, before: Json, after: Json, redact: Redact) -> Plan:
    """Put the order anew where ``after`` differs from ``before``, then delete the items it no longer has."""
    there = (yield _read_step(order_id, redact))["order"]
    whole, leftover = merge_order(there, before, after)
    if differs(there, whole):
        yield Step(
            name="replace order",
            request=Request("PUT", f"/orders/{order_id}", json=whole),
            read=lambda answer: trouble(answer, redact, Kind.REPLACE) or Done({"id": order_id}),
            # Not repeatable: an item without an id is added again by every PUT.
            find=_find_replaced(order_id, before, after, redact),
            search_hint=str(after["source_id"]),
        )
    for item_id in leftover:
        yield _remove_item(order_id, item_id, redact)
    return {"id": order_id}


def merge_order(there: Mapping[str, Any], before: Json, after: Json) -> tuple[Json, list[str]]:
    """The whole order to put, and the ids of the items to delete afterwards.

    Notes are only added, but for one the file takes back: what people wrote there stays. A folder belongs to Order
    Desk and is not touched.
    """
    changed = {name: _changed(before.get(name), value) for name, value in after.items() if value != before.get(name)}
    whole = {name: value for name, value in there.items() if name not in READ_ONLY} | changed
    for name in _MAPS:
        if name in whole:
            whole[name] = {**_map(there.get(name)), **_map(changed.get(name))}
    if CARD not in whole and _card(there):
        whole[CARD] = _card(there)
    leftover: list[str] = []
    if "order_items" in changed:
        items = _objects(there.get("order_items"))
        whole["order_items"], leftover = _merged_items(items, before["order_items"], after["order_items"])
    if "order_notes" in changed:
        taken_back = [] if after["order_notes"] else before["order_notes"]
        whole["order_notes"] = _joined_notes(_objects(there.get("order_notes")), after["order_notes"], taken_back)
    return whole, leftover


def _changed(before: Any, after: Any) -> Any:  # noqa: ANN401 - any JSON
    """Of a map only the entries that differ: the others may have been edited in Order Desk since."""
    if not isinstance(after, Mapping):
        return after
    was = _map(before)
    return {name: value for name, value in after.items() if value != was.get(name)}


def _card(there: Mapping[str, Any]) -> str:
    """The last four digits, from however many are shown."""
    shown = str(there.get("cc_number_masked") or there.get(CARD) or "")
    digits = "".join(letter for letter in shown if letter.isdigit())[-4:]
    return digits if len(digits) == 4 else ""


def _joined_notes(there: list[Json], fresh: list[Json], taken_back: list[Json]) -> list[Json]:
    said = {str(note.get("content")) for note in there}
    gone = {note["content"] for note in taken_back}
    kept = [note for note in there if note.get("content") not in gone]
    return [*kept, *(note for note in fresh if note["content"] not in said)]


def differs(there: Mapping[str, Any], whole: Mapping[str, Any]) -> bool:
    """Whether the whole order says something the one there does not; amounts compare as numbers."""
    known = {**there, CARD: _card(there)}
    return not all(_same(known.get(name), value) for name, value in whole.items())


def _merged_items(there: list[Json], before: list[Json], after: list[Json]) -> tuple[list[Json], list[str]]:
    """Each item under the id of one with the same SKU (or name, without SKU); first come, first matched."""
    free = list(there)
    merged = []
    for item in after:
        twin: Json = next((one for one in free if _item_key(one) == _item_key(item)), {})
        if twin:
            free.remove(twin)
        merged.append({**twin, **item, **_joined_maps(twin, item)})
    ours = [_item_key(item) for item in before]
    return [*merged, *free], [remote_id(one) for one in free if _item_key(one) in ours and remote_id(one)]


def _joined_maps(twin: Json, item: Json) -> Json:
    return {
        name: {**_map(twin.get(name)), **_map(item.get(name))} for name in _ITEM_MAPS if name in twin or name in item
    }


def _item_key(item: Mapping[str, Any]) -> tuple[str, str]:
    code = str(item.get("code") or "")
    return code, "" if code else str(item.get("name") or "")


# --- steps -----------------------------------------------------------------------------------------------


def _read_step(order_id: str, redact: Redact) -> Step:
    def read(answer: Answer) -> Outcome:
        bad = trouble(answer, redact, Kind.READ)
        if isinstance(bad, Refused):
            return Refused(
                "order_gone",
                f"The order was delivered as {order_id}, and Order Desk no longer has it: {bad.message}",
                "Look whether it was deleted or joined with another order; correct it there by hand.",
                "order_id",
            )
        there = thing(answer, "order")
        return bad or (Done({"order": there}) if there is not None else unreadable(answer, redact, Kind.READ))

    request = Request("GET", f"/orders/{order_id}")
    return Step("read order", request, read, reads_only=True, preview={"order": {"id": order_id}})


def _find_replaced(order_id: str, before: Json, after: Json, redact: Redact) -> LookUp:
    """The PUT has happened when merging the same changes once more would change nothing."""

    def look() -> Generator[Request, Answer, Finding]:
        answer = yield Request("GET", f"/orders/{order_id}")
        bad = trouble(answer, redact, Kind.READ)
        there = thing(answer, "order") if bad is None else None
        if there is None:
            message = getattr(bad, "message", "Order Desk's answer holds no order.")
            return Unclear(message, bad if isinstance(bad, Later | Paused) else None)
        whole, _leftover = merge_order(there, before, after)
        return Absent() if differs(there, whole) else Found({"id": order_id})

    return look


def _remove_item(order_id: str, item_id: str, redact: Redact) -> Step:
    """Deleting what is gone already is fine, so it may be repeated."""

    def read(answer: Answer) -> Outcome:
        bad = trouble(answer, redact, Kind.REPLACE)
        gone = isinstance(bad, Refused) and (answer.status == 404 or "not found" in bad.message.lower())
        return Done({"id": item_id}) if bad is None or gone else bad

    return Step(
        name=f"remove item {item_id}",
        request=Request("DELETE", f"/orders/{order_id}/order-items/{item_id}"),
        read=read,
        repeatable=True,
    )


# --- comparing -------------------------------------------------------------------------------------------


def _same(theirs: Any, ours: Any) -> bool:  # noqa: ANN401 - any JSON
    """Equal, PHP's habits aside: ``[]`` for ``{}``, a text for a number, ``null`` for nothing."""
    if isinstance(ours, Mapping):
        known = _map(theirs)
        return all(_same(known.get(name), value) for name, value in ours.items())
    if isinstance(ours, list):
        others = theirs if isinstance(theirs, list) else []
        return len(others) == len(ours) and all(_same(a, b) for a, b in zip(others, ours, strict=True))
    if isinstance(ours, int | float) and not isinstance(ours, bool):
        return _number(theirs) == _number(ours)
    return str("" if theirs is None else theirs) == str("" if ours is None else ours)


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value or 0))
    except InvalidOperation:
        return None


def _map(value: object) -> Json:
    return dict(value) if isinstance(value, Mapping) else {}


def _objects(value: object) -> list[Json]:
    return [dict(one) for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
