"""The machine: versions, folders, room on the disk, clock and time zones, proxies and certificates, who is at work."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from filelock import FileLock, Timeout

from pipeline import __version__
from pipeline.doctor.finding import Finding, good

LEAST_ROOM, LITTLE_ROOM = 64 * 1024 * 1024, 1024 * 1024 * 1024
_LEAST_FILES = 1000
_BORN = datetime(2026, 1, 1).astimezone().timestamp()
"""No clock that is right shows an earlier time."""


def versions() -> dict[str, str]:
    """Of this program, of what it runs on, and of what it is built from."""
    names = ("alembic", "click", "httpx", "openpyxl", "pandas", "pandera", "paramiko", "psycopg", "pyarrow",
             "sqlalchemy", "structlog", "tzdata", "watchdog")  # fmt: skip
    found = {"orderdrop": __version__, "python": platform.python_version(), "system": platform.platform(),
             "sqlite": sqlite3.sqlite_version, "openssl": ssl.OPENSSL_VERSION}  # fmt: skip
    return found | {name: _version(name) for name in names}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def machine(folder: Path) -> Iterator[Finding]:
    """Everything about the machine that the project ``folder`` lies on."""
    told = versions()
    said = f"orderdrop {told['orderdrop']}, Python {told['python']}, SQLite {told['sqlite']}, {sys.platform}"
    yield good("versions", said)
    yield from (_folder(folder / name) for name in ("inbox", "errors", "var"))
    yield from _room(folder)
    yield from _clock()
    yield from _network()
    yield from _at_work(folder)


def _folder(path: Path) -> Finding:
    name, what = path.name, f"folder {path.name}"
    if not path.is_dir():
        if name != "inbox":
            return good(what, f"{name}/ is made when needed")
        return Finding(what, "problem", f"{name}/ is not there. If it is on a share, connect it; else make it.", 1)
    why = _unwritable(path)
    if why is not None:
        return Finding(what, "problem", f"{name}/ cannot be written ({why}). Make it writable for this user.", 1)
    return good(what, f"{name}/ can be read and written")


def _unwritable(path: Path) -> str | None:
    """Why no file can be made there; a hidden one is made, and removed again."""
    try:
        with tempfile.NamedTemporaryFile(dir=path, prefix=".doctor-"):
            return None
    except OSError as problem:
        return problem.strerror or str(problem)


def _room(folder: Path) -> Iterator[Finding]:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as problem:
        yield Finding("disk", "problem", f"{folder} cannot be looked at ({problem.strerror}).", 1)
        return
    said = f"{free // (1024 * 1024)} MB are free"
    if free < LEAST_ROOM:
        full = f"The disk is full: {said}. Make room: nothing is sent that cannot be written down first."
        yield Finding("disk", "problem", full, 1)
    elif free < LITTLE_ROOM:
        yield Finding("disk", "warning", f"Only {said}. `orderdrop purge` makes room in var/.")
    else:
        yield good("disk", said)
    if hasattr(os, "statvfs"):
        disk = os.statvfs(folder)
        if disk.f_files and disk.f_favail < _LEAST_FILES:
            few = f"Only {disk.f_favail} further files can be made on this disk. Remove some."
            yield Finding("files on the disk", "problem", few, 1)


def _clock() -> Iterator[Finding]:
    now = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %Z}"
    if time.time() < _BORN:
        yield Finding("clock", "problem", f"The clock shows {now}, which has long passed. Set it.", 1)
    else:
        yield good("clock", f"{now}; `--online` compares it with the targets'")
    try:
        ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        yield Finding("time zones", "problem", "There is no time-zone data: pip install tzdata.", 2)


def _network() -> Iterator[Finding]:
    named = getproxies()
    for name in sorted({"https", "all"} & named.keys()):
        address, without = without_password(named[name]), named.get("no", "none")
        yield good("proxy", f"calls to targets go through {address} ({name}); without it: {without}")
    stats, paths = ssl.create_default_context().cert_store_stats(), ssl.get_default_verify_paths()
    if paths.cafile is None and not stats["x509_ca"] and not _bundled():
        nobody = "No authority is trusted, so no https host is: install ca-certificates."
        yield Finding("certificates", "problem", nobody, 1)
    else:
        yield good("certificates", f"authorities from {paths.cafile or paths.capath or 'the bundled list'}")


def _bundled() -> bool:
    return _version("certifi") != "not installed"


def without_password(address: str) -> str:
    """An address of a proxy or database that may be shown."""
    try:
        parts = urlsplit(address)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"
    except ValueError:
        return "an address nobody can read"


def _at_work(folder: Path) -> Iterator[Finding]:
    if not (folder / "var").is_dir():
        return
    held = {name: _held(folder / "var" / f"{name}.lock") for name in ("run", "watch", "fetch")}
    if None in held.values():
        yield Finding("locks", "problem", "var/ takes no locks, as some network shares. Keep var/ on a local disk.", 1)
        return
    yield good("watch", "`orderdrop watch` is running" if held["watch"] else "`orderdrop watch` is not running")
    busy = [name for name in ("run", "fetch") if held[name]]
    left = "nobody is; lock files that lie there are only names, and hold up nobody"
    yield good("at work now", f"{' and '.join(busy)}: at work in this project" if busy else left)


def _held(path: Path) -> bool | None:
    """Whether a process holds the lock; ``None`` where locks do not work."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return None
    lock.release()
    return False
