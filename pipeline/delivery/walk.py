"""Walking a plan without a journal: for reads, and for set-up a person asked for and can ask for again."""

from __future__ import annotations

from pipeline.targets.contract import Account, Done, InDoubt, Later, Outcome, Plan
from pipeline.targets.http import NotSent, Transport, Unanswered


def ask(account: Account, transport: Transport) -> Outcome:
    """Carry out the account's probe; the first outcome that is not *done* is the answer."""
    return walk(account, transport, account.probe())


def walk(account: Account, transport: Transport, plan: Plan) -> Outcome:
    """Carry out a plan step by step; the first outcome that is not *done* ends it. A lost answer ends it, too."""
    try:
        step = next(plan)
        while True:
            try:
                outcome = step.read(transport.send(account.sign(step.request)))
            except NotSent as problem:
                return Later("unreachable", f"{account.base_url} cannot be reached: {problem}.")
            except Unanswered as problem:
                return _unanswered(account, problem, reads_only=step.reads_only)
            if not isinstance(outcome, Done):
                return outcome
            step = plan.send(outcome.result)
    except StopIteration as end:
        return Done(end.value or {})


def _unanswered(account: Account, problem: Unanswered, *, reads_only: bool) -> Outcome:
    if reads_only:
        return Later("unreachable", f"{account.base_url} cannot be reached: {problem}.")
    return InDoubt("no_answer", f"{account.base_url} did not answer: {problem}. Run the check again to see.")
