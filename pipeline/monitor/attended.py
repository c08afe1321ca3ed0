"""What stands beside the watch while it works: listeners that count, a server that shows, word to systemd."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from filelock import FileLock, Timeout

from pipeline.events import Event
from pipeline.monitor.listen import Page, address_of, listening
from pipeline.monitor.ready import Readiness
from pipeline.monitor.systemd import told
from pipeline.monitor.vitals import Vitals
from pipeline.progress import Progress, Several
from pipeline.project import Project
from pipeline.settings import SETTINGS_FILE, supervisor

_WHERE = f"{SETTINGS_FILE} [monitor] listen"
_PLAIN = "text/plain; charset=utf-8"


@contextmanager
def attended(project: Project, progress: Progress, stop: threading.Event) -> Iterator[Progress]:
    """Yields whom the watch tells; ``SetupError`` when the address of ``[monitor]`` cannot be had."""
    vitals = Vitals()
    with ExitStack() as stack:
        stack.enter_context(_known_to_run(project))
        listeners: list[Progress] = [progress, vitals]
        if project.plan.settings.monitor.listen is not None:
            listeners.append(stack.enter_context(_shown(project, progress, vitals)))
        messenger = stack.enter_context(told(supervisor(), vitals, stop))
        if messenger is not None:
            listeners.append(messenger)
        yield Several(listeners)


@contextmanager
def _known_to_run(project: Project) -> Iterator[None]:
    """Hold a lock by which others see that a watch runs; nobody waits for it."""
    lock = FileLock(project.plan.settings.var / "watch.lock")
    with suppress(Timeout, OSError):
        lock.acquire(timeout=0)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _shown(project: Project, progress: Progress, vitals: Vitals) -> Iterator[Progress]:
    from pipeline.monitor.metrics import Metrics
    from pipeline.monitor.signs import Signs

    settings = project.plan.settings
    address = address_of(settings.monitor.listen or "", _WHERE)
    signs, readiness = Signs(project.engine), Readiness(project.writer, settings.folder, vitals)
    metrics = Metrics(vitals, signs, tuple(project.plan.accounts), tuple(settings.pickups))
    pages: dict[str, Page] = {
        "/metrics": lambda: (200, "text/plain; version=0.0.4; charset=utf-8", metrics.page()),
        "/ping": lambda: (200, _PLAIN, b"alive\n"),
        "/ready": lambda: _ready(readiness),
    }
    try:
        with listening(address, pages, _WHERE) as url:
            progress.say(f"Metrics and health: {url}/metrics, /ping, /ready.", Event.MONITORING)
            yield metrics
    finally:
        readiness.close()
        signs.close()


def _ready(readiness: Readiness) -> tuple[int, str, bytes]:
    problems = readiness.problems()
    if not problems:
        return 200, _PLAIN, b"ready\n"
    return 503, _PLAIN, "".join(f"{problem}\n" for problem in problems).encode()
