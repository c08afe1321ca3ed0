"""A watch for tests: in the test's own process, through days that pass in no time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor

from project import ProjectFolder
from shelf import FakeClock

from pipeline.events import Event
from pipeline.intake.bell import Bell
from pipeline.sandbox.server import SandboxServer
from pipeline.secret import Secret
from pipeline.watch import watch

HOUR, DAY = 3600.0, 86400.0


def orders(sandbox: SandboxServer) -> Counter[str]:
    return Counter(order["source_id"] for order in sandbox.truth()["orderdesk"]["orders"])


class Heard:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.events: set[Event] = set()

    def say(self, text: str, event: Event, **facts: object) -> None:
        self.lines.append(text)
        self.events.add(event)

    def note(self, event: Event, **facts: object) -> None:
        pass

    def advance(self) -> None:
        pass

    def text(self) -> str:
        return "\n".join(self.lines)


class Days(Bell):
    """Time that passes while the watch waits; ``script`` is played at its times, and the end stops the watch."""

    def __init__(self, clock: FakeClock, stop: threading.Event, script: dict[float, Callable[[], object]], end: float):
        super().__init__()
        self.clock = clock
        self.stop = stop
        self.script = sorted(script.items())
        self.start = clock.time
        self.end = end
        self.rounds = 0

    def wait(self, seconds: float, stop: threading.Event) -> None:
        self.rounds += 1
        assert seconds > 0
        self.clock.time += seconds
        while self.script and self.clock.time - self.start >= self.script[0][0]:
            self.script.pop(0)[1]()
        if self.clock.time - self.start >= self.end:
            self.stop.set()


def simulate(
    project: ProjectFolder,
    script: dict[float, Callable[[], object]],
    end: float,
    start: float | None = None,
    stop: threading.Event | None = None,
    pool: Executor | None = None,
    clock: FakeClock | None = None,
    secrets: list[Secret] | None = None,
) -> tuple[Heard, Days]:
    """Watch for ``end`` seconds that pass in no time."""
    heard, stop = Heard(), stop or threading.Event()
    clock = clock or FakeClock(start if start is not None else time.time() + DAY)
    days = Days(clock, stop, script, end)
    watch(project.path, stop, heard, bell=days, clock_of=lambda: clock, pool=pool, secrets=secrets)
    return heard, days


def pickup(project: ProjectFolder, settings: str) -> None:
    path = project.path / "pipeline.toml"
    path.write_text(path.read_text() + settings + "\n")


def poll_seconds(project: ProjectFolder, seconds: float) -> None:
    path = project.path / "pipeline.toml"
    path.write_text(path.read_text().replace("settle_seconds = 0\n", f"settle_seconds = 0\npoll_seconds = {seconds}\n"))
