"""One table: what Keap answered → what it means for the step.

Statuses 400–409, 500 and 501 are declared in the official v2 spec (2026-08-20); the gateway's 401 and 429
bodies were seen in public threads, not in the spec. A spike-arrest fault is known by its text at any status.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pipeline.targets.contract import Answer, Done, InDoubt, Later, Outcome, Paused, Refused
from pipeline.targets.keap.pacing import wait_seconds

Redact = Callable[[str], str]
MESSAGE_LIMIT = 300
_RETRY = "Nothing to do: the same call is sent again later."
_LOOK = "orderdrop looks it up at Keap before anything is sent again."


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: every condition given must hold."""

    code: str
    outcome: type[Outcome]
    statuses: tuple[range, ...]
    sentence: str
    advice: str = ""
    says: tuple[str, ...] = ()
    without_keaps_shape: bool = False


def _are(*statuses: int) -> tuple[range, ...]:
    return tuple(range(status, status + 1) for status in statuses)


_THROTTLED = "Keap is throttling this key: {said}"
_ANY = (range(300, 600),)
TABLE: tuple[Row, ...] = (
    Row("keap_too_fast", Later, _ANY, _THROTTLED, says=("policies.ratelimit", "spike arrest")),
    Row("keap_too_fast", Later, _are(429), _THROTTLED),
    Row("keap_expired_key", Paused, _are(401), "Keap says the key of this account has expired: {said}",
        "Make a new Service Account Key in Keap, put it where the account's api_key points, and run again.",
        says=("expired",)),
    Row("keap_bad_key", Paused, _are(401), "Keap does not accept the key of this account: {said}",
        "Check the account's api_key: a Personal Access Token or Service Account Key of this tenant."),
    Row("keap_not_enabled", Paused, _are(402, 403), "Keap does not let this key make the call: {said}",
        "Give the key's user the rights for contacts, products and orders, or use a Service Account Key."),
    Row("keap_redirected", Paused, (range(300, 400),),
        "Keap's address answers with a redirect to {host}; it is not followed",
        "Correct base_url; the key is only ever sent to the address in pipeline.toml."),
    Row("keap_unknown_property", Paused, _are(400, 422),
        "This Keap tenant does not know a field we send: {said}",
        "Keap may not have rolled this field out to the tenant yet; ask Keap support, then run again.",
        says=("unrecognized property", "unrecognised property")),
    Row("keap_wrong_address", Paused, _are(404, 405, 406, 415),
        "This address does not answer like Keap's API: {said}",
        "Check base_url (the default is https://api.infusionsoft.com/crm).", without_keaps_shape=True),
    Row("keap_bad_proxy", Paused, _are(407), "A proxy between here and Keap wants a sign-in: {said}",
        "Ask the network's administrator."),
    Row("keap_not_found", Refused, _are(404, 410), "Keap does not find what the call names: {said}",
        "See whether the contact, product or order was deleted in Keap; correct the row or replay it."),
    Row("keap_conflict", Refused, _are(409), "Keap reports a conflict: {said}",
        "Look at the contact, product or order in Keap, then correct the row or replay it."),
    Row("keap_no_answer", InDoubt, _are(408), f"Keap stopped waiting for the call: {{said}}. {_LOOK}"),
    Row("keap_refused", Refused, (range(400, 500),), "Keap refused it: {said}",
        "Correct the row as Keap's sentence says."),
    Row("keap_failed", InDoubt, (range(500, 600),), f"Keap failed with {{status}}: {{said}}. {_LOOK}"),
)  # fmt: skip


def trouble(answer: Answer, redact: Redact, field: Callable[[str], str | None], *, reads_only: bool) -> Outcome | None:
    """What an answer other than 2xx means, ``None`` for 2xx; a failed read is *later*: nothing happened."""
    if answer.ok:
        return None
    said = _said(answer, redact)
    row = next((row for row in TABLE if _fits(row, answer)), None)
    if row is None:
        return unreadable(answer, redact, reads_only=reads_only)
    sentence = row.sentence.format(said=said, status=answer.status, host=_host(answer))
    if row.outcome is Later or (row.outcome is InDoubt and reads_only):
        return Later(row.code, sentence, wait_seconds(answer))
    if row.outcome is InDoubt:
        return InDoubt(row.code, sentence)
    if row.outcome is Paused:
        return Paused(row.code, sentence, row.advice)
    return Refused(row.code, sentence, row.advice, field(said))


def unreadable(answer: Answer, redact: Redact, *, reads_only: bool) -> Outcome:
    """A success without a readable result: after a write it is in doubt, after a read it proves nothing."""
    sentence = f"Keap answered {answer.status} without a readable result: {_said(answer, redact)}"
    if reads_only:
        return Later("keap_unreadable", f"{sentence}. {_RETRY}", wait_seconds(answer))
    return InDoubt("keap_unreadable", f"{sentence}. {_LOOK}")


def remote_id(body: object) -> str:
    """The ``id`` of a JSON object as text, empty when there is none."""
    found = body.get("id") if isinstance(body, Mapping) else None
    return str(found) if isinstance(found, str | int) and not isinstance(found, bool) and str(found).strip() else ""


def rows(answer: Answer, name: str) -> list[Mapping[str, Any]] | None:
    """The list ``name`` of a 2xx answer; ``None`` when it cannot be read, which never means empty."""
    body = answer.json() if answer.ok else None
    found = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) and remote_id(entry) for entry in found):
        return None
    return found


def written(
    answer: Answer, redact: Redact, field: Callable[[str], str | None], existed: tuple[int, ...] = ()
) -> Outcome:
    """The outcome of a write that answers the thing; ``existed``: statuses of what was there before."""
    bad = trouble(answer, redact, field, reads_only=False)
    if bad is not None:
        return bad
    found = remote_id(answer.json())
    return Done({"id": found}, answer.status in existed) if found else unreadable(answer, redact, reads_only=False)


def _fits(row: Row, answer: Answer) -> bool:
    if not any(answer.status in statuses for statuses in row.statuses):
        return False
    if row.without_keaps_shape and _keaps_message(answer):
        return False
    body = answer.text(4000).casefold()
    return not row.says or any(words in body for words in row.says)


def _keaps_message(answer: Answer) -> str:
    body = answer.json()
    found = body.get("message") if isinstance(body, Mapping) else None
    return found if isinstance(found, str) else ""


def _said(answer: Answer, redact: Redact) -> str:
    """The vendor's words on one line: secrets replaced, at most ``MESSAGE_LIMIT`` characters, no last dot."""
    body = answer.json()
    fault = body.get("fault") if isinstance(body, Mapping) else None
    text = fault.get("faultstring") if isinstance(fault, Mapping) else _keaps_message(answer)
    words = text if isinstance(text, str) and text else re.sub(r"<[^>]*>", " ", answer.text(2000))
    line = " ".join("".join(c if c.isprintable() else " " for c in redact(words)).split())
    return line[:MESSAGE_LIMIT].rstrip(". ") or f"an empty answer with status {answer.status}"


def _host(answer: Answer) -> str:
    try:
        return urlsplit(answer.headers.get("location", "")).hostname or "another address"
    except ValueError:
        return "another address"


# --- which cell Keap means ---

_WORDS: tuple[tuple[str, str], ...] = (
    (r"email", "email"),
    (r"given_?name|first_?name", "first_name"),
    (r"family_?name|last_?name", "last_name"),
    (r"middle_?name", "middle_name"),
    (r"birth_?date", "birth_date"),
    (r"phone", "phone"),
    (r"company", "company"),
    (r"payment_method", "payment_method"),
    (r"payment_amount|balance", "amount_paid"),
    (r"payment_time", "paid_at"),
    (r"order_time", "ordered_at"),
    (r"order_title", "order_id"),
    (r"quantity", "quantity"),
    (r"price", "unit_price"),
    (r"\bsku\b", "sku"),
)
_PLACES: tuple[tuple[str, str], ...] = (
    (r"region|state", "state"),
    (r"country", "country"),
    (r"postal|zip", "postal_code"),
    (r"locality|city", "city"),
    (r"line1", "address1"),
    (r"line2", "address2"),
)


def field_named(message: str) -> str | None:
    """The record field a message of Keap speaks of, ``None`` when it names none that is certain."""
    text = message.casefold()
    side = next((side for side in ("billing", "shipping") if side in text), None)
    if side:
        return next((f"{side}_{name}" for words, name in _PLACES if re.search(words, text)), None)
    return next((name for words, name in _WORDS if re.search(words, text)), None)
