"""Statements of the hot path as plain texts: to build one anew costs ten times what the database takes to carry it out.

Marks are ``?``; they become those of the driver. JSON columns are given plain values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any

import msgspec
import sqlalchemy as sa

_MOST_MARKS = 999
"""In one statement: what SQLite takes in every version."""
_json = msgspec.json.Encoder().encode


def run(connection: sa.Connection, text: str, *values: Any) -> sa.CursorResult[Any]:  # noqa: ANN401 - column values
    """Carry out one statement."""
    return connection.exec_driver_sql(_in_the_drivers_marks(text, connection.dialect.paramstyle), values)


def do(connection: sa.Connection, text: str, values: Sequence[Any]) -> Any:  # noqa: ANN401 - the driver's own cursor
    """Carry out one statement that gives no rows, by the driver's own cursor; the rest is SQLAlchemy's."""
    if not connection.in_transaction():
        connection.begin()
    return by_driver(connection, text, values)


def by_driver(connection: sa.Connection, text: str, values: Sequence[Any] = ()) -> Any:  # noqa: ANN401 - as above
    """The same in whatever transaction there is."""
    dialect = connection.dialect
    marked = _in_the_drivers_marks(text, dialect.paramstyle)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(marked, values)
    except dialect.loaded_dbapi.Error as problem:
        told = sa.exc.DBAPIError.instance(marked, None, problem, dialect.loaded_dbapi.Error, dialect=dialect)
        raise told from problem
    return cursor


def insert_many(
    connection: sa.Connection,
    table: str,
    names: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    alike: Mapping[str, Any],
) -> None:
    """Insert rows of values for ``names``; the columns ``alike`` have the same value in each.

    SQLite takes many in one statement: its driver lets go of the interpreter once for each statement, and with other
    threads at work getting it back takes longer than a row. What is alike it is told once.
    """
    head = f"INSERT INTO {table} ({', '.join([*alike, *names])})"
    shared = tuple(alike.values())
    if connection.dialect.name != "sqlite":
        text = f"{head} VALUES ({', '.join('?' * (len(alike) + len(names)))})"
        marked = _in_the_drivers_marks(text, connection.dialect.paramstyle)
        connection.exec_driver_sql(marked, [(*shared, *row) for row in rows])
        return
    each = (_MOST_MARKS - len(alike)) // len(names)
    for begin in range(0, len(rows), each):
        some = rows[begin : begin + each]
        do(connection, _for_rows(head, len(alike), len(names), len(some)), [*shared, *chain.from_iterable(some)])


def insert(connection: sa.Connection, text: str, *values: Any) -> int | None:  # noqa: ANN401 - column values
    """Insert one row and return its id; ``None`` where the statement does nothing on a conflict, and there is one."""
    if connection.dialect.name == "sqlite":
        cursor = do(connection, text, values)
        return int(cursor.lastrowid) if cursor.rowcount else None
    id_: int | None = run(connection, f"{text} RETURNING id", *values).scalar_one_or_none()
    return id_


def update(connection: sa.Connection, table: sa.Table, where: str, found_by: tuple[Any, ...], **values: Any) -> None:  # noqa: ANN401
    """Set columns of the rows that ``where`` finds."""
    text, in_json = _update(table, tuple(values), where)
    told = [*values.values(), *found_by]
    for place in in_json:
        told[place] = as_json(told[place])
    do(connection, text, told)


def as_json(value: Any) -> str | None:  # noqa: ANN401 - plain values
    """JSON text, as a JSON column takes it."""
    return None if value is None else _json(value).decode()


@cache
def _for_rows(head: str, alike: int, own: int, count: int) -> str:
    """Numbered marks: the first ones stand in every row."""
    shared = [f"?{number}" for number in range(1, alike + 1)]
    begins = range(alike + 1, alike + own * count + 1, own)
    rows = (", ".join([*shared, *(f"?{number}" for number in range(begin, begin + own))]) for begin in begins)
    return f"{head} VALUES {', '.join(f'({row})' for row in rows)}"


@cache
def _update(table: sa.Table, names: tuple[str, ...], where: str) -> tuple[str, list[int]]:
    """The statement, and which of its values are JSON."""
    text = f"UPDATE {table.name} SET {', '.join(f'{name} = ?' for name in names)} WHERE {where}"  # noqa: S608 - our own names
    return text, [place for place, name in enumerate(names) if isinstance(table.c[name].type, sa.JSON)]


@cache
def _in_the_drivers_marks(text: str, paramstyle: str) -> str:
    return text if paramstyle == "qmark" else text.replace("?", "%s")
