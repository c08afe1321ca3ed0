"""The sends of a step: the first stands in its own row, later ones beside it, and nobody who asks can tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from pipeline.ledger import sends
from pipeline.ledger.engine import open_engine
from pipeline.ledger.migrate import _config
from pipeline.ledger.sends import Attempt, Intent
from pipeline.ledger.tables import attempts, batches, deliveries

_BATCH = {"link": "x", "file_name": "a.csv", "state": "delivering", "sha256": "0", "size": 1, "received_at": 1.0,
          "path": "p"}  # fmt: skip
_DELIVERY = {"batch_id": 1, "account": "a", "operation": "put", "fingerprint": "f", "record": {}, "state": "waiting",
             "created_at": 1.0, "updated_at": 1.0}  # fmt: skip


@pytest.fixture
def engine(ledger_url: str) -> Iterator[sa.Engine]:
    engine = open_engine(ledger_url)
    with engine.begin() as connection:
        connection.execute(sa.insert(batches).values(**_BATCH))
        for key in ("1", "2"):
            connection.execute(sa.insert(deliveries).values(record_key=key, **_DELIVERY))
    yield engine
    engine.dispose()


def send(engine: sa.Engine, at: float, outcome: str | None, delivery: int = 1, **values: Any) -> Attempt:
    """One send of the step of a delivery, and how it ended a second later, if it did."""
    with engine.begin() as connection:
        attempt = sends.intend(connection, Intent(delivery, "order", {"n": at}, "1"), "a", at)
        assert attempt is not None
        if outcome is not None:
            ended = {"ended_at": at + 1, "outcome": outcome, "code": "", "message": f"at {at}"}
            sends.conclude(connection, attempt, ended, **(values or {"state": "open"}))
    return attempt


def told(engine: sa.Engine, delivery: int = 1) -> list[tuple[float, str | None]]:
    with engine.connect() as connection:
        step = sends.steps_of(connection, delivery)["order"]
        return [(one["sent_at"], one["outcome"]) for one in sends.attempts_of(connection, step.id)]


def rows(engine: sa.Engine) -> int:
    """Sends that have a row of their own."""
    with engine.connect() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(attempts)).scalar_one())


def test_only_a_later_send_has_a_row_of_its_own(engine: sa.Engine) -> None:
    send(engine, 5, "later", state="open")
    assert (told(engine), rows(engine)) == ([(5, "later")], 0)
    send(engine, 6, None)
    assert (told(engine), rows(engine)) == ([(5, "later"), (6, None)], 1)
    send(engine, 7, "done", state="done", result={"id": "7"})
    assert (told(engine), rows(engine)) == ([(5, "later"), (6, None), (7, "done")], 2)
    with engine.connect() as connection:
        step = sends.steps_of(connection, 1)["order"]
    assert (step.state, step.sends, step.result, step.request) == ("done", 3, {"id": "7"}, {"n": 7})


def test_a_step_that_was_known_before_its_first_send_has_that_in_its_row(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        sends.suspect(connection, 1, "order", "1", 4.0, "it may have been sent")
    assert told(engine) == []
    send(engine, 5, "done", state="done")
    assert (told(engine), rows(engine)) == ([(5, "done")], 0)


def test_sends_that_an_older_version_wrote_are_told_and_go_on(engine: sa.Engine) -> None:
    send(engine, 5, "in_doubt", doubt_since=6.0)
    send(engine, 8, "done", delivery=2, state="done")
    _as_of(engine, "0006")
    assert rows(engine) == 2
    url = engine.url.render_as_string(hide_password=False)
    newer = open_engine(url)  # brings it up to date
    assert (told(newer), told(newer, 2), rows(newer)) == ([(5, "in_doubt")], [(8, "done")], 2)
    send(newer, 9, "done", state="done")
    assert (told(newer), rows(newer)) == ([(5, "in_doubt"), (9, "done")], 3)
    newer.dispose()


def _as_of(engine: sa.Engine, version: str) -> None:
    config = _config()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, version)


@pytest.mark.parametrize(
    ("ends", "last"),
    [
        ([], None),
        ([(1, 5, "refused")], None),
        ([(1, 5, "done"), (2, 8, "refused")], 6),
        ([(1, 5, "done"), (2, 8, "done")], 9),
        ([(1, 5, "later"), (2, 8, "done"), (1, 20, "done")], 21),
        ([(1, 5, "done"), (1, 20, "later"), (2, 22, "later")], 6),
        ([(1, 5, "done"), (2, 6, "already_there")], 6),
    ],
)
def test_when_a_send_last_did_something(
    engine: sa.Engine, ends: list[tuple[int, float, str]], last: float | None
) -> None:
    for delivery, at, outcome in ends:
        send(engine, at, outcome, delivery)
    with engine.connect() as connection:
        assert sends.last_ended(connection, "done") == last


def test_first_and_later_sends_that_nobody_answered_count_in_their_order(engine: sa.Engine) -> None:
    def unanswered() -> int:
        with engine.connect() as connection:
            return sends.unanswered_lately(connection, "a")

    send(engine, 5, "in_doubt", doubt_since=6.0)
    send(engine, 6, "later", delivery=2, state="open")
    assert unanswered() == 0
    send(engine, 8, "in_doubt", delivery=2, doubt_since=9.0)
    assert unanswered() == 1
    send(engine, 9, "in_doubt", doubt_since=10.0)
    assert unanswered() == 2
    send(engine, 12, "done", delivery=2, state="done")
    assert unanswered() == 0


def test_what_was_written_as_the_first_send_is_blanked_with_the_rest(engine: sa.Engine) -> None:
    from pipeline.ledger import purge

    send(engine, 5, "refused", state="refused")
    with engine.begin() as connection:
        connection.execute(sa.update(deliveries).values(record={"kind": "order", "key": "1", "fields": {}, "rows": []}))
        purge.blank(connection, 1, 50.0)
        step = sends.steps_of(connection, 1)["order"]
        assert [one["message"] for one in sends.attempts_of(connection, step.id)] == [""]
