"""``orderdrop watch``: the same as ``run``, for ever. Events wake it, a listing decides, the ledger says what is due.

It holds the run lock for one pass at a time, so other commands work beside it. What it keeps in memory is one listing
of the inbox and a few times per account and pickup.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.closing.balance import in_words
from pipeline.delivery.clock import Clock, RealClock
from pipeline.errors import LedgerError, OrderdropError, SetupError
from pipeline.events import Event
from pipeline.fetch import fetch, prove
from pipeline.intake.bell import Bell, listening
from pipeline.intake.folder import look
from pipeline.intake.schedule import Schedule
from pipeline.intake.settle import Sight
from pipeline.ledger import deliveries as book
from pipeline.ledger import pickups as memory
from pipeline.progress import Progress
from pipeline.project import Plan, Project, load_good_plan, opened
from pipeline.run import Report, is_held, run
from pipeline.send_out import TransportOf, http_transport
from pipeline.visit import Fetched

IDLE_PASS_SECONDS = 300.0
"""A pass at least this often: for what a listing cannot show, such as a workbook taken out of ``errors/``."""
_FIRST_REST, _LONGEST_REST = 30.0, 900.0
"""Seconds that an account (or a pickup) which could not go on is left alone: 30, 60, 120 … at most a quarter hour."""


@dataclass(slots=True)
class _Rest:
    """How long something that fails is left alone."""

    times: int = 0
    until: float = 0.0

    def begin(self, now: float) -> None:
        self.until = now + min(_LONGEST_REST, _FIRST_REST * 2.0**self.times)
        self.times = min(self.times + 1, 10)


def watch(
    folder: Path,
    stop: threading.Event,
    progress: Progress,
    transport_of: TransportOf = http_transport,
    bell: Bell | None = None,
    clock_of: Callable[[], Clock] = RealClock,
) -> None:
    """Watch until ``stop``; the pass under way is finished. ``LedgerError`` ends it: nothing may go on without it."""
    plan, problems = load_good_plan(folder)
    bell = bell or Bell()
    with opened(plan, clock_of()) as project, ThreadPoolExecutor(1, thread_name_prefix="pickup") as pool:
        watcher = Watcher(project, stop, progress, transport_of, clock_of, pool, bell)
        watcher.begin(problems)
        places = [plan.settings.inbox, plan.settings.folder / "mappings", plan.settings.folder / "schemas"]
        try:
            with listening(bell, places, progress):
                while not stop.is_set():
                    bell.wait(watcher.round(), stop)
        except BaseException:
            stop.set()  # a pickup under way must not hold up the end
            raise
    progress.say("Stopped watching; nothing is under way.", Event.WATCH_ENDED)


class Watcher:
    """What is remembered between two looks; ``round`` is one look and what follows from it."""

    def __init__(
        self,
        project: Project,
        stop: threading.Event,
        progress: Progress,
        transport_of: TransportOf,
        clock_of: Callable[[], Clock],
        pool: ThreadPoolExecutor,
        bell: Bell,
    ) -> None:
        self._project = project
        self._stop = stop
        self._progress = progress
        self._transport_of = transport_of
        self._clock_of = clock_of
        self._pool = pool
        self._bell = bell
        self._marks: object = None
        self._sights: Mapping[Path, Sight] = {}
        self._said: set[str] = set()
        self._last_pass = float("-inf")
        self._rests: dict[str, _Rest] = {}
        self._schedules: dict[str, Schedule] = {}
        self._fetching: tuple[str, Future[Fetched]] | None = None

    def begin(self, problems: Mapping[str, str]) -> None:
        """Say what is watched."""
        self._marks = _marks(self._project.folder)
        self._take_over(self._project.plan, problems)
        inbox = self._project.plan.settings.inbox
        self._progress.say(f"Watching {inbox}; Ctrl-C or SIGTERM stops it.", Event.WATCHING)

    def round(self) -> float:
        """One look, and what follows from it; returns the seconds until the next look."""
        # A new clock each time: one that only counts on would miss that the machine slept, or its clock was set.
        self._project = replace(self._project, clock=self._clock_of())
        self._progress.note(Event.ROUND)
        self._reload()
        self._collect()
        self._start_pickup()
        if self._something_to_do():
            self._pass()
        return self._pause()

    # --- settings and mappings ---------------------------------------------------------------------------------

    def _reload(self, *, always: bool = False) -> None:
        """Read settings and mappings anew when a file of theirs has changed."""
        marks = _marks(self._project.folder)
        if marks == self._marks and not always:
            return
        changed, self._marks = marks != self._marks, marks
        try:
            plan, problems = load_good_plan(self._project.folder)
        except SetupError as problem:
            self._progress.say(f"{problem}\nGoing on with the settings from before.", Event.SETTINGS_WRONG)
            return
        if plan.settings.ledger_url != self._project.plan.settings.ledger_url:
            self._progress.say(
                "[ledger] url has changed: that takes a restart. Going on with the settings from before.",
                Event.SETTINGS_WRONG,
            )
            return
        if changed:
            self._progress.say("Settings and mappings were read anew.", Event.SETTINGS_READ_ANEW)
            self._rests.clear()
        self._take_over(plan, problems, quiet=not changed)

    def _take_over(self, plan: Plan, problems: Mapping[str, str], *, quiet: bool = False) -> None:
        wrong = {**problems, **_wrong_schemas(plan)}
        good = {feed: mapping for feed, mapping in plan.mappings.items() if feed not in wrong}
        plan = replace(plan, mappings=good, stopped=frozenset(wrong))
        self._project = replace(self._project, plan=plan)
        if not quiet:
            for feed, problem in wrong.items():
                self._progress.say(
                    f"{problem}\nFeed {feed} is stopped until that is right; its files wait in inbox/.",
                    Event.FEED_STOPPED,
                    feed=feed,
                )
        self._schedules = self._read_schedules(plan, quiet=quiet)

    def _read_schedules(self, plan: Plan, *, quiet: bool) -> dict[str, Schedule]:
        schedules = {}
        for name in plan.settings.pickups:
            try:
                schedule = prove(plan, name)
            except SetupError as problem:
                if not quiet:
                    text = f"{problem}\nPickup {name} is stopped until that is right."
                    self._progress.say(text, Event.PICKUP_STOPPED, pickup=name)
                continue
            if schedule is not None:
                schedules[name] = schedule
        return schedules

    # --- pickups -----------------------------------------------------------------------------------------------

    def _start_pickup(self) -> None:
        """Start the pickup that is due longest, one at a time; times missed while nothing watched are made up once."""
        due = self._pickups_due()
        now = self._project.clock.now()
        if self._fetching is None and due and min(due.values()) <= now:
            name = min(due, key=lambda one: due[one])
            self._progress.say(f"Fetching from {name}.", Event.PICKUP_BEGUN, pickup=name)
            future = self._pool.submit(fetch, self._project, name, self._stop, self._progress)
            self._fetching = name, future
            future.add_done_callback(lambda _done: self._bell.ring())

    def _pickups_due(self) -> dict[str, float]:
        """When each pickup is due, in seconds since 1970."""
        if not self._schedules:
            return {}
        with self._project.engine.connect() as connection:
            done = memory.last_done(connection)
        due = {}
        for name, schedule in self._schedules.items():
            if name not in done:  # seen for the first time: nothing was missed
                now = done[name] = self._project.clock.now()
                self._project.writer.write(lambda c, name=name, now=now: memory.note_end(c, name, now, None))  # type: ignore[misc]
            at = schedule.next_after(done[name])
            if at is not None:
                due[name] = max(at, self._rest(f"pickup {name}").until)
        return due

    def _collect(self) -> None:
        """Tell how a pickup ended; one that failed is tried again after a rest."""
        if self._fetching is None or not self._fetching[1].done():
            return
        (name, future), self._fetching = self._fetching, None
        told, now = future.result(), self._project.clock.now()
        rest = self._rest(f"pickup {name}")
        if told.problem is None:
            self._rests.pop(f"pickup {name}")
        elif isinstance(told.problem, SetupError):
            # A wrong password tried every minute locks an account: the next time is the next time of its schedule.
            rest.until = (self._schedules[name].next_after(now) if name in self._schedules else None) or now
        else:
            rest.begin(now)
        for text in (*told.remarks, *told.troubles, *([str(told.problem)] if told.problem else [])):
            self._progress.say(text, Event.REMARK, pickup=name)
        self._progress.say(
            f"{name}: {len(told.files)} fetched, {told.known} known from before.",
            Event.PICKUP_ENDED,
            pickup=name, files=len(told.files), known=told.known, exit_code=told.exit_code,
        )  # fmt: skip

    def _rest(self, name: str) -> _Rest:
        return self._rests.setdefault(name, _Rest())

    # --- passes ------------------------------------------------------------------------------------------------

    def _something_to_do(self) -> bool:
        project, now = self._project, self._project.clock.now()
        settings = project.plan.settings
        listing = look(settings.inbox, project.plan.mappings, self._sights, settings.intake.settle_seconds, now)
        self._sights = listing.sights
        if now < self._rest("pass").until:
            return False
        ready = any(not is_held(project, dropped.path.name, dropped.subfolder) for dropped in listing.settled)
        overdue = not 0 <= now - self._last_pass < IDLE_PASS_SECONDS
        return ready or overdue or any(at <= now for at in self._due().values())

    def _due(self) -> dict[str, float]:
        """When each account has something to do again."""
        with self._project.engine.connect() as connection:
            upcoming = {name: book.next_due(connection, name) for name in self._project.plan.accounts}
        return {name: max(at[0], self._rest(name).until) for name, at in upcoming.items() if at is not None}

    def _pass(self) -> None:
        """One run. Trouble that is not the ledger's is told, and tried again after a rest."""
        news = _News(self._progress, self._said)
        self._said = news.heard
        try:
            report = run(self._project, self._stop, news, self._transport_of)
        except LedgerError:
            raise
        except (OrderdropError, OSError) as problem:
            news.say(f"{problem} It is tried again; nothing is lost.", Event.RUN_FAILED)
            self._rest("pass").begin(self._project.clock.now())
            return
        self._rests.pop("pass", None)
        self._last_pass = self._project.clock.now()
        _tell(report, news)
        self._let_rest()
        if any(account["paused"] for account in report.balance["accounts"]):
            self._reload(always=True)  # a new key may lie in a file that no listing watches

    def _let_rest(self) -> None:
        """An account that still has work now could not go on: it is paused, or not reached."""
        now = self._project.clock.now()
        with self._project.engine.connect() as connection:
            upcoming = {name: book.next_due(connection, name) for name in self._project.plan.accounts}
        for name, at in upcoming.items():
            if at is not None and at[0] <= now:
                self._rest(name).begin(now)
            else:
                self._rests.pop(name, None)

    def _pause(self) -> float:
        """Seconds until something may have to be done; an event ends them early."""
        settings, now = self._project.plan.settings.intake, self._project.clock.now()
        moments = [self._last_pass + IDLE_PASS_SECONDS, *self._due().values()]
        if self._fetching is None:
            moments += self._pickups_due().values()
        if any(now - sight.seen_at < settings.settle_seconds for sight in self._sights.values()):
            moments.append(now + settings.settle_seconds)
        seconds = max(min(moments), self._rest("pass").until) - now
        return max(min(seconds, settings.poll_seconds), _SHORTEST_PAUSE)


class _News:
    """Says what the last pass did not say already: a file that waits is looked at in every pass."""

    def __init__(self, progress: Progress, before: set[str]) -> None:
        self._progress = progress
        self._before = before
        self.heard: set[str] = set()

    def say(self, text: str, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        key = f"{facts.get('batch', '')}{text}"
        if key not in self._before and key not in self.heard:
            self._progress.say(text, event, **facts)
        self.heard.add(key)

    def note(self, event: Event, **facts: Any) -> None:  # noqa: ANN401 - plain values
        self._progress.note(event, **facts)

    def advance(self) -> None:
        self._progress.advance()


def _tell(report: Report, news: _News) -> None:
    taken = {batch.sha256 + batch.file_name: batch.link for batch in report.batches}
    if taken:
        for entry in report.balance["files"]:
            if link := taken.get(entry["sha256"] + entry["file"]):
                facts = {name: entry[name] for name in ("file", "feed", "state", "deliveries")}
                news.say(_standing(entry), Event.FILE_STANDS, batch=link, **facts)
    for text in report.remarks:
        news.say(text, Event.REMARK)
    for trouble in report.troubles:
        news.say(str(trouble), Event.ACCOUNT_WAITS)


def _standing(entry: Mapping[str, Any]) -> str:
    """How a file stands. Why one was refused stands in its workbook: the reason may quote cells, and a log must not."""
    if entry["state"] != "refused":
        return in_words(entry)
    where = f"{entry['workbook']} says why and what to do." if entry["workbook"] else "`orderdrop status` says why."
    return f"{entry['file']}: refused ({entry['code']}). {where}"


_SHORTEST_PAUSE = 0.25


def _marks(folder: Path) -> object:
    """Name, size and time of every file the plan is made of."""
    places = [
        folder / "pipeline.toml",
        *sorted((folder / "mappings").glob("*")),
        *sorted((folder / "schemas").glob("*.py")),
    ]
    marks = []
    for path in places:
        try:
            found = path.stat()
        except OSError:
            continue
        marks.append((path, found.st_size, found.st_mtime_ns))
    return marks


def _wrong_schemas(plan: Plan) -> dict[str, str]:
    """What is wrong with the schema of each feed's records, by feed."""
    from pipeline.checking import load_schema

    wrong = {}
    for feed, mapping in plan.mappings.items():
        try:
            load_schema(plan.settings.folder, mapping.record)
        except SetupError as problem:
            wrong[feed] = str(problem)
    return wrong
