"""The ledger and what it says: can it be trusted, and what waits, for how long, for whom?"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from pipeline.doctor.finding import Finding, good
from pipeline.ledger import HEAD
from pipeline.ledger.engine import open_readonly
from pipeline.ledger.trouble import in_words
from pipeline.ledger.vital_signs import VitalSigns, oldest_waiting, vital_signs
from pipeline.model import DeliveryState

_LONG = 3600.0


def books(url: str) -> Iterator[Finding]:
    """The ledger, looked at without writing."""
    path = _file(url)
    if path is not None and not path.is_file():
        yield good("ledger", "there is none yet; the first run makes it")
        return
    trouble = None if path is None else _trouble(path)
    if trouble is not None:
        yield trouble
        return
    engine = open_readonly(url)
    if engine is None:
        yield _other_version(path)
        return
    try:
        with engine.connect() as connection:
            signs, oldest = vital_signs(connection), oldest_waiting(connection)
    except SQLAlchemyError as problem:
        yield Finding("ledger", "problem", str(in_words(getattr(problem, "orig", None) or problem)), 4)
        return
    finally:
        engine.dispose()
    size = f", {path.stat().st_size // 1024} KB" if path is not None else ""
    yield good("ledger", f"whole, version {HEAD}{size}")
    yield from _waiting(signs, oldest)


def _file(url: str) -> Path | None:
    parsed = sa.make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _trouble(path: Path) -> Finding | None:
    """What SQLite itself finds wrong with the file."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
            told = connection.execute("PRAGMA quick_check(3)").fetchall()
    except sqlite3.Error as problem:
        return Finding("ledger", "problem", str(in_words(problem, str(path))), 4)
    if told == [("ok",)]:
        return None
    return Finding("ledger", "problem", str(in_words(f"the database is malformed: {told[0][0]}", str(path))), 4)


def _other_version(path: Path | None) -> Finding:
    found = _version(path) if path is not None else None
    if found is None:
        return Finding("ledger", "problem", "The ledger cannot be opened. Check [ledger] url and that it answers.", 4)
    if found > HEAD:
        return Finding(
            "ledger", "problem", f"It was written by a newer orderdrop (version {found}). Install that one.", 4
        )
    return Finding("ledger", "warning", f"It is of version {found}; the next run copies it and brings it to {HEAD}.")


def _version(path: Path) -> str | None:
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return str(row[0]) if row else None
    except sqlite3.Error:
        return None


def _waiting(signs: VitalSigns, oldest: float | None) -> Iterator[Finding]:
    number = sum(n for (_, state), n in signs.deliveries.items() if state == DeliveryState.WAITING)
    if number:
        age = time.time() - oldest if oldest is not None else 0.0
        verdict, code = ("warning", 3) if age > _LONG else ("ok", 0)
        message = f"{number} deliveries wait, the oldest for {_age(age)}. `orderdrop run` sends what is due."
        yield Finding("waiting", verdict, message, code)
    for account, paused in sorted(signs.paused.items()):
        message = f"It is paused ({paused}). `orderdrop check --online` says what to mend; the next run goes on."
        yield Finding(f"account {account}", "warning", message, 3)
    for account, (doubts, since) in sorted(signs.doubts.items()):
        told = _age(time.time() - since) if since is not None else "a while"
        yield Finding(
            f"account {account}", "warning", f"{doubts} in doubt, the oldest for {told}: `orderdrop doubt`.", 1
        )
    if signs.workbooks:
        yield Finding("errors", "warning", f"{signs.workbooks} workbooks in errors/ wait for a person.", 1)
    for pickup, (_, problem) in sorted(signs.pickups.items()):
        if problem is not None:
            yield Finding(f"pickup {pickup}", "warning", f"The last fetch failed: {problem}", 3)
    if signs.last_file is not None and signs.last_file > time.time() + 120:
        yield Finding(
            "clock", "warning", "The clock stands before the ledger's last entry: was it set back? Set it.", 1
        )
    yield good("last delivery", _ago(signs.last_delivery))
    yield good("last file", _ago(signs.last_file))


def _ago(at: float | None) -> str:
    return "none so far" if at is None else f"{_age(time.time() - at)} ago"


def _age(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} seconds"


def figures(url: str) -> dict[str, Any]:
    """The ledger in numbers, for a bundle: nobody's data."""
    engine = open_readonly(url)
    if engine is None:
        return {"readable": False}
    try:
        with engine.connect() as connection:
            signs = vital_signs(connection)
    except SQLAlchemyError as problem:
        return {"readable": False, "trouble": type(problem).__name__}
    finally:
        engine.dispose()
    return {
        "readable": True, "version": HEAD, "files": dict(signs.files), "workbooks": signs.workbooks,
        "deliveries": {f"{account} {state}": n for (account, state), n in signs.deliveries.items()},
        "doubts": {account: n for account, (n, _) in signs.doubts.items()}, "paused": dict(signs.paused),
        "pickups": sorted(signs.pickups), "last_file": signs.last_file, "last_delivery": signs.last_delivery,
    }  # fmt: skip
