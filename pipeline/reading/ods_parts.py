"""The cells of an OpenDocument spreadsheet as a person sees them (ODF 1.3 part 3, §9 and §19.385)."""

from __future__ import annotations

import math
import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from pipeline.reading.shown import EXACT_BELOW, general_text, partial_date

_MOMENT = re.compile(r"(-?\d{4,}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:[.,]\d+)?)?)?Z?")
_NAMED = re.compile(r"[^\W\d_]{3}")
_NUMBERS = re.compile(r"\d+")
_SPAN = re.compile(r"(-?)PT?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d+)?S)?")
_IDENTIFIER = re.compile(r"[\d(][\d()/ -]*[-/)][\d()/ -]*\d")
_NUMBER = re.compile(r"-?\d[\d.,' \u00a0\u202f\u2019]*")
_DIGIT = re.compile(r"\d")
_MOST_DECIMALS = 15


def number_shown(value: str, shown: str, *, is_percent: bool = False) -> str:
    """The number of a cell the way its text shows it: zeros in front, decimals as they are rounded.

    Currency signs, units, thousands marks and brackets are left out, so that money parsers meet plain numbers.
    """
    try:
        number = float(value)
    except ValueError:
        return shown
    if not math.isfinite(number):
        return shown
    if abs(number) >= EXACT_BELOW:
        return general_text(number)
    mark = "%" if is_percent else ""
    exact = Decimal(f"{number:.15g}") * (100 if is_percent else 1)
    text = shown.strip()
    if not is_percent and _is_identifier(text, exact):
        return text
    return _as_rounded(text, exact) + mark


def _is_identifier(text: str, exact: Decimal) -> bool:
    """Whether the text is the whole number with literals between its digits, such as ``000-00-0000``."""
    digits = re.sub(r"\D", "", text)
    return bool(_IDENTIFIER.fullmatch(text)) and exact >= 0 and exact == exact.to_integral() and int(digits) == exact


def _as_rounded(text: str, exact: Decimal) -> str:
    found = _NUMBER.search(text)
    plain = general_text(float(exact))
    if found is None or _DIGIT.search(text[: found.start()] + text[found.end() :]):
        return plain  # 1/2, 1.2E+05: a notation, not the number itself
    digits = re.sub(r"\D", "", found.group())
    decimals = re.search(r"[.,](\d+)\D*$", found.group())
    for places in dict.fromkeys((min(len(decimals[1]), _MOST_DECIMALS) if decimals else 0, 0)):
        try:
            rounded = abs(exact).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        except InvalidOperation:
            continue
        made = format(rounded, "f")
        wanted = digits if places == 0 or len(digits) > places else ""
        if re.sub(r"\D", "", made).lstrip("0") == wanted.lstrip("0"):
            whole, _, rest = made.partition(".")
            padded = whole.zfill(len(digits) - places)
            sign = "-" if exact < 0 and rounded else ""
            return sign + padded + (f".{rest}" if rest else "")
    return plain


def date_shown(value: str, shown: str) -> str:
    """A date in ISO form, with its time where the text shows one."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return shown
    day, clock, seconds = found.groups()
    if clock is None and len(day) == 10 and _NAMED.search(shown) and len(_NUMBERS.findall(shown)) < 2:  # 01-Mar, Mar 26
        return partial_date(date.fromisoformat(day))
    has_time = clock is not None and (":" in shown or not shown.strip())
    return f"{day} {clock}:{seconds or '00'}" if has_time else day


def time_shown(value: str, shown: str) -> str:
    """A time or a length of time as ``08:15:00``."""
    found = _SPAN.fullmatch(value)
    if found is None:
        return shown
    sign, *parts = found.groups()
    hours, minutes, seconds = (int(part or 0) for part in parts)
    total = hours * 3600 + minutes * 60 + seconds
    return f"{sign}{total // 3600:02d}:{total // 60 % 60:02d}:{total % 60:02d}"
