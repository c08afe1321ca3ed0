"""The names of countries that are kept are those that pycountry has, and they are all it takes to read a column."""

from __future__ import annotations

import subprocess
import sys

from pipeline.mapping import country_names
from pipeline.mapping.countries import NAMES

PROGRAM = """
import sys
from zoneinfo import ZoneInfo
from pipeline.fields import RECORD_KINDS
from pipeline.mapping.cells import Reading
from pipeline.mapping.countries import read_countries

reading = Reading(RECORD_KINDS["order"]["billing_country"], "country", ZoneInfo("UTC"))
codes = read_countries(["Germany", "Niederlande", "米国", "U.S.A.", "Neuland"], reading)
assert codes[:4] == ["DE", "NL", "US", "US"], codes
assert codes[4].code == "bad_country"
assert "pycountry" not in sys.modules
"""


def test_what_is_kept_is_what_pycountry_says() -> None:
    assert NAMES.read_text(encoding="utf-8") == country_names.made(), (
        "pycountry has other names by now: python -m pipeline.mapping.country_names"
    )


def test_a_column_of_countries_is_read_without_pycountry() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 0, told.stderr
