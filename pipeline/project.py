"""A project folder, opened: settings, mappings and accounts proved together, and the ledger."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout
from msgspec import Struct

from pipeline.alerts.rules import read_rules
from pipeline.delivery.allowance import Allowances
from pipeline.delivery.clock import Clock, RealClock
from pipeline.delivery.seen import Seen
from pipeline.errors import LedgerError, SetupError, TargetError, nearest
from pipeline.events import Event
from pipeline.ledger.engine import open_engine
from pipeline.ledger.writer import GroupWriter
from pipeline.mapping.spec import FeedMapping, load_good_mappings, load_mappings
from pipeline.progress import Progress, Quiet
from pipeline.settings import Settings, load_settings
from pipeline.targets.contract import Account
from pipeline.targets.registry import build_account


class Plan(Struct, frozen=True):
    """What a project folder says, complete and without contradiction; nothing was touched to learn it.

    ``stopped`` are feeds whose mapping is wrong; only a plan that was loaded in part has any.
    """

    settings: Settings
    mappings: Mapping[str, FeedMapping]
    accounts: Mapping[str, Account]
    stopped: frozenset[str] = frozenset()


class Project(Struct, frozen=True):
    """A plan with its ledger open."""

    plan: Plan
    engine: sa.Engine
    writer: GroupWriter
    clock: Clock
    allowances: Allowances
    seen: Seen

    @property
    def folder(self) -> Path:
        """The project folder."""
        return self.plan.settings.folder

    @property
    def targets(self) -> dict[str, str]:
        """Target by account name."""
        return {name: account.target for name, account in self.plan.accounts.items()}


def load_plan(folder: Path, *, secrets: bool = True) -> Plan:
    """Read and prove everything; ``SetupError`` lists what is wrong. ``secrets=False`` does without the secrets."""
    settings, accounts = _settings(folder, secrets=secrets)
    mappings = load_mappings(settings.folder / "mappings")
    problems = [problem for mapping in mappings.values() for problem in _deliver_problems(mapping, accounts)]
    if problems:
        raise SetupError("\n".join(problems))
    return Plan(settings, mappings, accounts)


def load_good_plan(folder: Path) -> tuple[Plan, dict[str, str]]:
    """The same without the feeds whose mapping is wrong, and what is wrong with those, by feed.

    ``SetupError`` only for what every feed needs: the settings and the accounts.
    """
    settings, accounts = _settings(folder, secrets=True)
    mappings, problems = load_good_mappings(settings.folder / "mappings")
    for feed, mapping in mappings.items():
        if wrong := list(_deliver_problems(mapping, accounts)):
            problems[feed] = "\n".join(wrong)
    good = {feed: mapping for feed, mapping in mappings.items() if feed not in problems}
    return Plan(settings, good, accounts, frozenset(problems)), problems


def _settings(folder: Path, *, secrets: bool) -> tuple[Settings, dict[str, Account]]:
    settings = load_settings(folder)
    read_rules(settings)
    if secrets and (missing := settings.missing_secrets()):
        raise SetupError("\n".join(missing))
    return settings, {name: build_account(name, table) for name, table in settings.accounts.items()}


@contextmanager
def opened(plan: Plan, clock: Clock | None = None) -> Iterator[Project]:
    """The project with its ledger open for reading and writing."""
    _refuse_a_lost_ledger(plan.settings)
    engine = open_engine(plan.settings.ledger_url)
    writer = GroupWriter(engine)
    try:
        yield Project(plan, engine, writer, clock or RealClock(), Allowances(writer), Seen())
    finally:
        writer.close()
        engine.dispose()


def _refuse_a_lost_ledger(settings: Settings) -> None:
    """An empty ledger beside an archive of delivered files would send all of them again that come back."""
    parsed = sa.make_url(settings.ledger_url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return
    ledger = Path(parsed.database)
    if ledger.is_file() and ledger.stat().st_size:
        return
    if any(path.is_file() for path in (settings.var / "archive").glob("*/*/*")):
        what = "is empty" if ledger.is_file() else "is gone"
        raise LedgerError(
            f"The ledger {ledger} {what}, but var/archive holds files that were delivered: begun anew, it would not "
            "know them. `orderdrop restore FILE` puts a backup in its place. To begin anew all the same, move "
            "var/archive away."
        )


@contextmanager
def alone(project: Project, progress: Progress | None = None, stop: threading.Event | None = None) -> Iterator[None]:
    """Hold the project's run lock: a second run waits here. The lock goes with the process, also when it is killed.

    ``TargetError`` when ``stop`` is set while another run holds it.
    """
    path = project.plan.settings.var / "run.lock"
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, progress or Quiet(), stop or threading.Event())
    except OSError as problem:
        raise LedgerError(
            f"{path} cannot be locked ({problem}). Make the project's var folder writable, then run again."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, progress: Progress, stop: threading.Event) -> None:
    try:
        lock.acquire(timeout=0)
        return
    except Timeout:
        progress.say("Another run is at work in this project; waiting for it to end.", Event.RUN_LOCK_WAITED)
    while not stop.is_set():
        try:
            lock.acquire(timeout=0.5)
            return
        except Timeout:
            progress.note(Event.ROUND)
    raise TargetError("Stopped while another run was at work; this one has done nothing.")


def _deliver_problems(mapping: FeedMapping, accounts: Mapping[str, Account]) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    for entry in mapping.deliver:
        where = f"mappings: feed {mapping.feed}: deliver"
        account = accounts.get(entry.account)
        if account is None:
            known = ", ".join(sorted(accounts)) or "none"
            yield f"{where}: unknown account '{entry.account}'.{nearest(entry.account, accounts)} Known: {known}."
            continue
        if (entry.account, entry.operation) in seen:
            yield f"{where}: {entry.account} {entry.operation} stands twice; one record goes to an operation once."
        seen.add((entry.account, entry.operation))
        try:
            operation = account.operation(entry.operation, entry.options)
        except SetupError as problem:
            yield f"{where}: {problem}"
            continue
        if mapping.record not in operation.kinds:
            takes = ", ".join(sorted(operation.kinds))
            yield f"{where}: {entry.operation} of {account.target} takes {takes}; this feed gives {mapping.record}."
