"""What ``schemas/*.py`` say in our own words: columns with checks that have a stable code, a sentence and advice.

A verdict hangs on the cell alone, so cells that are the same are judged once, and without pandera, whose loading takes
longer than judging ten thousand rows. ``columns.py`` hands the same words to the schemas as columns of pandera.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from pipeline.coded import Coded, Mask
from pipeline.currencies import currency_codes

Passes = Callable[[Any], bool]
Surely = Callable[[Coded], Mask | None]
_OFF = 1e-12
_CURRENCY_ADVICE = "Write the three-letter code of ISO 4217, such as USD or EUR."


def not_told(_cells: Coded) -> None:
    """In bulk nothing is told; each value is asked about."""


class Check(Struct, frozen=True):
    """A check of a cell, named as pandera names its parts: its code, what is wrong where it fails, and what to do.

    ``surely`` tells in bulk which values pass beyond doubt, where that can be told; of the others ``passes`` tells.
    """

    name: str
    error: str
    description: str
    passes: Passes
    surely: Surely = not_told


class Column(Struct, frozen=True):
    """The checks of a column that a feed may lack and a row may leave empty."""

    checks: tuple[Check, ...]


def text(longest: int = 255) -> Column:
    """A text of at most so many characters."""
    if not isinstance(longest, int):
        raise TypeError(f"text({longest!r}): write how many characters it may have, a whole number without quotes")
    return _column(
        Check(
            "text_too_long", f"has more than {longest} characters", f"Use at most {longest} characters.",
            lambda cell: len(cell) <= longest, partial(_is_short, longest=longest),
        )
    )  # fmt: skip


def number(*, above: float | None = None, at_least: float | None = None, at_most: float | None = None) -> Column:
    """A number within bounds."""
    checks = []
    if above is not None:
        low = _exactly("above", above)
        checks.append(_bound("below_minimum", f"above {low:,}", lambda cell: cell > low, low=float(low)))
    if at_least is not None:
        least = _exactly("at_least", at_least)
        checks.append(_bound("below_minimum", f"{least:,} or more", lambda cell: cell >= least, low=float(least)))
    if at_most is not None:
        most = _exactly("at_most", at_most)
        checks.append(_bound("above_maximum", f"{most:,} or less", lambda cell: cell <= most, high=float(most)))
    return _column(*checks)


def one_of(words: Collection[str]) -> Column:
    """One of a few words, as they are written."""
    if isinstance(words, str):
        raise TypeError(f"one_of({words!r}): write the words as a list")
    listed = ", ".join(words)
    return _column(
        Check(
            "unknown_word", f"is not one of {listed}", "Write one of these words.",
            lambda cell: cell in words,
        )
    )  # fmt: skip


def shaped(pattern: str, code: str, sentence: str, advice: str) -> Column:
    """A text that fits a regular expression as a whole."""
    form = re.compile(pattern)
    return _column(Check(code, sentence, advice, lambda cell: bool(form.fullmatch(cell))))


def country() -> Column:
    """An ISO 3166-1 alpha-2 code."""
    return shaped("[A-Z]{2}", "bad_country", "is not a two-letter country code", "Write the code, such as US or DE.")


def currency() -> Column:
    """An ISO 4217 code in capital or small letters."""
    return _column(
        Check(
            "bad_currency", "is not a currency code", _CURRENCY_ADVICE,
            lambda cell: cell.upper() in currency_codes(),
        )
    )  # fmt: skip


def person() -> dict[str, Column]:
    """Who ordered."""
    names = {name: text(255) for name in ("first_name", "middle_name", "last_name", "full_name", "company")}
    return {"email": text(254), **names, "phone": text(40)}


def address(prefix: str) -> dict[str, Column]:
    """A postal address, ``billing`` or ``shipping``."""
    parts = {name: text(255) for name in ("address1", "address2", "city", "state")}
    return {f"{prefix}_{name}": part for name, part in {**parts, "postal_code": text(20), "country": country()}.items()}


def _column(*checks: Check) -> Column:
    return Column(checks)


def _exactly(name: str, bound: float) -> Decimal:
    """A bound as it is written; what is no number would stop every file that is judged by it."""
    if not isinstance(bound, int | float | Decimal) or math.isnan(bound):
        raise TypeError(f"number({name}={bound!r}): write a number without quotes")
    return Decimal(str(bound))


def _bound(code: str, must_be: str, passes: Passes, low: float = -math.inf, high: float = math.inf) -> Check:
    surely = partial(_is_within, low=low, high=high)
    return Check(code, f"must be {must_be}", "Correct the number.", passes, surely)


def _is_short(cells: Coded, longest: int) -> Mask | None:
    """Which texts are short enough even if each of their bytes is a character."""
    if not cells.is_text:
        return None
    return _mask(pc.less_equal(pc.binary_length(cells.notation), longest))


def _is_within(cells: Coded, low: float, high: float) -> Mask | None:
    """Which numbers lie between the bounds beyond what a floating-point number may be off."""
    if not cells.is_amount:
        return None
    numbers = pc.cast(cells.notation, "float64").to_numpy(zero_copy_only=False)
    inside: Mask = (numbers > low + _off(low)) & (numbers < high - _off(high))
    return inside


def _off(bound: float) -> float:
    return _OFF * (1 + abs(bound)) if math.isfinite(bound) else 0.0


def _mask(found: pa.BooleanArray) -> Mask:
    mask: Mask = pc.fill_null(found, False).to_numpy(zero_copy_only=False)
    return mask
