"""``orderdrop watch``: the same as ``run``, for ever. Events wake it, a listing decides, the ledger says what is due.

It holds the run lock for one pass at a time, so other commands work beside it. What it keeps in memory is one listing
of the inbox and a few times per account and pickup.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pipeline.beforehand import load_beforehand
from pipeline.closing.balance import balance, in_words
from pipeline.delivery.clock import Clock, RealClock
from pipeline.errors import LedgerError, OrderdropError, SetupError
from pipeline.events import Event
from pipeline.inbox import is_held
from pipeline.intake.bell import Bell, listening
from pipeline.intake.folder import look
from pipeline.intake.settle import Sight
from pipeline.ledger import deliveries as book
from pipeline.ledger.batches import Batch
from pipeline.ledger.figures import Figures, figures_of
from pipeline.monitor import attended
from pipeline.pairs import waits
from pipeline.progress import Progress, Quiet
from pipeline.project import Plan, Project, load_good_plan, opened
from pipeline.reload import marks, wrong_schemas
from pipeline.run import Passed, one_pass
from pipeline.secret import Secret, learn
from pipeline.send_out import TransportOf, http_transport
from pipeline.side_work import WORKERS, Rest, SideWork
from pipeline.tell import all_is_well, telling_trouble

SPELL_SECONDS = 10.0
"""A pass begins deliveries for so long; then it is looked whether there is anything else to do, and they go on."""

IDLE_PASS_SECONDS = 300.0
"""A pass at least this often: for what a listing cannot show, such as a workbook taken out of ``errors/``."""


def watch(
    folder: Path,
    stop: threading.Event,
    progress: Progress,
    transport_of: TransportOf = http_transport,
    bell: Bell | None = None,
    clock_of: Callable[[], Clock] = RealClock,
    pool: Executor | None = None,
    secrets: list[Secret] | None = None,
) -> None:
    """Watch until ``stop``; the pass under way is finished. ``LedgerError`` ends it: nothing may go on without it.

    ``secrets`` is what the log must not show; those of settings read anew are added to it.
    """
    plan, problems = load_good_plan(folder)
    bell = bell or Bell()
    workers = pool or ThreadPoolExecutor(WORKERS, thread_name_prefix="beside")
    with (
        telling_trouble(folder),
        opened(plan, clock_of()) as project,
        attended(project, progress, stop) as told,
        workers,
    ):
        all_is_well(plan.settings)
        aside = SideWork(stop, told, transport_of, workers, bell)
        watcher = Watcher(project, stop, told, transport_of, clock_of, aside, [] if secrets is None else secrets)
        watcher.begin(problems)
        load_beforehand()
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
        aside: SideWork,
        secrets: list[Secret],
    ) -> None:
        self._project = project
        self._stop = stop
        self._progress = progress
        self._transport_of = transport_of
        self._clock_of = clock_of
        self._aside = aside
        self._secrets = secrets
        self._marks: object = None
        self._offset: float | None = None
        self._away: str | None = None
        self._sights: Mapping[Path, Sight] = {}
        self._said: set[str] = set()
        self._last_pass = float("-inf")
        self._rests: dict[str, Rest] = {}

    def begin(self, problems: Mapping[str, str]) -> None:
        """Say what is watched."""
        self._marks = marks(self._project.folder)
        self._take_over(self._project.plan, problems)
        inbox = self._project.plan.settings.inbox
        self._progress.say(f"Watching {inbox}; Ctrl-C or SIGTERM stops it.", Event.WATCHING)

    def round(self) -> float:
        """One look, and what follows from it; returns the seconds until the next. Only the ledger's trouble ends it."""
        rest = self._rest(_LOOKING)
        try:
            seconds = self._look()
        except LedgerError:
            raise
        except (OrderdropError, OSError) as problem:
            self._progress.say(f"{problem} It is looked again; nothing is lost.", Event.RUN_FAILED)
        except Exception as problem:  # noqa: BLE001 - nobody foresaw it: said, told, and the watch goes on
            self._aside.faults.note(_LOOKING, problem)
        else:
            self._aside.faults.well(_LOOKING)
            self._rests.pop(_LOOKING, None)
            return seconds
        now = self._project.clock.now()
        rest.begin(now)
        return rest.until - now

    def _look(self) -> float:
        # A new clock each time: one that only counts on would miss that the machine slept, or its clock was set.
        self._set_clock(self._clock_of())
        self._progress.note(Event.ROUND)
        self._reload()
        self._aside.attend(self._project)
        if self._something_to_do():
            self._pass()
        return self._pause()

    def _set_clock(self, clock: Clock) -> None:
        """Where the clock was set, a settle time that seems over may not be: doubts count anew."""
        before, offset = self._offset, getattr(clock, "offset", 0.0)
        self._project, self._offset = replace(self._project, clock=clock), offset
        if before is not None and abs(offset - before) > _CLOCK_SET:
            text = f"The clock was set by {offset - before:+.0f} seconds, or the machine slept; doubts count from now."
            self._progress.say(text, Event.CLOCK_WAS_SET, seconds=round(offset - before, 1))
            self._project.writer.write(lambda c: book.doubt_anew(c, clock.now()))
            self._project.seen.clear()

    # --- settings and mappings ---------------------------------------------------------------------------------

    def _reload(self, *, always: bool = False) -> None:
        """Read settings and mappings anew when a file of theirs has changed."""
        found = marks(self._project.folder)
        if found == self._marks and not always:
            return
        changed, self._marks = found != self._marks, found
        try:
            plan, problems = load_good_plan(self._project.folder)
        except SetupError as problem:
            self._progress.say(f"{problem}\nGoing on with the settings from before.", Event.SETTINGS_WRONG)
            return
        learn(self._secrets, plan.settings.secrets)
        if hindrance := _hindrance(self._project.plan, plan):
            self._progress.say(f"{hindrance} Going on with the settings from before.", Event.SETTINGS_WRONG)
            return
        if changed:
            self._progress.say("Settings and mappings were read anew.", Event.SETTINGS_READ_ANEW)
            if plan.settings.monitor != self._project.plan.settings.monitor:
                self._progress.say("[monitor] has changed: that takes a restart; all else is in force.", Event.REMARK)
            self._rests.clear()
            self._aside.forgive()
        self._take_over(plan, problems, quiet=not changed)

    def _take_over(self, plan: Plan, problems: Mapping[str, str], *, quiet: bool = False) -> None:
        wrong = {**problems, **wrong_schemas(plan)}
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
        self._aside.take_over(plan, wrong, Quiet() if quiet else self._progress)

    def _rest(self, name: str) -> Rest:
        return self._rests.setdefault(name, Rest())

    # --- passes ------------------------------------------------------------------------------------------------

    def _something_to_do(self) -> bool:
        project, now = self._project, self._project.clock.now()
        settings = project.plan.settings
        listing = look(settings.inbox, project.plan.mappings, self._sights, settings.intake.settle_seconds, now)
        self._sights = listing.sights
        self._tell_away(listing.away)
        if now < self._rest("pass").until:
            return False
        ready = any(
            not is_held(project, dropped.path.name, dropped.subfolder)
            and waits(project.plan, dropped, listing.settled) is None
            for dropped in listing.settled
        )
        overdue = not 0 <= now - self._last_pass < IDLE_PASS_SECONDS
        return ready or overdue or any(at <= now for at in self._due().values())

    def _tell_away(self, away: str | None) -> None:
        if away is not None and away != self._away:
            self._progress.say(f"{away} Nothing is lost; it is looked at again.", Event.INBOX_AWAY)
        elif away is None and self._away is not None:
            self._progress.say("inbox/ is back.", Event.INBOX_BACK)
        self._away = away

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
            passed = one_pass(self._project, self._stop, news, self._transport_of, SPELL_SECONDS)
        except LedgerError:
            raise
        except (OrderdropError, OSError) as problem:
            news.say(f"{problem} It is tried again; nothing is lost.", Event.RUN_FAILED)
            self._rest("pass").begin(self._project.clock.now())
            return
        except Exception as problem:  # noqa: BLE001 - as in round: one file must not end the watch for all others
            self._aside.faults.note(_PASSING, problem)
            self._aside.something_happened()
            self._rest("pass").begin(self._project.clock.now())
            return
        self._aside.faults.well(_PASSING)
        self._aside.faults.of_files(passed.faults)
        self._rests.pop("pass", None)
        self._last_pass = self._project.clock.now()
        with self._project.engine.connect() as connection:
            found = figures_of(connection, [batch.id for batch in _told(passed)])
        _tell(passed, found, news)
        if passed.batches or passed.closed or passed.remarks or passed.troubles:
            self._aside.something_happened()
        self._let_rest(passed.going_on)
        if found.paused:
            self._reload(always=True)  # a new key may lie in a file that no listing watches

    def _let_rest(self, going_on: Collection[str]) -> None:
        """An account that still has work now, and did not leave off, could not go on: it is paused, or not reached."""
        now = self._project.clock.now()
        with self._project.engine.connect() as connection:
            upcoming = {name: book.next_due(connection, name) for name in self._project.plan.accounts}
        for name, at in upcoming.items():
            if at is not None and at[0] <= now and name not in going_on:
                self._rest(name).begin(now)
            else:
                self._rests.pop(name, None)

    def _pause(self) -> float:
        """Seconds until something may have to be done; an event ends them early."""
        settings, now = self._project.plan.settings.intake, self._project.clock.now()
        moments = [self._last_pass + IDLE_PASS_SECONDS, *self._due().values(), *self._aside.moments(self._project)]
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


def _hindrance(before: Plan, plan: Plan) -> str | None:
    """Why new settings cannot take the place of the old ones while the watch runs."""
    if plan.settings.ledger_url != before.settings.ledger_url:
        return "[ledger] url has changed: that takes a restart."
    if not plan.mappings and not plan.stopped and (before.mappings or before.stopped):
        # As when the share they are on has gone: without them every file that is dropped would be refused.
        return "mappings/ is empty, or cannot be listed."
    return None


def _told(passed: Passed) -> list[Batch]:
    """The files there is something to say of: those that were taken in, and those that came to their end."""
    taken = {batch.id for batch in passed.batches}
    return [*passed.batches, *(batch for batch in passed.closed if batch.id not in taken)]


def _tell(passed: Passed, found: Figures, news: _News) -> None:
    links = {batch.sha256 + batch.file_name: batch.link for batch in _told(passed)}
    for entry in balance(found, {})["files"]:
        facts = {name: entry[name] for name in ("file", "feed", "state", "deliveries")}
        news.say(_standing(entry), Event.FILE_STANDS, batch=links[entry["sha256"] + entry["file"]], **facts)
    for text in passed.remarks:
        news.say(text, Event.REMARK)
    for trouble in passed.troubles:
        news.say(str(trouble), Event.ACCOUNT_WAITS)


def _standing(entry: Mapping[str, Any]) -> str:
    """How a file stands. Why one was refused stands in its workbook: the reason may quote cells, and a log must not."""
    if entry["state"] != "refused":
        return in_words(entry)
    where = f"{entry['workbook']} says why and what to do." if entry["workbook"] else "`orderdrop status` says why."
    return f"{entry['file']}: refused ({entry['code']}). {where}"


_SHORTEST_PAUSE = 0.25
_LOOKING, _PASSING = "A look of the watch", "A pass"
_CLOCK_SET = 2.0
"""Seconds; a time server that keeps a clock right moves it by less."""
