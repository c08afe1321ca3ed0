"""Claiming a file: one atomic rename out of the inbox, so that no two runs ever hold the same file."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from pathlib import Path

from msgspec import Struct

_MOST_BYTES = 200
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Letters and digits that nobody mistakes for one another when a reference is typed."""


class Claim(Struct, frozen=True):
    """A file that is now ours: ``link`` names its folder under ``var/work``."""

    link: str
    path: Path
    file_name: str
    subfolder: str | None


_HELD = frozenset({errno.ENOENT, errno.EBUSY, errno.ETXTBSY, errno.EAGAIN})
_SHARING_VIOLATION = 32


def claim(path: Path, subfolder: str | None, work: Path) -> Claim | None:
    """Move a file from the inbox to ``work/<link>[@feed]/<name>``; ``None`` when it is gone or held open.

    ``OSError`` when it cannot be moved for another reason (no permission, a full disk); it is where it was then.
    """
    link = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    folder = work / (f"{link}@{subfolder}" if subfolder else link)
    name = clean_name(path.name)
    target = folder / name
    try:
        folder.mkdir(parents=True)
        _move(path, target)
    except OSError as problem:
        shutil.rmtree(folder, ignore_errors=True)
        if problem.errno in _HELD or getattr(problem, "winerror", None) == _SHARING_VIOLATION:
            return None
        raise
    sync_folder(folder)
    sync_folder(path.parent)
    return Claim(link, target, name, subfolder)


def clean_name(name: str) -> str:
    """A file name as text that every screen, database and file system can carry; what is no text becomes ``_``."""
    readable = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    plain = "".join("_" if ch == "\N{REPLACEMENT CHARACTER}" or not ch.isprintable() else ch for ch in readable)
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        stem, suffix = plain, ""
    ending = f"{dot}{suffix[:20]}"
    return f"{_cut(stem[:150], _MOST_BYTES - len(ending.encode()))}{ending}"


def _cut(text: str, most: int) -> str:
    """At most so many bytes, and no letter cut in two: a name may have 255 bytes, and the workbook's ending is ours."""
    return text.encode()[:most].decode("utf-8", "ignore")


COPYING = ".copying-"
"""How names begin that nobody reads: what is still being copied or unpacked."""


def link_below(link: str, number: int) -> str:
    """The link of a file in an archive: the same each time the archive is unpacked."""
    digest = int.from_bytes(hashlib.sha256(f"{link} {number}".encode()).digest()[:8])
    letters = []
    for _ in range(8):
        digest, at = divmod(digest, len(_ALPHABET))
        letters.append(_ALPHABET[at])
    return "".join(letters)


def claim_unpacked(path: Path, link: str, subfolder: str | None, work: Path, partner: Path | None) -> Claim | None:
    """Give an unpacked file its folder under ``work``; ``None`` when it has it from before a crash.

    The other file of a pair comes first: a folder that holds no more than that counts as empty.
    """
    folder = work / (f"{link}@{subfolder}" if subfolder else link)
    target = folder / clean_name(path.name)
    if target.exists():
        return None
    (folder / PARTNER if partner else folder).mkdir(parents=True, exist_ok=True)
    if partner is not None:
        _move(partner, folder / PARTNER / clean_name(partner.name))
        sync_folder(folder / PARTNER)
    _move(path, target)
    sync_folder(folder)
    sync_folder(work)
    return Claim(link, target, target.name, subfolder)


PARTNER = "partner"
"""The folder beside a claimed file in which the other file of a pair lies."""


def claim_partner(taken: Claim, partner: Path) -> bool:
    """Move the other file of a pair beside a claimed one; ``False`` when it is gone or held open."""
    folder = taken.path.parent / PARTNER
    folder.mkdir(exist_ok=True)
    try:
        _move(partner, folder / clean_name(partner.name))
    except OSError:
        return False
    sync_folder(folder)
    sync_folder(partner.parent)
    return True


def partner_beside(path: Path) -> Path | None:
    """The other file of a pair, beside a claimed or archived one."""
    folder = path.parent / PARTNER
    inside = sorted(p for p in folder.iterdir() if not p.name.startswith(COPYING)) if folder.is_dir() else []
    return next(iter(inside), None)


def unfinished(work: Path) -> list[Claim]:
    """Files claimed before, found again after a start; empty folders left by a crash are removed."""
    claims = []
    for folder in sorted(work.iterdir()) if work.is_dir() else []:
        files = [p for p in folder.iterdir() if _is_claimed(p)] if folder.is_dir() else []
        link, _, feed = folder.name.partition("@")
        if files:
            claims.append(Claim(link, files[0], files[0].name, feed or None))
        elif folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)
    return claims


def _is_claimed(path: Path) -> bool:
    return not path.name.startswith(COPYING) and not (path.name == PARTNER and path.is_dir())


def content_of(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a claimed file; of a pair, both files count."""
    sha256, size = fingerprint(path)
    partner = partner_beside(path)
    if partner is None:
        return sha256, size
    other, more = fingerprint(partner)
    return hashlib.sha256(f"{sha256} {other}".encode()).hexdigest(), size + more


def fingerprint(path: Path) -> tuple[str, int]:
    """SHA-256 and size in bytes of a file, read in pieces."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            size += len(piece)
    return digest.hexdigest(), size


def put_away(path: Path, target: Path) -> None:
    """Move an original to its place in the archive; doing it again after a crash is harmless."""
    if path == target or (not path.exists() and target.exists()):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    partner = partner_beside(path)
    if partner is not None:
        (target.parent / PARTNER).mkdir(exist_ok=True)
        _move(partner, target.parent / PARTNER / partner.name)
    _move(path, target)
    sync_folder(target.parent)
    shutil.rmtree(path.parent, ignore_errors=True)


def _move(path: Path, target: Path) -> None:
    try:
        path.rename(target)
    except OSError as problem:
        if problem.errno != errno.EXDEV:
            raise
        _copy_over(path, target)


def _copy_over(path: Path, target: Path) -> None:
    """Between two file systems there is no rename: copy under a name nobody reads, sync, rename, remove."""
    if not os.access(path.parent, os.W_OK):  # copied, it would still lie there and be copied again the next time
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path.parent))
    halfway = target.parent / f"{COPYING}{target.name}"
    with path.open("rb") as source, halfway.open("wb") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        os.fsync(copy.fileno())
    halfway.rename(target)
    path.unlink()


def sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no way to ask for it."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)
