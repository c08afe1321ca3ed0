"""A simulated Keap tenant: contacts, products, orders and payments over three APIs, strict by the documents."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.sandbox import keap_rules as rules
from pipeline.sandbox import keap_v1, keap_xmlrpc
from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.keap_orders import OrderBook
from pipeline.sandbox.keap_rules import BadRequest, Json
from pipeline.sandbox.keap_subscriptions import SubscriptionBook
from pipeline.sandbox.keap_tenant import Tenant, primary_email

PREFIX = "/crm/rest/v2"
CUSTOM_FIELDS: Mapping[str, str] = {
    "_ExternalOrderId": "External Order Id",
    "_FulfillmentStatus": "Fulfillment Status",
    "_Carrier": "Carrier",
    "_TrackingNumber": "Tracking Number",
    "_SubscriptionStatus": "Subscription Status",
    "_SubscriptionExpires": "Subscription Expires",
}
PRODUCTS: Sequence[tuple[str, str, int]] = (
    ("WB-100", "Widget, blue", 1995),
    ("WR-200", "Widget, red", 2450),
    ("INS-1", "Insert card", 500),
    ("SUB-12", "Tea club, twelve months", 2700),
)
_WORDS = {400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 415: "Unsupported Media Type"}
_Route = Callable[..., Reply]


@dataclass(slots=True)
class Throttle:
    """The documented limits of one key: 10 calls a second, 240 a minute."""

    clock: Callable[[], float]
    seen: list[float] = field(default_factory=list)

    def broken(self) -> str | None:
        """Which limit this call breaks; a call that breaks none is counted."""
        now = self.clock()
        self.seen = [then for then in self.seen if now - then < 60]
        if sum(now - then < 1 for then in self.seen) >= 10:
            return "second"
        if len(self.seen) >= 240:
            return "minute"
        self.seen.append(now)
        return None


class SimulatedKeap:
    """One tenant.

    ``keys`` are let in, ``expired_keys`` answered as expired, ``powerless_keys`` as lacking the right; ``products``
    are (SKU, name, price in minor units), ``custom_fields`` labels by field name; ``throttled`` switches the
    documented limits on (``clock`` counts seconds); ``description_fills`` is the column XML-RPC's ``createBlankOrder``
    writes its description to.
    """

    name = "keap"

    def __init__(
        self,
        keys: Sequence[str] = ("sandbox-key",),
        *,
        expired_keys: Sequence[str] = (),
        powerless_keys: Sequence[str] = (),
        products: Sequence[tuple[str, str, int]] = PRODUCTS,
        custom_fields: Mapping[str, str] = CUSTOM_FIELDS,
        currency: str = "USD",
        throttled: bool = False,
        description_fills: str = "JobTitle",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys, self._expired = frozenset(keys), frozenset(expired_keys)
        self._powerless = frozenset(powerless_keys)
        self._throttle = Throttle(clock) if throttled else None
        self._tenant = Tenant(products, custom_fields, currency)
        self._book = OrderBook(self._tenant, now)
        self._subscriptions = SubscriptionBook(self._tenant, now)
        self._xmlrpc = keap_xmlrpc.XmlRpcDoor(self._tenant, self._book, description_fills)
        self._v1 = keap_v1.RestV1Door(self._tenant, self._book)

    def handle(self, call: Call) -> Reply:
        """Do the work and answer in Keap's shapes; every answer carries the throttle headers."""
        reply = self._barred(call) or self._behind_the_door(call)
        return Reply(reply.status, reply.body, {**reply.headers, **self._headers()})

    def writes(self, call: Call) -> bool:
        """Whether the call would change something."""
        return call.method != "GET" and (call.path != keap_xmlrpc.PATH or self._xmlrpc.writes(call))

    def refusal(self, call: Call, message: str) -> Reply:
        """A refusal as the API of the call words it."""
        if call.path == keap_xmlrpc.PATH:
            return keap_xmlrpc.refused(message)
        return Reply(400, {"code": 400, "message": message, "status": "Bad Request", "details": []})

    def truth(self) -> dict[str, Any]:
        """Contacts, products, orders (their own id, custom fields, lines, total, payments) and payments."""
        contacts = self._tenant.contacts.values()
        return {
            "contacts": [{**contact, "email": primary_email(contact)} for contact in contacts],
            "products": list(self._tenant.products.values()),
            "orders": [self._book.truth(order) for order in self._book.orders.values()],
            "payments": list(self._book.payments.values()),
            "subscriptions": list(self._subscriptions.subscriptions.values()),
        }

    # --- the door ---

    def _barred(self, call: Call) -> Reply | None:
        bearer = call.headers.get("authorization", "").removeprefix("Bearer ")
        key = call.headers.get("x-keap-api-key") or bearer
        if key in self._expired:
            return _fault(401, "Access Token expired", "keymanagement.service.access_token_expired")
        if key in self._powerless:
            return Reply(
                403, {"code": 403, "message": "Insufficient permissions", "status": "Forbidden", "details": []}
            )
        if key not in self._keys:
            return _fault(401, "Invalid access token", "oauth.v2.InvalidAccessToken")
        match self._throttle.broken() if self._throttle else None:
            case "second":
                said = "Spike arrest violation. Allowed rate : 10ps"
                return _fault(429, said, "policies.ratelimit.SpikeArrestViolation")
            case "minute":
                body = {"code": "429", "message": "Quota Exceeded", "status": "Request Throttled"}
                return Reply(429, {**body, "details": None})
        return None

    def _headers(self) -> dict[str, str]:
        used = len(self._throttle.seen) if self._throttle else 1
        return {
            "x-keap-product-throttle-limit": "240",
            "x-keap-product-throttle-time-unit": "minute",
            "x-keap-product-throttle-interval": "1",
            "x-keap-product-throttle-used": str(used),
            "x-keap-product-throttle-available": str(240 - used),
            "x-keap-product-quota-limit": "30000",
            "x-keap-product-quota-available": "29999",
        }

    def _behind_the_door(self, call: Call) -> Reply:
        if call.path == keap_xmlrpc.PATH:
            return self._xmlrpc.handle(call)
        return self._v1.handle(call) if call.path.startswith(keap_v1.PREFIX + "/") else self._answer(call)

    def _answer(self, call: Call) -> Reply:
        try:
            return self._route(call)
        except BadRequest as problem:
            return _error(problem, call)

    def _route(self, call: Call) -> Reply:
        path = call.path.removeprefix(PREFIX) if call.path.startswith(PREFIX + "/") else ""
        for pattern, methods in self._routes().items():
            if found := re.fullmatch(pattern, path):
                if call.method not in methods:
                    raise BadRequest("Method Not Allowed", 405)
                return methods[call.method](call, *found.groups())
        raise BadRequest("Resource not found", 404)

    def _routes(self) -> Mapping[str, Mapping[str, _Route]]:
        return {
            "/contacts": {"GET": self._list_contacts, "POST": self._upsert_contact},
            r"/contacts/(\d+)": {"PATCH": self._change_contact},
            "/products": {"GET": self._list_products, "POST": self._create_product},
            "/orders": {"GET": self._list_orders, "POST": self._create_order},
            "/orders/model": {"GET": self._model},
            "/orders/model/customFields": {"POST": self._create_field},
            r"/orders/(\d+)": {"GET": self._get_order, "PATCH": self._change_order},
            r"/orders/(\d+)/items": {"POST": self._add_item},
            r"/orders/(\d+)/items/(\d+)": {"PATCH": self._change_item, "DELETE": self._remove_item},
            "/subscriptions": {"GET": self._list_subscriptions, "POST": self._create_subscription},
            r"/subscriptions/(\d+)": {"PATCH": self._change_subscription},
            r"/orders/(\d+)/payments": {"GET": self._list_payments, "POST": self._create_payment},
        }

    # --- the calls ---

    def _list_contacts(self, call: Call) -> Reply:
        return _page(call, "contacts", self._tenant.contacts_listed(call.param("filter")))

    def _upsert_contact(self, call: Call) -> Reply:
        contact, is_new = self._tenant.upsert(_body(call, rules.CONTACT), call.param("duplicate_option"))
        return Reply(201 if is_new else 200, dict(contact))

    def _change_contact(self, call: Call, contact_id: str) -> Reply:
        return Reply(200, dict(self._tenant.change(contact_id, _body(call, rules.CONTACT_CHANGE), _mask(call))))

    def _list_products(self, call: Call) -> Reply:
        return _page(call, "products", self._tenant.products_listed(call.param("filter")))

    def _create_product(self, call: Call) -> Reply:
        product = self._tenant.add_product(_body(call, rules.PRODUCT))
        return Reply(201, self._tenant.product_view(product))

    def _list_orders(self, call: Call) -> Reply:
        return _page(call, "orders", self._book.listed(call.param("filter")))

    def _create_order(self, call: Call) -> Reply:
        return Reply(201, self._book.create(_body(call, rules.ORDER)))

    def _get_order(self, _call: Call, order_id: str) -> Reply:
        return Reply(200, self._book.view(self._book.order(order_id)))

    def _change_order(self, call: Call, order_id: str) -> Reply:
        return Reply(200, self._book.change(order_id, _body(call, rules.ORDER_CHANGE), _mask(call)))

    def _add_item(self, call: Call, order_id: str) -> Reply:
        return Reply(201, self._book.add_item(order_id, _body(call, rules.ORDER_ITEM)))

    def _change_item(self, call: Call, order_id: str, item_id: str) -> Reply:
        return Reply(200, self._book.change_item(order_id, item_id, _body(call, rules.ITEM_CHANGE), _mask(call)))

    def _remove_item(self, _call: Call, order_id: str, item_id: str) -> Reply:
        self._book.remove_item(order_id, item_id)
        return Reply(204, "")

    def _list_subscriptions(self, call: Call) -> Reply:
        return _page(call, "subscriptions", self._subscriptions.listed(call.param("filter")))

    def _create_subscription(self, call: Call) -> Reply:
        return Reply(201, dict(self._subscriptions.create(_body(call, rules.SUBSCRIPTION))))

    def _change_subscription(self, call: Call, subscription_id: str) -> Reply:
        body = _body(call, rules.SUBSCRIPTION_CHANGE)
        return Reply(200, dict(self._subscriptions.change(subscription_id, body, _mask(call))))

    def _list_payments(self, call: Call, order_id: str) -> Reply:
        filters = rules.Filters({"payment_id": lambda payment: payment["payment_id"]})
        found = filters.picked(call.param("filter"), self._book.payments_listed(order_id))
        return _page(call, "invoice_order_payments", found)

    def _create_payment(self, call: Call, order_id: str) -> Reply:
        return Reply(201, self._book.pay(order_id, _body(call, rules.PAYMENT)))

    def _model(self, _call: Call) -> Reply:
        return Reply(200, {"custom_fields": list(self._tenant.fields.values()), "optional_properties": []})

    def _create_field(self, call: Call) -> Reply:
        return Reply(201, self._tenant.create_field(_body(call, rules.CUSTOM_FIELD)))


def _mask(call: Call) -> list[str]:
    return [value for name, value in call.query if name == "update_mask"]


def _body(call: Call, check: rules.Check) -> Json:
    if not call.headers.get("content-type", "").startswith("application/json"):
        raise BadRequest("Unsupported Media Type", 415)
    try:
        body = call.json()
    except ValueError:
        raise BadRequest("Input could not be converted to a valid request") from None
    check(body, "body")
    return dict(body)


def _page(call: Call, name: str, found: list[Json]) -> Reply:
    size = _count(call.param("page_size", "100"), "page_size")
    start = _count(call.param("page_token", "0"), "page_token")
    if size > 1000:
        raise BadRequest("page_size must not be more than 1000")
    token = str(start + size) if size and start + size < len(found) else ""
    return Reply(200, {name: found[start : start + size], "next_page_token": token})


def _count(text: str, what: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text):
        raise BadRequest(f"{what} is invalid")
    return int(text)


def _error(problem: BadRequest, call: Call) -> Reply:
    body = {
        "code": problem.status,
        "message": problem.message,
        "status": _WORDS.get(problem.status, "Bad Request"),
        "details": [{"domain": "keap", "resource": f"{call.method} {call.path.removeprefix('/crm')}"}],
    }
    return Reply(problem.status, body)


def _fault(status: int, message: str, code: str) -> Reply:
    return Reply(status, {"fault": {"faultstring": message, "detail": {"errorcode": code}}})
