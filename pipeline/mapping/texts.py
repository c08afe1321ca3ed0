"""Texts with a shape: e-mail, phone, country, choice, yes or no, lists, and the parts of a name."""

from __future__ import annotations

import gettext
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pipeline.errors import nearest
from pipeline.mapping.cells import Reading
from pipeline.reasons import Trouble

TRUE_WORDS = ("true", "yes", "y", "t", "1", "on", "wahr", "ja", "vrai", "oui")
FALSE_WORDS = ("false", "no", "n", "f", "0", "off", "falsch", "nein", "faux", "non")

_EMAIL = re.compile(
    r"(?P<local>[^\s@<>()\[\],;:\\\".]+(?:\.[^\s@<>()\[\],;:\\\".]+)*)@"
    r"(?P<domain>(?:[^\W_](?:[^\W_]|-)*\.)+[^\W\d_](?:[^\W_]|-)*[^\W_])"
)
_PHONE = re.compile(r"[0-9+().\-/ \u00a0\u2010-\u2013]+(?:(?:x|ext\.?|#)\s*[0-9]{1,8})?", re.IGNORECASE)
_PARTICLES = frozenset(
    {
        "van", "von", "der", "den", "de", "del", "della", "di", "da", "dal", "du", "des", "la", "le", "las",
        "los", "dos", "das", "ten", "ter", "zu", "zum", "zur", "bin", "ibn", "al", "el", "af", "av",
    }
)  # fmt: skip
_UNKNOWN = object()
_HINTS, _LONGEST_HINTED = (
    50,
    60,
)  # looking for the nearest word takes a millisecond: not for each cell of a wrong column
_COUNTRY_WORDS: Mapping[str, str] = {
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
_COUNTRY_LANGUAGES = (
    *("de", "fr", "es", "it", "nl", "pl", "pt", "pt_BR", "ru", "uk", "sv", "da", "nb", "nn", "fi", "cs", "sk", "hu"),
    *("ro", "tr", "el", "ja", "zh_CN", "zh_TW", "ko"),
)
"""In which countries are known by name, beside English: as pycountry translates them."""
_LONGEST_CODE = 3


def read_text(texts: Sequence[str], _reading: Reading) -> list[Any]:
    """The text itself: leading zeros, 18 digits, tabs and line breaks stay."""
    return list(texts)


def read_emails(texts: Sequence[str], _reading: Reading) -> list[Any]:
    """One address; only the domain becomes lower case (what stands before the @ is the owner's business)."""
    return [_email(text) for text in texts]


def read_phones(texts: Sequence[str], reading: Reading) -> list[Any]:
    """The number as written; with a declared country in E.164 form (ITU-T E.164), an extension behind an ``x``."""
    return [_phone(text, reading.country) for text in texts]


def read_countries(texts: Sequence[str], _reading: Reading) -> list[Any]:
    """ISO 3166-1 alpha-2 from alpha-2, alpha-3, or a name: common, official, well-known, or in another language."""
    found = [_country(text) for text in texts]
    return _with_hints(texts, found, Trouble("bad_country"), _country_names())


def read_choices(texts: Sequence[str], reading: Reading) -> list[Any]:
    """What the mapping says each text stands for: the exact text first, then without regard to case and spacing."""
    folded = {fold(word): meant for word, meant in reading.choices.items()}
    clashing = {fold(w) for w, meant in reading.choices.items() if folded[fold(w)] != meant}
    found = [_choice(text, reading.choices, folded, clashing) for text in texts]
    known = tuple(reading.choices)
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return _with_hints(texts, found, Trouble("unknown_choice", {"known": listed}), known)


def read_booleans(texts: Sequence[str], reading: Reading) -> list[Any]:
    """Yes or no by the declared words, else by the usual ones."""
    true, false = reading.true or TRUE_WORDS, reading.false or FALSE_WORDS
    words = {fold(word): False for word in false} | {fold(word): True for word in true}
    unknown = Trouble("bad_boolean", {"true": true[0], "false": false[0]})
    return [words.get(fold(text), unknown) for text in texts]


def read_lists(texts: Sequence[str], reading: Reading) -> list[Any]:
    """The parts of a list, trimmed, joined by commas; empty parts fall away."""
    parts = ([part.strip() for part in text.split(reading.separator)] for text in texts)
    return [",".join(part for part in those if part) or None for those in parts]


def read_names(texts: Sequence[str], reading: Reading) -> list[Any]:
    """One part of a person's full name; ``None`` where the name has no such part."""
    return [split_name(text)[reading.part] or None for text in texts]


def split_name(text: str) -> Mapping[str, str]:
    """The parts of a full name: ``full``, ``first``, ``middle``, ``last``, and ``rest`` (all but the first).

    ``Doe, Jane Ann`` and ``Jane Ann Doe`` give the same parts; particles (van, de …) belong to the last name.
    """
    full = " ".join(text.split())
    surname, comma, given = (part.strip() for part in full.partition(","))
    if comma and given and "," not in given:
        first, _, middle = given.partition(" ")
        return {
            "full": full,
            "first": first,
            "middle": middle,
            "last": surname,
            "rest": f"{middle} {surname}".strip(),
        }
    first, *others = full.split(" ")
    begins = next((at for at, word in enumerate(others) if word in _PARTICLES), max(len(others) - 1, 0))
    middle, last = " ".join(others[:begins]), " ".join(others[begins:])
    return {"full": full, "first": first, "middle": middle, "last": last, "rest": " ".join(others)}


def fold(text: str) -> str:
    """The text without regard to case and spacing."""
    return " ".join(text.split()).casefold()


def _email(text: str) -> str | Trouble:
    found = _EMAIL.fullmatch(text)
    if found is None or len(text) > 254 or len(found["local"]) > 64:
        return Trouble("bad_email")
    return f"{found['local']}@{found['domain'].lower()}"


def _phone(text: str, country: str | None) -> str | Trouble:
    if not _PHONE.fullmatch(text) or not 3 <= sum(c.isdecimal() for c in text) <= 23:
        return Trouble("bad_phone", {"because": ""})
    return _international(text, country) if country else text


def _international(text: str, country: str) -> str | Trouble:
    import phonenumbers

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return Trouble("bad_phone", {"because": f" of {country}"})
    if not phonenumbers.is_possible_number(number):
        return Trouble("bad_phone", {"because": f" of {country}: it has too many or too few digits"})
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain} x{number.extension}" if number.extension else plain


def _choice(text: str, choices: Mapping[str, Any], folded: Mapping[str, Any], clashing: set[str]) -> object:
    if text in choices:
        return choices[text]
    key = fold(text)
    if key in folded and key not in clashing:
        return folded[key]
    return _UNKNOWN


def _with_hints(texts: Sequence[str], found: list[Any], trouble: Trouble, known: tuple[str, ...]) -> list[Any]:
    """The values found, and for each unknown text the trouble; the first few come with the nearest known word."""
    without = Trouble(trouble.code, {**trouble.details, "nearest": ""})
    unknown = [at for at, value in enumerate(found) if value is _UNKNOWN]
    for place, at in enumerate(unknown):
        hinted = place < _HINTS and len(texts[at]) <= _LONGEST_HINTED
        hint = _hint(texts[at], known) if hinted else ""
        found[at] = Trouble(trouble.code, {**trouble.details, "nearest": hint}) if hint else without
    return found


@lru_cache(maxsize=4096)
def _hint(text: str, known: tuple[str, ...]) -> str:
    """The same wrong word stands in block after block of a long file."""
    return nearest(text, known)


@lru_cache(maxsize=4096)
def _country(text: str) -> object:
    words = (_bare(text), _bare(text.replace(".", "")))
    known = (names[word] for names in (_countries(), _countries_elsewhere()) for word in words if word in names)
    return next(known, _UNKNOWN)


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    return dict(_country_words())


@lru_cache(maxsize=1)
def _country_names() -> tuple[str, ...]:
    return tuple(_countries())


def _country_words() -> Iterator[tuple[str, str]]:
    import pycountry

    for word, code in _COUNTRY_WORDS.items():
        yield _bare(word), code
    for country in pycountry.countries:
        for name in ("name", "official_name", "common_name", "alpha_3", "alpha_2"):
            if hasattr(country, name):
                yield _bare(getattr(country, name)), country.alpha_2


@lru_cache(maxsize=1)
def _countries_elsewhere() -> Mapping[str, str]:
    """Names in other languages: none that two countries have (a mistake of a translation), or that may be a code."""
    import pycountry

    codes: dict[str, set[str]] = {}
    for language in _COUNTRY_LANGUAGES:
        said = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [language]).gettext
        for country in pycountry.countries:
            for name in {country.name, getattr(country, "common_name", country.name)}:
                codes.setdefault(_bare(said(name)), set()).add(country.alpha_2)
    names = {word: found.pop() for word, found in codes.items() if len(found) == 1}
    return {word: code for word, code in names.items() if len(word) > _LONGEST_CODE or not word.isascii()}


def _bare(text: str) -> str:
    """The text without case, spacing and accents: 'CÔTE D’IVOIRE' is "cote d'ivoire"."""
    folded = fold(text)
    if folded.isascii():
        return folded
    plain = unicodedata.normalize("NFD", folded.replace("’", "'"))
    return "".join(c for c in plain if not unicodedata.combining(c))
