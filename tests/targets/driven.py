"""One account and its simulated target, driven by the real ledger, journal and HTTP; only the clock is a fake."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from shelf import FakeClock

from pipeline.delivery.deliver import Drain, Drained
from pipeline.ledger import batches as files
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Accepted
from pipeline.ledger.engine import open_engine
from pipeline.ledger.writer import GroupWriter
from pipeline.model import DeliverTo, Record
from pipeline.sandbox.contract import SimulatedTarget
from pipeline.sandbox.server import SandboxServer
from pipeline.targets.contract import Account, Answer, Done, Outcome
from pipeline.targets.http import HttpTransport

STATES = ("waiting", "in_doubt", "delivered", "already_there", "unchanged", "refused")


class Driven:
    """A simulated target, an account for it, and a ledger. ``build`` makes the account from the target's address."""

    def __init__(self, folder: Path, simulated: SimulatedTarget, build: Callable[[str], Account]) -> None:
        self.simulated = simulated
        self.sandbox = SandboxServer([simulated])
        self.account = build(self.sandbox.base_urls()[simulated.name])
        self.clock = FakeClock()
        self.engine = open_engine(f"sqlite:///{folder / 'ledger.db'}")
        self.writer = GroupWriter(self.engine)

    def __enter__(self) -> Self:
        self.sandbox.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()
        self.engine.dispose()
        self.sandbox.stop()
        assert self.sandbox.log.mistakes == []

    def deliver(
        self, *records: Record, to: str, options: Mapping[str, Any] | None = None, on_change: str = "update"
    ) -> list[book.Delivery]:
        """Take the records in and drain; returns their deliveries."""
        values = {
            "link": f"b{self.clock.time}"[-16:], "file_name": "f.csv", "sha256": "0" * 64, "size": 1,
            "received_at": self.clock.now(), "path": "var/work/x",
        }  # fmt: skip
        batch = self.writer.write(lambda c: files.begin(c, values))
        accepted = Accepted(
            feed="f", mapping_fingerprint="m", found={}, header=[],
            deliver=[DeliverTo(self.account.name, to, options or {})],
            on_change=on_change, records=list(records), rejections=[],
            read=len(records), accepted=len(records), rejected=0, skipped=0,
        )  # fmt: skip
        self.writer.write(lambda c: files.accept(c, batch, accepted, self.clock.now()))
        self.clock.time += 1
        self.drain()
        return self.deliveries(to)[-len(records) :]

    def drain(self) -> Drained:
        self.writer.write(lambda c: book.recover(c, self.clock.now()))
        account = self.account
        with HttpTransport(account.base_url, account.timeout, account.concurrency) as transport:
            return Drain(
                account, transport, self.engine, self.writer, self.clock, patience=60, stop=threading.Event()
            ).run()

    def deliveries(self, to: str) -> list[book.Delivery]:
        with self.engine.connect() as connection:
            found = book.in_states(connection, *STATES)
        return sorted((one for one in found if one.operation == to), key=lambda one: one.id)

    def truth(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.simulated.truth()[kind]
        return found

    def paths(self) -> list[str]:
        """The calls that arrived, by path."""
        return [call.path for call in self.sandbox.calls]


def probed(account: Account, said: Callable[[str], Answer]) -> Outcome:
    """What the account's probe comes to when each call is answered by what ``said`` gives for its path."""
    plan = account.probe()
    try:
        step = next(plan)
        while True:
            outcome = step.read(said(step.request.path))
            if not isinstance(outcome, Done):
                return outcome
            step = plan.send(outcome.result)
    except StopIteration as end:
        return Done(end.value)


def ended(search: Any, *told: Any) -> Any:
    """What a look-up comes to; it hears the last answer again for as long as it asks."""
    try:
        next(search)
        for at in range(50):
            search.send(told[min(at, len(told) - 1)])
    except StopIteration as end:
        return end.value
    raise AssertionError("the look-up does not end")


def listed(account: Account, ask: Callable[[Any], Answer], *about: Any) -> Any:
    """What the account's own list comes to; ``None`` where there is none for the operation."""
    assert account.listing is not None
    search = account.listing(*about)
    if search is None:
        return None
    try:
        request = next(search)
        while True:
            request = search.send(ask(request))
    except StopIteration as end:
        return end.value
