"""Texts stay what they are; texts with a shape have it, or are refused."""

from __future__ import annotations

import pytest
from mapped import NEW_YORK

from pipeline.fields import RECORD_KINDS, FieldSpec
from pipeline.mapping.cells import LONGEST, Reading
from pipeline.mapping.parsers import read_one
from pipeline.reasons import REASONS, Trouble, reject, shown


def read(text, parse="text", name="note", **more):
    spec = RECORD_KINDS["order"].get(name) or FieldSpec(name)
    result = read_one(text, Reading(spec, parse, NEW_YORK, **more))
    return result.code if isinstance(result, Trouble) else result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00123", "00123"), ("123456789012345678", "123456789012345678"), ("  x\u00a0", "x"),
        ("a\u00a0b", "a\u00a0b"),
        ("\ufeffx\u200b", "x"), ('="00123"', "00123"), ('="say ""hi"""', 'say "hi"'), ("'85003", "85003"),
        ("'90s tee", "'90s tee"), ("line\nbreak\tkept", "line\nbreak\tkept"), ("=1+1", "=1+1"), ("", None),
        (" \t", None),
        ("1.23E+17", "1.23E+17"), ("1-Mar", "1-Mar"), ("#1001", "#1001"),
    ],
)  # fmt: skip
def test_text_stays_text(text, expected):
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.23E+11", "excel_damaged_number"), ("1,23457E+17", "excel_damaged_number"),
        ("1-Mar", "excel_damaged_date"),
        ("Mar-01", "excel_damaged_date"), ("2026-03-01 00:00:00", "excel_damaged_date"),
        ("a\tb", "control_character"),
        ("a\x07b", "control_character"), ("#N/A", "excel_error_cell"), ("x" * (LONGEST + 1), "too_long"),
    ],
)  # fmt: skip
def test_identifiers_that_a_spreadsheet_has_destroyed_are_refused(text, code):
    for name in ("sku", "order_id", "tracking_number", "billing_postal_code"):
        assert read(text, name=name) == code


def test_identifiers_that_only_look_destroyed_are_not():
    for text in ("MAR-01", "1E5", "12-MAR", "12.0", "'0012-AB"):
        assert read(text, name="sku") == text.lstrip("'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1001.0", "1001.0"), ("MUG x 2; CUP x 1", "several_codes"), ("2x MUG, 1x CUP-3", "several_codes"),
        ("A x 2", "A x 2"),
        ("BOLT 5 x 40, 5 x 50", "BOLT 5 x 40, 5 x 50"), ("12.0", "12.0"),
    ],
)  # fmt: skip
def test_codes_that_programs_changed_or_packed_are_sent_back(text, expected):
    assert read(text, name="sku") == expected


def test_a_postal_code_that_a_program_took_for_a_number_is_sent_back():
    assert read("2110.0", name="shipping_postal_code") == "floated_code"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a@b.com", "a@b.com"), ("A.b+c@EXAMPLE.Com", "A.b+c@example.com"),
        ("o'neil@x.co.uk", "o'neil@x.co.uk"),
        ("a@b", "bad_email"), ("a b@c.com", "bad_email"), ("Jane <a@b.com>", "bad_email"),
        ("a@@b.com", "bad_email"),
        ("a..b@c.de", "bad_email"), ("a@-b.de", "bad_email"), ("a@b.com, c@d.com", "bad_email"),
        ("@b.com", "bad_email"),
        ("a" * 65 + "@b.com", "bad_email"),
    ],
)  # fmt: skip
def test_email(text, expected):
    assert read(text, "email", "email") == expected


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("012345 / 6789", None, "012345 / 6789"), ("602-555-0100 ext. 5", None, "602-555-0100 ext. 5"),
        ("(602) 555-0100", "US", "+16025550100"), ("+44 20 7946 0958", "US", "+442079460958"),
        ("602-555-0100 x5", "US", "+16025550100 x5"), ("12", None, "bad_phone"),
        ("call me", None, "bad_phone"),
        ("555", "US", "bad_phone"), ("6.02556E+09", None, "excel_damaged_number"),
        ("'+16025550100", "US", "+16025550100"),
    ],
)  # fmt: skip
def test_phone(text, country, expected):
    assert read(text, "phone", "phone", country=country) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("us", "US"), ("USA", "US"), ("U.S.A.", "US"), ("United States", "US"), ("Deutschland", "DE"),
        ("UK", "GB"),
        ("Côte d’Ivoire", "CI"), ("COTE D'IVOIRE", "CI"), ("Russia", "RU"), ("Germny", "bad_country"),
        ("XX", "bad_country"), ("Niederlande", "NL"), ("ÉTATS-UNIS", "US"), ("Hiszpania", "ES"), ("Австрия", "AT"),
        ("米国", "US"), ("EIRE", "IE"), ("CAD", "bad_country"), ("Neuland", "bad_country"),
    ],
)  # fmt: skip
def test_country(text, expected):
    assert read(text, "country", "billing_country") == expected


def test_choices_are_exact_first_then_without_case():
    choices = {"A": "upper", "a": "lower", "Shipped Out": "shipped"}
    assert read("A", "choice", choices=choices) == "upper"
    assert read("a", "choice", choices=choices) == "lower"
    assert read("shipped  OUT", "choice", choices=choices) == "shipped"
    assert read("B", "choice", choices=choices) == "unknown_choice"


def test_a_text_that_two_choices_claim_is_not_guessed():
    assert read("Ab", "choice", choices={"AB": "one", "ab": "two"}) == "unknown_choice"
    assert read("Ab", "choice", choices={"AB": "one", "ab": "one"}) == "one"


def test_yes_and_no():
    assert read("WAHR", "boolean", "confirmed") is True
    assert read("0", "boolean", "confirmed") is False
    assert read("maybe", "boolean", "confirmed") == "bad_boolean"
    assert read("X", "boolean", "confirmed", true=("x",), false=("-",)) is True
    assert read("yes", "boolean", "confirmed", true=("x",), false=("-",)) == "bad_boolean"


def test_lists_are_joined_by_commas():
    assert read(" a ; b ;; c", "list", separator=";") == "a,b,c"
    assert read(";", "list", separator=";") is None


@pytest.mark.parametrize(
    ("text", "first", "middle", "last"),
    [
        ("Jane Doe", "Jane", None, "Doe"), ("Jane Ann Doe", "Jane", "Ann", "Doe"),
        ("Doe, Jane Ann", "Jane", "Ann", "Doe"),
        ("Ludwig van Beethoven", "Ludwig", None, "van Beethoven"), ("Cher", "Cher", None, None),
        ("  Jane   Doe ", "Jane", None, "Doe"), ("Doe,", "Doe,", None, None),
    ],
)  # fmt: skip
def test_names_are_split(text, first, middle, last):
    parts = [read(text, "split_name", part=part) for part in ("first", "middle", "last")]
    assert parts == [first, middle, last]


@pytest.mark.parametrize("text", ["Jane Ann Doe", "Ludwig van Beethoven", "Cher", "A B C D E"])
def test_first_and_rest_lose_nothing(text):
    first, rest = (read(text, "split_name", part=part) for part in ("first", "rest"))
    assert f"{first} {rest or ''}".strip() == text


def test_values_of_other_types_become_texts_in_text_fields():
    assert read("17850.0", "integer", "customer_id") == "17850"
    assert read("1.50", "money", "tag") == "1.50"
    assert read("5 Jan 2026", "date", "tag") == "2026-01-05"
    assert read("yes", "boolean", "tag") == "true"


def test_a_sentence_shows_a_long_or_odd_value_on_one_line():
    rejection = reject(3, "Note", "x" * 5000 + "\n\x07", "bad_email", field="email")
    assert rejection.value == "x" * 5000 + "\n\x07"
    assert len(rejection.message) < 250
    assert "\n" not in rejection.message
    assert shown("a\nb\x07") == "a b\\x07"


def test_braces_in_a_file_are_not_templates():
    assert "'{row.__class__}' in '{x}'" in reject(3, "{x}", "{row.__class__}", "bad_email").message


def test_every_reason_is_a_sentence_with_advice():
    for reason in REASONS.values():
        assert reason.message.rstrip("}").endswith((".", "{nearest"))
        assert reason.advice.endswith(".")
