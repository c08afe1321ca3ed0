"""One table: what InfluencerSoft answers, and what that means for the order or the account.

Codes are those of help article 360050392312. Business errors come with HTTP 200: the code decides.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.settings import Secret
from pipeline.targets.contract import Answer, Done, InDoubt, Later, Outcome, Paused, Refused

QUOTA_PAUSE_SECONDS = 3600.0
"""After code 8: the quota's window is not published, and pressing on is said to end in a block."""

_ASK_SUPPORT = "Ask InfluencerSoft support to enable the API for this account, then run again."
_CHECK_KEY = "Check api_key (and login) of this account in pipeline.toml, then run again."

CODES: Mapping[int, Refused | Later | InDoubt | Paused] = {
    1: Paused(
        "wrong_generation",
        "InfluencerSoft wants an API 1.0 signature for this call.",
        "The method name may reach the wrong generation: check base_url and method_name of this account.",
    ),
    2: Paused(
        "no_input_seen",
        "InfluencerSoft saw no parameters, or the method is closed for this account.",
        "Check base_url, and whether your plan includes API 2.0.",
    ),
    3: Refused(
        "bad_parameter", "InfluencerSoft calls a value of the order wrong.", "Correct the order's values."
    ),
    4: Paused("bad_key", "InfluencerSoft does not accept the key.", _CHECK_KEY),
    5: Paused(
        "bad_login", "InfluencerSoft does not know this login.", "Check login and base_url of this account."
    ),
    6: Paused(
        "address_not_allowed",
        "InfluencerSoft does not take calls from this machine's address.",
        "Add this machine's address to the API's address list at InfluencerSoft, then run again.",
    ),
    7: Paused("account_disabled", "InfluencerSoft says the account is disabled.", _ASK_SUPPORT),
    8: Later("quota", "InfluencerSoft's request quota is used up, or its API is off.", QUOTA_PAUSE_SECONDS),
    600: Refused("wrong_email", "InfluencerSoft does not accept the e-mail address.", "Correct it.", "email"),
    602: InDoubt("creating_failed", "InfluencerSoft failed while creating the order."),
    603: Refused(
        "no_products", "InfluencerSoft saw no product in the order.", "Give it at least one.", "sku"
    ),
    604: Refused(
        "unknown_product",
        "InfluencerSoft does not know a product of the order.",
        "Use the product's short name from the InfluencerSoft product list, or create the product there.",
        "sku",
    ),
    605: Refused(
        "no_delivery_address",
        "InfluencerSoft wants a name and an address for goods that are shipped.",
        "Fill in the customer's name and the shipping address.",
        "shipping_address1",
    ),
}
"""Code → outcome, without 0 and 601. Any other code refuses the order with the vendor's own words."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The vendor's reply: code and text as sent, ``result`` of any shape, ``hash`` where there is one."""

    code: int
    code_text: str
    text: str
    result: Any
    hash: str


def read_envelope(answer: Answer) -> Envelope | None:
    """The reply, ``None`` when the body is not one."""
    try:
        body = json.loads(answer.content)
        code = int(str(body["error_code"]))
    except (ValueError, RecursionError, TypeError, KeyError):
        return None
    text = body.get("error_text")
    return Envelope(code, str(body["error_code"]), "" if text is None else str(text), body.get("result"),
                    str(body.get("hash") or ""))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one account's answers; has the key to check a reply's hash and to keep it out of messages."""

    base_url: str
    key: Secret

    def created(self, answer: Answer) -> Outcome:
        """What became of ``createorder``; ``id`` is ``None`` where the reply names no order number."""
        return self._by_code(answer, self._order_of)

    def goods(self, keys: Sequence[str], answer: Answer) -> Outcome:
        """``getgoods``: done when it lists every one of ``keys``."""
        return self._by_code(answer, lambda envelope: _goods_of(envelope, keys), empty=700)

    def coupon(self, code: str, answer: Answer) -> Outcome:
        """``getcoupons``: done with the coupon's ``id``."""
        return self._by_code(answer, lambda envelope: _coupon_of(envelope, code))

    def _by_code(self, answer: Answer, done: Any, empty: int | None = None) -> Outcome:  # noqa: ANN401 - a reader
        envelope = read_envelope(answer)
        unusual = self._by_status(answer, envelope)
        if unusual is not None or envelope is None:
            return unusual or InDoubt(
                "unreadable", f"The answer is not InfluencerSoft's: {self._quote(answer.text(4000))}"
            )
        if envelope.code in {0, 601, empty}:
            return done(envelope)  # type: ignore[no-any-return]  # a reader gives an outcome
        said = f" (code {envelope.code_text}: {self._quote(_said(envelope))})"
        outcome = CODES.get(envelope.code) or Refused(
            f"code_{envelope.code}",
            "InfluencerSoft refused the order.",
            "See what InfluencerSoft says, and correct it.",
        )
        return dataclasses.replace(outcome, message=outcome.message + said)

    def _order_of(self, envelope: Envelope) -> Outcome:
        result: dict[str, Any] = {"id": _order_number(envelope.result)}
        if not self._hash_fits(envelope):
            # It covers code and text only and is documented for 1.0: a mismatch never means "not created".
            result["hash_ok"] = False
        if envelope.code != 601:
            return Done(result)
        return Done({**result, "code": 601}, already_there=True)

    def _by_status(self, answer: Answer, envelope: Envelope | None) -> Outcome | None:
        """The outcome where the HTTP status decides; ``None`` where the reply's code does."""
        status = answer.status
        if answer.ok or (status == 302 and envelope is not None):  # seen in use: 302 with a reply in its body
            return None
        if status in {301, 307, 308}:
            return self._redirected(answer)
        if status in {401, 403}:
            return Paused("bad_key", f"InfluencerSoft refused the call (HTTP {status}).", _CHECK_KEY)
        if status in {404, 405, 410}:
            return Paused(
                "wrong_address",
                f"There is no such API method at this address (HTTP {status}).",
                "Check login, base_url and method_name of this account.",
            )
        if status == 429:
            return Later(
                "too_fast", "InfluencerSoft asks for a slower pace (HTTP 429).", _retry_after(answer)
            )
        if 400 <= status < 500 and status != 408:
            return self._client_error(status, envelope)
        return InDoubt(
            f"http_{status}", f"InfluencerSoft answered with HTTP {status}; the order may exist or not."
        )

    def _client_error(self, status: int, envelope: Envelope | None) -> Outcome | None:
        if envelope is not None and envelope.code not in {0, 601}:
            return None
        if envelope is not None:
            return InDoubt(
                f"http_{status}", f"InfluencerSoft answered HTTP {status} and yet speaks of an order."
            )
        return Refused(
            f"http_{status}",
            f"InfluencerSoft refused the call (HTTP {status}).",
            "Look at the order's values.",
        )

    def _redirected(self, answer: Answer) -> Paused:
        """Never followed: the key stands in the body, and a redirect could carry it to another host."""
        there, here = urlsplit(answer.headers.get("location", "")), urlsplit(self.base_url)
        if there.netloc in {"", here.netloc} and "/api/" in there.path:
            method = there.path.rpartition("/api/")[2]
            return Paused(
                "redirected",
                f"InfluencerSoft calls this method '{method[:60]}' (HTTP {answer.status}).",
                "If the call was the order, set method_name of this account to that name; then run again.",
            )
        return Paused(
            "redirected",
            f"The address sends callers on to {there.hostname or 'another place'} (HTTP {answer.status}).",
            "If that host is yours, set base_url of this account to it; a redirect is never followed.",
        )

    def _hash_fits(self, envelope: Envelope) -> bool:
        if not envelope.hash or self.key.missing:
            return True
        return envelope.hash.lower() == response_hash(envelope.code_text, envelope.text, self.key.reveal())

    def _quote(self, text: str) -> str:
        """The vendor's words, shortened, with the key taken out should they repeat it."""
        key = "" if self.key.missing else self.key.reveal()
        return repr((text.replace(key, "***") if key else text)[:200])


def response_hash(code: str, text: str, secret: str) -> str:
    """The vendor's proof of a reply: plain md5 over code and text as sent, and the secret."""
    return hashlib.md5(f"{code}::{text}::{secret}".encode(errors="replace")).hexdigest()


def _order_number(result: Any) -> str | None:  # noqa: ANN401 - whatever the vendor sent
    number = result.get("bill_id") if isinstance(result, Mapping) else None
    return (
        str(number)
        if isinstance(number, int | str) and not isinstance(number, bool) and number != ""
        else None
    )


def _goods_of(envelope: Envelope, keys: Sequence[str]) -> Outcome:
    entries = envelope.result if isinstance(envelope.result, list) else []
    known = {str(entry.get("good_name")) for entry in entries if isinstance(entry, Mapping)}
    if envelope.code == 0 and not known:
        return InDoubt("unreadable", "InfluencerSoft's product list cannot be read.")
    unknown = [key for key in dict.fromkeys(keys) if key not in known]
    if unknown:
        refused = CODES[604]
        return dataclasses.replace(refused, message=f"{refused.message} ({', '.join(unknown)})")
    return Done({"goods": len(known)})


def _coupon_of(envelope: Envelope, code: str) -> Outcome:
    entries = envelope.result if isinstance(envelope.result, list) else []
    for entry in entries:
        if isinstance(entry, Mapping) and str(entry.get("coupon")) == code and entry.get("id"):
            return Done({"id": str(entry["id"])})
    return Refused(
        "unknown_coupon",
        f"InfluencerSoft has no coupon '{code}'.",
        "Correct the coupon code, or create the coupon at InfluencerSoft.",
        "coupon_code",
    )


def _said(envelope: Envelope) -> str:
    """The vendor's text and what its result names, such as the unknown product of code 604."""
    return f"{envelope.text}: {envelope.result}" if envelope.result else envelope.text


def _retry_after(answer: Answer) -> float | None:
    value = answer.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else None
