"""What wakes the watch: file events where the system has them. They only wake it; a listing decides."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.events import Event
from pipeline.intake.settle import is_left_alone
from pipeline.progress import Progress

_SLICE = 0.5
"""Seconds after which a stop is heard: a signal cannot ring the bell itself."""
_AT_ONCE, _TOGETHER = 0.01, 0.1
"""Seconds that further rings are waited for: after a time of quiet, and while a copy under way rings on and on."""
_QUIET = 0.25


class Bell:
    """Rung from any thread; ``wait`` ends at the first ring, at a stop, or after its time."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._woken = float("-inf")

    def ring(self) -> None:
        """Something may have changed."""
        self._rung.set()

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Wait at most ``seconds``. Rings that come close together count as one."""
        until = time.monotonic() + seconds
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            if self._rung.wait(min(left, _SLICE)):
                stop.wait(_AT_ONCE if time.monotonic() - self._woken > _QUIET else _TOGETHER)
                self._woken = time.monotonic()
                break
        self._rung.clear()


@contextmanager
def listening(bell: Bell, folders: Sequence[Path], progress: Progress) -> Iterator[None]:
    """Ring ``bell`` when something changes in ``folders``; where that cannot be watched, listing alone has to do."""
    from watchdog import events
    from watchdog.observers import Observer

    class Ring(events.FileSystemEventHandler):
        def on_any_event(self, event: events.FileSystemEvent) -> None:
            last = event.dest_path or event.src_path
            if not is_left_alone(Path(str(last)).name):
                bell.ring()

    # Only changes: our own listing opens and closes folders, and would wake itself for ever.
    changes = [
        events.FileCreatedEvent, events.FileModifiedEvent, events.FileMovedEvent, events.FileDeletedEvent,
        events.FileClosedEvent, events.DirCreatedEvent, events.DirMovedEvent, events.DirDeletedEvent,
    ]  # fmt: skip
    observer = Observer()
    try:
        for folder in folders:
            if folder.is_dir():
                observer.schedule(Ring(), str(folder), recursive=True, event_filter=changes)
        observer.start()
    except OSError as problem:
        progress.say(
            f"File events are not to be had here ({problem}); the inbox is listed at intervals instead.",
            Event.FILE_EVENTS_MISSING,
        )
        yield
        return
    try:
        yield
    finally:
        observer.stop()
        observer.join()
