"""Opening the ledger: address, pragmas, migrations, and the plain sentence when it cannot be trusted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout
from msgspec import Raw
from msgspec.json import Decoder
from sqlalchemy.exc import SQLAlchemyError

from pipeline.errors import LedgerError
from pipeline.ledger import HEAD, plain
from pipeline.ledger.migrate import migrate
from pipeline.ledger.trouble import in_words

BUSY_SECONDS = 30.0
"""How long another program may hold the SQLite file before orderdrop stops."""


def open_engine(url: str) -> sa.Engine:
    """Connect, create or migrate; ``LedgerError`` when the ledger cannot be read, written or trusted."""
    with ledger_trouble(sa.make_url(url).database):
        engine = _engine(url)
        try:
            with _one_at_a_time(engine):
                version = _version(engine)
                if version != HEAD:
                    migrate(engine, version)
        except BaseException:
            engine.dispose()
            raise
    return engine


@contextmanager
def _one_at_a_time(engine: sa.Engine) -> Iterator[None]:
    """Two commands that meet at a new ledger do not both build it: the second waits, and finds it built."""
    url = engine.url
    if url.get_backend_name() != "sqlite":
        with _locked(engine) if _version(engine) != HEAD else nullcontext():
            yield
    elif url.database and url.database != ":memory:":
        with FileLock(f"{url.database}.opening", timeout=_BUILT_AFTER):
            yield
    else:
        yield


@contextmanager
def _locked(engine: sa.Engine) -> Iterator[None]:
    """A lock of the server, given back with the connection, whatever becomes of this process."""
    with engine.begin() as connection:
        connection.execute(sa.text(f"SET LOCAL lock_timeout = '{_BUILT_AFTER}s'"))
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('orderdrop: building the ledger'))"))
        yield


_BUILT_AFTER = 60
"""Seconds that a command waits for another one to build the ledger, or to bring it up to date."""


def open_readonly(url: str) -> sa.Engine | None:
    """The ledger for looking only; ``None`` when there is none yet, or it is of another version."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database or not Path(parsed.database).is_file():
            return None
        engine = sa.create_engine(
            f"sqlite:///file:{parsed.database}?mode=ro&uri=true", connect_args={"check_same_thread": False}
        )
    else:
        engine = _postgresql(parsed)
    try:
        if _version(engine) == HEAD:
            return engine
    except SQLAlchemyError:
        pass
    engine.dispose()
    return None


@contextmanager
def ledger_trouble(database: str | None = None) -> Iterator[None]:
    """Turn whatever the database says into a ``LedgerError`` with what to do; ``database`` is its file, if any."""
    try:
        yield
    except SQLAlchemyError as problem:
        cause = getattr(problem, "orig", None) or problem
        raise in_words(cause, database) from problem
    except Timeout as problem:
        raise LedgerError(
            "The ledger is being built by another command that does not end. Stop it, then run again."
        ) from problem
    except OSError as problem:
        raise in_words(problem, database) from problem


def _engine(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return _postgresql(parsed)
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        parsed,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        json_serializer=_json,
        json_deserializer=_from_json,
    )
    sa.event.listen(engine, "connect", _pragmas)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _postgresql(parsed: sa.URL) -> sa.Engine:
    """A server that is gone, or a table that somebody keeps locked, is waited for as long as a locked file is."""
    seconds = int(BUSY_SECONDS)
    patience = {
        "connect_timeout": seconds, "keepalives_idle": seconds, "keepalives_interval": 10, "keepalives_count": 3,
        "tcp_user_timeout": 2000 * seconds,
    }  # fmt: skip
    engine = sa.create_engine(
        parsed, pool_pre_ping=True, json_serializer=_json, json_deserializer=_from_json,
        connect_args={name: value for name, value in patience.items() if name not in parsed.query},
    )  # fmt: skip

    def bound(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
        cursor = connection.cursor()
        cursor.execute(f"SET lock_timeout = '{seconds}s'")
        cursor.close()
        connection.commit()

    sa.event.listen(engine, "connect", bound)
    return engine


def _json(value: Any) -> str:  # noqa: ANN401 - whatever a JSON column is given
    """JSON text; what is JSON already is taken as it is."""
    return bytes(value).decode() if isinstance(value, Raw) else json.dumps(value)


_decode = Decoder().decode


def _from_json(text: str) -> Any:  # noqa: ANN401 - whatever a JSON column holds
    """Plain values; what only the standard library reads (half of a surrogate pair) is read by it, in its own time."""
    try:
        return _decode(text)
    except ValueError:
        return json.loads(text)


def _pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own connection
    # The driver would open transactions on its own, too late for a read-then-write to be one transaction.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    # FULL: an intent must survive a power cut before its first byte leaves. NORMAL would lose the last commits
    # of a write-ahead log, and with them the knowledge that something was sent.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # The writer takes the write lock at once: a transaction that read first and wrote later could find its view stale.
    # Where it begins and ends its transactions itself (``by_hand``), there is nothing to say for it.
    options = connection.get_execution_options()
    if not options.get("by_hand", False):
        plain.by_driver(connection, "BEGIN IMMEDIATE" if options.get("immediate", False) else "BEGIN")


def _version(engine: sa.Engine) -> str | None:
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
