"""What delivery asks of the ledger is answered by the small indexes, in SQLite's own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from pipeline.ledger import alerts, sends, unsettled, vital_signs
from pipeline.ledger import deliveries as book
from pipeline.ledger.engine import open_engine
from pipeline.ledger.sends import Intent

Question = Callable[[sa.Connection], object]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield engine
    engine.dispose()


def plans(engine: sa.Engine, question: Question) -> list[str]:
    """How SQLite answers each statement of a question."""
    asked: list[tuple[str, object]] = []
    with engine.connect() as connection:
        sa.event.listen(engine, "before_cursor_execute", lambda _c, _u, text, values, *_: asked.append((text, values)))
        question(connection)
        cursor = connection.connection.cursor()
        return ["\n".join(row[3] for row in cursor.execute(f"EXPLAIN QUERY PLAN {t}", v).fetchall()) for t, v in asked]


@pytest.mark.parametrize(
    ("question", "indexes"),
    [
        (lambda c: book.due(c, "a", 1.0, 5, [1]), {"in_line"}),
        (lambda c: book.next_due(c, "a"), {"in_line", "put_off"}),
        (lambda c: book.with_work(c, ["a"]), {"in_line"}),
        (lambda c: book.not_from_the_future(c, "a", 1.0), {"in_line"}),
        (lambda c: book.in_states(c, "refused"), {"unsettled"}),
        (lambda c: book.in_states(c, "in_doubt", batch_id=1), {"unsettled"}),
        (lambda c: alerts.oldest_waiting(c, "a", 1.0), {"in_line"}),
        (lambda c: alerts.oldest_doubts(c, "a", 1.0), {"in_line"}),
        (lambda c: list(unsettled.open_refusals(c.engine, 1)), {"unsettled"}),
        (lambda c: unsettled.where_under_way(c, 1), set()),
        (vital_signs.oldest_waiting, set()),
        (lambda c: book.recover(c, 1.0), {"intended"}),
        (lambda c: book.doubt_anew(c, 1.0), {"intended"}),
        (lambda c: sends._is_under_way(c, Intent(1, "x", {}, "", "product:M"), "a"), {"intended"}),
    ],
)
def test_a_question_is_answered_from_the_index_made_for_it(
    engine: sa.Engine, question: Question, indexes: set[str]
) -> None:
    told = plans(engine, question)
    assert told
    used = set(re.findall(r"INDEX (?:deliveries|steps)_(in_line|put_off|unsettled|intended)", "\n".join(told)))
    assert used == indexes
    assert not [plan for plan in told if re.search(r"SCAN (deliveries|steps)\b(?! USING)", plan)]


def test_what_goes_well_the_first_time_leaves_no_trace_in_the_small_indexes(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO batches (id, link, file_name, state, sha256, size, received_at, path, rows_read,"
            " rows_accepted, rows_rejected, rows_skipped)"
            " VALUES (1, 'x', 'a.csv', 'delivering', '0', 1, 1, 'p', 1, 1, 0, 0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO deliveries (id, batch_id, account, operation, record_key, fingerprint, record, state, due_at,"
            " tries, created_at, updated_at) VALUES (1, 1, 'a', 'put', '1', 'f', '{}', 'waiting', 5, 0, 5, 5)"
        )
        assert kept(connection) == {"in_line": 1, "put_off": 0, "unsettled": 0}
        book.move(connection, 1, "waiting", 6, due_at=9.0)
        assert kept(connection) == {"in_line": 1, "put_off": 1, "unsettled": 0}
        assert book.next_due(connection, "a") == (9.0, "waiting")
        book.move(connection, 1, "refused", 7, due_at=None)
        assert kept(connection) == {"in_line": 0, "put_off": 0, "unsettled": 1}
        book.move(connection, 1, "delivered", 7, due_at=None)
        assert kept(connection) == {"in_line": 0, "put_off": 0, "unsettled": 0}


def kept(connection: sa.Connection) -> dict[str, int]:
    """Entries of each small index of deliveries."""
    told = {
        "in_line": "state = 'waiting' OR state = 'in_doubt'",
        "put_off": "due_at > created_at",
        "unsettled": "state = 'refused' OR state = 'in_doubt'",
    }
    return {
        name: connection.exec_driver_sql(
            f"SELECT count(*) FROM deliveries INDEXED BY deliveries_{name} WHERE {which}"
        ).scalar_one()
        for name, which in told.items()
    }
