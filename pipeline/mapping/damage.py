"""What a spreadsheet does to codes and long numbers when it opens a file, recognised by what it leaves behind."""

from __future__ import annotations

import re
from collections.abc import Iterable

CUT, WHOLE = "cut", "whole"
"""What a column of long numbers shows: all end in zeros behind the fifteenth digit, or one does not."""

KEPT = 15
"""Significant digits of a number in a spreadsheet (Microsoft: Excel specifications and limits)."""

_ZEROS_NEEDED = 3  # by chance one code in a thousand ends like that
_LONG = re.compile(r"[0-9]{16,30}")
ROUNDED = re.compile(r"[+-]?[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2,3}")

_ENGLISH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
# Short names as a spreadsheet in that language shows a day of this year, and a month. Only those that nobody takes for
# a word of a code: SET-10 or out-12 may be anything.
_DASHED = (
    "janv|févr|mars|avr|juin|juil|août|déc|ene|feb|mar|abr|jun|jul|sept|oct|nov|dic|gen|apr|giu|lug|ott|"
    "mrt|mei|okt|dec|maj"
)
_DOTTED = "sty|mar|kwi|maj|cze|lip|sie|wrz|paź|lis|gru|янв|фев|мар|апр|май|июн|июл|авг|сен|окт|ноя|дек"
_SLASHED = "jan|fev|mar|abr|mai|jun|jul|ago|nov|dez"
_GERMAN = "Jan|Feb|Mrz|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez"
# MAR1 and SEPT-2 become 1-Mar and 2-Sep (in a workbook with the year: 1-Mar-2026); a code in capitals (MAR-01) was
# never made a date.
MADE_A_DATE = re.compile(
    rf"[0-9]{{1,2}}-(?:{_ENGLISH})(?:-[0-9]{{2}}|-[0-9]{{4}})?|(?:{_ENGLISH})-[0-9]{{2}}"
    rf"|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[ T]00:00(?::00)?"
    rf"|[0-9]{{2}}\. (?:{_GERMAN})|(?:{_GERMAN}) [0-9]{{2}}"
    rf"|[0-9]{{2}}-(?:{_DASHED})\.?|(?:janv|févr|mars|avr|juil|août|déc|ene|abr|mrt|okt)\.?-[0-9]{{2}}"
    rf"|[0-9]{{2}}\.(?:{_DOTTED})|(?:янв|фев|мар|апр|июн|июл|авг|сен|окт|ноя|дек)\.[0-9]{{2}}"
    rf"|[0-9]{{2}}/(?:{_SLASHED})|(?:{_SLASHED})/[0-9]{{2}}"
)


FLOATED = re.compile(r"[0-9]{3,}\.0")
"""A code that a program took for a number."""
_BETWEEN = re.compile("[;,|]")
_TIMES = re.compile(r" [x×*] ?[0-9]+ ?\Z")
_BEFORE = re.compile("[0-9]+ ?[x×] [A-Za-z].*", re.DOTALL)
_LETTER = re.compile("[A-Za-z]")


def is_rounded(text: str) -> bool:
    """``1.23E+11``: the digits behind are gone."""
    return "+" in text and ROUNDED.fullmatch(text) is not None


def is_floated(text: str) -> bool:
    """``1001.0``."""
    return text[-2:] == ".0" and FLOATED.fullmatch(text) is not None


def is_packed(text: str) -> bool:
    """Several items with how many of each: ``MUG x 2; CUP x 1``, ``2x Mug, 1x Cup``.

    Cut first and looked at part by part: as one pattern, a long list that ends otherwise would take for ever.
    """
    parts = _BETWEEN.split(text)
    if len(parts) > 1 and not parts[-1].strip():
        parts.pop()
    return len(parts) > 1 and (
        all(map(_is_so_many_times, parts)) or all(_BEFORE.fullmatch(part.strip()) for part in parts)
    )


def _is_so_many_times(part: str) -> bool:
    found = _TIMES.search(part)
    return found is not None and _LETTER.search(part, 0, found.start()) is not None


def is_made_a_date(text: str) -> bool:
    """``1-Mar``, ``Mar-01``, and what spreadsheets in other languages show: ``01. Mrz``, ``01-mars``, ``01.мар``."""
    return text[:1].isalnum() and len(text) <= len("2026-03-01 00:00:00") and bool(MADE_A_DATE.fullmatch(text))


def is_cut(text: str) -> bool:
    """A number of sixteen digits or more that has only zeros behind the fifteenth."""
    return len(text) > KEPT and _LONG.fullmatch(text) is not None and not text[KEPT:].strip("0")


def cuts_in(texts: Iterable[str]) -> frozenset[str]:
    """What the long numbers of a column show.

    One that ends otherwise proves that the column kept its digits. Zeros alone prove the loss only where they are too
    many for chance, and the digits before them do not end in zeros too, as those of round numbers do.
    """
    long = [text for text in texts if len(text) > KEPT and _LONG.fullmatch(text)]
    if not all(map(is_cut, long)):
        return frozenset({WHOLE})
    zeros = sum(len(text) - KEPT for text in long if not text[:KEPT].endswith("00"))
    return frozenset({CUT} if zeros >= _ZEROS_NEEDED else ())
