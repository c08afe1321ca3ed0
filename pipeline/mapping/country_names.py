"""How ``countries.json`` is made: each country by its names, as pycountry has and translates them.

    python -m pipeline.mapping.country_names

A line holds the code of a country, its codes and names in English, and names in other languages that are no other's.
"""

from __future__ import annotations

import gettext
import json
from collections.abc import Iterable, Iterator, Mapping

import pycountry

from pipeline.mapping.countries import NAMES, bare

_LANGUAGES = (
    *("de", "fr", "es", "it", "nl", "pl", "pt", "pt_BR", "ru", "uk", "sv", "da", "nb", "nn", "fi", "cs", "sk", "hu"),
    *("ro", "tr", "el", "ja", "zh_CN", "zh_TW", "ko"),
)
"""In which countries are known by name, beside English."""

_LONGEST_CODE = 3


def made() -> str:
    """The file as it is to be."""
    english = dict(_in_english())
    elsewhere = {name: code for name, code in _elsewhere().items() if name not in english}
    lines = (
        f'"{country.alpha_2}": {_listed([_of(country.alpha_2, names) for names in (english, elsewhere)])}'
        for country in sorted(pycountry.countries, key=lambda country: str(country.alpha_2))
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _of(code: str, names: Mapping[str, str]) -> list[str]:
    return sorted(name for name, its in names.items() if its == code)


def _listed(names: Iterable[Iterable[str]]) -> str:
    return json.dumps(names, ensure_ascii=False)


def _in_english() -> Iterator[tuple[str, str]]:
    for country in pycountry.countries:
        for name in ("name", "official_name", "common_name", "alpha_3", "alpha_2"):
            if hasattr(country, name):
                yield bare(getattr(country, name)), country.alpha_2


def _elsewhere() -> Mapping[str, str]:
    """None that two countries have (a mistake of a translation), or that may be a code."""
    codes: dict[str, set[str]] = {}
    for language in _LANGUAGES:
        said = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [language]).gettext
        for country in pycountry.countries:
            for name in {country.name, getattr(country, "common_name", country.name)}:
                codes.setdefault(bare(said(name)), set()).add(country.alpha_2)
    names = {word: found.pop() for word, found in codes.items() if len(found) == 1}
    return {word: code for word, code in names.items() if len(word) > _LONGEST_CODE or not word.isascii()}


if __name__ == "__main__":
    NAMES.write_text(made(), encoding="utf-8")
