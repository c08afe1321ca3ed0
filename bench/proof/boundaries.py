"""The durable boundaries of a run: every point at which a kill leaves something different behind.

Installed in a child process that lives for one run only. Nothing of the product on disk is changed: file-system
changes are those Python itself announces (audit events), commits those SQLAlchemy announces, and the two places where
a call leaves the machine are wrapped.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate"}


class Boundaries:
    """Counts boundaries and kills this very process with SIGKILL at number ``kill_at`` (``None``: never)."""

    def __init__(self, kill_at: int | None, folder: str, told: Path) -> None:
        self._kill_at = kill_at
        self._folder = folder
        self._told = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        self._passed = 0
        self._lock = threading.RLock()

    def reach(self, name: str) -> None:
        """One more boundary; its name is written down before the kill, so that the parent knows where it struck."""
        with self._lock:
            self._passed += 1
            os.write(self._told, f"{name}\n".encode())
            if self._passed == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        """Watch commits, calls and file-system changes of this process from now on."""
        self._watch_commits()
        self._watch_calls()
        self._watch_syncs()
        sys.addaudithook(self._heard)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Audit events come before the change; the state after it is that before the next boundary."""
        if event == "open" and not _writes(arguments):
            return
        if (event == "open" or event in _CHANGES) and str(arguments[0]).startswith(self._folder):
            self.reach(f"{event} {Path(str(arguments[0])).name}")

    def _watch_commits(self) -> None:
        import sqlalchemy as sa

        from pipeline.ledger.writer import GroupWriter, _Begun

        sa.event.listen(sa.Engine, "commit", lambda _connection: self.reach("commit, about to"))
        self._wrap(_Begun, "commit", "commit")
        self._wrap(GroupWriter, "_commit", "commit group")

    def _watch_calls(self) -> None:
        from pipeline.targets.http import HttpTransport

        self._wrap(HttpTransport, "send", "call")

    def _watch_syncs(self) -> None:
        self._wrap(os, "fsync", "sync")

    def _wrap(self, owner: Any, name: str, said: str) -> None:  # noqa: ANN401 - a class or a module
        inner: Callable[..., Any] = getattr(owner, name)

        def wrapped(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - as the inner one
            self.reach(f"{said}, before")
            result = inner(*args, **options)
            self.reach(f"{said}, after")
            return result

        setattr(owner, name, wrapped)


def _writes(arguments: tuple[Any, ...]) -> bool:
    """Whether an ``open`` event is one that may change a file (path, mode, flags)."""
    flags = arguments[2] if len(arguments) > 2 and isinstance(arguments[2], int) else 0
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
