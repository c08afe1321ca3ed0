"""Numbers in workbooks as a person sees them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from pipeline.reading.shown import date_text, number_text

CASES = [
    (17850.0, "General", "17850"),
    (0.1 + 0.2, "General", "0.3"),
    (123456789012, "General", "123456789012"),
    (999999999999999, "0", "999999999999999"),
    (1234567890123456, "0", "1.23457E+15"),
    (123457000000000000, "General", "1.23457E+17"),
    (0.00001, "General", "0.00001"),
    (2339, "00000", "02339"),
    (-7, "00000", "-00007"),
    (12.5, "0.00", "12.50"),
    (2.675, "0.00", "2.68"),
    (-0.001, "0.00", "0.00"),
    (1234.5, "#,##0.00", "1234.50"),
    (1234.5, '"$"#,##0.00', "1234.50"),
    (1234, "#,##0.00\\ [$€-407]", "1234.00"),
    (-1234.5, "#,##0.00_);[Red](#,##0.00)", "-1234.50"),
    (5, "0.##", "5"),
    (5, '0" kg"', "5"),
    (1234567, "#,##0,", "1234567"),
    (12345678, "0.00E+00", "12345678"),
    (0.5, "# ?/?", "0.5"),
    (0, '_(* "-"_)', "0"),
    (12, "@", "12"),
    (0.15, "0%", "15%"),
    (0.155, "0.0%", "15.5%"),
    (23390123, "00000-0000", "02339-0123"),
    (12, '"SKU-"00000', "SKU-00012"),
    (5551234567, "(000) 000-0000", "(555) 123-4567"),
    (46027, "yyyy-mm-dd", "2026-01-05"),
    (46027.34375, "mm/dd/yy", "2026-01-05"),
    (46027.34375, "dd/mm/yyyy hh:mm", "2026-01-05 08:15:00"),
    (46027.999999, "yyyy-mm-dd hh:mm:ss", "2026-01-06 00:00:00"),
    (46027, "[$-409]d-mmm-yy;@", "2026-01-05"),
    (46082, "d-mmm", "1-Mar-2026"),
    (46082, "mmm-yy", "1-Mar-2026"),
    (46082, "mmm", "1-Mar-2026"),
    (46082, "dd/mm", "2026-03-01"),
    (46027, 'yyyy"年"m"月"d"日"', "2026-01-05"),
    (0.34375, "h:mm AM/PM", "08:15:00"),
    (0.5000001, "h:mm:ss.000", "12:00:00.009"),
    (1.5, "[h]:mm", "36:00:00"),
    (59, "yyyy-mm-dd", "1900-02-28"),
    (61, "yyyy-mm-dd", "1900-03-01"),
    (60, "yyyy-mm-dd", "60"),
    (-5, "yyyy-mm-dd", "-5"),
    (3_000_000, "yyyy-mm-dd", "3000000"),
    (float("inf"), "0.00", "#NUM!"),
]


@pytest.mark.parametrize(("value", "code", "text"), CASES)
def test_a_number_under_its_format(value: float, code: str, text: str) -> None:
    assert number_text(value, code) == text


def test_the_1904_date_system_moves_dates_and_not_times() -> None:
    assert number_text(0, "yyyy-mm-dd", date1904=True) == "1904-01-01"
    assert number_text(44565, "yyyy-mm-dd", date1904=True) == "2026-01-05"
    assert number_text(0.5, "h:mm", date1904=True) == "12:00:00"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 1, 5), "2026-01-05"),
        (datetime(2026, 1, 5, 8, 15), "2026-01-05 08:15:00"),
        (datetime(2026, 1, 5, 23, 59, 59, 999_999), "2026-01-06"),
        (datetime(9999, 12, 31), "9999-12-31"),
        (date(2026, 1, 5), "2026-01-05"),
        (time(8, 15), "08:15:00"),
        (timedelta(hours=27, minutes=30), "27:30:00"),
        (timedelta(seconds=-90), "-00:01:30"),
    ],
)
def test_dates_that_come_as_dates(value: datetime | date | time | timedelta, text: str) -> None:
    assert date_text(value) == text


@pytest.mark.parametrize("code", ["", ";", ";;;", "[", '"', "\\", "_", "*", "0.0.0", "????", "E+", "%", "/", "@@"])
def test_no_format_however_odd_loses_the_number(code: str) -> None:
    assert number_text(42, code).strip("0.% ") in {"42"}
