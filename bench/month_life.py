"""The watch of the scripted month, as a process: time passes when it waits, and what people do happens at its hour."""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).parent / "proof"))

import openpyxl
from ground import HEADER, MAPPING, orders_at

from pipeline import side_work, watch
from pipeline.events import Event
from pipeline.intake.bell import Bell

ZONE = ZoneInfo("America/New_York")
FAULTS = ("drop_after", "error_after", "throttle", "drop_before", "cut", "hang_up", "empty", "error_before")
TARGETS = ("orderdesk", "keap", "influencersoft", "kapture")
PER_PICKUP, PER_DROP = 6, 4


class SharedClock:
    """Simulated seconds since 1970 in a file, so that the sandbox in another process tells the same time."""

    def __init__(self, path: Path, begin: float | None = None) -> None:
        if begin is not None:
            path.write_bytes(struct.pack("<d", begin))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        self._lock = threading.Lock()

    def now(self) -> float:
        """The time."""
        return float(struct.unpack("<d", self._map[:8])[0])

    def set(self, at: float) -> None:
        """Time passes, and never back."""
        with self._lock:
            self._map[:8] = struct.pack("<d", max(at, self.now()))

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Waiting takes no time."""
        if not stop.is_set():
            self.set(self.now() + seconds)


class AtOnce(Executor):
    """What the watch does beside its passes is done at once: simulated time does not wait for threads."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:  # noqa: ANN401 - as a pool
        """Done when this returns."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **options))
        except BaseException as problem:  # noqa: BLE001 - handed over, as a pool does
            future.set_exception(problem)
        return future


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is: the project, the partner's folder, the sandbox."""

    project: Path
    outgoing: Path
    sandbox: str


# --- what happens when -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happening:
    """Something at its hour; ``name`` is what the log says."""

    at: float
    name: str
    what: Callable[[Life], None]


def order_ids(day: int) -> tuple[list[str], list[str]]:
    """The orders of the partner's file and of the one the office drops, of which the second has a bad quantity."""
    partner = [f"P{day:02d}-{n}" for n in range(PER_PICKUP)]
    return partner, [f"D{day:02d}-{n}" for n in range(PER_DROP)] if day % 2 == 0 else []


def agenda(first: date, days: int, seed: int) -> list[Happening]:
    """The whole month. Always the same for one seed."""
    chance, found = random.Random(seed), []

    def at(day: int, hour: float, name: str, what: Callable[[Life], None]) -> None:
        moment = datetime.combine(first + timedelta(days=day), datetime.min.time(), ZONE) + timedelta(hours=hour)
        found.append(Happening(moment.timestamp(), name, what))

    for day in range(days):
        late = day % 9 == 4  # nothing lies there at six; somebody lays it at half past ten and fetches by hand
        partner, dropped = order_ids(day)
        name, rows = f"orders_partner_{day:02d}.csv", [order_row(one, first + timedelta(days=day)) for one in partner]
        at(day, 10.5 if late else 5.5, f"the partner lays {name}", lambda life, n=name, r=rows: life.lay(n, r))  # type: ignore[misc]
        for _ in range(2 if day % 3 else 4):
            kind, target = chance.choice(FAULTS), chance.choice(TARGETS)
            at(day, 5.6, f"bad weather: {kind} at {target}", lambda life, k=kind, t=target: life.fault(k, t))  # type: ignore[misc]
        if late:
            at(day, 10.6, "somebody fetches by hand", lambda life: life.call("fetch"))
        if day % 4 == 1:
            delay = chance.uniform(0.05, 1.2)
            at(day, 5.99, f"the process is killed {delay:.2f} seconds later", lambda life, d=delay: life.kill_soon(d))  # type: ignore[misc]
        if day % 7 == 3:
            at(day, 13.0, "the process is asked to stop, and started again", lambda life: life.stop.set())
        if dropped:
            today, office = first + timedelta(days=day), f"orders_office_{day:02d}.csv"
            rows = [order_row(one, today, qty="two" if n == 1 else "1") for n, one in enumerate(dropped)]
            at(day, 9.0, "the office drops a file", lambda life, n=office, r=rows: life.drop(n, r))  # type: ignore[misc]
        at(day, 12.0, "a person corrects the workbooks", lambda life: life.correct())
        at(day, 15.0, "a person settles the doubts", lambda life: life.settle())
        if day % 10 == 6:
            at(day, 5.7, "the key of orderdesk is changed there", lambda life: life.key("a-wrong-key"))
            at(day, 11.0, "the new key is put in", lambda life: life.key("sandbox-key"))
        if day % 10 == 8:
            at(day, 8.5, "somebody breaks the mapping", lambda life: life.mapping("parse: mony"))
            at(day, 10.0, "the mapping is mended", lambda life: life.mapping("parse: money"))
        if day % 10 == 2:
            at(day, 5.8, "the partner's folder is away", lambda life: life.folder_away())
            at(day, 7.0, "the partner's folder is back", lambda life: life.folder_back())
    return sorted(found, key=lambda one: one.at)


def order_row(order_id: str, day: date, *, qty: str = "1") -> str:
    """One order line that bears its day."""
    who = order_id.lower()
    return f"{order_id},{day:%m/%d/%Y},{who}@example.com,Anna Berg,1 Main St,Boston,02110,US,WB-100,Mug,{qty},12.50"


# --- the process -------------------------------------------------------------------------------------------------


class Life(Bell):
    """Time that leaps from one thing to the next; plays the agenda, and remembers how far it is over every kill."""

    def __init__(self, place: Place, clock: SharedClock, happenings: Sequence[Happening], until: float) -> None:
        super().__init__()
        self.place = place
        self.stop = threading.Event()
        self._clock = clock
        self._happenings = happenings
        self._until = until
        self._played = place.project.parent / "played"
        self._log = (place.project.parent / "log.txt").open("a", buffering=1, encoding="utf-8")
        self._playing = threading.Lock()

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Leap to what comes next: the next happening, or the next look."""
        self.stop = stop
        number, target = int(self._played.read_text()), self._clock.now() + seconds
        upcoming = self._happenings[number] if number < len(self._happenings) else None
        if upcoming is None or upcoming.at > target:
            self._clock.set(target)
        else:
            with self._playing:  # a kill comes before or after it: people are not killed in the middle of a move
                self._clock.set(upcoming.at)
                self.write(f"*** {upcoming.name}")
                upcoming.what(self)
                self._played.write_text(str(number + 1))
        if self._clock.now() >= self._until:
            stop.set()

    def write(self, text: str) -> None:
        """One line of the log, with the simulated time."""
        self._log.write(f"{datetime.fromtimestamp(self._clock.now(), ZONE):%a %d %b %H:%M:%S}  {text}\n")

    # what the watch says

    def say(self, text: str, _event: Event, **_facts: object) -> None:
        """A sentence of the watch."""
        self.write(text)

    def note(self, _event: Event, **_facts: object) -> None:
        """Not for people."""

    def advance(self) -> None:
        """Not for people."""

    # what people and machines do

    def lay(self, name: str, rows: Sequence[str]) -> None:
        """A file appears on the partner's server."""
        path = self.place.outgoing / name
        path.write_text("\n".join((HEADER, *rows)) + "\n")
        os.utime(path, (self._clock.now(), self._clock.now()))

    def drop(self, name: str, rows: Sequence[str]) -> None:
        """A file appears in the inbox."""
        (self.place.project / "inbox" / name).write_text("\n".join((HEADER, *rows)) + "\n")

    def fault(self, kind: str, target: str) -> None:
        """The next calls that change something there go wrong."""
        body = json.dumps([{"kind": kind, "target": target, "times": 1}]).encode()
        urllib.request.urlopen(urllib.request.Request(f"{self.place.sandbox}/_sandbox/faults", body)).read()

    def kill_soon(self, seconds: float) -> None:
        """SIGKILL from within, at a moment nobody chose with care."""

        def kill() -> None:
            time.sleep(seconds)
            with self._playing:
                os.kill(os.getpid(), signal.SIGKILL)

        threading.Thread(target=kill, daemon=True).start()

    def key(self, value: str) -> None:
        """The key of one account; the settings are saved anew, as editors do."""
        (self.place.project / "orderdesk.key").write_text(value)
        (self.place.project / "pipeline.toml").touch()

    def mapping(self, parser: str) -> None:
        """Good with ``parse: money``, broken with anything else."""
        path = self.place.project / "mappings" / "orders.yaml"
        head, _, deliver = path.read_text().partition("deliver:\n")
        assert head
        path.write_text(MAPPING.replace("parse: money", parser) + deliver)

    def folder_away(self) -> None:
        """As while a partner tidies up."""
        self.place.outgoing.rename(self.place.outgoing.with_name("away"))

    def folder_back(self) -> None:
        """And back."""
        self.place.outgoing.with_name("away").rename(self.place.outgoing)

    def correct(self) -> None:
        """Every workbook in ``errors/``: its sentences are kept; red cells are mended, and it goes back."""
        for path in sorted((self.place.project / "errors").glob("*.xlsx")):
            book = openpyxl.load_workbook(path)
            with (self.place.project.parent / "workbooks.txt").open("a", encoding="utf-8") as kept:
                for sheet in book.worksheets[:2]:
                    for row in sheet.iter_rows(values_only=True):
                        kept.write(f"{path.name}: {' | '.join(str(cell) for cell in row if cell is not None)}\n")
            wrong = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value == "two"]
            if wrong:  # others hold doubts, which are settled at three
                wrong[0].value = "1"
                book.save(self.place.project / "inbox" / path.name)
                path.unlink()

    def settle(self) -> None:
        """Each doubt by what is really there, as a person would look it up."""
        told = json.loads(self.call("doubt", "--json").stdout)
        if told["in_doubt"]:
            truth = json.loads(urllib.request.urlopen(f"{self.place.sandbox}/_sandbox/truth").read())
            for one in told["in_doubt"]:
                there = orders_at(truth, one["account"])[one["key"]]
                self.call("doubt", "settle", str(one["id"]), "--as", "delivered" if there else "resend")

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of a person, beside the watch."""
        command = [sys.executable, "-m", "pipeline", *arguments, "--project", str(self.place.project)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        self.write(f"$ orderdrop {' '.join(arguments)}: {' '.join((done.stdout + done.stderr).split())[:300]}")
        return done


def live(folder: Path, outgoing: str, sandbox: str, first: str, days: int, seed: int) -> None:
    """Watch until the end of the month, or a kill, or a stop."""
    side_work.TELL_EVERY = 900.0
    watch.IDLE_PASS_SECONDS = 1800.0
    begin = date.fromisoformat(first)
    end = datetime.combine(begin + timedelta(days=days, hours=0), datetime.min.time(), ZONE) + timedelta(hours=18)
    clock = SharedClock(folder / "clock")
    place = Place(folder / "project", Path(outgoing), sandbox)
    life = Life(place, clock, agenda(begin, days, seed), end.timestamp())
    watch.watch(place.project, life.stop, life, bell=life, clock_of=lambda: clock, pool=AtOnce())


if __name__ == "__main__":
    live(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5]), int(sys.argv[6]))
