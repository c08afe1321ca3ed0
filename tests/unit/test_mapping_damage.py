"""What a spreadsheet did to codes, long numbers and postal codes is recognised, and nothing else is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapped import NEW_YORK, ORDER, ORDER_HEADER, checked_of, told

from pipeline.fields import FieldSpec
from pipeline.mapping.cells import Reading
from pipeline.mapping.damage import CUT, WHOLE, cuts_in, is_made_a_date, is_packed
from pipeline.mapping.parsers import read_one
from pipeline.reasons import Trouble


def sku(text: str) -> object:
    read = read_one(text, Reading(FieldSpec("sku"), "text", NEW_YORK))
    return read.code if isinstance(read, Trouble) else read


@pytest.mark.parametrize(
    "text",
    [
        "1-Mar", "1-Mar-2026", "Mar-01", "02-Sep",
        "2026-03-01 00:00:00", "01. Mrz", "Mrz 01", "05. Okt", "01-mars", "mars-01",
        "04-févr", "févr.-04", "01-ene", "ene-01", "01-mrt", "mrt-01", "01-maj", "01.мар", "мар.01", "02.wrz", "01/mai",
        "dez/05", "01-dic", "01-Mar-26",
    ],
)  # fmt: skip
def test_codes_that_were_made_dates_are_recognised_in_many_tongues(text):
    assert sku(text) == "excel_damaged_date"


@pytest.mark.parametrize(
    "text",
    [
        "MAR-01", "SET-10", "set-10", "out-12", "MAI 12", "mag-01", "1-Marker", "Mar-2026-01", "Oct-A", "01-MAR",
        "10-set",
        "01.02", "may-flower", "Mar01", "A-1-Mar", "1-mar-2", "lip.10", "Maj-01", "2026-03-01", "DEC-10", "dec-10",
    ],
)  # fmt: skip
def test_codes_that_only_look_a_little_like_dates_stay(text):
    assert sku(text) == text


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("MUG x 2; CUP x 1", True), ("MUG x 2; CUP x 1;", True), ("2x Mug, 1x Cup", True), ("MUG ×2 | CUP * 1", True),
        ("MUG x 2", False), ("MUG x 2;", False), ("MUG; CUP", False), ("2 x 4; 3 x 5", False), ("1x Mug, blue", False),
        ("A x 1; " * 4_000, True), ("A x 1; A x " * 2_500 + ";!", False), ("A" * 30_000 + ";", False),
    ],
)  # fmt: skip
def test_several_codes_in_one_cell_are_told_however_long_it_is(text, packed):
    assert is_packed(text) is packed


def test_only_fields_that_identify_are_looked_at():
    assert read_one("1-Mar", Reading(FieldSpec("note"), "text", NEW_YORK)) == "1-Mar"


# --- long numbers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["123456789012345000", "987654321098765000"], {CUT}),
        (["12345678901234500"], set()),  # two zeros happen by chance
        (["1234567890123450", "9876543210987650", "5555555555555510"], {CUT}),
        (["123456789012345000", "987654321098765001"], {WHOLE}),
        (["500000000000000000", "600000000000000000"], set()),  # round numbers
        (["123456789012345", "12345"], set()),
        (["A23456789012345000", "12345678901234500-1"], set()),
        ([], set()),
    ],
)
def test_a_column_shows_whether_its_long_numbers_were_cut(texts, shown):
    assert cuts_in(texts) == shown


@given(st.lists(st.integers(10**17, 10**18 - 1), min_size=30, max_size=60, unique=True))
def test_a_column_of_real_long_numbers_is_hardly_ever_suspected(numbers):
    assert cuts_in(map(str, numbers)) <= {WHOLE} or all(n % 1000 == 0 for n in numbers)


def orders(folder, *ids):
    rows = [(number, "1/5/2026", "1", "5.00", "A", "", "") for number in ids]
    return checked_of(folder, ORDER, ORDER_HEADER, rows)


def test_cut_order_numbers_are_handed_back_and_whole_ones_are_not(tmp_path):
    checked = orders(tmp_path, "123456789012345000", "123456789012346000", "77")
    assert told(checked) == [(2, "excel_cut_number"), (3, "excel_cut_number")]
    assert "zeros behind the fifteenth digit" in checked.rejections[0].message
    assert orders(tmp_path, "123456789012345000", "123456789012346001").rejected == 0


def test_a_long_number_marked_as_text_was_never_cut(tmp_path):
    checked = orders(tmp_path, '="123456789012345000"', "'123456789012346000", "123456789012347000")
    assert told(checked) == [(4, "excel_cut_number")]


# --- postal codes ----------------------------------------------------------------------------------------------------

WITH_PLACE = ORDER.replace(
    "  email: {column: Email}\n", "  shipping_postal_code: {column: Email}\n  shipping_country: {column: Gift}\n"
).replace("  extra: {gift: {column: Gift}}\n", "")


def placed(folder, code, country):
    checked = checked_of(folder, WITH_PLACE, ORDER_HEADER, [("1", "1/5/2026", "1", "5.00", "A", code, country)])
    return [(r.code, r.column) for r in checked.rejections], checked


@pytest.mark.parametrize(
    ("code", "country", "full"),
    [
        ("2339", "US", "02339"), ("501", "US", "00501"), ("2339-1234", "USA", "02339-1234"),
        ("1067", "Germany", "01067"),
        ("1000", "FR", "01000"), ("187", "IT", "00187"), ("8001", "ES", "08001"), ("150", "NO", "0150"),
        ("800", "AU", "0800"), ("18956", "SG", "018956"), ("1310100", "BR", "01310100"), ("600001", "JP", "0600001"),
    ],
)  # fmt: skip
def test_a_postal_code_that_lost_its_zero_is_named_with_the_likely_one(tmp_path, code, country, full):
    found, checked = placed(tmp_path, code, country)
    assert found == [("lost_leading_zero", "Email")]
    assert full in checked.rejections[0].message


@pytest.mark.parametrize(
    ("code", "country"),
    [
        ("02339", "US"), ("02339-1234", "US"), ("2339", "AT"), ("1067", "CH"), ("1067", "NL"), ("1067", ""), ("", "US"),
        ("T6G 2C7", "CA"), ("060-0001", "JP"), ("9", "US"), ("SW1A 1AA", "GB"), ("1010", "AU"), ("010 01", "SK"),
        ("01310-100", "BR"), ("2196", "ZA"),
    ],
)  # fmt: skip
def test_a_postal_code_nobody_can_tell_about_stays(tmp_path, code, country):
    assert placed(tmp_path, code, country)[0] == []


@given(st.text(max_size=12))
def test_no_text_breaks_the_look_for_dates(text):
    assert is_made_a_date(text) in {True, False}
