"""Cron in a time zone: which minutes are due, also on the two odd nights of a year."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import SetupError
from pipeline.intake.schedule import Schedule, parse_schedule

NEW_YORK = ZoneInfo("America/New_York")


def schedule(text: str, zone: str = "America/New_York") -> Schedule:
    return parse_schedule(text, ZoneInfo(zone), "pipeline.toml [pickups.x]")


def times(text: str, start: str, count: int, zone: str = "America/New_York") -> list[str]:
    """The next ``count`` times after a local time, as local times with their offset."""
    found, moment = [], datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)).timestamp()
    for _ in range(count):
        following = schedule(text, zone).next_after(moment)
        assert following is not None
        assert following > moment
        moment = following
        found.append(datetime.fromtimestamp(moment, ZoneInfo(zone)).isoformat(timespec="minutes"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 6 * * *", ["2026-01-05T06:00-05:00", "2026-01-06T06:00-05:00"]),
        ("*/20 * * * *", ["2026-01-05T00:20-05:00", "2026-01-05T00:40-05:00"]),
        ("5/20 9-17/4 * * *", ["2026-01-05T09:05-05:00", "2026-01-05T09:25-05:00"]),
        ("30 7,19 * * *", ["2026-01-05T07:30-05:00", "2026-01-05T19:30-05:00"]),
        ("0 6 * * mon-fri", ["2026-01-05T06:00-05:00", "2026-01-06T06:00-05:00"]),
        ("0 6 * * 6,7", ["2026-01-10T06:00-05:00", "2026-01-11T06:00-05:00"]),
        ("0 6 1 JAN,feb *", ["2026-02-01T06:00-05:00", "2027-01-01T06:00-05:00"]),
        ("0 6 13 * fri", ["2026-01-09T06:00-05:00", "2026-01-13T06:00-05:00"]),  # either day is enough
        ("0 6 29 2 *", ["2028-02-29T06:00-05:00", "2032-02-29T06:00-05:00"]),
        ("@daily", ["2026-01-06T00:00-05:00", "2026-01-07T00:00-05:00"]),
    ],
)
def test_the_fields_mean_what_cron_says(text: str, expected: list[str]) -> None:
    assert times(text, "2026-01-05T00:00", 2) == expected


def test_a_time_the_clocks_skip_is_due_when_they_change() -> None:
    assert times("30 2 * * *", "2026-03-07T03:00", 2) == ["2026-03-08T03:00-04:00", "2026-03-09T02:30-04:00"]
    assert times("15,45 2 * * *", "2026-03-08T00:00", 2) == ["2026-03-08T03:00-04:00", "2026-03-09T02:15-04:00"]


def test_a_fixed_time_that_comes_twice_is_due_once() -> None:
    assert times("30 1 * * *", "2026-10-31T12:00", 2) == ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"]


def test_every_half_hour_stays_every_half_hour_when_the_clocks_change() -> None:
    for start in ("2026-10-31T23:30", "2026-03-07T23:30"):
        found = [datetime.fromisoformat(t).timestamp() for t in times("*/30 * * * *", start, 12)]
        assert {later - earlier for earlier, later in pairwise(found)} == {1800.0}


def test_a_zone_with_half_an_hour_of_summer_time() -> None:
    assert times("15 2 * * *", "2026-10-04T00:00", 1, "Australia/Lord_Howe") == ["2026-10-04T02:30+11:00"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0 6 * *", "has 4 fields"),
        ("0 0 6 * * *", "has 6 fields"),
        ("61 * * * *", "'61' is not a number from 0 to 59"),
        ("0 24 * * *", "'24' is not a number from 0 to 23"),
        ("0 6 * * fry", "or a name such as sun"),
        ("*/0 * * * *", "steps of 0"),
        ("30-10 * * * *", "runs backwards"),
        ("R * * * *", "not a number"),
        ("1,,2 * * * *", "is not a minute"),
        ("0 0 30 2 *", "never comes"),
        ("", "has 0 fields"),
        ("٣ * * * *", "not a number"),
    ],
)
def test_what_is_no_schedule_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(SetupError, match=r"\[pickups\.x\]") as refused:
        schedule(text)
    assert said in str(refused.value)


_FIELD = {
    "minute": st.sampled_from(["*", "0", "59", "*/7", "10-20", "3,33"]),
    "hour": st.sampled_from(["*", "0", "1", "2", "23", "*/5", "1-3"]),
    "day": st.sampled_from(["*", "1", "*/9", "8-14", "30"]),
    "month": st.sampled_from(["*", "3", "11", "2,10"]),
    "weekday": st.sampled_from(["*", "0", "7", "mon-fri", "sun"]),
}


@settings(deadline=None)
@given(
    text=st.builds(lambda *f: " ".join(f), *_FIELD.values()),
    start=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)),
    zone=st.sampled_from(["UTC", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_nothing_due_lies_between_a_moment_and_the_next_one(text: str, start: datetime, zone: str) -> None:
    """The next time fits the fields, and asking again from just before it gives it again."""
    moment = start.replace(tzinfo=ZoneInfo(zone)).timestamp()
    plan = schedule(text, zone)
    due = plan.next_after(moment)
    assert due is not None
    assert due > moment
    assert plan.next_after(due - 1) == due
    middle = moment + (due - moment) / 2
    assert plan.next_after(middle) == due
    local, before = (datetime.fromtimestamp(at, ZoneInfo(zone)) for at in (due, due - 60))
    at_the_change = before.utcoffset() != local.utcoffset()
    assert at_the_change or (local.minute in plan.minutes and local.hour in plan.hours)
