"""Numbers as a person sees them in a workbook, told by their number format.

Dates and times become ISO texts (but ``1-Mar-2026`` under a format that shows a month's name and no whole date: what
Excel makes of a code such as ``MAR1``), decimals are fixed as the format fixes them, leading zeros stay, percentages
keep their sign. Left out on purpose, so that money parsers meet plain numbers: currency signs, units,
thousands separators, brackets for negative numbers, scaling to thousands, and scientific notation below 1e15.
From 1e15 on Excel has already replaced digits by zeros, so such numbers are shown the way Excel shows the
damage: ``1.23457E+17``.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

# Excel keeps 15 significant digits (Microsoft: "Excel specifications and limits").
EXACT_BELOW = 1e15
LAST_SERIAL = 2_958_466  # 9999-12-31 and a day, in the 1900 system
_SMALLEST_PLAIN = 1e-12
_EPOCH_1900 = datetime(1899, 12, 30)  # noqa: DTZ001 - as above
_CURRENCIES = re.compile(r"[$€£¥₽₹₩₺₴]|\b(?:EUR|USD|GBP|CHF|RUB|INR|JPY|CNY)\b|р\.|руб|kr|zł|Kč", re.IGNORECASE)
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|[_*](?P<spacing>.)|\[(?P<bracket>[^\]]*)\]|(?P<general>General)'
    r"|(?P<half>AM/PM|A/P)|(?P<power>E[+-]?(?=0))|(?P<plain>.)",
    re.IGNORECASE | re.DOTALL,
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ELAPSED = re.compile(r"^(h+|m+|s+)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """What a format code does; ``kind``: ``general``, ``number``, ``percent``, ``mask``, ``time``.

    ``mask`` holds the pieces of an identifier format such as ``00000-0000``: digit places and literals.
    """

    kind: str
    most_decimals: int = 0
    least_decimals: int = 0
    least_integers: int = 0
    mask: tuple[tuple[bool, str], ...] = ()
    has_date: bool = False
    has_time: bool = False
    elapsed: bool = False
    partial: bool = False
    fraction_digits: int = 0


def number_text(value: float, code: str, *, date1904: bool = False) -> str:
    """The text a person sees for a number under a format code such as ``0.00`` or ``dd/mm/yyyy``."""
    if not math.isfinite(value):
        return "#NUM!"
    form = parse_format(code)
    if form.kind == "time":
        return _moment_text(value, form, date1904=date1904)
    if form.kind == "general" or abs(value) >= EXACT_BELOW:
        return general_text(value)
    if form.kind == "mask":
        return _masked(value, form)
    if form.kind == "percent":
        return _fixed(_exact(value) * 100, form) + "%"
    return _fixed(_exact(value), form)


def general_text(value: float) -> str:
    """A number without a format: whole ones without a point, others in up to 15 significant digits."""
    size = abs(value)
    if size >= EXACT_BELOW or 0 < size < _SMALLEST_PLAIN:
        return _scientific(value)
    return f"{int(value)}" if value == int(value) else _plain(_exact(value))


def date_text(value: datetime | date | time | timedelta) -> str:
    """A date or time in ISO form: ``2026-01-05``, ``2026-01-05 08:15:00``, ``08:15:00``, ``27:30:00``."""
    if isinstance(value, datetime):
        rounded = value + timedelta(microseconds=500_000)
        moment = rounded.replace(microsecond=0)
        return moment.strftime("%Y-%m-%d") if moment.time() == time() else moment.isoformat(" ")
    if isinstance(value, timedelta):
        return _elapsed_text(round(value.total_seconds()))
    return value.isoformat() if isinstance(value, date) else value.replace(microsecond=0).isoformat()


def partial_date(day: date) -> str:
    """A date of which a person sees a month's name and one number: the whole one, and told from those written out."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


@lru_cache(maxsize=4096)
def parse_format(code: str) -> NumberFormat:
    """Take a format code apart (ECMA-376 part 1 §18.8.31); anything not understood counts as ``General``."""
    section = _sections(code)[0]
    if not section or any(name == "general" for name, _ in section):
        return NumberFormat("general")
    moment = _as_moment(section)
    if moment:
        return moment
    plain = "".join(text for name, text in section if name == "plain")
    if not re.search(r"[0#?]", plain) or "/" in plain or any(name == "power" for name, _ in section):
        return NumberFormat("general")
    return _as_number(section, plain)


Token = tuple[str, str]


def _sections(code: str) -> list[list[Token]]:
    """The tokens of each section (positive; negative; zero; text), spacing left out."""
    sections: list[list[Token]] = [[]]
    for found in _TOKEN.finditer(code):
        name = found.lastgroup or "plain"
        text = found.group(name)
        if name == "plain" and text == ";":
            sections.append([])
        elif name != "spacing":
            sections[-1].append((name, text))
    return sections


def _as_moment(section: list[Token]) -> NumberFormat | None:
    letters = "".join(text.lower() for name, text in section if name == "plain" and text.isalpha())
    spans = [text.lower() for name, text in section if name == "bracket" and _ELAPSED.match(text)]
    if not spans and not re.search(r"[ymdhs]", letters):
        return None
    if not spans and re.search(r"[0#?]", "".join(t for n, t in section if n == "plain").split(".")[0]):
        return None
    has_time = bool(spans) or bool(re.search("[hs]", letters)) or any(name == "half" for name, _ in section)
    has_date = bool(re.search("[ydebg]", letters)) or ("m" in letters and not has_time)
    decimals = re.search(r"s\.(0+)", "".join(text.lower() for name, text in section if name in {"plain", "bracket"}))
    digits = min(len(decimals.group(1)), 6) if decimals else 0
    return NumberFormat(
        "time",
        has_date=has_date,
        has_time=has_time,
        elapsed=bool(spans) and not has_date,
        partial="mmm" in letters and not has_time and not {"d", "y"} <= set(letters),
        fraction_digits=digits,
    )


def _as_number(section: list[Token], plain: str) -> NumberFormat:
    whole, _, decimals = plain.partition(".")
    places = [char for char in decimals if char in "0#?"]
    least = whole.count("0")
    if "%" not in plain and "." not in plain and "," not in plain and least >= 2:
        mask = _mask(section)
        if any(not is_place for is_place, _ in mask):
            return NumberFormat("mask", mask=mask)
    return NumberFormat("percent" if "%" in plain else "number", len(places), places.count("0"), least)


def _mask(section: list[Token]) -> tuple[tuple[bool, str], ...]:
    """The pieces of an identifier format; empty of literals when those are only a currency or blanks."""
    pieces: list[tuple[bool, str]] = []
    for name, text in section:
        if name in {"bracket", "half"}:
            continue
        pieces.append((name == "plain" and text in "0#?", text))
    literal = "".join(text for is_place, text in pieces if not is_place)
    if not literal.strip() or _CURRENCIES.search(literal):
        return tuple(piece for piece in pieces if piece[0])
    return tuple(pieces)


def _masked(value: float, form: NumberFormat) -> str:
    """Digits put into their places from the right; digits without a place go in front of the first."""
    digits = list(str(int(abs(_exact(value)).quantize(Decimal(1), ROUND_HALF_UP))))
    places = sum(1 for is_place, _ in form.mask if is_place)
    digits = [""] * (places - len(digits)) + digits
    ahead = len(digits) - places
    shown: list[str] = []
    for is_place, text in form.mask:
        if not is_place:
            shown.append(text)
            continue
        taken, digits, ahead = "".join(digits[: ahead + 1]), digits[ahead + 1 :], 0
        shown.append(taken or ("0" if text == "0" else ""))
    return ("-" if value < 0 else "") + "".join(shown)


def _fixed(number: Decimal, form: NumberFormat) -> str:
    rounded = number.quantize(Decimal(1).scaleb(-form.most_decimals), ROUND_HALF_UP)
    whole, _, decimals = format(abs(rounded), "f").partition(".")
    while len(decimals) > form.least_decimals and decimals.endswith("0"):
        decimals = decimals[:-1]
    sign = "-" if rounded < 0 else ""
    return sign + whole.zfill(form.least_integers) + ("." + decimals if decimals else "")


def _exact(value: float) -> Decimal:
    """The 15 significant digits Excel keeps, so that 0.1 + 0.2 is 0.3."""
    return Decimal(f"{value:.15g}")


def _plain(number: Decimal) -> str:
    return format(number, "f")


def _scientific(value: float) -> str:
    mantissa, _, exponent = f"{value:.5E}".partition("E")
    short = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{short}E{exponent}" if exponent else str(value)


def _moment_text(value: float, form: NumberFormat, *, date1904: bool) -> str:
    days = value + (1462 if date1904 and form.has_date else 0)
    if not 0 <= days < LAST_SERIAL or (form.has_date and int(days) == 60):
        return general_text(value)  # Excel shows ##### (or 29 February 1900, which never was)
    if form.elapsed:
        return _elapsed_text(round(value * 86400))
    try:
        moment = _rounded(days, form.fraction_digits)
    except OverflowError:  # the last half second of the last year there is
        return general_text(value)
    clock = moment.strftime("%H:%M:%S") + _fraction(moment, form.fraction_digits)
    if not form.has_date or (days < 1 and form.has_time):
        return clock
    if form.partial:
        return partial_date(moment)
    day = moment.date().isoformat()
    return f"{day} {clock}" if form.has_time else day


def _fraction(moment: datetime, digits: int) -> str:
    return "." + f"{moment.microsecond:06d}"[:digits] if digits else ""


def _rounded(days: float, fraction_digits: int) -> datetime:
    """A serial day as a moment; before March 1900 serials are one short: Excel takes 1900 for a leap year."""
    unit = 10 ** (6 - fraction_digits)
    microseconds = round(days * 86_400_000_000 / unit) * unit
    leap = timedelta(days=1 if 0 < days < 60 else 0)
    return _EPOCH_1900 + leap + timedelta(microseconds=microseconds)


def _elapsed_text(seconds: int) -> str:
    sign, size = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{size // 3600:02d}:{size // 60 % 60:02d}:{size % 60:02d}"
