"""One table: what Order Desk answered → what it means for the step.

A success is 2xx *and* ``status: "success"``; the documents give no table of HTTP statuses, and clients in
use check both (read 2026-11). 429 carries ``X-Retry-After`` (help article 914). The rest is caution: what is
not certainly a refusal of this one record is a matter of the account, or in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from pipeline.targets.contract import Answer, InDoubt, Later, Outcome, PaceHint, Paused, Refused

Redact = Callable[[str], str]
MESSAGE_LIMIT = 300


_SECONDS = re.compile(r"\d{1,9}(\.\d{1,9})?")


class Kind(StrEnum):
    """What a call would do, which decides what its failure leaves open."""

    READ = "read"
    CREATE = "create"
    REPLACE = "replace"


class Row(Struct, frozen=True):
    """One line of the table: status, the vendor's words if asked for, and the kind of call have to fit."""

    code: str
    outcome: type[Outcome]
    statuses: range
    sentence: str
    advice: str = ""
    says: str = ""
    only: Kind | None = None
    not_theirs: bool = False


def _is(status: int) -> range:
    return range(status, status + 1)


_ANY = range(200, 500)
_KEY = "Order Desk does not accept this account's store id and key: {said}."
_SAYS = "Order Desk says: {said}."
_KEY_ADVICE = "Compare store_id and api_key with the API tab of the store's settings."
_KEY_WORDS = r"(invalid|incorrect|wrong|unknown|missing)[^.]*\b(api[ -]?key|store[ -]?id|credentials)|unauthori[sz]ed"
TABLE: tuple[Row, ...] = (
    Row("throttled", Later, _is(429), "Order Desk asks to wait: {said}."),
    Row("throttled", Later, _ANY, "Order Desk asks to wait: {said}.", says=r"too many requests|rate limit"),
    Row("bad_key", Paused, range(401, 404), _KEY, _KEY_ADVICE),
    Row("bad_key", Paused, _ANY, _KEY, _KEY_ADVICE, says=_KEY_WORDS),
    Row("redirected", Paused, range(300, 400), "The address redirects to {host}; that is not followed.",
        "Correct base_url; the key is only ever sent to the address in pipeline.toml."),
    Row("wrong_address", Paused, range(404, 407), "This address does not answer like Order Desk: {said}.",
        "Check base_url (the default is https://app.orderdesk.me/api/v2).", not_theirs=True),
    Row("no_answer", InDoubt, _is(408), "Order Desk stopped waiting for the call: {said}."),
    Row("shipment_not_added", InDoubt, _ANY, _SAYS, "", "shipment not added", Kind.CREATE),
    Row("maybe_duplicate", InDoubt, _ANY, _SAYS, "", "duplicate", Kind.CREATE),
    Row("orderdesk_refused", Refused, _ANY, "Order Desk refused it: {said}.",
        "Correct the row as Order Desk's sentence says."),
    Row("orderdesk_failed", InDoubt, range(500, 600), "Order Desk failed with {status}: {said}."),
)  # fmt: skip


def trouble(answer: Answer, redact: Redact, kind: Kind) -> Outcome | None:
    """What an answer other than a success means; ``None`` for a success.

    A read that failed is *later*: nothing can have happened.
    """
    body = answer.json()
    theirs = isinstance(body, Mapping) and isinstance(body.get("status"), str)
    if answer.ok and theirs and body["status"].lower() == "success":
        return None
    said = _said(answer, redact)
    row = next((row for row in TABLE if _fits(row, answer, said, kind, theirs=theirs)), None)
    if row is None or (answer.ok and not theirs):
        return unreadable(answer, redact, kind)
    return _outcome(row, row.sentence.format(said=said, status=answer.status, host=_host(answer)), answer, kind)


def unreadable(answer: Answer, redact: Redact, kind: Kind) -> Outcome:
    """A success nobody can read: after a write it is in doubt, after a read it proves nothing."""
    sentence = f"Order Desk answered {answer.status} without a readable result: {_said(answer, redact)}."
    if kind is Kind.READ:
        return Later("unreadable_answer", sentence, wait_seconds(answer))
    return InDoubt("unreadable_answer", sentence)


def _outcome(row: Row, sentence: str, answer: Answer, kind: Kind) -> Outcome:
    if row.outcome is Later or (row.outcome is InDoubt and kind is Kind.READ):
        return Later(row.code, sentence, wait_seconds(answer))
    if row.outcome is InDoubt:
        return InDoubt(row.code, sentence)
    if row.outcome is Paused:
        return Paused(row.code, sentence, row.advice)
    return Refused(row.code, sentence, row.advice, field_named(sentence))


def rows(answer: Answer, name: str) -> list[Mapping[str, Any]] | None:
    """The list ``name`` of a success; ``None`` when there is none, which is never the same as empty."""
    body = answer.json()
    found = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) and remote_id(one) for one in found):
        return None
    return found


def thing(answer: Answer, name: str) -> Mapping[str, Any] | None:
    """The object ``name`` of a success, ``None`` when there is none with an id."""
    body = answer.json()
    found = body.get(name) if isinstance(body, Mapping) else None
    return found if isinstance(found, Mapping) and remote_id(found) else None


def remote_id(thing: Mapping[str, Any]) -> str:
    """The vendor's id as text: order ids arrive as texts, inventory ids as numbers."""
    found = thing.get("id")
    return str(found).strip() if isinstance(found, str | int) and not isinstance(found, bool) else ""


def pace(answer: Answer) -> PaceHint:
    """What the bucket's own headers say; they are not the standard ones (help article 914)."""
    return PaceHint(_number(answer, "x-tokens-remaining"), wait_seconds(answer))


def wait_seconds(answer: Answer) -> float | None:
    """Seconds the vendor, or something on the way to it, asks us to wait."""
    asked = _number(answer, "x-retry-after")
    return _number(answer, "retry-after") if asked is None else asked


def _number(answer: Answer, header: str) -> float | None:
    text = answer.headers.get(header)
    return float(text) if text is not None and _SECONDS.fullmatch(text.strip()) else None


def _fits(row: Row, answer: Answer, said: str, kind: Kind, *, theirs: bool) -> bool:
    if answer.status not in row.statuses or row.only not in {None, kind} or (row.not_theirs and theirs):
        return False
    return not row.says or re.search(row.says, said, re.IGNORECASE) is not None


def _said(answer: Answer, redact: Redact) -> str:
    """The vendor's own words: one line, keys replaced, ``MESSAGE_LIMIT`` characters, without a last dot."""
    body = answer.json()
    message = body.get("message") if isinstance(body, Mapping) else None
    words = message if isinstance(message, str) and message else re.sub(r"<[^>]*>", " ", answer.text(2000))
    line = " ".join("".join(c if c.isprintable() else " " for c in redact(words)).split())
    return line[:MESSAGE_LIMIT].rstrip(". ") or f"an empty answer with status {answer.status}"


def _host(answer: Answer) -> str:
    try:
        return urlsplit(answer.headers.get("location", "")).hostname or "another address"
    except ValueError:
        return "another address"


_WORDS: tuple[tuple[str, str], ...] = (
    (r"tracking", "tracking_number"),
    (r"\be-?mail", "email"),
    (r"quantity", "quantity"),
    (r"last name", "last_name"),
    (r"first name", "first_name"),
    (r"source_?id", "order_id"),
    (r"date_added", "ordered_at"),
    (r"payment_?status", "paid_at"),
    (r"ip_?address", "ip_address"),
    (r"\bprice", "unit_price"),
    (r"\bcode\b|\bsku\b", "sku"),
)


def field_named(message: str) -> str | None:
    """The record field a message speaks of, ``None`` when it names none."""
    return next((name for words, name in _WORDS if re.search(words, message, re.IGNORECASE)), None)
