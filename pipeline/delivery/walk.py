"""Walking a read-only plan without a journal: nothing is changed, so nothing has to be remembered."""

from __future__ import annotations

from pipeline.targets.contract import Account, Done, Later, Outcome
from pipeline.targets.http import NotSent, Transport, Unanswered


def ask(account: Account, transport: Transport) -> Outcome:
    """Carry out the account's probe; the first outcome that is not *done* is the answer."""
    plan = account.probe()
    try:
        step = next(plan)
        while True:
            try:
                outcome = step.read(transport.send(account.sign(step.request)))
            except (NotSent, Unanswered) as problem:
                return Later("unreachable", f"{account.base_url} cannot be reached: {problem}.")
            if not isinstance(outcome, Done):
                return outcome
            step = plan.send(outcome.result)
    except StopIteration as end:
        return Done(end.value or {})
