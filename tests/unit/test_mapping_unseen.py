"""Characters that nobody sees, lost letters and garbled ones: taken away where that is certain, else sent back."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapped import NEW_YORK

from pipeline.arrow import texts
from pipeline.fields import RECORD_KINDS
from pipeline.mapping.cells import Reading
from pipeline.mapping.parsers import read
from pipeline.reading import open_table


def read_as(name: str, text: str, parse: str = "text") -> object:
    """The value of one cell, or the code of what is wrong with it; the same among cells that are plain."""
    reading = Reading(RECORD_KINDS["order"][name], parse, NEW_YORK)
    column = read(texts([text, "plain", "x@example.com"]), reading)
    troubles = {at: trouble.code for at, trouble in column.troubles}
    return troubles.get(0, column.cells.objects()[0])


@pytest.mark.parametrize(
    "text",
    [
        "A\u200b-1", "\ufeffA-1", "A\ufeff-1", "A-1\u200e", "\u202aA-1\u202c", "A\u2060-1", "A\u200d-1",
        "A-1\u2028", "\u2066A-1\u2069",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["order_id", "sku", "tracking_number", "shipping_postal_code"])
def test_an_identifier_is_what_a_person_sees_of_it(name: str, text: str) -> None:
    assert read_as(name, text) == "A-1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A\u00a01", "A 1"), ("A\u30001", "A 1"), ("A\u202f1", "A 1"), ("Cafe\u0301-1", "Café-1"),
        ("A\u00ad1", "control_character"), ("A\u20281", "control_character"), ("A\u20291", "control_character"),
        ("A\x851", "control_character"), ("A\x921", "control_character"), ("A\x001", "control_character"),
        ("A\ufffd1", "lost_letter"), ("MÃ¼-1", "garbled_text"),
    ],
)  # fmt: skip
def test_what_differs_unseen_in_an_identifier_is_made_alike_or_sent_back(text: str, expected: str) -> None:
    assert read_as("sku", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Zo\u200bë", "Zoë"), ("Do\u00adnau\u00addampf", "Donaudampf"), ("one\u2028two\u2029three", "one\ntwo\nthree"),
        ("\u202eevil\u202c", "evil"), ("family \U0001f468\u200d\U0001f469", "family \U0001f468\u200d\U0001f469"),
        ("می\u200cخواهم", "می\u200cخواهم"), ("a\u00a0b", "a\u00a0b"), ("Joe\x92s", "control_character"),
        ("Jos\ufffd", "lost_letter"), ("JosÃ©", "garbled_text"), ("JoeÂ´s", "garbled_text"),
        ("ÅÃ³dÅº", "ÅÃ³dÅº"), ("Å\x81Ã³dÅº", "control_character"), ("ÐœÐ¾ÑÐºÐ²Ð°", "ÐœÐ¾ÑÐºÐ²Ð°"),
        ("WÃ¤ÃŸrig", "garbled_text"), ("GdaÅ„sk", "garbled_text"), ("itâ€™s", "garbled_text"),
        ("Spaß“", "Spaß“"), ("„BLÅ“", "„BLÅ“"), ("CONCEIÇÃO", "CONCEIÇÃO"), ("São Paulo", "São Paulo"),
        ("10 Â", "10 Â"), ("Ærø – Å", "Ærø – Å"), ("ÑÑ", "ÑÑ"),
    ],
)  # fmt: skip
def test_a_text_is_rid_of_what_nobody_sees_and_sent_back_where_letters_are_lost(text: str, expected: str) -> None:
    assert read_as("product_name", text) == expected


@pytest.mark.parametrize(
    ("name", "parse", "text", "expected"),
    [
        ("email", "email", "bob\u200b@example.com", "bob@example.com"),
        ("email", "email", "b\ufffdb@example.com", "lost_letter"),
        ("phone", "phone", "\u202a+1 555 0100\u202c", "+1 555 0100"),
        ("shipping_country", "country", "\u200eDE", "DE"),
    ],
)
def test_every_kind_of_cell_is_read_as_it_is_seen(name: str, parse: str, text: str, expected: str) -> None:
    assert read_as(name, text, parse) == expected


def test_a_broken_byte_comes_back_with_its_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes("id,name\n1,Zoë\n2,Åse\n".encode() + b"3,J\xfcrgen\n")
    (block,) = open_table(path).blocks(100)
    column = read(block.rows[1], Reading(RECORD_KINDS["order"]["product_name"], "text", NEW_YORK))
    assert [(at, trouble.code) for at, trouble in column.troubles] == [(2, "lost_letter")]
