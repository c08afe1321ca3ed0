"""A note in an order's history: it can only be added, never changed, so it is looked for before it is added again."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

from pipeline.targets.contract import (
    Absent,
    Answer,
    Done,
    Finding,
    Found,
    Later,
    LookUp,
    Outcome,
    Paused,
    Request,
    Step,
    Unclear,
)
from pipeline.targets.orderdesk.answers import Kind, Redact, thing, trouble
from pipeline.targets.orderdesk.settings import OrderOptions


def note_step(order_id: str, source_id: str, options: OrderOptions, redact: Redact) -> Step:
    """One POST of the note; an unanswered one is read back from the order's history."""
    note = options.history_note or ""

    def read(answer: Answer) -> Outcome:
        return trouble(answer, redact, Kind.CREATE) or Done({"id": order_id})

    return Step(
        name="history note",
        request=Request(
            "POST", f"/orders/{order_id}/order-history", json={"note": note, "source_name": options.source_name}
        ),
        read=read,
        find=_find_note(order_id, note, redact),
        search_hint=source_id,
    )


def _find_note(order_id: str, note: str, redact: Redact) -> LookUp:
    """Any entry that says these words; how an entry is built is not documented, so all its texts are looked at."""

    def look() -> Generator[Request, Answer, Finding]:
        answer = yield Request("GET", f"/orders/{order_id}", (("get_order_history", "1"),))
        bad = trouble(answer, redact, Kind.READ)
        there = thing(answer, "order") if bad is None else None
        if there is None:
            message = getattr(bad, "message", "Order Desk's answer holds no order.")
            return Unclear(message, bad if isinstance(bad, Later | Paused) else None)
        history = there.get("order_history")
        if not isinstance(history, list):
            return Unclear("Order Desk does not show the history of the order.")
        return Found({"id": order_id}) if any(_says(entry, note) for entry in history) else Absent()

    return look


def _says(entry: Any, note: str) -> bool:  # noqa: ANN401 - whatever the vendor sent
    if isinstance(entry, Mapping):
        return any(_says(value, note) for value in entry.values())
    return isinstance(entry, str) and note.strip() in entry
