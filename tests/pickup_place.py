"""A server with files on it, and a project that fetches from there."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from project import HEADER, ProjectFolder, order_row
from sftp_servers import Cupboard, Server
from shelf import FakeClock

from pipeline.fetch import chosen, fetch
from pipeline.progress import Progress, Quiet
from pipeline.project import load_plan, opened
from pipeline.visit import Fetched

BASE = {name: f"http://127.0.0.1:1/{name}" for name in ("orderdesk", "keap", "influencersoft", "kapture")}
ORDERS = "\n".join((HEADER, order_row("1001"))) + "\n"


def make_project(path: Path) -> ProjectFolder:
    """A project whose accounts nobody calls."""
    return ProjectFolder.make(path, BASE)


class Place:
    """A server with files on it, and a project that fetches from there."""

    def __init__(self, server: Server, project: ProjectFolder, cupboard: Cupboard | None) -> None:
        self.server = server
        self.project = project
        self.cupboard = cupboard
        self.settings()

    def settings(self, **more: Any) -> None:
        path = self.project.path / "pipeline.toml"
        before = path.read_text().partition("[pickups.partner]")[0]
        path.write_text(before + self.server.settings(**more) + "\n")

    def lay(self, name: str, content: str = ORDERS, time: int = 1_700_000_000) -> None:
        if self.cupboard is not None:
            self.cupboard.files[name], self.cupboard.times[name] = content.encode(), time
        else:
            path = Path(self.server.outgoing) / name
            path.write_text(content)
            os.utime(path, (time, time))

    def there(self) -> list[str]:
        if self.cupboard is not None:
            return sorted(map(str, self.cupboard.files))
        return sorted(p.relative_to(self.server.outgoing).as_posix() for p in Path(self.server.outgoing).rglob("*.csv"))

    def inbox(self) -> dict[str, str]:
        inbox = self.project.path / "inbox"
        return {p.relative_to(inbox).as_posix(): p.read_text() for p in inbox.rglob("*") if p.is_file()}

    def fetch(self, stop: threading.Event | None = None, progress: Progress | None = None) -> Fetched:
        plan = load_plan(self.project.path)
        chosen(plan, "partner")
        with opened(plan, FakeClock()) as project:
            return fetch(project, "partner", stop or threading.Event(), progress or Quiet())
