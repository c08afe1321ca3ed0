"""The names of what can happen: stable, for programs that read the log. ``docs/logging.md`` tells what each means."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """Said in a sentence for people, or only noted for programs."""

    # one run
    READING = "reading"
    FILE_TAKEN_IN = "file_taken_in"
    FILE_STANDS = "file_stands"
    DELIVERING = "delivering"
    DELIVERY_MOVED = "delivery_moved"
    CALL_ENDED = "call_ended"
    RATE_WAITED = "rate_waited"
    ACCOUNT_HELD = "account_held"
    ACCOUNT_PAUSED = "account_paused"
    ACCOUNT_WAITS = "account_waits"
    WRITING = "writing"
    WORKBOOK_WRITTEN = "workbook_written"
    FILE_PUT_AWAY = "file_put_away"
    REMARK = "remark"
    RUN_ENDED = "run_ended"
    RUN_LOCK_WAITED = "run_lock_waited"
    # pickups
    PICKUP_BEGUN = "pickup_begun"
    FETCHING = "fetching"
    FILE_FETCHED = "file_fetched"
    PICKUP_ENDED = "pickup_ended"
    FETCH_LOCK_WAITED = "fetch_lock_waited"
    # the watch
    WATCHING = "watching"
    MONITORING = "monitoring"
    WATCH_ENDED = "watch_ended"
    ROUND = "round"
    CLOCK_WAS_SET = "clock_was_set"
    INBOX_AWAY = "inbox_away"
    INBOX_BACK = "inbox_back"
    SETTINGS_READ_ANEW = "settings_read_anew"
    SETTINGS_WRONG = "settings_wrong"
    FEED_STOPPED = "feed_stopped"
    PICKUP_STOPPED = "pickup_stopped"
    RUN_FAILED = "run_failed"
    FAULT = "fault"
    FILE_EVENTS_MISSING = "file_events_missing"
    COMPARING = "comparing"
    COMPARED = "compared"
    COMPARING_FAILED = "comparing_failed"
    # people
    ALERT_SENT = "alert_sent"
    ALERT_FAILED = "alert_failed"
    # any command
    STOPPING = "stopping"
    COMMAND_FAILED = "command_failed"


DEBUG = frozenset({Event.DELIVERY_MOVED, Event.CALL_ENDED, Event.RATE_WAITED, Event.ROUND})
"""One per delivery, per call or per look: only for those who ask for them."""
WARNING = frozenset({
    Event.ACCOUNT_PAUSED, Event.ACCOUNT_WAITS, Event.SETTINGS_WRONG, Event.FEED_STOPPED, Event.PICKUP_STOPPED,
    Event.RUN_FAILED, Event.CLOCK_WAS_SET, Event.INBOX_AWAY,
    Event.FILE_EVENTS_MISSING, Event.COMPARING_FAILED, Event.ALERT_FAILED,
})  # fmt: skip
ERROR = frozenset({Event.COMMAND_FAILED, Event.FAULT})


def level_of(event: Event) -> str:
    """``debug``, ``info``, ``warning`` or ``error``: it belongs to the event, not to the place that tells it."""
    known = (("debug", DEBUG), ("warning", WARNING), ("error", ERROR))
    return next((level for level, events in known if event in events), "info")
