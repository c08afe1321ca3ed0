"""What Kapture answers, read with tolerance for shape and none for doubt.

The documents show arrays and objects, ``status`` and ``Status``, ``order_id`` and ``Order Id``: keys are
looked up without regard to case, spaces and underscores, and two spellings that disagree are not believed.
Only ``success`` with the expected id is success, whatever the HTTP status says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.settings import Secret
from pipeline.targets.contract import Answer, Done, InDoubt, Later, Outcome, Paused, Refused

_FAILED = frozenset({"failed", "fail", "failure", "error"})
_EMPTY = ("no orders between dates", "could not find the order")
_CHECK_KEY = (
    "Check this call's key in the account's `keys` (Kapture issues one per call; generation c takes user and "
    "password), then run again."
)
_RENEW_KEY = "Renew this call's key at Kapture, put it where the settings point, then run again."

_BAD_KEY = Paused("bad_key", "Kapture does not accept the key.", _CHECK_KEY)
_EXPIRED_KEY = Paused("expired_key", "The key has expired at Kapture.", _RENEW_KEY)

MESSAGES: Sequence[tuple[str, Refused | InDoubt | Paused]] = (
    ("invalid auth key", _BAD_KEY),
    ("authkeyinvalid", _BAD_KEY),
    ("auth key expired", _EXPIRED_KEY),
    ("apiexpired", _EXPIRED_KEY),
    # Our JSON is sound, so this speaks of its shape; every record would meet the same answer.
    (
        "invalid json",
        Paused(
            "wrong_shape",
            "Kapture wants another shape of body.",
            "Set `wrap` of this call to the other of array and object.",
        ),
    ),
    ("serverfailure", InDoubt("server_failure", "Kapture failed on its side.")),
    ("server failure", InDoubt("server_failure", "Kapture failed on its side.")),
    (
        "duplicate",
        Refused(
            "duplicate",
            "Kapture calls this a duplicate.",
            "Search it at Kapture before anything is sent again.",
            "order_id",
        ),
    ),
)
"""Words in a failure's text → outcome, first match wins. A missing field has a pattern of its own."""

_MISSING = re.compile(r"\b(is missing|required|reqfieldmissing)\b", re.IGNORECASE)
_RECORD_FIELDS: Mapping[str, str] = {
    "customername": "full_name", "phone": "phone", "emailid": "email", "emailaddress": "email",
    "email": "email", "orderid": "order_id",
    "orderstatus": "status", "createdate": "ordered_at", "customerid": "customer_id",
    "dateofbirth": "birth_date", "address": "billing_address1", "shippingaddress": "shipping_address1",
    "zipcode": "shipping_postal_code", "paymentmode": "payment_method",
    "transaction": "payment_reference", "totalpaid": "amount_paid", "grandtotal": "order_total",
    "expecteddeliverydate": "expected_delivery_on", "erporderid": "order_id", "skuid": "sku",
    "productname": "product_name", "rate": "unit_price", "quantity": "quantity",
    "discount": "line_discount", "paymentid": "payment_reference", "amountpaid": "amount",
    "paidamount": "amount", "chequenumber": "cheque_number", "chequedate": "cheque_on",
    "bankname": "bank_name",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reply:
    """One object of a reply: ``status`` in lower case, ``message`` of any shape, ``fields`` by folded key."""

    status: str
    message: Any
    fields: Mapping[str, Any]

    @property
    def failed(self) -> bool:
        """Whether the reply itself says that the call did not work."""
        return self.status in _FAILED

    def text(self, name: str) -> str:
        """A field as text by its folded name, empty when absent or not a plain value."""
        value = self.fields.get(name)
        return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def read_reply(answer: Answer) -> Reply | InDoubt:
    """The one object of a reply; ``InDoubt`` says why there is none to be believed."""
    try:
        # The samples of the documents end in a semicolon.
        body = json.loads(answer.content.decode("utf-8-sig").strip().removesuffix(";"))
    except (ValueError, RecursionError):
        return InDoubt("unreadable", "The answer is not JSON")
    if isinstance(body, list):
        if len(body) != 1:
            return InDoubt("wrong_number", f"The answer speaks of {len(body)} things, one was sent")
        body = body[0]
    if not isinstance(body, Mapping):
        return InDoubt("unreadable", "The answer is no object")
    return _reply(body)


def fold(key: str) -> str:
    """``Order Id``, ``order_id`` and ``orderId`` are one name."""
    return re.sub(r"[\s_]+", "", key).casefold()


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the answers of one account; knows its keys only to keep them out of messages."""

    base_url: str
    keys: Sequence[Secret]

    def pushed(self, answer: Answer) -> Outcome:
        """A new order: done with Kapture's ids of order, enquiry and customer."""
        return self.outcome(answer, self._order)

    def updated(self, order_id: str, answer: Answer) -> Outcome:
        """A changed order: done only when the reply names the order that was meant."""
        return self.outcome(answer, lambda reply: self._same_order(reply, order_id))

    def paid(self, payment_id: str, answer: Answer) -> Outcome:
        """A payment; the reply names nothing, so the id is our own."""
        return self.outcome(answer, lambda _reply: Done({"id": payment_id}))

    def seen(self, answer: Answer) -> Outcome:
        """A read that only has to be let in: "nothing found" proves the key just as well."""
        reply = read_reply(answer)
        if answer.ok and isinstance(reply, Reply) and says_empty(reply):
            return Done({"found": False})
        return self.outcome(answer, lambda _reply: Done({"found": True}))

    def shown(self, order_id: str, answer: Answer) -> Mapping[str, Any] | None:
        """The order a search shows, by folded names; ``None`` when it shows none, or another one."""
        reply = read_reply(answer)
        if not answer.ok or not isinstance(reply, Reply) or reply.status != "success":
            return None
        found = _folded(reply.message)
        return found if found and str(found.get("id") or found.get("orderid") or "") == order_id else None

    def read_back(self, order_id: str, answer: Answer) -> Outcome:
        """A changed order, read again: refused for a person when Kapture does not have it, or shows another one."""
        reply = read_reply(answer)
        if answer.ok and isinstance(reply, Reply) and says_empty(reply):
            return _not_read_back(f"Order {order_id} was changed, and now Kapture does not find it.")
        return self.outcome(answer, lambda _reply: self._read_back(order_id, answer))

    def _read_back(self, order_id: str, answer: Answer) -> Outcome:
        if self.shown(order_id, answer) is None:
            return _not_read_back(f"Order {order_id} was changed, and now Kapture shows something else for it.")
        return Done({"id": order_id})

    def trouble(self, answer: Answer) -> Later | Paused | None:
        """What a read that failed says of the account; ``None`` when it says nothing of it."""
        outcome = self.outcome(answer, lambda _reply: Done({}))
        if isinstance(outcome, InDoubt) and (answer.status >= 500 or outcome.code == "server_failure"):
            return Later(outcome.code, outcome.message)  # a read that failed may be repeated
        return outcome if isinstance(outcome, Later | Paused) else None

    def outcome(self, answer: Answer, done: Callable[[Reply], Outcome]) -> Outcome:
        """What an answer means; ``done`` reads a reply that says success."""
        reply = read_reply(answer)
        if isinstance(reply, Reply) and reply.failed:
            told = self._failure(reply)
            if isinstance(told, Paused):  # what Kapture says of its keys is plainer than any HTTP status
                return told
        unusual = self._by_status(answer)
        if unusual is not None and not (400 <= answer.status < 500 and isinstance(unusual, Refused)):
            return unusual
        if isinstance(reply, InDoubt):
            return unusual or InDoubt(reply.code, f"{reply.message}: {self._quote(answer.text(4000))}")
        if reply.failed:
            return self._failure(reply)
        if reply.status == "success" and unusual is None:
            return done(reply)
        return InDoubt("no_status", f"The answer (HTTP {answer.status}) does not say whether it worked: "
                       f"{self._quote(answer.text(4000))}")  # fmt: skip

    def _order(self, reply: Reply) -> Outcome:
        told = reply if reply.text("orderid") else _inner(reply)
        if not told.text("orderid"):
            return InDoubt("no_id", "Kapture says success and names no order.")
        ids = {"id": "orderid", "enquiry_id": "enquiryid", "customer_id": "kapturecustomerid"}
        result = {name: told.text(field) for name, field in ids.items() if told.text(field)}
        return Done(result, already_there="duplicate" in str(reply.message).casefold())

    def _same_order(self, reply: Reply, order_id: str) -> Outcome:
        done = self._order(reply)
        if isinstance(done, Done) and done.result["id"] != order_id:
            # The vendor's own sample of an update shows a higher id in the reply than in the request.
            return InDoubt(
                "other_order_id",
                f"Order {order_id} was to be changed and Kapture answered with order {done.result['id']}: "
                "it may have made a second order.",
            )
        return done

    def _failure(self, reply: Reply) -> Outcome:
        words = str(reply.message).casefold()
        said = f" Kapture says: {self._quote(str(reply.message))}"
        for fragment, outcome in MESSAGES:
            if fragment in words:
                return _said(outcome, said)
        if _MISSING.search(words):
            return Refused("field_missing", f"A field this Kapture account asks for is missing.{said}",
                           "Fill it in; which fields are required was chosen when the call was set up.",
                           _record_field(words))  # fmt: skip
        return Refused("refused", f"Kapture refused the record.{said}", "See what Kapture says, and correct the row.")

    def _by_status(self, answer: Answer) -> Outcome | None:
        status = answer.status
        if answer.ok:
            return None
        if status in {301, 307, 308}:
            return _redirected(answer)
        if status in {401, 403}:
            return Paused("bad_key", f"Kapture refused the call (HTTP {status}).", _CHECK_KEY)
        if status in {404, 405, 410}:
            return Paused(
                "wrong_address",
                f"There is no such call at this address (HTTP {status}).",
                "Check base_url, generation and paths of this account (payment_path for payments).",
            )
        if status == 429:
            return Later("too_fast", "Kapture asks for a slower pace (HTTP 429).", _retry_after(answer))
        if 400 <= status < 500 and status != 408:
            said = self._quote(answer.text(4000))
            return Refused(f"http_{status}", f"Kapture refused the call (HTTP {status}): {said}",
                           "Look at the record's values.")  # fmt: skip
        return InDoubt(f"http_{status}", f"Kapture answered with HTTP {status}; it may have worked or not.")

    def _quote(self, text: str) -> str:
        """The vendor's words, shortened, with our keys taken out should they repeat one."""
        for key in self.keys:
            text = key.hidden_in(text)
        return repr(text[:200])


def says_empty(reply: Reply) -> bool:
    """Whether a failure only says that there is nothing: the two documented sentences, no others."""
    return reply.failed and any(sentence in str(reply.message).casefold() for sentence in _EMPTY)


def _inner(reply: Reply) -> Reply:
    """The object within ``message`` or ``data``, as replies of generation c may have it; else the reply itself."""
    inner = next((found for name in ("message", "data") if (found := _folded(reply.fields.get(name)))), None)
    return Reply(reply.status, reply.message, inner) if inner else reply


def _folded(value: Any) -> Mapping[str, Any]:  # noqa: ANN401 - whatever the vendor sent
    return {fold(str(key)): inner for key, inner in value.items()} if isinstance(value, Mapping) else {}


def _not_read_back(message: str) -> Refused:
    return Refused("not_read_back", message, "Look at the order at Kapture, and correct it there by hand.", "order_id")


def _redirected(answer: Answer) -> Paused:
    there = urlsplit(answer.headers.get("location", "")).hostname
    return Paused(
        "redirected",
        f"The address sends callers on to {there or 'another place'} (HTTP {answer.status}).",
        "Check base_url of this account; a redirect is never followed, the key would travel along.",
    )


def _reply(body: Mapping[str, Any]) -> Reply | InDoubt:
    fields: dict[str, Any] = {}
    for key, value in body.items():
        name = fold(str(key))
        if name in fields and str(fields[name]) != str(value):
            return InDoubt("conflicting", f"The answer gives two values for '{name}'")
        fields[name] = value
    return Reply(str(fields.get("status", "")).strip().casefold(), fields.get("message", ""), fields)


def _said(outcome: Refused | InDoubt | Paused, said: str) -> Outcome:
    match outcome:
        case Refused(code, message, advice, field):
            return Refused(code, message + said, advice, field)
        case InDoubt(code, message):
            return InDoubt(code, message + said)
        case Paused(code, message, advice):
            return Paused(code, message + said, advice)


def _record_field(words: str) -> str | None:
    """The record field whose Kapture name stands in the text; the longest name wins (``erp_order_id``)."""
    folded = fold(words)
    named = [name for name in _RECORD_FIELDS if name in folded]
    return _RECORD_FIELDS[max(named, key=len)] if named else None


def _retry_after(answer: Answer) -> float | None:
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None
