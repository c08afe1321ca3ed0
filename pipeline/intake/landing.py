"""Where a fetched file comes down: a name that is safe here, a place nobody else has, on the disk before it counts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from pipeline.intake.claim import clean_name, sync_folder
from pipeline.intake.settle import is_left_alone

_RESERVED = re.compile(r'[<>:"/\\|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_MOST_BYTES = 180
"""A file name may have 255 bytes; `.….part` and the workbook's ending have to fit too."""


def local_name(remote: str) -> str:
    """A file name for this side, whatever the server calls it: no folders, no devices, nothing invisible, not too long.

    A name that would be left alone here (hidden, or like a half-copied file) gets a letter in front.
    """
    plain = clean_name(_RESERVED.sub("_", remote)).rstrip(" .").lstrip(" ") or "_"
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        stem, suffix = plain, ""
    ending = f"{dot}{suffix}"
    name = _cut(stem, _MOST_BYTES - len(ending.encode())) + ending
    if _DEVICES.fullmatch(name) or is_left_alone(name):
        name = f"x_{name}"
    return name


def _cut(text: str, most: int) -> str:
    return text.encode()[: max(most, 1)].decode("utf-8", "ignore").rstrip(" .") or "_"


def part_of(folder: Path, name: str) -> Path:
    """The temporary name of a file on its way into ``folder``; the inbox leaves such names alone."""
    return folder / f".{name}.part"


def place(part: Path, name: str, folders: list[Path]) -> Path:
    """Give a whole file its name in the first folder where it is free, else a numbered one in the last; never replaces.

    Returns when name and content are on the disk.
    """
    for target in _names(name, folders):
        target.parent.mkdir(parents=True, exist_ok=True)
        if _moved(part, target):
            sync_folder(target.parent)
            return target
    raise AssertionError("the numbers never end")


def _names(name: str, folders: list[Path]) -> Iterator[Path]:
    yield from (folder / name for folder in folders)
    stem, dot, suffix = name.rpartition(".")
    for number in count(2):
        yield folders[-1] / (f"{stem} ({number}){dot}{suffix}" if dot else f"{name} ({number})")


def _moved(part: Path, target: Path) -> bool:
    """A rename would replace what is there; a second name for the same file does not."""
    try:
        os.link(part, target)
    except FileExistsError:
        return False
    except OSError:  # no second names here: FAT, many network shares
        if target.exists():
            return False
        part.rename(target)
        return True
    part.unlink()
    return True
