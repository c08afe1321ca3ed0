"""A simulated InfluencerSoft: ``createorder`` of API 2.0 and the signed reads of API 1.0, as documented.

Method names are matched without regard to letter case, as the live service was seen to do; what proves the
caller (``rpsKey`` or ``hash``) says which generation is meant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

from pipeline.sandbox.contract import Call, Reply

Form = dict[str, str]
SameOrder = Callable[[Form, "Order"], bool]
"""When the simulated shop calls an order one it has already: the vendor's own rule is documented nowhere."""

DEFAULT_PRODUCTS = (
    "course-basic", "course-advanced", "workbook", "membership",
    "WB-100", "WR-200", "INS-1", "SUB-12",
)  # fmt: skip

_TEXTS: Mapping[int, str] = {
    0: "OK",
    1: "not transferred hash",
    2: "no transmitted data",
    3: "wrong posted data",
    4: "incorrect hash",
    8: "request quota used up",
    400: "order not found",
    600: "wrong email",
    601: "order already exist, bill_id in result",
    203: "order number is empty",
    302: "nonexistent order",
    303: "wrong status",
    602: "error creating order",
    603: "missing products",
    604: "product not exist",
    605: "no delivery data",
    700: "no products",
}
_CHANGES = {"paid": "Paid", "sent": "", "cancel": "Cancel", "return": "MoneyBack"}
"""Words of ``UpdateOrderStatus`` → state of the order; a parcel that is sent leaves the payment as it is."""

_STATUSES = {"Expected": "waiting", "Paid": "paid", "Cancel": "cancel", "MoneyBack": "return"}
# The last word begins with a Cyrillic letter on the vendor's page.
_CONFIRMED = frozenset({"Yes", "No", "True", "False", "\u0421onfirmed"})
_CREATED_FORMATS = ("%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")
_PAID_FORMATS = ("%m/%d/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")
_KNOWN = frozenset({
    "rpsKey", "customer_email", "customer_first_name", "customer_last_name", "customer_middle_name",
    "customer_phone", "order_ip", "customer_shipping", "customer_shipping_phone",
    "customer_shipping_address_2", "customer_shipping_city", "customer_shipping_state",
    "customer_shipping_zip", "customer_shipping_country_code", "customer_billing_address_1",
    "customer_billing_address_2", "customer_billing_city", "customer_billing_state",
    "customer_billing_zip", "customer_billing_country_code", "order_tag", "note", "order_created_at",
    "order_paid_at", "order_status", "order_confirmed", "order_sales_manager", "product_names",
    "product_prices", "payment_method", "coupon", "affiliates", "utm_medium", "utm_source",
    "utm_campaign", "utm_content", "utm_term",
})  # fmt: skip


class Refusal(Exception):
    """One of the documented codes, with what its ``result`` names."""

    def __init__(self, code: int, result: Any = ()) -> None:  # noqa: ANN401 - any JSON value
        super().__init__(_TEXTS[code])
        self.code = code
        self.result = result


@dataclass(frozen=True, slots=True)
class Order:
    """One invoice; a missing trailing price means the shop's own. ``ignored`` holds unknown parameters.

    ``changes`` are the calls that changed its status since, oldest first.
    """

    bill_id: str
    email: str
    tag: str
    note: str
    status: str
    products: tuple[str, ...]
    prices: tuple[str, ...]
    fields: Form
    ignored: Form = field(default_factory=dict)
    changes: tuple[Form, ...] = ()


class SimulatedInfluencerSoft:
    """One shop with its products and orders.

    ``shows_bill_id``: the vendor's sample of ``createorder`` has an empty result, so by default no number
    comes back. ``closed`` methods answer code 2, as some do for some accounts. ``same_order`` says when 601 is
    answered (default: never); ``physical`` goods want an address.
    ``odd_keys`` are answered with a code of their own.
    ``answer_code`` may be set to make every ``createorder`` answer that code and do nothing (8, 602 …).
    """

    name = "influencersoft"

    def __init__(
        self,
        key: str = "sandbox-key",
        *,
        login: str = "demo-shop",
        secret: str | None = None,
        products: Iterable[str] = DEFAULT_PRODUCTS,
        physical: Iterable[str] = (),
        coupons: Mapping[str, str] | None = None,
        shows_bill_id: bool = False,
        same_order: SameOrder | None = None,
        closed: Iterable[str] = (),
        odd_keys: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._odd_keys = dict(odd_keys)
        self._key = key
        self._login = login
        self._secret = secret or key
        self._products = tuple(products)
        self._physical = frozenset(physical)
        self._coupons = dict({"31": "WINTER"} if coupons is None else coupons)
        self._shows_bill_id = shows_bill_id
        self._same_order = same_order or (lambda _form, _order: False)
        self._closed = frozenset(method.lower() for method in closed)
        self._orders: list[Order] = []
        self.answer_code: int | None = None

    def handle(self, call: Call) -> Reply:
        """Do the work and answer; business errors come with HTTP 200, as documented."""
        if not call.path.startswith("/api/"):
            return Reply(404, "<html><body>404 Not Found</body></html>")
        method = call.path.removeprefix("/api/")
        if method == "getalllists":  # seen live: a redirect to the other generation's spelling
            return Reply(307, b"", {"Location": "/api/GetAllGroups"})
        try:
            form = _posted(call)
            return self._answered(0, self._method(method, form, call)(form))
        except Refusal as refusal:
            return self._answered(refusal.code, refusal.result)

    def truth(self) -> dict[str, Any]:
        """Every order there is, in the order of creation."""
        return {"orders": [_plain(order) for order in self._orders]}

    def writes(self, call: Call) -> bool:
        """Only new orders and changes of status change anything here."""
        return call.path.lower() in {"/api/createorder", "/api/updateorderstatus"}

    def _method(self, method: str, form: Form, call: Call) -> Callable[[Form], Any]:
        if "rpsKey" in form:
            known = {"createorder": self._create, "getgoods": self._goods, "getcoupons": self._coupon_list,
                     "getallgroups": lambda _form: []}  # fmt: skip
            if form["rpsKey"] in self._odd_keys:
                raise Refusal(self._odd_keys[form["rpsKey"]])
            if form["rpsKey"] != self._key:
                raise Refusal(4)
        else:
            known = {
                "getbills": self._bills,
                "getorderdetails": self._details,
                "getallgoods": self._all_goods,
                "getorderswithgoods": self._of_days,
                "updateorderstatus": self._change,
            }
            self._check_signature(form, call)
        if method.lower() not in known or method.lower() in self._closed:
            raise Refusal(2)
        return known[method.lower()]

    def _check_signature(self, form: Form, call: Call) -> None:
        """The hash covers the bytes as they were sent, without the hash itself, which comes last."""
        if "hash" not in form:
            raise Refusal(1)
        query = call.body.decode("utf-8", "replace").rpartition("hash=")[0].removesuffix("&")
        if form["hash"] != _md5(f"{query}::{self._login}::{self._secret}"):
            raise Refusal(4)

    def _answered(self, code: int, result: Any) -> Reply:  # noqa: ANN401 - any JSON value
        text = _TEXTS[code]
        proof = _md5(f"{code}::{text}::{self._secret}")
        body = {
            "error_code": code,
            "error_text": text,
            "result": list(result) if result == () else result,
            "hash": proof,
        }
        return Reply(200, body)

    # --- API 2.0 ---

    def _create(self, form: Form) -> Any:  # noqa: ANN401 - any JSON value
        if self.answer_code:
            raise Refusal(self.answer_code)
        products = self._checked_products(form)
        prices = _checked_prices(form, len(products))
        _check_values(form)
        self._check_delivery(form, products)
        for order in self._orders:
            if self._same_order(form, order):
                raise Refusal(601, {"bill_id": int(order.bill_id)})
        bill_id = str(100234 + len(self._orders))
        self._orders.append(_order(bill_id, form, products, prices))
        return {"bill_id": int(bill_id)} if self._shows_bill_id else []

    def _checked_products(self, form: Form) -> tuple[str, ...]:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", form.get("customer_email", "")):
            raise Refusal(600)
        if not form.get("product_names"):
            raise Refusal(603)
        products = tuple(form["product_names"].split(","))
        for product in products:
            if product not in self._products:
                raise Refusal(604, product)
        return products

    def _check_delivery(self, form: Form, products: Iterable[str]) -> None:
        wanted = ("customer_first_name", "customer_shipping")
        if self._physical & set(products) and not all(form.get(name) for name in wanted):
            raise Refusal(605)

    def _goods(self, _form: Form) -> Any:  # noqa: ANN401 - any JSON value
        if not self._products:
            raise Refusal(700)
        return [{"id": str(501 + at), "good_name": name, "good_title": name} for at, name in enumerate(self._products)]

    def _coupon_list(self, _form: Form) -> Any:  # noqa: ANN401 - any JSON value
        return [{"id": number, "coupon": code} for number, code in self._coupons.items()]

    # --- API 1.0 ---

    def _bills(self, form: Form) -> Any:  # noqa: ANN401 - any JSON value
        if not form.get("email"):
            raise Refusal(3)
        wanted = form.get("pay_status")
        seen = [
            order for order in self._orders
            if order.email == form["email"] and wanted in {None, _STATUSES[order.status]}
        ]  # fmt: skip
        if not seen:
            raise Refusal(400)
        return {order.bill_id: {str(501 + self._products.index(name)): {"good_name": name, "good_title": name}
                                for name in order.products} for order in seen}  # fmt: skip

    def _details(self, form: Form) -> Any:  # noqa: ANN401 - any JSON value
        for order in self._orders:
            if order.bill_id == form.get("bill_id"):
                return {"id": order.bill_id, "email": order.email, "tag": order.tag, "comment": order.note,
                        "pay_status": _STATUSES[order.status]}  # fmt: skip
        raise Refusal(400)

    def _of_days(self, form: Form) -> Any:  # noqa: ANN401 - any JSON value
        """A time of more than a month is cut to its last month, without a word."""
        try:
            first, last = (datetime.strptime(form[name], "%d.%m.%Y") for name in ("begin_date", "end_date"))  # noqa: DTZ007 - days
        except (KeyError, ValueError):
            raise Refusal(3) from None
        first = max(first, last - timedelta(days=31))
        seen = [order for order in self._orders if first <= _created(order) < last + timedelta(days=1)]
        if not seen:
            raise Refusal(400)
        return [{"id": order.bill_id, "email": order.email, "tag": order.tag, "comment": order.note,
                 "pay_status": _STATUSES[order.status]} for order in seen]  # fmt: skip

    def _change(self, form: Form) -> Any:  # noqa: ANN401 - any JSON value
        """A date belongs to ``paid`` and ``sent``, a tracking number to ``sent``."""
        if not form.get("bill_id"):
            raise Refusal(203)
        at = next((n for n, order in enumerate(self._orders) if order.bill_id == form["bill_id"]), None)
        if at is None:
            raise Refusal(302)
        word = form.get("status", "")
        dated = word not in {"paid", "sent"} or form.get("date", "").isdecimal()
        if word not in _CHANGES or not dated or (word == "sent" and not form.get("rpo")):
            raise Refusal(303)
        order = self._orders[at]
        status = _CHANGES[word] or order.status
        told = {name: value for name, value in form.items() if name != "hash"}
        self._orders[at] = replace(order, status=status, changes=(*order.changes, told))
        return []

    def _all_goods(self, form: Form) -> Any:  # noqa: ANN401 - any JSON value
        return [{**good, "good_id": good["id"], "good_sum": "0.00"} for good in self._goods(form)]


def _posted(call: Call) -> Form:
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if call.method != "POST" or kind != "application/x-www-form-urlencoded" or not call.body:
        raise Refusal(2)
    try:
        return dict(parse_qsl(call.body.decode("utf-8"), keep_blank_values=True, strict_parsing=True))
    except ValueError:
        raise Refusal(2) from None


def _checked_prices(form: Form, products: int) -> tuple[str, ...]:
    if not form.get("product_prices"):
        return ()
    prices = tuple(form["product_prices"].split(","))
    if len(prices) > products or not all(re.fullmatch(r"\d+(\.\d+)?", price) for price in prices):
        raise Refusal(3)
    return prices


def _check_values(form: Form) -> None:
    """Values the page lists or shows a format for; an absent one is never wrong."""
    good = (
        form.get("order_status", "Expected") in _STATUSES,
        form.get("order_confirmed", "Yes") in _CONFIRMED,
        form.get("payment_method", "PayPal") in {"PayPal", "Stripe"},
        "," not in form.get("order_tag", ""),
        all(
            re.fullmatch(r"[A-Z]{2}", form.get(f"customer_{part}_country_code", "NO"))
            for part in ("shipping", "billing")
        ),
        _is_time(form.get("order_created_at"), _CREATED_FORMATS),
        _is_time(form.get("order_paid_at"), _PAID_FORMATS),
    )
    if not all(good):
        raise Refusal(3)


def _is_time(text: str | None, formats: Iterable[str]) -> bool:
    return text is None or any(_parses(text, form) for form in formats)


def _parses(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only the form is looked at
    except ValueError:
        return False
    return True


def _order(bill_id: str, form: Form, products: tuple[str, ...], prices: tuple[str, ...]) -> Order:
    return Order(
        bill_id=bill_id,
        email=form["customer_email"],
        tag=form.get("order_tag", ""),
        note=form.get("note", ""),
        status=form.get("order_status", "Expected"),
        products=products,
        prices=prices,
        fields={name: value for name, value in form.items() if name in _KNOWN and name != "rpsKey"},
        ignored={name: value for name, value in form.items() if name not in _KNOWN},
    )


def _created(order: Order) -> datetime:
    """The order's own date; one without stands on the first day of all."""
    text = order.fields.get("order_created_at", "1970-01-01 00:00:00")
    return next(datetime.strptime(text, form) for form in _CREATED_FORMATS if _parses(text, form))  # noqa: DTZ007 - the shop names no zone


def _plain(order: Order) -> dict[str, Any]:
    shown = asdict(order)
    return {**shown, "id": order.bill_id, "products": list(order.products), "prices": list(order.prices),
            "changes": list(order.changes),
            "total": str(sum((Decimal(price) for price in order.prices), Decimal(0)))}  # fmt: skip


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
