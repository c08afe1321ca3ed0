"""Dates as people and programs write them out: names of months and weekdays, clocks of twelve hours, zones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from pipeline.mapping.month_names import MONTHS, WEEKDAYS

_WORD = r"[^\W\d_]+"
_DAY = r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th|er|º|°|\.)?"
_LINK = r"(?:(?:de|del|of)\s+|d')?"
_GAP = r"(?:\s*[-/.]\s*|\s+)"
_YEAR = r"(?P<y>[0-9]{4})"
_SHORT_YEAR = r"(?P<y>'?[0-9]{2})"
_YEAR_WORD = r"(?:\s*(?:г\.?|года|р\.?|року|r\.?|roku|\.))?"
ZONE = r"(?P<zone>z|(?:utc|gmt)?\s?[+-][0-9]{2}(?::?[0-9]{2})?|utc|gmt|[a-z]{3,4})"
CLOCK = (
    r"(?:(?:,?\s*(?:at|um|kl\.?|klo|alle|às|à|a las|о|в)\s+|,?[t\s]\s*)"
    r"(?P<time>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?|[0-9]{1,2}(?=\s*[ap]\.?\s?m\b))"
    rf"\s*(?P<half>[ap]\.?\s?m\b\.?)?(?:\s*(?:uhr|h)\b\.?)?(?:\s*{ZONE})?(?:\s*\([^()]*\))?)?"
)
_MONTH = rf"(?P<m>{_WORD})\.?"
_FORMS = tuple(
    re.compile(form + CLOCK)
    for form in (
        rf"{_DAY}{_GAP}{_LINK}{_MONTH},?{_GAP}{_LINK}{_YEAR}{_YEAR_WORD}",
        rf"{_MONTH}{_GAP}{_DAY},?{_GAP}{_YEAR}{_YEAR_WORD}",
        rf"{_YEAR}\.?{_GAP}{_MONTH}{_GAP}{_DAY}",
        rf"{_YEAR}\s*[年년]\s*(?P<m>[0-9]{{1,2}})\s*[月월]\s*(?P<d>[0-9]{{1,2}})\s*[日일]",
    )
)
_SHORT = re.compile(rf"{_DAY}{_GAP}{_MONTH}{_GAP}{_SHORT_YEAR}{CLOCK}")
_ASCTIME = re.compile(
    rf"{_MONTH}\s+(?P<d>[0-9]{{1,2}})\s+(?P<time>[0-9]{{1,2}}:[0-9]{{2}}:[0-9]{{2}})(?P<half>)\s+(?:{ZONE}\s+)?{_YEAR}"
)
_ARTICLE = re.compile(r"(?:le|el|den|der|dnia|the)\s+(?=[0-9])")
_LEADING = re.compile(rf"(?P<name>{_WORD}(?:-feira)?)\.?,?\s+(?=\S)")
_OFFSETS: Mapping[str, str] = {
    "z": "+00:00", "utc": "+00:00", "gmt": "+00:00", "est": "-05:00", "edt": "-04:00", "cdt": "-05:00", "mst": "-07:00",
    "mdt": "-06:00", "pst": "-08:00", "pdt": "-07:00", "cet": "+01:00", "cest": "+02:00", "eest": "+03:00",
    "msk": "+03:00", "jst": "+09:00",
}  # fmt: skip
"""Offsets of zone names with one meaning; CST, IST and BST have several and are no names of a zone here."""


def folded(text: str) -> str:
    """The text in lower case, every run of white space one blank."""
    return " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def without_weekday(text: str) -> tuple[str, int | None]:
    """A folded text without the weekday at its beginning, and that weekday (Monday is 0)."""
    found = _LEADING.match(text)
    day = WEEKDAYS.get(found["name"]) if found else None
    return (text, None) if found is None or day is None else (text[found.end() :], day)


def spoken(text: str, *, short_years: bool) -> Mapping[str, str] | None:
    """The parts of a folded date with a named month: ``y``, ``m`` (a number), ``d``, ``time``, ``half``, ``zone``.

    ``None`` when it is none. A year of two digits counts only where it is asked for, and only as one of 2000–2049.
    """
    bare = _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text
    found = next((m for form in (*_FORMS, _ASCTIME) if (m := form.fullmatch(bare))), None)
    if found is None and short_years:
        found = _SHORT.fullmatch(bare)
    if found is None:
        return None
    parts = {name: value or "" for name, value in found.groupdict().items()}
    month = parts["m"] if parts["m"].isdecimal() else str(MONTHS.get(parts["m"].rstrip("."), ""))
    year = parts["y"].removeprefix("'")
    if not month or (len(year) == 2 and int(year) >= 50):
        return None
    return parts | {"m": month, "y": year if len(year) == 4 else f"20{year}"}


def offset_of(zone: str) -> str | None:
    """The offset a folded zone stands for, ``""`` for none named, ``None`` for a name nobody can be certain of."""
    plain = zone.replace(" ", "")
    numeric = plain.removeprefix("utc").removeprefix("gmt")
    return numeric if numeric[:1] in {"+", "-", ""} and plain not in {"utc", "gmt"} else _OFFSETS.get(plain)


_ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ENGLISH_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAME = re.compile(rf"{_WORD}(?:-feira)?\.?")


def in_english(text: str, form: str) -> str:
    """The names of a text in English, full or short as the declared format has them: ``strptime`` knows no others."""
    month = next((name for name in ("%B", "%b") if name in form), None)
    day = next((name for name in ("%A", "%a") if name in form), None)
    if month is None and day is None:
        return text

    def translated(found: re.Match[str]) -> str:
        word = unicodedata.normalize("NFC", found[0]).casefold().rstrip(".")
        dot = "." if found[0].endswith(".") and f"{month}." in form else ""
        if month is not None and word in MONTHS:
            name = _ENGLISH_MONTHS[MONTHS[word] - 1]
            return (name if month == "%B" else name[:3]) + dot
        if day is not None and word in WEEKDAYS:
            name = _ENGLISH_DAYS[WEEKDAYS[word]]
            return name if day == "%A" else name[:3]
        return found[0]

    return _NAME.sub(translated, text)
