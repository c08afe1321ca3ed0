"""A simulated Kapture tenant: the ``.html`` calls for orders and two calls of generation c, as their pages tell them.

Success and failure come in different shapes on purpose (array and object, ``status`` and ``Status``): so do
the vendor's samples.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.sandbox.contract import Call, Reply

ORDER_PATH = "/add-update-order-from-other-source.html"
PULL_PATH = "/select-order-between-start-and-end-dates.html"
SEARCH_PATH = "/search-order-by-order-id.html"
PAYMENT_PATH = "/add-payment-against-order.html"
"""An address of the sandbox's own: the documents do not tell the real one."""

C_ORDER_PATH = "/ms/customer/order/api/v1/add-update"
C_PULL_PATH = "/ms/customer-search/order-search/api/v1/pull-internal"
"""Addresses of generation c, the micro-services: one object, signed with user and password."""

ORDER_BLOCK = "order_info"
"""The sandbox's own name of the part an order is written in: the documents do not show the real one."""

USER_AND_PASSWORD = "sandbox-user:sandbox-password"  # noqa: S105 - opens nothing but the sandbox
CM_ID = 42

DEFAULT_KEYS: Mapping[str, str] = {
    call: f"sandbox-{call}-key" for call in ("push", "update", "payment", "search", "pull")
}
_NO_ORDERS = {"Message": "No orders between dates", "Status": "failed"}
_NOT_FOUND = {"Message": "could not find the order", "Status": "failed"}
_NEITHER_ID = "(customer Id and order Id) or (payment Id) required and Paid amount should be greater than zero"

Body = dict[str, Any]


class Refusal(Exception):
    """A failure in Kapture's words, in one of its two spellings."""

    def __init__(self, message: str, *, capital: bool = False, status: str = "failed") -> None:
        super().__init__(message)
        names = ("Message", "Status") if capital else ("message", "status")
        self.body = {names[0]: message, names[1]: status}


@dataclass
class Order:
    """One order; ``sent`` is what the last call said, ``ids`` those Kapture gave."""

    ids: dict[str, str]
    sent: Body
    changes: int = 0
    payments: list[Body] = field(default_factory=list)


class SimulatedKapture:
    """One tenant with a key per call; ``expired`` calls and ``expired_keys`` are past their date.

    ``required`` fields are those the tenant chose; ``wants_array``: bodies are arrays. ``update_creates``:
    an update makes a second order, as the vendor's sample can be read. ``pull_shows_erp_id``: pulled orders
    carry ``erp_order_id``, which the sample does not show. A repeated ``erp_order_id`` makes a second order:
    that it does not is documented nowhere.
    """

    name = "kapture"

    def __init__(
        self,
        keys: Mapping[str, str] = DEFAULT_KEYS,
        *,
        expired: Iterable[str] = (),
        expired_keys: Iterable[str] = (),
        required: Iterable[str] = (),
        wants_array: bool = True,
        update_creates: bool = False,
        pull_shows_erp_id: bool = False,
    ) -> None:
        self._keys = dict(keys)
        self._expired, self._expired_keys = frozenset(expired), frozenset(expired_keys)
        self._required = tuple(required)
        self._wants_array = wants_array
        self._update_creates = update_creates
        self._pull_shows_erp_id = pull_shows_erp_id
        self._orders: list[Order] = []
        self._payments: list[Body] = []
        self._customers: dict[str, str] = {}

    def handle(self, call: Call) -> Reply:
        """Do the work and answer; failures come with HTTP 200 too."""
        if call.method != "POST":
            return Reply(405, "<html><body>Method Not Allowed</body></html>")
        known: dict[str, Callable[[Call], Any]] = {
            ORDER_PATH: self._order,
            PULL_PATH: self._pull,
            SEARCH_PATH: self._search,
            PAYMENT_PATH: self._pay,
            C_ORDER_PATH: self._order_c,
            C_PULL_PATH: self._pull_c,
        }
        if call.path not in known:
            return Reply(404, "<html><body>Not Found</body></html>")
        try:
            return Reply(200, known[call.path](call))
        except Refusal as refusal:
            return Reply(200, refusal.body)

    def truth(self) -> dict[str, Any]:
        """Every order and payment there is, in the order of creation."""
        return {
            "orders": [_plain(order) for order in self._orders],
            "payments": [dict(p) for p in self._payments],
        }

    def writes(self, call: Call) -> bool:
        """Orders, their updates and payments."""
        return call.path in {ORDER_PATH, PAYMENT_PATH, C_ORDER_PATH}

    # --- the calls ---

    def _order(self, call: Call) -> Any:  # noqa: ANN401 - any JSON value
        body = self._body(call, ("push", "update"))
        if "order_id" in body:
            self._let_in(call, "update")
            return self._update(body)
        self._let_in(call, "push")
        return self._push(body)

    def _push(self, body: Body) -> Any:  # noqa: ANN401 - any JSON value
        if not (body.get("customer_id") or body.get("email_id") or body.get("phone")):
            raise Refusal("phone is missing")
        for name in self._required:
            if not body.get(name):
                raise Refusal(f"{name} is missing")
        if not _sound(body):
            raise Refusal("Order Creation Failed...", capital=True)
        return [_added(self._add(body))]

    def _update(self, body: Body) -> Any:  # noqa: ANN401 - any JSON value
        customer = body.get("customer_id") or body.get("customer_name")
        if not (customer and (body.get("email_id") or body.get("phone"))):
            raise Refusal("Order Id Or Enquiry Id Or customer details required.", capital=True, status="Fail")
        known = self._find(body["order_id"])
        if known is None:
            raise Refusal("Order Id Or Enquiry Id Or valid customer required.", capital=True, status="Fail")
        if self._update_creates:
            return [_added(self._add({name: value for name, value in body.items() if name != "order_id"}))]
        known.sent |= body
        known.changes += 1
        return [_added(known)]

    def _pull(self, call: Call) -> Any:  # noqa: ANN401 - any JSON value
        body = self._body(call, ("pull",))
        self._let_in(call, "pull")
        day = str(body.get("start_date", ""))
        if not day:
            raise Refusal("start_date is missing")
        try:
            first = date.fromisoformat(day)
            last = min(date.fromisoformat(str(body.get("end_date", day))), first)  # a day at most
            start, number = int(body.get("startPosition", "0")), int(body.get("numberOfRecords", "100"))
        except ValueError:
            raise Refusal("Invalid Json.") from None
        seen = [order for order in self._orders if first <= _day(order) <= last][start : start + number]
        return {"orders": [self._shown(order) for order in seen], "status": "success"} if seen else _NO_ORDERS

    def _search(self, call: Call) -> Any:  # noqa: ANN401 - any JSON value
        body = self._body(call, ("search",))
        self._let_in(call, "search")
        order = self._find(body.get("order_id", ""))
        return {"message": self._shown(order), "status": "success"} if order else _NOT_FOUND

    def _pay(self, call: Call) -> Any:  # noqa: ANN401 - any JSON value
        body = self._body(call, ("payment",))
        self._let_in(call, "payment")
        against = bool(body.get("kapture_order_id") and body.get("kapture_customer_id"))
        if not (against or body.get("payment_id")) or not _is_above_zero(body.get("amount_paid", "")):
            raise Refusal(_NEITHER_ID, capital=True, status="Fail")
        self._payments.append(body)
        return {"message": "payment against order updated successfully.", "status": "success"}

    # --- generation c ---

    def _order_c(self, call: Call) -> Any:  # noqa: ANN401 - any JSON value
        body = _object_c(call)
        customer, order = body.get("customer_info"), body.get(ORDER_BLOCK)
        if not isinstance(customer, dict) or not customer.get("customer_name"):
            raise Refusal("customer_name is missing")
        if not isinstance(order, dict) or not isinstance(body.get("contact_info", []), list):
            raise Refusal("Invalid Json.")
        sent = {name: value for name, value in customer.items() if name != "update"}
        sent |= {**order, "product_details": body.get("product_details", [])}
        if not _all_text(sent):
            raise Refusal("Invalid Json.")
        return _added(self._changed(sent) if "order_id" in order else self._add(sent))

    def _changed(self, sent: Body) -> Order:
        known = self._find(sent["order_id"])
        if known is None:
            raise Refusal("Order Id Or Enquiry Id Or valid customer required.", capital=True, status="Fail")
        known.sent |= sent
        known.changes += 1
        return known

    def _pull_c(self, call: Call) -> Any:  # noqa: ANN401 - any JSON value
        body = _object_c(call)
        wanted = body.get("erpOrderId")
        if body.get("cmId") != CM_ID or not wanted:
            raise Refusal("cmId is missing")
        seen = [order for order in self._orders if order.sent.get("erp_order_id") == wanted]
        rows = [{"orderId": order.ids["order_id"], "erpOrderId": wanted} for order in seen]
        return {"orders": rows, "status": "success"}

    # --- what stands behind them ---

    def _body(self, call: Call, calls: tuple[str, ...]) -> Body:
        """The one object sent, after its caller is known; every value in it must be text."""
        self._known(call, calls)
        kind = call.headers.get("content-type", "").partition(";")[0].strip()
        try:
            body = call.json() if kind == "application/json" else None
        except ValueError:
            body = None
        if self._wants_array:
            body = body[0] if isinstance(body, list) and len(body) == 1 else None
        if not isinstance(body, dict) or not _all_text(body):
            raise Refusal("Invalid Json.")
        return body

    def _known(self, call: Call, calls: tuple[str, ...]) -> None:
        self._check_date(call)
        if _key_of(call) not in [self._keys.get(name) for name in calls]:
            raise Refusal("Invalid Auth Key")

    def _check_date(self, call: Call) -> None:
        if _key_of(call) in self._expired_keys:
            raise Refusal("Auth Key Expired", capital=True, status="Fail")

    def _let_in(self, call: Call, name: str) -> None:
        self._check_date(call)
        if _key_of(call) != self._keys.get(name):
            raise Refusal("Invalid Auth Key")
        if name in self._expired:
            raise Refusal("Auth Key Expired", capital=True, status="Fail")

    def _add(self, body: Body) -> Order:
        number = len(self._orders)
        who = body.get("customer_id") or body.get("email_id") or body.get("phone") or body["customer_name"]
        customer = self._customers.setdefault(who, body.get("customer_id") or str(9001 + len(self._customers)))
        ids = {"order_id": str(5001 + number), "enquiry_id": str(7001 + number), "customer_id": customer}
        order = Order(ids, dict(body))
        self._orders.append(order)
        return order

    def _find(self, order_id: str) -> Order | None:
        return next((order for order in self._orders if order.ids["order_id"] == order_id), None)

    def _shown(self, order: Order) -> Body:
        sent = order.sent
        shown = {
            "id": order.ids["order_id"],
            "leadId": order.ids["customer_id"],
            "enquiryId": order.ids["enquiry_id"],
            "name": sent.get("customer_name", ""),
            "phone": sent.get("phone", ""),
            "email": sent.get("email_id", ""),
            "productValue": sent.get("grand_total", "0"),
        }
        return {**shown, "erp_order_id": sent.get("erp_order_id", "")} if self._pull_shows_erp_id else shown


def _added(order: Order) -> Body:
    ids = order.ids
    return {
        "status": "success", "message": "Order Added Successfully",
        "order_id": ids["order_id"], "Order Id": ids["order_id"],
        "enquiry_id": ids["enquiry_id"], "Enquiry Id": ids["enquiry_id"],
        "kapture_customer_id": ids["customer_id"], "Kapture Customer Id": ids["customer_id"],
    }  # fmt: skip


def _plain(order: Order) -> Body:
    return {
        **order.sent,
        **order.ids,
        "erp_order_id": order.sent.get("erp_order_id", ""),
        "changes": order.changes,
    }


def _object_c(call: Call) -> Body:
    """The bare object sent, after its caller is known."""
    if _key_of(call) != base64.b64encode(USER_AND_PASSWORD.encode()).decode():
        raise Refusal("Invalid Auth Key")
    try:
        body = call.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal("Invalid Json.")
    return body


def _key_of(call: Call) -> str:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token if scheme == "Basic" else call.param("auth_key")


def _all_text(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return all(_all_text(inner) for inner in value.values())
    if isinstance(value, list):
        return all(isinstance(inner, dict) and _all_text(inner) for inner in value)
    return isinstance(value, str)


def _sound(body: Body) -> bool:
    """Dates and numbers can be read as the samples spell them."""
    amounts = [body.get(name, "0") for name in ("grand_total", "total_paid")]
    for product in body.get("product_details", []):
        amounts += [product.get(name, "0") for name in ("rate", "quantity", "discount")]
    return all(_number(amount).is_finite() for amount in amounts) and _is_minute(body.get("create_date"))


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def _is_above_zero(text: str) -> bool:
    return _number(text).is_finite() and _number(text) > 0


def _is_minute(text: str | None) -> bool:
    if text is None:
        return True
    try:
        datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 - only the form is looked at
    except ValueError:
        return False
    return True


def _day(order: Order) -> date:
    """The order's own date; an order without one stands on the first day of all."""
    return date.fromisoformat(order.sent.get("create_date", "1970-01-01")[:10])
