"""What the ledger remembers of alerts, on every kind of database."""

from __future__ import annotations

from pipeline.ledger import alerts as memory
from pipeline.ledger.alerts import ChannelState
from pipeline.ledger.engine import open_engine


def test_an_alert_from_its_first_moment_to_its_last(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    row = {"channel": "office", "event": "file", "subject": "a", "version": "1", "headline": "h", "first_at": 5.0}
    with engine.begin() as connection:
        memory.add(connection, [row, {**row, "subject": "b"}])
        first, second = memory.listed(connection)
        assert (first.key, first.told_at, first.times) == (("file", "a"), None, 0)
        memory.change(connection, [first.id, second.id], sending_at=7.0, version="2")
        memory.told(connection, [first.id], 8.0)
        told, sending = memory.listed(connection)
        assert (told.told_at, told.told_version, told.times, told.sending_at) == (8.0, "2", 1, None)
        assert (sending.told_at, sending.sending_at) == (None, 7.0)
        memory.forget(connection, [first.id])
        assert [alert.subject for alert in memory.listed(connection)] == ["b"]
    engine.dispose()


def test_channels_moments_and_comparisons_are_kept_once_each(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.begin() as connection:
        failed = ChannelState("office", failures=2, next_try_at=9.0, problem="no")
        for state in (ChannelState("office", told_at=1.0), failed):
            memory.note_channel(connection, state)
        assert memory.states(connection) == {"office": failed}
        assert memory.first_seen(connection, ["x", "y"], 3.0) == {"x": 3.0, "y": 3.0}
        memory.note_moment(connection, "x", 4.0)
        assert memory.first_seen(connection, ["x"], 5.0)["x"] == memory.moment(connection, "x") == 4.0
        found = {"account": "shop", "compared_at": 1.0, "extra": 0, "differing": 0, "unreadable": False, "digest": "d"}
        for missing in (3, 1):
            memory.note_comparison(connection, {**found, "missing": missing, "workbook": None})
        assert [row.missing for row in memory.compared(connection)] == [1]
    engine.dispose()


def test_nothing_is_found_in_an_empty_ledger(ledger_url: str) -> None:
    engine = open_engine(ledger_url)
    with engine.connect() as connection:
        assert memory.to_correct(connection) == []
        assert memory.oldest_doubts(connection, "shop", 1e9) is None
        assert memory.oldest_waiting(connection, "shop", 1e9) is None
        assert memory.last_delivered(connection) is None
        assert memory.last_fetched(connection, "partner") is None
    engine.dispose()
