"""What the watch does beside its passes, each thing in a thread of its own: pickups, the comparison, telling people.

None of it holds up a delivery, and none runs twice at once. When something is due stands in the ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any

from pipeline.comparing import Compared, compare_now, last_compared
from pipeline.errors import LedgerError, OrderdropError, SetupError
from pipeline.events import Event
from pipeline.faults import Faults
from pipeline.fetch import fetch
from pipeline.intake.bell import Bell
from pipeline.intake.schedule import Schedule
from pipeline.intake.sftp import FolderMissing
from pipeline.ledger import pickups as memory
from pipeline.progress import Progress
from pipeline.project import Plan, Project
from pipeline.reload import comparing_schedule, pickup_schedules
from pipeline.send_out import TransportOf
from pipeline.tell import TELL_EVERY, tell
from pipeline.visit import Fetched

WORKERS = 3
"""A pickup, a comparison and a telling may go on at the same time."""
_FIRST_REST, _LONGEST_REST = 30.0, 900.0
"""Seconds that something which could not go on is left alone: 30, 60, 120 … at most a quarter hour."""
_FETCH, _COMPARE, _TELL = "fetch", "compare", "tell"
_DOING = {_FETCH: "Pickup", _COMPARE: "The comparison with the targets", _TELL: "Telling people"}


@dataclass(slots=True)
class Rest:
    """How long something that fails is left alone."""

    times: int = 0
    until: float = 0.0

    def begin(self, now: float) -> None:
        """Once more it failed."""
        self.until = now + min(_LONGEST_REST, _FIRST_REST * 2.0**self.times)
        self.times = min(self.times + 1, 10)


class SideWork:
    """``attend`` collects what has ended and starts what is due; ``moments`` says when something will be."""

    def __init__(
        self, stop: threading.Event, progress: Progress, transport_of: TransportOf, pool: Executor, bell: Bell
    ) -> None:
        self._stop = stop
        self._progress = progress
        self._transport_of = transport_of
        self._pool = pool
        self._bell = bell
        self._rests: dict[str, Rest] = {}
        self._schedules: Mapping[str, Schedule] = {}
        self._comparing: Schedule | None = None
        self._stopped: Mapping[str, str] = {}
        self._under_way: dict[str, tuple[str, Future[Any]]] = {}
        self._tell_at = float("-inf")
        self.faults = Faults(progress)

    def take_over(self, plan: Plan, stopped: Mapping[str, str], progress: Progress) -> None:
        """Settings were read: their schedules, and what is wrong by feed. Wrong schedules are said to ``progress``."""
        self._schedules = pickup_schedules(plan, progress)
        self._comparing = comparing_schedule(plan, progress)
        self._stopped = stopped

    def forgive(self) -> None:
        """Settings have changed: what failed under the old ones may be tried at once."""
        self._rests.clear()

    def something_happened(self) -> None:
        """A pass did something: people may have to know."""
        self._tell_at = float("-inf")

    def attend(self, project: Project) -> None:
        """One look: what has ended is told, what is due is started. Raises the ledger's trouble."""
        self._collect(project)
        now = project.clock.now()
        due = self._pickups_due(project)
        if due and min(due.values()) <= now and _FETCH not in self._under_way:
            name = min(due, key=lambda one: due[one])
            self._progress.say(f"Fetching from {name}.", Event.PICKUP_BEGUN, pickup=name)
            self._start(_FETCH, name, lambda: fetch(project, name, self._stop, self._progress))
        compare_at = self._compare_due(project)
        if compare_at is not None and compare_at <= now and _COMPARE not in self._under_way:
            self._progress.say("Comparing the ledger with the targets' own lists.", Event.COMPARING)
            self._start(_COMPARE, "", lambda: compare_now(project, self._stop, self._transport_of))
        if project.plan.settings.channels and self._tell_due(now) and _TELL not in self._under_way:
            self._tell_at = now + TELL_EVERY
            stopped, faults = dict(self._stopped), self.faults.open
            self._start(_TELL, "", lambda: tell(project, self._stop, self._progress, stopped, faults))

    def moments(self, project: Project) -> list[float]:
        """When something will be due that is not under way, in seconds since 1970."""
        found: list[float] = []
        if _FETCH not in self._under_way:
            found += self._pickups_due(project).values()
        compare_at = self._compare_due(project)
        if _COMPARE not in self._under_way and compare_at is not None:
            found.append(compare_at)
        if _TELL not in self._under_way and project.plan.settings.channels:
            found.append(max(self._tell_at, self._rest(_TELL).until))
        return found

    # --- threads -------------------------------------------------------------------------------------------------

    def _start(self, kind: str, name: str, what: Callable[[], object]) -> None:
        future = self._pool.submit(what)
        self._under_way[kind] = name, future
        future.add_done_callback(lambda _done: self._bell.ring())

    def _collect(self, project: Project) -> None:
        for kind, (name, future) in list(self._under_way.items()):
            if future.done():
                del self._under_way[kind]
                ended = self._result(project, kind, name, future)
                if isinstance(ended, Fetched):
                    self._fetched(project, name, ended)
                elif isinstance(ended, Compared):
                    self._compared(project, ended)

    def _result(self, project: Project, kind: str, name: str, future: Future[Any]) -> object:
        """What a thread came to. Whatever ended it but the ledger's trouble ends nothing else, and is tried again."""
        doing = f"{_DOING[kind]} {name}".strip()
        try:
            ended: object = future.result()
        except LedgerError:
            raise
        except (OrderdropError, OSError) as problem:
            self._progress.say(f"{doing}: {problem} It is tried again; nothing is lost.", Event.RUN_FAILED)
        except Exception as problem:  # noqa: BLE001 - nobody foresaw it: said, told, and the watch goes on
            said = self.faults.note(doing, problem)
            if kind == _FETCH:
                project.writer.write(lambda c: memory.note_end(c, name, project.clock.now(), said))
        else:
            self.faults.well(doing)
            if kind == _TELL:
                self._rests.pop(_TELL, None)
            return ended
        self._rest(f"pickup {name}" if kind == _FETCH else kind).begin(project.clock.now())
        self.something_happened()
        return None

    # --- pickups -------------------------------------------------------------------------------------------------

    def _pickups_due(self, project: Project) -> dict[str, float]:
        """When each pickup is due; times missed while nothing watched are made up once."""
        if not self._schedules:
            return {}
        with project.engine.connect() as connection:
            done = memory.last_done(connection)
        due = {}
        for name, schedule in self._schedules.items():
            if name not in done:  # seen for the first time: nothing was missed
                now = done[name] = project.clock.now()
                project.writer.write(lambda c, name=name, now=now: memory.note_end(c, name, now, None))  # type: ignore[misc]
            at = schedule.next_after(done[name])
            if at is not None:
                due[name] = max(at, self._rest(f"pickup {name}").until)
        return due

    def _fetched(self, project: Project, name: str, told: Fetched) -> None:
        """Tell how a pickup ended; one that failed is tried again after a rest."""
        rest, now = self._rest(f"pickup {name}"), project.clock.now()
        if told.problem is None:
            self._rests.pop(f"pickup {name}", None)
        elif isinstance(told.problem, SetupError) and not isinstance(told.problem, FolderMissing):
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
        self.something_happened()

    # --- the comparison ------------------------------------------------------------------------------------------

    def _compare_due(self, project: Project) -> float | None:
        if self._comparing is None:
            return None
        at = self._comparing.next_after(last_compared(project))
        return None if at is None else max(at, self._rest(_COMPARE).until)

    def _compared(self, project: Project, ended: Compared) -> None:
        if ended.problem is not None:
            self._rest(_COMPARE).begin(project.clock.now())
            self._progress.say(f"{ended.problem} It is tried again.", Event.COMPARING_FAILED)
            return
        self._rests.pop(_COMPARE, None)
        for text, facts in ended.told:
            self._progress.say(text, Event.COMPARED, **facts)
        self.something_happened()

    # --- telling people ------------------------------------------------------------------------------------------

    def _tell_due(self, now: float) -> bool:
        """Also when the clock was set back: it would not come for long."""
        return not now < self._tell_at <= now + TELL_EVERY and now >= self._rest(_TELL).until

    def _rest(self, name: str) -> Rest:
        return self._rests.setdefault(name, Rest())
