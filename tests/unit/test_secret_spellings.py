"""A secret is taken out of whatever a vendor repeats, however it is spelt there."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest

from pipeline.settings import Secret

VALUE = 's3cret/Zq7w+"<é> &'
SPELLINGS = [
    VALUE, quote(VALUE), quote(VALUE, safe=""), quote_plus(VALUE), quote(VALUE, safe="").replace("%2F", "%2f"),
    json.dumps(VALUE), json.dumps(VALUE).replace("/", "\\/"), html.escape(VALUE),
    base64.b64encode(VALUE.encode()).decode(),
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_hidden(spelling: str) -> None:
    hidden = Secret(VALUE, "here").hidden_in(f"before {spelling} after")
    assert hidden.replace('"', "").replace("=", "") == "before *** after"


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_value_nothing_is_hidden(value: str | None) -> None:
    assert Secret(value, "here").hidden_in("as it was") == "as it was"


def test_an_undecodable_secret_is_no_trouble() -> None:
    assert Secret("a\udcffb", "here").hidden_in("x a\udcffb y") == "x *** y"
