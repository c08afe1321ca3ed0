"""The REST v1 door of the simulated tenant: integer ids, prices as texts, a product for every line, no order change."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from pipeline.sandbox import keap_rules as rules
from pipeline.sandbox.contract import Call, Reply
from pipeline.sandbox.keap_orders import OrderBook
from pipeline.sandbox.keap_rules import BadRequest, Json
from pipeline.sandbox.keap_tenant import Tenant, primary_email

PREFIX = "/crm/rest/v1"
METHODS = {"CREDIT_CARD": "Credit Card (Manual)", "CASH": "Cash", "CHECK": "Check"}
_ITEM_TYPES = (
    "UNKNOWN SHIPPING TAX SERVICE PRODUCT UPSELL FINANCE_CHARGE SPECIAL PROGRAM SUBSCRIPTION SPECIAL_FREE_TRIAL_DAYS "
    "SPECIAL_ORDER_TOTAL SPECIAL_PRODUCT SPECIAL_CATEGORY SPECIAL_SHIPPING TIP OTHER"
)


def _price(value: Any, where: str) -> None:  # noqa: ANN401 - a JSON value
    rules.text()(value, where)
    try:
        amount = Decimal(value)
    except InvalidOperation:
        raise BadRequest(f"{where} is invalid") from None
    if not amount.is_finite() or amount < 0:
        raise BadRequest(f"{where} must be greater than or equal to 0")


def _region(value: Any, where: str) -> None:  # noqa: ANN401 - a JSON value
    rules.shape(**dict.fromkeys(_PLACE, rules.text()))(value, where)
    if "region" in value and "country_code" not in value:
        raise BadRequest("country_code is required if region is specified")


_PLACE = (
    *("field", "line1", "line2", "locality", "region", "country_code", "zip_code", "zip_four", "postal_code"),
    *("company", "phone", "first_name", "middle_name", "last_name"),
)
CONTACT = rules.shape(
    given_name=rules.text(),
    middle_name=rules.text(),
    family_name=rules.text(),
    birthday=rules.moment,
    origin=rules.shape("ip_address", ip_address=rules.text()),
    company=rules.shape(id=rules.whole(1)),
    opt_in_reason=rules.text(),
    email_addresses=rules.many(rules.shape("field", email=rules.text(), field=rules.text())),
    phone_numbers=rules.many(rules.shape("field", number=rules.text(), field=rules.text())),
    addresses=rules.many(_region),
    duplicate_option=rules.one_of("Email", "EmailAndName"),
)
PRODUCT = rules.shape(
    "product_name",
    **dict.fromkeys(("product_name", "product_short_desc", "product_desc", "sku"), rules.text()),
    product_price=rules.number,
    active=rules.boolean,
    subscription_only=rules.boolean,
)
ORDER = rules.shape(
    "contact_id order_date order_items order_title order_type",
    contact_id=rules.whole(1),
    order_date=rules.moment,
    order_title=rules.text(),
    order_type=rules.one_of("Offline", "Online"),
    order_items=rules.many(
        rules.shape(
            "product_id quantity",
            product_id=rules.whole(1),
            quantity=rules.whole(1),
            price=_price,
            description=rules.text(),
            item_type=rules.one_of(*_ITEM_TYPES.split()),
        )
    ),
    shipping_address=_region,
    promo_codes=rules.many(rules.text()),
    lead_affiliate_id=rules.whole(0),
    sales_affiliate_id=rules.whole(0),
)
PAYMENT = rules.shape(
    payment_amount=_price,
    payment_method_type=rules.one_of("CREDIT_CARD", "CASH", "CHECK", "TOKEN"),
    charge_now=rules.boolean,
    apply_to_commissions=rules.boolean,
    date=rules.moment,
    notes=rules.text(),
)


class RestV1Door:
    """Answers REST v1 with the tenant's contacts, products and orders."""

    def __init__(self, tenant: Tenant, book: OrderBook) -> None:
        self._tenant = tenant
        self._book = book

    def handle(self, call: Call) -> Reply:
        """Do the work; a refusal carries ``message`` alone, as seen in the wild."""
        try:
            return self._route(call)
        except BadRequest as problem:
            return Reply(problem.status, {"message": problem.message})

    def _route(self, call: Call) -> Reply:
        path = call.path.removeprefix(PREFIX)
        routes: Mapping[str, Mapping[str, Callable[..., Reply]]] = {
            "/contacts": {"GET": self._list_contacts, "PUT": self._upsert},
            "/products": {"GET": self._list_products, "POST": self._create_product},
            "/orders": {"GET": self._list_orders, "POST": self._create_order},
            r"/orders/(\d+)/payments": {"GET": self._list_payments, "POST": self._pay},
        }
        for pattern, methods in routes.items():
            if found := re.fullmatch(pattern, path):
                if call.method not in methods:
                    raise BadRequest("Method Not Allowed", 405)
                return methods[call.method](call, *found.groups())
        raise BadRequest("Resource not found", 404)

    def _list_contacts(self, call: Call) -> Reply:
        email = call.param("email").casefold()
        found = [c for c in self._tenant.contacts.values() if not email or primary_email(c).casefold() == email]
        return _page(call, "contacts", [{**contact, "id": int(contact["id"])} for contact in found])

    def _upsert(self, call: Call) -> Reply:
        body = _body(call, CONTACT)
        option = body.pop("duplicate_option", "")
        if not body.get("email_addresses") and not body.get("phone_numbers"):
            raise BadRequest("New Contacts must contain at least one item in email_addresses or phone_numbers")
        contact, is_new = self._tenant.upsert(body, option)
        return Reply(201 if is_new else 200, {**contact, "id": int(contact["id"])})

    def _list_products(self, call: Call) -> Reply:
        return _page(call, "products", [_product(product) for product in self._tenant.products.values()])

    def _create_product(self, call: Call) -> Reply:
        body = _body(call, PRODUCT)
        name = body["product_name"]
        made = {"name": name, "short_description": name, "price": round(body.get("product_price", 0) * 100)}
        return Reply(201, _product(self._tenant.add_product(made | ({"sku": body["sku"]} if "sku" in body else {}))))

    def _list_orders(self, call: Call) -> Reply:
        wanted = call.param("contact_id")
        found = [order for order in self._book.orders.values() if not wanted or order["contact_id"] == wanted]
        return _page(call, "orders", [self._order(order) for order in found])

    def _create_order(self, call: Call) -> Reply:
        body = _body(call, ORDER)
        for item in body["order_items"]:
            if str(item["product_id"]) not in self._tenant.products:
                raise BadRequest("product_id is invalid")
        order = {
            "contact_id": str(body["contact_id"]),
            "order_title": body["order_title"],
            "order_time": body["order_date"],
            "order_type": body["order_type"].upper(),
            "order_items": [_item(item) for item in body["order_items"]],
        }
        order |= {name: body[name] for name in ("shipping_address",) if name in body}
        return Reply(201, self._order(self._book.order(self._book.create(order)["id"])))

    def _order(self, order: Json) -> Json:
        total, paid = self._book.total(order), self._book.paid(order)
        return {
            "id": int(order["id"]),
            "title": order["order_title"],
            "status": "PAID" if paid >= total > 0 else "DRAFT",
            "total": float(total),
            "total_paid": float(paid),
            "total_due": float(total - paid),
            "order_date": order["order_time"],
            "contact": {"id": int(order["contact_id"])},
        }

    def _list_payments(self, _call: Call, order_id: str) -> Reply:
        listed = self._book.payments_listed(order_id)
        return Reply(200, [{**entry, "id": int(entry["id"]), "payment_id": int(entry["id"])} for entry in listed])

    def _pay(self, call: Call, order_id: str) -> Reply:
        body = _body(call, PAYMENT)
        if body.get("charge_now", True) or body.get("payment_method_type") == "TOKEN":
            raise BadRequest("this tenant has no cards to charge")
        made = self._book.pay(
            order_id,
            {
                "payment_amount": float(body["payment_amount"]),
                "payment_method_type": METHODS.get(body.get("payment_method_type", ""), ""),
                "notes": body.get("notes", ""),
                "apply_to_commissions": body.get("apply_to_commissions", False),
            },
        )
        return Reply(201, {**made, "id": int(made["id"]), "payment_status": "APPROVED"})


def _item(item: Json) -> Json:
    kind = {"SERVICE": "FEE"}.get(item.get("item_type", "PRODUCT"), item.get("item_type", "PRODUCT"))
    kept = {"product_id": str(item["product_id"]), "quantity": item["quantity"], "item_type": kind}
    if "price" in item:
        kept["price_per_unit"] = float(item["price"])
    return kept | ({"description": item["description"]} if "description" in item else {})


def _product(product: Json) -> Json:
    return {
        "id": int(product["id"]),
        "product_name": product["name"],
        "sku": product.get("sku", ""),
        "product_price": product["price"] / 100,
    }


def _page(call: Call, name: str, found: list[Json]) -> Reply:
    limit, offset = int(call.param("limit", "1000")), int(call.param("offset", "0"))
    return Reply(200, {name: found[offset : offset + limit], "count": len(found), "next": "", "previous": ""})


def _body(call: Call, check: rules.Check) -> Json:
    if not call.headers.get("content-type", "").startswith("application/json"):
        raise BadRequest("Unsupported Media Type", 415)
    try:
        body = call.json()
    except ValueError:
        raise BadRequest("Input could not be converted to a valid request") from None
    check(body, "body")
    return dict(body)
