"""Send out what is due: one drain per account, all accounts at once, none holding up another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import TYPE_CHECKING

from pipeline.errors import LedgerError, TargetError
from pipeline.ledger import deliveries as book
from pipeline.progress import Bound, Progress, Quiet
from pipeline.project import Project
from pipeline.targets.contract import Account

if TYPE_CHECKING:  # httpx is loaded when something is to be sent
    from pipeline.delivery.deliver import Drained
    from pipeline.targets.http import Transport

TransportOf = Callable[[Account], "Transport"]


def http_transport(account: Account) -> Transport:
    """Real connections to the account's host."""
    from pipeline.targets.http import HttpTransport

    return HttpTransport(account.base_url, account.timeout, account.concurrency)


def send_out(
    project: Project,
    stop: threading.Event,
    progress: Progress | None = None,
    transport_of: TransportOf = http_transport,
    spell: float = inf,
) -> list[Drained]:
    """Drain every account, for ``spell`` seconds at most; the ledger's trouble, and only that, stops them all."""
    with project.engine.connect() as connection:
        accounts = [project.plan.accounts[name] for name in book.with_work(connection, sorted(project.plan.accounts))]
    if not accounts:
        return []
    with ThreadPoolExecutor(len(accounts)) as pool:
        drains = [
            pool.submit(
                _drain, project, account, stop, Bound(progress or Quiet(), account=account.name), transport_of, spell
            )
            for account in accounts
        ]
        try:
            return [drain.result() for drain in drains]
        except BaseException as problem:
            if isinstance(problem, LedgerError) or not isinstance(problem, Exception):
                stop.set()  # of anything else the other accounts know nothing, and end their drains well
            raise


def _drain(
    project: Project,
    account: Account,
    stop: threading.Event,
    progress: Progress,
    transport_of: TransportOf,
    spell: float,
) -> Drained:
    from pipeline.delivery.deliver import Drain

    project.writer.write(lambda c: book.not_from_the_future(c, account.name, project.clock.now()))
    transport = transport_of(account)
    try:
        return Drain(
            account,
            transport,
            project.engine,
            project.writer,
            project.clock,
            patience=project.plan.settings.delivery.patience_seconds,
            spell=spell,
            stop=stop,
            progress=progress,
            allowances=project.allowances,
            seen=project.seen,
        ).run()
    finally:
        transport.close()


def complain(drained: list[Drained]) -> list[TargetError]:
    """One error per account whose work has to wait: paused, or unavailable for longer than this run waits."""
    errors = []
    for drain in drained:
        if drain.paused is not None:
            errors.append(TargetError(f"{drain.account} is paused: {drain.paused.message} {drain.paused.advice}"))
        elif drain.trouble is not None:
            errors.append(TargetError(f"{drain.account}: {drain.trouble.message} Its work waits; nothing is lost."))
    return errors
