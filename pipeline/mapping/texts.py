"""Texts with a shape: e-mail, phone, choice, yes or no, lists, and the parts of a name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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
UNKNOWN = object()
"""A word that is none of those known."""
_HINTS, _LONGEST_HINTED = (
    50,
    60,
)  # looking for the nearest word takes a millisecond: not for each cell of a wrong column


def read_text(texts: Sequence[str], _reading: Reading) -> list[Any]:
    """The text itself: leading zeros, 18 digits, tabs and line breaks stay."""
    return list(texts)


def read_emails(texts: Sequence[str], _reading: Reading) -> list[Any]:
    """One address; only the domain becomes lower case (what stands before the @ is the owner's business)."""
    return [_email(text) for text in texts]


def read_phones(texts: Sequence[str], reading: Reading) -> list[Any]:
    """The number as written; with a declared country in E.164 form (ITU-T E.164), an extension behind an ``x``."""
    return [_phone(text, reading.country) for text in texts]


def read_choices(texts: Sequence[str], reading: Reading) -> list[Any]:
    """What the mapping says each text stands for: the exact text first, then without regard to case and spacing."""
    folded = {fold(word): meant for word, meant in reading.choices.items()}
    clashing = {fold(w) for w, meant in reading.choices.items() if folded[fold(w)] != meant}
    found = [_choice(text, reading.choices, folded, clashing) for text in texts]
    known = tuple(reading.choices)
    listed = ", ".join(known[:12]) + (", …" if len(known) > 12 else "")
    return with_hints(texts, found, Trouble("unknown_choice", {"known": listed}), known)


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
    return UNKNOWN


def with_hints(texts: Sequence[str], found: list[Any], trouble: Trouble, known: tuple[str, ...]) -> list[Any]:
    """The values found, and for each ``UNKNOWN`` text the trouble; the first few come with the nearest known word."""
    without = Trouble(trouble.code, {**trouble.details, "nearest": ""})
    unknown = [at for at, value in enumerate(found) if value is UNKNOWN]
    for place, at in enumerate(unknown):
        hinted = place < _HINTS and len(texts[at]) <= _LONGEST_HINTED
        hint = _hint(texts[at], known) if hinted else ""
        found[at] = Trouble(trouble.code, {**trouble.details, "nearest": hint}) if hint else without
    return found


@lru_cache(maxsize=4096)
def _hint(text: str, known: tuple[str, ...]) -> str:
    """The same wrong word stands in block after block of a long file."""
    return nearest(text, known)
