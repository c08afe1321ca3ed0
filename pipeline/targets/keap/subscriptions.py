"""Subscriptions mirrored beside the order: a record with auto-charge off, never a bill (official spec 2026-08-20)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial

from pipeline.model import Record, Value
from pipeline.targets.contract import Absent, Answer, Finding, Found, Outcome, Refused, Request, Result, Step, Unclear
from pipeline.targets.keap.answers import Redact, field_named, remote_id, written
from pipeline.targets.keap.lines import clean, line_type, number
from pipeline.targets.keap.lookups import listing, whole_list
from pipeline.targets.keap.options import PlaceOrderOptions
from pipeline.targets.keap.payload import major, minor
from pipeline.targets.keap.people import Json

_ENDED = (
    "cancelled", "canceled", "expired", "inactive", "stopped", "ended", "lapsed", "closed", "terminated", "suspended",
    "deactivated",
)  # fmt: skip
Line = Mapping[str, Value]


def subscription_problems(record: Record, options: PlaceOrderOptions) -> list[Refused]:
    """Subscription lines for whose SKU no plan is named."""
    if options.subscriptions != "mirror":
        return []
    return [
        Refused(
            "keap_no_plan",
            f"subscription_plans names no plan of Keap for the SKU {sku}.",
            "Add the SKU and the plan's id to subscription_plans in the mapping, or correct the SKU.",
            "sku",
        )
        for sku in mirrored(record)
        if sku not in options.subscription_plans
    ]


def mirrored(record: Record) -> dict[str, Line]:
    """The subscription lines by SKU, the first of each."""
    found: dict[str, Line] = {}
    for line in record.lines:
        if line_type(line) == "subscription":
            found.setdefault(clean(line.get("sku")), line)
    return found


def is_active(line: Line) -> bool:
    """Whether the file's word for the state speaks of a running subscription; no word means running."""
    return clean(line.get("subscription_status")).casefold() not in _ENDED


def subscription_payload(line: Line, contact_id: str, plan: str, amount: float | None = None) -> Json:
    """``POST /subscriptions``. Without ``start_date`` Keap takes its own today: a date of the file would be refused
    when it is past. ``auto_charge`` is always said, because Keap's default bills."""
    payload: Json = {
        "contact_id": contact_id,
        "subscription_plan_id": plan,
        "quantity": int(number(line.get("quantity"))),
        "auto_charge": False,
        "allow_duplicate": False,
        "active": is_active(line),
    }
    if amount is not None:
        payload["billing_amount"] = amount
    return payload | _reason(line)


def _amount(line: Line, unit: str, currency: str) -> float | None:
    """The file's price in the unit the mapping names; ``None`` leaves it to the plan."""
    price = number(line.get("unit_price"))
    return {"plan": None, "major": major(price), "minor": float(minor(price, currency))}[unit]


def _reason(line: Line) -> Json:
    return {} if is_active(line) else {"reason_stopped": clean(line.get("subscription_status"))}


def mirror_part(
    record: Record, before: Record | None, contact_id: str, options: PlaceOrderOptions, redact: Redact
) -> Generator[Step, Result, None]:
    """One subscription for each subscription SKU; a changed state is told to the one that is there."""
    if options.subscriptions != "mirror":
        return
    known = mirrored(before) if before else {}
    for sku, line in mirrored(record).items():
        amount = _amount(line, options.subscription_amount, record.text("currency"))
        plan = str(options.subscription_plans[sku]).strip()
        made = yield mirror_step(sku, subscription_payload(line, contact_id, plan, amount), redact)
        if sku in known and is_active(known[sku]) != is_active(line):
            yield state_step(sku, line, str(made.get("id", "")), redact)


def mirror_step(sku: str, payload: Json, redact: Redact) -> Step:
    """Make the subscription unless the contact has one of this plan."""
    contact_id, plan = payload["contact_id"], payload["subscription_plan_id"]
    return Step(
        f"subscription:{sku}",
        Request("POST", "/rest/v2/subscriptions", json=payload),
        partial(_written, redact),
        find=partial(find_subscription, contact_id, plan, redact),
        look_first=True,
        search_hint=f"subscription of contact {contact_id} with plan {plan}",
        shares=f"subscription:{contact_id}:{plan}",
    )


def state_step(sku: str, line: Line, subscription_id: str, redact: Redact) -> Step:
    """Tell a subscription whether it runs; sent twice it leaves the same state."""
    body = {"active": is_active(line)} | _reason(line)
    mask = tuple(("update_mask", name) for name in body)
    request = Request("PATCH", f"/rest/v2/subscriptions/{subscription_id}", mask, json=body)
    return Step(f"subscription_state:{sku}", request, partial(_written, redact), repeatable=True)


def _written(redact: Redact, answer: Answer) -> Outcome:
    return written(answer, redact, field_named)


def find_subscription(contact_id: str, plan: str, redact: Redact) -> Generator[Request, Answer, Finding]:
    """The contact's subscription of this plan; one contact has at most one that mirrors ours."""
    request = listing("/rest/v2/subscriptions", f"contact_id=={contact_id};subscription_plan_id=={plan}")
    entries = yield from whole_list(request, "subscriptions", redact)
    if isinstance(entries, Unclear):
        return entries
    ours = [
        e for e in entries if clean(e.get("contact_id")) == contact_id and clean(e.get("subscription_plan_id")) == plan
    ]
    if len(ours) == 1:
        return Found({"id": remote_id(ours[0])})
    if entries:
        ids = ", ".join(remote_id(entry) for entry in entries[:5])
        return Unclear(
            f"Keap lists several or other subscriptions of contact {contact_id} with plan {plan}: ids {ids}."
        )
    return Absent()
