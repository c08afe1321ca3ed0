"""Takes one safeguard of the product away, in this very process, so that the proofs can show that they notice.

Nothing on disk is changed. Each removal replaces one function by what it would be without the safeguard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


def take_away(name: str) -> None:
    """Remove the safeguard of that name from this process."""
    REMOVALS[name]()


def _put(owner: Any, name: str, instead: Any) -> None:  # noqa: ANN401 - a module or class, and what it holds
    """Replace what ``owner`` calls ``name``; it has to be there."""
    assert hasattr(owner, name), f"{owner} has no {name}"
    setattr(owner, name, instead)


def _intent_after_the_call() -> None:
    """The call leaves first, and only then is it written down that it was about to."""
    from pipeline.delivery.journal import Journal

    def send(self: Any, step: Any) -> Any:  # noqa: ANN401 - the journal's own
        from pipeline.delivery.journal import stored
        from pipeline.ledger import sends

        now = self._clock.now
        signed = self._line.sign(step.request)
        self._line.wait_turn()
        outcome = self._outcome_of(step, signed)
        self._line.heed(outcome)
        intent = sends.Intent(self._delivery.id, step.name, stored(step.request), step.search_hint)
        attempt = self._write(lambda c: sends.intend(c, intent, self._account.name, now()))
        self._write(lambda c: self._note_outcome(c, step, attempt, outcome, now()))
        return self._conclude(step, outcome)

    _put(Journal, "_send", send)


def _no_sync() -> None:
    """Commits are left to the operating system, as ``PRAGMA synchronous=OFF`` does."""
    from pipeline.ledger import engine

    pragmas = engine._pragmas

    def careless(connection: Any, record: object) -> None:  # noqa: ANN401 - the driver's own connection
        pragmas(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    _put(engine, "_pragmas", careless)


def _look_up_sees_nothing() -> None:
    """Every look-up says that the thing is not there."""
    from pipeline.delivery.journal import Journal
    from pipeline.targets.contract import Absent

    _put(Journal, "_look", lambda _self, _step: Absent())


def _no_settle_time() -> None:
    """An absence is believed at once."""
    from msgspec.structs import replace

    from pipeline.delivery import journal

    absent = journal.Journal._absent

    def at_once(self: Any, step: Any, known: Any, now: float) -> None:  # noqa: ANN401 - the journal's own
        self._account = replace(self._account, settle_seconds=0.0)
        absent(self, step, known, now)

    _put(journal.Journal, "_absent", at_once)


def _no_wait_of_its_own() -> None:
    """The machine's clock is believed when it says that a settle time has passed since an earlier run."""
    from pipeline.delivery.line import Line

    begun = Line.__init__

    def long_ago(self: Any, *arguments: Any) -> None:  # noqa: ANN401 - the line's own
        begun(self, *arguments)
        self.begun_at = 0.0

    _put(Line, "__init__", long_ago)


def _no_caution() -> None:
    """A restored backup is believed to know all that was sent."""
    from pipeline.delivery import deliver
    from pipeline.delivery.caution import CERTAIN

    _put(deliver, "in_force", lambda _connection: CERTAIN)


def _key_not_remembered() -> None:
    """What was delivered before under the same key is forgotten."""
    from msgspec.structs import replace

    from pipeline.ledger import deliveries as book

    histories = book.histories
    _put(book, "histories", lambda c, found: {i: replace(h, prior=None) for i, h in histories(c, found).items()})


def _nothing_stands_behind() -> None:
    """A delivery does not wait for an earlier open one of its key."""
    import sqlalchemy as sa

    from pipeline.ledger import deliveries as book

    _put(book, "_behind", sa.false)


def _no_run_lock() -> None:
    """Two runs may work on one project at once."""
    from pipeline import run

    @contextmanager
    def alone(*_arguments: object) -> Iterator[None]:
        yield

    _put(run, "alone", alone)


REMOVALS: Mapping[str, Callable[[], None]] = {
    "intent record before the call": _intent_after_the_call,
    "sync of each commit": _no_sync,
    "look-up": _look_up_sees_nothing,
    "settle time": _no_settle_time,
    "a settle time of the run's own": _no_wait_of_its_own,
    "caution after a restore": _no_caution,
    "memory of the key": _key_not_remembered,
    "waiting behind an open delivery of the key": _nothing_stands_behind,
    "run lock": _no_run_lock,
}
