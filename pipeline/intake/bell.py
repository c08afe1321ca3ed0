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


class Bell:
    """Rung from any thread; ``wait`` ends at the first ring, at a stop, or after its time."""

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self) -> None:
        """Something may have changed."""
        self._rung.set()

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Wait at most ``seconds``. Rings that come close together count as one."""
        until = time.monotonic() + seconds
        while not stop.is_set() and (left := until - time.monotonic()) > 0:
            if self._rung.wait(min(left, _SLICE)):
                stop.wait(_SLICE / 5)
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
