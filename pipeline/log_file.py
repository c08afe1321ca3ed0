"""The log in ``var/log``: JSON lines, bounded in size, written by several commands at once without mixing lines."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

MOST_BYTES = 4 * 1024 * 1024
OLD_FILES = 4
NAME = "orderdrop.jsonl"


class LogFile:
    """Appends lines. Whatever goes wrong with the log (a full disk, no permission) never stops the work."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._path = folder / NAME
        self._most = most_bytes

    def add(self, line: str) -> None:
        """One line, in one write; the file is open only that long, so that another command may rename it."""
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab", buffering=0) as file:
                file.write(line.encode("utf-8", "backslashreplace") + b"\n")
                size = file.tell()
            if size > self._most:
                self._turn()

    def _turn(self) -> None:
        with suppress(Timeout), FileLock(self._path.with_suffix(".lock"), timeout=0):
            if self._path.stat().st_size <= self._most:
                return  # another command was quicker
            for number in range(OLD_FILES, 1, -1):
                newer = _old(self._path, number - 1)
                if newer.exists():
                    newer.replace(_old(self._path, number))
            self._path.replace(_old(self._path, 1))


def _old(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}.{number}{path.suffix}")


def recent(folder: Path, most: int) -> list[str]:
    """The last ``most`` lines of the log, oldest first."""
    lines: list[str] = []
    for path in (folder / NAME, *(_old(folder / NAME, number) for number in range(1, OLD_FILES + 1))):
        with suppress(OSError):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines() + lines
        if len(lines) >= most:
            break
    return lines[-most:]
