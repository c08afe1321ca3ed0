"""Numbers are exact or refused: never wrong and accepted."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mapped import NEW_YORK

from pipeline.fields import FieldSpec
from pipeline.mapping.cells import Reading
from pipeline.mapping.numbers import marks_in
from pipeline.mapping.parsers import PARSERS, read_one
from pipeline.reasons import Trouble


def number(text, parse="decimal", decimal=None):
    read = read_one(text, Reading(FieldSpec("amount", "decimal"), parse, NEW_YORK, decimal=decimal))
    return read.code if isinstance(read, Trouble) else read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", "12"), ("12.50", "12.50"), ("12,50", "12.50"), ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234,567", "1234567"), ("1'234.5", "1234.5"), ("1 234,50", "1234.50"),
        ("1\u202f234,50", "1234.50"),
        ("1,23,456.00", "123456.00"), (".5", "0.5"), ("0,123", "0.123"), ("(12.00)", "-12.00"),
        ("12-", "-12"),
        ("\u221212", "-12"), ("+3", "3"), ("  7 ", "7"), ("'15", "15"), ('="0042"', "42"), ("1'234", "1234"),
    ],
)  # fmt: skip
def test_a_number_that_has_one_reading_is_read(text, expected):
    assert number(text) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "value"),
    [("¥1,500", "1500"), ("1,500円", "1500"), ("￥12,345", "12345"), ("₩15,000", "15000"), ("¥1.234", "1.234")],
)
def test_a_comma_beside_a_yen_or_won_is_no_decimal_mark(text, value):
    assert number(text, "money") == Decimal(value)
    assert marks_in([text]) == {"."}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1,234", "ambiguous_number"), ("1.234", "ambiguous_number"), ("-12.345", "ambiguous_number"),
        ("1,2,3", "bad_number"), ("1..2", "bad_number"), ("12,34.5.6", "bad_number"),
        ("1,23,4", "bad_number"),
        ("(-5)", "bad_number"), ("--5", "bad_number"), ("(5", "bad_number"), ("five", "bad_number"),
        ("１２", "bad_number"), ("12%", "bad_number"), ("$5", "bad_number"), ("NaN", "bad_number"),
        ("Infinity", "bad_number"), ("1_000", "bad_number"), ("0x1F", "bad_number"),
        ("131.77(89.84)", "bad_number"),
        ("1.23E+11", "excel_damaged_number"), ("1e5", "excel_damaged_number"),
        ("#DIV/0!", "excel_error_cell"),
        ("9" * 19, "number_too_long"), ("0." + "1" * 13, "number_too_long"), ("1\x005", "control_character"),
    ],
)  # fmt: skip
def test_what_is_no_number_or_two_is_refused(text, code):
    assert number(text) == code


def test_a_declared_mark_decides_and_forbids_the_other():
    assert number("1,234", decimal=".") == Decimal(1234)
    assert number("1,234", decimal=",") == Decimal("1.234")
    assert number("12,50", decimal=".") == "bad_number"
    assert number("12.50", decimal=",") == "bad_number"
    assert number("1.234.567,8", decimal=",") == Decimal("1234567.8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$12.00", "12.00"), ("12,00 EUR", "12.00"), ("-$5.00", "-5.00"), ("$-5", "-5"), ("($5.00)", "-5.00"),
        ("US$5.00", "5.00"), ("$12.00 USD", "12.00"), ("Rs. 500", "500"), ("R$ 10,00", "10.00"),
        ("5.00 kr", "5.00"),
        ("USD 1,234.00", "1234.00"), ("5,00\u00a0€", "5.00"),
    ],
)  # fmt: skip
def test_money_may_carry_its_currency(text, expected):
    assert number(text, "money") == Decimal(expected)


@pytest.mark.parametrize("text", ["ABC 5", "5 USDX", "EUR", "$", "5 apples", "$5 €5"])
def test_money_carries_nothing_else(text):
    assert number(text, "money") == "bad_number"


def test_whole_numbers():
    assert number("12.0", "integer") == Decimal(12)
    assert number("12,0", "integer") == Decimal(12)
    assert number("12.5", "integer") == "not_whole"
    assert number("1.000", "integer") == "ambiguous_number"
    assert str(number("-0.0", "integer")) == "0"


def test_the_ways_out_of_an_ambiguity_are_themselves_certain():
    for text in ("1,234", "1.000", "12.500"):
        trouble = read_one(text, Reading(FieldSpec("amount", "decimal"), "decimal", NEW_YORK))
        readings = {number(trouble.details["one"]), number(trouble.details["other"])}
        assert len(readings) == 2
        assert all(isinstance(reading, Decimal) for reading in readings)


def test_a_column_shows_its_marks():
    assert marks_in(["7", "1,234", "1.234"]) == frozenset()
    assert marks_in(["1,234", "12.50"]) == {"."}
    assert marks_in(["1,234", "0,5"]) == {","}
    assert marks_in(["12.50", "12,50", "bogus"]) == {".", ","}


@given(st.decimals(-(10**15), 10**15, places=2), st.sampled_from([".", ","]))
def test_any_amount_written_in_the_declared_way_comes_back_exactly(amount, mark):
    plain = f"{amount:f}"
    grouped = f"{amount:,.2f}".replace(",", "g").replace(".", mark).replace("g", "," if mark == "." else ".")
    assert number(grouped, decimal=mark) == amount
    assert number(plain.replace(".", mark), decimal=mark) == amount


@given(st.text(max_size=30), st.sampled_from(["integer", "decimal", "money"]), st.sampled_from([None, ".", ","]))
def test_any_text_is_a_finite_number_or_a_named_trouble(text, parse, mark):
    read = read_one(text, Reading(FieldSpec("amount", "decimal"), parse, NEW_YORK, decimal=mark))
    assert read is None or isinstance(read, Trouble) or (isinstance(read, Decimal) and read.is_finite())
    assert read is None or any(c in "0123456789" for c in text) or isinstance(read, Trouble)


def test_every_parser_survives_any_one_character():
    for parse in PARSERS:
        reading = Reading(FieldSpec("note", "text"), parse, NEW_YORK, choices={"a": "b"})
        for text in map(chr, (0, 9, 10, 32, 34, 39, 45, 61, 64, 92, 160, 0x200B, 0xFEFF, 0xFFFF, 0x1F600)):
            read = read_one(text, reading)
            assert read is None or isinstance(read, str | Trouble)


# --- amounts as people write them -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-242.45", "-242.45"), ("$-242.45", "-242.45"), ("-$242.45", "-242.45"), ("$242.45-", "-242.45"),
        ("(12.00)", "-12.00"), ("($12.00)", "-12.00"), ("$(12.00)", "-12.00"), ("12.00-", "-12.00"),
        ("1.234,56 €", "1234.56"), ("€ 1.234,56", "1234.56"), ("EUR 1.234,56", "1234.56"), ("1.234,56 EUR", "1234.56"),
        ("1 234,56 €", "1234.56"), ("1\u00a0234,56\u00a0€", "1234.56"), ("1\u202f234,56\u202f€", "1234.56"),
        ("1\u2009234,56", "1234.56"), ("1\u2007234,56", "1234.56"), ("CHF 1'234.50", "1234.50"),
        ("CHF 1’234.50", "1234.50"), ("Fr. 1'234.50", "1234.50"), ("₹1,23,456.00", "123456.00"),
        ("Rs. 1,23,456.00", "123456.00"), ("US$ 12.50", "12.50"), ("R$ 1.234,56", "1234.56"),
        ("£23,705.00", "23705.00"),
        ("12,50 kr", "12.50"), ("kr. 12,50", "12.50"), ("12,50 zł", "12.50"), ("1 234,56 руб.", "1234.56"),
        ("¥1,200.00", "1200.00"), ("1200円", "1200"), ("12.50USD", "12.50"), ("usd 12.50", "12.50"),
        ("4.10\t", "4.10"), ("\u00a04.10\u00a0", "4.10"), ('="00123"', "123"), ('="4.10"', "4.10"),
        ("12,-", "12"), ("12.-", "12"), ("€ 12,–", "12"), ("CHF 12.—", "12"), ("12,-- €", "12"), ("1.200,- kr", "1200"),
        ("-12,-", "-12"),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_it_is_meant(text, expected):
    assert number(text, parse="money") == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-(12.00)", "bad_number"), ("(12.00", "bad_number"), ("-12.00-", "bad_number"), ("12,00 XYZ", "bad_number"),
        ("12 34", "bad_number"), ("131.77(已退款89.84)", "bad_number"), ("$", "bad_number"),
        ("12.50 or 13", "bad_number"),
        ("1'23", "bad_number"), ("12,-5", "bad_number"), ("-", "bad_number"), (",-", "bad_number"),
        ("1,234 €", "ambiguous_number"), ("€1.234", "ambiguous_number"),
    ],
)  # fmt: skip
def test_an_amount_that_means_nothing_or_two_things_is_refused(text, code):
    assert number(text, parse="money") == code


def test_a_dash_for_no_cents_belongs_to_money_alone():
    assert number("12,-") == "bad_number"
    assert number("12-") == Decimal(-12)
