"""Countries by their codes and names: in English, and in the languages of those who write orders."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.mapping.cells import Reading
from pipeline.mapping.texts import UNKNOWN, fold, with_hints
from pipeline.reasons import Trouble

NAMES = Path(__file__).with_name("countries.json")
"""The names of each country as ``country_names`` made them from pycountry's catalogues, whose loading takes longer than
reading a file of some thousand rows.
"""

_WELL_KNOWN: Mapping[str, str] = {
    "uk": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB",
    "northern ireland": "GB", "usa": "US", "u.s.a.": "US", "u.s.": "US", "america": "US",
    "united states of america": "US", "the netherlands": "NL", "holland": "NL", "russia": "RU",
    "south korea": "KR", "north korea": "KP", "korea": "KR", "vietnam": "VN", "iran": "IR", "syria": "SY",
    "laos": "LA", "bolivia": "BO", "venezuela": "VE", "tanzania": "TZ", "moldova": "MD", "taiwan": "TW",
    "czech republic": "CZ", "ivory coast": "CI", "turkey": "TR", "macedonia": "MK", "swaziland": "SZ",
    "brunei": "BN", "cape verde": "CV", "vatican": "VA", "palestine": "PS", "uae": "AE",
    "hong kong sar": "HK", "macau": "MO", "deutschland": "DE", "österreich": "AT", "schweiz": "CH",
    "suisse": "CH", "svizzera": "CH", "españa": "ES", "italia": "IT", "belgique": "BE", "belgië": "BE",
    "nederland": "NL", "polska": "PL", "danmark": "DK", "norge": "NO", "sverige": "SE", "suomi": "FI",
    "česko": "CZ", "россия": "RU", "украина": "UA", "беларусь": "BY", "казахстан": "KZ", "brasil": "BR",
    "méxico": "MX", "日本": "JP", "中国": "CN", "eire": "IE",
}  # fmt: skip


def read_countries(texts: Sequence[str], _reading: Reading) -> list[Any]:
    """ISO 3166-1 alpha-2 from alpha-2, alpha-3, or a name: common, official, well-known, or in another language."""
    found = [_country(text) for text in texts]
    return with_hints(texts, found, Trouble("bad_country"), _known())


@lru_cache(maxsize=4096)
def _country(text: str) -> object:
    words = (bare(text), bare(text.replace(".", "")))
    return next((names[word] for names in _names() for word in words if word in names), UNKNOWN)


@lru_cache(maxsize=1)
def _known() -> tuple[str, ...]:
    """What a misspelt country may have meant: a word in English, or one that is well known."""
    return tuple(_names()[0])


@lru_cache(maxsize=1)
def _names() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Codes by names without accents: those that are looked at first, and those of other languages."""
    kept = json.loads(NAMES.read_text(encoding="utf-8"))
    english, elsewhere = ({name: code for code in kept for name in kept[code][which]} for which in (0, 1))
    return {**{bare(word): code for word, code in _WELL_KNOWN.items()}, **english}, elsewhere


def bare(text: str) -> str:
    """The text without case, spacing and accents: 'CÔTE D’IVOIRE' is "cote d'ivoire"."""
    folded = fold(text)
    if folded.isascii():
        return folded
    plain = unicodedata.normalize("NFD", folded.replace("’", "'"))
    return "".join(c for c in plain if not unicodedata.combining(c))
