"""A delivery made ready before its turn: what of it asks neither its target nor the ledger.

A plan is pure: its first step is the same whenever it is asked for. So it is asked for while the answer to the call
before it is awaited. Nothing is written down for it and nothing leaves before its turn has come.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.delivery.verdicts import Verdict
from pipeline.ledger.deliveries import Delivery, History
from pipeline.targets.contract import Operation, Plan, Prior, Result, Step


@dataclass(frozen=True, slots=True)
class Begun:
    """A plan at its first step; one without any has its ``result``."""

    plan: Plan
    first: Step | None
    result: Result | None = None


Prepared = Begun | Verdict
"""How a delivery begins, or what becomes of it where nothing has to be sent."""


def begin(operation: Operation, delivery: Delivery, prior: Prior | None) -> Begun:
    """Begin the plan of a delivery; raises what the plan raises."""
    plan = operation.begin(delivery.record, prior)
    try:
        return Begun(plan, next(plan))
    except StopIteration as end:
        return Begun(plan, None, end.value)


def is_fresh(history: History) -> bool:
    """Whether nothing came before: then the plan is begun without a question to the ledger."""
    return not (history.steps or history.half_done) and history.prior is None and history.let_be is None
