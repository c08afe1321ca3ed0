"""What InfluencerSoft answers, and what that means for the order or the account.

Business errors come with HTTP 200: the code decides, by the table in ``codes``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from pipeline.settings import Secret
from pipeline.targets.contract import Answer, Done, InDoubt, Later, Outcome, Paused, Refused
from pipeline.targets.influencersoft.codes import (
    ACCOUNT_CODES,
    CHECK_KEY,
    CODES,
    STATUS_CODES,
    UNKNOWN_PRODUCT,
)


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


Read = Callable[[Envelope], Outcome]
"""Reads a reply whose code says that the call worked."""

NONE: Mapping[int, Refused] = {}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one account's answers; has the key to check a reply's hash and to keep it out of messages."""

    base_url: str
    key: Secret
    secret: Secret | None = None

    def created(self, answer: Answer) -> Outcome:
        """What became of ``createorder``; ``id`` is ``None`` where the reply names no order number."""
        return self._by_code(answer, self._order_of)

    def goods(self, keys: Sequence[str], answer: Answer) -> Outcome:
        """``getgoods``: done when it lists every one of ``keys``."""
        return self._by_code(answer, lambda envelope: _goods_of(envelope, keys), empty=700)

    def good_names(self, answer: Answer) -> frozenset[str] | None:
        """The product keys of a ``getgoods`` answer, ``None`` when it lists none."""
        envelope = read_envelope(answer)
        return _names_of(envelope) or None if answer.ok and envelope is not None and envelope.code == 0 else None

    def coupon(self, code: str, answer: Answer) -> Outcome:
        """``getcoupons``: done with the coupon's ``id``."""
        return self._by_code(answer, lambda envelope: _coupon_of(envelope, code))

    def status_set(self, bill_id: str, answer: Answer) -> Outcome:
        """What became of ``UpdateOrderStatus``, which API 1.0 signs."""
        outcome = self._by_code(answer, lambda envelope: _status_of(envelope, bill_id), more=STATUS_CODES)
        return _of_signed(outcome)

    def signed_goods(self, answer: Answer) -> Outcome:
        """``GetAllGoods``: any answer but a refusal proves the signature."""
        return _of_signed(self._by_code(answer, lambda _envelope: Done({"signed": True}), empty=700))

    def trouble(self, answer: Answer) -> Later | Paused | None:
        """What a signed read that failed says of the account; ``None`` when it says nothing of it."""
        envelope = read_envelope(answer)
        outcome = self._by_status(answer, envelope)
        if outcome is None and envelope is not None:
            outcome = CODES.get(envelope.code) if envelope.code in ACCOUNT_CODES else None
        if isinstance(outcome, InDoubt):  # a read that failed may be repeated
            return Later(outcome.code, f"InfluencerSoft answered a read with HTTP {answer.status}.")
        signed = _of_signed(outcome) if outcome is not None else None
        return signed if isinstance(signed, Later | Paused) else None

    def _by_code(
        self, answer: Answer, done: Read, empty: int | None = None, more: Mapping[int, Refused] = NONE
    ) -> Outcome:
        envelope = read_envelope(answer)
        unusual = self._by_status(answer, envelope)
        if unusual is not None or envelope is None:
            return unusual or InDoubt(
                "unreadable", f"The answer is not InfluencerSoft's: {self.quote(answer.text(4000))}"
            )
        if envelope.code in {0, 601, empty}:
            return done(envelope)
        said = f" (code {envelope.code_text}: {self.quote(_said(envelope))})"
        outcome = (
            more.get(envelope.code)
            or CODES.get(envelope.code)
            or Refused(
                f"code_{envelope.code}",
                "InfluencerSoft refused the order.",
                "See what InfluencerSoft says, and correct it.",
            )
        )
        return replace(outcome, message=outcome.message + said)

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
            return Paused("bad_key", f"InfluencerSoft refused the call (HTTP {status}).", CHECK_KEY)
        if status in {404, 405, 410}:
            return Paused(
                "wrong_address",
                f"There is no such API method at this address (HTTP {status}).",
                "Check login, base_url and method_name of this account.",
            )
        if status == 429:
            return Later("too_fast", "InfluencerSoft asks for a slower pace (HTTP 429).", _retry_after(answer))
        if 400 <= status < 500 and status != 408:
            return self._client_error(status, envelope)
        return InDoubt(f"http_{status}", f"InfluencerSoft answered with HTTP {status}; the order may exist or not.")

    def _client_error(self, status: int, envelope: Envelope | None) -> Outcome | None:
        if envelope is not None and envelope.code not in {0, 601}:
            return None
        if envelope is not None:
            return InDoubt(f"http_{status}", f"InfluencerSoft answered HTTP {status} and yet speaks of an order.")
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

    def quote(self, text: str) -> str:
        """The vendor's words, shortened, with key and secret taken out should they repeat one."""
        for secret in (self.key, self.secret):
            if secret is not None:
                text = secret.hidden_in(text)
        return repr(text[:200])


def response_hash(code: str, text: str, secret: str) -> str:
    """The vendor's proof of a reply: plain md5 over code and text as sent, and the secret."""
    return hashlib.md5(f"{code}::{text}::{secret}".encode(errors="replace")).hexdigest()


def _order_number(result: Any) -> str | None:  # noqa: ANN401 - whatever the vendor sent
    number = result.get("bill_id") if isinstance(result, Mapping) else None
    return str(number) if isinstance(number, int | str) and not isinstance(number, bool) and number != "" else None


def _names_of(envelope: Envelope) -> frozenset[str]:
    entries = envelope.result if isinstance(envelope.result, list) else []
    return frozenset(str(e["good_name"]) for e in entries if isinstance(e, Mapping) and e.get("good_name"))


def _status_of(envelope: Envelope, bill_id: str) -> Outcome:
    if envelope.code == 601:
        return InDoubt("unreadable", "InfluencerSoft answered a change of status as if it were a new order.")
    return Done({"id": bill_id})


def _of_signed(outcome: Outcome) -> Outcome:
    """The same outcome, its advice naming what signs the calls of API 1.0."""
    advice = {
        "bad_key": "Check `secret` and login of this account: they sign the calls of API 1.0.",
        "wrong_generation": "Check base_url: this address does not seem to serve API 1.0.",
        "no_input_seen": "API 1.0 may be closed for this account; without `secret` it is not used.",
    }
    if isinstance(outcome, Paused) and outcome.code in advice:
        return replace(outcome, advice=advice[outcome.code])
    return outcome


def _goods_of(envelope: Envelope, keys: Sequence[str]) -> Outcome:
    known = _names_of(envelope)
    if envelope.code == 0 and not known:
        return InDoubt("unreadable", "InfluencerSoft's product list cannot be read.")
    unknown = [key for key in dict.fromkeys(keys) if key not in known]
    if unknown:
        refused = UNKNOWN_PRODUCT
        return replace(
            refused,
            message=f"{refused.message} ({', '.join(unknown)})",
            advice=f"{refused.advice} `check_products = false` of the account sends it unchecked.",
        )
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
