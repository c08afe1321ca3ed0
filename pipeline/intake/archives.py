"""Archives people drop: ``.zip`` and ``.gz`` are opened, within bounds; whatever looks like an attack is refused whole.

What a file is, its content says: a workbook is a ZIP too, and none of this room's business.
"""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NoReturn

from pipeline.errors import FileRefused
from pipeline.intake.landing import local_name
from pipeline.intake.settle import is_left_alone

MOST_FILES = 1_000
LARGEST_INSIDE = 4 << 30
LARGEST_RATIO = 200
RATIO_COUNTS_FROM = 50_000_000
_ROOM_LEFT = 64 << 20
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHERS = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ")
# Parts that make a ZIP a document, not an archive: Office (ECMA-376 part 2 §10) and OpenDocument (ODF 1.3 part 2).
_DOCUMENTS = {"[content_types].xml", "mimetype"}
_DROP_THEM = "Unpack it and drop the files inside, each on its own."


def archive_kind(path: Path) -> str | None:
    """``zip`` or ``gzip`` for an archive by its content, ``None`` for anything else, workbooks included."""
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except OSError:
        return None
    if head.startswith(_GZIP):
        return "gzip"
    if not head.startswith(_ZIP):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.casefold() for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return "zip" if path.suffix.casefold() == ".zip" else None
    return None if names & _DOCUMENTS else "zip"


def unpack(path: Path, kind: str, into: Path) -> list[Path]:
    """The files of an archive, in its own order, written into a folder; all of them, or ``FileRefused``.

    Folders inside count for nothing. What lies in every inbox for no reader (``.DS_Store``, ``__MACOSX``) is left out.
    """
    into.mkdir(parents=True)
    budget = _Budget(path, into)
    with _readable(path):
        made = _gunzip(path, into, budget) if kind == "gzip" else _unzip(path, into, budget)
    for one in made:
        _refuse_nested(path, one)
    if not made:
        raise FileRefused(
            "empty_archive", f"{path.name} is an archive with no file in it.", "Send it again with files."
        )
    return made


class _Budget:
    """Counts what comes out, against what went in and what the disk holds."""

    def __init__(self, path: Path, into: Path) -> None:
        self._path = path
        self._packed = max(path.stat().st_size, 1)
        self._room = shutil.disk_usage(into).free - _ROOM_LEFT
        self._taken = 0

    def take(self, size: int) -> None:
        """So many bytes more; ``FileRefused`` when that is too much, ``OSError`` when the disk has no room for it."""
        self._taken += size
        swollen = self._taken > RATIO_COUNTS_FROM and self._taken > LARGEST_RATIO * self._packed
        if self._taken > self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if swollen or self._taken > LARGEST_INSIDE:
            raise FileRefused(
                "too_large_inside",
                f"{self._path.name} is small outside but unpacks to more than can be taken safely.",
                _DROP_THEM,
            )


def _gunzip(path: Path, into: Path, budget: _Budget) -> list[Path]:
    name = path.name[:-3] if path.name.casefold().endswith(".gz") else path.name
    target = into / (local_name(name) or "unpacked")
    with gzip.open(path, "rb") as stream:
        _copy(stream, target, budget)
    return [target]


def _unzip(path: Path, into: Path, budget: _Budget) -> list[Path]:
    made: list[Path] = []
    with zipfile.ZipFile(path) as archive:
        parts = [part for part in archive.infolist() if not part.is_dir()]
        if len(parts) > MOST_FILES:
            _refuse(path, f"it holds {len(parts):,} files, more than {MOST_FILES:,}")
        for part in parts:
            _refuse_unsafe(path, part)
        for part in parts:
            if _is_furniture(part.filename):
                continue
            target = _free(into, local_name(PurePosixPath(part.filename).name))
            with archive.open(part) as stream:
                _copy(stream, target, budget)
            made.append(target)
    return made


def _refuse_unsafe(path: Path, part: zipfile.ZipInfo) -> None:
    shown = part.filename[:100]
    if part.flag_bits & 1:
        raise FileRefused(
            "password_protected",
            f"{path.name} is protected with a password, so nothing in it can be read.",
            "Send it without a password, or unpack it and drop the files inside.",
        )
    kind = stat.S_IFMT(part.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        _refuse(path, f"its entry “{shown}” is a link or device, not a file")
    parts = part.orig_filename.replace("\\", "/").split("/")
    if ".." in parts or not parts[0] or ":" in parts[0]:
        _refuse(path, f"the name of its entry “{shown}” leads out of the archive")


def _refuse(path: Path, why: str) -> NoReturn:
    raise FileRefused("unsafe_archive", f"{path.name} was not opened for safety: {why}.", _DROP_THEM)


def _is_furniture(name: str) -> bool:
    places = PurePosixPath(name).parts
    return places[0] == "__MACOSX" or is_left_alone(places[-1])


def _free(into: Path, name: str) -> Path:
    """The name, or a numbered one where two folders of the archive hold the same."""
    stem, dot, suffix = name.rpartition(".")
    target, number = into / name, 1
    while target.exists():
        number += 1
        target = into / (f"{stem} ({number}){dot}{suffix}" if dot else f"{name} ({number})")
    return target


def _copy(stream: IO[bytes] | gzip.GzipFile, target: Path, budget: _Budget) -> None:
    with target.open("wb") as sink:
        while piece := stream.read(_CHUNK):
            budget.take(len(piece))
            sink.write(piece)
        sink.flush()
        os.fsync(sink.fileno())


def _refuse_nested(path: Path, inner: Path) -> None:
    with inner.open("rb") as stream:
        head = stream.read(512)
    tar = head[257:262] == b"ustar"
    if tar or archive_kind(inner) is not None or head.startswith(_OTHERS):
        raise FileRefused("nested_archive", f"{path.name} holds another archive, {inner.name}.", _DROP_THEM)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        raise _damaged(path) from None
    except OSError as problem:
        if problem.errno != errno.EINVAL:  # a place in the file that cannot be: the archive says so, not the disk
            raise
        raise _damaged(path) from None


def _damaged(path: Path) -> FileRefused:
    return FileRefused(
        "damaged_archive",
        f"{path.name} is damaged, or packed in a way that is not known here, and cannot be unpacked.",
        "Send it again; perhaps it was cut short on the way. Or unpack it and drop the files inside.",
    )
