"""One table: the faults of Keap's XML-RPC → what they mean for the step.

Codes and names were seen in public clients and recorded traffic (to 2026-11); what to do about them is concluded.
A fault comes with HTTP status 200; any other status is the gateway's, and so are its JSON bodies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline.targets.contract import Answer, Done, InDoubt, Later, Outcome, Paused, Refused
from pipeline.targets.keap import answers
from pipeline.targets.keap.answers import MESSAGE_LIMIT, Redact
from pipeline.targets.keap.pacing import wait_seconds
from pipeline.targets.keap.xmlrpc.wire import Fault, Unreadable, read

_LOOK = "orderdrop looks it up at Keap before anything is sent again."
_KEY = "Check the account's api_key: a Personal Access Token or Service Account Key of this tenant."
_RIGHTS = "Give the key's user the rights for contacts, products and orders, or use a Service Account Key."
_REPORT = 'This is a fault in orderdrop or a change at Keap: report it, and set api = "rest-v2" for this account.'
_ROW = "Correct the row as Keap's sentence says."
_GONE = "See whether the contact, product or order was deleted in Keap; correct the row or replay it."
_FIELD = "Compare custom_fields in pipeline.toml with the order custom fields in Keap."


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One line of the table; ``says`` must be in the fault's text."""

    faults: tuple[int, ...]
    code: str
    outcome: type[Outcome]
    sentence: str
    advice: str = ""
    says: str = ""


FAULTS: tuple[FaultRow, ...] = (
    FaultRow((0,), "keap_refused", Refused, "Keap cannot read the call: {said}", _ROW, "failed to parse"),
    FaultRow((0,), "keap_call", Paused, "Keap does not know this call or its types: {said}", _REPORT),
    FaultRow((1,), "keap_failed", InDoubt, f"Keap reports a passing fault: {{said}}. {_LOOK}"),
    FaultRow((2, 13), "keap_bad_key", Paused, "Keap does not accept the key of this account: {said}", _KEY),
    FaultRow((3, 4), "keap_failed", InDoubt, f"Keap failed: {{said}}. {_LOOK}"),
    FaultRow((5, 6), "keap_not_found", Refused, "Keap does not find what the call names: {said}", _GONE),
    FaultRow((7, 8, 14), "keap_not_enabled", Paused, "Keap does not let this key make the call: {said}", _RIGHTS),
    FaultRow((9,), "keap_call", Paused, "Keap does not know a table we ask for: {said}", _REPORT),
    FaultRow((10,), "keap_custom_field", Paused, "Keap does not know a field we name: {said}", _FIELD),
    FaultRow((11,), "keap_call", Paused, "Keap misses fields in the call: {said}", _REPORT),
    FaultRow((12,), "keap_refused", Refused, "Keap refused it: {said}", _ROW),
    FaultRow((15,), "keap_expired_key", Paused, "Keap says the password of this key's user has expired: {said}", _KEY),
    FaultRow((500,), "keap_too_fast", Later, "Keap is throttling: {said}", says="throttl"),
)  # fmt: skip
UNKNOWN = FaultRow((), "keap_failed", InDoubt, f"Keap reports fault {{code}}: {{said}}. {_LOOK}")
"""Any other code: whether the work was done is not known."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The value a call gave."""

    value: Any


def returned(answer: Answer, redact: Redact, *, reads_only: bool) -> Returned | Outcome:
    """The value of an answer, or what its fault, status or unreadable body means."""
    if not answer.ok:
        return _gateway(answer, redact, reads_only=reads_only)
    try:
        value = read(answer.content)
    except Unreadable:
        return _no_xml(answer, redact, reads_only=reads_only)
    if isinstance(value, Fault):
        return fault_outcome(value, answer, redact, reads_only=reads_only)
    return Returned(value)


def fault_outcome(fault: Fault, answer: Answer, redact: Redact, *, reads_only: bool) -> Outcome:
    """What a fault means; a failed read is *later*: nothing happened."""
    text = fault.text.casefold()
    row = next((row for row in FAULTS if fault.code in row.faults and row.says in text), UNKNOWN)
    sentence = row.sentence.format(said=_one_line(redact(fault.text)), code=fault.code)
    if row.outcome is Later or (row.outcome is InDoubt and reads_only):
        return Later(row.code, sentence, wait_seconds(answer))
    if row.outcome is InDoubt:
        return InDoubt(row.code, sentence)
    if row.outcome is Paused:
        return Paused(row.code, sentence, row.advice)
    return Refused(row.code, sentence, row.advice, answers.field_named(fault.text))


def _gateway(answer: Answer, redact: Redact, *, reads_only: bool) -> Outcome:
    """A status other than 2xx never comes from the application, so no row is blamed for it."""
    bad = answers.trouble(answer, redact, _no_field, reads_only=reads_only)
    if isinstance(bad, Refused) or (isinstance(bad, Paused) and bad.code == "keap_wrong_address"):
        return Paused(
            "keap_wrong_address",
            f"Keap's XML-RPC address answers with status {answer.status} instead of a result: {bad.message}",
            "Check base_url. During the planned outages of 2026 and after 2026-12-31 XML-RPC does not answer: "
            'set api = "rest-v2" for this account.',
        )
    return bad if bad is not None else answers.unreadable(answer, redact, reads_only=reads_only)


def _no_xml(answer: Answer, redact: Redact, *, reads_only: bool) -> Outcome:
    said = answer.text(2000).casefold()
    if any(words in said for words in ("policies.ratelimit", "spike arrest", "quota exceeded")):
        return Later("keap_too_fast", "Keap is throttling this key.", wait_seconds(answer))
    return answers.unreadable(answer, redact, reads_only=reads_only)


def _no_field(_message: str) -> None:
    return None


def _one_line(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line[:MESSAGE_LIMIT].rstrip(". ") or "no words"


# --- the kinds of result ---

Reader = Callable[[Answer], Outcome]


def made_id(redact: Redact, answer: Answer) -> Outcome:
    """An int above 0: the id of what was made or changed."""
    known = returned(answer, redact, reads_only=False)
    if not isinstance(known, Returned):
        return known
    if isinstance(known.value, int) and not isinstance(known.value, bool) and known.value > 0:
        return Done({"id": str(known.value)})
    return answers.unreadable(answer, redact, reads_only=False)


def said_true(redact: Redact, answer: Answer) -> Outcome:
    """True; a false tells neither that it happened nor that it did not."""
    known = returned(answer, redact, reads_only=False)
    if not isinstance(known, Returned):
        return known
    if known.value is True:
        return Done({})
    return InDoubt("keap_said_false", f"Keap answered the call with 'false'. {_LOOK}")


def structs(redact: Redact, answer: Answer) -> list[dict[str, Any]] | Outcome:
    """A list of structs, each with an id; anything else proves nothing."""
    known = returned(answer, redact, reads_only=True)
    if not isinstance(known, Returned):
        return known
    rows = known.value
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row_id(row) for row in rows):
        return answers.unreadable(answer, redact, reads_only=True)
    return rows


def row_id(row: dict[str, Any], name: str = "Id") -> str:
    """An id of a row as text, empty when there is none."""
    found = row.get(name)
    return str(found) if isinstance(found, int) and not isinstance(found, bool) and found > 0 else ""
