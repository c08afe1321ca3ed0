"""Quiet hours, digests and working days in a time zone, also on the nights on which the clocks change."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.hours import EVERY_DAY, Quiet, hours_within, last_of, read_days, read_quiet, read_time
from pipeline.alerts.words import plain
from pipeline.errors import SetupError

ZONE = ZoneInfo("America/New_York")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


@pytest.mark.parametrize(
    ("text", "days"),
    [("mon-fri", {0, 1, 2, 3, 4}), ("sat,sun", {5, 6}), ("fri-mon", {4, 5, 6, 0}), (" Wed ", {2}), ("", set())],
)
def test_days_are_read_as_people_write_them(text: str, days: set[int]) -> None:
    assert read_days(text, "x") == days


@pytest.mark.parametrize("text", ["monday", "mon-", "0", "mon fri"])
def test_days_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(SetupError, match="not a day of the week"):
        read_days(text, "x")


def test_quiet_over_midnight_and_on_days() -> None:
    quiet = read_quiet(["22:00-07:00", "12:00-13:00"], "sun", "x")
    found = {hour: quiet.at(at(f"2026-01-05T{hour}"), ZONE) for hour in ("06:59", "07:00", "12:30", "13:00", "22:00")}
    assert found == {"06:59": True, "07:00": False, "12:30": True, "13:00": False, "22:00": True}
    assert quiet.at(at("2026-01-04T10:00"), ZONE)


def test_the_last_digest_is_also_found_on_the_nights_of_a_change() -> None:
    times = (time(2, 30), time(13))
    assert last_of(times, Quiet(), at("2026-03-08T12:00"), ZONE) == at("2026-03-08T03:30")  # 2:30 is skipped
    assert last_of(times, Quiet(), at("2026-03-08T02:00"), ZONE) == at("2026-03-07T13:00")
    assert last_of((time(8),), Quiet(days=frozenset({5, 6})), at("2026-01-05T07:00"), ZONE) == at("2026-01-02T08:00")


def test_hours_of_days_that_do_not_count_do_not_count() -> None:
    friday, monday = at("2026-01-09T12:00"), at("2026-01-12T06:00")
    assert hours_within(friday, monday, EVERY_DAY, ZONE) == 66
    assert hours_within(friday, monday, frozenset(range(5)), ZONE) == 18
    assert hours_within(at("2026-03-08T00:00"), at("2026-03-09T00:00"), frozenset({6}), ZONE) == 23


@given(st.text())
def test_whatever_a_name_is_it_is_one_line_of_text(text: str) -> None:
    told = plain(text)
    assert not {"<", ">", "\n", "\r"} & set(told)
    assert all(ch.isprintable() for ch in told.replace("\N{WORD JOINER}", ""))
    assert len(told) <= 600
    assert "@everyone" not in told.casefold()


@pytest.mark.parametrize("text", ["8", "24:00", "08:60", "8 am", ""])
def test_times_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(SetupError, match="not a time of day"):
        read_time(text, "x")
