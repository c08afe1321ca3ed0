"""One visit to a pickup's server: what is new comes into the inbox, what is safe there is put away on the server."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import FileRefused, OrderdropError
from pipeline.events import Event
from pipeline.intake.landing import local_name, part_of, place
from pipeline.intake.settle import is_left_alone
from pipeline.intake.sftp import Arriving, Remote, RemoteFile, Unwritable
from pipeline.ledger import pickups as memory
from pipeline.mapping.spec import match_feed
from pipeline.progress import Progress
from pipeline.project import Project
from pipeline.settings import PickupTable

_LONGEST_PATH = 1000
_ROOM_LEFT = 64 * 1024 * 1024
"""Bytes of the disk that a download leaves free: the ledger needs them."""
_TOLD_EVERY = 5.0


@dataclass(slots=True)
class Fetched:
    """What one pickup brought: paths in the inbox; ``remarks`` to read, ``troubles`` that need a person."""

    pickup: str
    files: list[str] = field(default_factory=list)
    known: int = 0
    remarks: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    problem: OrderdropError | None = None

    @property
    def exit_code(self) -> int:
        """As for every command: 0, 1, 2 or 3."""
        return self.problem.exit_code if self.problem else 1 if self.troubles else 0

    def as_json(self) -> dict[str, Any]:
        """The same as plain values."""
        return {
            "pickup": self.pickup, "files": self.files, "known": self.known, "remarks": self.remarks,
            "troubles": self.troubles, "problem": str(self.problem) if self.problem else None,
            "exit_code": self.exit_code,
        }  # fmt: skip


@dataclass(slots=True)
class _UnderWay:
    """The file a broken connection left half: it goes on where it stopped, if the server still has the same one."""

    file: RemoteFile
    part: Path
    arriving: Arriving


class Visit:
    """The visits of one fetch: ``pay`` may be called again after a broken connection, and goes on."""

    def __init__(
        self, project: Project, name: str, table: PickupTable, stop: threading.Event, progress: Progress
    ) -> None:
        self.project = project
        self.name = name
        self.table = table
        self.stop = stop
        self.told = Fetched(name)
        self.inside = False
        self.moved = 0
        self._progress = progress
        self._under_way: _UnderWay | None = None
        self._attended: set[RemoteFile] = set()

    def pay(self, remote: Remote, *, ahead: bool) -> None:
        """List, fetch what is new, put away what is safe. ``ahead``: ask for pieces before the last one is there."""
        self.inside = True
        listed = [file for file in remote.listed(self.table.patterns) if self._wanted(file)]
        known = self._known(listed)
        fresh = [f for f in listed if _key(f) not in known and f not in self._attended]
        if fresh and not self._attended and self._under_way is None:
            # Listed now, looked at once more after the settle time: a file that grows is not taken.
            self.project.clock.wait(self.project.plan.settings.intake.settle_seconds, self.stop)
        for file in (f for f in listed if _key(f) in known and f not in self._attended):
            self.told.known += 1
            self._attend(remote, file, lambda file=file: self._put_away(remote, file))  # type: ignore[misc]
        for file in fresh:
            if self.stop.is_set():
                return
            self._attend(remote, file, lambda file=file: self._take(remote, file, ahead=ahead))  # type: ignore[misc]

    def drop(self) -> None:
        """Let go of a file that did not become whole; nothing of it stays."""
        if self._under_way is not None:
            self._under_way.arriving.sink.close()
            self._under_way.part.unlink(missing_ok=True)
            self._under_way = None

    def _attend(self, remote: Remote, file: RemoteFile, what: Callable[[], None]) -> None:
        """Trouble with one file is told, and the others go on; a broken connection is everybody's trouble."""
        try:
            what()
        except OSError as problem:
            if isinstance(problem, TimeoutError) or not remote.alive:
                raise
            self.drop()
            self.told.troubles.append(f"{_shown(file)}: the server says: {problem}. It is tried again the next time.")
        self._attended.add(file)
        self.moved += 1

    # --- which files -------------------------------------------------------------------------------------------

    def _wanted(self, file: RemoteFile) -> bool:
        marker = self.table.done_marker
        if is_left_alone(file.name) or (marker and file.name.endswith(marker)):
            return False
        if len(file.path) > _LONGEST_PATH or file.size < 0:
            why = "its name is too long" if file.size >= 0 else "the server does not tell its size"
            self.told.troubles.append(f"{_shown(file)[:120]}: {why}; it is left there.")
            return False
        return True

    def _known(self, files: list[RemoteFile]) -> set[tuple[str, int, int]]:
        with self.project.engine.connect() as connection:
            return set(memory.known(connection, self.name, [_key(file)[0] for file in files]))

    # --- one file ----------------------------------------------------------------------------------------------

    def _take(self, remote: Remote, file: RemoteFile, *, ahead: bool) -> None:
        if not self._is_complete(remote, file) or not self._has_room(file):
            return
        under_way = self._begin(file)
        self._read(remote, under_way, ahead=ahead)
        if under_way.arriving.offset != file.size or remote.look(file.path) != file:
            self.drop()
            self.told.remarks.append(f"{_shown(file)} changed while it was read; the next fetch takes it.")
            return
        self._land(under_way)
        self._put_away(remote, file)

    def _is_complete(self, remote: Remote, file: RemoteFile) -> bool:
        marker = self.table.done_marker
        if marker and remote.look(file.path + marker) is None:
            self.told.remarks.append(f"{_shown(file)} waits for its {marker} marker.")
            return False
        if remote.look(file.path) != file:
            self.told.remarks.append(f"{_shown(file)} is still being written; the next fetch takes it.")
            return False
        return True

    def _has_room(self, file: RemoteFile) -> bool:
        free = shutil.disk_usage(self.project.folder).free
        if file.size + _ROOM_LEFT <= free:
            return True
        self.told.troubles.append(
            f"{_shown(file)}: {file.size} bytes do not fit on this disk ({free} free); it is left there."
        )
        return False

    def _begin(self, file: RemoteFile) -> _UnderWay:
        if self._under_way is not None and self._under_way.file == file:
            return self._under_way
        self.drop()
        folder = self._folders(local_name(file.name))[0]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = part_of(folder, local_name(file.name))
            self._under_way = _UnderWay(file, part, Arriving(part.open("wb")))
        except OSError as problem:
            raise Unwritable(f"{folder} cannot be written: {problem.strerror}. Nothing was fetched.") from None
        return self._under_way

    def _read(self, remote: Remote, under_way: _UnderWay, *, ahead: bool) -> None:
        file, last = under_way.file, time.monotonic()
        self._progress.say(f"Fetching {_shown(file)} ({file.size} bytes)", Event.FETCHING)

        def told(offset: int) -> None:
            nonlocal last
            self.moved += 1
            if time.monotonic() - last >= _TOLD_EVERY:
                last = time.monotonic()
                self._progress.say(f"Fetching {_shown(file)}: {100 * offset // max(file.size, 1)} %", Event.FETCHING)

        remote.read(file, under_way.arriving, self.stop, told, ahead=ahead)

    def _land(self, under_way: _UnderWay) -> None:
        """On the disk, then its name, then the ledger."""
        arriving, file = under_way.arriving, under_way.file
        try:
            arriving.sink.flush()
            os.fsync(arriving.sink.fileno())
            arriving.sink.close()
            landed = None if self._came_before(under_way) else self._placed(under_way)
        except OSError as problem:
            raise Unwritable(f"The inbox cannot be written: {problem.strerror}. The file stays there.") from None
        path, size, mtime = _key(file)
        values = {
            "pickup": self.name, "path": path, "size": size, "mtime": mtime, "sha256": arriving.sha256,
            "fetched_at": self.project.clock.now(), "file_name": landed.name if landed else None,
        }  # fmt: skip
        self.project.writer.write(lambda c: memory.remember(c, values))
        self.drop()

    def _came_before(self, under_way: _UnderWay) -> bool:
        path, sha256 = _key(under_way.file)[0], under_way.arriving.sha256
        with self.project.engine.connect() as connection:
            came = memory.same_content(connection, self.name, path, sha256)
        if came:
            self.told.known += 1
            self.told.remarks.append(f"{_shown(under_way.file)} has a new time but the same content; not taken again.")
        return came

    def _placed(self, under_way: _UnderWay) -> Path:
        name = local_name(under_way.file.name)
        landed = place(under_way.part, name, self._folders(name))
        shown = landed.relative_to(self.project.folder).as_posix()
        self.told.files.append(shown)
        self._progress.note(Event.FILE_FETCHED, file=shown, size=under_way.file.size)
        if name != under_way.file.name:
            self.told.remarks.append(f"{_shown(under_way.file)} is called {shown} here.")
        return landed

    def _folders(self, name: str) -> list[Path]:
        """Where the file may go. Where its name is taken, that is its feed's folder: there any name will do."""
        inbox = self.project.plan.settings.inbox
        if self.table.into is not None:
            return [inbox / self.table.into]
        try:
            return [inbox, inbox / match_feed(self.project.plan.mappings, name).feed]
        except FileRefused:
            return [inbox]

    def _put_away(self, remote: Remote, file: RemoteFile) -> None:
        """Archive or delete a file that is safe here; one that changed since then is a new one."""
        if self.table.after == "leave" or remote.look(file.path) != file:
            return
        marker = self.table.done_marker
        paths = [file.path, file.path + marker] if marker else [file.path]
        for path in paths:
            if remote.look(path) is None:
                continue
            if self.table.after == "delete":
                remote.delete(path)
            else:
                remote.archive(path, self.table.archive_folder, str(file.mtime))


def _key(file: RemoteFile) -> tuple[str, int, int]:
    """How the ledger knows it; bytes that are no text cannot stand in a database."""
    return file.path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"), file.size, file.mtime


def _shown(file: RemoteFile) -> str:
    return "".join(ch if ch.isprintable() else "_" for ch in _key(file)[0])
