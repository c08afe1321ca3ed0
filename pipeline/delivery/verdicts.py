"""What is decided about a delivery: where it goes, and when that is known without sending anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.ledger import deliveries as book
from pipeline.ledger.deliveries import Delivery
from pipeline.model import DeliveryState
from pipeline.targets.contract import Later, Operation, Paused, Refused, Result


@dataclass(frozen=True, slots=True)
class Verdict:
    """Where a delivery goes."""

    state: DeliveryState
    due_at: float | None = None
    result: Result | None = None
    problems: Sequence[Refused | Later | Paused] = ()
    tries: int = 0


def kept_of(delivery: Delivery, verdict: Verdict) -> dict[str, Any]:
    """What the ledger keeps of a verdict: columns of the delivery, besides its state."""
    kept: dict[str, Any] = {"due_at": verdict.due_at, "tries": verdict.tries, "problems": _told(verdict.problems)}
    if verdict.result is not None:
        id_ = verdict.result.get("id")
        kept |= {"result": dict(verdict.result), "remote_id": None if id_ is None else str(id_)}
    if any(problem.code == book.LET_BE for problem in verdict.problems):
        kept["resolved_by"] = delivery.batch_id  # decided before: it waits for nobody
    return kept


def _told(problems: Sequence[Refused | Later | Paused]) -> list[dict[str, Any]]:
    return [
        {
            "code": problem.code,
            "message": problem.message,
            "advice": getattr(problem, "advice", ""),
            "field": getattr(problem, "field", None),
        }
        for problem in problems
    ]


def without_sending(delivery: Delivery, before: Delivery, operation: Operation) -> Verdict | None:
    """The verdict on a key that was delivered before, where nothing has to be sent; ``None`` when an update is due.

    What was purged cannot be changed: an update needs to know what is there.
    """
    if before.fingerprint == delivery.fingerprint:
        return Verdict(DeliveryState.UNCHANGED, result=before.result or {})
    if delivery.on_change == "ignore":
        told = Later("change_ignored", "Changed since it was delivered; the mapping says on_change: ignore.")
        return Verdict(DeliveryState.UNCHANGED, result=before.result or {}, problems=(told,))
    if delivery.on_change == "reject" or not operation.can_update or before.purged:
        return Verdict(DeliveryState.REFUSED, problems=(changed(delivery, operation),))
    return None


def still_let_be(delivery: Delivery, before: Delivery) -> Verdict:
    """The verdict on a key whose unanswered call a person let be: it may be there, so it is not sent unasked."""
    again = f"`orderdrop replay {before.id}` sends that one again."
    if before.fingerprint == delivery.fingerprint:
        told = Refused(book.LET_BE, f"The same was not answered before, and a person decided to let it be. {again}", "")
    else:
        told = Refused(
            "let_be_before",
            f"{delivery.record_key} was sent before and not answered, and a person decided to let it be.",
            f"Look whether it is at the target, and change it there by hand. {again}",
        )
    return Verdict(DeliveryState.REFUSED, problems=(told,))


def changed(delivery: Delivery, operation: Operation) -> Refused:
    """Why other content under a delivered key is not sent."""
    reason = f"{operation.name} cannot change what is already at the target"
    if delivery.on_change == "reject":
        reason = "the mapping says on_change: reject"
    elif operation.can_update:
        reason = "what was sent then has been purged here, so it cannot be compared"
    return Refused(
        "changed",
        f"{delivery.record_key} was delivered before with other content, and {reason}.",
        "Change it at the target by hand, or set on_change: ignore in the mapping.",
    )


def unforeseen(problem: Exception) -> Refused:
    """The refusal of a record that the code itself could not turn into a call."""
    return Refused(
        "cannot_be_sent",
        f"This record could not be turned into a call ({type(problem).__name__}).",
        "This is a fault in orderdrop: report it with the row. `orderdrop replay` sends it again after an update.",
    )
