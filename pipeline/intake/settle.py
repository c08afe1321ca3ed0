"""When a dropped file is complete. Pure: what was seen goes in, a verdict comes out."""

from __future__ import annotations

from dataclasses import dataclass

_BEING_COPIED = (
    ".part",
    ".partial",
    ".filepart",
    ".crdownload",
    ".download",
    ".opdownload",
    ".tmp",
    ".temp",
    ".!ut",
    ".swp",
)
_NEVER = {"thumbs.db", "desktop.ini", ".ds_store", "readme.txt"}


@dataclass(frozen=True, slots=True)
class Sight:
    """What one look at a file showed: size in bytes, times in seconds since 1970."""

    size: int
    changed_at: float
    seen_at: float


def is_left_alone(name: str) -> bool:
    """Whether a file is never picked up: lock files of office programs, half-copied files, folder furniture.

    ``~$x.xlsx`` is Excel's lock, ``.~lock.x#`` LibreOffice's; browsers and transfer programs give unfinished files
    an ending of their own.
    """
    lowered = name.casefold()
    return lowered.startswith(("~$", ".", "~wrl")) or lowered in _NEVER or lowered.endswith((*_BEING_COPIED, "~"))


def lock_names(name: str) -> tuple[str, str]:
    """The files that Excel and LibreOffice lay beside a workbook while somebody has it open."""
    return f"~${name}", f".~lock.{name}#"


def is_settled(first: Sight, latest: Sight, settle_seconds: float) -> bool:
    """Whether size and time have stood still for ``settle_seconds``.

    Either the file's own change time is that old, or two looks that far apart saw the same. A change time in the
    future (a clock that runs ahead on the machine that copied it) proves nothing, so only the looks count.
    """
    if (first.size, first.changed_at) != (latest.size, latest.changed_at):
        return False
    age = latest.seen_at - latest.changed_at
    return age >= settle_seconds or latest.seen_at - first.seen_at >= settle_seconds
