"""The inbox: what lies in it, and which of it is settled. A listing decides; events only wake it up."""

from __future__ import annotations

import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.intake.claim import clean_name
from pipeline.intake.settle import Sight, is_left_alone, is_settled, lock_names

STALE_LOCK = 86400.0
"""Seconds after which a lock file says nothing any more: the program that laid it has died."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A settled file; ``subfolder`` is the feed's folder it lay in, if any."""

    path: Path
    subfolder: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One look at the inbox; ``remarks`` are sentences about what is left lying and why.

    ``away`` says why the inbox itself cannot be listed, as when the share it is on has gone.
    """

    settled: tuple[Dropped, ...]
    sights: Mapping[Path, Sight]
    remarks: tuple[str, ...] = ()
    unsettled: tuple[Path, ...] = field(default=())
    away: str | None = None


def look(
    inbox: Path, feeds: Collection[str], before: Mapping[Path, Sight], settle_seconds: float, now: float
) -> Listing:
    """List the inbox and its feed folders; ``before`` is what the previous look saw."""
    remarks: list[str] = []
    try:
        inside = sorted(inbox.iterdir())
    except OSError as problem:
        return Listing((), {}, away=f"inbox/ cannot be listed ({problem.strerror}). If it is on a share, connect it.")
    candidates = _files(inside, None, now, remarks)
    for folder in _folders(inside):
        feed = next((f for f in feeds if f.casefold() == folder.name.casefold()), None)
        if feed is None:
            name = clean_name(folder.name)
            remarks.append(f"inbox/{name} is a folder, but no feed is called that: what lies in it is left alone.")
        else:
            candidates += _files(_entries(folder, remarks), feed, now, remarks)
    return _sort_out(candidates, before, settle_seconds, now, remarks)


def _sort_out(
    candidates: list[Dropped], before: Mapping[Path, Sight], settle_seconds: float, now: float, remarks: list[str]
) -> Listing:
    settled, unsettled, sights = [], [], {}
    for dropped in candidates:
        sight = _sight(dropped.path, now)
        if sight is None:
            continue
        first = before.get(dropped.path, sight)
        same = (first.size, first.changed_at) == (sight.size, sight.changed_at)
        sights[dropped.path] = first if same else sight
        if is_settled(first, sight, settle_seconds):
            settled.append((sight.changed_at, dropped))
        else:
            unsettled.append(dropped.path)
    # Oldest first: of two files about one order, the later one is the change.
    order = sorted(settled, key=lambda pair: (pair[0], pair[1].path.name))
    return Listing(tuple(d for _, d in order), sights, tuple(remarks), tuple(unsettled))


def _sight(path: Path, now: float) -> Sight | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    # On POSIX the inode's change time cannot be set back by `cp -p` as the modification time can.
    return Sight(found.st_size, max(found.st_mtime, found.st_ctime), now)


def _files(entries: list[Path], feed: str | None, now: float, remarks: list[str]) -> list[Dropped]:
    found, names = [], {path.name for path in entries}
    for path in entries:
        if is_left_alone(path.name):
            continue
        kind = _kind(path)
        if any(lock in names for lock in lock_names(path.name)) and (said := open_elsewhere(path, now)):
            remarks.append(f"{said} It is taken once it is closed.")
        elif stat.S_ISREG(kind):
            found.append(Dropped(path, feed))
        elif kind and not (stat.S_ISDIR(kind) and feed is None):
            remarks.append(f"{_shown(path)} is not a plain file and is left alone.")
    return found


def open_elsewhere(path: Path, now: float) -> str | None:
    """A sentence when somebody has the file open in an office program: its lock lies beside it, and is not stale."""
    for lock in lock_names(path.name):
        try:
            laid = path.with_name(lock).lstat().st_mtime
        except (OSError, ValueError):
            continue
        if now - laid < STALE_LOCK:
            name = clean_name(path.name)
            return f"{name} is open in another program: {clean_name(lock)} lies beside it (delete that if it is not)."
    return None


def _folders(entries: list[Path]) -> list[Path]:
    return [p for p in entries if stat.S_ISDIR(_kind(p)) and not p.name.startswith(".")]


def _entries(folder: Path, remarks: list[str]) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as problem:
        remarks.append(f"{_shown(folder)} cannot be listed ({problem.strerror}); make it readable for this user.")
        return []


def _kind(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except OSError:
        return 0


def _shown(path: Path) -> str:
    parts = path.parts
    return "/".join(map(clean_name, parts[parts.index("inbox") :])) if "inbox" in parts else clean_name(path.name)
