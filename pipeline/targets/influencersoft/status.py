"""Bringing a delivered order up to date: API 1.0 changes an order's status and tracking number, and nothing else.

``UpdateOrderStatus`` knows four words of its own: ``paid``, ``sent``, ``cancel``, ``return``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from pipeline.model import Record
from pipeline.targets.contract import (
    Absent,
    Answer,
    Done,
    Finding,
    Found,
    Outcome,
    Plan,
    PlanRefused,
    Prior,
    Refused,
    Request,
    Result,
    Step,
    Unclear,
)
from pipeline.targets.influencersoft.answers import Reader
from pipeline.targets.influencersoft.client import bill_request, post, read_bill
from pipeline.targets.influencersoft.lookup import Orders, looked_up
from pipeline.targets.influencersoft.payload import Form, order_form, order_status
from pipeline.targets.influencersoft.settings import CreateOrderOptions

ALREADY_THERE = "already_there"
"""Set in a result when nothing had to be sent: the journal's word for "it was there before"."""

_WORDS: Mapping[str, str] = {"Paid": "paid", "Cancel": "cancel", "MoneyBack": "return"}
_SHOWN: Mapping[str, frozenset[str]] = {
    "paid": frozenset({"paid"}),
    "cancel": frozenset({"cancel", "canceled", "cancelled"}),
    "return": frozenset({"return", "moneyback"}),
    "sent": frozenset({"sent"}),
}
"""What ``pay_status`` of an order may say once a change has arrived."""

_LISTED = frozenset({"waiting", "paid", "cancel"})
"""The documented words of ``pay_status``; only among these does another word mean "not yet"."""

_CHANGEABLE = frozenset({"order_status", "payment_method"})
_FIELDS: Mapping[str, str] = {
    "product_names": "sku", "product_prices": "unit_price", "customer_email": "email", "note": "note",
    "order_paid_at": "paid_at", "order_created_at": "ordered_at", "coupon": "coupon_code",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One call of ``UpdateOrderStatus``; ``when`` and ``tracking`` only where the word needs them."""

    word: str
    when: datetime | None = None
    tracking: str = ""

    def form(self, bill_id: str) -> Form:
        """The parameters, secret still missing; times are unix seconds."""
        pairs = [("bill_id", bill_id), ("status", self.word)]
        if self.when is not None:
            pairs.append(("date", str(int(self.when.timestamp()))))
        if self.tracking:
            pairs.append(("rpo", self.tracking))
        return tuple(pairs)


def changes(prior: Prior, after: Record, options: CreateOrderOptions) -> list[Change]:
    """What has to be told, in order; ``PlanRefused`` where something differs that cannot be changed."""
    before = prior.record
    _refuse_other_changes(before, after, options)
    told = []
    word = order_status(after, options)
    if word != order_status(before, options):
        told.append(_status_change(word, after))
    tracking = after.text("tracking_number")
    if tracking and tracking != prior.result.get("tracking"):
        told.append(Change("sent", _needed(after, "shipped_at", "the day it was shipped"), tracking))
    return told


def update_order(orders: Orders, options: CreateOrderOptions, hint: str, record: Record, prior: Prior) -> Plan:
    """Tell the shop the new status of the order the ledger, or its mark, leads to.

    The result remembers the tracking number told, as creating an order tells none.
    """
    record = record.over(prior.record)
    told = changes(prior, record, options)
    if not told:
        return {**prior.result, ALREADY_THERE: True}
    bill_id = str(prior.result.get("id") or "")
    if not bill_id:
        bill_id = yield from _bill_of(orders, options, hint, prior.record)
    for change in told:
        yield from _tell(orders.reader, change, bill_id, hint)
    tracking = next((one.tracking for one in told if one.tracking), prior.result.get("tracking"))
    return {"id": bill_id, **({"tracking": tracking} if tracking else {})}


def _tell(reader: Reader, change: Change, bill_id: str, hint: str) -> Generator[Step, Result, None]:
    """Looked up before it is sent, where the order shows its status in a word we know: it may have it already."""
    shown = yield Step(
        name=f"see status before {change.word}",
        request=bill_request(bill_id),
        read=partial(_read_status, reader, bill_id),
        reads_only=True,
        preview={"pay_status": ""},
    )
    yield Step(
        name=f"status {change.word}",
        request=post("UpdateOrderStatus", change.form(bill_id), signed=True),
        read=partial(reader.status_set, bill_id),
        find=partial(_find_status, reader, change, bill_id),
        look_first=change.word in _LISTED and shown["pay_status"] in _LISTED,
        search_hint=f"order {bill_id}, {hint}",
    )


def _find_status(reader: Reader, change: Change, bill_id: str) -> Generator[Request, Answer, Finding]:
    answer = yield bill_request(bill_id)
    bill = read_bill(answer, bill_id)
    if bill is None:
        return Unclear(f"order {bill_id} could not be read", reader.trouble(answer))
    status = (bill.pay_status or "").strip().casefold()
    if status in _SHOWN[change.word]:
        return Found({"id": bill_id})
    if change.word in _LISTED and status in _LISTED:
        return Absent()
    return Unclear(
        f"order {bill_id} shows the status '{status}', which does not tell whether it was set to {change.word}"
    )


def _read_status(reader: Reader, bill_id: str, answer: Answer) -> Outcome:
    """The order's status; one that cannot be read does not keep the change from being sent."""
    trouble = reader.trouble(answer)
    if trouble is not None:
        return trouble
    bill = read_bill(answer, bill_id)
    return Done({"pay_status": (bill.pay_status or "").strip().casefold() if bill else ""})


def _bill_of(orders: Orders, options: CreateOrderOptions, hint: str, record: Record) -> Generator[Step, Result, str]:
    """The number ``createorder`` did not tell."""
    finding = yield from looked_up(partial(orders.find, record, options), "find order", orders.reader)
    if isinstance(finding, Found):
        return str(finding.result["id"])
    why = finding.message if isinstance(finding, Unclear) else "no order carries its mark"
    raise PlanRefused(
        Refused(
            "unknown_remote_id",
            f"Which order this is at InfluencerSoft could not be found out: {why}.",
            f"Change the status there by hand ({hint}).",
            "order_id",
        )
    )


def _status_change(word: str, record: Record) -> Change:
    if word == "Expected":
        raise PlanRefused(
            Refused(
                "status_not_reversible",
                "InfluencerSoft has no way back to an order that is expected.",
                "Correct the status in the file, or change the order there by hand.",
                "status",
            )
        )
    when = _needed(record, "paid_at", "the day of payment") if word == "Paid" else None
    return Change(_WORDS[word], when)


def _needed(record: Record, name: str, what: str) -> datetime:
    when = record.time(name)
    if when is None:
        message = f"InfluencerSoft wants {what} with this change of status, and the row has none."
        raise PlanRefused(Refused(f"no_{name}", message, f"Fill in {name}.", name))
    return when


def _refuse_other_changes(before: Record, after: Record, options: CreateOrderOptions) -> None:
    """Compared is what ``createorder`` would be sent: a field that is never sent cannot have changed there."""
    old, new = (dict(_form(record, options)) for record in (before, after))
    unchanged_status = order_status(before, options) == order_status(after, options)
    free = _CHANGEABLE if unchanged_status else _CHANGEABLE | {"order_paid_at"}
    differing = [name for name in (old | new) if old.get(name) != new.get(name) and name not in free]
    if not differing:
        return
    names = ", ".join(_FIELDS.get(name, name) for name in differing)
    raise PlanRefused(
        Refused(
            "only_status_can_change",
            f"At InfluencerSoft only status and tracking of an order can change; here {names} changed as well.",
            "Change the order there by hand, or set on_change: ignore in the mapping.",
            _FIELDS.get(differing[0]),
        )
    )


def _form(record: Record, options: CreateOrderOptions) -> Form:
    """How an order was paid is told with its payment, and stands in the note where it has no parameter."""
    return order_form(replace(record, fields={**record.fields, "payment_method": None}), options, None)
