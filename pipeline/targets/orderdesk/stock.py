"""``inventory_item``: make each SKU known, and keep what a file says of it up to date."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.model import Record
from pipeline.targets.contract import (
    Answer,
    Done,
    Outcome,
    Paused,
    Plan,
    Prior,
    Refused,
    Request,
    Result,
    Step,
)
from pipeline.targets.orderdesk.answers import Kind, Redact, remote_id, rows, thing, trouble, unreadable
from pipeline.targets.orderdesk.clearing import cleared_stock
from pipeline.targets.orderdesk.client import ALREADY_THERE, MAX_PAGES, PAGE, find_stock, stock_by_code
from pipeline.targets.orderdesk.payload import Json, ordered_stock, stock_payload
from pipeline.targets.orderdesk.settings import InventoryOptions

READ_ONLY = ("id", "date_added", "date_updated")
_MAPS = ("metadata", "variation_list")


def stock_plan(options: InventoryOptions, redact: Redact, record: Record, _prior: Prior | None) -> Plan:
    """The plan for a stock item, or for all products of an order.

    A prior delivery changes nothing: what is compared is what Order Desk holds now.
    """
    if record.kind == "inventory_item":
        return _keep_up(record, options, redact)
    return _make_known(ordered_stock(record, options.update_source), redact)


def changed_row(record: Record, options: InventoryOptions, there: Mapping[str, Any]) -> Json | None:
    """The whole row to put over the one there; ``None`` when it is as the record has it."""
    fresh, cleared = stock_payload(record, options.update_source), cleared_stock(record)
    extra = {**_map(cleared.get("metadata")), **_map(fresh.get("metadata"))}
    return merge(there, {**cleared, **fresh, **({"metadata": extra} if extra else {})})


def _keep_up(record: Record, options: InventoryOptions, redact: Redact) -> Plan:
    """Create the stock row, or change in it what the file says differently, and empty what it clears."""
    fresh = stock_payload(record, options.update_source)
    there = yield from _look(str(fresh["code"]), redact, one_only=True)
    if there is None:
        return (yield from _create(fresh, redact))
    merged = changed_row(record, options, there)
    if merged is None:
        return {"id": remote_id(there), ALREADY_THERE: True}
    yield _replace(remote_id(there), merged, redact)
    return {"id": remote_id(there)}


def _make_known(wanted: Mapping[str, Json], redact: Redact) -> Plan:
    """Create the products Order Desk does not know; the others stay as they are: an order knows no stock."""
    created: dict[str, str] = {}
    known: dict[str, str] = {}
    for code, fresh in wanted.items():
        there = yield from _look(code, redact)
        if there is None:
            made = yield from _create(fresh, redact)
            created[code] = str(made["id"])
        else:
            known[code] = remote_id(there)
    ids = [{**known, **created}[code] for code in wanted]
    return {"id": " ".join(ids)} | ({} if created else {ALREADY_THERE: True})


# --- steps -----------------------------------------------------------------------------------------------


def _look(code: str, redact: Redact, *, one_only: bool = False) -> Generator[Step, Result, Mapping[str, Any] | None]:
    """The stock row with exactly this SKU, ``None`` when there is none; a near miss stops the plan.

    A fresh look each time, never a remembered one: what is written back must be what stands there now.
    """
    found: list[Mapping[str, Any]] = []
    for page in range(MAX_PAGES):
        step = _look_step(code, page, tuple(found), redact, one_only=one_only)
        more = (yield step)["rows"]
        found += more
        if len(more) < PAGE:
            break
    return next((one for one in found if one.get("code") == code), None)


def _look_step(code: str, page: int, before: tuple[Mapping[str, Any], ...], redact: Redact, *, one_only: bool) -> Step:
    def read(answer: Answer) -> Outcome:
        bad = trouble(answer, redact, Kind.READ)
        if bad is not None:
            return bad
        more = rows(answer, "inventory_items")
        if more is None:
            return unreadable(answer, redact, Kind.READ)
        if len(more) == PAGE:
            return Done({"rows": more}) if page < MAX_PAGES - 1 else _unheeded(code)
        return _mistakable(code, [*before, *more], one_only=one_only) or Done({"rows": more})

    name = f"look {code}, page {page + 1}" if page else f"look {code}"
    return Step(name, stock_by_code(code, page * PAGE), read, reads_only=True, preview={"rows": []})


def _create(fresh: Json, redact: Redact) -> Plan:
    """One POST, never sent again blindly: what Order Desk does with a repeated SKU is not documented."""
    code = str(fresh["code"])

    def read(answer: Answer) -> Outcome:
        bad = trouble(answer, redact, Kind.CREATE)
        if bad is not None:
            return bad
        made = thing(answer, "inventory_item")
        return Done({"id": remote_id(made) if made is not None else ""})

    return (
        yield Step(
            name=f"create {code}",
            request=Request("POST", "/inventory-items", json=fresh),
            read=read,
            find=find_stock(code, redact),
            search_hint=code,
            shares=f"stock:{code}",
        )
    )


def _replace(stock_id: str, merged: Json, redact: Redact) -> Step:
    """One PUT of the whole row under its own id: sent twice it leaves the same row, so it may be repeated."""

    def read(answer: Answer) -> Outcome:
        return trouble(answer, redact, Kind.REPLACE) or Done({"id": stock_id})

    return Step(
        name=f"replace {merged['code']}",
        request=Request("PUT", f"/inventory-items/{stock_id}", json=merged),
        read=read,
        repeatable=True,
        search_hint=str(merged["code"]),
    )


# --- comparing -------------------------------------------------------------------------------------------


def merge(there: Mapping[str, Any], fresh: Json) -> Json | None:
    """The whole row to put: what stands there, changed where the file says so; ``None`` when nothing differs.

    Order Desk blanks what a PUT leaves out (documented 2018), so everything read goes back, zeros and empty
    texts too. Who wrote last is no difference.
    """
    whole = {name: value for name, value in there.items() if name not in READ_ONLY}
    for name in _MAPS:
        if name in whole or name in fresh:
            whole[name] = {**_map(whole.get(name)), **_map(fresh.get(name))}
    changes = {name: value for name, value in fresh.items() if name not in _MAPS}
    differs = any(not _same(there.get(name), value) for name, value in changes.items() if name != "update_source")
    if not differs and whole.get("metadata", {}) == _map(there.get("metadata")):
        return None
    return whole | changes


def _map(value: object) -> dict[str, Any]:
    """PHP gives an empty map as an empty list."""
    return dict(value) if isinstance(value, Mapping) else {}


def _same(theirs: object, ours: object) -> bool:
    """Equal as numbers where ours is one: Order Desk gives a price as text or as number (seen 2018-2025)."""
    if isinstance(ours, str):
        return str("" if theirs is None else theirs) == ours
    try:
        return Decimal(str(theirs)) == Decimal(str(ours))
    except InvalidOperation:
        return False


def _mistakable(code: str, found: list[Mapping[str, Any]], *, one_only: bool) -> Refused | None:
    """Order Desk tells SKUs apart by the letter; a second spelling would be a second product."""
    exact = [one for one in found if one.get("code") == code]
    if len(exact) > 1 and one_only:
        ids = ", ".join(remote_id(one) for one in exact)
        message = f"Order Desk has {len(exact)} stock items with the SKU '{code}': ids {ids}."
        return Refused("sku_twice", message, "Delete all but one of them in Order Desk, then replay the row.", "sku")
    near = [str(one.get("code")) for one in found if _plain(one.get("code")) == _plain(code)]
    if exact or not near:
        return None
    message = f"Order Desk has no SKU '{code}', but it has '{near[0]}', which differs only in case or spaces."
    return Refused("sku_near_miss", message, "Write the SKU as Order Desk has it, or rename it there.", "sku")


def _plain(code: object) -> str:
    return "".join(str(code).split()).casefold()


def _unheeded(code: str) -> Paused:
    return Paused(
        "search_not_heeded",
        f"Order Desk's search for the SKU '{code}' does not end after {MAX_PAGES} pages.",
        "Ask Order Desk whether searching inventory items by code still works.",
    )
