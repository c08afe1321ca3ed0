"""Times in a declared format, as ``datetime.strptime`` reads them; those in plain digits several times as quickly."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

_SHORT, _FULL = "[0-9]{1,2}", "[0-9]{2}"
_TWO_DIGITS = frozenset("mdHIMSy")
_OTHERS = {"Y": "[0-9]{4}", "p": "[AaPp][Mm]", "f": "[0-9]{1,9}"}
_TOUCHING = re.compile(r"%[dmYyHIMSj]%[dmYyHIMSj]")
_NANOSECONDS = re.compile("(?<=[.,][0-9]{6})[0-9]+")
"""What other programs write behind the millionth parts of a second; strptime takes no more than these."""
_CENTURY = 69
"""Years of two digits from here on are of the last century, as POSIX has it."""


def by_format(texts: Sequence[str], form: str) -> list[datetime | None]:
    """What the format makes of each text, ``None`` where it does not fit."""
    plain = _plain(form)
    read = [_read(text, form, plain) for text in texts]
    if not _TOUCHING.search(form):
        return read
    # Without separators strptime also takes '2026015' for a day.
    usual = len(datetime(2026, 11, 25, 14, 30, 5).strftime(form))  # noqa: DTZ001 - only its length counts
    return [moment if len(text) == usual else None for moment, text in zip(read, texts, strict=True)]


def _read(text: str, form: str, plain: re.Pattern[str] | None) -> datetime | None:
    found = plain.fullmatch(text) if plain is not None else None
    if found is not None:
        return _assembled(found.groupdict())
    bare = _NANOSECONDS.sub("", text) if "%f" in form else text
    try:
        return datetime.strptime(bare, form)  # noqa: DTZ007 - where the text names an offset, %z is in the format
    except ValueError:
        return None


def _assembled(parts: dict[str, str]) -> datetime | None:
    """The time of a text in plain digits; ``None`` where there is no such day or hour."""
    year = int(parts["Y"]) if "Y" in parts else _of_a_century(int(parts["y"]))
    hour: int | None = int(parts.get("H", 0))
    if "I" in parts:
        hour = _of_twelve(int(parts["I"]), parts["p"])
    micro = int(parts["f"][:6].ljust(6, "0")) if "f" in parts else 0
    if hour is None:
        return None
    try:
        return datetime(  # noqa: DTZ001 - naive as it is written
            year, int(parts["m"]), int(parts["d"]), hour, int(parts.get("M", 0)), int(parts.get("S", 0)), micro
        )
    except ValueError:
        return None


def _of_a_century(year: int) -> int:
    return year + (1900 if year >= _CENTURY else 2000)


def _of_twelve(hour: int, half: str) -> int | None:
    return hour % 12 + (12 if half in {"PM", "pm", "Pm", "pM"} else 0) if 1 <= hour <= 12 else None


@lru_cache(maxsize=64)
def _plain(form: str) -> re.Pattern[str] | None:
    """What a text looks like whose digits can be told apart in one way only; ``None`` where the format has other parts.

    Spaces and letters have to stand as they do in the format; what differs goes the long way.
    """
    pieces = re.split("(%.)", form)
    parts = [piece[1] for piece in pieces[1::2]]
    there = set(parts)
    known = there <= _TWO_DIGITS | set(_OTHERS) and {"m", "d"} <= there and len(there) == len(parts)
    hours = ("I" in there) <= ("p" in there and "H" not in there)
    if not known or not hours or len(there & {"Y", "y"}) != 1 or any(map(_has_digits, pieces[::2])):
        return None
    width = _FULL if _TOUCHING.search(form) else _SHORT
    if re.search("%f%[^p]|%[^p]%f", form):
        return None
    told = (f"(?P<{one}>{_OTHERS.get(one) or (_FULL if one == 'y' else width)})" for one in parts)
    return re.compile("".join(f"{re.escape(text)}{part}" for text, part in zip(pieces[::2], [*told, ""], strict=True)))


def _has_digits(text: str) -> bool:
    return any(char.isdigit() for char in text) or "%" in text
