"""Order Desk, simulated by its documents: calls, headers, search, paging and the leaky bucket."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.orderdesk_store import FOLDERS, Json, NotTaken, Store

PREFIX = "/api/v2"
BURST, PER_SECOND = 20.0, 3.0
_MAPS = frozenset({"variation_list", "metadata", "checkout_data", "order_metadata"})
_EXACT_FILTERS = ("source_name", "email", "customer_id")


class SimulatedOrderDesk:
    """One store.

    ``throttled`` switches the documented bucket on (20 calls, 3 a second; ``clock`` counts seconds). What the
    documents leave open a caller must bear either way: ``refusal_status`` is the HTTP status of a refusal;
    with ``echoes`` a created inventory item comes back in the answer; with ``loose_search`` near misses are
    found too; with ``refuses_duplicates`` a known source id is refused; with ``keeps_items`` a replaced order
    keeps the items the call left out. ``halves_batches``: of an array every second entry is taken, and the answer is a
    success (``silently``) or an error (``aloud``).
    """

    name = "orderdesk"

    def __init__(
        self,
        store_id: str = "90001",
        api_key: str = "sandbox-key",
        *,
        throttled: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        refusal_status: int = 400,
        echoes: bool = True,
        loose_search: bool = False,
        refuses_duplicates: bool = False,
        keeps_items: bool = False,
        halves_batches: Literal["", "silently", "aloud"] = "",
    ) -> None:
        self._keys = (store_id, api_key)
        self._throttled, self._clock = throttled, clock
        self._tokens, self._filled_at = BURST, clock()
        self._now = now
        self._refusal_status, self._echoes = refusal_status, echoes
        self._loose, self._refuses_duplicates = loose_search, refuses_duplicates
        self._halves = halves_batches
        self.store = Store(now, keeps_items=keeps_items)

    def truth(self) -> dict[str, Any]:
        """Orders, shipments and inventory items, in the order of creation."""
        return {
            "orders": list(self.store.orders.values()),
            "shipments": list(self.store.shipments.values()),
            "inventory_items": list(self.store.inventory.values()),
        }

    def writes(self, call: Call) -> bool:
        """Every method but GET changes something."""
        return call.method != "GET"

    def handle(self, call: Call) -> Reply:
        """Check headers and speed, then do the work."""
        wrong = self._wrong_head(call)
        if wrong is not None:
            return wrong
        if self._throttled and not self._drip():
            wait = math.ceil((1 - self._tokens) / PER_SECOND)
            return Reply(429, _error("Too Many Requests"), {"X-Tokens-Remaining": "0", "X-Retry-After": str(wait)})
        reply = self._route(call)
        headers = {"X-Tokens-Remaining": str(int(self._tokens))} if self._throttled else {}
        return Reply(reply.status, _as_php(reply.body), headers)

    def _wrong_head(self, call: Call) -> Reply | None:
        """What the documents list as an invalid call."""
        if call.method in {"CONNECT", "TRACE", "PATCH", "HEAD", "OPTIONS"}:
            return Reply(405, _error(f"Method {call.method} is not allowed"))
        if call.method == "GET" and (call.body or {"content-type", "content-length"} & set(call.headers)):
            return Reply(400, _error("A GET request has no Content-Type, Content-Length or body"))
        if (call.headers.get("orderdesk-store-id"), call.headers.get("orderdesk-api-key")) != self._keys:
            return Reply(401, _error("Invalid Store ID or API Key"))
        if call.body and not call.headers.get("content-type", "").startswith("application/json"):
            return Reply(400, _error("Content-Type must be application/json"))
        return None

    def _drip(self) -> bool:
        now = self._clock()
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * PER_SECOND)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _route(self, call: Call) -> Reply:
        for method, pattern, work in ROUTES:
            matched = re.fullmatch(PREFIX + pattern, call.path)
            if matched and method == call.method:
                return self._carried_out(work, call, matched.groups())
        return Reply(404, _error("Not Found"))

    def _carried_out(self, work: Callable[..., Json], call: Call, parts: tuple[str, ...]) -> Reply:
        try:
            return Reply(200, {"status": "success", "execution_time": "0.1000 seconds", **work(self, call, *parts)})
        except NotTaken as refusal:
            status = 404 if str(refusal).endswith("Not Found") else self._refusal_status
            return Reply(status, _error(str(refusal)))

    # --- store --------------------------------------------------------------------------------------------

    def _test(self, _call: Call) -> Json:
        stamp = self._now().strftime("%Y-%m-%d %H:%M:%S")
        return {"message": "Connection Successful", "current_date_time": stamp}

    def _store(self, _call: Call) -> Json:
        store_id, api_key = self._keys
        settings = {"timezone": "UTC", "auto_update_stock_count": "0", "api_key": api_key}
        folders = {str(number): name for number, name in FOLDERS.items()}
        return {"store": {"id": store_id, "settings": settings, "folders": folders}}

    # --- orders -------------------------------------------------------------------------------------------

    def _find_orders(self, call: Call) -> Json:
        found = [order for order in self._candidates(call.param("source_id")) if _fits(order, call)]
        found.sort(key=lambda order: (order["date_added"], int(order["id"])), reverse=call.param("order") != "ASC")
        return _page(call, "orders", [self._whole(order) for order in found])

    def _candidates(self, source_id: str) -> Iterable[Json]:
        orders = self.store.orders
        if not source_id:
            return orders.values()
        wanted = source_id.casefold()
        if self._loose:
            return [order for order in orders.values() if wanted in order["source_id"].casefold()]
        return [orders[order_id] for order_id in self.store.by_source_id.get(wanted, ())]

    def _whole(self, order: Json) -> Json:
        """As it is read: with its shipments, the card number masked."""
        shown = {name: value for name, value in order.items() if name != "cc_number"}
        card = f"XXXXXXXXXXXX{order['cc_number']}" if order["cc_number"] else ""
        return shown | {"cc_number_masked": card, "order_shipments": self.store.shipments_of(order["id"])}

    def _add_order(self, call: Call) -> Json:
        body = _body(call)
        source_id = str(body.get("source_id") or "") if isinstance(body, dict) else ""
        twins = self.store.by_source_id.get(source_id.casefold())
        if self._refuses_duplicates and source_id and twins:
            raise NotTaken(f"Duplicate order: {source_id} was already added as order {twins[0]}")
        return {"order": self._whole(self.store.add_order(body))}

    def _get_order(self, _call: Call, order_id: str) -> Json:
        return {"order": self._whole(self.store.order(order_id))}

    def _put_order(self, call: Call, order_id: str) -> Json:
        return {"order": self._whole(self.store.replace_order(order_id, _body(call)))}

    def _delete_order(self, _call: Call, order_id: str) -> Json:
        self.store.remove_order(order_id)
        return {"message": f"Order {order_id} Deleted"}

    def _delete_line(self, _call: Call, order_id: str, line_id: str) -> Json:
        self.store.remove_line(order_id, line_id)
        return {"message": "Order Item Deleted"}

    def _add_history(self, call: Call, order_id: str) -> Json:
        order, body = self.store.order(order_id), _body(call)
        if not isinstance(body, dict) or not isinstance(body.get("note"), str) or len(body["note"]) > 1800:
            raise NotTaken("A note of at most 1800 characters is required")
        order["order_history"].append({"content": body["note"], "source_name": body.get("source_name", "")})
        return {"order": self._whole(order)}

    def _move_orders(self, call: Call) -> Json:
        body = _body(call)
        if not isinstance(body, dict) or not isinstance(body.get("order_id_list"), list):
            raise NotTaken("order_id_list is required")
        folder = _folder(body)
        orders = [self.store.order(str(order_id)) for order_id in body["order_id_list"]]
        results = []
        for order in orders:
            message = f"Order Moved to {FOLDERS[folder]} Folder"
            results.append({"order_id": int(order["id"]), "message": message, "original_folder_id": order["folder_id"]})
            order["folder_id"] = folder
        return {"message": f"{len(orders)} Orders Moved", "results": results}

    # --- shipments ----------------------------------------------------------------------------------------

    def _get_shipments(self, _call: Call, order_id: str) -> Json:
        shipments = self.store.shipments_of(order_id)
        return {"total_records": len(shipments), "shipments": shipments}

    def _add_shipment(self, call: Call, order_id: str) -> Json:
        self.store.add_shipment(order_id, _body(call))
        return {"message": "Shipment Added"}

    def _add_shipments(self, call: Call) -> Json:
        for one in _array(call):
            self.store.add_shipment(str(one.get("order_id")), one)
        return {"message": "Shipments Added"}

    def _delete_shipment(self, _call: Call, order_id: str, shipment_id: str) -> Json:
        if shipment_id not in {one["id"] for one in self.store.shipments_of(order_id)}:
            raise NotTaken("Shipment Not Found")
        self.store.remove_shipment(shipment_id)
        return {"message": f"Shipment {shipment_id} Deleted"}

    # --- inventory ----------------------------------------------------------------------------------------

    def _find_inventory(self, call: Call) -> Json:
        stock = self._coded(call.param("code"))
        if call.param("search"):
            wanted = call.param("search").casefold()
            stock = [one for one in stock if wanted in f"{one['name']} {one['code']}".casefold()]
        page = _page(call, "inventory_items", stock)
        return page | {"total_records": str(page["total_records"])}

    def _coded(self, codes: str) -> list[Json]:
        stock = self.store.inventory
        if not codes:
            return list(stock.values())
        wanted = codes.split(",")
        if self._loose:
            plain = {code.strip().casefold() for code in wanted}
            return [one for one in stock.values() if one["code"].strip().casefold() in plain]
        return [stock[number] for code in wanted for number in self.store.by_code.get(code, ())]

    def _get_stock(self, _call: Call, stock_id: str) -> Json:
        return {"inventory_item": self.store.stock(int(stock_id))}

    def _add_stock(self, call: Call) -> Json:
        stock = self.store.add_inventory(_body(call))
        return {"message": "Inventory Item Added"} | ({"inventory_item": stock} if self._echoes else {})

    def _put_stock(self, call: Call, stock_id: str) -> Json:
        self.store.replace_inventory(int(stock_id), _body(call))
        return {"message": "Inventory Item Updated"}

    def _put_stocks(self, call: Call) -> Json:
        items = _array(call)
        taken = items[::2] if self._halves else items
        ids = [one["id"] if isinstance(one.get("id"), int) else 0 for one in taken]
        for stock_id in ids:
            self.store.stock(stock_id)
        for stock_id, one in zip(ids, taken, strict=True):
            self.store.replace_inventory(stock_id, one)
        if self._halves == "aloud":
            raise NotTaken("Some inventory items could not be updated")
        return {"message": "Inventory Items Updated"}

    def _delete_stock(self, _call: Call, stock_id: str) -> Json:
        self.store.remove_inventory(int(stock_id))
        return {"message": f"Inventory Item {stock_id} Deleted"}


ROUTES: tuple[tuple[str, str, Callable[..., Json]], ...] = tuple(
    (method, pattern, getattr(SimulatedOrderDesk, work))
    for method, pattern, work in (
        ("GET", "/test", "_test"),
        ("GET", "/store", "_store"),
        ("GET", "/orders", "_find_orders"),
        ("POST", "/orders", "_add_order"),
        ("GET", r"/orders/(\d+)", "_get_order"),
        ("PUT", r"/orders/(\d+)", "_put_order"),
        ("DELETE", r"/orders/(\d+)", "_delete_order"),
        ("DELETE", r"/orders/(\d+)/order-items/(\d+)", "_delete_line"),
        ("POST", r"/orders/(\d+)/order-history", "_add_history"),
        ("POST", "/move-orders", "_move_orders"),
        ("GET", r"/orders/(\d+)/shipments", "_get_shipments"),
        ("POST", r"/orders/(\d+)/shipments", "_add_shipment"),
        ("POST", "/batch-shipments", "_add_shipments"),
        ("DELETE", r"/orders/(\d+)/shipments/(\d+)", "_delete_shipment"),
        ("GET", "/inventory-items", "_find_inventory"),
        ("POST", "/inventory-items", "_add_stock"),
        ("GET", r"/inventory-items/(\d+)", "_get_stock"),
        ("PUT", r"/inventory-items/(\d+)", "_put_stock"),
        ("DELETE", r"/inventory-items/(\d+)", "_delete_stock"),
        ("PUT", "/batch-inventory-items", "_put_stocks"),
    )
)


def _error(message: str) -> Json:
    return {"status": "error", "message": message, "execution_time": "0.1000 seconds"}


def _body(call: Call) -> Any:  # noqa: ANN401 - whatever JSON arrived
    try:
        return call.json()
    except ValueError:
        raise NotTaken("The body is not JSON") from None


def _array(call: Call) -> list[Json]:
    body = _body(call)
    if not isinstance(body, list) or not all(isinstance(one, dict) for one in body):
        raise NotTaken("A list is required")
    return body


def _fits(order: Json, call: Call) -> bool:
    wanted = {name: call.param(name) for name in _EXACT_FILTERS if call.param(name)}
    if any(order[name].casefold() != value.casefold() for name, value in wanted.items()):
        return False
    folders = call.param("folder_id")
    if folders and str(order["folder_id"]) not in folders.split(","):
        return False
    return _within(order["date_added"], call, "search") and _within(order["date_updated"], call, "modified")


def _within(stamp: str, call: Call, which: str) -> bool:
    start, end = call.param(f"{which}_start_date"), call.param(f"{which}_end_date")
    return (not start or stamp >= start) and (not end or stamp[: len(end)] <= end)


def _page(call: Call, name: str, things: list[Json]) -> Json:
    limit, offset = _count(call, "limit", 50), _count(call, "offset", 0)
    if limit > 500:
        raise NotTaken("limit is at most 500")
    page = things[offset : offset + limit]
    return {
        "total_records": len(things),
        "records_returned": len(page),
        "offset": offset,
        "limit": limit,
        name: page,
    }


def _count(call: Call, name: str, default: int) -> int:
    text = call.param(name) or str(default)
    if not text.isdecimal():
        raise NotTaken(f"{name} must be a number")
    return int(text)


def _folder(body: Json) -> int:
    number, name = body.get("destination_folder_id"), body.get("destination_folder_name")
    if (number is None) == (name is None):
        raise NotTaken("One of destination_folder_id and destination_folder_name is required")
    for known, title in FOLDERS.items():
        if name == title or str(number) == str(known):
            return known
    raise NotTaken("Folder does not exist")


def _as_php(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """PHP has one kind of array: an empty map leaves as an empty list."""
    if isinstance(value, dict):
        return {key: [] if key in _MAPS and not one else _as_php(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_as_php(one) for one in value]
    return value
