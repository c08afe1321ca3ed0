"""Postal codes that lost the zero in front: decidable where every code of the country has the same number of digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from pipeline.checking.sheet import Sheet, first_of_each
from pipeline.coded import Coded, Mask, Positions

_DIGITS = {
    "AU": 4, "BR": 8, "CN": 6, "CO": 6, "DE": 5, "DK": 4, "DZ": 5, "EE": 5, "ES": 5, "FI": 5, "FR": 5, "IT": 5, "JP": 7,
    "KR": 5, "KZ": 6, "LT": 5, "MX": 5, "MY": 5, "NO": 4, "PE": 5, "PR": 5, "RO": 6, "SG": 6, "SK": 5, "TR": 5,
    "UA": 5, "US": 5, "ZA": 4,
}  # fmt: skip
"""Countries whose codes all have so many digits, and some of them a zero in front (Universal Postal Union)."""

_ZIP_PLUS_4 = re.compile(r"([0-9]{3,4})-([0-9]{4})")
_LENGTHS_OF_A_CUT_ZIP_PLUS_4 = (8, 9)
_MOST_LOST = 2  # 00501 becomes 501


def blame_lost_zeros(sheet: Sheet) -> None:
    """Name the postal codes that are too short for the country beside them, each where it stands."""
    for place in ("billing", "shipping", ""):
        name, country = (f"{place}_{field}".lstrip("_") for field in ("postal_code", "country"))
        if name in sheet.cells and country in sheet.cells:
            _blame(sheet, name, country)


def _blame(sheet: Sheet, name: str, country: str) -> None:
    codes, countries = sheet.cells[name], sheet.cells[country]
    stated = sheet.stated[name] & ~sheet.unsound & ~sheet.faulty(name)
    among = np.flatnonzero(stated & ~sheet.empty(country))
    among = among[_is_worth_a_look(_lengths(codes)[codes.codes[among]], _digits(countries)[countries.codes[among]])]
    both = countries.codes[among].astype(np.int64) * codes.distinct + codes.codes[among]
    pairs, firsts = first_of_each(both)
    told = [
        (str(code), str(where))
        for code, where in zip(codes.objects(among[firsts]), countries.objects(among[firsts]), strict=True)
    ]
    full = [next(_full(code, where), None) for code, where in told]
    lost = np.fromiter((text is not None for text in full), bool, len(full))
    for at in np.flatnonzero(lost[pairs]).tolist() if len(among) else ():
        code, where = told[pairs[at]]
        sheet.blame(
            int(among[at]), "lost_leading_zero", name, code, country=where, digits=_DIGITS[where], full=full[pairs[at]]
        )


def _is_worth_a_look(length: Positions, digits: Positions) -> Mask:
    """Whether a code of that length may have lost a zero, where it has to have so many digits (0: nobody knows)."""
    is_short = (length < digits) & (length >= digits - _MOST_LOST)
    found: Mask = (digits > 0) & (is_short | np.isin(length, _LENGTHS_OF_A_CUT_ZIP_PLUS_4))
    return found


def _lengths(codes: Coded) -> Positions:
    """By the number of a code: how many characters it has."""
    if codes.is_text:
        lengths: Positions = pc.fill_null(pc.utf8_length(codes.notation), 0).to_numpy().astype(np.int64)
        return lengths
    return np.array([0 if value is None else len(str(value)) for value in codes.values.tolist()], dtype=np.int64)


def _digits(countries: Coded) -> Positions:
    """By the number of a country: how many digits its codes have."""
    return np.array([_DIGITS.get(str(value), 0) for value in countries.values.tolist()], dtype=np.int64)


def _full(code: str, country: str) -> Iterator[str]:
    """The code with the zeros it has lost; nothing where it lost none, or nobody can tell."""
    digits = _DIGITS.get(country, 0)
    if code.isascii() and code.isdigit() and digits - _MOST_LOST <= len(code) < digits:
        yield code.zfill(digits)
    found = _ZIP_PLUS_4.fullmatch(code) if country in {"US", "PR"} else None
    if found:
        yield f"{found[1].zfill(digits)}-{found[2]}"
