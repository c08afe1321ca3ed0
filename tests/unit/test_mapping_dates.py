"""Dates and times: by declared format, as ISO, or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapped import NEW_YORK

from pipeline.fields import FieldSpec
from pipeline.mapping.cells import Reading
from pipeline.mapping.dates import format_problem, orders_in
from pipeline.mapping.declared import by_format
from pipeline.mapping.parsers import read_one
from pipeline.reasons import Trouble


def moment(text, *formats, parse="datetime", zone=NEW_YORK, day_first=None):
    spec = FieldSpec("ordered_at", "time") if parse == "datetime" else FieldSpec("birth_date", "date")
    read = read_one(text, Reading(spec, parse, zone, formats=formats, day_first=day_first))
    return read.code if isinstance(read, Trouble) else read


def local(*parts):
    return datetime(*parts, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05", local(2026, 1, 5)),
        ("2026-01-05 08:15", local(2026, 1, 5, 8, 15)),
        ("2026-01-05T08:15:30", local(2026, 1, 5, 8, 15, 30)),
        ("2026-01-05T13:15:00Z", local(2026, 1, 5, 8, 15)),
        ("2026-09-22 09:12:44 -0700", local(2026, 9, 22, 12, 12, 44)),
        ("2026-01-05 13:15 UTC", local(2026, 1, 5, 8, 15)),
        ("2026/1/5", local(2026, 1, 5)),
        ("20260105", local(2026, 1, 5)),
        ("5 Jan 2026", local(2026, 1, 5)),
        ("January 5th, 2026 3:04 PM", local(2026, 1, 5, 15, 4)),
        ("13/05/2026", local(2026, 5, 13)),
        ("05/13/2026 12:30 am", local(2026, 5, 13, 0, 30)),
        ("05.05.2026", local(2026, 5, 5)),
        ("45000", local(2023, 3, 15)),
        ("45000.5", local(2023, 3, 15, 12)),
    ],
)
def test_what_is_certain_needs_no_format(text, expected):
    assert moment(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("01/05/2026", "ambiguous_date"), ("1.5.2026 10:00", "ambiguous_date"), ("2026-02-30", "bad_date"),
        ("31/31/2026", "bad_date"), ("12/31/22", "bad_date"), ("yesterday", "bad_date"),
        ("24:00", "bad_date"),
        ("2026-01-05 25:00", "bad_date"), ("13:00 PM 5 Jan 2026", "bad_date"),
        ("5 Jan 2026 13:00 PM", "bad_date"),
        ("5 Foo 2026", "bad_date"), ("1850-01-01", "date_out_of_range"), ("2101-01-01", "date_out_of_range"),
        ("2026-03-08 02:30", "no_such_time"), ("#VALUE!", "excel_error_cell"), ("0", "bad_date"),
        ("81000", "bad_date"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_refused(text, code):
    assert moment(text) == code


def test_a_column_decides_the_order_of_day_and_month():
    assert orders_in(["01/05/2026", "13/05/2026"]) == {"day"}
    assert orders_in(["01/05/2026", "05/13/2026"]) == {"month"}
    assert orders_in(["13/05/2026", "05/13/2026"]) == {"day", "month"}
    assert orders_in(["01/05/2026", "2026-05-13", "32/13/2026"]) == frozenset()
    assert moment("01/05/2026", day_first=True) == local(2026, 5, 1)
    assert moment("01/05/2026", day_first=False) == local(2026, 1, 5)


def test_declared_formats_decide():
    assert moment("1/5/2026", "%m/%d/%Y") == local(2026, 1, 5)
    assert moment("1/5/2026", "%d/%m/%Y") == local(2026, 5, 1)
    assert moment("12/31/22", "%m/%d/%y") == local(2022, 12, 31)
    assert moment("31/12/2022", "%m/%d/%Y") == "bad_date"
    assert moment("5.1.2026", "%m/%d/%Y", "%d.%m.%Y") == local(2026, 1, 5)


def test_two_declared_formats_that_contradict_each_other_are_not_guessed_between():
    assert moment("1/5/2026", "%m/%d/%Y", "%d/%m/%Y") == "ambiguous_date"
    assert moment("13/5/2026", "%m/%d/%Y", "%d/%m/%Y") == local(2026, 5, 13)


def test_workbook_dates_are_taken_beside_a_declared_format():
    assert moment("2026-01-05 08:15:00", "%m/%d/%Y") == local(2026, 1, 5, 8, 15)
    assert moment("1-Mar-2026", "%m/%d/%Y") == local(2026, 3, 1)
    assert moment("45000", "%m/%d/%Y") == local(2023, 3, 15)
    assert moment("45000", "%Y%m%d") == "bad_date"


def test_a_format_without_separators_takes_no_shorter_text():
    assert moment("20260115", "%Y%m%d") == local(2026, 1, 15)
    assert moment("2026115", "%Y%m%d") == "bad_date"
    assert moment("20260105", "%d%m%Y") == "bad_date"


FORMS = (
    "%m/%d/%Y", "%d.%m.%y", "%Y-%m-%d", "%m/%d/%Y %H:%M", "%m/%d/%y %I:%M %p", "%Y-%m-%dT%H:%M:%S.%f", "%d-%b-%Y %H:%M",
    "%B %d, %Y", "%H.%M %d/%m/%Y", "%Y/%j", "%d %b %Y %H:%M:%S.%f", "%m/%d/%Y %I:%M%p",
)  # fmt: skip


@given(
    st.sampled_from(FORMS), st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31)),
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(0, 1), st.text("0123456789/-.: apmT\u0663", max_size=2)), max_size=2
    ),
)  # fmt: skip
def test_plain_digits_are_read_as_strptime_reads_them(form, when, edits):
    text = when.strftime(form)
    for at, gone, put in edits:
        text = text[:at] + put + text[at + gone :]
    try:
        expected = datetime.strptime(text, form)
    except ValueError:
        expected = None
    (read,) = by_format([text], form)
    assert read == expected or (expected is None and "%f" in form and read is not None)  # more than six digits


@pytest.mark.parametrize("text", ["now", "today", "nan", "-2026-01-05", "-2026.01.05"])
def test_words_of_a_program_and_years_before_christ_are_no_dates(text):
    assert moment(text, "%Y-%m-%d", "%Y.%m.%d", "%m/%d/%Y") == "bad_date"


def test_fractions_are_read_to_the_millionth_part():
    expected = local(2026, 1, 5, 8, 15, 0, 123456)
    assert moment("01/05/2026 08:15:00.1234567", "%m/%d/%Y %H:%M:%S.%f") == expected
    assert moment("05-Jan-2026 08:15:00.123456789", "%d-%b-%Y %H:%M:%S.%f") == expected


def test_an_offset_in_a_declared_format_counts_and_does_not_move_a_bare_day():
    text, form = "05.01.2026 00:30 +0200", "%d.%m.%Y %H:%M %z"
    assert moment(text, form) == datetime(2026, 1, 4, 22, 30, tzinfo=UTC)
    assert moment(text, form, parse="date") == date(2026, 1, 5)


def test_clocks_put_back_give_the_first_of_two_hours():
    read = moment("2026-11-01 01:30")
    assert read.utcoffset() == timedelta(hours=-4)


def test_a_day_whose_midnight_is_skipped_begins_with_its_first_hour():
    assert moment("2018-11-04", zone=ZoneInfo("America/Sao_Paulo")).hour == 1


@pytest.mark.parametrize("form", ["%m/%Y", "%d.%m.", "nonsense", "%Y-%m-%d %I:%M", "%Y-%m-%d %Z", "%Y-%m-%d %Q", ""])
def test_formats_that_cannot_give_a_date_are_found_out(form):
    assert format_problem(form)


@pytest.mark.parametrize("form", ["%m/%d/%Y", "%d.%m.%y %H:%M", "%Y%m%d", "%b %d, %Y %I:%M %p", "%d %B %Y", "%Y-%j"])
def test_formats_that_can(form):
    assert format_problem(form) is None


@given(st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)))
def test_a_time_written_in_a_format_comes_back(when):
    when = when.replace(microsecond=0)
    form = "%d/%m/%Y %H:%M:%S"
    there = when.replace(tzinfo=UTC)
    assert moment(when.strftime(form), form, zone=ZoneInfo("UTC")) == there
    assert moment(when.isoformat(), zone=ZoneInfo("UTC")) == there


@given(st.text(max_size=25))
def test_any_text_is_a_time_with_a_zone_or_a_named_trouble(text):
    read = moment(text, "%d/%m/%Y")
    assert read is None or isinstance(read, str) or read.tzinfo is not None


# --- dates as people write them ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "5 January 2026", "05 Jan 2026", "5-Jan-2026", "05/Jan/2026", "Jan 5, 2026", "Jan. 5th, 2026", "January 5 2026",
        "Monday, January 5, 2026", "Mon, 05 Jan 2026", "Mon 5 Jan 2026", "5th of January 2026", "05-Jan-26",
        "5. Januar 2026", "Montag, 5. Januar 2026", "5. Jan. 2026", "5. Jänner 2026", "den 5. Januar 2026",
        "5 janvier 2026", "le 5 janv. 2026", "lundi 5 janvier 2026", "5 de enero de 2026", "lunes, 5 de enero de 2026",
        "5 ene. 2026", "5 gennaio 2026", "5 gen 2026", "5 de janeiro de 2026", "segunda-feira, 5 de janeiro de 2026",
        "5 januari 2026", "5 jan. 2026", "maandag 5 januari 2026", "5 stycznia 2026", "5 sty 2026 r.",
        "5 января 2026 г.", "5 янв. 2026", "понедельник, 5 января 2026 г.", "5 січня 2026 р.", "5. ledna 2026",
        "5. januára 2026", "2026. január 5.", "5 ianuarie 2026", "5 Ocak 2026", "5. tammikuuta 2026", "2026年1月5日",
        "2026년 1월 5일", "2026. 1. 5.", "2026.01.05", "2026-Jan-05", "5\u00a0janvier\u00a02026", "5 JANVIER 2026",
        "20260105", "46027",
    ],
)  # fmt: skip
def test_one_day_in_many_tongues(text):
    assert moment(text) == local(2026, 1, 5)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("1er févr. 2026", 2), ("1 fevrier 2026", 2), ("1. März 2026", 3), ("1. Mrz 2026", 3), ("1 mrt 2026", 3),
        ("1 марта 2026", 3), ("1 abr 2026", 4), ("1 mai 2026", 5), ("1 maja 2026", 5), ("1 juin 2026", 6),
        ("1 giu 2026", 6), ("1 lug 2026", 7), ("1 juil. 2026", 7), ("1 août 2026", 8), ("1 aout 2026", 8),
        ("1 sierpnia 2026", 8), ("1 ago 2026", 8), ("1 sept. 2026", 9), ("1 set 2026", 9), ("1 сент. 2026", 9),
        ("1. Okt. 2026", 10), ("1 out 2026", 10), ("1 października 2026", 10), ("1 listopada 2026", 11),
        ("1 нояб. 2026 г.", 11), ("1 déc. 2026", 12), ("1 dic 2026", 12), ("1. Dez. 2026", 12), ("1 grudnia 2026", 12),
    ],
)  # fmt: skip
def test_months_full_short_with_dots_and_without_accents(text, month):
    assert moment(text) == local(2026, month, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jan 5, 2026 3:04:05 PM", local(2026, 1, 5, 15, 4, 5)), ("5 Jan 2026 3:04 p.m.", local(2026, 1, 5, 15, 4)),
        ("5 ene 2026 3:04 p.\u00a0m.", local(2026, 1, 5, 15, 4)), ("Jan 5, 2026 at 3 PM", local(2026, 1, 5, 15)),
        ("5. Januar 2026 um 15:04 Uhr", local(2026, 1, 5, 15, 4)), ("13/01/2026 12:00 a.m.", local(2026, 1, 13)),
        ("5 января 2026 г. в 15:04", local(2026, 1, 5, 15, 4)), ("2026年1月5日 15:04", local(2026, 1, 5, 15, 4)),
        ("Mon, 05 Jan 2026 20:04:05 +0000", local(2026, 1, 5, 15, 4, 5)),
        ("Mon Jan 05 2026 21:04:05 GMT+0100 (Central European Standard Time)", local(2026, 1, 5, 15, 4, 5)),
        ("Mon Jan  5 15:04:05 2026", local(2026, 1, 5, 15, 4, 5)),
        ("Jan 5, 2026 12:04:05 PM PST", local(2026, 1, 5, 15, 4, 5)),
        ("13/01/2026 15:04 -05:00", local(2026, 1, 13, 15, 4)), ("2026-01-05 21:04 CET", local(2026, 1, 5, 15, 4)),
        ("20260105T200405Z", local(2026, 1, 5, 15, 4, 5)), ("20260105150405", local(2026, 1, 5, 15, 4, 5)),
        ("Mon 13/01/2025", local(2025, 1, 13)), ("13. 01. 2026", local(2026, 1, 13)),
    ],
)  # fmt: skip
def test_clocks_and_zones_beside_a_day(text, expected):
    assert moment(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Tuesday, January 5, 2026", "5 Jan 2026 15:04 CST", "5 Jan 2026 15:04 IST", "5 Foo 2026", "Jan 2026",
        "32 Jan 2026", "5 Jan 2026 15:04 PM", "5 Jan 2026 0:04 PM", "26/01/05", "20261305", "1 Jan 2026 2 Jan 2026",
        "5 Jan 77", "5 de 2026", "Q1 2026", "1767225600",
    ],
)  # fmt: skip
def test_what_may_mean_something_else_is_not_guessed(text):
    assert moment(text) == "bad_date"


def test_two_digits_of_a_year_are_no_year_of_birth():
    assert moment("05-Jan-35") == local(2035, 1, 5)
    assert moment("05-Jan-35", parse="date") == "bad_date"
    assert moment("05-Jan-35", "%d-%b-%y", parse="date") == date(2035, 1, 5)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("5. März 2026", "%d. %B %Y"), ("5 mars 2026", "%d %B %Y"), ("05-mrt-2026", "%d-%b-%Y"),
        ("Donnerstag, 5. März 2026", "%A, %d. %B %Y"), ("5 марта 2026", "%d %B %Y"), ("5 mar. 2026", "%d %b. %Y"),
        ("Mar 5, 2026", "%b %d, %Y"),
    ],
)  # fmt: skip
def test_a_declared_format_reads_names_of_any_tongue(text, form):
    assert moment(text, form) == local(2026, 3, 5)


def test_weekdays_before_numbers_let_the_column_decide():
    assert orders_in(["Mon 13/01/2025", "Wed, 05/02/2025"]) == {"day"}
    assert moment("Wed 05/02/2025", day_first=True) == local(2025, 2, 5)
    assert moment("Thu 05/02/2025", day_first=True) == "bad_date"
